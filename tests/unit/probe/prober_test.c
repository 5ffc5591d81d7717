#include <stdio.h>
#include <unistd.h>

#include "base/clock.h"
#include "probe/once.h"
#include "probe/prober_parts.h"
#include "tests/unit/probe/lab.h"
#include "tests/unit/probe/probe_test.h"

#define HERE  "127.93.8.1"
#define THERE "127.93.8.2" /* nobody listens */
#define PORT  20192

static const struct plan_probe quick = {
	.kind = PROBE_TCP, .interval_ms = 50, .timeout_ms = 50, .fall = 3, .rise = 2
};

static const struct plan_probe load = { .kind = PROBE_TCP,
					.roles = PROBE_LOAD,
					.interval_ms = 50,
					.timeout_ms = 50,
					.fall = 3,
					.rise = 2 };

/* How many results there are until the node, which has one check, has the status. */
static int results_until(struct lab *lab, enum node_status status)
{
	int count = 0;

	do {
		ck_assert(lab_is_checked(lab, 0));
		count++;
		ck_assert_int_lt(count, 100);
	} while (prober_state(lab->prober, 0)->status != status);
	return count;
}

START_TEST(node_falls_after_three_failures_and_rises_after_two_successes)
{
	const struct sketch_node nodes[] = { { "edge", "a", { { HERE, quick, PORT } } } };
	int listener = listen_on(HERE, PORT, 16);
	struct lab lab;

	lab_open(&lab, -1, -1);
	lab_apply(&lab, nodes, 1, NULL);
	ck_assert(lab_reaches(&lab, 0, NODE_UP));
	(void)close(listener);
	ck_assert_int_eq(results_until(&lab, NODE_DOWN), 3);
	listener = listen_on(HERE, PORT, 16);
	ck_assert_int_eq(results_until(&lab, NODE_UP), 2);
	ck_assert_int_eq(count_accepted(listener), 2);
	ck_assert_int_eq(lab.change_count, 3);
	ck_assert_int_eq(lab.changes[1].from, NODE_UP);
	ck_assert_int_eq(lab.changes[2].from, NODE_DOWN);
	lab_close(&lab);
	(void)close(listener);
}
END_TEST

static uint32_t verdict_within(const struct lab *lab)
{
	return prober_state(lab->prober, 0)->verdict_within_ms;
}

START_TEST(between_first_failure_and_verdict_it_is_told_how_near_that_is)
{
	const struct sketch_node nodes[] = { { "edge", "a", { { HERE, quick, PORT } } } };
	int listener = listen_on(HERE, PORT, 16);
	struct lab lab;

	lab_open(&lab, -1, -1);
	lab_apply(&lab, nodes, 1, NULL);
	ck_assert(lab_reaches(&lab, 0, NODE_UP));
	ck_assert_uint_eq(verdict_within(&lab), 0);
	(void)close(listener);
	ck_assert(lab_is_checked(&lab, 0));
	ck_assert_uint_eq(verdict_within(&lab), 2 * 50 + 50);
	listener = listen_on(HERE, PORT, 16);
	ck_assert(lab_is_checked(&lab, 0));
	ck_assert_uint_eq(verdict_within(&lab), 0); /* false alarm */
	(void)close(listener);
	ck_assert(lab_is_checked(&lab, 0));
	ck_assert(lab_is_checked(&lab, 0));
	ck_assert_uint_eq(verdict_within(&lab), 50 + 50);
	ck_assert(lab_reaches(&lab, 0, NODE_DOWN));
	ck_assert_uint_eq(verdict_within(&lab), 0);
	listener = listen_on(HERE, PORT, 16);
	ck_assert(lab_is_checked(&lab, 0));
	ck_assert_uint_eq(verdict_within(&lab), 0); /* on the way up nothing is told */
	lab_close(&lab);
	(void)close(listener);
}
END_TEST

