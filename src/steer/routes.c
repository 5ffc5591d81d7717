#include "steer/routes.h"

#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/mem.h"
#include "steer/bands.h"
#include "steer/companions.h"

/* --- whole pools ---------------------------------------------------------------------------------- */

static bool any_enabled(const struct pool *pool)
{
	for (uint32_t node = 0; node < pool->node_count; node++)
		if (pool_node_enabled(pool, node))
			return true;
	return false;
}

static bool any_last_good(const struct pool *pool)
{
	for (uint32_t node = 0; node < pool->node_count; node++)
		if (pool->last_good[node] && pool_node_enabled(pool, node))
			return true;
	return false;
}

/* What a fallback comes to where none of the pool's nodes is healthy. */
static uint8_t applied_fallback(const struct pool *pool)
{
	switch (pool->plan_pool->fallback) {
	case FALLBACK_NONE: return APPLIED_NONE;
	case FALLBACK_ADDRESSES: return APPLIED_ADDRESSES;
	case FALLBACK_POOL: return APPLIED_POOL;
	case FALLBACK_NEAREST: return any_enabled(pool) ? APPLIED_NEAREST : APPLIED_NONE;
	case FALLBACK_LAST_GOOD:
		if (any_last_good(pool))
			return APPLIED_LAST_GOOD;
		return any_enabled(pool) ? APPLIED_ALL : APPLIED_NONE;
	default: return any_enabled(pool) ? APPLIED_ALL : APPLIED_NONE;
	}
}

static uint8_t applied_now(const struct routes *routes)
{
	const struct pool *pool = routes->pool;

	if (pool->rank > TABLE_DRAINING)
		return APPLIED_NODES;
	if (pool->rank == TABLE_DRAINING)
		return APPLIED_DRAINING;
	return routes->backup ? APPLIED_BACKUP : applied_fallback(pool);
}

bool routes_find_serving(struct routes *routes)
{
	uint32_t backup = routes->pool->plan_pool->backup;
	bool now = backup != PLAN_NONE && routes->all[backup].serves;
	bool changed = now != routes->backup;

	routes->backup = now;
	routes->serves = now || routes->pool->rank != TABLE_DOWN;
	return changed;
}

/* --- one preference ------------------------------------------------------------------------------- */

static struct route to_pool(uint32_t pool, uint8_t applied)
{
	return (struct route){
		.kind = BRANCH_POOL, .applied = applied, .number = pool, .map = SETS_MAP_NONE
	};
}

static struct route to_group(uint32_t group, uint8_t applied)
{
	return (struct route){
		.kind = BRANCH_TABLE, .applied = applied, .number = group, .map = SETS_MAP_NONE
	};
}

static struct route to_nobody(struct routes *routes, uint8_t applied)
{
	routes->nobody = true;
	return to_group(ROUTE_NOBODY, applied);
}

/* No site is left. Several fences may have seen to that; of those that say where to go instead, the
 * first one is heeded. */
static struct route fenced(struct routes *routes)
{
	const struct geo_pref *pref = routes->order.pref;
	const struct plan_fence *fences = plan_items(routes->pool->plan, fences, struct plan_fence);
	const uint32_t *hold = image_at(routes->pool->geo, uint32_t, pref->fences_off);

	for (uint32_t i = 0; i < pref->fence_count; i++)
		if (fences[hold[i]].otherwise != PLAN_NONE)
			return to_pool(fences[hold[i]].otherwise, APPLIED_FENCED);
	return to_nobody(routes, APPLIED_FENCED);
}

static bool find_admitted(struct routes *routes, enum group_admits who, uint32_t *group)
{
	uint32_t first, count;

	for (uint32_t n = 0; order_band(&routes->order, n, &first, &count); n++) {
		*group = groups_find(&routes->groups, &routes->order, first, count);
		if (groups_admit(&routes->groups, *group, who))
			return groups_use(&routes->groups, *group);
	}
	return false;
}

/* The first band that has somebody to answer, whoever is healthy: nodes in reserve wait, as they
 * would if all were. `good_only`: who was healthy last. */
static struct route as_if_up(struct routes *routes, bool good_only, uint8_t applied)
{
	enum group_admits who = good_only ? GROUP_LAST_GOOD : 0;
	uint32_t group;

	if (find_admitted(routes, who | GROUP_WEIGHTED, &group) ||
	    find_admitted(routes, who, &group))
		return to_group(group, applied);
	return good_only ? as_if_up(routes, false, APPLIED_ALL) : to_nobody(routes, APPLIED_NONE);
}

