#include <math.h>
#include <stdio.h>

#include "../run.h"
#include "control/load.h"
#include "load_sim.h"

/* --- one node --------------------------------------------------------------------------------- */

static const struct plan_load plain = { .on = 1,
					.low_percent = 60,
					.high_percent = 100,
					.floor_percent = 20,
					.step_percent = 100,
					.stale_ms = 60000 };

/* As in signpost-load(5). */
static const struct plan_load defaults = { .on = 1,
					   .low_percent = 60,
					   .high_percent = 100,
					   .floor_percent = 25,
					   .step_percent = 10,
					   .smoothing_ms = 600000,
					   .dwell_ms = 300000,
					   .stale_ms = 300000 };

static double part(const struct load_node *node)
{
	return (double)node->level / LOAD_LEVEL_ALL;
}

START_TEST(a_use_asks_for_all_up_to_the_low_mark_and_for_the_floor_from_the_high_mark_on)
{
	static const struct {
		double use, part;
	} rows[] = { { 0, 1 },     { 0.6, 1 },   { 0.7, 0.8 }, { 0.8, 0.6 },
		     { 0.9, 0.4 }, { 1.0, 0.2 }, { 1.5, 0.2 }, { 10, 0.2 } };

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		ck_assert_double_eq_tol(load_part(&plain, rows[i].use), rows[i].part, 1e-9);
}
END_TEST

START_TEST(the_highest_of_a_nodes_signals_counts)
{
	struct load_node node = LOAD_NODE;

	load_report(&node, &plain, "cpu", 0.5, 0);
	load_report(&node, &plain, "memory", 0.8, 0);
	load_report(&node, &plain, "sessions", 0.7, 0);
	ck_assert(load_update(&node, &plain, 0));
	ck_assert_double_eq_tol(part(&node), 0.6, 1e-4);
	ck_assert_str_eq(node.signals[node.highest].name, "memory");
	ck_assert_int_eq(node.cause, LOAD_BETWEEN);
	load_free(&node);
}
END_TEST

START_TEST(of_signals_below_the_low_mark_the_highest_is_told)
{
	struct load_node node = LOAD_NODE;

	load_report(&node, &plain, "cpu", 0.1, 0);
	load_report(&node, &plain, "memory", 0.5, 0);
	load_report(&node, &plain, "sessions", 0.3, 0);
	ck_assert(!load_update(&node, &plain, 0));
	ck_assert_uint_eq(node.level, LOAD_LEVEL_ALL);
	ck_assert_str_eq(node.signals[node.highest].name, "memory");
	ck_assert_int_eq(node.cause, LOAD_LOW);
	load_free(&node);
}
END_TEST

START_TEST(a_node_without_signals_keeps_its_weight)
{
	struct load_node node = LOAD_NODE;

	ck_assert(!load_update(&node, &plain, 1000));
	ck_assert_uint_eq(node.level, LOAD_LEVEL_ALL);
	ck_assert_int_eq(node.cause, LOAD_UNKNOWN);
	load_free(&node);
}
END_TEST

START_TEST(what_is_no_number_or_negative_is_not_heard)
{
	struct load_node node = LOAD_NODE;

	load_report(&node, &plain, "cpu", NAN, 0);
	load_report(&node, &plain, "cpu", -0.1, 0);
	ck_assert_uint_eq(node.count, 0);
	load_report(&node, &plain, "cpu", INFINITY, 0);
	ck_assert_double_eq(node.signals[0].smoothed, LOAD_USE_MAX);
	load_free(&node);
}
END_TEST

START_TEST(a_use_that_jumps_counts_by_63_percent_after_the_time_constant)
{
	struct plan_load smooth = plain;
	struct load_node often = LOAD_NODE, seldom = LOAD_NODE;

	smooth.smoothing_ms = 60000;
	load_report(&often, &smooth, "cpu", 0, 0);
	load_report(&seldom, &smooth, "cpu", 0, 0);
	for (uint64_t ms = 1000; ms <= 60000; ms += 1000)
		load_report(&often, &smooth, "cpu", 1, ms);
	load_report(&seldom, &smooth, "cpu", 1, 60000);
	ck_assert_double_eq_tol(often.signals[0].smoothed, 1 - exp(-1), 1e-9);
	ck_assert_double_eq_tol(seldom.signals[0].smoothed, 1 - exp(-1), 1e-9);
	load_free(&often);
	load_free(&seldom);
}
END_TEST

