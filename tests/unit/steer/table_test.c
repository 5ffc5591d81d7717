#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/mem.h"
#include "steer/rendezvous.h"
#include "steer/table.h"
#include "steer/table_base.h"
#include "steer_test.h"
#include "tests/unit/run.h"

#define SEED UINT64_C(0x5eed)

static struct table *make(uint32_t count, const uint32_t *weights, uint32_t weight_count)
{
	struct table_member *members = mem_array(count, sizeof(*members));
	struct table *table;
	char name[32];

	for (uint32_t i = 0; i < count; i++) {
		(void)snprintf(name, sizeof(name), "node-%u", i);
		members[i] = (struct table_member){ hash_text(name, SEED),
						    weights[i % weight_count], (uint16_t)i };
	}
	table = table_new(SEED, members, count);
	free(members);
	return table;
}

static struct table *make_equal(uint32_t count)
{
	return make(count, (const uint32_t[]){ 1 }, 1);
}

static uint16_t *all_up(const struct table *table)
{
	uint16_t *level = mem_array(table->member_count, sizeof(*level));

	memset(level, 0xff, table->member_count * sizeof(*level)); /* TABLE_ALL */
	return level;
}

static struct steering_slot *copy_slots(const struct table *table)
{
	struct steering_slot *copy = mem_array(table->slot_count, sizeof(*copy));

	for (uint32_t i = 0; i < table->slot_count; i++)
		copy[i] = table_slot(table, i);
	return copy;
}

static void expect_slots(const struct table *table, const struct steering_slot *slots)
{
	struct steering_slot *now = copy_slots(table);

	ck_assert_mem_eq(now, slots, table->slot_count * sizeof(*now));
	free(now);
}

static void expect_equal(const struct table *a, const struct table *b)
{
	struct steering_slot *slots = copy_slots(b);

	ck_assert_uint_eq(a->slot_count, b->slot_count);
	ck_assert_uint_eq(a->distinct, b->distinct);
	expect_slots(a, slots);
	free(slots);
}

/* [choice]: how much of the table it has, in slots. */
static double *shares(const struct table *table)
{
	double *slots = mem_array(65536, sizeof(*slots));

	for (uint32_t i = 0; i < table->slot_count; i++) {
		struct steering_slot slot = table_slot(table, i);

		slots[slot.node] += slot.cut / 65536.0;
		slots[slot.other] += 1 - slot.cut / 65536.0;
	}
	return slots;
}

static double slots_of(const struct table *table, uint16_t choice)
{
	double *all = shares(table), result = all[choice];

	free(all);
	return result;
}

static double score(const struct table *table, uint32_t slot, unsigned cell, uint16_t choice)
{
	for (uint32_t i = 0; i < table->member_count; i++) {
		const struct table_member *m = &table->members[i];
		uint64_t hash = rendezvous_hash(table_cell_key(slot, cell), m->key);

		if (m->choice == choice)
			return -(double)m->weight / (log((double)hash) - 64 * M_LN2);
	}
	ck_abort_msg("no choice %u", choice);
}

static void expect_cell(const struct table *table, uint32_t slot, unsigned cell,
			const uint16_t *level, uint16_t owner, uint16_t holder)
{
	double best = 0;

	ck_assert_uint_gt(level[holder], 0);
	if (level[owner] > 0) {
		ck_assert_uint_eq(holder, owner);
		return;
	}
	for (uint16_t choice = 0; choice < table->member_count; choice++)
		if (level[choice] > 0 && score(table, slot, cell, choice) > best)
			best = score(table, slot, cell, choice);
	/* What is a tie but for the precision of our logarithm may go either way. */
	ck_assert_double_gt(score(table, slot, cell, holder), best * 0.995);
}