START_TEST(who_is_pretended_down_falls_and_rises_by_itself_and_in_the_usual_time)
{
	const struct sketch_node nodes[] = { { "edge", "a", { { HERE, quick, PORT } } },
					     { "edge", "b", { { HERE, quick, PORT } } } };
	int listener = listen_on(HERE, PORT, 64);
	struct lab lab;

	lab_open(&lab, -1, -1);
	lab_apply(&lab, nodes, 2, NULL);
	ck_assert(lab_reaches(&lab, 0, NODE_UP) && lab_reaches(&lab, 1, NODE_UP));
	prober_pretend_down(lab.prober, 0, true);
	prober_pretend_down(lab.prober, 0, true); /* said again */
	ck_assert_int_eq(prober_state(lab.prober, 0)->status, NODE_UP);
	ck_assert(lab_is_checked(&lab, 0));
	ck_assert_uint_eq(verdict_within(&lab), 2 * 50 + 50);
	ck_assert_int_eq(results_until(&lab, NODE_DOWN), 2); /* of three in all */
	ck_assert_str_eq(prober_state(lab.prober, 0)->reason, "drill");
	lab_apply(&lab, nodes, 2, NULL); /* a reload */
	ck_assert(lab_has_results(&lab, 0, 4) && lab_is_checked(&lab, 1));
	ck_assert_int_eq(prober_state(lab.prober, 0)->status, NODE_DOWN);
	ck_assert_int_eq(prober_state(lab.prober, 1)->status, NODE_UP); /* of the same check */
	ck_assert(lab_is_checked(&lab, 0));
	prober_pretend_down(lab.prober, 0, false);
	ck_assert_int_eq(results_until(&lab, NODE_UP), 2);
	ck_assert(lab_has_results(&lab, 0, 4) && lab_is_checked(&lab, 1));
	ck_assert_int_eq(lab.change_count, 4);
	(void)close(listener); /* from here on as ever */
	ck_assert(lab_reaches(&lab, 0, NODE_DOWN) && lab_reaches(&lab, 1, NODE_DOWN));
	ck_assert_str_ne(prober_state(lab.prober, 0)->reason, "drill");
	lab_close(&lab);
}
END_TEST

/* Until then the loop does not look at what has come in. */
static void run_until_a_probe_has_started(struct lab *lab)
{
	uint64_t before = lab->prober->engine.counters.started;

	while (lab->prober->engine.counters.started == before)
		ev_run(lab->loop, EVRUN_ONCE);
	ck_assert_int_eq(lab->prober->round.checks[0]->phase, CHECK_RUNNING);
}

START_TEST(a_probe_that_started_before_is_not_pretended_to_be_another)
{
	const struct sketch_node nodes[] = { { "edge", "a", { { HERE, quick, PORT } } } };
	int listener = listen_on(HERE, PORT, 64);
	struct lab lab;

	lab_open(&lab, -1, -1);
	lab_apply(&lab, nodes, 1, NULL);
	ck_assert(lab_reaches(&lab, 0, NODE_UP));
	run_until_a_probe_has_started(&lab);
	prober_pretend_down(lab.prober, 0, true);
	ck_assert(lab_is_checked(&lab, 0));
	ck_assert_uint_eq(verdict_within(&lab), 0);
	ck_assert_int_eq(results_until(&lab, NODE_DOWN), 3);
	run_until_a_probe_has_started(&lab);
	prober_pretend_down(lab.prober, 0, false);
	ck_assert_int_eq(results_until(&lab, NODE_UP), 1 + 2);
	lab_close(&lab);
	(void)close(listener);
}
END_TEST

START_TEST(who_fails_really_stays_down_when_the_pretence_ends)
{
	const struct sketch_node nodes[] = { { "edge", "a", { { HERE, quick, PORT } } } };
	int listener = listen_on(HERE, PORT, 64);
	struct lab lab;

	lab_open(&lab, -1, -1);
	lab_apply(&lab, nodes, 1, NULL);
	ck_assert(lab_reaches(&lab, 0, NODE_UP));
	prober_pretend_down(lab.prober, 0, true);
	ck_assert(lab_reaches(&lab, 0, NODE_DOWN));
	(void)close(listener);
	ck_assert(lab_has_results(&lab, 0, 4)); /* that is more than it needs to be down */
	prober_pretend_down(lab.prober, 0, false);
	ck_assert(lab_has_results(&lab, 0, 4));
	ck_assert_int_eq(prober_state(lab.prober, 0)->status, NODE_DOWN);
	ck_assert(lab_is_checked(&lab, 0));
	listener = listen_on(HERE, PORT, 64);
	ck_assert_int_eq(results_until(&lab, NODE_UP), 2);
	ck_assert_int_eq(lab.change_count, 3);
	lab_close(&lab);
	(void)close(listener);
}
END_TEST