START_TEST(the_first_level_that_is_known_holds_at_once_and_later_ones_go_in_steps)
{
	struct plan_load stepped = plain;
	struct load_node node = LOAD_NODE;

	stepped.step_percent = 10;
	stepped.dwell_ms = 30000;
	load_report(&node, &stepped, "cpu", 0.8, 0);
	ck_assert(load_update(&node, &stepped, 0));
	ck_assert_double_eq_tol(part(&node), 0.6, 1e-4);
	for (uint64_t ms = 1000; ms <= 60000; ms += 1000) {
		load_report(&node, &stepped, "cpu", 0.1, ms);
		ck_assert_int_eq(load_update(&node, &stepped, ms), ms % 30000 == 0);
	}
	ck_assert_double_eq_tol(part(&node), 0.8, 1e-3);
	ck_assert_uint_eq(node.target, LOAD_LEVEL_ALL);
	load_free(&node);
}
END_TEST

START_TEST(what_a_new_signal_asks_for_holds_at_once_whichever_is_heard_first)
{
	struct plan_load stepped = plain;
	struct load_node node = LOAD_NODE;

	stepped.step_percent = 10;
	stepped.dwell_ms = 300000;
	load_report(&node, &stepped, "memory", 0.2, 0);
	ck_assert(!load_update(&node, &stepped, 0));
	load_report(&node, &stepped, "cpu", 0.95, 2000);
	ck_assert(load_update(&node, &stepped, 2000));
	ck_assert_double_eq_tol(part(&node), 0.3, 1e-4);
	load_report(&node, &stepped, "sessions", 1, 4000);
	ck_assert(load_update(&node, &stepped, 4000));
	ck_assert_double_eq_tol(part(&node), 0.2, 1e-4);
	load_report(&node, &stepped, "disk", 0.1, 5000); /* nothing rises by one more */
	ck_assert(!load_update(&node, &stepped, 5000));
	load_report(&node, &stepped, "sessions", 0.9, 6000);
	load_report(&node, &stepped, "cpu", 0.8, 6000);
	ck_assert(!load_update(&node, &stepped, 303999));
	load_free(&node);
}
END_TEST

/* Memory is at 40 %, and the CPU, 50 % busy for long, is so to 90 % from now on: as told there. */
START_TEST(the_example_of_the_manual_is_right)
{
	static const double parts[] = { 1, 0.94, 0.84, 0.74, 0.64, 0.54, 0.479 };
	struct load_node node = LOAD_NODE;

	load_report(&node, &defaults, "memory", 0.4, 0);
	load_report(&node, &defaults, "cpu", 0.5, 0);
	ck_assert(!load_update(&node, &defaults, 0));
	for (uint64_t minute = 1; minute <= 60; minute++) {
		uint64_t steps = minute < 4 ? 0 : minute < 29 ? (minute + 1) / 5 : 6;

		load_report(&node, &defaults, "memory", 0.4, minute * 60000);
		load_report(&node, &defaults, "cpu", 0.9, minute * 60000);
		(void)load_update(&node, &defaults, minute * 60000);
		ck_assert_double_eq_tol(part(&node), parts[steps], 0.0005);
		if (minute == 4)
			ck_assert_double_eq_tol(node.signals[1].smoothed, 0.632, 0.0005);
		if (minute == 9)
			ck_assert_double_eq_tol(node.signals[1].smoothed, 0.737, 0.0005);
		if (minute == 29)
			ck_assert_double_eq_tol(node.signals[1].smoothed, 0.878, 0.0005);
	}
	ck_assert_double_eq_tol((double)node.target / LOAD_LEVEL_ALL, 0.4375, 0.003);
	ck_assert(!load_moves(&node, &defaults));
	load_report(&node, &defaults, "memory", 0.4, 67 * 60000 + 30000); /* 7.5 minutes later */
	(void)load_update(&node, &defaults, 67 * 60000 + 30000);
	ck_assert(load_moves(&node, &defaults));
	ck_assert_uint_eq(load_wait_ms(&node, &defaults, 67 * 60000 + 30000), 300000); /* it has */
	ck_assert_uint_eq(load_wait_ms(&node, &defaults, 68 * 60000), 270000);
	ck_assert_double_eq_tol((double)node.target / LOAD_LEVEL_ALL, 0.72, 0.003);
	load_free(&node);
}
END_TEST

