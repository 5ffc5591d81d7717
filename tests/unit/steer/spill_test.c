#include <math.h>

#include "steer/spill.h"
#include "steer_test.h"
#include "tests/unit/run.h"

static const struct spill_marks marks = { .high = 90, .low = 70, .load_age_ms = 60000 };

static struct spill_node up(double load)
{
	return (struct spill_node){
		.healthy = true, .reported = true, .capacity = 100, .load = load
	};
}

static struct spill_node down(double load)
{
	struct spill_node node = up(load);

	node.healthy = false;
	return node;
}

static struct spill_node stale(double load)
{
	struct spill_node node = up(load);

	node.age_ms = 60001;
	return node;
}

static struct spill_node silent(void)
{
	return (struct spill_node){ .healthy = true, .capacity = 100 };
}

static void see(struct spill_site *site, double load)
{
	struct spill_node node = up(load);

	spill_update(site, &marks, &node, 1);
}

START_TEST(use_is_load_by_capacity)
{
	struct spill_node nodes[] = { up(0.9), up(0.3) };
	struct spill_site site = { 0 };

	nodes[1].capacity = 500;
	spill_update(&site, &marks, nodes, 2);
	ck_assert(site.known);
	ck_assert_double_eq_tol(site.use, (90 + 150) / 600.0, 1e-9);
	ck_assert_uint_eq(site.keep, SPILL_KEEP_ALL);
}
END_TEST

START_TEST(without_a_report_a_site_keeps_all)
{
	struct spill_node nodes[] = { silent(), stale(2.0), silent() };
	struct spill_site site = { .spilling = true };

	spill_update(&site, &marks, nodes, 3);
	ck_assert(!site.known);
	ck_assert(!site.spilling);
	ck_assert_uint_eq(site.keep, SPILL_KEEP_ALL);
	spill_update(&site, &marks, nodes, 0);
	ck_assert(!site.known);
}
END_TEST

START_TEST(a_site_without_healthy_nodes_keeps_all)
{
	struct spill_node node = down(0.95);
	struct spill_site site = { 0 };

	spill_update(&site, &marks, &node, 1);
	ck_assert(!site.known);
	ck_assert_uint_eq(site.keep, SPILL_KEEP_ALL);
}
END_TEST

START_TEST(stale_reports_count_as_none)
{
	struct spill_node nodes[] = { up(0.4), stale(9.0), silent() };
	struct spill_site site = { 0 };

	spill_update(&site, &marks, nodes, 3);
	ck_assert_double_eq_tol(site.use, 0.4, 1e-9); /* the two as the mean of the others */
	nodes[1].age_ms--;
	spill_update(&site, &marks, nodes, 3);
	ck_assert_double_eq_tol(site.use, 4.7, 1e-9);
}
END_TEST

START_TEST(the_last_report_of_a_dead_node_counts_against_the_rest)
{
	struct spill_node nodes[] = { up(0.6), up(0.6), down(0.6) };
	struct spill_site site = { 0 };

	spill_update(&site, &marks, nodes, 3);
	ck_assert_double_eq_tol(site.use, 0.9, 1e-9);
	ck_assert(site.spilling);
	nodes[2].age_ms = 60001;
	spill_update(&site, &marks, nodes, 3);
	ck_assert_double_eq_tol(site.use, 0.6, 1e-9);
	ck_assert(!site.spilling);
}
END_TEST

START_TEST(spilling_begins_at_the_high_mark_and_ends_at_the_low_one)
{
	struct spill_site site = { 0 };

	see(&site, 0.899);
	ck_assert(!site.spilling);
	see(&site, 0.9);
	ck_assert(site.spilling);
	ck_assert_uint_eq(site.keep, SPILL_KEEP_ALL / 4 + 1);
	see(&site, 0.701);
	ck_assert(site.spilling);
	ck_assert_uint_lt(site.keep, SPILL_KEEP_ALL);
	see(&site, 0.7);
	ck_assert(!site.spilling);
	ck_assert_uint_eq(site.keep, SPILL_KEEP_ALL);
	see(&site, 0.85);
	ck_assert(!site.spilling);
	ck_assert_uint_eq(site.keep, SPILL_KEEP_ALL);
}
END_TEST

START_TEST(without_marks_a_site_never_spills)
{
	const struct spill_marks none = { .load_age_ms = 60000 };
	struct spill_node node = up(5.0);
	struct spill_site site = { .spilling = true };

	spill_update(&site, &none, &node, 1);
	ck_assert(!site.spilling);
	ck_assert_uint_eq(site.keep, SPILL_KEEP_ALL);
}
END_TEST

START_TEST(more_use_never_keeps_more_and_something_is_always_kept)
{
	uint16_t last = SPILL_KEEP_ALL;

	for (unsigned i = 0; i <= 30000; i++) {
		struct spill_site site = { .spilling = true };

		see(&site, i / 10000.0);
		ck_assert_uint_le(site.keep, last);
		ck_assert_uint_ge(site.keep, SPILL_KEEP_ALL / 100);
		last = site.keep;
	}
	ck_assert_uint_lt(last, SPILL_KEEP_ALL / 50);
}
END_TEST

