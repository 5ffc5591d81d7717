/* What tables promise, with numbers: they are printed with SIGNPOST_NUMBERS set. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/mem.h"
#include "steer/table.h"
#include "steer_test.h"
#include "tests/unit/run.h"

#define SEED    UINT64_C(0x5eed)
#define MOST    2000
#define ABSENT  UINT32_MAX /* as a weight: it is not there */
#define UNITS   65536U     /* of a slot */
#define CLIENTS 1000000U

#define RANDOM_SAMPLES 4 /* of so many clients */

#ifdef SIGNPOST_SANITIZED
#define ROUNDS 6
#else
#define ROUNDS 60
#endif

#define tell(...) (getenv("SIGNPOST_NUMBERS") != NULL ? (void)printf(__VA_ARGS__) : (void)0)

/* --- random configurations ------------------------------------------------------------------- */

static uint64_t state;

static uint64_t draw(void)
{
	state = hash_word(state);
	return state;
}

static double draw_fraction(void)
{
	return ldexp((double)(draw() >> 11), -53);
}

static uint32_t draw_weight(unsigned style)
{
	switch (style) {
	case 0: return 100;
	case 1: return 1 + (uint32_t)(draw() % 100);
	case 2: return (uint32_t)exp(draw_fraction() * log(65535)); /* skewed */
	default: return draw() % 7 == 0 ? 1000 : 10;
	}
}

/* Member i has key i and choice i; `room` of them, some absent. */
struct config {
	uint32_t weights[MOST + 1];
	uint64_t salt;
	uint32_t count, room;
};

static struct config draw_config(unsigned round)
{
	struct config config = { .salt = draw(), .room = MOST + 1 };

	config.count = (uint32_t)(2.5 * pow(80, draw_fraction())); /* 2 to 200 */
	for (uint32_t i = 0; i <= MOST; i++)
		config.weights[i] = i < config.count ? draw_weight(round % 4) : ABSENT;
	return config;
}

static struct table *build(const struct config *config)
{
	struct table_member members[MOST + 1];
	struct table *table;
	uint32_t count = 0;

	for (uint32_t i = 0; i < config->room; i++)
		if (config->weights[i] != ABSENT)
			members[count++] = (struct table_member){ hash_word(config->salt + i),
								  config->weights[i], (uint16_t)i };
	table = table_new(SEED, members, count);
	return table;
}

static void set_shares(const struct config *config, double *share)
{
	double total = 0;

	for (uint32_t i = 0; i < config->room; i++)
		total += config->weights[i] != ABSENT ? config->weights[i] : 0;
	for (uint32_t i = 0; i < config->room; i++)
		share[i] = config->weights[i] != ABSENT ? config->weights[i] / total : 0;
}

/* Half the sum of what all shares change by: less cannot move. */
static double changed_share(const struct config *a, const struct config *b)
{
	double share_a[MOST + 1], share_b[MOST + 1], sum = 0;

	set_shares(a, share_a);
	set_shares(b, share_b);
	for (uint32_t i = 0; i <= MOST; i++)
		sum += fabs(share_a[i] - share_b[i]);
	return sum / 2;
}

/* --- what tables hold ------------------------------------------------------------------------- */

static uint16_t holder(struct steering_slot slot, uint32_t unit)
{
	return unit >= slot.cut ? slot.other : slot.node;
}

/* The part of all clients who get something else. Slots differ at their cuts only. */
static double moved(const struct table *a, const struct table *b)
{
	uint64_t units = 0;

	ck_assert_uint_eq(a->slot_count, b->slot_count);
	for (uint32_t i = 0; i < a->slot_count; i++) {
		struct steering_slot x = table_slot(a, i), y = table_slot(b, i);
		uint32_t low = x.cut < y.cut ? x.cut : y.cut;
		uint32_t high = x.cut < y.cut ? y.cut : x.cut;

		units += low > 0 && holder(x, 0) != holder(y, 0) ? low : 0;
		units += holder(x, low) != holder(y, low) ? high - low : 0;
		units += holder(x, high) != holder(y, high) ? UNITS - high : 0;
	}
	return (double)units / UNITS / a->slot_count;
}

