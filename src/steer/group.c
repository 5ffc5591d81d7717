#include "steer/group.h"

#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/mem.h"
#include "steer/bands.h"

/* --- finding ------------------------------------------------------------------------------------ */

static int by_number(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return x < y ? -1 : x > y;
}

/* What makes a group what it is: its sites, ascending, then its avoided nodes. */
static void write_key(struct groups *groups, const struct order *order, uint32_t first,
		      uint32_t count, uint32_t *avoided_count)
{
	const struct pool *pool = groups->pool;
	uint32_t *sites;

	groups->key.len = 0;
	buf_append(&groups->key, order->sites + first, count * sizeof(uint32_t));
	sites = (uint32_t *)(void *)groups->key.data;
	qsort(sites, count, sizeof(*sites), by_number);
	*avoided_count = 0;
	for (uint32_t i = 0; order->any_avoided && i < count; i++) {
		uint32_t site = ((uint32_t *)(void *)groups->key.data)[i];

		for (uint32_t n = pool_first_node(pool, site);
		     order->touched[site] && n < pool_end_node(pool, site); n++) {
			if (!order->avoided[n])
				continue;
			buf_append(&groups->key, &n, sizeof(n));
			++*avoided_count;
		}
	}
}

static bool is_group(const struct group *group, const uint32_t *key, uint32_t site_count,
		     uint32_t avoided_count, bool equal)
{
	if (group->site_count != site_count || group->avoided_count != avoided_count ||
	    group->equal != equal || memcmp(group->sites, key, site_count * sizeof(*key)) != 0)
		return false;
	for (uint32_t i = 0; i < avoided_count; i++)
		if (group->avoided[i] != key[site_count + i])
			return false;
	return true;
}

static uint64_t hash_of(const uint32_t *sites, uint32_t site_count, const uint32_t *avoided,
			uint32_t avoided_count, bool equal)
{
	return hash_bytes(avoided, avoided_count * sizeof(*avoided),
			  hash_bytes(sites, site_count * sizeof(*sites), site_count * 2 + equal));
}

static uint32_t *find(const struct groups *groups, const uint32_t *key, uint32_t site_count,
		      uint32_t avoided_count, bool equal)
{
	uint64_t hash = hash_of(key, site_count, key + site_count, avoided_count, equal);
	uint32_t mask = groups->index_size - 1, at = (uint32_t)hash & mask;

	while (groups->index[at] != 0 && !is_group(&groups->list[groups->index[at] - 1], key,
						   site_count, avoided_count, equal))
		at = (at + 1) & mask;
	return &groups->index[at];
}

static void grow_index(struct groups *groups)
{
	struct buf key = { 0 };

	free(groups->index);
	groups->index_size = groups->index_size == 0 ? 64 : groups->index_size * 2;
	groups->index = mem_array(groups->index_size, sizeof(*groups->index));
	for (uint32_t i = 0; i < groups->count; i++) {
		const struct group *group = &groups->list[i];

		key.len = 0;
		buf_append(&key, group->sites, group->site_count * sizeof(uint32_t));
		for (uint32_t n = 0; n < group->avoided_count; n++) {
			uint32_t node = group->avoided[n];

			buf_append(&key, &node, sizeof(node));
		}
		*find(groups, (const uint32_t *)(const void *)key.data, group->site_count,
		      group->avoided_count, group->equal) = i + 1;
	}
	buf_free(&key);
}

static uint32_t add_group(struct groups *groups, const uint32_t *key, uint32_t site_count,
			  uint32_t avoided_count, bool equal)
{
	struct group group = { .site_count = site_count,
			       .avoided_count = avoided_count,
			       .equal = equal };
	uint32_t nodes = 0;

	group.sites = mem_array(site_count, sizeof(*group.sites));
	group.levels = mem_array(site_count, sizeof(*group.levels));
	group.avoided = mem_array(avoided_count, sizeof(*group.avoided));
	memcpy(group.sites, key, site_count * sizeof(*key));
	for (uint32_t i = 0; i < avoided_count; i++)
		group.avoided[i] = (uint16_t)key[site_count + i];
	for (uint32_t i = 0; i < site_count; i++)
		nodes += groups->pool->sites[key[i]].nodes.count;
	group.primaries = mem_array(nodes, sizeof(*group.primaries));
	array_add(groups->list, groups->count, groups->cap) = group;
	return groups->count - 1;
}

