#include <stdio.h>
#include <string.h>

#include "../run.h"
#include "../steer/make_plan.h"
#include "base/mem.h"
#include "control/inputs.h"
#include "control_test.h"

static const struct make_site sites[] = { { "tokyo", 35.68, 139.69 }, { "london", 51.51, -0.13 } };
static const struct make_pool pools[] = { { .name = "edge", .sites = "tokyo london" } };
static const struct make_node nodes[] = {
	{ "edge", "tokyo", "a", 100, "192.0.2.1" },
	{ "edge", "tokyo", "b", 50, "192.0.2.2" },
	{ "edge", "tokyo", "c", 0, "192.0.2.3" },
};
static const struct make_plan plan_rows = { .sites = sites,
					    .site_count = 2,
					    .pools = pools,
					    .pool_count = 1,
					    .nodes = nodes,
					    .node_count = 3 };

#define NOW      1000000
#define NOW_MONO 5000000

static struct made made;
static struct node_state states[3];
static struct orders orders;
static struct memory *memory;
static struct inputs *inputs;

static void begin(void)
{
	memset(states, 0, sizeof(states));
	for (int n = 0; n < 3; n++)
		states[n].weight_percent = 100;
	made = make_images(&plan_rows);
	memory = memory_new();
	inputs = inputs_new(&made.plan, &orders, memory, NULL);
}

static void end(void)
{
	inputs_free(inputs);
	memory_free(memory);
	orders_close(&orders);
	made_close(&made);
}

static const struct node_state *state_of(const void *context, uint32_t node)
{
	(void)context;
	return &states[node];
}

static bool update(void)
{
	return inputs_update(inputs, state_of, NULL, NOW, NOW_MONO);
}

static void order_for(enum order_action action, const char *object, uint64_t from_ms,
		      uint64_t until_ms)
{
	struct order made_up = { .action = action };

	ck_assert(object_parse(object, &made_up.object));
	made_up.row.weight = 7;
	made_up.row.from_unix_ms = from_ms;
	made_up.row.until_unix_ms = until_ms;
	array_add(orders.list, orders.count, orders.cap) = made_up;
	inputs_orders_changed(inputs);
}

static void order(enum order_action action, const char *object)
{
	order_for(action, object, 0, 0);
}

static void set(uint32_t node, enum node_status status, uint64_t since_ms)
{
	states[node].status = status;
	states[node].since_unix_ms = since_ms;
}

/* The steered states of the nodes, a letter each. */
static const char *steered(void)
{
	static char text[4];

	for (int n = 0; n < 3; n++)
		text[n] = "DXdU"[inputs->nodes[n].state];
	return text;
}

START_TEST(nodes_are_steered_by_verdict_and_order)
{
	ck_assert(update());
	ck_assert(!update());               /* nothing is new */
	ck_assert_str_eq(steered(), "UUU"); /* unknown counts as up */
	set(0, NODE_DOWN, NOW);
	ck_assert(update());
	ck_assert_str_eq(steered(), "DUU");
	order(ORDER_DRAIN, "pool:edge");
	ck_assert(update());
	ck_assert_str_eq(steered(), "Ddd");
	order(ORDER_DISABLE, "node:edge/a");
	ck_assert(update());
	ck_assert_str_eq(steered(), "Xdd");
	order(ORDER_WEIGHT, "node:edge/b");
	ck_assert(update());
	ck_assert_uint_eq(inputs->nodes[1].weight, 7);
	ck_assert_uint_eq(inputs->nodes[0].weight, 100);
	ck_assert_uint_eq(inputs->nodes[0].level, STEER_ALL);
	ck_assert(!update());
}
END_TEST

START_TEST(answers_of_a_node_that_may_be_down_soon_hold_until_then)
{
	states[1].verdict_within_ms = 10001;
	ck_assert(update());
	ck_assert_uint_eq(inputs->nodes[0].ttl_s, 0);
	ck_assert_uint_eq(inputs->nodes[1].ttl_s, 11);
	states[1].verdict_within_ms = 0;
	ck_assert(update());
	ck_assert_uint_eq(inputs->nodes[1].ttl_s, 0);
}
END_TEST

