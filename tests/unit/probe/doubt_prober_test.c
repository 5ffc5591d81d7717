/* Doubt, as a prober has it. */
#include <stdio.h>
#include <unistd.h>

#include "base/clock.h"
#include "probe/prober_parts.h"
#include "tests/unit/probe/lab.h"
#include "tests/unit/probe/probe_test.h"

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
	ck_assert(ip_parse(REFERENCE, &lab->references[0].address));
	lab->references[0].port = PORT;
	lab_apply(lab, four, 4, NULL);
	for (uint32_t i = 0; i < 4; i++)
		ck_assert(lab_reaches(lab, i, NODE_UP));
	lab->change_count = 0;
}

/* All four have their turns together from here on: however long this process is held up, none has failed
 * three times before the others have failed at all. */
static void align_four(struct lab *lab)
{
	for (uint32_t i = 0; i < 4; i++) {
		struct check *check = lab->prober->round.check_of[i];

		while (check->phase != CHECK_WAITING)
			(void)ev_run(lab->loop, EVRUN_ONCE);
		kind_hasten(&check->probe);
	}
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
	ck_assert_uint_eq(prober_doubt(lab.prober, DOUBT_V4).frozen_unix_ms, 0);
	ck_assert(!prober_doubt(lab.prober, DOUBT_V4).silent);
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
	align_four(&lab);
	close_all(listeners);
	(void)close(reference);
	until_ms = clock_mono_ms() + LAB_PATIENCE_MS;
	while (prober_doubt(lab.prober, DOUBT_V4).frozen_unix_ms == 0 && clock_mono_ms() < until_ms)
		lab_run_ms(&lab, 5);
	doubt = prober_doubt(lab.prober, DOUBT_V4);
	ck_assert_uint_ne(doubt.frozen_unix_ms, 0);
	ck_assert(doubt.silent);
	ck_assert_uint_ge(doubt.failing, 3);
	ck_assert(lab_has_results(&lab, 0, 5) && lab_has_results(&lab, 3, 1));
	ck_assert_int_eq(lab.change_count, 0);
	ck_assert_uint_eq(prober_state(lab.prober, 0)->verdict_within_ms, 0);
	reference = listen_on(REFERENCE, PORT, 256); /* it is the nodes, after all */
	ck_assert(lab_reaches(&lab, 0, NODE_DOWN) && lab_reaches(&lab, 3, NODE_DOWN));
	ck_assert_uint_eq(prober_doubt(lab.prober, DOUBT_V4).frozen_unix_ms, 0);
	lab_close(&lab);
	(void)close(reference);
}
END_TEST

#define REFERENCE_V6_PORT 20195

/* Both addresses of a node, which lies in the second family's path, and one that has IPv4 alone. */
static const struct sketch_node two_paths[] = {
	{ "edge", "a", { { "127.93.12.1", QUICK, PORT }, { "=::1", QUICK, PORT } } },
	{ "edge", "b", { { "127.93.12.2", QUICK, PORT } } },
};

static void open_paths(struct lab *lab, int listeners[3])
{
	listeners[0] = listen_on("127.93.12.1", PORT, 256);
	listeners[1] = listen_on("127.93.12.2", PORT, 256);
	listeners[2] = listen_on("::1", PORT, 256);
	lab_open(lab, -1, -1);
	ck_assert(ip_parse(REFERENCE, &lab->references[0].address));
	lab->references[0].port = PORT;
	ck_assert(ip_parse("::1", &lab->references[1].address));
	lab->references[1].port = REFERENCE_V6_PORT;
	lab_apply(lab, two_paths, 2, NULL);
	ck_assert(lab_reaches(lab, 0, NODE_UP) && lab_reaches(lab, 1, NODE_UP));
	while (prober_state(lab->prober, 0)->down_families != 0)
		ck_assert(lab_is_checked(lab, 0));
	lab->change_count = lab->aspect_count = 0;
}

static void await_doubt(struct lab *lab, enum doubt_family family, bool frozen)
{
	uint64_t until_ms = clock_mono_ms() + 20000;

	while ((prober_doubt(lab->prober, family).frozen_unix_ms != 0) != frozen) {
		ck_assert_uint_lt(clock_mono_ms(), until_ms);
		lab_run_ms(lab, 5);
	}
}