/* --- how good it is -------------------------------------------------------------------------------- */

static bool is_avoided(const struct group *group, uint32_t node)
{
	for (uint32_t i = 0; i < group->avoided_count; i++)
		if (group->avoided[i] == node)
			return true;
	return false;
}

/* How many nodes of a site there are of each rank, for these clients. */
static void count_ranks(const struct pool *pool, const struct group *group, uint32_t site,
			uint32_t counts[TABLE_RANKS])
{
	memcpy(counts, pool->site_ranks[site], TABLE_RANKS * sizeof(*counts));
	for (uint32_t i = 0; i < group->avoided_count; i++) {
		uint32_t node = group->avoided[i];

		if (pool_site_of_node(pool, node) != site)
			continue;
		counts[pool->ranks[node]]--;
		counts[TABLE_DOWN]++;
	}
}

static uint32_t weight_of(const struct pool *pool, const struct group *group, uint32_t node)
{
	uint32_t weight = pool->weights[node];

	return group->equal && weight > 0 ? 1 : weight;
}

/* What the healthy nodes of a site weigh together. */
static uint64_t weigh_site(const struct pool *pool, const struct group *group, uint32_t site)
{
	uint64_t weight = 0;

	for (uint32_t n = pool_first_node(pool, site); n < pool_end_node(pool, site); n++)
		if (pool->ranks[n] == group->rank && !is_avoided(group, n))
			weight += group->rank == TABLE_USABLE
					  ? (uint64_t)weight_of(pool, group, n) * pool->now[n].level
					  : 1;
	return weight;
}

/* Which part each site of those that count has, where some spill over; and the group as a whole. */
static void share_out(const struct pool *pool, struct group *group)
{
	struct band_site *sites = mem_array(group->site_count, sizeof(*sites));
	struct band band = { .sites = sites };

	for (uint32_t i = 0; i < group->site_count; i++)
		if (group->levels[i] > 0)
			sites[band.site_count++] = (struct band_site){
				.weight = weigh_site(pool, group, group->sites[i]),
				.keep = pool->keep[group->sites[i]]
			};
	(void)bands_share(&band, 1, true);
	group->part = (uint16_t)band.part;
	for (uint32_t i = 0, k = 0; i < group->site_count; i++)
		if (group->levels[i] > 0)
			group->levels[i] = sites[k++].level;
	free(sites);
}

/* The sites whose nodes are answered: those with enough of the best rank; where none has enough,
 * those with any. */
static void evaluate(const struct pool *pool, struct group *group)
{
	uint32_t counts[TABLE_RANKS];

	group->rank = TABLE_DOWN;
	group->counts = false;
	group->part = STEER_ALL;
	for (uint32_t i = 0; i < group->site_count; i++) {
		count_ranks(pool, group, group->sites[i], counts);
		for (uint8_t rank = TABLE_USABLE; rank > group->rank; rank--)
			if (counts[rank] > 0)
				group->rank = rank;
	}
	for (uint32_t i = 0; i < group->site_count && group->rank >= TABLE_RESERVE; i++) {
		count_ranks(pool, group, group->sites[i], counts);
		group->counts |= counts[group->rank] >= pool->sites[group->sites[i]].min_nodes;
	}
	for (uint32_t i = 0; i < group->site_count; i++) {
		uint32_t least = group->counts ? pool->sites[group->sites[i]].min_nodes : 1;

		count_ranks(pool, group, group->sites[i], counts);
		group->levels[i] = counts[group->rank] >= least ? STEER_ALL : 0;
	}
	if (pool->spills && group->rank > TABLE_DRAINING)
		share_out(pool, group);
}