/* The TTLs of all nodes at a time, "-": as usual. */
static const char *ttls_at(uint64_t now_ms)
{
	static char text[64];
	size_t len = 0;

	(void)inputs_update(inputs, state_of, NULL, now_ms, NOW_MONO);
	for (int n = 0; n < 3; n++) {
		uint32_t ttl_s = inputs->nodes[n].ttl_s;

		len += (size_t)snprintf(text + len, sizeof(text) - len, ttl_s == 0 ? "-" : "%u",
					ttl_s);
		text[len++] = n < 2 ? ' ' : '\0';
	}
	return text;
}

START_TEST(answers_hold_until_a_planned_change_of_state)
{
	ck_assert_str_eq(ttls_at(NOW), "- - -");
	order_for(ORDER_DRAIN, "node:edge/b", NOW + 100000, NOW + 200000);
	ck_assert_str_eq(ttls_at(NOW), "- 64 -");
	ck_assert_str_eq(ttls_at(NOW + 80000), "- 16 -");
	ck_assert_str_eq(ttls_at(NOW + 99500), "- 1 -");
	/* It comes back to take its clients from a and c. */
	ck_assert_str_eq(ttls_at(NOW + 100000), "64 64 64");
	ck_assert_str_eq(ttls_at(NOW + 195000), "4 4 4");
	states[0].verdict_within_ms = 1500;
	ck_assert_str_eq(ttls_at(NOW + 195000), "2 4 4"); /* whatever is nearer */
	states[0].verdict_within_ms = 0;
	ck_assert_str_eq(ttls_at(NOW + 200000), "- - -");
}
END_TEST

START_TEST(a_node_that_is_down_does_not_return_when_its_window_ends)
{
	order_for(ORDER_DRAIN, "node:edge/b", 0, NOW + 10000);
	set(1, NODE_DOWN, NOW);
	ck_assert_str_eq(ttls_at(NOW), "- 8 -");
}
END_TEST

START_TEST(last_good_are_those_that_went_down_last_but_no_disabled_ones)
{
	set(0, NODE_DOWN, NOW - 9000);
	(void)update();
	ck_assert(!inputs->last_good[0]);
	ck_assert(inputs->last_good[1]);
	set(1, NODE_DOWN, NOW - 5000);
	set(2, NODE_DOWN, NOW - 5000);
	(void)update();
	ck_assert(!inputs->last_good[0]); /* was down long before */
	ck_assert(inputs->last_good[1]);
	ck_assert(inputs->last_good[2]);
	order(ORDER_DISABLE, "node:edge/b");
	(void)update();
	ck_assert(!inputs->last_good[1]);
	ck_assert(inputs->last_good[2]);
}
END_TEST

START_TEST(a_node_whose_family_is_down_is_answered_for_the_other_one)
{
	states[0].down_families = FAMILY_V6;
	ck_assert(update());
	ck_assert_str_eq(steered(), "UUU");
	ck_assert_uint_eq(inputs->nodes[0].families, STEER_IPV4);
	ck_assert_uint_eq(inputs->nodes[1].families, STEER_FAMILIES);
	ck_assert(!update());
	states[0].down_families = FAMILIES_ALL;
	set(0, NODE_DOWN, NOW);
	ck_assert(update());
	ck_assert_uint_eq(inputs->nodes[0].families, STEER_FAMILIES); /* under a fallback: whole */
}
END_TEST

START_TEST(who_is_forced_is_up_or_down_whatever_probes_say)
{
	set(0, NODE_DOWN, NOW - 9000);
	states[1].down_families = FAMILY_V6;
	states[1].verdict_within_ms = 5000;
	order(ORDER_FORCE_UP, "pool:edge");
	ck_assert(update());
	ck_assert_str_eq(steered(), "UUU");
	ck_assert_uint_eq(inputs->nodes[1].families, STEER_FAMILIES);
	ck_assert_uint_eq(inputs->nodes[1].ttl_s, 0);
	order(ORDER_FORCE_DOWN, "node:edge/c");
	ck_assert(update());
	ck_assert_str_eq(steered(), "UUD");
	order(ORDER_DRAIN, "node:edge/a");
	ck_assert(update());
	ck_assert_str_eq(steered(), "dUD"); /* up, and drained */
	order(ORDER_DISABLE, "node:edge/b");
	ck_assert(update());
	ck_assert_str_eq(steered(), "dXD");
}
END_TEST

