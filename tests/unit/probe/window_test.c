#include "probe/window.h"

#include "tests/unit/probe/probe_test.h"

static struct window_measures measures_of(uint32_t size, const uint32_t *results, size_t count)
{
	struct window window;
	struct window_measures measures;

	window_open(&window, size);
	for (size_t i = 0; i < count; i++)
		window_add(&window, results[i]);
	window_measure(&window, &measures);
	window_close(&window);
	return measures;
}

START_TEST(empty_window_has_no_loss_and_no_times)
{
	struct window_measures m = measures_of(5, NULL, 0);

	ck_assert_uint_eq(m.count, 0);
	ck_assert_uint_eq(m.lost, 0);
	ck_assert_uint_eq(m.mean_us, 0);
	ck_assert_uint_eq(m.p95_us, 0);
	ck_assert(!window_loses_more(&m, 1));
}
END_TEST

START_TEST(window_that_is_not_full_counts_what_is_there)
{
	const uint32_t results[] = { 300, WINDOW_LOST, 100 };
	struct window_measures m = measures_of(10, results, 3);

	ck_assert_uint_eq(m.count, 3);
	ck_assert_uint_eq(m.lost, 1);
	ck_assert_uint_eq(m.min_us, 100);
	ck_assert_uint_eq(m.mean_us, 200);
	ck_assert_uint_eq(m.max_us, 300);
	ck_assert_uint_eq(m.p50_us, 100); /* nearest rank: half of two is one */
	ck_assert_uint_eq(m.p95_us, 300);
}
END_TEST

START_TEST(oldest_results_leave_a_full_window)
{
	const uint32_t results[] = { WINDOW_LOST, WINDOW_LOST, 9000, 10, 20, 30, 40 };
	struct window_measures m = measures_of(4, results, 7);

	ck_assert_uint_eq(m.count, 4);
	ck_assert_uint_eq(m.lost, 0);
	ck_assert_uint_eq(m.mean_us, 25);
	ck_assert_uint_eq(m.p50_us, 20);
	ck_assert_uint_eq(m.max_us, 40);
}
END_TEST

START_TEST(percentiles_of_a_hundred_are_their_numbers)
{
	uint32_t results[100];
	struct window_measures m;

	for (uint32_t i = 0; i < 100; i++)
		results[i] = (i * 37 % 100 + 1) * 10; /* 10 to 1000, each once, mixed */
	m = measures_of(100, results, 100);
	ck_assert_uint_eq(m.p50_us, 500);
	ck_assert_uint_eq(m.p95_us, 950);
	ck_assert_uint_eq(m.mean_us, 505);
	ck_assert_uint_eq(m.min_us, 10);
	ck_assert_uint_eq(m.max_us, 1000);
}
END_TEST

START_TEST(all_lost_has_no_times)
{
	const uint32_t results[] = { WINDOW_LOST, WINDOW_LOST };
	struct window_measures m = measures_of(2, results, 2);

	ck_assert_uint_eq(m.lost, 2);
	ck_assert_uint_eq(m.max_us, 0);
	ck_assert(window_loses_more(&m, 99));
	ck_assert(!window_loses_more(&m, 100));
}
END_TEST

START_TEST(times_beyond_what_32_bits_can_add_up_have_a_mean)
{
	uint32_t results[WINDOW_MAX];
	struct window_measures m;

	for (uint32_t i = 0; i < WINDOW_MAX; i++)
		results[i] = WINDOW_LOST - 1;
	m = measures_of(WINDOW_MAX, results, WINDOW_MAX);
	ck_assert_uint_eq(m.mean_us, WINDOW_LOST - 1);
	ck_assert_uint_eq(m.p95_us, WINDOW_LOST - 1);
}
END_TEST

START_TEST(loss_at_the_limit_is_not_beyond_it)
{
	const struct window_measures m = { .count = 10, .lost = 3 };

	ck_assert(window_loses_more(&m, 29));
	ck_assert(!window_loses_more(&m, 30));
}
END_TEST

void add_window_tests(Suite *suite)
{
	suite_case(suite, "window", empty_window_has_no_loss_and_no_times,
		   window_that_is_not_full_counts_what_is_there, oldest_results_leave_a_full_window,
		   percentiles_of_a_hundred_are_their_numbers, all_lost_has_no_times,
		   times_beyond_what_32_bits_can_add_up_have_a_mean,
		   loss_at_the_limit_is_not_beyond_it);
}
