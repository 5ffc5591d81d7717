#include "shares.h"

#include <stdlib.h>

#include "base/mem.h"
#include "image/backup.h"

#define CUTS 65536. /* of a slot */

struct sharing {
	struct steering_shares *shares;
	const struct image *steering, *geo;
	uint32_t class_id;
};

static void add_share(struct steering_shares *shares, uint32_t pool, uint32_t node, double share)
{
	if (share == 0)
		return;
	for (uint32_t i = 0; i < shares->count; i++)
		if (shares->list[i].pool == pool && shares->list[i].node == node) {
			shares->list[i].share += share;
			return;
		}
	array_add(shares->list, shares->count, shares->cap) = (struct steering_share){ pool, node,
										       share };
}

/* Sums up what each number has of some slots: `numbers` of them. To be freed. */
static double *sum_slots(const struct image *steering, const struct steering_slots *slots,
			 uint32_t numbers)
{
	double *sums = mem_array(numbers, sizeof(*sums));

	for (uint32_t i = 0; i < slots->count; i++) {
		const struct steering_slot *slot = steering_slot(steering, slots, i);

		sums[slot->node] += slot->cut / CUTS / slots->count;
		sums[slot->other] += (CUTS - slot->cut) / CUTS / slots->count;
	}
	return sums;
}

static void share_table(const struct sharing *sharing, uint32_t pool, uint32_t number, double share)
{
	const struct steering_table *table = steering_table(sharing->steering, number);
	uint32_t nodes = steering_pool(sharing->steering, pool)->node_count + 1;
	double *sums = sum_slots(sharing->steering, &table->slots, nodes);

	for (uint32_t node = 0; node < nodes; node++)
		add_share(sharing->shares, pool, node, share * sums[node]);
	free(sums);
}

static void share_pool(const struct sharing *sharing, uint32_t pool, double share);
static void share_branch(const struct sharing *sharing, uint32_t pool, uint32_t branch,
			 double share);

static void share_backup(const struct sharing *sharing, uint32_t pool, uint32_t number,
			 double share)
{
	const struct steering_backup *backup = steering_backup(sharing->steering, number);
	bool by_class = false;

	if (backup_serves(sharing->steering, sharing->geo, backup->pool, sharing->class_id,
			  &by_class))
		share_pool(sharing, backup->pool, share);
	else
		share_branch(sharing, pool, backup->instead.branch, share);
}

/* A branch that is no split. */
static void share_end(const struct sharing *sharing, uint32_t pool, uint32_t branch, double share)
{
	if (share == 0)
		return;
	if (branch_kind(branch) == BRANCH_POOL)
		share_pool(sharing, branch_number(branch), share);
	else if (branch_kind(branch) == BRANCH_BACKUP)
		share_backup(sharing, pool, branch_number(branch), share);
	else
		share_table(sharing, pool, branch_number(branch), share);
}

static void share_branch(const struct sharing *sharing, uint32_t pool, uint32_t branch,
			 double share)
{
	const struct steering_split *split;
	const uint32_t *branches;
	double *sums;

	if (branch_kind(branch) != BRANCH_SPLIT) {
		share_end(sharing, pool, branch, share);
		return;
	}
	split = steering_split(sharing->steering, branch_number(branch));
	branches = image_at(sharing->steering, uint32_t, split->branches_off);
	sums = sum_slots(sharing->steering, &split->slots, split->branch_count);
	for (uint32_t i = 0; i < split->branch_count; i++)
		share_end(sharing, pool, branches[i], share * sums[i]);
	free(sums);
}

static void share_by_class(const struct sharing *sharing, uint32_t pool, uint64_t prefs_off,
			   double share)
{
	uint32_t pref = geo_class_pref(sharing->geo, sharing->class_id, pool);

	share_branch(sharing, pool, steering_pref_at(sharing->steering, prefs_off, pref)->branch,
		     share);
}

static void share_pool(const struct sharing *sharing, uint32_t pool, double share)
{
	share_by_class(sharing, pool, steering_pool(sharing->steering, pool)->prefs_off, share);
}

void steering_shares_add(struct steering_shares *shares, const struct image *steering,
			 const struct image *geo, uint32_t pool, uint32_t class_id, double share)
{
	struct sharing sharing = { shares, steering, geo, class_id };

	share_pool(&sharing, pool, share);
}

void steering_shares_add_record(struct steering_shares *shares, const struct image *steering,
				const struct image *geo, uint32_t record, uint32_t class_id,
				double share)
{
	struct sharing sharing = { shares, steering, geo, class_id };
	const struct steering_record *r = steering_record(steering, record);

	if (r->for_all != 0)
		share_branch(&sharing, r->pool, steering_pref_at(steering, r->prefs_off, 0)->branch,
			     share);
	else
		share_by_class(&sharing, r->pool, r->prefs_off, share);
}

void steering_shares_free(struct steering_shares *shares)
{
	free(shares->list);
	*shares = (struct steering_shares){ 0 };
}
