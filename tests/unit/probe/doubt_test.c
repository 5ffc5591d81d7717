#include "probe/doubt.h"

#include "tests/unit/probe/probe_test.h"

#define TARGETS 10

/* Targets of one check each, fall 3, that were up for long, and a check without an address; the clock
 * goes by one a result. */
struct fleet {
	struct doubts doubts;
	struct doubt_target targets[TARGETS];
	struct doubt_check checks[TARGETS + 1];
	struct flap flaps[TARGETS + 1];
	enum doubt_family family[TARGETS];
	uint64_t now_us;
};

#define ADDRESSLESS TARGETS

static const struct flap_rules rules = { .fall = 3, .rise = 2 };

/* So many of them have IPv4 addresses. */
static struct fleet mixed_fleet(uint32_t share_percent, uint32_t v4)
{
	struct fleet fleet = { .now_us = 1000 };

	for (uint32_t f = 0; f < DOUBT_FAMILIES; f++)
		fleet.doubts.of[f] = (struct doubt){ .share_percent = share_percent,
						     .watch = 1,
						     .targets = f == DOUBT_V4 ? v4 : TARGETS - v4 };
	for (uint32_t i = 0; i <= TARGETS; i++)
		flap_step(&fleet.flaps[i], &rules, true, 0);
	for (uint32_t i = 0; i < TARGETS; i++)
		fleet.family[i] = i < v4 ? DOUBT_V4 : DOUBT_V6;
	return fleet;
}

static struct fleet new_fleet(uint32_t share_percent)
{
	return mixed_fleet(share_percent, TARGETS);
}

static bool counts(struct fleet *fleet, int i, bool success)
{
	if (i == ADDRESSLESS)
		return doubts_see(&fleet->doubts, &fleet->checks[i], &fleet->flaps[i], success,
				  fleet->now_us);
	return doubt_sees(&fleet->doubts.of[fleet->family[i]], &fleet->targets[i],
			  &fleet->checks[i], &fleet->flaps[i], success, fleet->now_us);
}

static bool is_held(struct fleet *fleet, int i)
{
	if (i == ADDRESSLESS)
		return doubts_hold(&fleet->doubts, &fleet->checks[i], &fleet->flaps[i]);
	return doubt_holds(&fleet->doubts.of[fleet->family[i]], &fleet->checks[i],
			   &fleet->flaps[i]);
}

/* As the engine does it. */
static void result(struct fleet *fleet, int i, bool success)
{
	struct flap next = fleet->flaps[i];

	fleet->now_us++;
	if (!counts(fleet, i, success))
		return;
	flap_step(&next, &rules, success, fleet->now_us);
	if (fleet->flaps[i].verdict >= 0 && next.verdict < 0 && is_held(fleet, i))
		return;
	fleet->flaps[i] = next;
}

static void results(struct fleet *fleet, int first, int count, bool success)
{
	for (int i = first; i < first + count; i++)
		result(fleet, i, success);
}

static int count_up(const struct fleet *fleet)
{
	int up = 0;

	for (int i = 0; i < TARGETS; i++)
		up += fleet->flaps[i].verdict > 0;
	return up;
}

START_TEST(without_references_nothing_is_held)
{
	struct fleet fleet = new_fleet(0);

	for (int round = 0; round < 3; round++)
		results(&fleet, 0, TARGETS, false);
	ck_assert_int_eq(count_up(&fleet), 0);
	ck_assert(!fleet.doubts.of[DOUBT_V4].wanted);
}
END_TEST

START_TEST(two_that_fail_are_no_reason_to_doubt)
{
	struct fleet fleet = new_fleet(50);

	for (int round = 0; round < 2; round++)
		results(&fleet, 0, 2, false);
	ck_assert(!fleet.doubts.of[DOUBT_V4].wanted);
	results(&fleet, 0, 2, false);
	ck_assert_int_eq(count_up(&fleet), TARGETS - 2);
}
END_TEST

START_TEST(references_are_asked_at_the_third_failure_long_before_a_verdict)
{
	struct fleet fleet = new_fleet(50);

	results(&fleet, 0, 2, false);
	ck_assert(!fleet.doubts.of[DOUBT_V4].wanted);
	results(&fleet, 2, 1, false);
	ck_assert(fleet.doubts.of[DOUBT_V4].wanted);
	ck_assert_int_eq(doubts_tested(&fleet.doubts, DOUBT_V4, fleet.now_us + 1, true),
			 DOUBT_CLEARED);
	for (int round = 0; round < 2; round++) /* they answer: the verdict comes as ever */
		results(&fleet, 0, 3, false);
	ck_assert_int_eq(count_up(&fleet), TARGETS - 3);
}
END_TEST