START_TEST(equal_checks_are_made_once)
{
	struct plan_probe other = quick;
	const struct sketch_node nodes[] = {
		{ "edge", "a", { { HERE, quick, PORT }, { HERE, quick, PORT } } },
		{ "edge", "b", { { HERE, quick, PORT } } },
		{ "core", "a", { { HERE, quick, PORT } } },
	};
	int listener = listen_on(HERE, PORT, 64);
	struct sketch_node fourth = { "core", "b", { { HERE, other, PORT } } };
	struct sketch_node more[4] = { nodes[0], nodes[1], nodes[2], fourth };
	int made, accepted;
	struct lab lab;

	lab_open(&lab, -1, -1);
	lab_apply(&lab, nodes, 3, NULL);
	ck_assert(lab_has_results(&lab, 1, 10));
	made = lab.results_of_node[1];
	accepted = count_accepted(listener);
	ck_assert_int_ge(accepted, made);
	ck_assert_int_le(accepted, made + 1); /* that has not ended yet */
	ck_assert_int_eq(lab.results_of_node[0], 2 * made);
	ck_assert_int_eq(lab.results_of_node[2], made);
	for (uint32_t i = 0; i < 3; i++)
		ck_assert_int_eq(prober_state(lab.prober, i)->status, NODE_UP);
	more[3].checks[0].probe.fall = 4; /* not the same check any more */
	lab_apply(&lab, more, 4, NULL);
	ck_assert(lab_has_results(&lab, 1, 10) && lab_is_checked(&lab, 3));
	made = lab.results_of_node[1] + lab.results_of_node[3];
	accepted += count_accepted(listener);
	ck_assert_int_ge(accepted, made);
	ck_assert_int_le(accepted, made + 2);
	lab_close(&lab);
	(void)close(listener);
}
END_TEST

START_TEST(all_who_share_a_check_change_together)
{
	const struct sketch_node nodes[] = {
		{ "edge", "a", { { HERE, quick, PORT } } },
		{ "core", "a", { { HERE, quick, PORT } } },
		{ "core", "b", { { HERE, quick, PORT }, { THERE, quick, PORT } } },
	};
	int listener = listen_on(HERE, PORT, 64);
	struct lab lab;

	lab_open(&lab, -1, -1);
	lab_apply(&lab, nodes, 3, NULL);
	ck_assert(lab_reaches(&lab, 2, NODE_DOWN)); /* for its other check */
	ck_assert(lab_reaches(&lab, 0, NODE_UP));
	ck_assert_int_eq(prober_state(lab.prober, 1)->status, NODE_UP);
	(void)close(listener);
	ck_assert(lab_reaches(&lab, 0, NODE_DOWN));
	ck_assert_int_eq(prober_state(lab.prober, 1)->status, NODE_DOWN);
	lab_close(&lab);
}
END_TEST

START_TEST(new_plan_keeps_what_was_measured)
{
	const struct sketch_node before[] = {
		{ "edge", "a", { { HERE, quick, PORT } } },
		{ "edge", "gone", { { "127.93.8.9", quick, PORT } } },
		{ "edge", "b", { { THERE, quick, PORT } } },
	};
	const struct sketch_node after[] = {
		{ "core", "a", { { "127.93.8.7", quick, PORT } } }, /* another pool's "a" */
		{ "edge", "b", { { THERE, quick, PORT } } },
		{ "edge", "a", { { HERE, quick, PORT } } },
	};
	int listener = listen_on(HERE, PORT, 64);
	struct node_state a, b;
	struct lab lab;

	lab_open(&lab, -1, -1);
	lab_apply(&lab, before, 3, NULL);
	ck_assert(lab_reaches(&lab, 0, NODE_UP));
	ck_assert(lab_reaches(&lab, 2, NODE_DOWN));
	a = *prober_state(lab.prober, 0);
	b = *prober_state(lab.prober, 2);
	lab.change_count = 0;
	lab_apply(&lab, after, 3, NULL);
	ck_assert_int_eq(lab.change_count, 0);
	ck_assert_int_eq(prober_state(lab.prober, 0)->status, NODE_UNKNOWN);
	ck_assert_int_eq(prober_state(lab.prober, 1)->status, NODE_DOWN);
	ck_assert_str_eq(prober_state(lab.prober, 1)->reason, b.reason);
	ck_assert_int_eq(prober_state(lab.prober, 2)->status, NODE_UP);
	ck_assert_uint_eq(prober_state(lab.prober, 2)->since_unix_ms, a.since_unix_ms);
	ck_assert_uint_eq(prober_state(lab.prober, 2)->rtt_us, a.rtt_us);
	ck_assert(lab_reaches(&lab, 0, NODE_DOWN));
	ck_assert_int_eq(lab.change_count, 1); /* only the new one */
	lab_close(&lab);
	(void)close(listener);
}
END_TEST

