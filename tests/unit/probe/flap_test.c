#include "probe/flap.h"

#include <stdio.h>

#include "base/hash.h"
#include "probe/schedule.h"
#include "tests/unit/probe/probe_test.h"

#define S         1000000U
#define HALF_LIFE 600000 /* ten minutes */
#define MAX_HOLD  300    /* seconds: the defaults */

static const struct flap_rules rules = {
	.fall = 3, .rise = 2, .half_life_ms = HALF_LIFE, .rise_max = 60
};

static void step(struct flap *flap, bool success, uint64_t now_us, int count)
{
	for (int i = 0; i < count; i++)
		flap_step(flap, &rules, success, now_us);
}

/* Down and, as the plain counts have it, up again. */
static void go_down(struct flap *flap, uint64_t now_us)
{
	step(flap, true, now_us, 64);
	step(flap, false, now_us, 3);
}

START_TEST(who_goes_down_now_and_then_waits_no_longer)
{
	struct flap flap = { 0 };

	for (uint64_t hour = 0; hour < 24; hour++) {
		go_down(&flap, hour * 3600 * S);
		ck_assert_uint_eq(flap_rise(&flap, &rules, hour * 3600 * S), 2);
		ck_assert_int_eq(flap.verdict, -2);
	}
}
END_TEST

START_TEST(each_time_within_a_half_life_doubles_the_wait_up_to_its_bound)
{
	static const uint32_t expected[] = { 2, 4, 8, 16, 32, 60, 60, 60, 60 };
	struct flap flap = { 0 };

	for (uint32_t i = 0; i < sizeof(expected) / sizeof(expected[0]); i++) {
		go_down(&flap, i * S);
		ck_assert_uint_eq(flap_rise(&flap, &rules, i * S), expected[i]);
		ck_assert_int_eq(flap.verdict, -(int32_t)expected[i]);
	}
}
END_TEST

START_TEST(penalty_goes_away_by_half_in_a_half_life)
{
	struct flap flap = { 0 };

	for (int i = 0; i < 4; i++)
		go_down(&flap, 0);
	ck_assert(flap.penalty == 4.);
	ck_assert_uint_eq(flap_rise(&flap, &rules, 0), 16);
	ck_assert_uint_eq(flap_rise(&flap, &rules, 600 * S), 4); /* 2 */
	ck_assert_uint_eq(flap_rise(&flap, &rules, 1200 * S), 2);
	step(&flap, true, 600 * S, 3);
	ck_assert_int_lt(flap.verdict, 0 + 4);
	ck_assert_int_lt(flap.verdict, 0);
	step(&flap, true, 600 * S, 1); /* the fourth: sixteen are not asked for any more */
	ck_assert_int_eq(flap.verdict, 3);
	for (int i = 0; i < 1000; i++)
		go_down(&flap, 600 * S);
	/* after whatever went before: an hour later it is as any other */
	ck_assert_uint_eq(flap_rise(&flap, &rules, 600 * S), 60);
	ck_assert_uint_eq(flap_rise(&flap, &rules, 4200 * S), 2);
}
END_TEST

START_TEST(who_is_kept_down_and_alternates_keeps_its_penalty)
{
	struct flap flap = { 0 };
	uint64_t now_us = 0;

	for (int i = 0; i < 600; i++, now_us += 6 * S) { /* an hour of 3 s up, 3 s down */
		step(&flap, true, now_us, 3);
		step(&flap, false, now_us, 3);
	}
	ck_assert_uint_eq(flap_rise(&flap, &rules, now_us), 60);
	ck_assert_int_lt(flap.verdict, 0);
}
END_TEST

START_TEST(without_a_half_life_there_is_no_penalty)
{
	const struct flap_rules none = { .fall = 3, .rise = 2, .rise_max = 60 };
	struct flap flap = { 0 };

	for (int i = 0; i < 100; i++) {
		flap_step(&flap, &none, true, 0);
		flap_step(&flap, &none, true, 0);
		ck_assert_int_eq(flap.verdict, 3);
		for (int n = 0; n < 3; n++)
			flap_step(&flap, &none, false, 0);
		ck_assert_int_eq(flap.verdict, -2);
	}
}
END_TEST

/* --- a node that alternates every 3 s for 10 minutes -------------------------------------------- */

struct world {
	uint32_t interval_ms, jitter;
	struct flap_rules rules;
	uint64_t random;
};

/* Times that its verdict changed, and when it was up again for good after it had ended. */
static int simulate(struct world *world, uint64_t phase_us, uint64_t *back_us)
{
	const uint64_t end_us = 600 * (uint64_t)S;
	struct flap flap = { 0 };
	int changes = 0;
	uint64_t at_us = phase_us;

	*back_us = 0;
	while (at_us < end_us || flap.verdict < 0) {
		bool up = at_us >= end_us || at_us / (3 * S) % 2 == 0;
		int32_t before = flap.verdict;

		flap_step(&flap, &world->rules, up, at_us);
		changes += before != 0 && (before > 0) != (flap.verdict > 0);
		if (before < 0 && flap.verdict > 0 && at_us > end_us)
			*back_us = at_us - end_us;
		world->random = hash_word(world->random);
		at_us = schedule_next_us(at_us, world->interval_ms, world->jitter, world->random);
	}
	return changes;
}

/* What the manual says (signpost-probe(5), HEALTH). The last way up, after the end, is counted. */
#define CHANGES_MAX 14

static const uint32_t intervals_ms[] = { 100, 200, 300, 500, 700, 1000, 1500, 2000, 3000, 5000 };

START_TEST(node_that_alternates_changes_answers_a_bounded_number_of_times)
{
	uint32_t interval_ms = intervals_ms[_i];
	struct world world = { .interval_ms = interval_ms,
			       .rules = rules,
			       .random = hash_word(interval_ms) };
	uint64_t latest_us = 0;
	int most = 0, plain = 0;

	for (uint32_t run = 0; run < 400; run++) {
		uint64_t back_us;
		int changes;

		world.jitter = run % 3 * 10;
		world.rules = rules;
		world.rules.rise_max = MAX_HOLD * 1000 / interval_ms;
		changes = simulate(&world, run % 40 * 6 * S / 40, &back_us);
		most = changes > most ? changes : most;
		latest_us = back_us > latest_us ? back_us : latest_us;
		world.rules.half_life_ms = 0;
		changes = simulate(&world, run % 40 * 6 * S / 40, &back_us);
		plain = changes > plain ? changes : plain;
	}
	printf("alternating, interval %5u ms: at most %d changes (%d without a penalty), back within "
	       "%.0f s\n",
	       interval_ms, most, plain, (double)latest_us / S);
	ck_assert_int_le(most, CHANGES_MAX);
	ck_assert_uint_le(latest_us, (MAX_HOLD + 2ULL * interval_ms / 1000 + 5) * S);
}
END_TEST

void add_flap_tests(Suite *suite)
{
	TCase *flap = tcase_create("flap");

	tcase_add_test(flap, who_goes_down_now_and_then_waits_no_longer);
	tcase_add_test(flap, each_time_within_a_half_life_doubles_the_wait_up_to_its_bound);
	tcase_add_test(flap, penalty_goes_away_by_half_in_a_half_life);
	tcase_add_test(flap, who_is_kept_down_and_alternates_keeps_its_penalty);
	tcase_add_test(flap, without_a_half_life_there_is_no_penalty);
	tcase_add_loop_test(flap, node_that_alternates_changes_answers_a_bounded_number_of_times, 0,
			    sizeof(intervals_ms) / sizeof(intervals_ms[0]));
	suite_add_tcase(suite, flap);
}