/* What the table should hold, from the definition: no shortcuts, and the C library's logarithm. */
static void expect_definition(const struct table *table, const struct table *base,
			      const uint16_t *level)
{
	for (uint32_t i = 0; i < table->slot_count; i++) {
		struct steering_slot was = table_slot(base, i), now = table_slot(table, i);

		expect_cell(table, i, 1, level, was.other, now.other);
		if (now.cut != 0)
			expect_cell(table, i, 0, level, was.node, now.node);
	}
}

START_TEST(cost_is_the_binary_logarithm)
{
	double worst = 0;
	uint64_t x = 1;

	ck_assert_uint_eq(rendezvous_cost(1), UINT64_C(64) << 40);
	ck_assert_uint_gt(rendezvous_cost(UINT64_MAX), 0);
	for (unsigned i = 0; i < 100000; i++) {
		double exact, error;

		x = hash_word(x) >> (i % 60);
		if (x == 0)
			x = 1;
		exact = 64 - log2((double)x);
		error = fabs(ldexp((double)rendezvous_cost(x), -40) - exact);
		worst = error > worst ? error : worst;
	}
	ck_assert_double_lt(worst, 3e-6);
}
END_TEST

START_TEST(cost_never_grows_with_the_hash)
{
	uint64_t last = UINT64_MAX;

	for (uint64_t high = 0; high < 65536; high++) {
		uint64_t cost = rendezvous_cost(high << 48 | high);

		ck_assert_uint_le(cost, last);
		last = cost;
	}
}
END_TEST

static void expect_shares(uint32_t count, const uint32_t *weights, uint32_t weight_count)
{
	struct table *table = make(count, weights, weight_count);
	double total = 0, *got = shares(table);

	for (uint32_t k = 0; k < count; k++)
		total += weights[k % weight_count];
	for (uint32_t k = 0; k < count; k++) {
		double exact = table->slot_count * weights[k % weight_count] / total;

		ck_assert_double_le(fabs(got[k] - exact), 1.001 / 65536);
	}
	free(got);
	ck_assert_uint_eq(table->distinct, count);
	table_free(table);
}

START_TEST(equal_weights_get_equal_shares)
{
	static const uint32_t counts[] = { 1, 2, 3, 10, 77, 655, 1000, 5000 };

	for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++)
		expect_shares(counts[i], (const uint32_t[]){ 7 }, 1);
}
END_TEST

START_TEST(shares_follow_the_weights)
{
	expect_shares(2, (const uint32_t[]){ 1, 100 }, 2);
	expect_shares(60, (const uint32_t[]){ 100, 50, 25, 10, 1, 300 }, 6);
	expect_shares(1000, (const uint32_t[]){ 1, 1, 3, 1, 1, 900 }, 6);
}
END_TEST

START_TEST(the_smallest_weight_gets_its_share_beside_the_largest)
{
	expect_shares(2, (const uint32_t[]){ 1, 65535 }, 2);
	expect_shares(3, (const uint32_t[]){ 65535, 65535, 1 }, 3);
	expect_shares(100, (const uint32_t[]){ 1, 1, 1, 1, 1, 1, 1, 1, 1, 65535 }, 10);
}
END_TEST

/* As many members as slots, nearly: most of the slots are cut. */
START_TEST(two_cells_a_slot_are_enough_for_the_most_members)
{
	expect_shares(20000, (const uint32_t[]){ 1, 9, 5 }, 3);
	expect_shares(16384, (const uint32_t[]){ 3, 2 }, 2);
	expect_shares(65535, (const uint32_t[]){ 5 }, 1);
	expect_shares(65535, (const uint32_t[]){ 100, 101, 99, 100, 40000 }, 5);
}
END_TEST