START_TEST(verdict_waits_for_references_that_have_not_answered_yet)
{
	struct fleet fleet = new_fleet(50);

	for (int round = 0; round < 5; round++)
		results(&fleet, 0, 4, false);
	ck_assert_int_eq(count_up(&fleet), TARGETS);
	ck_assert(fleet.checks[0].held);
	ck_assert_int_eq(fleet.flaps[0].verdict, 1);
	/* a test that began before the first failure proves nothing of it */
	ck_assert_int_eq(doubts_tested(&fleet.doubts, DOUBT_V4, fleet.checks[0].since_us - 1, true),
			 DOUBT_CLEARED);
	result(&fleet, 0, false);
	ck_assert_int_eq(count_up(&fleet), TARGETS);
	ck_assert(fleet.doubts.of[DOUBT_V4].wanted);
	ck_assert_int_eq(doubts_tested(&fleet.doubts, DOUBT_V4, fleet.now_us, true), DOUBT_CLEARED);
	results(&fleet, 0, 4, false);
	ck_assert_int_eq(count_up(&fleet), TARGETS - 4);
}
END_TEST

static void freeze_family(struct fleet *fleet, enum doubt_family family)
{
	ck_assert_int_eq(doubts_tested(&fleet->doubts, family, fleet->now_us, false), DOUBT_FROZEN);
	for (int i = 0; i < TARGETS; i++) {
		if (fleet->family[i] == family)
			(void)doubt_restore(fleet->doubts.of[family].clears, &fleet->checks[i],
					    &fleet->flaps[i]);
	}
	doubt_restart(&fleet->doubts.of[family]);
	if (!doubts_frozen(&fleet->doubts))
		return;
	(void)doubt_restore(fleet->doubts.clears, &fleet->checks[ADDRESSLESS],
			    &fleet->flaps[ADDRESSLESS]);
}

static void freeze(struct fleet *fleet)
{
	freeze_family(fleet, DOUBT_V4);
}

START_TEST(when_references_fail_too_statuses_are_frozen_and_counts_are_as_before)
{
	struct fleet fleet = new_fleet(50);

	result(&fleet, 9, false); /* this one had a failure of its own before */
	(void)doubts_tested(&fleet.doubts, DOUBT_V4, fleet.now_us, true);
	for (int round = 0; round < 2; round++)
		results(&fleet, 0, TARGETS, false);
	freeze(&fleet);
	for (int round = 0; round < 10; round++)
		results(&fleet, 0, TARGETS, false);
	ck_assert_int_eq(doubts_tested(&fleet.doubts, DOUBT_V4, fleet.now_us, false), DOUBT_SAME);
	ck_assert(fleet.doubts.of[DOUBT_V4].wanted); /* and again */
	ck_assert_int_eq(count_up(&fleet), TARGETS);
	ck_assert_int_eq(fleet.flaps[0].verdict, 3);
	ck_assert_int_eq(fleet.flaps[9].verdict, 2);
	ck_assert_int_eq(doubts_tested(&fleet.doubts, DOUBT_V4, fleet.now_us, true), DOUBT_THAWED);
	for (int round = 0; round < 2; round++)
		results(&fleet, 8, 2, false);
	ck_assert_int_gt(fleet.flaps[8].verdict, 0); /* three, from here on */
	ck_assert_int_lt(fleet.flaps[9].verdict, 0);
}
END_TEST

START_TEST(who_came_up_since_the_last_test_is_up_when_all_is_frozen)
{
	struct fleet fleet = new_fleet(50);

	fleet.flaps[0] = (struct flap){ .verdict = -2, .plain = -2 };
	result(&fleet, 0, false);
	results(&fleet, 0, 1, true);
	results(&fleet, 0, 1, true);
	ck_assert_int_eq(fleet.flaps[0].verdict, 3);
	for (int round = 0; round < 3; round++)
		results(&fleet, 0, TARGETS, false);
	freeze(&fleet);
	ck_assert_int_eq(fleet.flaps[0].verdict, 3);
}
END_TEST

