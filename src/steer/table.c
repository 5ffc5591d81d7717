#include "steer/table.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "steer/rendezvous.h"
#include "steer/table_base.h"

uint32_t table_size(uint32_t member_count)
{
	if (member_count == 1)
		return 1;
	return member_count <= TABLE_SLOTS / 8 ? TABLE_SLOTS : TABLE_SLOTS_MAX;
}

/* By key, so that turns are taken in the same order however the files list the nodes. */
static int by_key(const void *a, const void *b)
{
	const struct table_member *x = a, *y = b;

	if (x->key != y->key)
		return x->key < y->key ? -1 : 1;
	return x->choice < y->choice ? -1 : x->choice > y->choice;
}

void table_sort(struct table_member *members, uint32_t member_count)
{
	qsort(members, member_count, sizeof(*members), by_key);
}

/* --- as configured ----------------------------------------------------------------------------- */

/* With members, and room for a base. */
static struct table *begin(uint64_t seed, const struct table_member *members, uint32_t member_count)
{
	struct table *table = mem_alloc(sizeof(*table));

	table->seed = seed;
	table->member_count = member_count;
	table->slot_count = table_size(member_count);
	table->members = mem_array(member_count, sizeof(*members));
	memcpy(table->members, members, member_count * sizeof(*members));
	table_sort(table->members, member_count);
	table->base = mem_array(table->slot_count, sizeof(*table->base));
	table->level = mem_array(member_count, sizeof(*table->level));
	for (uint32_t i = 0; i < member_count; i++)
		table->level[i] = TABLE_ALL;
	return table;
}

/* Who has a slot at all: weights may be 0, or too small for one. */
static void count_distinct(struct table *table)
{
	bool *seen = mem_array(table->member_count, sizeof(*seen));

	for (uint32_t slot = 0; slot < table->slot_count; slot++)
		seen[table->base[slot].node] = seen[table->base[slot].other] = true;
	table->distinct = 0;
	for (uint32_t i = 0; i < table->member_count; i++)
		table->distinct += seen[i];
	free(seen);
}

struct table *table_new(uint64_t seed, const struct table_member *members, uint32_t member_count)
{
	struct table *table = begin(seed, members, member_count);

	table_fill_base(table);
	count_distinct(table);
	return table;
}

bool table_is_like(const struct table *table, uint64_t seed, const struct table_member *members,
		   uint32_t member_count)
{
	if (table->seed != seed || table->member_count != member_count)
		return false;
	for (uint32_t i = 0; i < member_count; i++)
		if (table->members[i].key != members[i].key ||
		    table->members[i].weight != members[i].weight)
			return false;
	return true;
}

struct table *table_new_like(const struct table *like, const struct table_member *members)
{
	struct table *table = begin(like->seed, members, like->member_count);

	memcpy(table->base, like->base, table->slot_count * sizeof(*table->base));
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
	free(table->keep_from);
	free(table->level);
	free(table->cells_end);
	free(table->cells);
	free(table->held);
	free(table);
}

struct steering_slot table_slot(const struct table *table, uint32_t slot)
{
	const struct steering_slot *now = table->now != NULL ? &table->now[slot]
							     : &table->base[slot];
	uint16_t node = table->members[now->node].choice, other = table->members[now->other].choice;

	return (struct steering_slot){ node, other, node == other ? 0 : now->cut };
}

/* --- who holds what ---------------------------------------------------------------------------- */

static void hold(struct table *table, uint32_t member)
{
	table->distinct += table->held[member]++ == 0;
}

static void let_go(struct table *table, uint32_t member)
{
	table->distinct -= --table->held[member] == 0;
}

/* Which cells belong to whom in the base table: what an update has to look at. A counting sort. */
static void list_cells(struct table *table)
{
	uint32_t *at = table->cells_end, count = 0;

	table->distinct = 0;
	for (uint32_t slot = 0; slot < table->slot_count; slot++) {
		const struct steering_slot *base = &table->base[slot];

		hold(table, base->other);
		if (base->cut != 0)
			hold(table, base->node);
	}
	for (uint32_t i = 0; i < table->member_count; i++) {
		at[i] = count;
		count += table->held[i];
	}
	table->cells = mem_array(count, sizeof(*table->cells));
	for (uint32_t slot = 0; slot < table->slot_count; slot++) {
		const struct steering_slot *base = &table->base[slot];

		table->cells[at[base->other]++] = 2 * slot + 1;
		if (base->cut != 0)
			table->cells[at[base->node]++] = 2 * slot;
	}
}