/* Of the site nearest to the clients that has an enabled node. */
static struct route nearest(struct routes *routes)
{
	struct order *order = &routes->order;
	uint32_t place = 0, group;

	order_finish(order);
	while (place < order->count && order->sites[place] != order_nearest(order))
		place++;
	for (uint32_t i = 0; i <= order->count; i++) {
		/* The nearest one first, then as the order is. */
		uint32_t at = i == 0 ? place : i - 1;

		if (at >= order->count)
			continue;
		group = groups_find(&routes->groups, order, at, 1);
		if (groups_use(&routes->groups, group))
			return to_group(group, APPLIED_NEAREST);
	}
	return to_nobody(routes, APPLIED_NONE);
}

static struct route fall_back(struct routes *routes)
{
	const struct plan_pool *settings = routes->pool->plan_pool;

	switch (settings->fallback) {
	case FALLBACK_NONE: return to_nobody(routes, APPLIED_NONE);
	case FALLBACK_ADDRESSES: return to_nobody(routes, APPLIED_ADDRESSES);
	case FALLBACK_POOL: return to_pool(settings->fallback_pool, APPLIED_POOL);
	case FALLBACK_NEAREST: return nearest(routes);
	case FALLBACK_LAST_GOOD: return as_if_up(routes, true, APPLIED_LAST_GOOD);
	default: return as_if_up(routes, false, APPLIED_ALL);
	}
}

static void complete(struct routes *routes, struct route *route)
{
	route->map = companions_map(routes, route);
	route->random = order_is_equal(&routes->order);
}

/* --- backup pools ----------------------------------------------------------------------------------- */

/* Are there clients, perhaps, for whom the backup has nobody? Their classes tell. */
static bool backup_leaves(const struct routes *routes)
{
	return routes->all[routes->pool->plan_pool->backup].leaves;
}

static bool same_route(const struct route *a, const struct route *b)
{
	return a->kind == b->kind && a->applied == b->applied && a->random == b->random &&
	       a->number == b->number && a->map == b->map;
}

/* What there is where the backup has nobody. Few of them differ: nearly all are found again. */
static uint32_t add_instead(struct routes *routes, struct route route)
{
	uint32_t *kept;

	complete(routes, &route);
	kept = &routes->instead_kept[hash_word((uint64_t)route.number << 32 ^ route.map ^
					       (uint64_t)route.applied << 56 ^ route.kind) %
				     ROUTES_KEPT];
	if (*kept == 0 || !same_route(&routes->instead[*kept - 1], &route)) {
		array_add(routes->instead, routes->instead_count, routes->instead_cap) = route;
		*kept = routes->instead_count;
	}
	return *kept - 1;
}

static struct route to_backup(const struct routes *routes, uint32_t branch)
{
	struct route route = to_pool(routes->pool->plan_pool->backup, APPLIED_BACKUP);

	if (branch != ROUTE_POOL) {
		route.kind = BRANCH_BACKUP;
		route.number = branch & ~ROUTE_BACKUP;
	}
	return route;
}

/* None of the nodes that these clients may get is healthy. */
static struct route all_down(struct routes *routes)
{
	uint32_t branch = ROUTE_POOL;

	if (!routes->backup)
		return fall_back(routes);
	if (backup_leaves(routes))
		branch = ROUTE_BACKUP | add_instead(routes, fall_back(routes));
	return to_backup(routes, branch);
}

/* --- spilling over --------------------------------------------------------------------------------- */

static uint32_t add_split(struct routes *routes, uint32_t first)
{
	uint32_t count = routes->part_count - first;

	for (uint32_t i = 0; i < routes->split_count; i++)
		if (routes->splits[i].count == count &&
		    memcmp(&routes->parts[routes->splits[i].first], &routes->parts[first],
			   count * sizeof(*routes->parts)) == 0) {
			routes->part_count = first;
			return i;
		}
	array_add(routes->splits, routes->split_count, routes->split_cap) = (struct split){ count,
											    first };
	return routes->split_count - 1;
}

static void add_part(struct routes *routes, uint32_t branch, uint32_t part)
{
	if (part == 0)
		return;
	if ((branch & ROUTE_BACKUP) == 0)
		(void)groups_use(&routes->groups, branch);
	array_add(routes->parts, routes->part_count,
		  routes->part_cap) = (struct split_part){ branch, part };
}

/* Over the candidates, which have the clients' first one first: each keeps its part of what comes
 * to it. Returns what is left for the backup. */
