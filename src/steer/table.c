#include "steer/table.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "steer/rendezvous.h"

#define SLOTS_PER_MEMBER 100U
#define EMPTY            UINT16_MAX

static bool is_prime(uint32_t n)
{
	for (uint32_t d = 3; d * d <= n; d += 2)
		if (n % d == 0)
			return false;
	return n % 2 != 0;
}

uint32_t table_size(uint32_t member_count)
{
	uint32_t n;

	if (member_count > TABLE_SLOTS_MAX / SLOTS_PER_MEMBER)
		return TABLE_SLOTS_MAX;
	for (n = SLOTS_PER_MEMBER * member_count + 1; !is_prime(n); n++)
		;
	return n;
}

/* --- the base table ------------------------------------------------------------------------ */

/* By key, so that turns are taken in the same order however the files list the nodes. */
static int by_key(const void *a, const void *b)
{
	const struct table_member *x = a, *y = b;

	if (x->key != y->key)
		return x->key < y->key ? -1 : 1;
	return x->choice < y->choice ? -1 : x->choice > y->choice;
}

/* Slots of each member: its exact share rounded so that the sum is right (the running total is
 * rounded, not each share), but one at least for whoever has a weight. */
static void set_quotas(const struct table *table, uint32_t *quota)
{
	uint64_t total = 0, seen = 0, given = 0;

	for (uint32_t i = 0; i < table->member_count; i++)
		total += table->members[i].weight;
	for (uint32_t i = 0; i < table->member_count; i++) {
		/* All have weight 0: equal shares. */
		seen += total == 0 ? 1 : table->members[i].weight;
		quota[i] = (uint32_t)(seen * table->slot_count /
					      (total == 0 ? table->member_count : total) -
				      given);
		given += quota[i];
	}
	for (uint32_t i = 0; i < table->member_count; i++) {
		uint32_t richest = 0;

		if (quota[i] > 0 || table->members[i].weight == 0)
			continue;
		for (uint32_t k = 1; k < table->member_count; k++)
			if (quota[k] > quota[richest])
				richest = k;
		quota[richest]--;
		quota[i] = 1;
	}
}

/* The order in which members take slots: the k-th turn of a member with quota q comes at k / q of
 * the whole, so that everybody finds its preferred slots equally free all the time. A counting
 * sort by that time; at the same time, in order of the keys. */
static void set_turns(const struct table *table, const uint32_t *quota, uint16_t *turns)
{
	uint64_t slots = table->slot_count;
	uint32_t *at = mem_array(slots + 1, sizeof(*at));

	for (uint32_t i = 0; i < table->member_count; i++)
		for (uint32_t k = 0; k < quota[i]; k++)
			at[k * slots / quota[i] + 1]++;
	for (uint32_t t = 0; t < table->slot_count; t++)
		at[t + 1] += at[t];
	for (uint32_t i = 0; i < table->member_count; i++)
		for (uint32_t k = 0; k < quota[i]; k++)
			turns[at[k * slots / quota[i]]++] = (uint16_t)i;
	free(at);
}

/* A member's permutation of the slots: from `place` on in steps of `skip` (their number is a
 * prime, so every slot is met). */
struct walk {
	uint32_t place, skip;
};

static void fill_base(struct table *table, uint64_t seed)
{
	uint32_t slots = table->slot_count;
	uint32_t *quota = mem_array(table->member_count, sizeof(*quota));
	uint16_t *turns = mem_array(slots, sizeof(*turns));
	struct walk *walks = mem_array(table->member_count, sizeof(*walks));

	set_quotas(table, quota);
	set_turns(table, quota, turns);
	for (uint32_t i = 0; i < table->member_count; i++) {
		uint64_t hash = hash_word(seed ^ table->members[i].key);

		walks[i].place = hash_below(hash, slots);
		walks[i].skip = hash_below(hash_word(hash), slots - 1) + 1;
	}
	memset(table->base, 0xff, slots * sizeof(*table->base)); /* EMPTY */
	for (uint32_t turn = 0; turn < slots; turn++) {
		struct walk *walk = &walks[turns[turn]];

		while (table->base[walk->place] != EMPTY)
			walk->place = (walk->place + walk->skip) % slots;
		table->base[walk->place] = turns[turn];
	}
	free(walks);
	free(turns);
	free(quota);
}

static void count_distinct(struct table *table)
{
	bool *seen = mem_array(table->member_count, sizeof(*seen));

	table->distinct = 0;
	for (uint32_t slot = 0; slot < table->slot_count; slot++) {
		bool *s = &seen[table->now[slot]];

		table->distinct += !*s;
		*s = true;
	}
	free(seen);
}

struct weighted_index {
	uint32_t weight;
	uint16_t index;
};

static int compare_weights(const void *a, const void *b)
{
	const struct weighted_index *x = a, *y = b;

	if (x->weight != y->weight)
		return x->weight < y->weight ? -1 : 1;
	return x->index < y->index ? -1 : x->index > y->index;
}

static void sort_by_weight(struct table *table)
{
	struct weighted_index *list = mem_array(table->member_count, sizeof(*list));

	for (uint32_t i = 0; i < table->member_count; i++)
		list[i] = (struct weighted_index){ table->members[i].weight, (uint16_t)i };
	qsort(list, table->member_count, sizeof(*list), compare_weights);
	for (uint32_t i = 0; i < table->member_count; i++)
		table->by_weight[i] = list[i].index;
	free(list);
}

struct table *table_new(uint64_t seed, const struct table_member *members, uint32_t member_count)
{
	struct table *table = mem_alloc(sizeof(*table));

