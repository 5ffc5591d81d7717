#include "image/steering.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "image/steering_check.h"

const char *const steering_applied_name[APPLIED_COUNT] = {
	[APPLIED_NODES] = "nodes",         [APPLIED_DRAINING] = "draining",
	[APPLIED_BACKUP] = "backup",       [APPLIED_ALL] = "all",
	[APPLIED_LAST_GOOD] = "last-good", [APPLIED_NEAREST] = "nearest",
	[APPLIED_NONE] = "none",           [APPLIED_POOL] = "pool",
	[APPLIED_ADDRESSES] = "addresses", [APPLIED_FENCED] = "fenced",
};

void steering_pref_tell(const struct image *steering, struct steering_pref *pref)
{
	const struct steering_table *table;

	if (branch_kind(pref->branch) != BRANCH_TABLE)
		return;
	table = steering_table(steering, branch_number(pref->branch));
	if (table->hashed == 0) {
		pref->choice = steering_choice(
			steering, pref->choices_off,
			steering_slot_node(steering_slot(steering, &table->slots, 0), 0));
		return;
	}
	pref->hashed = 1;
	pref->wide = table->slots.kind_count > STEERING_BYTE_KINDS;
	pref->codes_off = table->slots.codes_off;
	pref->count = table->slots.count;
	pref->kinds_behind = (uint32_t)(table->slots.kinds_off - table->slots.codes_off);
}

static int check_root(const struct steering_check *check)
{
	const struct image *image = check->image;
	const struct steering_root *root = check->root;

	if (!image_holds(image, IMAGE_ROOT, 1, sizeof(*root), 8))
		return err_set(check->err, "steering image: too short");
	if (!image_holds(image, root->pools_off, root->pool_count, sizeof(struct steering_pool),
			 8) ||
	    !image_holds(image, root->records_off, root->record_count,
			 sizeof(struct steering_record), IMAGE_ALIGN) ||
	    !image_holds(image, root->tables_off, root->table_count, sizeof(struct steering_table),
			 8) ||
	    !image_holds(image, root->splits_off, root->split_count, sizeof(struct steering_split),
			 8) ||
	    !image_holds(image, root->backups_off, root->backup_count,
			 sizeof(struct steering_backup), 8))
		return err_set(check->err, "steering image: its lists do not lie inside");
	if (!dns_settings_valid(&root->dns))
		return err_set(check->err, "steering image: the settings are damaged");
	return 0;
}

/* The highest of some codes. A few at a time, which is one instruction; codes are most of an image. */
#define LANES 16

static uint32_t highest_byte(const uint8_t *codes, uint32_t count)
{
	uint8_t lanes[LANES] = { 0 }, highest = 0;

	for (; count >= LANES; count -= LANES, codes += LANES)
		for (unsigned i = 0; i < LANES; i++)
			lanes[i] = codes[i] > lanes[i] ? codes[i] : lanes[i];
	for (unsigned i = 0; i < LANES; i++)
		highest = lanes[i] > highest ? lanes[i] : highest;
	for (; count > 0; count--, codes++)
		highest = *codes > highest ? *codes : highest;
	return highest;
}

static uint32_t highest_word(const uint16_t *codes, uint32_t count)
{
	uint16_t lanes[LANES] = { 0 }, highest = 0;

	for (; count >= LANES; count -= LANES, codes += LANES)
		for (unsigned i = 0; i < LANES; i++)
			lanes[i] = codes[i] > lanes[i] ? codes[i] : lanes[i];
	for (unsigned i = 0; i < LANES; i++)
		highest = lanes[i] > highest ? lanes[i] : highest;
	for (; count > 0; count--, codes++)
		highest = *codes > highest ? *codes : highest;
	return highest;
}

/* All codes are those of kinds. */
static bool codes_fit(const struct steering_check *check, const struct steering_slots *slots)
{
	bool bytes = slots->kind_count <= STEERING_BYTE_KINDS;
	size_t size = bytes ? sizeof(uint8_t) : sizeof(uint16_t);
	const uint8_t *codes;

	if (!image_holds(check->image, slots->codes_off, slots->count, size, size))
		return false;
	codes = image_at(check->image, uint8_t, slots->codes_off);
	if (bytes)
		return highest_byte(codes, slots->count) < slots->kind_count;
	return highest_word((const uint16_t *)(const void *)codes, slots->count) <
	       slots->kind_count;
}

