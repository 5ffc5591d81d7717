#include "probe/doubt.h"

#include <stdio.h>
#include <unistd.h>

#include "base/clock.h"
#include "tests/unit/probe/lab.h"
#include "tests/unit/probe/probe_test.h"

#define TARGETS 10

/* Targets of one check each, fall 3, that were up for long; the clock goes by one a result. */
struct fleet {
	struct doubt doubt;
	struct doubt_target targets[TARGETS];
	struct doubt_check checks[TARGETS];
	struct flap flaps[TARGETS];
	uint64_t now_us;
};

static const struct flap_rules rules = { .fall = 3, .rise = 2 };

static struct fleet new_fleet(uint32_t share_percent)
{
	struct fleet fleet = { .doubt = { .share_percent = share_percent, .watch = 1 },
			       .now_us = 1000 };

	for (int i = 0; i < TARGETS; i++)
		flap_step(&fleet.flaps[i], &rules, true, 0);
	return fleet;
}

/* As the engine does it. */
static void result(struct fleet *fleet, int i, bool success)
{
	struct flap next = fleet->flaps[i];

	fleet->now_us++;
	if (!doubt_sees(&fleet->doubt, &fleet->targets[i], &fleet->checks[i], &fleet->flaps[i],
			success, fleet->now_us))
		return;
	flap_step(&next, &rules, success, fleet->now_us);
	if (fleet->flaps[i].verdict > 0 && next.verdict < 0 &&
	    doubt_holds(&fleet->doubt, &fleet->checks[i]))
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
	ck_assert(!fleet.doubt.wanted);
}
END_TEST

START_TEST(two_that_fail_are_no_reason_to_doubt)
{
	struct fleet fleet = new_fleet(50);

	for (int round = 0; round < 3; round++)
		results(&fleet, 0, 2, false);
	ck_assert_int_eq(count_up(&fleet), TARGETS - 2);
	ck_assert(!fleet.doubt.wanted);
}
END_TEST

START_TEST(references_are_asked_at_the_third_failure_long_before_a_verdict)
{
	struct fleet fleet = new_fleet(50);

	results(&fleet, 0, 2, false);
	ck_assert(!fleet.doubt.wanted);
	results(&fleet, 2, 1, false);
	ck_assert(fleet.doubt.wanted);
	ck_assert_int_eq(doubt_tested(&fleet.doubt, fleet.now_us + 1, true), DOUBT_CLEARED);
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
	ck_assert_int_eq(doubt_tested(&fleet.doubt, fleet.checks[0].since_us - 1, true),
			 DOUBT_CLEARED);
	result(&fleet, 0, false);
	ck_assert_int_eq(count_up(&fleet), TARGETS);
	ck_assert(fleet.doubt.wanted);
	ck_assert_int_eq(doubt_tested(&fleet.doubt, fleet.now_us, true), DOUBT_CLEARED);
	results(&fleet, 0, 4, false);
	ck_assert_int_eq(count_up(&fleet), TARGETS - 4);
}
END_TEST

static void freeze(struct fleet *fleet)
{
	ck_assert_int_eq(doubt_tested(&fleet->doubt, fleet->now_us, false), DOUBT_FROZEN);
	for (int i = 0; i < TARGETS; i++)
		(void)doubt_restore(&fleet->doubt, &fleet->checks[i], &fleet->flaps[i]);
	doubt_restart(&fleet->doubt);
}

START_TEST(when_references_fail_too_statuses_are_frozen_and_counts_are_as_before)
{
	struct fleet fleet = new_fleet(50);

	result(&fleet, 9, false); /* this one had a failure of its own before */
	(void)doubt_tested(&fleet.doubt, fleet.now_us, true);
	for (int round = 0; round < 2; round++)
		results(&fleet, 0, TARGETS, false);
	freeze(&fleet);
	for (int round = 0; round < 10; round++)
		results(&fleet, 0, TARGETS, false);
	ck_assert_int_eq(doubt_tested(&fleet.doubt, fleet.now_us, false), DOUBT_SAME);
	ck_assert(fleet.doubt.wanted); /* and again */
	ck_assert_int_eq(count_up(&fleet), TARGETS);
	ck_assert_int_eq(fleet.flaps[0].verdict, 3);
	ck_assert_int_eq(fleet.flaps[9].verdict, 2);
	ck_assert_int_eq(doubt_tested(&fleet.doubt, fleet.now_us, true), DOUBT_THAWED);
	for (int round = 0; round < 2; round++)
		results(&fleet, 8, 2, false);
	ck_assert_int_gt(fleet.flaps[8].verdict, 0); /* three, from here on */
	ck_assert_int_lt(fleet.flaps[9].verdict, 0);
}
END_TEST

