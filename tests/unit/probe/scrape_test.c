#include "probe/scrape.h"

#include <string.h>

#include "tests/unit/probe/probe_test.h"

/* Settings with their texts. */
static struct {
	struct prometheus_settings s;
	char texts[512];
	size_t len;
} made;

static struct probe_text put(const char *text, size_t len)
{
	struct probe_text at = { (uint32_t)(offsetof(__typeof__(made), texts) + made.len),
				 (uint32_t)len };

	memcpy(made.texts + made.len, text, len);
	made.len += len + 1;
	return at;
}

static void begin(const char *metric)
{
	memset(&made, 0, sizeof(made));
	made.s.metric = put(metric, strlen(metric));
	made.s.capacity = 1;
}

static struct scrape_memory memory;
static uint64_t now_us;
static struct err err;

/* Ten seconds after the one before. -1: nothing; -2: a second one is needed. */
static double use_of(const char *text)
{
	struct exposition exposition;
	struct scrape scrape;
	struct scrape_use use;
	int rc;

	now_us += 10000000;
	scrape_open(&scrape, &made.s);
	exposition_open(&exposition, scrape_sample, &scrape);
	ck_assert_int_eq(exposition_feed(&exposition, text, strlen(text), &err), 0);
	rc = scrape_finish(&scrape, &memory, now_us, &use, &err);
	exposition_close(&exposition);
	scrape_close(&scrape);
	return rc != 0 ? -1 : use.known ? use.use : -2;
}

static void end(void)
{
	scrape_forget(&memory);
	now_us = 0;
}

#define near(is, wanted) ck_assert_double_eq_tol(is, wanted, 1e-9)

START_TEST(a_value_is_a_part_of_its_capacity)
{
	begin("sessions");
	made.s.capacity = 200;
	near(use_of("other 7\nsessions 50\n"), 0.25);
	made.s.inverse = 1;
	near(use_of("sessions 50\n"), 0.75);
	near(use_of("sessions 300\n"), 0); /* more is free than there is */
}
END_TEST

START_TEST(several_series_are_combined)
{
	static const char text[] = "load{d=\"a\"} 0.1\nload{d=\"b\"} 0.4\nload{d=\"c\"} NaN\n"
				   "load{d=\"d\"} 0.7\n";
	static const double wanted[] = {
		[COMBINE_SUM] = 1.2, [COMBINE_MAX] = 0.7, [COMBINE_MIN] = 0.1,
		[COMBINE_AVG] = 0.4, [COMBINE_COUNT] = 3,
	};

	begin("load");
	for (uint8_t i = COMBINE_SUM; i <= COMBINE_COUNT; i++) {
		made.s.combine = i;
		near(use_of(text), wanted[i]);
	}
}
END_TEST

START_TEST(series_are_chosen_by_labels_and_one_of_several_values_will_do)
{
	static const char text[] = "n{mode=\"idle\",cpu=\"0\"} 1\nn{mode=\"iowait\",cpu=\"0\"} 2\n"
				   "n{mode=\"user\",cpu=\"0\"} 4\nn{cpu=\"1\"} 8\n";

	begin("n");
	made.s.labels = put("mode\0idle\0mode\0iowait\0", 22);
	near(use_of(text), 3);
	made.s.labels = put("mode\0idle\0cpu\0"
			    "1\0",
			    16);
	ck_assert(use_of(text) == -1);
	ck_assert_str_eq(err.text, "no value of n");
	made.s.labels = put("mode\0\0", 6); /* that have none */
	near(use_of(text), 8);
}
END_TEST

