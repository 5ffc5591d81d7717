#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../run.h"
#include "../steer/make_plan.h"
#include "base/mem.h"
#include "control/admin.h"
#include "control/drill.h"
#include "control_test.h"

#define NOW   1000000
#define UNTIL (NOW + 60000)

static const struct make_site sites[] = { { "tokyo", 35.68, 139.69 }, { "london", 51.51, -0.13 } };
static const struct make_pool pools[] = { { .name = "edge", .sites = "tokyo london" },
					  { .name = "core", .sites = "london" } };
static const struct make_node nodes[] = {
	{ "edge", "tokyo", "tyo-1", 100, "192.0.2.1" },
	{ "edge", "tokyo", "tyo-2", 50, "192.0.2.2" },
	{ "edge", "london", "lon-1", 1, "192.0.2.3" },
	{ "core", "london", "lon-1", 1, "192.0.2.4" },
};
static const struct make_plan plan_rows = { .sites = sites,
					    .site_count = 2,
					    .pools = pools,
					    .pool_count = 2,
					    .nodes = nodes,
					    .node_count = 4 };

static struct made made;
static struct ev_loop *loop;
static struct prober *prober;
static struct order ordered;
static struct orders orders;
static struct drill drill;
static struct steer_node steered[4]; /* as verdicts say, but for who is held */

static void changed(void *context, uint32_t node, const struct node_state *before,
		    const struct node_state *now)
{
	(void)context;
	(void)node;
	(void)before;
	(void)now;
}

/* A drill of tokyo was ordered at NOW. */
static void open_drill(void)
{
	struct err err;

	made = make_images(&plan_rows);
	loop = ev_loop_new(EVFLAG_AUTO);
	ck_assert_int_eq(
		prober_open(&prober,
			    &(struct kind_tools){ .loop = loop, .icmp_v4 = -1, .icmp_v6 = -1 },
			    &(struct prober_callbacks){ .changed = changed }, &err),
		0);
	prober_apply(prober, &made.plan, NULL);
	ordered = (struct order){ .action = ORDER_DRILL,
				  .row = { .at_unix_ms = NOW,
					   .from_unix_ms = NOW,
					   .until_unix_ms = UNTIL,
					   .object = "site:tokyo",
					   .who = "ann" } };
	ck_assert(object_parse("site:tokyo", &ordered.object));
	orders = (struct orders){ .list = &ordered, .count = 1 };
	drill_open(&drill, NOW - 1);
	for (int n = 0; n < 4; n++)
		steered[n].state = STEER_UP;
}

static void close_drill(void)
{
	drill_close(&drill);
	prober_close(prober);
	ev_loop_destroy(loop);
	made_close(&made);
}

static void follow(uint64_t now_ms)
{
	drill_follow(&drill, &orders, &made.plan, prober, false, now_ms);
}

static void published(uint64_t at_ms)
{
	drill_published(&drill, &made.plan, steered, at_ms);
}

static void verdict(uint32_t node, enum node_status status, uint64_t at_ms)
{
	const struct node_state state = { .status = status, .since_unix_ms = at_ms };

	steered[node].state = status == NODE_DOWN ? STEER_DOWN : STEER_UP;
	drill_verdict(&drill, &made.plan, node, &state);
}

START_TEST(what_an_order_says_begins_and_ends_with_it)
{
	struct store_action row;

	follow(NOW);
	ck_assert(drill.running && !drill.resumed);
	ck_assert_uint_eq(drill.count, 2);
	ck_assert_str_eq(drill.nodes[1].key, "edge/tyo-2");
	ck_assert(drill_concerns(&drill, &made.plan, 0) && !drill_concerns(&drill, &made.plan, 1));
	follow(UNTIL - 1);
	ck_assert(drill.running);
	ck_assert(!drill_is_done(&drill, UNTIL - 1, &row));
	follow(UNTIL + 5);
	ck_assert(!drill.running && !drill.stopped);
	ck_assert_uint_eq(drill.ended_unix_ms, UNTIL + 5);
	ck_assert(!drill_concerns(&drill, &made.plan, 0));
	ck_assert(drill_is_done(&drill, UNTIL + 5, &row)); /* nobody is waited for */
	ck_assert_str_eq(row.action, "drill-end");
	ck_assert_str_eq(row.reason, "drill of 2 nodes");
	ck_assert(!drill_is_done(&drill, UNTIL + 6, &row));
}
END_TEST

