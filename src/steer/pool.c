#include "steer/pool.h"

#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/mem.h"

/* --- opening: what does not depend on status ------------------------------------------------ */

static int check_size(const struct pool *pool, struct err *err)
{
	const char *name = plan_text(pool->plan, pool->plan_pool->name);

	if (pool->node_count > TABLE_NODES_MAX)
		return err_set(err, "pool '%s' has %u nodes; at most %u can be told apart", name,
			       pool->node_count, TABLE_NODES_MAX);
	return 0;
}

/* Preferences come from another image than sites: do they name sites of this pool only? */
static int check_prefs(const struct pool *pool, struct err *err)
{
	uint32_t plan_sites = plan_count(pool->plan, sites);

	for (uint32_t i = 0; i < pool->pref_count; i++) {
		const struct geo_pref *pref = geo_pool_pref(pool->geo, pool->number, i);
		const uint16_t *named = image_at(pool->geo, uint16_t, pref->sites_off);

		for (uint32_t n = 0; n < pref->site_count; n++)
			if (named[n] >= plan_sites || pool->site_of[named[n]] == POOL_NONE)
				return err_set(err,
					       "preference %u of pool '%s' names site %u, which "
					       "the pool has not: geo and plan do not fit",
					       i, plan_text(pool->plan, pool->plan_pool->name),
					       named[n]);
	}
	return 0;
}

static void open_sites(struct pool *pool)
{
	uint32_t plan_sites = plan_count(pool->plan, sites);

	pool->site_of = mem_array(plan_sites, sizeof(*pool->site_of));
	pool->site_ranks = mem_array(pool->site_count, sizeof(*pool->site_ranks));
	pool->ranking = mem_array((size_t)pool->site_count + 1, sizeof(*pool->ranking));
	memset(pool->site_of, 0xff, plan_sites * sizeof(*pool->site_of)); /* POOL_NONE */
	for (uint32_t site = 0; site < pool->site_count; site++)
		pool->site_of[pool->sites[site].site] = site;
}

static void open_families(struct pool *pool, uint32_t node)
{
	const struct plan_range *range = &pool->nodes[node].addresses;
	const struct ip_address *addresses = plan_items(pool->plan, addresses, struct ip_address) +
					     range->first;

	for (uint32_t i = 0; i < range->count; i++) {
		bool v6 = addresses[i].family == IP_V6;

		pool->has[v6 ? STEERING_AAAA : STEERING_A][node] = true;
	}
	for (unsigned family = 0; family < STEERING_FAMILIES; family++)
		pool->lacks[family] |= !pool->has[family][node];
}

static void open_nodes(struct pool *pool)
{
	pool->node_keys = mem_array(pool->node_count, sizeof(*pool->node_keys));
	pool->up = mem_array(pool->node_count, sizeof(*pool->up));
	for (unsigned family = 0; family < STEERING_FAMILIES; family++)
		pool->has[family] = mem_array(pool->node_count, sizeof(*pool->has[family]));
	for (uint32_t node = 0; node < pool->node_count; node++) {
		const char *name = plan_text(pool->plan, pool->nodes[node].name);

		pool->node_keys[node] = hash_text(name, pool->plan_pool->seed);
		open_families(pool, node);
	}
}

/* --- tables ----------------------------------------------------------------------------------- */

struct members {
	struct table_member *list;
	uint32_t count;
};

static void add_site(const struct pool *pool, struct members *members, uint32_t site)
{
	const struct plan_range *range = &pool->sites[site].nodes;
	uint32_t first = range->first - pool->plan_pool->nodes.first;

	for (uint32_t node = first; node < first + range->count; node++)
		members->list[members->count++] =
			(struct table_member){ .key = pool->node_keys[node],
					       .weight = pool->nodes[node].weight,
					       .choice = (uint16_t)node };
}

/* The table of a set of sites; NULL where they have no nodes. */
static struct table *make_table(const struct pool *pool, const bool *in_set)
{
	struct members members = { mem_array(pool->node_count, sizeof(*members.list)), 0 };
	struct table *table = NULL;

	for (uint32_t site = 0; site < pool->site_count; site++)
		if (in_set[site])
			add_site(pool, &members, site);
	if (members.count > 0)
		table = table_new(pool->plan_pool->seed, members.list, members.count);
	free(members.list);
	return table;
}

static void make_site_table(struct pool *pool, uint32_t site)
{
	bool *in_set = mem_array(pool->site_count, sizeof(*in_set));
	in_set[site] = true;
	pool->tables[site] = make_table(pool, in_set);
	free(in_set);
}

