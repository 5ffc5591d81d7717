#include <stdio.h>
#include <stdlib.h>

#include "base/hash.h"
#include "probe/flap.h"
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

/* --- detection, with a simulated clock --------------------------------------------------------- */

static uint64_t dice;

static uint64_t throw_dice(uint64_t below)
{
	dice = hash_word(dice);
	return dice % below;
}

struct detection {
	uint32_t interval_ms, timeout_ms, fall, jitter_percent;
	uint64_t bound_ms; /* as the manual has it: interval x fall + timeout */
};

/* How long a node is dead before its check is down. It has answered for a while, each time after
 * rtt_us; from then on it is silent, or (`refuses`) its host refuses at once. */
static uint64_t detect(const struct detection *how, uint64_t dead_us, uint64_t rtt_us, bool refuses)
{
	const struct flap_rules rules = {
		.fall = how->fall, .rise = 2, .half_life_ms = 600000, .rise_max = 60
	};
	struct flap flap = { 0 };
	uint64_t due_us = throw_dice((uint64_t)how->interval_ms * MS);

	for (;;) {
		/* A probe that is on its way when the node dies is answered, or is not. */
		bool up = due_us + throw_dice(rtt_us + 1) < dead_us;
		uint64_t took_us = up || refuses ? rtt_us : (uint64_t)how->timeout_ms * MS;

		flap_step(&flap, &rules, up, due_us + took_us);
		if (flap.verdict < 0)
			return due_us + took_us - dead_us;
		due_us = schedule_next_us(due_us, how->interval_ms, how->jitter_percent,
					  throw_dice(UINT64_MAX));
	}
}

static const struct detection detections[] = {
	{ 5000, 2000, 3, 0, 17000 }, { 5000, 2000, 3, 10, 17000 }, { 5000, 2000, 3, 50, 17000 },
	{ 5000, 2000, 1, 10, 7000 }, { 1000, 1000, 3, 10, 4000 },  { 200, 200, 3, 10, 800 },
	{ 100, 100, 2, 50, 300 },    { 100, 10, 100, 10, 10010 },
};

START_TEST(dead_node_is_down_within_the_time_that_the_manual_promises)
{
	const struct detection *how = &detections[_i];
	uint64_t cycle_us = (uint64_t)how->interval_ms * MS;
	uint64_t longest_us = 0, sum_us = 0;
	const uint32_t runs = 20000;

	dice = 1 + (uint64_t)_i;
	for (uint32_t run = 0; run < runs; run++) {
		uint64_t dead_us = 20 * cycle_us + throw_dice(cycle_us);
		uint64_t rtt_us = throw_dice((uint64_t)how->timeout_ms * MS / 2);
		uint64_t took_us = detect(how, dead_us, rtt_us, run % 4 == 0);

		longest_us = took_us > longest_us ? took_us : longest_us;
		sum_us += took_us;
	}
	printf("detection, interval %u ms, timeout %u ms, fall %u, jitter %u %%: mean %.3f s, longest "
	       "%.3f s of %.3f s\n",
	       how->interval_ms, how->timeout_ms, how->fall, how->jitter_percent,
	       (double)sum_us / runs / 1e6, (double)longest_us / 1e6, (double)how->bound_ms / 1e3);
	ck_assert_uint_le(longest_us, how->bound_ms * MS);
	/* and the bound is no wider than need be */
	ck_assert_uint_ge(longest_us, (how->bound_ms - how->interval_ms) * MS * 9 / 10);
}
END_TEST

/* --- the rate of an address -------------------------------------------------------------------- */

