/* The way back of a node that was down: its level, and what that makes of its share. */
#include <math.h>
#include <string.h>

#include "../run.h"
#include "../steer/compiled.h"
#include "../steer/shares.h"
#include "control/inputs.h"
#include "control_test.h"
#include "image/steering.h"

/* --- one node's level --------------------------------------------------------------------------- */

static const struct ramp_settings usual = { .time_ms = 60000, .percent = 10 };

#define BACK 1000000

/* Down before, and up again at BACK: the level some time later, in percent, rounded. */
static long percent_after(const struct ramp_settings *settings, uint64_t elapsed_ms)
{
	struct ramp ramp = { 0 };

	(void)ramp_look(&ramp, settings, 0, true, BACK - 1);
	return lround(100. * ramp_look(&ramp, settings, BACK, false, BACK + elapsed_ms) / RAMP_ALL);
}

START_TEST(level_rises_linearly_to_all)
{
	ck_assert_int_eq(percent_after(&usual, 0), 10);
	ck_assert_int_eq(percent_after(&usual, 2999), 10);
	ck_assert_int_eq(percent_after(&usual, 30000), 55);
	ck_assert_int_eq(percent_after(&usual, 56999), 91);
	ck_assert_int_eq(percent_after(&usual, 60000), 100);
	ck_assert_int_eq(percent_after(&(struct ramp_settings){ 0, 10 }, 0), 100);
	ck_assert_int_eq(percent_after(&(struct ramp_settings){ 60000, 100 }, 0), 100);
}
END_TEST

/* No matter how long it takes, images are not made for it more than once a second. */
START_TEST(level_has_few_steps)
{
	static const uint32_t times_ms[] = { 500, 1000, 2500, 10000, 60000, 3600000 };

	for (size_t i = 0; i < sizeof(times_ms) / sizeof(times_ms[0]); i++) {
		const struct ramp_settings settings = { times_ms[i], 1 };
		struct ramp ramp = { 0 };
		uint16_t before = 0;
		uint64_t at = 0;
		unsigned steps = 0;

		(void)ramp_look(&ramp, &settings, 0, true, BACK - 1);
		for (uint64_t ms = 0; ms <= times_ms[i]; ms += 50) {
			uint16_t level = ramp_look(&ramp, &settings, BACK, false, BACK + ms);

			ck_assert_uint_ge(level, before);
			if (level == before)
				continue;
			if (steps > 0 && times_ms[i] >= 1000)
				ck_assert_uint_ge(ms - at, 1000);
			at = ms;
			before = level;
			steps++;
		}
		ck_assert_uint_eq(before, RAMP_ALL);
		ck_assert_uint_le(steps, RAMP_STEPS + 1);
	}
}
END_TEST

START_TEST(there_is_no_ramp_of_who_was_never_out)
{
	struct ramp ramp = { 0 };

	/* The first look after a start, whatever happened before it. */
	ck_assert_uint_eq(ramp_look(&ramp, &usual, BACK, false, BACK + 1), RAMP_ALL);
	ck_assert_uint_eq(ramp_look(&ramp, &usual, BACK + 5, false, BACK + 6), RAMP_ALL);
	ck_assert(!ramp.runs);
}
END_TEST

START_TEST(who_goes_down_again_begins_again)
{
	struct ramp ramp = { 0 };

	(void)ramp_look(&ramp, &usual, 0, true, BACK - 1);
	ck_assert_uint_lt(ramp_look(&ramp, &usual, BACK, false, BACK + 30000), RAMP_ALL);
	ck_assert_uint_eq(ramp_look(&ramp, &usual, BACK, true, BACK + 40000), RAMP_ALL);
	ck_assert_uint_eq(ramp_look(&ramp, &usual, BACK, false, BACK + 41000), RAMP_ALL);
	(void)ramp_look(&ramp, &usual, BACK, true, BACK + 50000);
	ck_assert_uint_eq(ramp_look(&ramp, &usual, BACK + 55000, false, BACK + 55000),
			  RAMP_ALL / 10);
}
END_TEST

