#include "base/hash.h"
#include "probe/schedule.h"
#include "tests/unit/probe/probe_test.h"

#define MS 1000

START_TEST(first_round_of_a_small_fleet_starts_at_once_and_within_a_second)
{
	ck_assert_uint_eq(schedule_first_us(0, 16, 5000), 0);
	ck_assert_uint_eq(schedule_first_us(1, 16, 5000), 62500);
	ck_assert_uint_eq(schedule_first_us(15, 16, 5000), 937500);
	ck_assert_uint_eq(schedule_first_us(15, 16, 1000), 937500);
	ck_assert_uint_eq(schedule_first_us(9, 10, 100), 90 * MS); /* within its interval */
	ck_assert_uint_eq(schedule_first_us(0, 1, 60000), 0);
}
END_TEST

START_TEST(first_round_of_a_large_fleet_is_spread_evenly_over_its_interval)
{
	for (uint32_t i = 0; i < 10000; i++)
		ck_assert_uint_eq(schedule_first_us(i, 10000, 5000), i * 500);
	ck_assert_uint_eq(schedule_first_us(1999, 2000, 5000), 1999 * MS);
	ck_assert_uint_lt(schedule_first_us(UINT32_MAX - 1, UINT32_MAX, 3600000),
			  (uint64_t)3600000 * MS);
}
END_TEST

START_TEST(jitter_only_shortens_an_interval_and_uses_all_of_its_range)
{
	uint64_t shortest = UINT64_MAX;
	uint64_t longest = 0;

	for (uint64_t dice = 0; dice < 10000; dice++) {
		uint64_t gap = schedule_next_us(1000000, 5000, 20, hash_word(dice)) - 1000000;

		shortest = gap < shortest ? gap : shortest;
		longest = gap > longest ? gap : longest;
	}
	ck_assert_uint_le(longest, 5000 * MS);
	ck_assert_uint_ge(longest, 4980 * MS);
	ck_assert_uint_ge(shortest, 4000 * MS);
	ck_assert_uint_le(shortest, 4020 * MS);
	ck_assert_uint_eq(schedule_next_us(7, 5000, 0, UINT64_MAX), 7 + 5000 * MS);
	ck_assert_uint_ge(schedule_next_us(0, 5000, 100, UINT64_MAX), 0);
}
END_TEST

START_TEST(check_that_is_a_little_late_starts_at_once)
{
	ck_assert_uint_eq(schedule_start_us(1000 * MS, 1000 * MS, 5000), 1000 * MS);
	ck_assert_uint_eq(schedule_start_us(1000 * MS, 1600 * MS, 5000), 1000 * MS);
	ck_assert_uint_eq(schedule_start_us(1000 * MS, 1090 * MS, 50), 1000 * MS);
	ck_assert_uint_eq(schedule_start_us(1000 * MS, 900 * MS, 5000), 1000 * MS);
}
END_TEST

START_TEST(check_that_is_very_late_keeps_its_place_in_the_interval)
{
	ck_assert_uint_eq(schedule_start_us(1000 * MS, 2000 * MS, 5000), 6000 * MS);
	ck_assert_uint_eq(schedule_start_us(1000 * MS, 7000 * MS, 5000), 11000 * MS);
	/* an hour of suspension: 1,000 checks are as evenly spread afterwards as before */
	for (uint64_t i = 0; i < 1000; i++) {
		uint64_t now_us = (uint64_t)3600 * 1000 * MS + 2500 * MS;
		uint64_t start_us = schedule_start_us(i * 5 * MS, now_us, 5000);

		ck_assert_uint_gt(start_us, now_us);
		ck_assert_uint_le(start_us, now_us + 5000 * MS);
		ck_assert_uint_eq(start_us % (5000 * MS), i * 5 * MS);
	}
}
END_TEST

void add_schedule_tests(Suite *suite)
{
	suite_case(suite, "schedule",
		   first_round_of_a_small_fleet_starts_at_once_and_within_a_second,
		   first_round_of_a_large_fleet_is_spread_evenly_over_its_interval,
		   jitter_only_shortens_an_interval_and_uses_all_of_its_range,
		   check_that_is_a_little_late_starts_at_once,
		   check_that_is_very_late_keeps_its_place_in_the_interval);
}
