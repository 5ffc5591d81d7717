#include <stdlib.h>

#include "base/mem.h"
#include "steer/pool.h"
#include "steer/steer.h"

struct ranked {
	double distance_km;
	uint32_t site;
};

static int by_distance(const void *a, const void *b)
{
	const struct ranked *x = a, *y = b;

	if (x->distance_km != y->distance_km)
		return x->distance_km < y->distance_km ? -1 : 1;
	return x->site < y->site ? -1 : x->site > y->site;
}

static double distance_km(const struct pool *pool, uint32_t a, uint32_t b)
{
	const struct plan_site *sites = plan_items(pool->plan, sites, struct plan_site);
	const struct plan_site *x = &sites[pool->sites[a].site], *y = &sites[pool->sites[b].site];

	return steer_distance_km(x->latitude, x->longitude, y->latitude, y->longitude);
}

static uint32_t *make_ranking(const struct pool *pool, uint32_t from)
{
	struct ranked *list = mem_array(pool->site_count, sizeof(*list));
	uint32_t *order = mem_array(pool->site_count, sizeof(*order));

	for (uint32_t site = 0; site < pool->site_count; site++) {
		list[site].site = site;
		if (site == from)
			list[site].distance_km = -1; /* first, also where another one is as near */
		else if (pool->plan_pool->policy != POLICY_FAILOVER && from != POOL_NONE)
			list[site].distance_km = distance_km(pool, from, site);
	}
	qsort(list, pool->site_count, sizeof(*list), by_distance);
	for (uint32_t i = 0; i < pool->site_count; i++)
		order[i] = list[i].site;
	free(list);
	return order;
}

const uint32_t *pool_ranking(struct pool *pool, uint32_t from)
{
	/* The last one is the order of the file. Made when first asked for: in a pool with many
	 * sites most are never needed. */
	uint32_t **ranking = &pool->ranking[from == POOL_NONE ? pool->site_count : from];

	if (*ranking == NULL)
		*ranking = make_ranking(pool, from);
	return *ranking;
}

uint32_t pool_pref_site(struct pool *pool, const struct geo_pref *pref, uint32_t n)
{
	const uint16_t *named = image_at(pool->geo, uint16_t, pref->sites_off);
	uint32_t from = POOL_NONE;

	if (n < pref->site_count)
		return pool->site_of[named[n]];
	n -= pref->site_count;
	if (pref->site_count > 0)
		from = pool->site_of[named[0]];
	return n < pool->site_count ? pool_ranking(pool, from)[n] : POOL_NONE;
}