/* --- what it makes of answers ------------------------------------------------------------------- */

static const struct make_site sites[] = { { "tokyo", 35.68, 139.69 }, { "london", 51.51, -0.13 } };
static const struct make_pool pools[] = { { .name = "edge", .sites = "tokyo london" } };
static const struct make_node nodes[] = {
	{ "edge", "tokyo", "a", 100, "192.0.2.1" },
	{ "edge", "tokyo", "b", 300, "192.0.2.2" },
	{ "edge", "london", "c", 100, "192.0.2.3" },
};
static const struct make_pref prefs[] = { { "edge", "tokyo london", false } };
static const struct make_record records[] = { { "vpn.example.net.", "edge", NULL, 30 } };
static const struct make_plan plan_rows = { .sites = sites,
					    .site_count = 2,
					    .pools = pools,
					    .pool_count = 1,
					    .nodes = nodes,
					    .node_count = 3,
					    .prefs = prefs,
					    .pref_count = 1,
					    .records = records,
					    .record_count = 1 };

static struct compiled compiled;
static struct node_state states[3];
static struct orders orders;
static struct memory *memory;
static struct inputs *inputs;

static const struct node_state *state_of(const void *context, uint32_t node)
{
	(void)context;
	return &states[node];
}

/* As control does: what holds, and steering from it. */
static bool look(uint64_t mono_ms)
{
	bool changed = inputs_update(inputs, state_of, NULL, 1000000, mono_ms);
	bool yields[3];

	memcpy(compiled.nodes, inputs->nodes, sizeof(struct steer_node) * 3);
	compiled_update(&compiled);
	steer_find_yielding(compiled.steer, inputs->ramp_levels, yields);
	inputs_end_ramps(inputs, yields);
	return changed;
}

static void begin(void)
{
	compiled_open(&compiled, &plan_rows);
	memory = memory_new();
	inputs = inputs_new(&compiled.made.plan, &orders, memory, NULL);
	for (int n = 0; n < 3; n++)
		states[n] = (struct node_state){ .status = NODE_UP, .weight_percent = 100 };
	(void)look(0);
}

static void end(void)
{
	inputs_free(inputs);
	memory_free(memory);
	orders_close(&orders);
	compiled_close(&compiled);
}

static void knock_out(uint32_t node, uint64_t mono_ms)
{
	states[node].status = NODE_DOWN;
	(void)look(mono_ms);
}

static void recover(uint32_t node, uint64_t mono_ms)
{
	states[node].status = NODE_UP;
	states[node].recovered_mono_ms = mono_ms;
	(void)look(mono_ms);
}

static double share_of(uint32_t node)
{
	struct steering_shares list = { 0 };
	double share = 0;

	steering_shares_add_record(&list, &compiled.image, &compiled.made.geo, 0, 0, 1);
	for (uint32_t i = 0; i < list.count; i++)
		if (list.list[i].node == node)
			share += list.list[i].share;
	steering_shares_free(&list);
	return share;
}

START_TEST(share_follows_the_level)
{
	double before = 0;
	unsigned images = 0;

	ck_assert_double_eq_tol(share_of(1), 0.75, 1e-3);
	knock_out(1, BACK - 10000);
	ck_assert_double_eq_tol(share_of(0), 1, 1e-9);
	recover(1, BACK);
	for (uint64_t s = 0; s < 60; s++) {
		double part = 0.1 + 0.9 * (double)(s / 3) / 20, share;

		images += look(BACK + s * 1000);
		share = share_of(1);
		/* By weight x level; what is given up is drawn cell by cell. */
		ck_assert_double_eq_tol(share, 300 * part / (300 * part + 100), 0.01);
		ck_assert_double_ge(share, before);
		before = share;
	}
	ck_assert_uint_eq(images, 19);
	ck_assert(look(BACK + 60000));
	ck_assert_double_eq_tol(share_of(1), 0.75, 1e-3);
	ck_assert(!inputs_are_ramping(inputs));
}
END_TEST