uint32_t groups_find(struct groups *groups, const struct order *order, uint32_t first,
		     uint32_t count)
{
	uint32_t *single = NULL, *place, avoided_count, number;
	bool equal = order_is_equal(order);
	const uint32_t *key;

	if (count == 1 && !equal && !(order->any_avoided && order->touched[order->sites[first]]))
		single = &groups->singles[order->sites[first]];
	if (single != NULL && *single != 0) {
		number = *single - 1;
	} else {
		write_key(groups, order, first, count, &avoided_count);
		key = (const uint32_t *)(const void *)groups->key.data;
		if (groups->index_size / 2 <= groups->count)
			grow_index(groups);
		place = find(groups, key, count, avoided_count, equal);
		if (*place == 0)
			*place = add_group(groups, key, count, avoided_count, equal) + 1;
		number = *place - 1;
		if (single != NULL)
			*single = number + 1;
	}
	if (groups->list[number].round != groups->round) {
		struct group *group = &groups->list[number];

		group->round = groups->round;
		group->number = GROUP_NONE;
		group->levelled = group->last_good = false;
		evaluate(groups->pool, group);
	}
	return number;
}

/* --- its table -------------------------------------------------------------------------------------- */

static bool same_weights(const struct pool *pool, const struct group *group)
{
	uint32_t member = 0;

	for (uint32_t i = 0; i < group->site_count; i++)
		for (uint32_t n = pool_first_node(pool, group->sites[i]);
		     n < pool_end_node(pool, group->sites[i]); n++)
			if (group->weights[member++] != weight_of(pool, group, n))
				return false;
	return true;
}

/* A table of the older groups with the same base; where little changed it is of the group with the
 * same number. Members are sorted. */
static const struct table *find_like(const struct groups *groups, uint32_t number,
				     const struct table_member *members, uint32_t count)
{
	const struct groups *older = groups->older;

	for (uint32_t i = 0; older != NULL && i < older->count; i++) {
		const struct table *table = older->list[(number + i) % older->count].table;

		if (table != NULL &&
		    table_is_like(table, groups->pool->plan_pool->seed, members, count))
			return table;
	}
	return NULL;
}

/* Of all nodes of its sites, whatever their status. */
static void make_table(const struct groups *groups, struct group *group)
{
	const struct pool *pool = groups->pool;
	const struct table *like;
	struct table_member *members;
	uint32_t count = 0;

	for (uint32_t i = 0; i < group->site_count; i++)
		count += pool->sites[group->sites[i]].nodes.count;
	members = mem_array(count, sizeof(*members));
	group->weights = mem_array(count, sizeof(*group->weights));
	count = 0;
	for (uint32_t i = 0; i < group->site_count; i++)
		for (uint32_t n = pool_first_node(pool, group->sites[i]);
		     n < pool_end_node(pool, group->sites[i]); n++) {
			group->weights[count] = weight_of(pool, group, n);
			members[count] = (struct table_member){ .key = pool->node_keys[n],
								.weight = group->weights[count],
								.choice = (uint16_t)n };
			count++;
		}
	table_sort(members, count);
	like = find_like(groups, (uint32_t)(group - groups->list), members, count);
	group->table = like != NULL ? table_new_like(like, members)
				    : table_new(pool->plan_pool->seed, members, count);
	free(members);
}

static void drop_table(struct group *group)
{
	table_free(group->table);
	pack_free(&group->pack);
	free(group->weights);
	group->table = NULL;
	group->weights = NULL;
}

static void update_table(struct groups *groups, struct group *group)
{
	const struct table *table;
	struct steering_slot *slots;

	if (group->table != NULL && !same_weights(groups->pool, group))
		drop_table(group);
	if (group->table == NULL)
		make_table(groups, group);
	table = group->table;
	if (!table_update(group->table, groups->levels) && group->pack.count > 0)
		return;
	pack_free(&group->pack);
	slots = mem_array(table->slot_count, sizeof(*slots));
	for (uint32_t slot = 0; slot < table->slot_count; slot++)
		slots[slot] = table_slot(table, slot);
	/* One node needs one slot only. */
	group->pack = pack_slots(slots, table->distinct == 1 ? 1 : table->slot_count,
				 groups->pool->node_count);
	free(slots);
}