START_TEST(who_is_forced_down_does_not_count_as_down_by_probes)
{
	order(ORDER_FORCE_DOWN, "node:edge/a");
	order(ORDER_FORCE_DOWN, "node:edge/b");
	ck_assert(update());
	ck_assert_str_eq(steered(), "DDU");
	ck_assert(!inputs->caps[0].over);
	ck_assert_uint_eq(inputs->caps[0].counted, 1);
	set(2, NODE_DOWN, NOW);
	(void)update();
	ck_assert(inputs->caps[0].over);
}
END_TEST

START_TEST(answers_hold_until_a_force_ends_where_that_changes_them)
{
	order_for(ORDER_FORCE_UP, "node:edge/b", 0, NOW + 100000);
	ck_assert_str_eq(ttls_at(NOW), "- - -"); /* its probes say the same */
	set(1, NODE_DOWN, NOW);
	ck_assert_str_eq(ttls_at(NOW), "- 64 -");
	set(1, NODE_UP, NOW);
	order_for(ORDER_FORCE_DOWN, "node:edge/a", 0, NOW + 50000);
	ck_assert_str_eq(ttls_at(NOW), "32 32 32"); /* it takes its clients back */
}
END_TEST

START_TEST(a_pool_whose_agents_all_want_maintenance_falls_back)
{
	for (int n = 0; n < 3; n++)
		states[n].wish = WISH_MAINT;
	ck_assert(update());
	ck_assert_str_eq(steered(), "DDD");
	ck_assert(inputs->last_good[0] && inputs->last_good[1] && inputs->last_good[2]);
	order(ORDER_DISABLE, "node:edge/b");
	ck_assert(update());
	ck_assert_str_eq(steered(), "DXD");
	ck_assert(!inputs->last_good[1]);
}
END_TEST

START_TEST(agents_drain_and_disable_unless_an_operator_says_otherwise)
{
	states[0].wish = WISH_DRAIN;
	states[1].wish = WISH_MAINT;
	states[2].wish = WISH_READY;
	ck_assert(update());
	ck_assert_str_eq(steered(), "dDU"); /* a fallback may have the second one */
	ck_assert(inputs->stances[1].wished);
	ck_assert(!inputs->stances[2].wished);
	ck_assert_uint_eq(inputs->caps[0].counted, 1); /* they were taken out on purpose */
	order(ORDER_DRAIN, "pool:edge");
	ck_assert(update());
	ck_assert_str_eq(steered(), "ddd");
	ck_assert(!inputs->stances[1].wished);
	orders.count = 0;
	order(ORDER_FORCE_UP, "pool:edge");
	ck_assert(update());
	ck_assert_str_eq(steered(), "UUU");
}
END_TEST

START_TEST(agents_percent_is_a_factor_of_the_weight_unless_an_operator_has_set_one)
{
	states[0].weight_percent = 25;
	states[1].weight_percent = 200;
	states[2].weight_percent = 0;
	ck_assert(update());
	ck_assert_uint_eq(inputs->nodes[0].weight, 100);
	ck_assert_uint_eq(inputs->nodes[0].level, STEER_ALL / 4);
	ck_assert_uint_eq(inputs->nodes[1].weight, 100);
	ck_assert_uint_eq(inputs->nodes[1].level, STEER_ALL);
	ck_assert_uint_eq(inputs->nodes[2].level, 0);
	order(ORDER_WEIGHT, "node:edge/a");
	order(ORDER_WEIGHT, "node:edge/b");
	ck_assert(update());
	ck_assert_uint_eq(inputs->nodes[0].weight, 7);
	ck_assert_uint_eq(inputs->nodes[0].level, STEER_ALL);
	ck_assert_uint_eq(inputs->nodes[1].weight, 7);
}
END_TEST