START_TEST(failures_counted_before_a_new_plan_count_after_it)
{
	struct plan_probe slow = quick;
	struct sketch_node nodes[] = { { "edge", "a", { { HERE, slow, PORT } } } };
	int listener = listen_on(HERE, PORT, 64);
	uint64_t start_us;
	struct lab lab;

	nodes[0].checks[0].probe.interval_ms = 300;
	lab_open(&lab, -1, -1);
	start_us = clock_mono_us();
	lab_apply(&lab, nodes, 1, NULL);
	ck_assert(lab_reaches(&lab, 0, NODE_UP));
	(void)close(listener);
	ck_assert(lab_is_checked(&lab, 0));
	ck_assert(lab_is_checked(&lab, 0));
	lab_apply(&lab, nodes, 1, NULL);
	ck_assert_int_eq(prober_state(lab.prober, 0)->status, NODE_UP);
	ck_assert(lab_is_checked(&lab, 0)); /* the third, after a success */
	ck_assert_int_eq(prober_state(lab.prober, 0)->status, NODE_DOWN);
	/* and it came at its old time, not at once (however late the ones before it were) */
	ck_assert_uint_ge(lab.prober->round.checks[0]->started_us - start_us, 3 * 300000 - 1000);
	lab_close(&lab);
}
END_TEST

START_TEST(node_whose_failing_check_is_taken_away_is_up_at_once)
{
	const struct sketch_node before[] = {
		{ "edge", "a", { { HERE, quick, PORT }, { THERE, quick, PORT } } }
	};
	const struct sketch_node after[] = { { "edge", "a", { { HERE, quick, PORT } } } };
	int listener = listen_on(HERE, PORT, 64);
	struct lab lab;

	lab_open(&lab, -1, -1);
	lab_apply(&lab, before, 1, NULL);
	ck_assert(lab_reaches(&lab, 0, NODE_DOWN));
	ck_assert(lab_probe_has_results(&lab, 0, 2) && lab_probe_has_results(&lab, 1, 2));
	ck_assert_int_eq(prober_state(lab.prober, 0)->status, NODE_DOWN);
	ck_assert_str_eq(prober_state(lab.prober, 0)->reason,
			 "tcp " THERE ":20192: connection refused");
	lab_apply(&lab, after, 1, NULL);
	ck_assert_int_eq(prober_state(lab.prober, 0)->status, NODE_UP);
	ck_assert_int_eq(lab.change_count, 2);
	lab_close(&lab);
	(void)close(listener);
}
END_TEST