START_TEST(who_is_alone_in_its_band_serves_all_at_once)
{
	knock_out(0, BACK - 20000);
	knock_out(1, BACK - 10000);
	ck_assert_double_eq_tol(share_of(2), 1, 1e-9); /* London stands in */
	recover(1, BACK);
	ck_assert_double_eq_tol(share_of(1), 1, 1e-9);
	(void)look(BACK + 1000);
	ck_assert(!inputs_are_ramping(inputs));
	ck_assert_uint_eq(inputs->nodes[1].level, STEER_ALL);
	recover(0, BACK + 5000); /* that one has somebody to leave clients to */
	ck_assert_double_eq_tol(share_of(0), 10. / (10 + 300), 0.01);
	ck_assert(inputs_are_ramping(inputs));
}
END_TEST

START_TEST(those_that_come_back_together_share_at_once)
{
	knock_out(0, BACK - 20000);
	knock_out(1, BACK - 10000);
	states[0].status = states[1].status = NODE_UP;
	states[0].recovered_mono_ms = states[1].recovered_mono_ms = BACK;
	(void)look(BACK + 5);
	(void)look(BACK + 1000);
	ck_assert(!inputs_are_ramping(inputs));
	ck_assert_double_eq_tol(share_of(0), 0.25, 1e-3);
}
END_TEST

START_TEST(a_ramp_goes_on_in_the_next_plan_but_not_after_a_restart)
{
	struct inputs *next;

	knock_out(1, BACK - 10000);
	recover(1, BACK);
	next = inputs_new(&compiled.made.plan, &orders, memory, inputs);
	inputs_free(inputs);
	inputs = next;
	(void)look(BACK + 3000);
	ck_assert_double_eq_tol(share_of(1), 300 * 0.145 / (300 * 0.145 + 100), 0.01);
	inputs_free(inputs);
	inputs = inputs_new(&compiled.made.plan, &orders, memory, NULL);
	(void)look(BACK + 4000);
	ck_assert_double_eq_tol(share_of(1), 0.75, 1e-3);
}
END_TEST

START_TEST(the_first_verdict_after_a_start_needs_no_ramp)
{
	inputs_free(inputs);
	inputs = inputs_new(&compiled.made.plan, &orders, memory, NULL);
	states[1].adopted = true;
	knock_out(1, BACK - 10000);
	states[1].adopted = false;
	recover(1, BACK);
	ck_assert_double_eq_tol(share_of(1), 0.75, 1e-3);
}
END_TEST

START_TEST(level_is_a_part_of_what_agents_ask_for)
{
	states[1].weight_percent = 50;
	knock_out(1, BACK - 10000);
	recover(1, BACK);
	ck_assert_uint_eq(inputs->nodes[1].level, STEER_ALL / 20);
	(void)look(BACK + 60000);
	ck_assert_uint_eq(inputs->nodes[1].level, STEER_ALL / 2);
	ck_assert_double_eq_tol(share_of(1), 150. / 250, 0.01);
}
END_TEST

void add_ramp_cases(Suite *suite)
{
	TCase *levels = tcase_create("ramp"), *shares = tcase_create("shares of ramps");

	tcase_add_test(levels, level_rises_linearly_to_all);
	tcase_add_test(levels, level_has_few_steps);
	tcase_add_test(levels, there_is_no_ramp_of_who_was_never_out);
	tcase_add_test(levels, who_goes_down_again_begins_again);
	suite_add_tcase(suite, levels);
	tcase_add_checked_fixture(shares, begin, end);
	tcase_add_test(shares, share_follows_the_level);
	tcase_add_test(shares, who_is_alone_in_its_band_serves_all_at_once);
	tcase_add_test(shares, those_that_come_back_together_share_at_once);
	tcase_add_test(shares, a_ramp_goes_on_in_the_next_plan_but_not_after_a_restart);
	tcase_add_test(shares, the_first_verdict_after_a_start_needs_no_ramp);
	tcase_add_test(shares, level_is_a_part_of_what_agents_ask_for);
	suite_add_tcase(suite, shares);
}
