#include "steer/order.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

/* --- rankings ----------------------------------------------------------------------------------- */

struct ranked {
	double key;
	uint32_t site;
};

static int by_key(const void *a, const void *b)
{
	const struct ranked *x = a, *y = b;

	if (x->key != y->key)
		return x->key < y->key ? -1 : 1;
	return x->site < y->site ? -1 : x->site > y->site;
}

static double distance_km(const struct pool *pool, uint32_t a, uint32_t b)
{
	const struct plan_site *sites = plan_items(pool->plan, sites, struct plan_site);
	const struct plan_site *x = &sites[pool->sites[a].site], *y = &sites[pool->sites[b].site];

	return steer_distance_km(x->latitude, x->longitude, y->latitude, y->longitude);
}

static double ranking_key(const struct pool *pool, uint32_t from, uint32_t site, bool by_distance)
{
	if (site == from)
		return -1; /* first, also where another one is as near */
	if (!by_distance)
		return pool->sites[site].priority;
	return from == POOL_NONE ? 0 : distance_km(pool, from, site);
}

static uint32_t *make_ranking(const struct pool *pool, uint32_t from, bool by_distance)
{
	struct ranked *list = mem_array(pool->site_count, sizeof(*list));
	uint32_t *order = mem_array(pool->site_count, sizeof(*order));

	for (uint32_t site = 0; site < pool->site_count; site++)
		list[site] = (struct ranked){ ranking_key(pool, from, site, by_distance), site };
	qsort(list, pool->site_count, sizeof(*list), by_key);
	for (uint32_t i = 0; i < pool->site_count; i++)
		order[i] = list[i].site;
	free(list);
	return order;
}

/* Made when first asked for: in a pool with many sites most are never needed. */
const uint32_t *pool_nearest(struct pool *pool, uint32_t from)
{
	uint32_t **ranking = &pool->nearest[from == POOL_NONE ? pool->site_count : from];

	if (*ranking == NULL)
		*ranking = make_ranking(pool, from, true);
	return *ranking;
}

const uint32_t *pool_ranking(struct pool *pool, uint32_t from)
{
	uint32_t **ranking = &pool->ranking[from == POOL_NONE ? pool->site_count : from];

	if (pool->plan_pool->policy != POLICY_FAILOVER)
		return pool_nearest(pool, from);
	if (*ranking == NULL)
		*ranking = make_ranking(pool, from, false);
	return *ranking;
}

void pool_free_rankings(struct pool *pool)
{
	for (uint32_t i = 0; pool->nearest != NULL && i <= pool->site_count; i++) {
		free(pool->ranking[i]);
		free(pool->nearest[i]);
	}
	free(pool->ranking);
	free(pool->nearest);
	free(pool->priorities);
}

static const uint32_t *priorities(struct pool *pool)
{
	if (pool->priorities == NULL)
		pool->priorities = make_ranking(pool, POOL_NONE, false);
	return pool->priorities;
}

/* --- who is left out ---------------------------------------------------------------------------- */

static void leave_out_fenced(struct order *order)
{
	const struct pool *pool = order->pool;
	const uint32_t *held = image_at(pool->geo, uint32_t, order->pref->fences_off);
	const uint32_t *numbers = plan_items(pool->plan, numbers, uint32_t);

	for (uint32_t i = 0; i < order->pref->fence_count; i++) {
		const struct plan_fence *fence = plan_items(pool->plan, fences, struct plan_fence) +
						 held[i];

		for (uint32_t n = 0; n < fence->never.count; n++)
			order->placed[numbers[fence->never.first + n] -
				      pool->plan_pool->sites.first] = true;
	}
	order->any_fenced = order->pref->fence_count > 0;
}

static void avoid(struct order *order, const struct plan_avoid *avoid)
{
	const struct pool *pool = order->pool;
	uint32_t site = avoid->pool_site - pool->plan_pool->sites.first;
	uint32_t first = pool_first_node(pool, site), end = pool_end_node(pool, site);

	if (avoid->node != PLAN_NONE) {
		first = avoid->node - pool->plan_pool->nodes.first;
		end = first + 1;
	}
	if (!order->any_avoided) {
		memset(order->avoided, 0, pool->node_count * sizeof(*order->avoided));
		memset(order->touched, 0, pool->site_count * sizeof(*order->touched));
	}
	order->any_avoided = true;
	for (uint32_t node = first; node < end; node++) {
		order->avoided[node] = true;
		order->touched[pool_site_of_node(pool, node)] = true;
	}
}

static void find_avoided(struct order *order)
{
	const struct pool *pool = order->pool;
	const uint32_t *held = image_at(pool->geo, uint32_t, order->pref->avoids_off);

	for (uint32_t i = 0; i < order->pref->avoid_count; i++)
		if (pool->avoids[held[i] - pool->plan_pool->avoids.first])
			avoid(order, plan_items(pool->plan, avoids, struct plan_avoid) + held[i]);
}