START_TEST(one_word_says_how_a_node_is)
{
	static const struct {
		enum node_status status;
		bool degraded;
		enum probe_wish wish;
		bool ramping;
		const char *word;
	} rows[] = {
		{ NODE_UNKNOWN, false, WISH_NONE, false, "unknown" },
		{ NODE_UP, false, WISH_READY, false, "up" },
		{ NODE_UP, true, WISH_NONE, false, "degraded" },
		{ NODE_UP, true, WISH_NONE, true, "ramping" },
		{ NODE_UP, true, WISH_DRAIN, true, "draining" },
		{ NODE_DOWN, false, WISH_DRAIN, false, "down" },
		{ NODE_DOWN, false, WISH_MAINT, false, "disabled" },
	};
	const struct admin none = { .order = ADMIN_NONE,
				    .window = ADMIN_NONE,
				    .forced_up = ADMIN_NONE,
				    .weight_order = ADMIN_NONE };
	struct admin forced = none;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct node_state state = { .status = rows[i].status,
						  .degraded = rows[i].degraded,
						  .wish = rows[i].wish };
		struct stance stance = stance_of(&none, &orders, &state);

		ck_assert_str_eq(condition_name[condition_of(&stance, &state, rows[i].ramping)],
				 rows[i].word);
		forced.forced_up = 0;
		stance = stance_of(&forced, &orders, &state);
		ck_assert_str_eq(condition_name[condition_of(&stance, &state, rows[i].ramping)],
				 "forced");
		ck_assert_str_eq(stance_state_name(&stance), "forced-up");
	}
}
END_TEST

START_TEST(alarm_goes_on_when_the_plan_is_replaced)
{
	struct inputs *next;
	uint64_t since_ms;

	set(0, NODE_DOWN, NOW - 9000);
	set(1, NODE_DOWN, NOW - 5000);
	(void)update();
	ck_assert(inputs->caps[0].over); /* 2 of 3, and 50 % may be */
	since_ms = inputs->caps[0].since_unix_ms;
	ck_assert_uint_eq(since_ms, NOW - 5000);
	set(0, NODE_UP, NOW);
	next = inputs_new(&made.plan, &orders, memory, inputs);
	inputs_free(inputs);
	inputs = next;
	(void)update();
	ck_assert(inputs->caps[0].over); /* one fewer is needed to end it */
	ck_assert_uint_eq(inputs->caps[0].since_unix_ms, since_ms);
	set(1, NODE_UP, NOW);
	(void)update();
	ck_assert(!inputs->caps[0].over);
}
END_TEST

START_TEST(load_is_remembered_over_plans_and_counts_while_it_is_fresh)
{
	const struct node_load load = { 0.83, NOW - 1000 };
	uint32_t age_ms = plan_items(&made.plan, pools, struct plan_pool)[0].load_age_ms;

	memory_keep_load(memory, "edge/b", &load);
	inputs_free(inputs);
	inputs = inputs_new(&made.plan, &orders, memory, NULL);
	ck_assert(inputs->loads[1].load == 0.83);
	ck_assert(inputs_load_counts(inputs, 1, NOW - 1000 + age_ms));
	ck_assert(!inputs_load_counts(inputs, 1, NOW - 1000 + age_ms + 1));
	ck_assert(!inputs_load_counts(inputs, 0, NOW));      /* never told */
	ck_assert_ptr_null(memory_recall(memory, "edge/b")); /* a load is no status */
}
END_TEST

/* --- weights that follow load -------------------------------------------------------------------- */

static const struct make_pool following[] = { { .name = "edge",
						.sites = "tokyo london",
						.load = { .on = 1,
							  .loss_percent = 20,
							  .rtt_ms = 100,
							  .low_percent = 60,
							  .high_percent = 100,
							  .floor_percent = 20,
							  .step_percent = 100,
							  .stale_ms = 60000 } } };

