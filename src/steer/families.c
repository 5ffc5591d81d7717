/* Who answers for a set none of whose nodes has the asked family. */
#include "steer/rendezvous.h"
#include "steer/sets.h"

static uint32_t first_node(const struct pool *pool, uint32_t site)
{
	return pool->sites[site].nodes.first - pool->plan_pool->nodes.first;
}

/* The best rank of a site's nodes that have the family. */
static uint8_t best_rank(const struct sets *sets, const struct set_context *context, uint32_t site,
			 unsigned family)
{
	const struct pool *pool = sets->pool;
	uint32_t first = first_node(pool, site);
	uint8_t best = TABLE_DOWN;

	for (uint32_t node = first; node < first + pool->sites[site].nodes.count; node++)
		if (pool->live[family][node] && context->ranks[node] > best)
			best = context->ranks[node];
	return best;
}

/* One of them: each primary has its own order, so that the substitutes share the load by weight. */
static uint16_t best_of_site(const struct sets *sets, const struct set_context *context,
			     uint32_t site, unsigned family, uint8_t rank, uint64_t key)
{
	const struct pool *pool = sets->pool;
	uint32_t first = first_node(pool, site);
	struct rendezvous_bid best = { .member = RENDEZVOUS_NONE };

	for (uint32_t node = first; node < first + pool->sites[site].nodes.count; node++) {
		uint32_t weight = sets->weights[node] != 0 ? sets->weights[node] : 1;
		struct rendezvous_bid bid;

		if (!pool->live[family][node] || context->ranks[node] != rank)
			continue;
		bid = rendezvous_bid(rendezvous_hash(key, pool->node_keys[node]), weight, node);
		if (rendezvous_wins(&bid, &best))
			best = bid;
	}
	return (uint16_t)best.member;
}

/* Of the best rank that there is; the primary's own site first, then the others as seen from there. */
static uint16_t substitute(struct sets *sets, const struct set_context *context, uint32_t primary,
			   unsigned family)
{
	struct pool *pool = sets->pool;
	uint32_t from = pool->nodes[primary].pool_site - pool->plan_pool->sites.first;
	const uint32_t *order = pool_ranking(pool, from);
	uint32_t site = POOL_NONE;
	uint8_t rank = TABLE_DOWN;

	for (uint32_t i = 0; i < pool->site_count && rank < TABLE_USABLE; i++) {
		uint8_t here = TABLE_DOWN;

		if (sets->sites_with[family][order[i]])
			here = best_rank(sets, context, order[i], family);
		if (here <= rank)
			continue;
		site = order[i];
		rank = here;
	}
	if (site == POOL_NONE)
		return SET_NODE_NONE;
	return best_of_site(sets, context, site, family, rank, hash_word(pool->node_keys[primary]));
}

static bool lacks(const struct pool *pool, const struct set *set, unsigned family)
{
	for (unsigned i = 0; i < SET_NODES_MAX && set->nodes[i] != SET_NODE_NONE; i++)
		if (pool->live[family][set->nodes[i]])
			return false;
	return true;
}

void set_find_substitutes(struct sets *sets, const struct set_context *context, struct set *set)
{
	const struct pool *pool = sets->pool;

	for (unsigned family = 0; family < STEERING_FAMILIES; family++)
		if (sets->substitutes[family] && lacks(pool, set, family))
			set->substitutes[family] = substitute(sets, context, set->nodes[0], family);
}