/* The highest number in some slots, plus one; 0: they do not fit. */
static uint32_t check_slots(const struct steering_check *check, const struct steering_slots *slots)
{
	const struct steering_slot *kinds;
	uint16_t highest = 0;

	if (slots->count == 0 || slots->kind_count == 0 || slots->kinds_off < slots->codes_off ||
	    slots->kinds_off - slots->codes_off > UINT32_MAX ||
	    !image_holds(check->image, slots->kinds_off, slots->kind_count, sizeof(*kinds), 2) ||
	    !codes_fit(check, slots))
		return 0;
	kinds = image_at(check->image, struct steering_slot, slots->kinds_off);
	for (uint32_t i = 0; i < slots->kind_count; i++) {
		highest = kinds[i].node > highest ? kinds[i].node : highest;
		highest = kinds[i].other > highest ? kinds[i].other : highest;
	}
	return highest + 1U;
}

static int check_table(const struct steering_check *check, uint32_t number)
{
	const struct steering_table *table = steering_table(check->image, number);

	check->nodes[number] = check_slots(check, &table->slots);
	if (check->nodes[number] == 0)
		return err_set(check->err, "steering image: the slots of table %u do not fit",
			       number);
	if (table->hashed > 1)
		return err_set(check->err, "steering image: table %u is hashed %u times", number,
			       table->hashed);
	return 0;
}

static const uint32_t *split_branches(const struct steering_check *check, uint32_t split)
{
	return image_at(check->image, uint32_t, steering_split(check->image, split)->branches_off);
}

static int check_split(const struct steering_check *check, uint32_t number)
{
	const struct steering_split *split = steering_split(check->image, number);
	uint32_t numbers = check_slots(check, &split->slots);

	if (numbers == 0 || numbers > split->branch_count ||
	    !image_holds(check->image, split->branches_off, split->branch_count, sizeof(uint32_t),
			 4))
		return err_set(check->err, "steering image: the slots of split %u do not fit",
			       number);
	for (uint32_t i = 0; i < split->branch_count; i++)
		if (branch_kind(split_branches(check, number)[i]) == BRANCH_SPLIT)
			return err_set(check->err, "steering image: split %u is split again",
				       number);
	return 0;
}

/* The branches in which a branch ends. */
struct ends {
	const uint32_t *list;
	uint32_t count;
};

/* `branch` must outlive what is returned. */
static struct ends ends_of(const struct steering_check *check, const uint32_t *branch)
{
	uint32_t split = branch_number(*branch);

	if (branch_kind(*branch) != BRANCH_SPLIT)
		return (struct ends){ branch, 1 };
	return (struct ends){ split_branches(check, split),
			      steering_split(check->image, split)->branch_count };
}

static bool map_fits(const struct steering_check *check, uint32_t number, uint64_t offset)
{
	const struct steering_pool *pool = steering_pool(check->image, number);
	const uint16_t *choices;
	struct kept_map *kept = &check->maps[offset / 2 % MAPS_KEPT];

	if (offset == 0)
		return true;
	if (kept->offset == offset && kept->pool == number)
		return true;
	if (!image_holds(check->image, offset, pool->node_count + 1U, sizeof(uint16_t), 2))
		return false;
	choices = image_at(check->image, uint16_t, offset);
	for (uint32_t node = 0; node <= pool->node_count; node++)
		if (choices[node] >= pool->choice_count)
			return false;
	*kept = (struct kept_map){ offset, number };
	return true;
}

/* Of one whose branch and choices fit. */
static bool tells_its_table(const struct steering_check *check, const struct steering_pref *pref)
{
	struct steering_pref told = { .branch = pref->branch,
				      .applied = pref->applied,
				      .random = pref->random,
				      .choices_off = pref->choices_off };

	steering_pref_tell(check->image, &told);
	return memcmp(&told, pref, sizeof(told)) == 0;
}

static bool branch_fits(const struct steering_check *check, uint32_t number, uint32_t branch,
			bool *leads);

/* What a pool has where its backup has nobody: that leads to no backup again. */
static bool instead_fits(const struct steering_check *check, uint32_t number,
			 const struct steering_pref *instead)
{
	struct ends ends;
	bool leads = false;

	if (branch_kind(instead->branch) == BRANCH_SPLIT &&
	    branch_number(instead->branch) >= check->root->split_count)
		return false;
	ends = ends_of(check, &instead->branch);
	for (uint32_t i = 0; i < ends.count; i++)
		if (branch_kind(ends.list[i]) == BRANCH_BACKUP)
			return false;
	return branch_fits(check, number, instead->branch, &leads) &&
	       map_fits(check, number, instead->choices_off) && instead->random <= 1 &&
	       instead->applied < APPLIED_COUNT && instead->applied != APPLIED_BACKUP &&
	       tells_its_table(check, instead);
}