START_TEST(times_are_those_of_each_node_and_each_step)
{
	struct store_action row;

	follow(NOW);
	published(NOW + 1000); /* of something else */
	verdict(0, NODE_DOWN, NOW + 2000);
	verdict(2, NODE_DOWN, NOW + 2001); /* no node of it */
	published(NOW + 2010);
	verdict(1, NODE_DOWN, NOW + 2015);
	drill_served(&drill, NOW + 2020);
	published(NOW + 2030);
	drill_served(&drill, NOW + 2040);
	ck_assert_uint_eq(drill.nodes[0].down_unix_ms[DRILL_PUBLISHED], NOW + 2010);
	ck_assert_uint_eq(drill.nodes[0].down_unix_ms[DRILL_SERVED], NOW + 2020);
	ck_assert_uint_eq(drill.nodes[1].down_unix_ms[DRILL_PUBLISHED], NOW + 2030);
	ck_assert_uint_eq(drill.nodes[1].down_unix_ms[DRILL_SERVED], NOW + 2040);
	orders.count = 0; /* stopped */
	follow(NOW + 10000);
	ck_assert(!drill.running && drill.stopped);
	verdict(0, NODE_UP, NOW + 11000);
	ck_assert(!drill_is_done(&drill, NOW + 11000, &row));
	verdict(1, NODE_UP, NOW + 11500);
	published(NOW + 11500);
	drill_served(&drill, NOW + 11600);
	ck_assert(drill_is_done(&drill, NOW + 12000, &row));
	ck_assert_str_eq(row.reason,
			 "drill of 2 nodes, 2 down after 2.0 to 2.0 s, 2 out of answers "
			 "after 2.0 to 2.0 s, 2 back up after 1.0 to 1.5 s, 2 back in "
			 "answers after 1.6 to 1.6 s");
	ck_assert_str_eq(row.who, "ann");
	ck_assert_uint_eq(row.until_unix_ms, NOW + 10000);
}
END_TEST

START_TEST(who_does_not_come_back_is_waited_for_five_minutes)
{
	struct store_action row;

	follow(NOW);
	verdict(0, NODE_DOWN, NOW + 2000);
	orders.count = 0;
	follow(NOW + 10000);
	ck_assert(!drill_is_done(&drill, NOW + 10000 + DRILL_BACK_MS - 1, &row));
	ck_assert(drill_is_done(&drill, NOW + 10000 + DRILL_BACK_MS, &row));
	ck_assert_str_eq(row.reason, "drill of 2 nodes, 1 down after 2.0 to 2.0 s");
}
END_TEST

START_TEST(another_process_goes_on_with_it)
{
	drill_open(&drill, NOW + 5000);
	follow(NOW + 5001);
	ck_assert(drill.running && drill.resumed);
	ck_assert_uint_eq(drill.order.row.until_unix_ms, UNTIL);
}
END_TEST

/* It goes down and comes up, and steering has it as it was. */
START_TEST(who_is_held_in_answers_did_not_leave_them)
{
	follow(NOW);
	verdict(0, NODE_DOWN, NOW + 2000);
	steered[0].state = STEER_UP;
	published(NOW + 2010);
	drill_served(&drill, NOW + 2020);
	ck_assert_uint_eq(drill.nodes[0].down_unix_ms[DRILL_PUBLISHED], 0);
	drill_look(&drill, &made.plan, steered, NOW + 2100);
	ck_assert(!drill.nodes[0].kept_in); /* steering may still follow */
	drill_look(&drill, &made.plan, steered, NOW + 3000);
	ck_assert(drill.nodes[0].kept_in && !drill.nodes[1].kept_in);
}
END_TEST

START_TEST(who_cannot_come_back_is_not_waited_for)
{
	struct store_action row;

	follow(NOW);
	verdict(0, NODE_DOWN, NOW + 2000);
	verdict(1, NODE_DOWN, NOW + 2000);
	published(NOW + 2010);
	drill_served(&drill, NOW + 2020);
	drill.nodes[1].number = PLAN_NONE; /* it left the files */
	orders.count = 0;
	follow(NOW + 10000);
	verdict(0, NODE_UP, NOW + 11000);
	steered[0].state = STEER_DISABLED;
	drill_look(&drill, &made.plan, steered, NOW + 11000);
	ck_assert(drill.nodes[0].kept_out && drill.nodes[1].gone);
	ck_assert(drill_is_done(&drill, NOW + 11000, &row));
	steered[0].state = STEER_UP;
	published(NOW + 12000); /* enabled: no time of the drill's */
	ck_assert_uint_eq(drill.nodes[0].up_unix_ms[DRILL_PUBLISHED], 0);
}
END_TEST