/* --- hours in a site whose clients stay longer than their answers --------------------------- */

struct story {
	double demand; /* in use, were all kept for ever */
	double session_s;
	double ttl_s;    /* clients that were told to go elsewhere still come for this long */
	double report_s; /* between two reports */
	bool naive;      /* all or nothing */
};

struct outcome {
	double least, most; /* use, once it had time to settle */
	unsigned changes;   /* of direction, by more than a hundredth of capacity */
};

#define STEP_S 10
#define DELAY  64 /* steps of which what was kept is remembered */

static uint16_t keep_of(struct spill_site *site, const struct story *story, double use)
{
	see(site, use);
	if (story->naive)
		return site->spilling ? 0 : SPILL_KEEP_ALL;
	return site->keep;
}

static void note(struct outcome *outcome, double use, double *turn, int *direction)
{
	outcome->least = fmin(outcome->least, use);
	outcome->most = fmax(outcome->most, use);
	if (fabs(use - *turn) < 0.01) {
		if ((use - *turn) * *direction > 0)
			*turn = use;
		return;
	}
	if ((use > *turn ? 1 : -1) != *direction)
		outcome->changes++;
	*direction = use > *turn ? 1 : -1;
	*turn = use;
}

/* Use of a site to which `demand` of its capacity comes for each session's length; how many come
 * is what was kept a TTL ago, as answers are remembered for that long. */
static struct outcome live(const struct story *story)
{
	struct spill_site site = { 0 };
	struct outcome outcome = { .least = 99 };
	double use = 0, kept[DELAY], turn = 0;
	unsigned settled = (unsigned)(6 * story->session_s / STEP_S);
	int direction = 1;

	for (unsigned i = 0; i < DELAY; i++)
		kept[i] = 1;
	for (unsigned step = 0; step < 4 * settled; step++) {
		unsigned lag = (unsigned)(story->ttl_s / STEP_S);

		if (step % (unsigned)(story->report_s / STEP_S) == 0)
			kept[step % DELAY] = keep_of(&site, story, use) / (double)SPILL_KEEP_ALL;
		else
			kept[step % DELAY] = kept[(step + DELAY - 1) % DELAY];
		use += (story->demand * kept[(step + DELAY - lag) % DELAY] - use) * STEP_S /
		       story->session_s;
		if (step >= settled)
			note(&outcome, use, &turn, &direction);
	}
	return outcome;
}

START_TEST(use_settles_between_the_marks)
{
	static const double demands[] = { 0.95, 1.0, 1.3, 2.0, 3.5 };

	for (unsigned i = 0; i < sizeof(demands) / sizeof(demands[0]); i++) {
		const struct story story = { demands[i], 3 * 3600, 60, 30, false };
		struct outcome outcome = live(&story);

		ck_assert_double_ge(outcome.least, 0.7);
		ck_assert_double_le(outcome.most, 0.9);
		ck_assert_double_lt(outcome.most - outcome.least, 0.01); /* it stands still */
	}
}
END_TEST

START_TEST(use_stays_between_the_marks_with_sessions_of_minutes_too)
{
	const struct story story = { 1.3, 15 * 60, 60, 30, false };
	struct outcome outcome = live(&story);

	ck_assert_double_ge(outcome.least, 0.7);
	ck_assert_double_le(outcome.most, 0.9);
	ck_assert_double_lt(outcome.most - outcome.least, 0.01);
}
END_TEST

/* What the line saves: the same site swings from mark to mark for ever. */
START_TEST(all_or_nothing_oscillates)
{
	const struct story story = { 1.3, 3 * 3600, 60, 30, true };
	struct outcome outcome = live(&story);

	ck_assert_double_gt(outcome.most - outcome.least, 0.19);
	ck_assert_uint_gt(outcome.changes, 20);
}
END_TEST

START_TEST(a_site_takes_its_clients_back_when_they_are_fewer)
{
	const struct story story = { 0.6, 3 * 3600, 60, 30, false };
	struct spill_site site = { .spilling = true };
	double use = 0.95;

	for (unsigned step = 0; site.spilling && step < 10000; step++) {
		double keep = keep_of(&site, &story, use) / (double)SPILL_KEEP_ALL;

		use += (story.demand * keep - use) * STEP_S / story.session_s;
	}
	ck_assert(!site.spilling);
	ck_assert_double_eq_tol(use, 0.7, 0.01);
}
END_TEST

void spill_cases(Suite *suite)
{
	suite_case(suite, "spill", use_is_load_by_capacity, without_a_report_a_site_keeps_all,
		   a_site_without_healthy_nodes_keeps_all, stale_reports_count_as_none,
		   the_last_report_of_a_dead_node_counts_against_the_rest,
		   spilling_begins_at_the_high_mark_and_ends_at_the_low_one,
		   without_marks_a_site_never_spills,
		   more_use_never_keeps_more_and_something_is_always_kept);
	suite_case(suite, "spill over hours", use_settles_between_the_marks,
		   use_stays_between_the_marks_with_sessions_of_minutes_too,
		   all_or_nothing_oscillates, a_site_takes_its_clients_back_when_they_are_fewer);
}
