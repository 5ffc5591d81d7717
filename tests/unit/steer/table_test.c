#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/mem.h"
#include "steer/rendezvous.h"
#include "steer/table.h"
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

static bool *all_up(const struct table *table)
{
	bool *up = mem_array(table->member_count, sizeof(*up));

	memset(up, true, table->member_count);
	return up;
}

static uint16_t *copy_slots(const struct table *table)
{
	uint16_t *copy = mem_array(table->slot_count, sizeof(*copy));

	memcpy(copy, table->slots, table->slot_count * sizeof(*copy));
	return copy;
}

static uint32_t slots_of(const struct table *table, uint16_t choice)
{
	uint32_t count = 0;

	for (uint32_t slot = 0; slot < table->slot_count; slot++)
		count += table->slots[slot] == choice;
	return count;
}

static double score(const struct table *table, uint32_t slot, uint16_t choice)
{
	for (uint32_t i = 0; i < table->member_count; i++) {
		const struct table_member *m = &table->members[i];
		uint64_t hash = rendezvous_hash(hash_word(slot), m->key);

		if (m->choice == choice)
			return -(double)m->weight / (log((double)hash) - 64 * M_LN2);
	}
	ck_abort_msg("no choice %u", choice);
}

/* What the table should hold, from the definition: no shortcuts, and the C library's logarithm. */
static void expect_definition(const struct table *table, const struct table *base, const bool *up)
{
	for (uint32_t slot = 0; slot < table->slot_count; slot++) {
		double best = 0;

		ck_assert(up[table->slots[slot]]);
		if (up[base->slots[slot]]) {
			ck_assert_uint_eq(table->slots[slot], base->slots[slot]);
			continue;
		}
		for (uint16_t choice = 0; choice < table->member_count; choice++)
			if (up[choice] && score(table, slot, choice) > best)
				best = score(table, slot, choice);
		/* What is a tie but for the precision of our logarithm may go either way. */
		ck_assert_double_gt(score(table, slot, table->slots[slot]), best * 0.995);
	}
}

START_TEST(size_is_the_next_prime_above_100_times_the_members)
{
	ck_assert_uint_eq(table_size(1), 101);
	ck_assert_uint_eq(table_size(2), 211);
	ck_assert_uint_eq(table_size(10), 1009);
	ck_assert_uint_eq(table_size(655), 65519);
	ck_assert_uint_eq(table_size(656), 65537);
	ck_assert_uint_eq(table_size(65535), 65537);
}
END_TEST

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

START_TEST(equal_weights_get_equal_shares)
{
	static const uint32_t counts[] = { 1, 2, 3, 10, 77, 655, 1000, 5000 };

	for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++) {
		struct table *table = make_equal(counts[i]);
		uint32_t share = table->slot_count / counts[i];

		for (uint32_t k = 0; k < counts[i]; k++) {
			uint32_t slots = slots_of(table, (uint16_t)k);

			ck_assert_uint_ge(slots, share);
			ck_assert_uint_le(slots, share + 1);
		}
		ck_assert_uint_eq(table->distinct, counts[i]);
		table_free(table);
	}
}
END_TEST

START_TEST(shares_follow_the_weights)
{
	static const uint32_t weights[] = { 100, 50, 25, 10, 1, 300 };
	struct table *table = make(60, weights, 6);
	double worst = 0;

	for (uint32_t k = 0; k < 60; k++) {
		double exact = table->slot_count * weights[k % 6] / (10.0 * 486);
		double error = fabs(slots_of(table, (uint16_t)k) - exact);

		worst = error > worst ? error : worst;
	}
	ck_assert_double_le(worst, 1.0); /* one slot, of 6,007 */
	table_free(table);
}
END_TEST

START_TEST(the_smallest_weight_gets_a_slot)
{
	struct table *table = make(3, (const uint32_t[]){ 65535, 65535, 1 }, 3);

	ck_assert_uint_eq(slots_of(table, 2), 1);
	table_free(table);
}
END_TEST

START_TEST(weight_0_gets_slots_only_when_nobody_else_can)
{
	struct table *table = make(3, (const uint32_t[]){ 10, 0, 10 }, 3);
	bool up[3] = { true, true, true };

	ck_assert_uint_eq(slots_of(table, 1), 0);
	up[0] = false;
	table_update(table, up);
	ck_assert_uint_eq(slots_of(table, 2), table->slot_count);
	up[2] = false;
	table_update(table, up);
	ck_assert_uint_eq(slots_of(table, 1), table->slot_count);
	ck_assert_uint_eq(table->distinct, 1);
	ck_assert_uint_eq(table->rank, TABLE_RESERVE);
	up[2] = true;
	table_update(table, up);
	ck_assert_uint_eq(slots_of(table, 2), table->slot_count);
	table_free(table);
}
END_TEST