static bool backup_fits(const struct steering_check *check, uint32_t number, uint32_t backup)
{
	const struct steering_backup *b = steering_backup(check->image, backup);

	return b->pool < check->root->pool_count && instead_fits(check, number, &b->instead);
}

/* Does the pool have all the nodes of a table, or is there such a pool or backup? */
static bool end_fits(const struct steering_check *check, uint32_t pool, uint32_t branch)
{
	uint32_t number = branch_number(branch);

	switch (branch_kind(branch)) {
	case BRANCH_TABLE:
		return number < check->root->table_count &&
		       check->nodes[number] <= steering_pool(check->image, pool)->node_count + 1;
	case BRANCH_POOL: return number < check->root->pool_count;
	case BRANCH_BACKUP:
		return number < check->root->backup_count && backup_fits(check, pool, number);
	default: return false;
	}
}

/* Says, too, whether it leads to another pool. */
static bool branch_fits(const struct steering_check *check, uint32_t number, uint32_t branch,
			bool *leads)
{
	struct ends ends;

	if (branch_kind(branch) == BRANCH_SPLIT &&
	    branch_number(branch) >= check->root->split_count)
		return false;
	ends = ends_of(check, &branch);
	for (uint32_t i = 0; i < ends.count; i++) {
		if (!end_fits(check, number, ends.list[i]))
			return false;
		*leads |= branch_leaves(ends.list[i]);
	}
	return true;
}

/* Preferences of a pool, be they its own or of a record. */
static int check_prefs(const struct steering_check *check, uint32_t number, uint64_t prefs_off,
		       uint32_t count, bool *leads)
{
	if (!image_holds(check->image, prefs_off, count, sizeof(struct steering_pref), 8))
		return err_set(check->err,
			       "steering image: the preferences of pool %u do not lie inside",
			       number);
	for (uint32_t i = 0; i < count; i++) {
		const struct steering_pref *pref = steering_pref_at(check->image, prefs_off, i);

		if (!branch_fits(check, number, pref->branch, leads))
			return err_set(check->err,
				       "steering image: preference %u of pool %u has branch %x, "
				       "which does not fit",
				       i, number, pref->branch);
		if (!map_fits(check, number, pref->choices_off))
			return err_set(check->err,
				       "steering image: preference %u of pool %u has choices that "
				       "the pool has not",
				       i, number);
		if (pref->applied >= APPLIED_COUNT || pref->random > 1 ||
		    (branch_kind(pref->branch) == BRANCH_BACKUP && pref->applied != APPLIED_BACKUP))
			return err_set(check->err,
				       "steering image: preference %u of pool %u has settings out "
				       "of range",
				       i, number);
		if (!tells_its_table(check, pref))
			return err_set(check->err,
				       "steering image: preference %u of pool %u does not say "
				       "what its table does",
				       i, number);
	}
	return 0;
}

static int check_pool(const struct steering_check *check, uint32_t number)
{
	const struct steering_pool *pool = steering_pool(check->image, number);
	const struct steering_spread *spread = &pool->spread;

	if (pool->choice_count > UINT16_MAX + 1U || pool->node_count >= pool->choice_count)
		return err_set(check->err, "steering image: pool %u has %u choices for %u nodes",
			       number, pool->choice_count, pool->node_count);
	if (spread->persistence > 1 || spread->persistence_without_ecs > 1 ||
	    spread->persistence_v4 > 32 || spread->persistence_v6 > 128 || spread->shuffled > 1 ||
	    pool->applied >= APPLIED_COUNT || pool->nobody > 1)
		return err_set(check->err, "steering image: pool %u has settings out of range",
			       number);
	return check_prefs(check, number, pool->prefs_off, pool->pref_count, &check->leads[number]);
}

/* --- pools that lead to pools ----------------------------------------------------------------- */

/* What is asked of each pool that a branch may lead to, whoever the clients are. */
struct visit {
	bool (*fits)(struct visit *visit, uint32_t pool);
	const struct steering_check *check;
	unsigned in_a_row;
	int deepest;
	uint32_t record;
};

