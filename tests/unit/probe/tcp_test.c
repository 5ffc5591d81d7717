#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/clock.h"
#include "tests/unit/probe/lab.h"
#include "tests/unit/probe/probe_test.h"

/* Addresses that no other program uses, so that nothing else answers or refuses there. */
#define HERE  "127.93.7.1"
#define THERE "127.93.7.2"
#define PORT  20191

static const struct plan_probe tcp = {
	.kind = PROBE_TCP, .interval_ms = 200, .timeout_ms = 200, .fall = 3, .rise = 2
};

START_TEST(node_is_up_when_its_port_accepts)
{
	const struct sketch_node nodes[] = {
		{ "edge", "a", { { HERE, tcp, PORT } } },
		{ "edge", "b", { { "::1", tcp, PORT } } },
	};
	uint64_t before_ms = clock_unix_ms();
	int v4 = listen_on(HERE, PORT, 16);
	int v6 = listen_on("::1", PORT, 16);
	const struct node_state *state;
	struct lab lab;

	lab_open(&lab, -1, -1);
	lab_apply(&lab, nodes, 2, NULL);
	state = prober_state(lab.prober, 0);
	ck_assert_int_eq(state->status, NODE_UNKNOWN);
	ck_assert_uint_eq(state->checked_unix_ms, 0);
	ck_assert(lab_reaches(&lab, 0, NODE_UP));
	ck_assert(lab_reaches(&lab, 1, NODE_UP));
	ck_assert_int_eq(lab.change_count, 2);
	ck_assert_int_eq(lab.changes[0].from, NODE_UNKNOWN);
	ck_assert_uint_ge(state->since_unix_ms, before_ms);
	ck_assert_uint_ge(state->checked_unix_ms, before_ms);
	while (state->rtt_us == 0) /* of an answer that was only seen too late it is not known */
		ck_assert(lab_is_checked(&lab, 0));
	ck_assert_uint_le(state->rtt_us, 200000);
	ck_assert_str_eq(state->reason, "tcp " HERE ":20191: connected");
	ck_assert_str_eq(prober_state(lab.prober, 1)->reason, "tcp [::1]:20191: connected");
	lab_close(&lab);
	(void)close(v4);
	(void)close(v6);
}
END_TEST

START_TEST(node_that_refuses_is_down_at_once_and_says_why)
{
	struct sketch_node nodes[] = { { "edge", "a", { { HERE, tcp, PORT } } } };
	struct lab lab;

	nodes[0].checks[0].probe.interval_ms = 60000; /* nothing makes it late for its turn */
	lab_open(&lab, -1, -1);
	lab_apply(&lab, nodes, 1, NULL);
	ck_assert(lab_reaches(&lab, 0, NODE_DOWN));
	ck_assert_int_lt(lab.ticks, 100 / LAB_TICK_MS); /* no timeout was waited for */
	ck_assert_str_eq(prober_state(lab.prober, 0)->reason,
			 "tcp " HERE ":20191: connection refused");
	ck_assert_uint_eq(prober_state(lab.prober, 0)->rtt_us, 0);
	lab_close(&lab);
}
END_TEST

START_TEST(node_that_does_not_answer_is_down_after_the_timeout)
{
	const struct sketch_node nodes[] = { { "edge", "a", { { HERE, tcp, PORT } } } };
	int listener = listen_on(HERE, PORT, 0);
	int fillers[FILLERS];
	uint64_t start_ms;
	struct lab lab;

	fill_backlog(listener, HERE, PORT, fillers);
	lab_open(&lab, -1, -1);
	start_ms = clock_mono_ms();
	lab_apply(&lab, nodes, 1, NULL);
	ck_assert(lab_reaches(&lab, 0, NODE_DOWN));
	ck_assert_uint_ge(clock_mono_ms() - start_ms, 199);
	ck_assert_str_eq(prober_state(lab.prober, 0)->reason, "tcp " HERE ":20191: timeout");
	lab_close(&lab);
	for (int i = 0; i < FILLERS; i++)
		(void)close(fillers[i]);
	(void)close(listener);
}
END_TEST

START_TEST(probe_that_lacks_a_descriptor_says_nothing_of_the_node)
{
	const struct sketch_node nodes[] = { { "edge", "a", { { HERE, tcp, PORT } } } };
	int listener = listen_on(HERE, PORT, 16);
	struct rlimit limit, none;
	struct lab lab;

	lab_open(&lab, -1, -1);
	(void)ev_run(lab.loop, EVRUN_NOWAIT); /* the loop has its descriptors */
	lab_apply(&lab, nodes, 1, NULL);
	ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &limit), 0);
	none = (struct rlimit){ .rlim_cur = 3, .rlim_max = limit.rlim_max };
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &none), 0);
	lab_run_ms(&lab, 500);
	ck_assert_int_eq(prober_state(lab.prober, 0)->status, NODE_UNKNOWN);
	ck_assert_uint_eq(prober_state(lab.prober, 0)->checked_unix_ms, 0);
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
	ck_assert(lab_reaches(&lab, 0, NODE_UP)); /* it goes on by itself */
	lab_close(&lab);
	(void)close(listener);
}
END_TEST

START_TEST(running_probes_end_with_their_prober)
{
	const struct sketch_node nodes[] = { { "edge", "a", { { HERE, tcp, PORT } } },
					     { "edge", "b", { { THERE, tcp, PORT } } } };
	int listener = listen_on(HERE, PORT, 0);
	int fillers[FILLERS];
	int before, after;
	struct lab lab;

	fill_backlog(listener, HERE, PORT, fillers);
	before = dup(0);
	(void)close(before);
	lab_open(&lab, -1, -1);
	lab_apply(&lab, nodes, 2, NULL);
	(void)ev_run(lab.loop, EVRUN_NOWAIT);
	lab_close(&lab);
	after = dup(0);
	(void)close(after);
	ck_assert_int_eq(after, before);
	for (int i = 0; i < FILLERS; i++)
		(void)close(fillers[i]);
	(void)close(listener);
}
END_TEST

void add_tcp_tests(Suite *suite)
{
	suite_case(suite, "tcp", node_is_up_when_its_port_accepts,
		   node_that_refuses_is_down_at_once_and_says_why,
		   node_that_does_not_answer_is_down_after_the_timeout,
		   probe_that_lacks_a_descriptor_says_nothing_of_the_node,
		   running_probes_end_with_their_prober);
}