START_TEST(adopted_status_holds_until_the_first_verdict)
{
	const struct sketch_node nodes[] = {
		{ "edge", "was-down", { { HERE, quick, PORT } } },
		{ "edge", "was-up", { { HERE, quick, PORT } } },
		{ "edge", "new", { { HERE, quick, PORT } } },
	};
	const struct node_state initial[] = {
		{ .status = NODE_DOWN, .since_unix_ms = 1000, .reason = "tcp: it was down" },
		{ .status = NODE_UP, .since_unix_ms = 2000, .checked_unix_ms = 3000, .rtt_us = 9 },
		{ .status = NODE_UNKNOWN },
	};
	int listener = listen_on(HERE, PORT, 64);
	const struct node_state *state;
	struct lab lab;

	lab_open(&lab, -1, -1);
	lab_apply(&lab, nodes, 3, initial);
	state = prober_state(lab.prober, 0);
	ck_assert_int_eq(lab.change_count, 0);
	ck_assert_int_eq(state[0].status, NODE_DOWN);
	ck_assert(state[0].adopted);
	ck_assert_str_eq(state[0].reason, "tcp: it was down");
	ck_assert(state[1].adopted);
	ck_assert_uint_eq(state[1].rtt_us, 9);
	ck_assert(!state[2].adopted);
	ck_assert(lab_reaches(&lab, 0, NODE_UP));
	ck_assert(!state[0].adopted);
	ck_assert_uint_gt(state[0].since_unix_ms, 1000);
	ck_assert_int_eq(state[1].status, NODE_UP);
	ck_assert(!state[1].adopted);
	ck_assert_uint_eq(state[1].since_unix_ms, 2000); /* still the same time of being up */
	while (state[1].rtt_us == 9) /* an answer that was only seen too late tells none */
		ck_assert(lab_is_checked(&lab, 1));
	ck_assert_int_eq(lab.change_count, 2); /* was-down and new */
	lab_close(&lab);
	(void)close(listener);
}
END_TEST

START_TEST(node_without_probes_is_unknown_whatever_it_was)
{
	const struct sketch_node before[] = { { "edge", "a", { { THERE, quick, PORT } } } };
	const struct sketch_node after[] = { { "edge", "a", { { NULL, quick, PORT } } },
					     { "edge", "b", { { NULL, quick, PORT } } } };
	const struct node_state initial[] = { { .status = NODE_UP }, { .status = NODE_DOWN } };
	struct lab lab;

	lab_open(&lab, -1, -1);
	lab_apply(&lab, before, 1, NULL);
	ck_assert(lab_reaches(&lab, 0, NODE_DOWN));
	lab_apply(&lab, after, 2, initial);
	for (uint32_t i = 0; i < 2; i++) {
		ck_assert_int_eq(prober_state(lab.prober, i)->status, NODE_UNKNOWN);
		ck_assert(!prober_state(lab.prober, i)->adopted);
		ck_assert_str_eq(prober_state(lab.prober, i)->reason, "it has no probes");
	}
	ck_assert_int_eq(lab.change_count, 3);
	lab_apply(&lab, NULL, 0, NULL); /* an empty plan */
	lab_close(&lab);
}
END_TEST

static void note_started(struct ev_loop *loop, ev_timer *timer, int events)
{
	const struct engine_counters *counters =
		&((const struct lab *)timer->data)->prober->engine.counters;

	(void)loop;
	(void)events;
	ck_assert_uint_eq(counters->started + counters->passed_over, 16);
}

/* A timer of the same loop: what is due before it comes before it, however late both are. A turn that
 * this process has slept through is passed over once. */
START_TEST(first_results_of_the_sample_come_within_a_second)
{
	struct sketch_node nodes[16];
	ev_timer second;
	static char names[16][16];
	int listener = listen_on("0.0.0.0", PORT, 64);
	uint64_t start_ms;
	struct lab lab;

	for (int i = 0; i < 16; i++) {
		static char addresses[16][32];

		(void)snprintf(names[i], sizeof(names[i]), "n%d", i);
		(void)snprintf(addresses[i], sizeof(addresses[i]), "127.93.10.%d", i + 1);
		nodes[i] =
			(struct sketch_node){ "edge", names[i], { { addresses[i], quick, PORT } } };
		nodes[i].checks[0].probe.interval_ms = 5000;
	}
	lab_open(&lab, -1, -1);
	start_ms = clock_mono_ms();
	lab_apply(&lab, nodes, 16, NULL);
	ev_timer_init(&second, note_started, 1.0, 0.0);
	second.data = &lab;
	ev_timer_start(lab.loop, &second);
	(void)ev_run(lab.loop, EVRUN_NOWAIT);
	ck_assert_uint_ge(lab.prober->engine.counters.started, 1); /* at once */
	for (uint32_t i = 0; i < 16; i++)
		ck_assert(lab_reaches(&lab, i, NODE_UP));
	ck_assert_uint_gt(clock_mono_ms() - start_ms, 800); /* they are spread */
	while (ev_is_active(&second))
		(void)ev_run(lab.loop, EVRUN_ONCE);
	lab_close(&lab);
	(void)close(listener);
}
END_TEST

