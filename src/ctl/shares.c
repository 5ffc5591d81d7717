#include "ctl/shares.h"

#include <stdlib.h>

#include "base/mem.h"
#include "ctl/answer_nodes.h"
#include "image/backup.h"

/* As a node. */
#define GOES_ON UINT32_MAX       /* the share goes on in its pool */
#define BACKUP  (UINT32_MAX - 1) /* the class tells whether it does; `pool`: number of a backup */

struct shares {
	const struct image *steering, *geo, *plan;
	struct share_list **prefs; /* [pool][preference]: as found before; no items: not yet */
	struct share_list *tables; /* [table]: the same; many preferences share one */
	uint32_t pool_count, table_count;
	uint64_t *hits;            /* scratch: 65536ths of a slot, of each node; 0 between uses */
	double *parts;             /* scratch: of each node; 0 between uses */
	struct share_list through; /* what the last one found that led through several pools */
};

struct shares *shares_new(const struct image *steering, const struct image *geo,
			  const struct image *plan)
{
	struct shares *shares = mem_alloc(sizeof(*shares));
	uint32_t most = 0;

	*shares = (struct shares){ .steering = steering, .geo = geo, .plan = plan };
	shares->pool_count = image_root(steering, struct steering_root)->pool_count;
	shares->prefs = mem_array(shares->pool_count, sizeof(*shares->prefs));
	shares->table_count = image_root(steering, struct steering_root)->table_count;
	shares->tables = mem_array(shares->table_count + 1U, sizeof(*shares->tables));
	for (uint32_t p = 0; p < shares->pool_count; p++) {
		const struct steering_pool *pool = steering_pool(steering, p);

		shares->prefs[p] = mem_array(pool->pref_count + 1U, sizeof(struct share_list));
		if (pool->node_count > most)
			most = pool->node_count;
	}
	shares->hits = mem_array(most + 1U, sizeof(*shares->hits));
	shares->parts = mem_array(most + 1U, sizeof(*shares->parts));
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
	for (uint32_t t = 0; t < shares->table_count; t++)
		free(shares->tables[t].items);
	free(shares->tables);
	free(shares->prefs);
	free(shares->hits);
	free(shares->parts);
	free(shares->through.items);
	free(shares);
}

#define SLOT 65536U

/* Adds what each number of the slots gets, in parts of a slot. */
static void count_slots(uint64_t *hits, const struct image *steering,
			const struct steering_slots *slots)
{
	for (uint32_t i = 0; i < slots->count; i++) {
		const struct steering_slot *slot = steering_slot(steering, slots, i);

		hits[slot->node] += slot->cut;
		hits[slot->other] += SLOT - slot->cut;
	}
}

static double part_of(uint64_t hits, uint32_t slot_count)
{
	return (double)hits / SLOT / slot_count;
}

static void add_branch(struct shares *shares, struct share_list *out, uint32_t pool,
		       uint32_t branch, double part);

static const struct share_list *find_in_table(struct shares *shares, uint32_t pool, uint32_t number)
{
	const struct steering_table *table = steering_table(shares->steering, number);
	uint32_t nodes = steering_pool(shares->steering, pool)->node_count;
	struct share_list *out = &shares->tables[number];

	if (out->count > 0 && out->items[0].pool == pool)
		return out;
	out->count = 0;
	count_slots(shares->hits, shares->steering, &table->slots);
	for (uint32_t node = 0; node <= nodes; node++) {
		if (shares->hits[node] > 0)
			array_add(out->items, out->count, out->cap) = (struct share){
				pool, node, part_of(shares->hits[node], table->slots.count)
			};
		shares->hits[node] = 0;
	}
	return out;
}

static void add_table(struct shares *shares, struct share_list *out, uint32_t pool, uint32_t number,
		      double part)
{
	const struct share_list *list = find_in_table(shares, pool, number);

	for (uint32_t i = 0; i < list->count; i++)
		array_add(out->items, out->count, out->cap) =
			(struct share){ pool, list->items[i].node, part * list->items[i].share };
}

static void add_split(struct shares *shares, struct share_list *out, uint32_t pool, uint32_t number,
		      double part)
{
	const struct steering_split *split = steering_split(shares->steering, number);
	const uint32_t *branches = image_at(shares->steering, uint32_t, split->branches_off);
	uint64_t *hits = mem_array(split->branch_count, sizeof(*hits));

	count_slots(hits, shares->steering, &split->slots);
	for (uint32_t i = 0; i < split->branch_count; i++) {
		if (hits[i] > 0)
			add_branch(shares, out, pool, branches[i],
				   part * part_of(hits[i], split->slots.count));
	}
	free(hits);
}