static bool all_fit(struct visit *visit, uint32_t branch)
{
	const struct steering_check *check = visit->check;
	struct ends ends = ends_of(check, &branch);

	for (uint32_t i = 0; i < ends.count; i++) {
		uint32_t number = branch_number(ends.list[i]);
		const struct steering_backup *backup;

		if (branch_kind(ends.list[i]) == BRANCH_POOL && !visit->fits(visit, number))
			return false;
		if (branch_kind(ends.list[i]) != BRANCH_BACKUP)
			continue;
		backup = steering_backup(check->image, number);
		if (!visit->fits(visit, backup->pool) || !all_fit(visit, backup->instead.branch))
			return false;
	}
	return true;
}

static bool all_prefs_fit(struct visit *visit, uint64_t prefs_off, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++)
		if (!all_fit(visit, steering_pref_at(visit->check->image, prefs_off, i)->branch))
			return false;
	return true;
}

static int check_depth(const struct steering_check *check, uint32_t number, unsigned in_a_row);

static bool is_not_too_deep(struct visit *visit, uint32_t pool)
{
	int depth = check_depth(visit->check, pool, visit->in_a_row + 1);

	if (depth > visit->deepest)
		visit->deepest = depth;
	return depth >= 0;
}

/* How many pools in a row follow behind some preferences; -1: too many. */
static int depth_behind(const struct steering_check *check, uint64_t prefs_off, uint32_t count,
			unsigned in_a_row)
{
	struct visit visit = { is_not_too_deep, check, in_a_row, 0, 0 };

	return all_prefs_fit(&visit, prefs_off, count) ? visit.deepest : -1;
}

/* A circle is longer than any row that is allowed. */
static int check_depth(const struct steering_check *check, uint32_t number, unsigned in_a_row)
{
	const struct steering_pool *pool = steering_pool(check->image, number);
	int deepest = 0;

	if (in_a_row > STEERING_POOLS_MAX)
		return -1;
	if (check->depth[number] != 0)
		return in_a_row - 1U + check->depth[number] > STEERING_POOLS_MAX
			       ? -1
			       : check->depth[number];
	if (check->leads[number])
		deepest = depth_behind(check, pool->prefs_off, pool->pref_count, in_a_row);
	if (deepest < 0)
		return -1;
	check->depth[number] = (uint8_t)(deepest + 1);
	return deepest + 1;
}

static int check_depths(const struct steering_check *check)
{
	for (uint32_t i = 0; i < check->root->pool_count; i++)
		if (check_depth(check, i, 1) < 0)
			return err_set(check->err,
				       "steering image: more than %d pools in a row, or a circle "
				       "of them, from pool %u on",
				       STEERING_POOLS_MAX, i);
	return 0;
}

static bool has_link(const struct steering_check *check, const struct steering_record *record,
		     uint32_t pool)
{
	const struct steering_link *links = image_at(check->image, struct steering_link,
						     record->links_off);

	for (uint32_t i = 0; i < record->link_count; i++)
		if (links[i].pool == pool)
			return true;
	return pool == record->pool;
}

static bool has_links_behind(const struct steering_check *check, uint32_t record,
			     uint64_t prefs_off, uint32_t count);

static bool has_links_from(struct visit *visit, uint32_t number)
{
	const struct steering_check *check = visit->check;
	const struct steering_pool *pool = steering_pool(check->image, number);
	uint32_t record = visit->record;

	if (check->seen[number] == record + 1)
		return true;
	check->seen[number] = record + 1;
	if (!has_link(check, steering_record(check->image, record), number))
		return false;
	return !check->leads[number] ||
	       has_links_behind(check, record, pool->prefs_off, pool->pref_count);
}

/* Has a record answers for all pools that some preferences may lead to? */
static bool has_links_behind(const struct steering_check *check, uint32_t record,
			     uint64_t prefs_off, uint32_t count)
{
	struct visit visit = { has_links_from, check, 0, 0, record };

	return all_prefs_fit(&visit, prefs_off, count);
}

/* --- records ---------------------------------------------------------------------------------- */

static int check_links(const struct steering_check *check, uint32_t number)
{
	const struct steering_record *record = steering_record(check->image, number);
	const struct steering_link *links;

	if (!image_holds(check->image, record->links_off, record->link_count, sizeof(*links), 8))
		return err_set(check->err,
			       "steering image: the links of record %u do not lie inside", number);
	links = image_at(check->image, struct steering_link, record->links_off);
	for (uint32_t i = 0; i < record->link_count; i++) {
		if (links[i].pool >= check->root->pool_count)
			return err_set(check->err,
				       "steering image: record %u has a link to pool %u of %u",
				       number, links[i].pool, check->root->pool_count);
		if (steering_check_answers(check, number, links[i].pool, links[i].answers_off) != 0)
			return -1;
	}
	return 0;
}