static void measure(const struct table *table, double *share)
{
	memset(share, 0, (MOST + 1) * sizeof(*share));
	for (uint32_t i = 0; i < table->slot_count; i++) {
		struct steering_slot slot = table_slot(table, i);

		share[slot.node] += (double)slot.cut / UNITS / table->slot_count;
		share[slot.other] += (double)(UNITS - slot.cut) / UNITS / table->slot_count;
	}
}

START_TEST(shares_of_random_configurations_are_exact)
{
	double worst = 0;

	state = 1;
	for (unsigned round = 0; round < ROUNDS; round++) {
		struct config config = draw_config(round);
		struct table *table = build(&config);
		double want[MOST + 1], got[MOST + 1];

		set_shares(&config, want);
		measure(table, got);
		for (uint32_t i = 0; i < config.count; i++)
			worst = fmax(worst, fabs(got[i] - want[i]) / want[i]);
		table_free(table);
	}
	tell("share error: at most %.5f %% of a member's share\n", worst * 100);
	ck_assert_double_lt(worst, 0.001);
}
END_TEST

/* --- chi-square over clients, hashed as the data plane does it -------------------------------- */

/* The value that chi-square with so many degrees of freedom is above once in 1,000 times (Wilson
 * and Hilferty, "The distribution of chi-square", 1931; 3.0902: the normal one). */
static double critical(unsigned freedom)
{
	double part = 2 / (9.0 * freedom);

	return freedom * pow(1 - part + 3.0902 * sqrt(part), 3);
}

static void count_clients(const struct table *table, bool consecutive, uint32_t *count)
{
	for (uint32_t i = 0; i < CLIENTS; i++) {
		uint32_t net = consecutive ? 0x0a0000 + i : (uint32_t)(draw() >> 40);
		uint64_t bits = hash_network((uint64_t)net << 40, 0, 24, SEED);
		struct steering_slot slot = table_slot(table, hash_below(bits, table->slot_count));

		count[steering_slot_node(&slot, (uint16_t)bits)]++;
	}
}

static double chi_square(const uint32_t *count, const struct config *config)
{
	double share[MOST + 1], sum = 0;

	set_shares(config, share);
	for (uint32_t i = 0; i < config->count; i++) {
		double expected = share[i] * CLIENTS;

		sum += (count[i] - expected) * (count[i] - expected) / expected;
	}
	return sum;
}

/* Of several samples the sum counts: it is a chi-square of as many times the degrees of freedom. */
static void expect_fair(const char *what, const struct config *config, bool consecutive)
{
	struct table *table = build(config);
	unsigned samples = consecutive ? 1 : RANDOM_SAMPLES;
	double got = 0, limit = critical((config->count - 1) * samples);

	for (unsigned sample = 1; sample <= samples; sample++) {
		uint32_t count[MOST + 1] = { 0 };

		state = sample;
		count_clients(table, consecutive, count);
		got += chi_square(count, config);
	}
	tell("%s, %s /24: chi-square %.2f, critical value %.2f (%u degrees of freedom)\n", what,
	     consecutive ? "consecutive" : "random", got, limit, (config->count - 1) * samples);
	ck_assert_msg(got < limit, "%s, %s /24: chi-square %.2f is not below %.2f", what,
		      consecutive ? "consecutive" : "random", got, limit);
	table_free(table);
}

static const struct weighting {
	const char *name;
	uint32_t count, weights[8]; /* repeated until there are `count`; ends with 0 */
} weightings[] = {
	{ "2 equal", 2, { 1 } },
	{ "3 equal", 3, { 100 } },
	{ "10 equal", 10, { 7 } },
	{ "canary 1:99", 2, { 1, 99 } },
	{ "1:100", 2, { 1, 100 } },
	{ "1:2:3:4", 4, { 1, 2, 3, 4 } },
	{ "powers of two", 7, { 1, 2, 4, 8, 16, 32, 64 } },
	{ "1,000 beside 65,535", 3, { 65535, 65535, 1000 } },
	{ "50 of three sizes", 50, { 10, 25, 100 } },
	{ "200 of five sizes", 200, { 1, 3, 10, 30, 100 } },
};