/* The addresses of 127/8 and ::1 stand for the two paths to a node. */
START_TEST(broken_ipv6_path_takes_down_that_family_alone)
{
	const struct sketch_node nodes[] = {
		{ "edge", "a", { { HERE, quick, PORT }, { "=::1", quick, PORT } } }
	};
	int v4 = listen_on(HERE, PORT, 64), v6 = listen_on("::1", PORT, 64);
	const struct node_state *state;
	uint64_t before_ms;
	struct lab lab;

	lab_open(&lab, -1, -1);
	lab_apply(&lab, nodes, 1, NULL);
	state = prober_state(lab.prober, 0);
	ck_assert(lab_reaches(&lab, 0, NODE_UP));
	ck_assert(lab_has_results(&lab, 0, 8)); /* of both */
	ck_assert_uint_eq(state->down_families, 0);
	ck_assert(!state->degraded);
	lab.change_count = lab.aspect_count = 0;
	(void)close(v6);
	while (state->down_families == 0)
		ck_assert(lab_is_checked(&lab, 0));
	ck_assert_uint_eq(state->down_families, FAMILY_V6);
	ck_assert_int_eq(state->status, NODE_UP);
	ck_assert(state->degraded);
	ck_assert_str_eq(state->reason, "tcp [::1]:20192: connection refused");
	ck_assert_int_eq(lab.change_count, 0);
	ck_assert_int_eq(lab.aspect_count, 1);
	/* What fails from now on is of the family that is down: no loss of the other one. */
	lab.failures_told_up = 0;
	ck_assert(lab_has_results(&lab, 0, 12));
	ck_assert_int_eq(lab.failures_told_up, 0);
	(void)close(v4);
	ck_assert(lab_reaches(&lab, 0, NODE_DOWN));
	ck_assert_uint_eq(state->down_families, FAMILIES_ALL);
	ck_assert_uint_eq(state->recovered_mono_ms, 0);
	before_ms = clock_mono_ms();
	v4 = listen_on(HERE, PORT, 64);
	ck_assert(lab_reaches(&lab, 0, NODE_UP));
	ck_assert_uint_eq(state->down_families, FAMILY_V6);
	ck_assert_uint_ge(state->recovered_mono_ms, before_ms);
	ck_assert_uint_le(state->recovered_mono_ms, clock_mono_ms());
	lab_close(&lab);
	(void)close(v4);
}
END_TEST

START_TEST(check_that_judges_both_families_takes_down_both)
{
	const struct sketch_node nodes[] = { { "edge", "a", { { "*" THERE, quick, PORT } } } };
	struct lab lab;

	lab_open(&lab, -1, -1);
	lab_apply(&lab, nodes, 1, NULL);
	ck_assert(lab_reaches(&lab, 0, NODE_DOWN));
	ck_assert_uint_eq(prober_state(lab.prober, 0)->down_families, FAMILIES_ALL);
	lab_close(&lab);
}
END_TEST

START_TEST(as_many_probes_as_required_keep_a_node_up)
{
	const struct sketch_node nodes[] = {
		{ "any:1", "a", { { THERE, quick, PORT }, { HERE, quick, PORT } } },
		{ "two:2", "a", { { THERE, quick, PORT }, { HERE, quick, PORT } } },
		{ "some:2",
		  "a",
		  { { THERE, quick, PORT },
		    { HERE, quick, PORT },
		    { "127.93.8.3", quick, PORT } } },
	};
	int listener = listen_on(HERE, PORT, 64), other = listen_on("127.93.8.3", PORT, 64);
	struct lab lab;

	lab_open(&lab, -1, -1);
	lab_apply(&lab, nodes, 3, NULL);
	ck_assert(lab_reaches(&lab, 0, NODE_UP) && lab_reaches(&lab, 1, NODE_DOWN) &&
		  lab_reaches(&lab, 2, NODE_UP));
	ck_assert(lab_probe_has_results(&lab, 0, 2) && lab_probe_has_results(&lab, 1, 2));
	ck_assert(prober_state(lab.prober, 0)->degraded);
	ck_assert_str_eq(prober_state(lab.prober, 0)->reason,
			 "tcp " THERE ":20192: connection refused");
	(void)close(other);
	ck_assert(lab_reaches(&lab, 2, NODE_DOWN));
	ck_assert_int_eq(prober_state(lab.prober, 0)->status, NODE_UP);
	(void)close(listener);
	ck_assert(lab_reaches(&lab, 0, NODE_DOWN));
	lab_close(&lab);
}
END_TEST