START_TEST(broken_path_of_one_family_leaves_the_other_one_judged)
{
	int listeners[3], v4 = listen_on(REFERENCE, PORT, 256),
			  v6 = listen_on("::1", REFERENCE_V6_PORT, 256);
	struct lab lab;

	open_paths(&lab, listeners);
	(void)close(listeners[2]);
	(void)close(v6);
	await_doubt(&lab, DOUBT_V6, true);
	(void)close(listeners[1]);
	ck_assert(lab_reaches(&lab, 1, NODE_DOWN));
	ck_assert_int_eq(lab.change_count, 1);
	ck_assert_uint_eq(prober_state(lab.prober, 0)->down_families, 0);
	ck_assert_uint_eq(prober_doubt(lab.prober, DOUBT_V4).frozen_unix_ms, 0);
	lab.failures_told_up = 0;
	lab_run_ms(&lab, 300);
	ck_assert_int_eq(lab.failures_told_up, 0);     /* our own losses are no load of the node */
	v6 = listen_on("::1", REFERENCE_V6_PORT, 256); /* it is the node, after all */
	await_doubt(&lab, DOUBT_V6, false);
	while (prober_state(lab.prober, 0)->down_families == 0)
		ck_assert(lab_is_checked(&lab, 0));
	ck_assert_uint_eq(prober_state(lab.prober, 0)->down_families, FAMILY_V6);
	lab_close(&lab);
	(void)close(v4);
	(void)close(v6);
	(void)close(listeners[0]);
}
END_TEST

START_TEST(references_of_the_other_family_speak_where_a_family_has_none)
{
	int listeners[3], v4 = listen_on(REFERENCE, PORT, 256),
			  v6 = listen_on("::1", REFERENCE_V6_PORT, 256);
	struct lab lab;

	open_paths(&lab, listeners);
	lab.references[1] = (struct plan_reference){ 0 };
	lab_apply(&lab, two_paths, 2, NULL);
	ck_assert(prober_doubt(lab.prober, DOUBT_V6).borrowed);
	ck_assert(!prober_doubt(lab.prober, DOUBT_V4).borrowed);
	(void)close(listeners[2]);
	while (prober_state(lab.prober, 0)->down_families == 0) /* IPv4's answers */
		ck_assert(lab_is_checked(&lab, 0));
	ck_assert_uint_eq(prober_doubt(lab.prober, DOUBT_V6).frozen_unix_ms, 0);
	listeners[2] = listen_on("::1", PORT, 256);
	while (prober_state(lab.prober, 0)->down_families != 0)
		ck_assert(lab_is_checked(&lab, 0));
	(void)close(listeners[2]);
	(void)close(v4);
	await_doubt(&lab, DOUBT_V6, true);
	ck_assert_uint_eq(prober_state(lab.prober, 0)->down_families, 0);
	lab_close(&lab);
	(void)close(v6);
	(void)close(listeners[0]);
	(void)close(listeners[1]);
}
END_TEST

START_TEST(status_of_before_holds_where_a_start_finds_the_network_broken)
{
	const struct node_state before[] = {
		{ .status = NODE_UP, .weight_percent = 100 },
		{ .status = NODE_UP, .weight_percent = 100 },
		{ .status = NODE_DOWN, .down_families = FAMILIES_ALL, .weight_percent = 100 },
		{ .status = NODE_UP, .weight_percent = 100 },
	};
	struct lab lab;

	lab_open(&lab, -1, -1);
	ck_assert(ip_parse(REFERENCE, &lab.references[0].address));
	lab.references[0].port = PORT;
	lab_apply(&lab, four, 4, before);
	await_doubt(&lab, DOUBT_V4, true);
	ck_assert_int_eq(lab.change_count, 0);
	ck_assert_int_eq(prober_state(lab.prober, 0)->status, NODE_UP);
	ck_assert(prober_state(lab.prober, 0)->adopted);
	ck_assert_int_eq(prober_state(lab.prober, 2)->status, NODE_DOWN);
	lab_close(&lab);
}
END_TEST

#define LOAD                                                                                  \
	{                                                                                     \
		.kind = PROBE_TCP, .interval_ms = 50, .timeout_ms = 50, .fall = 3, .rise = 2, \
		.roles = PROBE_LOAD                                                           \
	}

static const struct sketch_node with_load[] = {
	{ "edge", "a", { { "127.93.12.1", QUICK, PORT }, { "127.93.12.1", LOAD, PORT + 2 } } },
	{ "edge", "b", { { "127.93.12.2", QUICK, PORT }, { "127.93.12.2", LOAD, PORT + 2 } } },
	{ "edge", "c", { { "127.93.12.3", QUICK, PORT }, { "127.93.12.3", LOAD, PORT + 2 } } },
	{ "edge", "d", { { "127.93.12.4", QUICK, PORT }, { "127.93.12.4", LOAD, PORT + 2 } } },
};