START_TEST(a_million_clients_are_shared_as_ten_weightings_say)
{
	const struct weighting *w = &weightings[_i / 2];
	struct config config = { .count = w->count, .room = w->count, .salt = 9 };
	uint32_t length = 0;

	while (length < 8 && w->weights[length] != 0)
		length++;
	for (uint32_t i = 0; i < w->count; i++)
		config.weights[i] = w->weights[i % length];
	expect_fair(w->name, &config, _i % 2 == 0);
}
END_TEST

/* --- disruption ------------------------------------------------------------------------------- */

struct worst {
	double beyond, mean;
	uint32_t members, count;
};

/* How much more moved than had to. A table of one member has one slot: there all moves that must. */
static void compare(struct worst *worst, const struct config *a, const struct config *b,
		    double allowed)
{
	struct table *before = build(a), *after = build(b);
	double beyond = moved(before, after) - allowed;

	worst->mean += beyond;
	worst->count++;
	if (worst->count == 1 || beyond > worst->beyond) {
		worst->beyond = beyond;
		worst->members = a->count;
	}
	table_free(before);
	table_free(after);
}

static void expect_little(const char *what, const struct worst *worst)
{
	tell("%s: beyond the changed share %.2f points on average, %.2f at most (%u members)\n",
	     what, 100 * worst->mean / worst->count, 100 * worst->beyond, worst->members);
	ck_assert_uint_gt(worst->count, 0);
	ck_assert_msg(worst->beyond < 0.02, "%s: %.2f points, with %u members", what,
		      100 * worst->beyond, worst->members);
}

START_TEST(a_changed_weight_moves_little_more_than_the_changed_share)
{
	struct worst worst = { 0 };

	state = 3;
	for (unsigned round = 0; round < ROUNDS; round++) {
		struct config a = draw_config(round), b = a;

		b.weights[draw() % a.count] = draw_weight(2);
		compare(&worst, &a, &b, changed_share(&a, &b));
	}
	expect_little("one weight changed", &worst);
}
END_TEST

START_TEST(an_added_or_removed_member_moves_little_more_than_its_share)
{
	struct worst added = { 0 }, removed = { 0 };

	state = 4;
	for (unsigned round = 0; round < ROUNDS; round++) {
		struct config a = draw_config(round), more = a, less = a;

		more.weights[a.count] = draw_weight(round % 4);
		less.weights[draw() % a.count] = ABSENT;
		compare(&added, &a, &more, changed_share(&a, &more));
		if (a.count > 2)
			compare(&removed, &a, &less, changed_share(&a, &less));
	}
	expect_little("one member added", &added);
	expect_little("one member removed", &removed);
}
END_TEST

/* Every step up and down, with one weight, then with all sorts. */
static const struct range {
	uint32_t from, to;
} ranges[] = { { 2, 20 },    { 21, 40 },     { 41, 60 },    { 100, 101 },
	       { 500, 501 }, { 1000, 1000 }, { 1999, 1999 } };

START_TEST(each_step_of_size_moves_the_changed_share_and_under_two_points)
{
	struct worst added = { 0 }, doubled = { 0 }, closed = { 0 };
	const struct range *range = &ranges[_i / 2];

	state = 8;
	for (uint32_t count = range->from; count <= range->to; count++) {
		struct config a = { .count = count, .room = MOST + 1, .salt = draw() }, b, c, d;

		for (uint32_t i = 0; i <= MOST; i++)
			a.weights[i] = i < count ? draw_weight(_i % 2 == 0 ? 0 : 2) : ABSENT;
		b = c = d = a;
		b.weights[count] = draw_weight(_i % 2 == 0 ? 0 : 2);
		c.weights[draw() % count] *= 2;
		d.weights[draw() % count] = 0;
		compare(&added, &a, &b, changed_share(&a, &b));
		compare(&doubled, &a, &c, changed_share(&a, &c));
		compare(&closed, &a, &d, changed_share(&a, &d));
	}
	expect_little("n to n + 1 members", &added);
	expect_little("a weight doubled", &doubled);
	expect_little("a weight set to 0", &closed);
}
END_TEST