START_TEST(weight_0_gets_slots_only_when_nobody_else_can)
{
	struct table *table = make(3, (const uint32_t[]){ 10, 0, 10 }, 3);
	uint16_t up[3] = { TABLE_ALL, TABLE_ALL, TABLE_ALL };

	ck_assert_double_eq(slots_of(table, 1), 0);
	up[0] = 0;
	table_update(table, up);
	ck_assert_double_eq(slots_of(table, 2), table->slot_count);
	up[2] = 0;
	table_update(table, up);
	ck_assert_double_eq(slots_of(table, 1), table->slot_count);
	ck_assert_uint_eq(table->distinct, 1);
	ck_assert_uint_eq(table->rank, TABLE_RESERVE);
	up[2] = TABLE_ALL;
	table_update(table, up);
	ck_assert_double_eq(slots_of(table, 2), table->slot_count);
	table_free(table);
}
END_TEST

START_TEST(weight_0_everywhere_means_equal_shares)
{
	struct table *table = make(4, (const uint32_t[]){ 0 }, 1);

	for (uint16_t k = 0; k < 4; k++)
		ck_assert_double_eq_tol(slots_of(table, k), table->slot_count / 4.0, 1e-4);
	table_free(table);
}
END_TEST

START_TEST(nobody_up_is_as_if_all_were)
{
	struct table *table = make_equal(5);
	struct steering_slot *base = copy_slots(table);
	uint16_t up[5] = { 0, TABLE_ALL, 0, 0, TABLE_ALL };

	table_update(table, up);
	memset(up, 0, sizeof(up));
	table_update(table, up);
	expect_slots(table, base);
	ck_assert_uint_eq(table->rank, TABLE_DOWN);
	free(base);
	table_free(table);
}
END_TEST

static bool only_moved(const struct steering_slot *before, struct steering_slot now, uint16_t lost)
{
	return now.node != lost && now.other != lost &&
	       (before->node == lost || before->cut == 0 || now.node == before->node) &&
	       (before->other == lost || now.other == before->other);
}

START_TEST(a_loss_moves_only_its_own_clients_and_a_return_restores_them)
{
	struct table *table = make(16, (const uint32_t[]){ 100, 50, 200 }, 3);
	struct steering_slot *before = copy_slots(table);
	uint16_t *up = all_up(table);

	for (uint32_t lost = 0; lost < 16; lost++) {
		up[lost] = 0;
		ck_assert(table_update(table, up));
		for (uint32_t slot = 0; slot < table->slot_count; slot++)
			ck_assert(
				only_moved(&before[slot], table_slot(table, slot), (uint16_t)lost));
		up[lost] = TABLE_ALL;
		ck_assert(table_update(table, up));
		expect_slots(table, before);
	}
	ck_assert(!table_update(table, up));
	free(up);
	free(before);
	table_free(table);
}
END_TEST

START_TEST(what_a_table_holds_does_not_depend_on_how_it_came_there)
{
	struct table *a = make(12, (const uint32_t[]){ 3, 1, 2, 7 }, 4);
	struct table *base = make(12, (const uint32_t[]){ 3, 1, 2, 7 }, 4);
	uint16_t *up = all_up(a);
	uint64_t x = 7;

	for (unsigned step = 0; step < 25; step++) {
		struct table *fresh = make(12, (const uint32_t[]){ 3, 1, 2, 7 }, 4);

		x = hash_word(x);
		up[x % 12] ^= TABLE_ALL;
		if (x >> 62 == 0)
			up[(x >> 8) % 12] ^= TABLE_ALL;
		table_update(a, up);
		table_update(fresh, up);
		expect_equal(a, fresh);
		table_free(fresh);
		if (a->rank == TABLE_USABLE)
			expect_definition(a, base, up);
	}
	free(up);
	table_free(base);
	table_free(a);
}
END_TEST

START_TEST(two_losses_in_either_order_give_the_same)
{
	struct table *a = make_equal(10), *b = make_equal(10);
	uint16_t *up = all_up(a);

	up[3] = 0;
	table_update(a, up);
	up[7] = 0;
	table_update(a, up);
	up[3] = TABLE_ALL;
	table_update(b, up);
	up[3] = 0;
	table_update(b, up);
	expect_equal(a, b);
	free(up);
	table_free(a);
	table_free(b);
}
END_TEST