	table->member_count = member_count;
	table->slot_count = table_size(member_count);
	table->members = mem_array(member_count, sizeof(*members));
	memcpy(table->members, members, member_count * sizeof(*members));
	qsort(table->members, member_count, sizeof(*members), by_key);
	table->base = mem_array(table->slot_count, sizeof(*table->base));
	table->now = mem_array(table->slot_count, sizeof(*table->now));
	table->slots = mem_array(table->slot_count, sizeof(*table->slots));
	table->usable = mem_array(member_count, sizeof(*table->usable));
	table->by_weight = mem_array(member_count, sizeof(*table->by_weight));
	sort_by_weight(table);
	fill_base(table, seed);
	for (uint32_t slot = 0; slot < table->slot_count; slot++) {
		table->now[slot] = table->base[slot];
		table->slots[slot] = table->members[table->base[slot]].choice;
	}
	for (uint32_t i = 0; i < member_count; i++)
		table->usable[i] = true;
	count_distinct(table);
	return table;
}

void table_free(struct table *table)
{
	if (table == NULL)
		return;
	free(table->members);
	free(table->base);
	free(table->now);
	free(table->slots);
	free(table->usable);
	free(table->by_weight);
	free(table);
}

/* --- refilling ------------------------------------------------------------------------------- */

struct runner {
	uint64_t key;
	uint32_t weight; /* not 0 */
	uint32_t member;
};

/* Runners of one race, by weight: among equal weights the highest hash wins, so a logarithm is
 * needed once a weight only. */
struct race {
	struct runner *runners;
	uint32_t count;
};

static void race_enter(struct race *race, const struct table *table, uint32_t member)
{
	const struct table_member *m = &table->members[member];

	/* Those with weight 0 race among themselves, as equals. */
	race->runners[race->count++] = (struct runner){ m->key, m->weight != 0 ? m->weight : 1,
							member };
}

static uint64_t slot_key(uint32_t slot)
{
	return hash_word(slot);
}

/* The best of runners[from..to), all of one weight. */
static struct rendezvous_bid best_of_equals(const struct runner *runners, uint32_t from,
					    uint32_t to, uint64_t key)
{
	uint32_t best = from;
	uint64_t best_hash = rendezvous_hash(key, runners[from].key);

	for (uint32_t i = from + 1; i < to; i++) {
		uint64_t hash = rendezvous_hash(key, runners[i].key);

		if (hash > best_hash) {
			best_hash = hash;
			best = i;
		}
	}
	return rendezvous_bid(best_hash, runners[from].weight, runners[best].member);
}

/* Who of the race and `best` (which may be no bid at all) gets the slot. */
static uint32_t race_run(const struct race *race, uint64_t key, struct rendezvous_bid best)
{
	const struct runner *runners = race->runners;
	uint32_t to;

	for (uint32_t from = 0; from < race->count; from = to) {
		struct rendezvous_bid bid;

		for (to = from + 1; to < race->count && runners[to].weight == runners[from].weight;
		     to++)
			;
		bid = best_of_equals(runners, from, to, key);
		if (rendezvous_wins(&bid, &best))
			best = bid;
	}
	return best.member;
}

static uint8_t rank(const struct table_member *member, const bool *up)
{
	if (!up[member->choice])
		return TABLE_DOWN;
	return member->weight > 0 ? TABLE_USABLE : TABLE_RESERVE;
}

/* Sets who is usable; returns false when nobody changed. *all: those usable; *fresh: those that
 * were not until now. */
static bool set_usable(struct table *table, const bool *up, struct race *all, struct race *fresh)
{
	bool changed = false;
	uint8_t best = TABLE_DOWN;

	for (uint32_t i = 0; i < table->member_count; i++) {
		uint8_t r = rank(&table->members[i], up);

		best = r > best ? r : best;
	}
	table->rank = best;
	for (uint32_t k = 0; k < table->member_count; k++) {
		uint32_t i = table->by_weight[k];
		bool usable = best == TABLE_DOWN || rank(&table->members[i], up) == best;

		if (usable)
			race_enter(all, table, i);
		if (usable && !table->usable[i])
			race_enter(fresh, table, i);
		changed |= usable != table->usable[i];
		table->usable[i] = usable;
	}
	return changed;
}

/* Who gets a slot whose owner in the base table is not usable. Its holder until now, if still
 * usable, has won against all but the fresh ones already. */
static uint32_t refill(const struct table *table, uint32_t slot, const struct race *all,
		       const struct race *fresh)
{
	uint32_t holder = table->now[slot];
	const struct table_member *m = &table->members[holder];
	struct rendezvous_bid bid = { .member = RENDEZVOUS_NONE };
	uint64_t key = slot_key(slot);

	if (!table->usable[holder])
		return race_run(all, key, bid);
	if (fresh->count == 0)
		return holder;
	bid = rendezvous_bid(rendezvous_hash(key, m->key), m->weight != 0 ? m->weight : 1, holder);
	return race_run(fresh, key, bid);
}

bool table_update(struct table *table, const bool *up)
{
	struct race all = { mem_array(table->member_count, sizeof(*all.runners)), 0 };
	struct race fresh = { mem_array(table->member_count, sizeof(*fresh.runners)), 0 };
	bool changed = false;

	if (!set_usable(table, up, &all, &fresh))
		goto out;
	for (uint32_t slot = 0; slot < table->slot_count; slot++) {
		uint32_t owner = table->base[slot];

		if (!table->usable[owner])
			owner = refill(table, slot, &all, &fresh);
		if (owner == table->now[slot])
			continue;
		table->now[slot] = (uint16_t)owner;
		table->slots[slot] = table->members[owner].choice;
		changed = true;
	}
	if (changed)
		count_distinct(table);
out:
	free(fresh.runners);
	free(all.runners);
	return changed;
}
