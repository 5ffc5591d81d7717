/* Pools that name other pools, whatever the order of their files. */
#include "conf/config.h"

#include <stdio.h>
#include <string.h>

#include "conf_test.h"
#include "fixture.h"

/* zones/NAME.pool.yaml, with more options. */
static void write_pool(const char *name, const char *more)
{
	char file[100], text[400];
	int len = snprintf(text, sizeof(text),
			   "pool: %s\n%s"
			   "sites: { tokyo: { nodes: { a: { address: 192.0.2.1 } } } }\n",
			   name, more);

	(void)snprintf(file, sizeof(file), "zones/%s.pool.yaml", name);
	fixture_write(file, text, (size_t)len);
}

START_TEST(a_pool_names_others_whose_files_come_before_or_after)
{
	struct reading *reading;
	const struct config_pool *pools;

	write_pool("aaa", "fallback: pool:edge\nbackup: zzz\n");
	write_pool("zzz", "backup: edge\n");
	reading = fixture_read(NULL, NULL);
	ck_assert_str_eq(reading->printed, "");
	pools = reading->config.pools;
	ck_assert_uint_eq(reading->config.pool_count, 3);
	ck_assert_str_eq(pools[0].name, "aaa");
	ck_assert_int_eq(pools[0].fallback, FALLBACK_POOL);
	ck_assert_uint_eq(pools[0].fallback_pool, 1);
	ck_assert_uint_eq(pools[0].backup, 2);
	ck_assert_uint_eq(pools[1].fallback_pool, PLAN_NONE);
	ck_assert_uint_eq(pools[1].backup, PLAN_NONE);
	ck_assert_int_eq(pools[2].fallback, FALLBACK_ALL);
	ck_assert_uint_eq(pools[2].backup, 1);
	fixture_free(reading);
}
END_TEST

static void assert_says(const char *wanted)
{
	struct reading *reading = fixture_read(NULL, NULL);

	ck_assert_uint_eq(diag_errors(reading->diag), 1);
	ck_assert_msg(strncmp(reading->printed, wanted, strlen(wanted)) == 0,
		      "expected:\n%sgot:\n%s", wanted, reading->printed);
	fixture_free(reading);
}

START_TEST(a_circle_of_pools_is_refused_by_name)
{
	write_pool("aaa", "backup: edge\n");
	write_pool("edge", "fallback: pool:spare\n");
	write_pool("spare", "policy: weighted\nbackup: edge\n");
	assert_says("zones/spare.pool.yaml:3:9: error: pools would stand in for one another in a "
		    "circle: edge, spare, edge\n");
}
END_TEST

START_TEST(eight_pools_in_a_row_will_do_and_nine_are_refused)
{
	struct reading *reading;
	char name[] = "p1", more[] = "backup: p2\n";

	for (; name[1] < '8'; name[1]++, more[9]++)
		write_pool(name, more);
	write_pool(name, "");
	reading = fixture_read(NULL, NULL);
	ck_assert_str_eq(reading->printed, "");
	fixture_free(reading);
	write_pool("p0", "backup: p1\n");
	write_pool("o", "fallback: pool:p0\n");
	assert_says(
		"zones/p0.pool.yaml:2:9: error: more than 8 pools would stand in for one another "
		"in a row: p0, p1, p2, p3, p4, p5, p6, p7, p8\n");
}
END_TEST

START_TEST(two_ways_to_the_same_pool_are_no_circle)
{
	struct reading *reading;

	write_pool("aaa", "backup: bbb\nfallback: pool:ccc\n");
	write_pool("bbb", "backup: ccc\n");
	write_pool("ccc", "");
	reading = fixture_read(NULL, NULL);
	ck_assert_str_eq(reading->printed, "");
	fixture_free(reading);
}
END_TEST

Suite *links_suite(void)
{
	Suite *suite = suite_create("links");
	TCase *tcase = tcase_create("links");

	tcase_add_checked_fixture(tcase, fixture_setup, fixture_teardown);
	tcase_add_test(tcase, a_pool_names_others_whose_files_come_before_or_after);
	tcase_add_test(tcase, a_circle_of_pools_is_refused_by_name);
	tcase_add_test(tcase, eight_pools_in_a_row_will_do_and_nine_are_refused);
	tcase_add_test(tcase, two_ways_to_the_same_pool_are_no_circle);
	suite_add_tcase(suite, tcase);
	return suite;
}