/* One has most of the slots; the others have ten each, or one, or a quarter. */
static const struct lopsided {
	uint32_t members, heavy;
} lopsided[] = { { 300, 14384 },  { 500, 1000 },   { 1000, 1000 },
		 { 1000, 14384 }, { 1500, 30000 }, { 1999, 65535 } };

START_TEST(a_light_member_more_beside_a_heavy_one_moves_under_a_point)
{
	struct worst added = { 0 }, doubled = { 0 };
	uint32_t count = lopsided[_i].members;

	state = 9;
	for (unsigned round = 0; round < 3; round++) {
		struct config a = { .count = count, .room = MOST + 1, .salt = draw() }, b, c;

		for (uint32_t i = 0; i <= MOST; i++)
			a.weights[i] = i < count ? 1 : ABSENT;
		a.weights[0] = lopsided[_i].heavy;
		b = c = a;
		b.weights[count] = 1;
		c.weights[count / 2] = 2;
		compare(&added, &a, &b, changed_share(&a, &b));
		compare(&doubled, &a, &c, changed_share(&a, &c));
	}
	expect_little("a light member more", &added);
	expect_little("a light member doubled", &doubled);
	ck_assert_double_lt(added.beyond, 0.01);
	ck_assert_double_lt(doubled.beyond, 0.01);
}
END_TEST

/* Without history, what must move is more where shares grow and shrink at once: two tables that
 * differ in a share of d cannot in general agree in more than (1 - d) / (1 + d) (Bavarian et al.,
 * "Optimality of correlated sampling strategies", 2020). */
START_TEST(many_changed_weights_move_little_more_than_they_must)
{
	struct worst worst = { 0 };

	state = 5;
	for (unsigned round = 0; round < ROUNDS; round++) {
		struct config a = draw_config(round), b = a;
		double changed;

		for (unsigned k = 0; k < 1 + draw() % 10; k++)
			b.weights[draw() % a.count] = draw_weight(round % 4);
		changed = changed_share(&a, &b);
		compare(&worst, &a, &b, 2 * changed / (1 + changed));
	}
	expect_little("several weights changed", &worst);
}
END_TEST

/* --- levels ----------------------------------------------------------------------------------- */

static void set_level(struct table *table, uint16_t choice, uint16_t level)
{
	uint16_t levels[MOST + 1];

	memset(levels, 0xff, sizeof(levels)); /* TABLE_ALL */
	levels[choice] = level;
	(void)table_update(table, levels);
}

START_TEST(a_loss_moves_exactly_the_lost_share_and_a_return_restores_all)
{
	state = 6;
	for (unsigned round = 0; round < ROUNDS / 2; round++) {
		struct config config = draw_config(round);
		struct table *table = build(&config), *base = build(&config);
		uint16_t lost = (uint16_t)(draw() % config.count);
		double share[MOST + 1];

		measure(base, share);
		set_level(table, lost, 0);
		ck_assert_double_eq_tol(moved(base, table), share[lost], 1e-9);
		set_level(table, lost, TABLE_ALL);
		ck_assert_double_eq(moved(base, table), 0);
		table_free(table);
		table_free(base);
	}
}
END_TEST

/* Only the member's own cells change hands, and none it has at the lower level is lost at the
 * higher. */