START_TEST(who_went_down_alone_stays_down_when_all_is_frozen)
{
	struct fleet fleet = new_fleet(50);

	for (int round = 0; round < 3; round++)
		results(&fleet, 0, 1, false);
	ck_assert_int_lt(fleet.flaps[0].verdict, 0);
	ck_assert(fleet.doubts.of[DOUBT_V4].wanted); /* to make sure of it */
	(void)doubts_tested(&fleet.doubts, DOUBT_V4, fleet.now_us, true);
	for (int round = 0; round < 3; round++)
		results(&fleet, 0, TARGETS, false);
	freeze(&fleet);
	ck_assert_int_lt(fleet.flaps[0].verdict, 0);
	ck_assert_int_eq(count_up(&fleet), TARGETS - 1);
}
END_TEST

START_TEST(who_went_down_at_once_is_up_again_when_all_is_frozen)
{
	struct fleet fleet = new_fleet(50);

	for (int round = 0; round < 3; round++)
		results(&fleet, 0, 2, false);
	ck_assert_int_eq(count_up(&fleet), TARGETS - 2);
	ck_assert_int_eq(doubts_tested(&fleet.doubts, DOUBT_V4, fleet.now_us, false), DOUBT_SAME);
	for (int round = 0; round < 3; round++)
		results(&fleet, 2, TARGETS - 2, false);
	results(&fleet, 0, 2, false);
	freeze(&fleet);
	ck_assert_int_eq(count_up(&fleet), TARGETS);
}
END_TEST

START_TEST(who_was_down_stays_down_and_is_no_target_of_the_share)
{
	struct fleet fleet = new_fleet(60);

	for (int i = 0; i < 5; i++)
		fleet.flaps[i] = (struct flap){ .verdict = -2, .plain = -2 };
	results(&fleet, 0, 5, false);
	ck_assert_uint_eq(fleet.doubts.of[DOUBT_V4].failing, 0);
	results(&fleet, 5, 3, false); /* three of five, and not three of ten */
	results(&fleet, 8, 2, true);
	ck_assert_uint_eq(fleet.doubts.of[DOUBT_V4].failing, 3);
	ck_assert_uint_eq(fleet.doubts.of[DOUBT_V4].fine, 2);
	freeze(&fleet);
	ck_assert_int_eq(count_up(&fleet), 5);
}
END_TEST

START_TEST(when_only_few_fail_dead_references_do_not_keep_them_up)
{
	struct fleet fleet = new_fleet(50);

	for (int round = 0; round < 4; round++) {
		results(&fleet, 0, 3, false);
		results(&fleet, 3, 7, true);
	}
	ck_assert_int_eq(count_up(&fleet), TARGETS);
	ck_assert_int_eq(doubts_tested(&fleet.doubts, DOUBT_V4, fleet.now_us, false), DOUBT_SAME);
	ck_assert(fleet.doubts.of[DOUBT_V4].wanted); /* once more, with what comes in from now on */
	results(&fleet, 0, 3, false);
	results(&fleet, 3, 7, true);
	ck_assert_int_eq(count_up(&fleet), TARGETS);
	ck_assert_int_eq(doubts_tested(&fleet.doubts, DOUBT_V4, fleet.now_us, false),
			 DOUBT_CLEARED);
	results(&fleet, 0, 3, false);
	ck_assert_int_eq(count_up(&fleet), TARGETS - 3);
}
END_TEST

START_TEST(few_that_are_probed_often_are_not_lost_among_many_that_are_not)
{
	struct fleet fleet = new_fleet(50);

	results(&fleet, 3, 7, true); /* in better times, before the link is cut */
	for (int round = 0; round < 3; round++)
		results(&fleet, 0, 3, false);
	ck_assert_int_eq(doubts_tested(&fleet.doubts, DOUBT_V4, fleet.now_us, false), DOUBT_SAME);
	results(&fleet, 0, 3, false);
	ck_assert_int_eq(count_up(&fleet), TARGETS);
	freeze(&fleet);
	ck_assert_int_eq(count_up(&fleet), TARGETS);
}
END_TEST

START_TEST(references_that_stay_silent_for_ever_give_no_node_eternal_life)
{
	struct fleet fleet = new_fleet(50);

	for (int round = 0; round < 4; round++)
		results(&fleet, 0, 3, false);
	freeze(&fleet);
	for (int round = 0; round < 3; round++) { /* seven answer again, the references do not */
		results(&fleet, 0, 3, false);
		results(&fleet, 3, 7, true);
	}
	ck_assert_int_eq(doubts_tested(&fleet.doubts, DOUBT_V4, fleet.now_us, false), DOUBT_THAWED);
	for (int i = 0; i < 8; i++) {
		results(&fleet, 0, 3, false);
		results(&fleet, 3, 7, true);
		(void)doubts_tested(&fleet.doubts, DOUBT_V4, fleet.now_us, false);
	}
	ck_assert_int_eq(count_up(&fleet), TARGETS - 3);
}
END_TEST