START_TEST(small_changes_wait_unless_they_lead_to_one_of_the_ends)
{
	struct load_node node = LOAD_NODE;

	load_report(&node, &plain, "cpu", 0.62, 0); /* 96 % */
	ck_assert(load_update(&node, &plain, 0));
	load_report(&node, &plain, "cpu", 0.63, 1000);
	ck_assert(!load_update(&node, &plain, 1000));
	load_report(&node, &plain, "cpu", 0.6, 2000);
	ck_assert(load_update(&node, &plain, 2000));
	ck_assert_uint_eq(node.level, LOAD_LEVEL_ALL);
	load_report(&node, &plain, "cpu", 0.98, 3000); /* 24 % */
	ck_assert(load_update(&node, &plain, 3000));
	load_report(&node, &plain, "cpu", 1, 4000);
	ck_assert(load_update(&node, &plain, 4000));
	ck_assert_double_eq_tol(part(&node), 0.2, 1e-4);
	load_free(&node);
}
END_TEST

START_TEST(a_signal_that_falls_silent_loses_its_say_bit_by_bit)
{
	struct load_node node = LOAD_NODE;

	load_report(&node, &plain, "cpu", 0.8, 0);
	(void)load_update(&node, &plain, 60000);
	ck_assert_double_eq_tol(part(&node), 0.6, 1e-4);
	(void)load_update(&node, &plain, 90000);
	ck_assert_double_eq_tol(part(&node), 0.8, 1e-4);
	ck_assert_int_eq(node.cause, LOAD_FADING);
	(void)load_update(&node, &plain, 120000);
	ck_assert_uint_eq(node.level, LOAD_LEVEL_ALL);
	ck_assert_int_eq(node.cause, LOAD_UNKNOWN);
	load_free(&node);
}
END_TEST

START_TEST(a_signal_that_is_still_heard_of_decides_when_a_higher_one_falls_silent)
{
	struct load_node node = LOAD_NODE;

	load_report(&node, &plain, "cpu", 0.9, 0);
	load_report(&node, &plain, "memory", 0.7, 120000);
	(void)load_update(&node, &plain, 120000);
	ck_assert_double_eq_tol(part(&node), 0.8, 1e-4);
	ck_assert_str_eq(node.signals[node.highest].name, "memory");
	load_free(&node);
}
END_TEST

START_TEST(after_a_long_silence_smoothing_begins_anew)
{
	struct plan_load smooth = plain;
	struct load_node node = LOAD_NODE;

	smooth.smoothing_ms = 600000;
	load_report(&node, &smooth, "cpu", 0.9, 0);
	load_report(&node, &smooth, "cpu", 0.1, 119000);
	ck_assert_double_gt(node.signals[0].smoothed, 0.5);
	load_report(&node, &smooth, "cpu", 0.1, 119000 + 120000);
	ck_assert_double_eq_tol(node.signals[0].smoothed, 0.1, 1e-9);
	load_free(&node);
}
END_TEST

/* --- ten nodes (load_sim.h) ------------------------------------------------------------------- */

/* The weight is what is free, at once. */
static const struct plan_load naive = { .on = 1,
					.low_percent = 0,
					.high_percent = 100,
					.floor_percent = 1,
					.step_percent = 100,
					.stale_ms = 300000 };