START_TEST(reason_is_that_of_the_last_failure)
{
	const struct sketch_node nodes[] = { { "edge", "a", { { HERE, quick, PORT } } } };
	int fillers[FILLERS], listener;
	uint64_t until_ms;
	struct lab lab;

	lab_open(&lab, -1, -1);
	lab_apply(&lab, nodes, 1, NULL);
	ck_assert(lab_reaches(&lab, 0, NODE_DOWN));
	ck_assert_str_eq(prober_state(lab.prober, 0)->reason,
			 "tcp " HERE ":20192: connection refused");
	listener = listen_on(HERE, PORT, 0);
	fill_backlog(listener, HERE, PORT, fillers);
	until_ms = clock_mono_ms() + LAB_PATIENCE_MS;
	while (strcmp(prober_state(lab.prober, 0)->reason, "tcp " HERE ":20192: timeout") != 0) {
		ck_assert_uint_lt(clock_mono_ms(), until_ms);
		lab_run_ms(&lab, 5);
	}
	ck_assert_int_eq(lab.change_count, 1);
	lab_close(&lab);
	for (int i = 0; i < FILLERS; i++)
		(void)close(fillers[i]);
	(void)close(listener);
}
END_TEST

START_TEST(probes_of_load_are_read_and_judge_nobody)
{
	const struct sketch_node nodes[] = {
		{ "edge", "a", { { HERE, quick, PORT }, { THERE, load, PORT } } },
		{ "edge", "b", { { THERE, load, PORT } } },
	};
	int listener = listen_on(HERE, PORT, 64);
	struct lab lab;

	lab_open(&lab, -1, -1);
	lab_apply(&lab, nodes, 2, NULL);
	ck_assert(lab_reaches(&lab, 0, NODE_UP));
	for (uint32_t probe = 1; probe <= 2; probe++) {
		ck_assert(
			lab_probe_has_results(&lab, probe, 4)); /* a health probe is down by then */
		ck_assert_int_eq(lab.outcome_of_probe[probe], PROBE_FAILURE);
	}
	ck_assert_int_eq(prober_state(lab.prober, 0)->status, NODE_UP);
	ck_assert(!prober_state(lab.prober, 0)->degraded);
	ck_assert_uint_eq(prober_state(lab.prober, 0)->verdict_within_ms, 0);
	ck_assert_int_eq(prober_state(lab.prober, 1)->status, NODE_UNKNOWN);
	ck_assert_uint_eq(prober_state(lab.prober, 1)->checked_unix_ms, 0);
	lab_close(&lab);
	(void)close(listener);
}
END_TEST

/* --- probes that are made once ------------------------------------------------------------------ */

struct made_once {
	int calls;
	bool cut_off, had_regular;
	uint32_t count, number;
	int32_t verdict;
	enum probe_outcome outcome;
};

static void on_once(void *context, const struct once *once)
{
	struct made_once *made = context;

	made->calls++;
	made->cut_off = once->cut_off;
	made->count = once->count;
	made->number = once->number;
	made->outcome = once->items[0].result.outcome;
	made->had_regular = once->items[0].regular != NULL;
	if (made->had_regular)
		made->verdict = once->items[0].regular->verdict;
}

static void run_once(struct lab *lab, const struct made_once *made)
{
	uint64_t until_ms = clock_mono_ms() + LAB_PATIENCE_MS;

	while (made->calls == 0 && clock_mono_ms() < until_ms)
		lab_run_ms(lab, 5);
	ck_assert_int_eq(made->calls, 1);
}