void pool_need_site(struct pool *pool, uint32_t site)
{
	pool->bound = true;
	if (pool->tables[site] == NULL)
		make_site_table(pool, site);
	if (pool->tables[site] == NULL) /* a site without nodes: NODATA */
		pool->fallback_choice = true;
}

/* The sets of sites that share clients, each once: their tables follow the sites' own. The first
 * set is all sites. */
struct sets {
	bool **list;
	uint32_t count, cap;
};

static uint32_t set_number(struct sets *sets, const bool *in_set, uint32_t site_count)
{
	bool *copy;

	for (uint32_t i = 0; i < sets->count; i++)
		if (memcmp(sets->list[i], in_set, site_count * sizeof(*in_set)) == 0)
			return i;
	copy = mem_array(site_count, sizeof(*copy));
	memcpy(copy, in_set, site_count * sizeof(*copy));
	array_add(sets->list, sets->count, sets->cap) = copy;
	return sets->count - 1;
}

/* A rule restricts whom a client's share goes to; distance does not. */
static uint32_t pref_set(const struct pool *pool, struct sets *sets, uint32_t pref_number,
			 bool *in_set)
{
	const struct geo_pref *pref = geo_pool_pref(pool->geo, pool->number, pref_number);
	const uint16_t *named = image_at(pool->geo, uint16_t, pref->sites_off);

	if (pref->rule == GEO_RULE_NONE || pref->site_count == 0)
		return 0;
	memset(in_set, 0, pool->site_count * sizeof(*in_set));
	for (uint32_t n = 0; n < pref->site_count; n++)
		in_set[pool->site_of[named[n]]] = true;
	return set_number(sets, in_set, pool->site_count);
}

static void open_weighted_tables(struct pool *pool)
{
	struct sets sets = { 0 };
	bool *in_set = mem_array(pool->site_count, sizeof(*in_set));

	memset(in_set, true, pool->site_count * sizeof(*in_set));
	(void)set_number(&sets, in_set, pool->site_count);
	pool->pref_sets = mem_array(pool->pref_count, sizeof(*pool->pref_sets));
	for (uint32_t i = 0; i < pool->pref_count; i++)
		pool->pref_sets[i] = pool->site_count + pref_set(pool, &sets, i, in_set);
	pool->table_count = pool->site_count + sets.count;
	pool->tables = mem_array(pool->table_count, sizeof(struct table *));
	for (uint32_t i = 0; i < sets.count; i++) {
		pool->tables[pool->site_count + i] = make_table(pool, sets.list[i]);
		free(sets.list[i]);
	}
	free(sets.list);
	free(in_set);
}

static void open_tables(struct pool *pool)
{
	pool->pref_tables = mem_array(pool->pref_count, sizeof(*pool->pref_tables));
	if (pool->plan_pool->policy == POLICY_WEIGHTED) {
		open_weighted_tables(pool);
		return;
	}
	pool->table_count = pool->site_count;
	pool->tables = mem_array(pool->table_count, sizeof(struct table *));
	for (uint32_t site = 0; site < pool->site_count; site++)
		make_site_table(pool, site);
}

uint32_t pool_number_tables(struct pool *pool, uint32_t first)
{
	uint32_t next = first;

	pool->table_numbers = mem_array((size_t)pool->table_count + 1,
					sizeof(*pool->table_numbers));
	for (uint32_t i = 0; i < pool->table_count; i++)
		pool->table_numbers[i] = pool->tables[i] != NULL ? next++ : POOL_NONE;
	pool->table_numbers[pool->table_count] = pool->fallback_choice ? next++ : POOL_NONE;
	return next - first;
}

int pool_open(struct pool *pool, const struct image *geo, const struct image *plan, uint32_t number,
	      struct err *err)
{
	const struct geo_root *geo_root = image_root(geo, struct geo_root);
	const struct plan_pool *plan_pool = plan_items(plan, pools, struct plan_pool) + number;

	*pool = (struct pool){ .geo = geo, .plan = plan, .plan_pool = plan_pool, .number = number };
	pool->sites = plan_items(plan, pool_sites, struct plan_pool_site) + plan_pool->sites.first;
	pool->nodes = plan_items(plan, nodes, struct plan_node) + plan_pool->nodes.first;
	pool->site_count = plan_pool->sites.count;
	pool->node_count = plan_pool->nodes.count;
	pool->pref_count = image_at(geo, struct geo_pool, geo_root->pools_off)[number].pref_count;
	pool->fallback_choice = plan_pool->fallback != FALLBACK_ALL || pool->node_count == 0;
	if (check_size(pool, err) != 0)
		return -1;
	open_sites(pool);
	if (check_prefs(pool, err) != 0)
		return -1;
	open_nodes(pool);
	open_tables(pool);
	return 0;
}