/* The pool follows load from here on. */
static void follow_load(void)
{
	struct make_plan rows = plan_rows;

	end();
	rows.pools = following;
	memset(states, 0, sizeof(states));
	for (int n = 0; n < 3; n++)
		states[n].weight_percent = 100;
	made = make_images(&rows);
	memory = memory_new();
	inputs = inputs_new(&made.plan, &orders, memory, NULL);
}

START_TEST(a_report_lowers_the_level_of_a_node_whose_pool_follows_load)
{
	const struct node_load load = { 0.8, NOW };

	(void)update();
	inputs_report(inputs, 1, &load, NOW_MONO);
	ck_assert(!update()); /* it does not follow */
	follow_load();
	(void)update();
	inputs_report(inputs, 1, &load, NOW_MONO);
	ck_assert(update());
	ck_assert_uint_eq(inputs->nodes[0].level, STEER_ALL);
	ck_assert_uint_eq(inputs->nodes[1].level, STEER_ALL * 6 / 10);
	ck_assert_uint_eq(inputs->nodes[1].weight, 50);
}
END_TEST

START_TEST(the_highest_of_report_and_readings_counts)
{
	const struct node_load load = { 0.7, NOW };

	follow_load();
	inputs_report(inputs, 0, &load, NOW_MONO);
	inputs_reading(inputs, 0, "cpu", 0.9, NOW_MONO);
	inputs_reading(inputs, 0, "memory", 0.2, NOW_MONO);
	(void)update();
	ck_assert_uint_eq(inputs->nodes[0].level, STEER_ALL * 4 / 10);
	ck_assert_str_eq(inputs->follows[0].signals[inputs->follows[0].highest].name, "cpu");
}
END_TEST

START_TEST(loss_and_round_trip_time_of_the_last_probes_are_signals)
{
	follow_load();
	for (int i = 0; i < 9; i++)
		inputs_probed(inputs, 0, i % 5 == 0, 20000, NOW_MONO);
	ck_assert_uint_eq(inputs->follows[0].count, 0); /* too few to tell */
	inputs_probed(inputs, 0, false, 20000, NOW_MONO);
	ck_assert_uint_eq(inputs->follows[0].count, 2);
	ck_assert_str_eq(inputs->follows[0].signals[0].name, "probe-loss");
	ck_assert_double_eq_tol(inputs->follows[0].signals[0].use, 1, 1e-9); /* 2 of 10 */
	ck_assert_str_eq(inputs->follows[0].signals[1].name, "probe-rtt");
	ck_assert_double_eq_tol(inputs->follows[0].signals[1].use, 0.2, 1e-9);
	for (int i = 0; i < INPUTS_WINDOW; i++) /* the others are forgotten */
		inputs_probed(inputs, 0, false, 80000, NOW_MONO);
	ck_assert_double_eq_tol(inputs->follows[0].signals[0].use, 0, 1e-9);
	ck_assert_double_eq_tol(inputs->follows[0].signals[1].use, 0.8, 1e-9);
	(void)update();
	ck_assert_uint_eq(inputs->nodes[0].level, STEER_ALL * 6 / 10);
}
END_TEST

START_TEST(signals_and_levels_go_on_in_the_next_plan)
{
	const struct node_load load = { 0.9, NOW };
	struct inputs *next;

	follow_load();
	inputs_report(inputs, 1, &load, NOW_MONO);
	(void)update();
	next = inputs_new(&made.plan, &orders, memory, inputs);
	inputs_free(inputs);
	inputs = next;
	(void)update();
	ck_assert_uint_eq(inputs->nodes[1].level, STEER_ALL * 4 / 10);
	ck_assert_uint_eq(inputs->nodes[0].level, STEER_ALL);
}
END_TEST