START_TEST(probe_made_once_is_no_result_and_knows_the_regular_one)
{
	struct plan_probe slow = quick;
	struct sketch_node nodes[] = {
		{ "edge", "a", { { THERE, slow, PORT }, { HERE, slow, PORT } } }
	};
	int listener = listen_on(HERE, PORT, 64);
	struct made_once made = { 0 };
	uint64_t checked_ms;
	struct err err;
	struct lab lab;

	nodes[0].checks[0].probe.interval_ms = nodes[0].checks[1].probe.interval_ms = 60000;
	lab_open(&lab, -1, -1);
	lab_apply(&lab, nodes, 1, NULL);
	ck_assert(lab_reaches(&lab, 0, NODE_DOWN));
	ck_assert(lab_probe_has_results(&lab, 0, 1) && lab_probe_has_results(&lab, 1, 1));
	checked_ms = prober_state(lab.prober, 0)->checked_unix_ms;
	ck_assert_int_eq(prober_probe_once(lab.prober, 0, NULL, "tcp", on_once, &made, &err), 0);
	ck_assert_int_eq(made.calls, 0);
	run_once(&lab, &made);
	ck_assert_uint_eq(made.count, 2);
	ck_assert_uint_eq(made.number, 0);
	ck_assert_int_eq(made.outcome, PROBE_FAILURE);
	ck_assert(made.had_regular);
	ck_assert_int_eq(made.verdict, -2);
	ck_assert_uint_eq(prober_state(lab.prober, 0)->checked_unix_ms, checked_ms);
	ck_assert_int_eq(prober_probe_once(lab.prober, 0, NULL, "icmp", on_once, &made, &err), -1);
	ck_assert_str_eq(err.text, "the node has no probe of kind icmp: its kinds are tcp");
	lab_close(&lab);
	(void)close(listener);
}
END_TEST

START_TEST(probe_made_once_outlives_its_plan_but_not_the_prober)
{
	const struct sketch_node before[] = { { "edge", "a", { { HERE, quick, PORT } } } };
	const struct sketch_node after[] = { { "edge", "b", { { THERE, quick, PORT } } } };
	int listener = listen_on(HERE, PORT, 64);
	struct made_once made = { 0 };
	struct err err;
	struct lab lab;

	lab_open(&lab, -1, -1);
	lab_apply(&lab, before, 1, NULL);
	ck_assert_int_eq(prober_probe_once(lab.prober, 0, NULL, NULL, on_once, &made, &err), 0);
	lab_apply(&lab, after, 1, NULL);
	run_once(&lab, &made);
	ck_assert_uint_eq(made.number, PLAN_NONE);
	ck_assert(!made.had_regular);
	ck_assert(!made.cut_off);
	ck_assert_int_eq(made.outcome, PROBE_SUCCESS);
	made = (struct made_once){ 0 };
	ck_assert_int_eq(prober_probe_once(lab.prober, 0, NULL, NULL, on_once, &made, &err), 0);
	lab_close(&lab);
	ck_assert_int_eq(made.calls, 1);
	ck_assert(made.cut_off);
	(void)close(listener);
}
END_TEST

void add_prober_tests(Suite *suite)
{
	suite_case(suite, "prober", node_falls_after_three_failures_and_rises_after_two_successes,
		   between_first_failure_and_verdict_it_is_told_how_near_that_is,
		   who_is_pretended_down_falls_and_rises_by_itself_and_in_the_usual_time,
		   a_probe_that_started_before_is_not_pretended_to_be_another,
		   who_fails_really_stays_down_when_the_pretence_ends, equal_checks_are_made_once,
		   all_who_share_a_check_change_together, new_plan_keeps_what_was_measured,
		   failures_counted_before_a_new_plan_count_after_it,
		   node_whose_failing_check_is_taken_away_is_up_at_once,
		   adopted_status_holds_until_the_first_verdict,
		   node_without_probes_is_unknown_whatever_it_was,
		   broken_ipv6_path_takes_down_that_family_alone,
		   check_that_judges_both_families_takes_down_both,
		   as_many_probes_as_required_keep_a_node_up, reason_is_that_of_the_last_failure,
		   probes_of_load_are_read_and_judge_nobody,
		   probe_made_once_is_no_result_and_knows_the_regular_one,
		   probe_made_once_outlives_its_plan_but_not_the_prober,
		   first_results_of_the_sample_come_within_a_second);
}