/* It was stored when one node was served and the other had just fallen. */
START_TEST(times_of_before_a_restart_are_kept)
{
	const struct store_drill stored = { .order = ordered.row };
	const struct store_drill_node stored_nodes[] = {
		{ "edge/tyo-1", false, true, { NOW + 2000, NOW + 2010, NOW + 2020 } },
		{ "edge/tyo-2", false, true, { NOW + 2100 } },
	};
	struct store_action row;

	drill_open(&drill, NOW + 5000);
	drill_restore(&drill, &stored, stored_nodes, 2);
	steered[0].state = steered[1].state = STEER_DOWN;
	follow(NOW + 5001);
	published(NOW + 5002);
	drill_served(&drill, NOW + 5003);
	ck_assert(drill.running && drill.resumed);
	ck_assert_uint_eq(drill.nodes[0].down_unix_ms[DRILL_SERVED], NOW + 2020);
	ck_assert_uint_eq(drill.nodes[1].down_unix_ms[DRILL_VERDICT], NOW + 2100);
	ck_assert_uint_eq(drill.nodes[1].down_unix_ms[DRILL_SERVED], 0); /* nobody knows */
	follow(UNTIL);
	ck_assert(!drill.running && !drill.stopped);
	verdict(0, NODE_UP, UNTIL + 1000);
	verdict(1, NODE_UP, UNTIL + 1000);
	published(UNTIL + 1001);
	drill_served(&drill, UNTIL + 1002);
	ck_assert(drill_is_done(&drill, UNTIL + 1003, &row));
	ck_assert_str_eq(row.reason,
			 "drill of 2 nodes, 2 down after 2.0 to 2.1 s, 1 out of answers "
			 "after 2.0 to 2.0 s, 2 back up after 1.0 to 1.0 s, 2 back in "
			 "answers after 1.0 to 1.0 s");
}
END_TEST

START_TEST(a_drill_that_is_over_is_told_of_after_a_restart)
{
	const struct store_drill stored = { .order = ordered.row,
					    .ended_unix_ms = UNTIL,
					    .told = true };
	struct store_action row;

	orders.count = 0;
	drill_open(&drill, UNTIL + 5000);
	drill_restore(&drill, &stored, NULL, 0);
	follow(UNTIL + 5001);
	ck_assert(drill.known && !drill.running && !drill.resumed);
	ck_assert_uint_eq(drill.ended_unix_ms, UNTIL);
	ck_assert(!drill_is_done(&drill, UNTIL + 5001, &row));
}
END_TEST

START_TEST(a_drill_is_nobodys_admin_state)
{
	struct admin admin[4];

	(void)admin_judge(&orders, &made.plan, NOW, admin);
	for (int n = 0; n < 4; n++)
		ck_assert_int_eq(admin[n].state, ADMIN_ENABLED);
}
END_TEST

void add_drill_cases(Suite *suite)
{
	TCase *tcase = tcase_create("drill");

	tcase_add_checked_fixture(tcase, open_drill, close_drill);
	tcase_add_test(tcase, what_an_order_says_begins_and_ends_with_it);
	tcase_add_test(tcase, times_are_those_of_each_node_and_each_step);
	tcase_add_test(tcase, who_does_not_come_back_is_waited_for_five_minutes);
	tcase_add_test(tcase, another_process_goes_on_with_it);
	tcase_add_test(tcase, who_is_held_in_answers_did_not_leave_them);
	tcase_add_test(tcase, who_cannot_come_back_is_not_waited_for);
	tcase_add_test(tcase, times_of_before_a_restart_are_kept);
	tcase_add_test(tcase, a_drill_that_is_over_is_told_of_after_a_restart);
	tcase_add_test(tcase, a_drill_is_nobodys_admin_state);
	suite_add_tcase(suite, tcase);
}