START_TEST(source_of_load_that_is_gone_everywhere_freezes_no_health)
{
	int listeners[4];
	struct lab lab;

	open_four(&lab, listeners); /* and no reference answers */
	lab_apply(&lab, with_load, 4, NULL);
	for (uint32_t i = 0; i < 4; i++)
		ck_assert(lab_probe_has_results(&lab, 2 * i + 1, 20));
	ck_assert(prober_doubt(lab.prober, DOUBT_V4).silent);
	ck_assert_uint_eq(prober_doubt(lab.prober, DOUBT_V4).frozen_unix_ms, 0);
	(void)close(listeners[3]);
	ck_assert(lab_reaches(&lab, 3, NODE_DOWN));
	ck_assert_int_eq(lab.change_count, 1);
	ck_assert_uint_eq(prober_doubt(lab.prober, DOUBT_V4).frozen_unix_ms, 0);
	listeners[3] = listen_on(with_load[3].checks[0].address, PORT, 256);
	close_all(listeners);
	lab_close(&lab);
}
END_TEST

START_TEST(references_are_asked_for_addresses_that_are_probed_for_health)
{
	const struct sketch_node load[] = {
		{ "edge", "a", { { "127.93.12.1", LOAD, PORT + 2 } } }
	};
	const struct sketch_node both[] = { { "edge",
					      "a",
					      { { "127.93.12.1", LOAD, PORT + 2 },
						{ "127.93.12.1", LOAD, PORT + 2 } } } };
	struct sketch_node shared = both[0];
	struct lab lab;

	shared.checks[1].probe.roles = PROBE_HEALTH;
	lab_open(&lab, -1, -1);
	ck_assert(ip_parse(REFERENCE, &lab.references[0].address));
	lab.references[0].port = PORT;
	lab_apply(&lab, load, 1, NULL);
	ck_assert_uint_eq(prober_doubt(lab.prober, DOUBT_V4).references, 0);
	lab_apply(&lab, &shared, 1, NULL); /* the same check, and it judges, too, from here on */
	ck_assert_uint_eq(prober_doubt(lab.prober, DOUBT_V4).references, 1);
	lab_apply(&lab, both, 1, NULL);
	ck_assert_uint_eq(prober_doubt(lab.prober, DOUBT_V4).references, 0);
	lab_close(&lab);
}
END_TEST

START_TEST(reference_that_is_probed_much_is_asked_at_once_all_the_same)
{
	const struct sketch_node probed[] = { { "edge", "a", { { REFERENCE, QUICK, PORT } } } };
	int listener = listen_on(REFERENCE, PORT, 256);
	uint64_t until_ms = clock_mono_ms() + LAB_PATIENCE_MS;
	struct lab lab;

	lab_open(&lab, -1, -1);
	ck_assert(ip_parse(REFERENCE, &lab.references[0].address));
	lab.references[0].port = PORT;
	lab_apply(&lab, probed, 1, NULL);
	/* its own probes have had so many starts that the next one is in an hour */
	lab.prober->round.checks[0]->target->paced_us = clock_mono_us() + 3600000000;
	while (prober_doubt(lab.prober, DOUBT_V4).tested_unix_ms == 0) {
		ck_assert_uint_lt(clock_mono_ms(), until_ms);
		lab_run_ms(&lab, 5);
	}
	ck_assert(!prober_doubt(lab.prober, DOUBT_V4).silent);
	ck_assert_int_eq(lab.results_of_node[0], 0);
	lab_close(&lab);
	(void)close(listener);
}
END_TEST

void add_doubt_prober_tests(Suite *suite)
{
	suite_case(suite, "doubt prober", nodes_go_down_as_fast_as_ever_when_a_reference_answers,
		   nodes_stay_up_while_no_reference_answers_and_all_goes_on_by_itself,
		   broken_path_of_one_family_leaves_the_other_one_judged,
		   references_of_the_other_family_speak_where_a_family_has_none,
		   status_of_before_holds_where_a_start_finds_the_network_broken,
		   source_of_load_that_is_gone_everywhere_freezes_no_health,
		   references_are_asked_for_addresses_that_are_probed_for_health,
		   reference_that_is_probed_much_is_asked_at_once_all_the_same);
}