START_TEST(weight_0_everywhere_means_equal_shares)
{
	struct table *table = make(4, (const uint32_t[]){ 0 }, 1);

	for (uint16_t k = 0; k < 4; k++)
		ck_assert_uint_ge(slots_of(table, k), table->slot_count / 4);
	table_free(table);
}
END_TEST

START_TEST(nobody_up_is_as_if_all_were)
{
	struct table *table = make_equal(5);
	uint16_t *base = copy_slots(table);
	bool up[5] = { false, true, false, false, true };

	table_update(table, up);
	memset(up, false, sizeof(up));
	table_update(table, up);
	ck_assert_mem_eq(base, table->slots, table->slot_count * sizeof(*base));
	ck_assert_uint_eq(table->rank, TABLE_DOWN);
	free(base);
	table_free(table);
}
END_TEST

START_TEST(a_loss_moves_only_its_own_clients_and_a_return_restores_them)
{
	struct table *table = make(20, (const uint32_t[]){ 100, 50, 200 }, 3);
	uint16_t *before = copy_slots(table);
	bool *up = all_up(table);

	for (uint32_t lost = 0; lost < 20; lost++) {
		up[lost] = false;
		ck_assert(table_update(table, up));
		for (uint32_t slot = 0; slot < table->slot_count; slot++) {
			ck_assert_uint_ne(table->slots[slot], lost);
			if (before[slot] != lost)
				ck_assert_uint_eq(table->slots[slot], before[slot]);
		}
		up[lost] = true;
		ck_assert(table_update(table, up));
		ck_assert_mem_eq(before, table->slots, table->slot_count * sizeof(*before));
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
	bool *up = all_up(a);
	uint64_t x = 7;

	for (unsigned step = 0; step < 400; step++) {
		struct table *fresh = make(12, (const uint32_t[]){ 3, 1, 2, 7 }, 4);

		x = hash_word(x);
		up[x % 12] = !up[x % 12];
		if (x >> 62 == 0)
			up[(x >> 8) % 12] = !up[(x >> 8) % 12];
		table_update(a, up);
		table_update(fresh, up);
		ck_assert_mem_eq(a->slots, fresh->slots, a->slot_count * sizeof(*a->slots));
		ck_assert_uint_eq(a->distinct, fresh->distinct);
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
	bool *up = all_up(a);

	up[3] = false;
	table_update(a, up);
	up[7] = false;
	table_update(a, up);
	up[3] = true;
	table_update(b, up);
	up[3] = false;
	table_update(b, up);
	ck_assert_mem_eq(a->slots, b->slots, a->slot_count * sizeof(*a->slots));
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
	ck_assert_mem_eq(a->slots, b->slots, a->slot_count * sizeof(*a->slots));
	table_free(a);
	table_free(b);
}
END_TEST

/* The clients of a lost node go to the others in proportion to their weights. */
START_TEST(moved_clients_spread_by_weight)
{
	static const uint32_t weights[] = { 100, 50, 200, 25 };
	struct table *table = make(200, weights, 4);
	bool *up = all_up(table);
	double got[4] = { 0 }, chi_square = 0, moved = 0;
	uint16_t *before = copy_slots(table);

	for (unsigned k = 0; k < 200; k += 4)
		up[k] = k % 8 != 0; /* 25 of those with weight 100 */
	table_update(table, up);
	for (uint32_t slot = 0; slot < table->slot_count; slot++) {
		if (table->slots[slot] == before[slot])
			continue;
		got[table->slots[slot] % 4]++;
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
	suite_case(suite, "base table", size_is_the_next_prime_above_100_times_the_members,
		   equal_weights_get_equal_shares, shares_follow_the_weights,
		   the_smallest_weight_gets_a_slot, weight_0_everywhere_means_equal_shares,
		   the_order_of_the_members_does_not_matter);
	suite_case(suite, "refilling", weight_0_gets_slots_only_when_nobody_else_can,
		   nobody_up_is_as_if_all_were,
		   a_loss_moves_only_its_own_clients_and_a_return_restores_them,
		   what_a_table_holds_does_not_depend_on_how_it_came_there,
		   two_losses_in_either_order_give_the_same, moved_clients_spread_by_weight);
}
