#include <stdlib.h>

#include "base/mem.h"
#include "steer/pool.h"
#include "steer/rendezvous.h"

/* Which nodes may stand in: those of the pool that count as up; for a record bound to a site none
 * of whose nodes is, all of that site (where the fallback is "all"). */
static bool may_stand_in(const struct pool *pool, uint32_t site, uint32_t node)
{
	return pool->up[node] || pool->site_ranks[site] == TABLE_DOWN;
}

/* The best of a site's nodes that have the family: each lacking node has its own order, so that
 * the substitutes share the load by weight. `reserve`: those with weight 0. */
static uint32_t best_of_site(const struct pool *pool, uint32_t site, uint64_t key, unsigned family,
			     bool reserve)
{
	const struct plan_range *range = &pool->sites[site].nodes;
	uint32_t first = range->first - pool->plan_pool->nodes.first;
	struct rendezvous_bid best = { .member = RENDEZVOUS_NONE };

	for (uint32_t node = first; node < first + range->count; node++) {
		uint32_t weight = pool->nodes[node].weight;
		struct rendezvous_bid bid;

		if (!pool->has[family][node] || (weight == 0) != reserve ||
		    !may_stand_in(pool, site, node))
			continue;
		bid = rendezvous_bid(rendezvous_hash(key, pool->node_keys[node]),
				     weight != 0 ? weight : 1, node);
		if (rendezvous_wins(&bid, &best))
			best = bid;
	}
	return best.member;
}

static uint32_t site_of_node(const struct pool *pool, uint32_t node)
{
	return pool->nodes[node].pool_site - pool->plan_pool->sites.first;
}

static uint32_t bound_substitute(const struct pool *pool, uint32_t node, unsigned family)
{
	uint32_t site = site_of_node(pool, node);
	uint64_t key = hash_word(pool->node_keys[node]);
	uint32_t best = best_of_site(pool, site, key, family, false);

	return best != RENDEZVOUS_NONE ? best : best_of_site(pool, site, key, family, true);
}

/* Its own site first, then the next ones. */
static uint32_t substitute(struct pool *pool, const bool *sites, uint32_t node, unsigned family)
{
	const uint32_t *order = pool_ranking(pool, site_of_node(pool, node));
	uint64_t key = hash_word(pool->node_keys[node]);

	for (unsigned reserve = 0; reserve < 2; reserve++) {
		for (uint32_t i = 0; i < pool->site_count; i++) {
			uint32_t best;

			if (!sites[order[i]] || pool->site_ranks[order[i]] == TABLE_DOWN)
				continue;
			best = best_of_site(pool, order[i], key, family, reserve != 0);
			if (best != RENDEZVOUS_NONE)
				return best;
		}
	}
	return POOL_NONE;
}

/* The sites where somebody can stand in; returns whether one of them is up. */
static bool find_sites(const struct pool *pool, unsigned family, bool *sites)
{
	bool any = false;

	for (uint32_t node = 0; node < pool->node_count; node++) {
		uint32_t site = site_of_node(pool, node);

		if (!pool->has[family][node] || !may_stand_in(pool, site, node))
			continue;
		sites[site] = true;
		any |= pool->site_ranks[site] != TABLE_DOWN;
	}
	return any;
}

static void update_family(struct pool *pool, unsigned family)
{
	bool *sites = mem_array(pool->site_count, sizeof(*sites));
	bool strict = pool->plan_pool->strict_pair != 0;
	bool any = find_sites(pool, family, sites) && !strict;

	for (uint32_t node = 0; node < pool->node_count; node++) {
		size_t at = (size_t)node * STEERING_FAMILIES + family;

		if (pool->has[family][node])
			continue; /* itself, as always */
		pool->picks[at] = any ? substitute(pool, sites, node, family) : POOL_NONE;
		if (!strict && pool->bound && sites[site_of_node(pool, node)])
			pool->bound_picks[at] = bound_substitute(pool, node, family);
		else
			pool->bound_picks[at] = POOL_NONE;
	}
	free(sites);
}

void pool_update_picks(struct pool *pool)
{
	for (unsigned family = 0; family < STEERING_FAMILIES; family++)
		if (pool->lacks[family])
			update_family(pool, family);
}