static void expect_nested(const struct table *base, const struct table *lower,
			  const struct table *higher, uint16_t member)
{
	uint32_t others_moved = 0, not_nested = 0;

	for (uint32_t i = 0; i < base->slot_count; i++) {
		for (uint32_t unit = 0; unit < UNITS; unit += UNITS - 1) {
			uint16_t owner = holder(table_slot(base, i), unit);
			uint16_t low = holder(table_slot(lower, i), unit);
			uint16_t high = holder(table_slot(higher, i), unit);

			others_moved += owner != member && (low != owner || high != owner);
			not_nested += owner == member && low == member && high != member;
		}
	}
	ck_assert_uint_eq(others_moved, 0);
	ck_assert_uint_eq(not_nested, 0);
}

/* To half a cell, but what it wins back by its own weight comes on top. */
static void expect_kept(const struct table *base, const struct table *table, uint16_t member,
			uint16_t level)
{
	double share[MOST + 1], kept = 1 - moved(base, table);

	measure(base, share);
	ck_assert_double_ge(kept, 1 - share[member] * (1 - level / 65535.0) -
					  0.5 / base->slot_count - 1e-6);
}

START_TEST(levels_keep_nested_parts_of_the_members_own_clients)
{
	state = 7;
	for (unsigned round = 0; round < ROUNDS / 2; round++) {
		struct config config = draw_config(round);
		struct table *base = build(&config), *low = build(&config), *high = build(&config);
		uint16_t member = (uint16_t)(draw() % config.count);
		uint16_t a = (uint16_t)draw(), b = (uint16_t)draw();

		set_level(low, member, a < b ? a : b);
		set_level(high, member, a < b ? b : a);
		expect_nested(base, low, high, member);
		expect_kept(base, low, member, a < b ? a : b);
		set_level(low, member, a < b ? b : a);
		ck_assert_double_eq(moved(low, high), 0); /* however it came there */
		table_free(base);
		table_free(low);
		table_free(high);
	}
}
END_TEST

/* Ten members at a third, the eleventh at all: shares are as weight x level. */
START_TEST(what_is_given_up_is_shared_by_weight_and_level)
{
	struct config config = { .count = 11, .room = 11, .salt = 5 };
	uint16_t level[MOST + 1];
	double share[MOST + 1], total = 0;
	struct table *table;

	for (uint32_t i = 0; i < 11; i++) {
		config.weights[i] = 10 + i;
		level[i] = i == 10 ? TABLE_ALL : TABLE_ALL / 3;
		total += config.weights[i] * (double)level[i];
	}
	table = build(&config);
	(void)table_update(table, level);
	measure(table, share);
	for (uint32_t i = 0; i < 11; i++)
		ck_assert_double_eq_tol(share[i], config.weights[i] * level[i] / total, 0.01);
	table_free(table);
}
END_TEST

void shares_cases(Suite *suite)
{
	TCase *fair = tcase_create("a million clients");

	tcase_add_loop_test(fair, a_million_clients_are_shared_as_ten_weightings_say, 0,
			    2 * (int)(sizeof(weightings) / sizeof(weightings[0])));
	suite_add_tcase(suite, fair);
	TCase *steps = tcase_create("each step");

	tcase_add_loop_test(steps, each_step_of_size_moves_the_changed_share_and_under_two_points,
			    0, 2 * (int)(sizeof(ranges) / sizeof(ranges[0])));
	tcase_add_loop_test(steps, a_light_member_more_beside_a_heavy_one_moves_under_a_point, 0,
			    (int)(sizeof(lopsided) / sizeof(lopsided[0])));
	suite_add_tcase(suite, steps);
	suite_case(suite, "shares", shares_of_random_configurations_are_exact);
	suite_case(suite, "disruption", a_changed_weight_moves_little_more_than_the_changed_share,
		   an_added_or_removed_member_moves_little_more_than_its_share,
		   many_changed_weights_move_little_more_than_they_must,
		   a_loss_moves_exactly_the_lost_share_and_a_return_restores_all);
	suite_case(suite, "levels", levels_keep_nested_parts_of_the_members_own_clients,
		   what_is_given_up_is_shared_by_weight_and_level);
}