START_TEST(a_capacity_may_be_another_metric)
{
	begin("used");
	made.s.capacity_metric = put("limit", 5);
	near(use_of("used 30\nlimit 120\n"), 0.25);
	made.s.capacity_combine = COMBINE_COUNT;
	near(use_of("used 1\nlimit{cpu=\"0\"} 9\nlimit{cpu=\"1\"} 9\n"), 0.5);
	ck_assert(use_of("used 30\n") == -1);
	ck_assert_str_eq(err.text, "no value of limit");
	made.s.capacity_combine = COMBINE_SUM;
	ck_assert(use_of("used 30\nlimit 0\n") == -1);
	ck_assert_str_eq(err.text, "the capacity is 0: limit");
	ck_assert(use_of("used 30\nlimit -125000\n") == -1);
}
END_TEST

START_TEST(a_counter_counts_by_how_much_it_grew_in_a_second)
{
	begin("octets_total");
	made.s.rate = 1;
	made.s.capacity = 1000;
	ck_assert(use_of("octets_total{d=\"a\"} 5000\noctets_total{d=\"b\"} 100\n") == -2);
	near(use_of("octets_total{d=\"a\"} 6000\noctets_total{d=\"b\"} 3100\n"), 0.4);
	/* One begins anew; the other is told first, and goes on. */
	near(use_of("octets_total{d=\"b\"} 4100\noctets_total{d=\"a\"} 500\n"), 0.15);
	/* A series that was not there before says nothing yet. */
	near(use_of("octets_total{d=\"b\"} 5100\noctets_total{d=\"c\"} 9\n"), 0.1);
}
END_TEST

START_TEST(a_busy_cpu_is_one_that_is_not_idle)
{
	begin("cpu");
	made.s.rate = made.s.inverse = 1;
	made.s.labels = put("mode\0idle\0mode\0iowait\0", 22);
	made.s.capacity_metric = put("cpu", 3);
	made.s.capacity_labels = put("mode\0idle\0", 10);
	made.s.capacity_combine = COMBINE_COUNT;
	ck_assert(use_of("cpu{cpu=\"0\",mode=\"idle\"} 100\ncpu{cpu=\"0\",mode=\"iowait\"} 5\n"
			 "cpu{cpu=\"1\",mode=\"idle\"} 90\ncpu{cpu=\"1\",mode=\"user\"} 5\n") ==
		  -2);
	/* 7 and 3 of 10 seconds were idle or waiting. */
	near(use_of("cpu{cpu=\"0\",mode=\"idle\"} 106\ncpu{cpu=\"0\",mode=\"iowait\"} 6\n"
		    "cpu{cpu=\"1\",mode=\"idle\"} 93\ncpu{cpu=\"1\",mode=\"user\"} 12\n"),
	     0.5);
}
END_TEST

START_TEST(a_use_that_is_none_is_told)
{
	begin("t");
	ck_assert(use_of("t -3\n") == -1);
	ck_assert_str_eq(err.text, "the use is -3, which is none: t");
	ck_assert(use_of("t +Inf\n") == -1);
	made.s.inverse = 1; /* and no reason to call a node idle */
	ck_assert(use_of("t +Inf\n") == -1);
	ck_assert(use_of("t{a=\"1\"} +Inf\nt{a=\"2\"} -Inf\n") == -1);
	made.s.inverse = 0;
	ck_assert(use_of("t NaN\n") == -1);
	ck_assert_str_eq(err.text, "no value of t");
}
END_TEST

void add_scrape_tests(Suite *suite)
{
	TCase *tcase = tcase_create("scrape");

	tcase_add_checked_fixture(tcase, NULL, end);
	tcase_add_test(tcase, a_value_is_a_part_of_its_capacity);
	tcase_add_test(tcase, several_series_are_combined);
	tcase_add_test(tcase, series_are_chosen_by_labels_and_one_of_several_values_will_do);
	tcase_add_test(tcase, a_capacity_may_be_another_metric);
	tcase_add_test(tcase, a_counter_counts_by_how_much_it_grew_in_a_second);
	tcase_add_test(tcase, a_busy_cpu_is_one_that_is_not_idle);
	tcase_add_test(tcase, a_use_that_is_none_is_told);
	suite_add_tcase(suite, tcase);
}