static uint32_t share_candidates(struct routes *routes, uint32_t count, bool backup)
{
	for (uint32_t i = 0; i < count; i++) {
		routes->band_sites[i] =
			(struct band_site){ 1, routes->groups.list[routes->candidates[i]].part, 0 };
		routes->bands[i] = (struct band){ &routes->band_sites[i], 1, 0 };
	}
	return bands_share(routes->bands, count, backup);
}

/* As they share, and the backup's branch has what is left. */
static struct route split_over(struct routes *routes, uint32_t count, uint8_t applied,
			       uint32_t backup, uint32_t left)
{
	uint32_t first = routes->part_count, branch;
	struct route route = to_group(0, applied);

	for (uint32_t i = 0; i < count; i++)
		add_part(routes, routes->candidates[i], routes->bands[i].part);
	add_part(routes, backup, left);
	if (routes->part_count - first > 1) {
		route.kind = BRANCH_SPLIT;
		route.number = add_split(routes, first);
		return route;
	}
	branch = routes->parts[first].branch;
	routes->part_count = first;
	return (branch & ROUTE_BACKUP) != 0 ? to_backup(routes, branch) : to_group(branch, applied);
}

/* For whom the backup has nobody, the candidates share as if there was none: too many clients are
 * less bad than a fallback. */
static struct route spill(struct routes *routes, uint32_t count, uint8_t applied)
{
	uint32_t left = share_candidates(routes, count, routes->backup), branch = ROUTE_POOL;

	if (left > 0 && backup_leaves(routes)) {
		(void)share_candidates(routes, count, false);
		branch = ROUTE_BACKUP |
			 add_instead(routes, split_over(routes, count, applied, ROUTE_POOL, 0));
		(void)share_candidates(routes, count, true);
	}
	return split_over(routes, count, applied, branch, left);
}

/* --- the first band that answers ------------------------------------------------------------------ */

struct place {
	uint32_t band, group; /* GROUP_NONE: nowhere */
};

/* Bands as far as they were looked at: for each rank, where the first one is that has it, and the
 * first one that has enough of it. */
struct found {
	struct place any[TABLE_RANKS], enough[TABLE_RANKS];
};

static bool look_at(struct found *found, const struct group *group, struct place here)
{
	if (found->any[group->rank].group == GROUP_NONE)
		found->any[group->rank] = here;
	if (group->counts && found->enough[group->rank].group == GROUP_NONE)
		found->enough[group->rank] = here;
	return group->counts && group->rank == TABLE_USABLE;
}

static struct group *group_of_band(struct routes *routes, uint32_t band, uint32_t *number)
{
	uint32_t first, count;

	if (!order_band(&routes->order, band, &first, &count))
		return NULL;
	*number = groups_find(&routes->groups, &routes->order, first, count);
	return &routes->groups.list[*number];
}

/* From a band on: those that take clients of this rank, until one keeps all. */
static uint32_t find_candidates(struct routes *routes, uint32_t band, uint8_t rank, bool enough)
{
	const struct group *group;
	uint32_t count = 0, number;

	for (; (group = group_of_band(routes, band, &number)) != NULL; band++) {
		if (group->rank != rank || (enough && !group->counts))
			continue;
		routes->candidates[count++] = number;
		if (group->part == STEER_ALL)
			break;
	}
	return count;
}

static struct route answer_from(struct routes *routes, struct place place, uint8_t rank,
				bool enough)
{
	uint8_t applied = rank == TABLE_DRAINING ? APPLIED_DRAINING : APPLIED_NODES;

	if (routes->groups.list[place.group].part != STEER_ALL)
		return spill(routes, find_candidates(routes, place.band, rank, enough), applied);
	(void)groups_use(&routes->groups, place.group);
	return to_group(place.group, applied);
}

static struct route decide(struct routes *routes)
{
	const struct group *group;
	struct place here = { 0 };
	struct found found;

	memset(&found, 0xff, sizeof(found)); /* GROUP_NONE */
	for (; (group = group_of_band(routes, here.band, &here.group)) != NULL; here.band++)
		if (look_at(&found, group, here))
			break;
	if (routes->order.count == 0 && routes->order.any_fenced)
		return fenced(routes);
	for (uint8_t rank = TABLE_USABLE; rank > TABLE_DOWN; rank--) {
		if (found.enough[rank].group != GROUP_NONE)
			return answer_from(routes, found.enough[rank], rank, true);
		if (found.any[rank].group != GROUP_NONE)
			return answer_from(routes, found.any[rank], rank, false);
	}
	return all_down(routes);
}