START_TEST(the_order_of_the_members_does_not_matter)
{
	struct table *a = make(9, (const uint32_t[]){ 5, 1, 3 }, 3);
	struct table_member members[9];
	struct table *b;

	for (unsigned i = 0; i < 9; i++)
		members[i] = a->members[8 - i];
	b = table_new(SEED, members, 9);
	expect_equal(a, b);
	table_free(a);
	table_free(b);
}
END_TEST

START_TEST(a_table_like_another_is_as_if_made_anew)
{
	struct table *older = make(30, (const uint32_t[]){ 5, 0, 3 }, 3);
	uint16_t *up = all_up(older);
	struct table_member members[30];
	struct table *like, *anew;

	up[4] = 0;
	table_update(older, up); /* what it holds now is not taken over */
	memcpy(members, older->members, sizeof(members));
	for (unsigned i = 0; i < 30; i++)
		members[i].choice = (uint16_t)(members[i].choice ^ 1);
	ck_assert(table_is_like(older, SEED, members, 30));
	like = table_new_like(older, members);
	anew = table_new(SEED, members, 30);
	expect_equal(like, anew);
	up[17] = 0;
	up[20] = 30000;
	ck_assert(table_update(like, up));
	ck_assert(table_update(anew, up));
	expect_equal(like, anew);
	ck_assert(!table_is_like(older, SEED + 1, members, 30));
	ck_assert(!table_is_like(older, SEED, members, 29));
	members[29].weight++;
	ck_assert(!table_is_like(older, SEED, members, 30));
	free(up);
	table_free(anew);
	table_free(like);
	table_free(older);
}
END_TEST

/* The clients of a lost node go to the others in proportion to their weights. */
START_TEST(moved_clients_spread_by_weight)
{
	static const uint32_t weights[] = { 100, 50, 200, 25 };
	struct table *table = make(200, weights, 4);
	uint16_t *up = all_up(table);
	double got[4] = { 0 }, chi_square = 0, moved = 0;
	struct steering_slot *before = copy_slots(table);

	for (unsigned k = 0; k < 200; k += 4)
		up[k] = k % 8 != 0 ? TABLE_ALL : 0; /* 25 of those with weight 100 */
	table_update(table, up);
	for (uint32_t slot = 0; slot < table->slot_count; slot++) {
		uint16_t other = table_slot(table, slot).other;

		if (other == before[slot].other)
			continue;
		got[other % 4]++;
		moved++;
	}
	for (unsigned i = 0; i < 4; i++) {
		double share = weights[i] * (i == 0 ? 25 : 50) / (100.0 * 25 + 275 * 50);
		double expected = share * moved;

		chi_square += (got[i] - expected) * (got[i] - expected) / expected;
	}
	ck_assert_double_lt(chi_square, 16.27); /* 3 degrees of freedom, 1 in 1,000 */
	free(before);
	free(up);
	table_free(table);
}
END_TEST

void table_cases(Suite *suite)
{
	suite_case(suite, "rendezvous", cost_is_the_binary_logarithm,
		   cost_never_grows_with_the_hash);
	suite_case(suite, "base table", equal_weights_get_equal_shares, shares_follow_the_weights,
		   the_smallest_weight_gets_its_share_beside_the_largest,
		   two_cells_a_slot_are_enough_for_the_most_members,
		   weight_0_everywhere_means_equal_shares, the_order_of_the_members_does_not_matter,
		   a_table_like_another_is_as_if_made_anew);
	suite_case(suite, "refilling", weight_0_gets_slots_only_when_nobody_else_can,
		   nobody_up_is_as_if_all_were,
		   a_loss_moves_only_its_own_clients_and_a_return_restores_them,
		   what_a_table_holds_does_not_depend_on_how_it_came_there,
		   two_losses_in_either_order_give_the_same, moved_clients_spread_by_weight);
}