void pool_close(struct pool *pool)
{
	for (uint32_t i = 0; i < pool->table_count; i++)
		table_free(pool->tables[i]);
	for (uint32_t i = 0; pool->ranking != NULL && i <= pool->site_count; i++)
		free(pool->ranking[i]);
	for (unsigned family = 0; family < STEERING_FAMILIES; family++)
		free(pool->has[family]);
	free(pool->tables);
	free(pool->ranking);
	free(pool->site_of);
	free(pool->site_ranks);
	free(pool->node_keys);
	free(pool->up);
	free(pool->table_numbers);
	free(pool->pref_sets);
	free(pool->pref_tables);
}

/* --- what follows from status ----------------------------------------------------------------- */

static const uint8_t applied_fallback[] = {
	[FALLBACK_ALL] = APPLIED_ALL,
	[FALLBACK_NONE] = APPLIED_NONE,
	[FALLBACK_ADDRESSES] = APPLIED_ADDRESSES,
	[FALLBACK_LAST_GOOD] = APPLIED_LAST_GOOD,
	[FALLBACK_NEAREST] = APPLIED_NEAREST,
	[FALLBACK_POOL] = APPLIED_POOL,
};

/* Who counts as up, and how good that makes each site. */
static void update_up(struct pool *pool, const bool *up)
{
	const struct plan_range *range = &pool->plan_pool->nodes;
	bool any = false;

	for (uint32_t node = 0; node < pool->node_count; node++) {
		pool->up[node] = up[range->first + node];
		any |= pool->up[node];
	}
	pool->applied = any ? APPLIED_NODES : applied_fallback[pool->plan_pool->fallback];
	if (!any && pool->plan_pool->fallback == FALLBACK_ALL)
		memset(pool->up, true, pool->node_count * sizeof(*pool->up));
}

static void update_ranks(struct pool *pool)
{
	pool->rank = TABLE_DOWN;
	memset(pool->site_ranks, TABLE_DOWN, pool->site_count);
	for (uint32_t node = 0; node < pool->node_count; node++) {
		uint32_t site = pool->nodes[node].pool_site - pool->plan_pool->sites.first;
		uint8_t rank = pool->nodes[node].weight > 0 ? TABLE_USABLE : TABLE_RESERVE;

		if (!pool->up[node])
			continue;
		if (rank > pool->site_ranks[site])
			pool->site_ranks[site] = rank;
		if (rank > pool->rank)
			pool->rank = rank;
	}
}

/* nearest, failover: the first site that has the best that the pool has. */
static uint32_t choose_site_table(struct pool *pool, uint32_t pref_number)
{
	const struct geo_pref *pref = geo_pool_pref(pool->geo, pool->number, pref_number);
	uint32_t n = 0, site;

	do
		site = pool_pref_site(pool, pref, n++);
	while (pool->site_ranks[site] != pool->rank);
	return site;
}

/* weighted: the rule's sites while they have the best that the pool has, else all. */
static uint32_t choose_set_table(const struct pool *pool, uint32_t pref_number)
{
	const struct table *table = pool->tables[pool->pref_sets[pref_number]];

	if (table == NULL || table->rank != pool->rank)
		return pool->site_count;
	return pool->pref_sets[pref_number];
}

static void update_prefs(struct pool *pool)
{
	for (uint32_t i = 0; i < pool->pref_count; i++) {
		uint32_t table = pool->table_count; /* the fallback's */

		if (pool->rank != TABLE_DOWN && pool->pref_sets != NULL)
			table = choose_set_table(pool, i);
		else if (pool->rank != TABLE_DOWN)
			table = choose_site_table(pool, i);
		pool->pref_tables[i] = pool->table_numbers[table];
	}
}

uint32_t pool_site_table(const struct pool *pool, uint32_t site)
{
	bool down = pool->site_ranks[site] == TABLE_DOWN;

	if (pool->tables[site] == NULL || (down && pool->plan_pool->fallback != FALLBACK_ALL))
		return pool->table_numbers[pool->table_count];
	/* A table none of whose members is up is as if all were. */
	return pool->table_numbers[site];
}

static void update_tables(struct pool *pool)
{
	uint16_t *level = mem_array(pool->node_count, sizeof(*level));

	for (uint32_t node = 0; node < pool->node_count; node++)
		level[node] = pool->up[node] ? TABLE_ALL : 0;
	for (uint32_t i = 0; i < pool->table_count; i++)
		if (pool->tables[i] != NULL)
			(void)table_update(pool->tables[i], level);
	free(level);
}

void pool_update(struct pool *pool, const bool *up)
{
	update_up(pool, up);
	update_ranks(pool);
	update_tables(pool);
	update_prefs(pool);
}