/* A split leads to no other one (steering_verify), so this ends. */
static void add_branch(struct shares *shares, struct share_list *out, uint32_t pool,
		       uint32_t branch, double part)
{
	uint32_t number = branch_number(branch);

	switch (branch_kind(branch)) {
	case BRANCH_TABLE: add_table(shares, out, pool, number, part); break;
	case BRANCH_SPLIT: add_split(shares, out, pool, number, part); break;
	case BRANCH_BACKUP:
		array_add(out->items, out->count, out->cap) = (struct share){ number, BACKUP,
									      part };
		break;
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

static bool serves(const struct shares *shares, const struct steering_backup *backup,
		   uint32_t class_id)
{
	bool by_class = false;

	return backup_serves(shares->steering, shares->geo, backup->pool, class_id, &by_class);
}

uint8_t shares_applied(const struct shares *shares, uint32_t pool, uint32_t class_id)
{
	const struct steering_pref *pref = pref_of(shares, pool, class_id);
	const struct steering_backup *backup;

	if (branch_kind(pref->branch) != BRANCH_BACKUP)
		return pref->applied;
	backup = steering_backup(shares->steering, branch_number(pref->branch));
	return serves(shares, backup, class_id) ? pref->applied : backup->instead.applied;
}

/* --- answers with several nodes ----------------------------------------------------------------- */

/* A record that answers a pool's nodes with their addresses; *answers_off: where. */
static const struct steering_record *record_of(const struct image *steering, uint32_t pool,
					       uint64_t *answers_off)
{
	const struct steering_root *root = image_root(steering, struct steering_root);

	for (uint32_t r = 0; r < root->record_count; r++) {
		const struct steering_record *record = steering_record(steering, r);
		const struct steering_link *links = image_at(steering, struct steering_link,
							     record->links_off);

		if ((record->types & POOL_TYPES_ADDRESS) == 0)
			continue;
		*answers_off = record->answers_off;
		if (record->pool == pool)
			return record;
		for (uint32_t i = 0; i < record->link_count; i++) {
			*answers_off = links[i].answers_off;
			if (links[i].pool == pool)
				return record;
		}
	}
	return NULL;
}

/* The nodes that a table's node stands for; none: itself. */
static struct answer_nodes nodes_of(const struct shares *shares, uint32_t pool, uint32_t node,
				    uint64_t choices_off)
{
	struct answer_nodes out = { .count = 0 };
	uint16_t choice = steering_choice(shares->steering, choices_off, (uint16_t)node);
	uint64_t answers_off;
	const struct steering_record *record = record_of(shares->steering, pool, &answers_off);

	for (int c = STEERING_A; record != NULL && c <= STEERING_AAAA; c++)
		answer_nodes_add(&out, shares->plan,
				 &plan_items(shares->plan, pools, struct plan_pool)[pool], node,
				 steering_answer(shares->steering, record, answers_off, choice,
						 (enum steering_column)c),
				 (enum steering_column)c);
	return out;
}

/* Each node of a shuffled answer gets as many clients as the others. */
static void share_answers(struct shares *shares, struct share_list *list, uint32_t pool,
			  uint64_t choices_off)
{
	uint32_t count = steering_pool(shares->steering, pool)->node_count, kept = 0;

	for (uint32_t i = 0; i < list->count; i++) {
		const struct share share = list->items[i];
		struct answer_nodes nodes = { .count = 0 };

		if (share.node < count)
			nodes = nodes_of(shares, pool, share.node, choices_off);
		if (nodes.count == 0)
			list->items[kept++] = share;
		for (unsigned n = 0; n < nodes.count; n++)
			shares->parts[nodes.list[n].node] += share.share / nodes.count;
	}
	list->count = kept;
	for (uint32_t node = 0; node < count; node++) {
		if (shares->parts[node] > 0)
			array_add(list->items, list->count,
				  list->cap) = (struct share){ pool, node, shares->parts[node] };
		shares->parts[node] = 0;
	}
}

/* --- what is asked -------------------------------------------------------------------------------- */

/* Within one pool. */
static const struct share_list *find_in_pool(struct shares *shares, uint32_t pool,
					     uint32_t class_id)
{
	struct share_list *list = &shares->prefs[pool][geo_class_pref(shares->geo, class_id, pool)];

	if (list->items != NULL)
		return list;
	add_branch(shares, list, pool, pref_of(shares, pool, class_id)->branch, 1);
	if (steering_pool(shares->steering, pool)->spread.shuffled != 0)
		share_answers(shares, list, pool, pref_of(shares, pool, class_id)->choices_off);
	return list;
}

static void go_through(struct shares *shares, const struct share_list *list, uint32_t pool,
		       uint32_t class_id, double part);
static void find_through(struct shares *shares, uint32_t pool, uint32_t class_id, double part);

static void find_backup(struct shares *shares, uint32_t pool, uint32_t number, uint32_t class_id,
			double part)
{
	const struct steering_backup *backup = steering_backup(shares->steering, number);
	struct share_list list = { 0 };

	if (serves(shares, backup, class_id)) {
		find_through(shares, backup->pool, class_id, part);
		return;
	}
	add_branch(shares, &list, pool, backup->instead.branch, 1);
	if (steering_pool(shares->steering, pool)->spread.shuffled != 0)
		share_answers(shares, &list, pool, backup->instead.choices_off);
	go_through(shares, &list, pool, class_id, part);
	free(list.items);
}

/* Through all pools; steering_verify has seen that they are no circle, and what there is instead of
 * a backup that has nobody leads to no backup again. */
static void go_through(struct shares *shares, const struct share_list *list, uint32_t pool,
		       uint32_t class_id, double part)
{
	for (uint32_t i = 0; i < list->count; i++) {
		struct share share = list->items[i];

		share.share *= part;
		if (share.node == BACKUP)
			find_backup(shares, pool, share.pool, class_id, share.share);
		else if (share.node == GOES_ON)
			find_through(shares, share.pool, class_id, share.share);
		else
			array_add(shares->through.items, shares->through.count,
				  shares->through.cap) = share;
	}
}

static void find_through(struct shares *shares, uint32_t pool, uint32_t class_id, double part)
{
	go_through(shares, find_in_pool(shares, pool, class_id), pool, class_id, part);
}

const struct share_list *shares_find(struct shares *shares, uint32_t pool, uint32_t class_id)
{
	const struct share_list *list = find_in_pool(shares, pool, class_id);

	for (uint32_t i = 0; i < list->count; i++) {
		if (list->items[i].node < BACKUP)
			continue;
		shares->through.count = 0;
		find_through(shares, pool, class_id, 1);
		return &shares->through;
	}
	return list;
}