/* Of a healthy group. */
static uint16_t level_now(const struct pool *pool, const struct group *group, uint32_t site,
			  uint32_t node)
{
	uint32_t level = group->levels[site];

	if (pool->ranks[node] != group->rank || is_avoided(group, node))
		return 0;
	if (group->rank == TABLE_USABLE && level > 0) {
		level = level * pool->now[node].level / STEER_ALL;
		return (uint16_t)(level > 0 ? level : 1);
	}
	return (uint16_t)level;
}

static bool was_good(const struct pool *pool, const struct group *group, uint32_t node)
{
	return pool->last_good[node] && pool_node_enabled(pool, node) && !is_avoided(group, node);
}

static bool is_admitted(const struct pool *pool, const struct group *group, uint32_t node,
			enum group_admits who)
{
	if ((who & GROUP_WEIGHTED) != 0 && pool->weights[node] == 0)
		return false;
	return (who & GROUP_LAST_GOOD) != 0 ? was_good(pool, group, node)
					    : pool_node_enabled(pool, node);
}

bool groups_admit(const struct groups *groups, uint32_t number, enum group_admits who)
{
	const struct pool *pool = groups->pool;
	const struct group *group = &groups->list[number];

	for (uint32_t i = 0; i < group->site_count; i++)
		for (uint32_t n = pool_first_node(pool, group->sites[i]);
		     n < pool_end_node(pool, group->sites[i]); n++)
			if (is_admitted(pool, group, n, who))
				return true;
	return false;
}

static uint16_t level_of(const struct pool *pool, const struct group *group, uint32_t site,
			 uint32_t node)
{
	if (group->rank != TABLE_DOWN)
		return level_now(pool, group, site, node);
	if (group->last_good)
		return was_good(pool, group, node) ? STEER_ALL : 0;
	return pool_node_enabled(pool, node) ? STEER_ALL : 0;
}

static void set_levels(struct groups *groups, struct group *group)
{
	const struct pool *pool = groups->pool;

	group->primary_count = 0;
	for (uint32_t i = 0; i < group->site_count; i++)
		for (uint32_t n = pool_first_node(pool, group->sites[i]);
		     n < pool_end_node(pool, group->sites[i]); n++) {
			groups->levels[n] = level_of(pool, group, i, n);
			if (groups->levels[n] > 0)
				group->primaries[group->primary_count++] = (uint16_t)n;
		}
}

bool groups_use(struct groups *groups, uint32_t number)
{
	struct group *group = &groups->list[number];

	if (!group->levelled) {
		group->levelled = true;
		group->last_good = group->rank == TABLE_DOWN &&
				   groups->pool->plan_pool->fallback == FALLBACK_LAST_GOOD &&
				   groups_admit(groups, number, GROUP_LAST_GOOD);
		set_levels(groups, group);
		if (group->primary_count > 0)
			update_table(groups, group);
	}
	if (group->primary_count == 0)
		return false;
	if (group->number == GROUP_NONE) {
		group->number = groups->used_count;
		array_add(groups->used, groups->used_count, groups->used_cap) = number;
	}
	return true;
}

/* --- life ------------------------------------------------------------------------------------------- */

void groups_open(struct groups *groups, struct pool *pool)
{
	*groups = (struct groups){ .pool = pool };
	groups->singles = mem_array(pool->site_count, sizeof(*groups->singles));
	groups->levels = mem_array(pool->node_count, sizeof(*groups->levels));
}

void groups_close(struct groups *groups)
{
	for (uint32_t i = 0; i < groups->count; i++) {
		struct group *group = &groups->list[i];

		drop_table(group);
		free(group->sites);
		free(group->avoided);
		free(group->levels);
		free(group->primaries);
	}
	free(groups->list);
	free(groups->index);
	free(groups->singles);
	free(groups->used);
	free(groups->levels);
	buf_free(&groups->key);
}

void groups_begin(struct groups *groups)
{
	groups->round++;
	groups->used_count = 0;
}