START_TEST(address_within_its_rate_never_waits)
{
	uint64_t paced_us = 0, now_us = 1;

	for (int i = 0; i < 10; i++)
		ck_assert_uint_eq(schedule_pace_us(&paced_us, now_us), now_us);
	for (int i = 0; i < 1000; i++) { /* the same again each second, and 50 evenly */
		now_us += 20 * MS;
		ck_assert_uint_eq(schedule_pace_us(&paced_us, now_us), now_us);
	}
	now_us += 1000 * MS;
	for (int i = 0; i < 10; i++)
		ck_assert_uint_eq(schedule_pace_us(&paced_us, now_us), now_us);
	ck_assert_uint_eq(schedule_pace_us(&paced_us, now_us), now_us + 20 * MS);
	ck_assert_uint_eq(schedule_pace_us(&paced_us, now_us), now_us + 40 * MS);
}
END_TEST

START_TEST(starts_of_an_address_never_exceed_its_rate)
{
	static uint64_t starts_us[5000];
	uint64_t paced_us = 0, now_us = 1000;
	const int count = sizeof(starts_us) / sizeof(starts_us[0]);

	dice = 5;
	for (int i = 0; i < count; i++) {
		now_us += throw_dice(10) == 0 ? throw_dice(2000 * MS) : throw_dice(5 * MS);
		starts_us[i] = schedule_pace_us(&paced_us, now_us);
		ck_assert_uint_ge(starts_us[i], now_us);
		ck_assert(i == 0 || starts_us[i] >= starts_us[i - 1]);
	}
	for (int i = 0; i + 10 < count;
	     i++) /* any eleven take 20 ms at least, any sixty a second */
		ck_assert_uint_ge(starts_us[i + 10] - starts_us[i], 20 * MS);
	for (int i = 0; i + 59 < count; i++)
		ck_assert_uint_ge(starts_us[i + 59] - starts_us[i], 1000 * MS);
}
END_TEST

/* --- suspension --------------------------------------------------------------------------------- */

/* 1,000 checks each five seconds, as the engine takes their turns; the clock leaps by an hour. */
START_TEST(suspension_is_followed_by_no_more_starts_than_ever)
{
	enum { CHECKS = 1000, SLOT_MS = 100, SLOTS = 150 };
	static uint64_t due_us[CHECKS];
	static uint32_t started[SLOTS];
	const uint64_t wakes_us = (uint64_t)3600 * 1000 * MS;

	dice = 3;
	for (uint32_t c = 0; c < CHECKS; c++) {
		due_us[c] = throw_dice(5000 * MS);
		while (due_us[c] < 60000 * MS) /* it goes on for a minute, then sleeps */
			due_us[c] = schedule_next_us(due_us[c], 5000, 10, throw_dice(UINT64_MAX));
		due_us[c] = schedule_start_us(due_us[c], wakes_us, 5000);
		for (uint64_t slot; (slot = (due_us[c] - wakes_us) / (SLOT_MS * MS)) < SLOTS;) {
			started[slot]++;
			due_us[c] = schedule_next_us(due_us[c], 5000, 10, throw_dice(UINT64_MAX));
		}
	}
	for (uint32_t slot = 0; slot < SLOTS; slot++) /* 20 on average, 21 with jitter */
		ck_assert_uint_le(started[slot], 45);
}
END_TEST

void add_schedule_tests(Suite *suite)
{
	TCase *detection;

	suite_case(suite, "schedule",
		   first_round_of_a_small_fleet_starts_at_once_and_within_a_second,
		   first_round_of_a_large_fleet_is_spread_evenly_over_its_interval,
		   jitter_only_shortens_an_interval_and_uses_all_of_its_range,
		   check_that_is_a_little_late_starts_at_once,
		   check_that_is_very_late_keeps_its_place_in_the_interval,
		   address_within_its_rate_never_waits, starts_of_an_address_never_exceed_its_rate,
		   suspension_is_followed_by_no_more_starts_than_ever);
	detection = tcase_create("detection");
	tcase_add_loop_test(detection, dead_node_is_down_within_the_time_that_the_manual_promises,
			    0, sizeof(detections) / sizeof(detections[0]));
	suite_add_tcase(suite, detection);
}