START_TEST(family_that_fails_alone_is_frozen_alone)
{
	struct fleet fleet = mixed_fleet(50, 5);

	for (int round = 0; round < 4; round++) {
		results(&fleet, 1, 4, true);
		results(&fleet, 5, 5, false);
	}
	ck_assert_int_eq(count_up(&fleet), TARGETS);
	/* that an IPv4 reference answers says nothing of IPv6 */
	(void)doubts_tested(&fleet.doubts, DOUBT_V4, fleet.now_us, true);
	results(&fleet, 5, 5, false);
	ck_assert_int_eq(count_up(&fleet), TARGETS);
	freeze_family(&fleet, DOUBT_V6);
	for (int round = 0; round < 5; round++) {
		results(&fleet, 0, 1, false);
		results(&fleet, 1, 4, true);
		results(&fleet, 5, 5, false);
	}
	ck_assert_int_lt(fleet.flaps[0].verdict, 0);
	ck_assert_int_eq(count_up(&fleet), TARGETS - 1);
	ck_assert_int_eq(doubts_tested(&fleet.doubts, DOUBT_V6, fleet.now_us, true), DOUBT_THAWED);
	ck_assert_int_eq(fleet.flaps[9].verdict, 3);
	for (int round = 0; round < 3; round++)
		results(&fleet, 9, 1, false);
	ck_assert_int_lt(fleet.flaps[9].verdict, 0);
}
END_TEST

START_TEST(share_is_that_of_a_family_and_few_are_enough_where_there_are_no_more)
{
	struct fleet fleet = mixed_fleet(100, 8);

	for (int round = 0; round < 2; round++) {
		results(&fleet, 0, 8, true);
		results(&fleet, 8, 1, false); /* one of two is none */
	}
	ck_assert(!fleet.doubts.of[DOUBT_V6].wanted);
	results(&fleet, 8, 1, false);
	ck_assert_int_eq(count_up(&fleet), TARGETS - 1);
	fleet = mixed_fleet(100, 8);
	for (int round = 0; round < 4; round++) {
		results(&fleet, 0, 8, true);
		results(&fleet, 8, 2, false);
	}
	ck_assert(fleet.doubts.of[DOUBT_V6].wanted);
	freeze_family(&fleet, DOUBT_V6);
	ck_assert(!fleet.doubts.of[DOUBT_V4].frozen);
	ck_assert_int_eq(count_up(&fleet), TARGETS);
	results(&fleet, 8, 2, true); /* most targets answer: it goes on without references */
	ck_assert_int_eq(doubts_tested(&fleet.doubts, DOUBT_V6, fleet.now_us, false), DOUBT_THAWED);
}
END_TEST

START_TEST(check_without_an_address_goes_on_as_long_as_a_family_is_well)
{
	struct fleet fleet = mixed_fleet(50, 5);

	for (int round = 0; round < 4; round++) {
		results(&fleet, 0, 5, true);
		results(&fleet, 5, 6, false);
	}
	ck_assert(fleet.checks[ADDRESSLESS].held); /* IPv6 is in doubt */
	ck_assert_int_gt(fleet.flaps[ADDRESSLESS].verdict, 0);
	freeze_family(&fleet, DOUBT_V6);
	result(&fleet, ADDRESSLESS, false);
	ck_assert_int_lt(fleet.flaps[ADDRESSLESS].verdict, 0); /* IPv4 is not */
	results(&fleet, ADDRESSLESS, 1, true);
	results(&fleet, ADDRESSLESS, 1, true);
	ck_assert_int_gt(fleet.flaps[ADDRESSLESS].verdict, 0);
}
END_TEST