static uint32_t pref_count(const struct steering_check *check, const struct steering_record *record)
{
	return record->for_all != 0 ? 1 : steering_pool(check->image, record->pool)->pref_count;
}

/* Preferences of its own, where it has such, and what they lead to. Its pool begins the row. */
static int check_routes(const struct steering_check *check, uint32_t number)
{
	const struct steering_record *record = steering_record(check->image, number);
	const struct steering_pool *pool = steering_pool(check->image, record->pool);
	uint32_t count = pref_count(check, record);
	bool own = record->prefs_off != pool->prefs_off || count != pool->pref_count;
	bool leads = check->leads[record->pool];

	if (own && check_prefs(check, record->pool, record->prefs_off, count, &leads) != 0)
		return -1;
	if (!leads)
		return 0;
	if (depth_behind(check, record->prefs_off, count, 1) < 0)
		return err_set(check->err,
			       "steering image: record %u leads to more than %d pools in a row",
			       number, STEERING_POOLS_MAX);
	if (!has_links_behind(check, number, record->prefs_off, count))
		return err_set(check->err,
			       "steering image: record %u has no answers of a pool to which it "
			       "leads",
			       number);
	return 0;
}

/* Records share lists of answers, and neighbours do so most. */
static bool as_the_last(const struct steering_record *record, uint32_t number)
{
	const struct steering_record *last = record - 1;

	return number > 0 && record->pool == last->pool && record->prefs_off == last->prefs_off &&
	       record->for_all == last->for_all && record->answers_off == last->answers_off &&
	       record->links_off == last->links_off && record->link_count == last->link_count &&
	       record->width == last->width;
}

static bool tells_its_pool(const struct steering_record *record, const struct steering_pool *pool)
{
	return memcmp(&record->spread, &pool->spread, sizeof(pool->spread)) == 0 &&
	       record->by_class == (pool->pref_count > 1);
}

static int check_record(const struct steering_check *check, uint32_t number)
{
	const struct steering_record *record = steering_record(check->image, number);

	if (record->pool >= check->root->pool_count)
		return err_set(check->err, "steering image: record %u names pool %u of %u", number,
			       record->pool, check->root->pool_count);
	if (record->types == 0 || (record->types & ~POOL_TYPES_ALL) != 0 ||
	    record->width != steering_width(record->types))
		return err_set(check->err, "steering image: record %u has types that do not fit",
			       number);
	if (record->for_all > 1 || (record->lacks & ~record->types) != 0 ||
	    !tells_its_pool(record, steering_pool(check->image, record->pool)))
		return err_set(check->err, "steering image: record %u has settings out of range",
			       number);
	if (as_the_last(record, number))
		return 0;
	if (check_links(check, number) != 0 || check_routes(check, number) != 0)
		return -1;
	return steering_check_answers(check, number, record->pool, record->answers_off);
}

static int check_all(const struct steering_check *check)
{
	for (uint32_t i = 0; i < check->root->table_count; i++)
		if (check_table(check, i) != 0)
			return -1;
	for (uint32_t i = 0; i < check->root->split_count; i++)
		if (check_split(check, i) != 0)
			return -1;
	for (uint32_t i = 0; i < check->root->pool_count; i++)
		if (check_pool(check, i) != 0)
			return -1;
	if (check_depths(check) != 0)
		return -1;
	for (uint32_t i = 0; i < check->root->record_count; i++)
		if (check_record(check, i) != 0)
			return -1;
	return 0;
}

int steering_verify(const struct image *steering, struct err *err)
{
	struct steering_check check = { .image = steering,
					.root = image_root(steering, struct steering_root),
					.err = err };
	int rc;

	if (check_root(&check) != 0)
		return -1;
	check.nodes = mem_array(check.root->table_count + 1U, sizeof(*check.nodes));
	check.depth = mem_array(check.root->pool_count + 1U, sizeof(*check.depth));
	check.seen = mem_array(check.root->pool_count + 1U, sizeof(*check.seen));
	check.leads = mem_array(check.root->pool_count + 1U, sizeof(*check.leads));
	check.maps = mem_array(MAPS_KEPT, sizeof(*check.maps));
	check.blocks = mem_array(steering->size / 64 + 1, 1);
	rc = check_all(&check);
	free(check.blocks);
	free(check.maps);
	free(check.leads);
	free(check.seen);
	free(check.depth);
	free(check.nodes);
	return rc;
}