/* What the first update needs that changes something: most tables are as configured. */
static void begin_changes(struct table *table)
{
	table->now = mem_array(table->slot_count, sizeof(*table->now));
	memcpy(table->now, table->base, table->slot_count * sizeof(*table->now));
	table->keep_from = mem_array(2 * (size_t)table->slot_count, sizeof(*table->keep_from));
	table_set_keep_from(table);
	table->cells_end = mem_array(table->member_count, sizeof(*table->cells_end));
	table->held = mem_array(table->member_count, sizeof(*table->held));
	list_cells(table);
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

/* Heaviest first: the best bid is met early, and few others are worth a logarithm. */
static int heavier(const void *a, const void *b)
{
	const struct runner *x = a, *y = b;

	if (x->weight != y->weight)
		return x->weight > y->weight ? -1 : 1;
	return x->member < y->member ? -1 : x->member > y->member;
}

/* Those with weight 0 race among themselves, as equals. */
static uint32_t racing_weight(const struct table_member *member, uint16_t level)
{
	return (member->weight != 0 ? member->weight : 1) * (uint32_t)level;
}

/* The best of runners[from..to), all of one weight, so that no logarithm is needed. */
static uint32_t best_of_equals(const struct runner *runners, uint32_t from, uint32_t to,
			       uint64_t key, uint64_t *best_hash)
{
	uint32_t best = from;

	*best_hash = rendezvous_hash(key, runners[from].key);
	for (uint32_t i = from + 1; i < to; i++) {
		uint64_t hash = rendezvous_hash(key, runners[i].key);

		if (hash > *best_hash) {
			*best_hash = hash;
			best = i;
		}
	}
	return best;
}

/* Who of the race and `best` (which may be no bid at all) gets the cell. */
static uint32_t race_run(const struct race *race, uint64_t key, struct rendezvous_bid best)
{
	const struct runner *runners = race->runners;
	uint32_t to;

	for (uint32_t from = 0; from < race->count; from = to) {
		uint32_t weight = runners[from].weight, winner;
		struct rendezvous_bid bid;
		uint64_t hash;

		for (to = from + 1; to < race->count && runners[to].weight == weight; to++)
			;
		winner = best_of_equals(runners, from, to, key, &hash);
		if (to - from == race->count && best.member == RENDEZVOUS_NONE)
			return runners[winner].member;
		if (!rendezvous_could_win(hash, weight, &best))
			continue;
		bid = rendezvous_bid(hash, weight, runners[winner].member);
		if (rendezvous_wins(&bid, &best))
			best = bid;
	}
	return best.member;
}

/* What changes with an update. */
struct update {
	const uint16_t *was; /* [member]: its level until now */
	struct race all;     /* those usable */
	struct race fresh;   /* those that are more so than until now */
};

static uint8_t rank_of(const struct table_member *member, const uint16_t *level)
{
	if (level[member->choice] == 0)
		return TABLE_DOWN;
	return member->weight > 0 ? TABLE_USABLE : TABLE_RESERVE;
}

static uint8_t best_rank(const struct table *table, const uint16_t *level)
{
	uint8_t best = TABLE_DOWN;

	for (uint32_t i = 0; i < table->member_count; i++) {
		uint8_t rank = rank_of(&table->members[i], level);

		best = rank > best ? rank : best;
	}
	return best;
}

/* Sets the levels that hold; returns false when none changed. */
static bool set_levels(struct table *table, const uint16_t *level, struct update *update)
{
	bool changed = false;

	table->rank = best_rank(table, level);
	for (uint32_t i = 0; i < table->member_count; i++) {
		const struct table_member *m = &table->members[i];
		uint16_t now = 0, was = table->level[i];
		struct runner runner;

		if (table->rank == TABLE_DOWN)
			now = TABLE_ALL;
		else if (rank_of(m, level) == table->rank)
			now = level[m->choice];
		runner = (struct runner){ m->key, racing_weight(m, now), i };
		if (now > 0)
			update->all.runners[update->all.count++] = runner;
		if (now > was)
			update->fresh.runners[update->fresh.count++] = runner;
		changed |= now != was;
		table->level[i] = now;
	}
	return changed;
}

/* Who gets a cell that its owner in the base table does not keep. Its holder until now, if no less
 * usable, has won against all but the fresh ones already. */
static uint32_t refill(const struct table *table, const struct update *update, uint64_t key,
		       uint32_t holder, bool held)
{
	const struct table_member *m = &table->members[holder];
	uint16_t level = table->level[holder];
	struct rendezvous_bid bid = { .member = RENDEZVOUS_NONE };

	if (!held || level == 0 || level < update->was[holder])
		return race_run(&update->all, key, bid);
	if (update->fresh.count == 0)
		return holder;
	bid = rendezvous_bid(rendezvous_hash(key, m->key), racing_weight(m, level), holder);
	return race_run(&update->fresh, key, bid);
}

/* Returns whether another member holds the cell now. */
static bool update_cell(struct table *table, const struct update *update, uint32_t cell,
			uint32_t owner)
{
	uint32_t slot = cell / 2, holder;
	struct steering_slot *now = &table->now[slot];
	uint16_t from = table->keep_from[cell], *place = cell % 2 == 0 ? &now->node : &now->other;

	holder = table->level[owner] >= from ? owner
					     : refill(table, update, table_cell_key(slot, cell % 2),
						      *place, update->was[owner] < from);
	if (holder == *place)
		return false;
	hold(table, holder);
	let_go(table, *place);
	*place = (uint16_t)holder;
	if (now->cut == 0)
		now->node = now->other;
	return true;
}

/* Who has all that is its own, as before, has no cell that changes. */
static bool update_cells(struct table *table, const struct update *update)
{
	bool changed = false;
	uint32_t k = 0;

	for (uint32_t i = 0; i < table->member_count; k = table->cells_end[i++]) {
		if (table->level[i] == TABLE_ALL && update->was[i] == TABLE_ALL)
			continue;
		for (; k < table->cells_end[i]; k++)
			changed |= update_cell(table, update, table->cells[k], i);
	}
	return changed;
}

bool table_update(struct table *table, const uint16_t *level)
{
	uint16_t *was = mem_array(table->member_count, sizeof(*was));
	struct update update = {
		.was = was,
		.all.runners = mem_array(table->member_count, sizeof(struct runner)),
		.fresh.runners = mem_array(table->member_count, sizeof(struct runner)),
	};
	bool changed = false;

	memcpy(was, table->level, table->member_count * sizeof(*was));
	if (set_levels(table, level, &update)) {
		if (table->now == NULL)
			begin_changes(table);
		qsort(update.all.runners, update.all.count, sizeof(struct runner), heavier);
		qsort(update.fresh.runners, update.fresh.count, sizeof(struct runner), heavier);
		changed = update_cells(table, &update);
	}
	free(update.fresh.runners);
	free(update.all.runners);
	free(was);
	return changed;
}