START_TEST(signals_of_sources_that_are_gone_are_forgotten_in_the_next_plan)
{
	struct inputs *next;

	follow_load();
	inputs_reading(inputs, 1, "cpu", 0.9, NOW_MONO);
	inputs_reading(inputs, 1, SIGNAL_RTT, 0.7, NOW_MONO);
	inputs_reading(inputs, 1, "memory", 0.8, NOW_MONO);
	(void)update();
	ck_assert_uint_eq(inputs->nodes[1].level, STEER_ALL * 4 / 10);
	next = inputs_new(&made.plan, &orders, memory, inputs); /* it has no sources */
	inputs_free(inputs);
	inputs = next;
	ck_assert_uint_eq(inputs->follows[1].count, 1);
	(void)update();
	ck_assert_uint_eq(inputs->nodes[1].level, STEER_ALL * 8 / 10);
	ck_assert_str_eq(inputs->follows[1].signals[0].name, SIGNAL_RTT);
}
END_TEST

START_TEST(a_report_to_the_process_before_counts_by_its_age)
{
	const struct node_load load = { 0.8, NOW - 90000 };

	follow_load();
	memory_keep_load(memory, "edge/b", &load);
	inputs_free(inputs);
	inputs = inputs_new(&made.plan, &orders, memory, NULL);
	(void)update();
	ck_assert_uint_eq(inputs->nodes[1].level, STEER_ALL * 8 / 10); /* half its say is gone */
	ck_assert_int_eq(inputs->follows[1].cause, LOAD_FADING);
}
END_TEST

START_TEST(site_that_spilled_over_before_a_restart_goes_on_between_its_marks)
{
	memory_keep_spilling(memory, "edge/b", true);
	inputs_free(inputs);
	inputs = inputs_new(&made.plan, &orders, memory, NULL);
	ck_assert(inputs->sites[0].spilling);
	ck_assert(!inputs->sites[1].spilling);
	(void)update(); /* without a report nothing spills */
	ck_assert(!inputs->sites[0].spilling);
}
END_TEST

void add_inputs_cases(Suite *suite)
{
	TCase *tcase = tcase_create("inputs");

	tcase_add_checked_fixture(tcase, begin, end);
	tcase_add_test(tcase, nodes_are_steered_by_verdict_and_order);
	tcase_add_test(tcase, answers_of_a_node_that_may_be_down_soon_hold_until_then);
	tcase_add_test(tcase, answers_hold_until_a_planned_change_of_state);
	tcase_add_test(tcase, a_node_that_is_down_does_not_return_when_its_window_ends);
	tcase_add_test(tcase, last_good_are_those_that_went_down_last_but_no_disabled_ones);
	tcase_add_test(tcase, a_node_whose_family_is_down_is_answered_for_the_other_one);
	tcase_add_test(tcase, who_is_forced_is_up_or_down_whatever_probes_say);
	tcase_add_test(tcase, who_is_forced_down_does_not_count_as_down_by_probes);
	tcase_add_test(tcase, answers_hold_until_a_force_ends_where_that_changes_them);
	tcase_add_test(tcase, a_pool_whose_agents_all_want_maintenance_falls_back);
	tcase_add_test(tcase, agents_drain_and_disable_unless_an_operator_says_otherwise);
	tcase_add_test(tcase,
		       agents_percent_is_a_factor_of_the_weight_unless_an_operator_has_set_one);
	tcase_add_test(tcase, one_word_says_how_a_node_is);
	tcase_add_test(tcase, alarm_goes_on_when_the_plan_is_replaced);
	tcase_add_test(tcase, site_that_spilled_over_before_a_restart_goes_on_between_its_marks);
	tcase_add_test(tcase, load_is_remembered_over_plans_and_counts_while_it_is_fresh);
	tcase_add_test(tcase, a_report_lowers_the_level_of_a_node_whose_pool_follows_load);
	tcase_add_test(tcase, the_highest_of_report_and_readings_counts);
	tcase_add_test(tcase, loss_and_round_trip_time_of_the_last_probes_are_signals);
	tcase_add_test(tcase, signals_and_levels_go_on_in_the_next_plan);
	tcase_add_test(tcase, signals_of_sources_that_are_gone_are_forgotten_in_the_next_plan);
	tcase_add_test(tcase, a_report_to_the_process_before_counts_by_its_age);
	suite_add_tcase(suite, tcase);
}