START_TEST(check_without_an_address_is_frozen_where_all_families_are)
{
	struct fleet fleet = mixed_fleet(50, 5);

	for (int round = 0; round < 3; round++)
		results(&fleet, 0, TARGETS + 1, false);
	ck_assert_int_gt(fleet.flaps[ADDRESSLESS].verdict, 0);
	freeze_family(&fleet, DOUBT_V6);
	ck_assert(!doubts_frozen(&fleet.doubts));
	freeze_family(&fleet, DOUBT_V4);
	ck_assert(doubts_frozen(&fleet.doubts));
	ck_assert_int_eq(fleet.flaps[ADDRESSLESS].verdict, 3);
	for (int round = 0; round < 5; round++)
		result(&fleet, ADDRESSLESS, false);
	ck_assert_int_eq(fleet.flaps[ADDRESSLESS].verdict, 3);
	ck_assert_int_eq(doubts_tested(&fleet.doubts, DOUBT_V4, fleet.now_us, true), DOUBT_THAWED);
	for (int round = 0; round < 3; round++)
		result(&fleet, ADDRESSLESS, false);
	ck_assert_int_lt(fleet.flaps[ADDRESSLESS].verdict, 0);
}
END_TEST

START_TEST(family_that_is_not_in_use_keeps_nothing_from_being_frozen)
{
	struct fleet fleet = new_fleet(50);

	for (int round = 0; round < 2; round++)
		results(&fleet, 0, TARGETS + 1, false);
	freeze(&fleet);
	ck_assert(doubts_frozen(&fleet.doubts));
	ck_assert_int_eq(fleet.flaps[ADDRESSLESS].verdict, 3);
}
END_TEST

START_TEST(first_verdict_of_all_waits_for_references_too)
{
	struct fleet fleet = new_fleet(50);

	fleet.flaps[0] = fleet.flaps[ADDRESSLESS] = (struct flap){ 0 };
	fleet.doubts.of[DOUBT_V4].cleared_us = fleet.now_us; /* before the first result */
	result(&fleet, 0, false);
	result(&fleet, ADDRESSLESS, false);
	ck_assert_int_eq(fleet.flaps[0].verdict, 0);
	ck_assert_int_eq(fleet.flaps[ADDRESSLESS].verdict, 0);
	ck_assert(fleet.doubts.of[DOUBT_V4].wanted);
	ck_assert_int_eq(doubts_tested(&fleet.doubts, DOUBT_V4, fleet.now_us, true), DOUBT_CLEARED);
	result(&fleet, 0, false);
	result(&fleet, ADDRESSLESS, false);
	ck_assert_int_lt(fleet.flaps[0].verdict, 0);
	ck_assert_int_lt(fleet.flaps[ADDRESSLESS].verdict, 0);
}
END_TEST

START_TEST(first_verdicts_wait_no_longer_for_dead_references_than_others)
{
	struct fleet fleet = new_fleet(50);
	int tests = 0;

	for (int i = 0; i < TARGETS; i++)
		fleet.flaps[i] = (struct flap){ 0 };
	for (; fleet.flaps[0].verdict == 0 && tests < 20; tests++) {
		results(&fleet, 0, 1, false);
		results(&fleet, 1, 9, true);
		(void)doubts_tested(&fleet.doubts, DOUBT_V4, fleet.now_us, false);
	}
	ck_assert_int_lt(fleet.flaps[0].verdict, 0);
	ck_assert_int_le(tests, 3);
	ck_assert_int_eq(count_up(&fleet), TARGETS - 1);
}
END_TEST

void add_doubt_tests(Suite *suite)
{
	suite_case(suite, "doubt", without_references_nothing_is_held,
		   two_that_fail_are_no_reason_to_doubt,
		   references_are_asked_at_the_third_failure_long_before_a_verdict,
		   verdict_waits_for_references_that_have_not_answered_yet,
		   when_references_fail_too_statuses_are_frozen_and_counts_are_as_before,
		   who_came_up_since_the_last_test_is_up_when_all_is_frozen,
		   who_went_down_alone_stays_down_when_all_is_frozen,
		   who_went_down_at_once_is_up_again_when_all_is_frozen,
		   who_was_down_stays_down_and_is_no_target_of_the_share,
		   when_only_few_fail_dead_references_do_not_keep_them_up,
		   few_that_are_probed_often_are_not_lost_among_many_that_are_not,
		   references_that_stay_silent_for_ever_give_no_node_eternal_life,
		   family_that_fails_alone_is_frozen_alone,
		   share_is_that_of_a_family_and_few_are_enough_where_there_are_no_more,
		   check_without_an_address_goes_on_as_long_as_a_family_is_well,
		   check_without_an_address_is_frozen_where_all_families_are,
		   family_that_is_not_in_use_keeps_nothing_from_being_frozen,
		   first_verdict_of_all_waits_for_references_too,
		   first_verdicts_wait_no_longer_for_dead_references_than_others);
}