/* --- all ------------------------------------------------------------------------------------------- */

static struct route find_route(struct routes *routes)
{
	struct route route = decide(routes);

	complete(routes, &route);
	return route;
}

/* Of its own nodes, or of a backup that has somebody for whoever comes. */
static bool has_somebody(const struct routes *routes, const struct route *route)
{
	if (route->kind == BRANCH_BACKUP)
		return routes->instead[route->number].applied <= APPLIED_DRAINING;
	return route->applied <= APPLIED_BACKUP;
}

static void update_site(struct routes *routes, uint32_t site)
{
	struct route *list = routes->sites[site].list;

	for (uint32_t i = 0; i < routes_of_site(routes); i++) {
		order_begin_site(&routes->order, routes->pool->restricts ? i : POOL_NONE, site);
		list[i] = find_route(routes);
	}
}

static void fill_splits(struct routes *routes)
{
	if (routes->slots_cap < routes->split_count) {
		routes->slots_cap = routes->split_count;
		routes->slots = mem_resize(routes->slots, routes->slots_cap,
					   SPLIT_SLOTS * sizeof(*routes->slots));
	}
	for (uint32_t i = 0; i < routes->split_count; i++)
		split_fill(routes->slots + (size_t)i * SPLIT_SLOTS,
			   &routes->parts[routes->splits[i].first], routes->splits[i].count);
}

static void begin(struct routes *routes)
{
	bool equal = routes->pool->plan_pool->policy == POLICY_ROUND_ROBIN;

	groups_begin(&routes->groups);
	for (uint32_t node = 0; node < routes->pool->node_count; node++)
		routes->weights[node] = equal ? routes->pool->weights[node] > 0
					      : routes->pool->weights[node];
	sets_begin(&routes->sets, routes->weights);
	routes->nobody = false;
	routes->split_count = routes->part_count = routes->instead_count = 0;
	memset(routes->instead_kept, 0, sizeof(routes->instead_kept));
	routes->applied = applied_now(routes);
}

bool routes_update(struct routes *routes)
{
	bool left = routes->leaves;

	begin(routes);
	routes->leaves = false;
	for (uint32_t i = 0; i < routes->pool->pref_count; i++) {
		order_begin(&routes->order, i);
		routes->prefs[i] = find_route(routes);
		routes->leaves |= !has_somebody(routes, &routes->prefs[i]);
	}
	for (uint32_t site = 0; site < routes->pool->site_count; site++)
		if (routes->sites[site].needed)
			update_site(routes, site);
	fill_splits(routes);
	return routes->leaves != left;
}

void routes_need_site(struct routes *routes, uint32_t site)
{
	struct site_routes *s = &routes->sites[site];

	if (s->needed)
		return;
	s->needed = true;
	s->list = mem_array(routes_of_site(routes), sizeof(*s->list));
}

void routes_open(struct routes *routes, const struct routes *all, struct pool *pool)
{
	size_t sites = (size_t)pool->site_count + 1;

	*routes = (struct routes){ .pool = pool, .all = all };
	groups_open(&routes->groups, pool);
	sets_open(&routes->sets, pool);
	order_open(&routes->order, pool);
	routes->prefs = mem_array(pool->pref_count, sizeof(*routes->prefs));
	routes->sites = mem_array(sites, sizeof(*routes->sites));
	routes->ranks = mem_array(pool->node_count, sizeof(*routes->ranks));
	routes->primaries = mem_array(pool->node_count, sizeof(*routes->primaries));
	routes->weights = mem_array(pool->node_count, sizeof(*routes->weights));
	routes->taken = mem_array(pool->node_count, sizeof(*routes->taken));
	routes->bands = mem_array(sites, sizeof(*routes->bands));
	routes->band_sites = mem_array(sites, sizeof(*routes->band_sites));
	routes->candidates = mem_array(sites, sizeof(*routes->candidates));
}

void routes_close(struct routes *routes)
{
	if (routes->pool == NULL)
		return;
	for (uint32_t site = 0; site < routes->pool->site_count; site++)
		free(routes->sites[site].list);
	order_close(&routes->order);
	sets_close(&routes->sets);
	groups_close(&routes->groups);
	free(routes->prefs);
	free(routes->sites);
	free(routes->instead);
	free(routes->splits);
	free(routes->parts);
	free(routes->slots);
	free(routes->ranks);
	free(routes->primaries);
	free(routes->weights);
	free(routes->taken);
	free(routes->bands);
	free(routes->band_sites);
	free(routes->candidates);
}