/* Nothing is. */
static const struct plan_load fixed = { .on = 1,
					.low_percent = 1000,
					.high_percent = 1001,
					.floor_percent = 100,
					.step_percent = 100,
					.stale_ms = 300000 };

/* Work is half that of handshakes; or it is that of the sessions. */
static const struct sim_world lively = { .demand = 0.85, .young_work = 60 };
static const struct sim_world calm = { .demand = 0.85, .young_work = 0 };

#define SEEDS 3

static void print(const char *what, const struct sim_result *result)
{
	printf("%s: amplitude %.2f, turns %.1f/h, changes %.0f/h, highest %.2f, back in %.1f h\n",
	       what, result->amplitude, result->turns, result->changes, result->highest,
	       result->back_hours);
}

START_TEST(the_defaults_do_not_oscillate)
{
	for (uint64_t seed = 1; seed <= SEEDS; seed++) {
		struct sim_result without = simulate(&fixed, &lively, seed);
		struct sim_result with = simulate(&defaults, &lively, seed);

		print("lively, fixed weights", &without);
		print("lively, defaults", &with);
		/* The use of no node sways more than by the noise of its clients. */
		ck_assert_double_lt(with.amplitude, without.amplitude);
		ck_assert_double_lt(with.turns, 6);
		without = simulate(&fixed, &calm, seed);
		with = simulate(&defaults, &calm, seed);
		print("calm, fixed weights", &without);
		print("calm, defaults", &with);
		ck_assert_double_lt(with.amplitude, without.amplitude);
		ck_assert_double_lt(with.turns, 1.5);
	}
}
END_TEST

START_TEST(the_defaults_keep_nodes_from_overload_that_fixed_weights_have)
{
	struct sim_result without = simulate(&fixed, &calm, 1);
	struct sim_result with = simulate(&defaults, &calm, 1);

	ck_assert_double_gt(without.highest, 1.1);
	ck_assert_double_lt(with.highest, 1.0);
	ck_assert_double_lt(with.back_hours, without.back_hours);
}
END_TEST

START_TEST(weights_that_follow_what_is_free_at_once_oscillate)
{
	for (uint64_t seed = 1; seed <= SEEDS; seed++) {
		struct sim_result without = simulate(&fixed, &lively, seed);
		struct sim_result with = simulate(&naive, &lively, seed);

		print("lively, naive", &with);
		ck_assert_double_gt(with.amplitude, 1.4 * without.amplitude);
		ck_assert_double_gt(with.turns, 25);
		ck_assert_double_gt(with.highest, 1.5);
	}
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("load");
	TCase *simulated = tcase_create("pool");

	suite_case(suite, "node",
		   a_use_asks_for_all_up_to_the_low_mark_and_for_the_floor_from_the_high_mark_on,
		   the_highest_of_a_nodes_signals_counts,
		   of_signals_below_the_low_mark_the_highest_is_told,
		   a_node_without_signals_keeps_its_weight,
		   what_is_no_number_or_negative_is_not_heard,
		   a_use_that_jumps_counts_by_63_percent_after_the_time_constant,
		   the_first_level_that_is_known_holds_at_once_and_later_ones_go_in_steps,
		   what_a_new_signal_asks_for_holds_at_once_whichever_is_heard_first,
		   the_example_of_the_manual_is_right,
		   small_changes_wait_unless_they_lead_to_one_of_the_ends,
		   a_signal_that_falls_silent_loses_its_say_bit_by_bit,
		   a_signal_that_is_still_heard_of_decides_when_a_higher_one_falls_silent,
		   after_a_long_silence_smoothing_begins_anew);
	tcase_set_timeout(simulated, 120);
	tcase_add_test(simulated, the_defaults_do_not_oscillate);
	tcase_add_test(simulated, the_defaults_keep_nodes_from_overload_that_fixed_weights_have);
	tcase_add_test(simulated, weights_that_follow_what_is_free_at_once_oscillate);
	suite_add_tcase(suite, simulated);
	return run_suite(suite);
}
