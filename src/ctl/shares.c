#include "ctl/shares.h"

#include <stdlib.h>

#include "base/mem.h"

#define GOES_ON UINT32_MAX /* as a node: the share goes on in its pool */

struct shares {
	const struct image *steering, *geo;
	struct share_list **prefs; /* [pool][preference]: as found before; no items: not yet */
	uint32_t pool_count;
	double *hits;              /* scratch: slots of each node; zero between uses */
	struct share_list through; /* what the last one found that led through several pools */
};

struct shares *shares_new(const struct image *steering, const struct image *geo)
{
	struct shares *shares = mem_alloc(sizeof(*shares));
	uint32_t most = 0;

	*shares = (struct shares){ .steering = steering, .geo = geo };
	shares->pool_count = image_root(steering, struct steering_root)->pool_count;
	shares->prefs = mem_array(shares->pool_count, sizeof(*shares->prefs));
	for (uint32_t p = 0; p < shares->pool_count; p++) {
		const struct steering_pool *pool = steering_pool(steering, p);

		shares->prefs[p] = mem_array(pool->pref_count + 1U, sizeof(struct share_list));
		if (pool->node_count > most)
			most = pool->node_count;
	}
	shares->hits = mem_array(most + 1U, sizeof(*shares->hits));
	return shares;
}

void shares_free(struct shares *shares)
{
	if (shares == NULL)
		return;
	for (uint32_t p = 0; p < shares->pool_count; p++) {
		for (uint32_t i = 0; i < steering_pool(shares->steering, p)->pref_count; i++)
			free(shares->prefs[p][i].items);
		free(shares->prefs[p]);
	}
	free(shares->prefs);
	free(shares->hits);
	free(shares->through.items);
	free(shares);
}

/* Adds what each number of the slots gets: in full 1. */
static void count_slots(double *hits, const struct image *steering,
			const struct steering_slots *slots)
{
	for (uint32_t i = 0; i < slots->count; i++) {
		const struct steering_slot *slot = steering_slot(steering, slots, i);

		hits[slot->node] += slot->cut / 65536. / slots->count;
		hits[slot->other] += (65536 - slot->cut) / 65536. / slots->count;
	}
}

static void add_branch(struct shares *shares, struct share_list *out, uint32_t pool,
		       uint32_t branch, double part);

static void add_table(struct shares *shares, struct share_list *out, uint32_t pool, uint32_t number,
		      double part)
{
	const struct steering_table *table = steering_table(shares->steering, number);
	uint32_t nodes = steering_pool(shares->steering, pool)->node_count;

	count_slots(shares->hits, shares->steering, &table->slots);
	for (uint32_t node = 0; node <= nodes; node++) {
		if (shares->hits[node] > 0)
			array_add(out->items, out->count, out->cap) =
				(struct share){ pool, node, part * shares->hits[node] };
		shares->hits[node] = 0;
	}
}

static void add_split(struct shares *shares, struct share_list *out, uint32_t pool, uint32_t number,
		      double part)
{
	const struct steering_split *split = steering_split(shares->steering, number);
	const uint32_t *branches = image_at(shares->steering, uint32_t, split->branches_off);
	double *hits = mem_array(split->branch_count, sizeof(*hits));

	count_slots(hits, shares->steering, &split->slots);
	for (uint32_t i = 0; i < split->branch_count; i++) {
		if (hits[i] > 0)
			add_branch(shares, out, pool, branches[i], part * hits[i]);
	}
	free(hits);
}

/* A split leads to tables and pools only (steering_verify), so this ends. */
static void add_branch(struct shares *shares, struct share_list *out, uint32_t pool,
		       uint32_t branch, double part)
{
	uint32_t number = branch_number(branch);

	switch (branch_kind(branch)) {
	case BRANCH_TABLE: add_table(shares, out, pool, number, part); break;
	case BRANCH_SPLIT: add_split(shares, out, pool, number, part); break;
	default:
		array_add(out->items, out->count, out->cap) = (struct share){ number, GOES_ON,
									      part };
	}
}

static const struct steering_pref *pref_of(const struct shares *shares, uint32_t pool,
					   uint32_t class_id)
{
	return steering_pref(shares->steering, steering_pool(shares->steering, pool),
			     geo_class_pref(shares->geo, class_id, pool));
}

uint8_t shares_applied(const struct shares *shares, uint32_t pool, uint32_t class_id)
{
	return pref_of(shares, pool, class_id)->applied;
}

/* Within one pool. */
static const struct share_list *find_in_pool(struct shares *shares, uint32_t pool,
					     uint32_t class_id)
{
	struct share_list *list = &shares->prefs[pool][geo_class_pref(shares->geo, class_id, pool)];

	if (list->items == NULL)
		add_branch(shares, list, pool, pref_of(shares, pool, class_id)->branch, 1);
	return list;
}

/* Through all pools; steering_verify has seen that they are no circle. */
static void find_through(struct shares *shares, uint32_t pool, uint32_t class_id, double part)
{
	const struct share_list *list = find_in_pool(shares, pool, class_id);
	struct share_list *out = &shares->through;

	for (uint32_t i = 0; i < list->count; i++) {
		struct share share = list->items[i];

		share.share *= part;
		if (share.node == GOES_ON)
			find_through(shares, share.pool, class_id, share.share);
		else
			array_add(out->items, out->count, out->cap) = share;
	}
}

const struct share_list *shares_find(struct shares *shares, uint32_t pool, uint32_t class_id)
{
	const struct share_list *list = find_in_pool(shares, pool, class_id);

	for (uint32_t i = 0; i < list->count; i++) {
		if (list->items[i].node != GOES_ON)
			continue;
		shares->through.count = 0;
		find_through(shares, pool, class_id, 1);
		return &shares->through;
	}
	return list;
}