/* --- bands -------------------------------------------------------------------------------------- */

static void place(struct order *order, uint32_t site)
{
	if (order->placed[site])
		return;
	order->placed[site] = true;
	order->sites[order->count] = site;
	order->bands[order->count++] = order->band_count;
}

static void add_named(struct order *order)
{
	const struct pool *pool = order->pool;
	const uint16_t *named = image_at(pool->geo, uint16_t, order->pref->sites_off);
	const uint16_t *bands = image_at(pool->geo, uint16_t, order->pref->bands_off);
	uint16_t band = bands[order->named];

	for (; order->named < order->pref->site_count && bands[order->named] == band;
	     order->named++)
		place(order, pool->site_of[named[order->named]]);
}

static void add_nearest(struct order *order)
{
	const struct pool *pool = order->pool;
	uint32_t from = POOL_NONE, before = order->count;
	const uint32_t *ranking;

	if (order->pref->site_count > 0)
		from = pool->site_of[image_at(pool->geo, uint16_t, order->pref->sites_off)[0]];
	ranking = pool_nearest(order->pool, from);
	while (order->tail < pool->site_count && order->count == before)
		place(order, ranking[order->tail++]);
}

static void add_priority(struct order *order)
{
	const uint32_t *ranking = priorities(order->pool);
	const struct plan_pool_site *sites = order->pool->sites;
	uint32_t before = order->count;

	for (; order->tail < order->pool->site_count; order->tail++) {
		uint32_t site = ranking[order->tail];

		if (order->count > before &&
		    sites[site].priority != sites[order->sites[before]].priority)
			return;
		place(order, site);
	}
}

static void add_all(struct order *order)
{
	for (uint32_t site = 0; site < order->pool->site_count; site++)
		place(order, site);
}

bool order_more(struct order *order)
{
	uint32_t before = order->count;

	while (!order->complete && order->count == before) {
		if (order->named < order->pref->site_count) {
			add_named(order);
			continue;
		}
		if (order->pref->policy == POLICY_NEAREST)
			add_nearest(order);
		else if (order->pref->policy == POLICY_FAILOVER)
			add_priority(order);
		else
			add_all(order);
		order->complete = order->count == before;
	}
	order->band_count += order->count > before;
	return order->count > before;
}

/* The first place whose band is not below n. */
static uint32_t find_band(const struct order *order, uint32_t n)
{
	uint32_t low = 0, high = order->count;

	while (low < high) {
		uint32_t middle = (low + high) / 2;

		if (order->bands[middle] < n)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

bool order_band(struct order *order, uint32_t n, uint32_t *first, uint32_t *count)
{
	while (order->band_count <= n)
		if (!order_more(order))
			return false;
	*first = find_band(order, n);
	*count = find_band(order, n + 1) - *first;
	return true;
}

void order_finish(struct order *order)
{
	while (order_more(order))
		;
}

/* --- one preference ------------------------------------------------------------------------------ */

void order_begin(struct order *order, uint32_t pref)
{
	order->pref = geo_pool_pref(order->pool->geo, order->pool->number, pref);
	order->count = order->band_count = order->named = order->tail = 0;
	order->complete = order->any_avoided = order->any_fenced = false;
	memset(order->placed, 0, order->pool->site_count * sizeof(*order->placed));
	leave_out_fenced(order);
	find_avoided(order);
}

void order_begin_site(struct order *order, uint32_t pref, uint32_t site)
{
	bool fenced = false;

	if (pref == POOL_NONE) {
		order->pref = NULL;
		order->any_avoided = order->any_fenced = false;
	} else {
		order_begin(order, pref);
		fenced = order->placed[site];
	}
	order->complete = true;
	order->sites[0] = site;
	order->bands[0] = 0;
	order->count = order->band_count = fenced ? 0 : 1;
}

uint32_t order_nearest(struct order *order)
{
	uint32_t first, count;

	if (order->pref != NULL && order->pref->nearest != GEO_SITE_NONE)
		return order->pool->site_of[order->pref->nearest];
	return order_band(order, 0, &first, &count) ? order->sites[0] : POOL_NONE;
}

bool order_is_equal(const struct order *order)
{
	const struct plan_pool *settings = order->pool->plan_pool;

	return (order->pref != NULL ? order->pref->policy : settings->policy) == POLICY_ROUND_ROBIN;
}

void order_open(struct order *order, struct pool *pool)
{
	*order = (struct order){ .pool = pool };
	order->sites = mem_array(pool->site_count, sizeof(*order->sites));
	order->bands = mem_array(pool->site_count, sizeof(*order->bands));
	order->placed = mem_array(pool->site_count, sizeof(*order->placed));
	order->touched = mem_array(pool->site_count, sizeof(*order->touched));
	order->avoided = mem_array(pool->node_count, sizeof(*order->avoided));
}

void order_close(struct order *order)
{
	free(order->sites);
	free(order->bands);
	free(order->placed);
	free(order->touched);
	free(order->avoided);
}