START_TEST(who_was_down_stays_down_and_is_no_target_of_the_share)
{
	struct fleet fleet = new_fleet(60);

	for (int i = 0; i < 5; i++)
		fleet.flaps[i] = (struct flap){ .verdict = -2, .plain = -2 };
	results(&fleet, 0, 5, false);
	ck_assert_uint_eq(fleet.doubt.failing, 0);
	results(&fleet, 5, 3, false); /* three of five, and not three of ten */
	results(&fleet, 8, 2, true);
	ck_assert_uint_eq(fleet.doubt.failing, 3);
	ck_assert_uint_eq(fleet.doubt.fine, 2);
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
	ck_assert_int_eq(doubt_tested(&fleet.doubt, fleet.now_us, false), DOUBT_SAME);
	ck_assert(fleet.doubt.wanted); /* once more, with what comes in from now on */
	results(&fleet, 0, 3, false);
	results(&fleet, 3, 7, true);
	ck_assert_int_eq(count_up(&fleet), TARGETS);
	ck_assert_int_eq(doubt_tested(&fleet.doubt, fleet.now_us, false), DOUBT_CLEARED);
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
	ck_assert_int_eq(doubt_tested(&fleet.doubt, fleet.now_us, false), DOUBT_SAME);
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
	ck_assert_int_eq(doubt_tested(&fleet.doubt, fleet.now_us, false), DOUBT_THAWED);
	for (int i = 0; i < 8; i++) {
		results(&fleet, 0, 3, false);
		results(&fleet, 3, 7, true);
		(void)doubt_tested(&fleet.doubt, fleet.now_us, false);
	}
	ck_assert_int_eq(count_up(&fleet), TARGETS - 3);
}
END_TEST

/* --- with a prober ------------------------------------------------------------------------------ */

#define PORT      20194
#define REFERENCE "127.93.12.100"

/* Not so often that a process which was held up makes up for it with some at once: then two nodes
 * could be down before the others have failed at all. */
#define QUICK                                                                                 \
	{                                                                                     \
		.kind = PROBE_TCP, .interval_ms = 200, .timeout_ms = 50, .fall = 3, .rise = 2 \
	}

static const struct sketch_node four[] = {
	{ "edge", "a", { { "127.93.12.1", QUICK, PORT } } },
	{ "edge", "b", { { "127.93.12.2", QUICK, PORT } } },
	{ "edge", "c", { { "127.93.12.3", QUICK, PORT } } },
	{ "edge", "d", { { "127.93.12.4", QUICK, PORT } } },
};

static void open_four(struct lab *lab, int listeners[4])
{
	for (int i = 0; i < 4; i++)
		listeners[i] = listen_on(four[i].checks[0].address, PORT, 256);
	lab_open(lab, -1, -1);
	ck_assert(ip_parse(REFERENCE, &lab->reference.address));
	lab->reference.port = PORT;
	lab_apply(lab, four, 4, NULL);
	for (uint32_t i = 0; i < 4; i++)
		ck_assert(lab_reaches(lab, i, NODE_UP));
	lab->change_count = 0;
}

static void close_all(int listeners[4])
{
	for (int i = 0; i < 4; i++)
		(void)close(listeners[i]);
}

START_TEST(nodes_go_down_as_fast_as_ever_when_a_reference_answers)
{
	int listeners[4], reference = listen_on(REFERENCE, PORT, 256);
	uint64_t began_ms;
	struct lab lab;

	open_four(&lab, listeners);
	close_all(listeners);
	began_ms = clock_mono_ms();
	for (uint32_t i = 0; i < 4; i++)
		ck_assert(lab_reaches(&lab, i, NODE_DOWN));
	printf("four nodes are down after %llu ms of 600\n",
	       (unsigned long long)(clock_mono_ms() - began_ms));
	ck_assert_uint_eq(prober_doubt(lab.prober).frozen_unix_ms, 0);
	ck_assert(!prober_doubt(lab.prober).silent);
	lab_close(&lab);
	(void)close(reference);
}
END_TEST

START_TEST(nodes_stay_up_while_no_reference_answers_and_all_goes_on_by_itself)
{
	int listeners[4], reference = listen_on(REFERENCE, PORT, 256);
	struct prober_doubt doubt;
	uint64_t until_ms;
	struct lab lab;

	open_four(&lab, listeners);
	close_all(listeners);
	(void)close(reference);
	until_ms = clock_mono_ms() + 10000;
	while (prober_doubt(lab.prober).frozen_unix_ms == 0 && clock_mono_ms() < until_ms)
		lab_run_ms(&lab, 5);
	doubt = prober_doubt(lab.prober);
	ck_assert_uint_ne(doubt.frozen_unix_ms, 0);
	ck_assert(doubt.silent);
	ck_assert_uint_ge(doubt.failing, 3);
	ck_assert(lab_has_results(&lab, 0, 5) && lab_has_results(&lab, 3, 1));
	ck_assert_int_eq(lab.change_count, 0);
	ck_assert_uint_eq(prober_state(lab.prober, 0)->verdict_within_ms, 0);
	reference = listen_on(REFERENCE, PORT, 256); /* it is the nodes, after all */
	ck_assert(lab_reaches(&lab, 0, NODE_DOWN) && lab_reaches(&lab, 3, NODE_DOWN));
	ck_assert_uint_eq(prober_doubt(lab.prober).frozen_unix_ms, 0);
	lab_close(&lab);
	(void)close(reference);
}
END_TEST

void add_doubt_tests(Suite *suite)
{
	suite_case(suite, "doubt", without_references_nothing_is_held,
		   two_that_fail_are_no_reason_to_doubt,
		   references_are_asked_at_the_third_failure_long_before_a_verdict,
		   verdict_waits_for_references_that_have_not_answered_yet,
		   when_references_fail_too_statuses_are_frozen_and_counts_are_as_before,
		   who_was_down_stays_down_and_is_no_target_of_the_share,
		   when_only_few_fail_dead_references_do_not_keep_them_up,
		   few_that_are_probed_often_are_not_lost_among_many_that_are_not,
		   references_that_stay_silent_for_ever_give_no_node_eternal_life,
		   nodes_go_down_as_fast_as_ever_when_a_reference_answers,
		   nodes_stay_up_while_no_reference_answers_and_all_goes_on_by_itself);
}
