/* pool.h - one pool as steering sees it: its sites and nodes, and how good each node is now.
 *
 * Sites and nodes have numbers of the pool here (0 for the pool's first). */
#ifndef STEER_POOL_H
#define STEER_POOL_H

#include <stdbool.h>
#include <stdint.h>

#include "image/geo.h"
#include "image/plan.h"
#include "image/steering.h"
#include "steer/steer.h"
#include "steer/table.h"

#define POOL_NONE   UINT32_MAX
#define TABLE_RANKS (TABLE_USABLE + 1)

struct pool {
	const struct image *geo, *plan;
	const struct plan_pool *plan_pool;
	const struct plan_pool_site *sites;
	const struct plan_node *nodes;
	uint32_t number, site_count, node_count, pref_count;
	uint64_t *node_keys; /* hash of the pool's seed and the node's name */
	uint32_t *site_of;   /* site number of the plan -> of the pool, POOL_NONE: not in it */
	uint32_t **ranking, **nearest; /* [site]: see order.h */
	uint32_t *priorities;
	bool *has[STEERING_FAMILIES]; /* [node]: has it an address of this family? */
	bool restricts;               /* fences or avoided nodes hold for some of its clients */

	/* As of the last pool_take. */
	struct steer_node *now;        /* [node] */
	uint32_t *weights;             /* [node]: as tables share by them */
	uint16_t *keep;                /* [site]: which part of its clients it keeps */
	bool *last_good;               /* [node] */
	bool *avoids;                  /* [avoid of the pool]: has it not ended? */
	bool *live[STEERING_FAMILIES]; /* [node]: has it one, and the path to it is not down? */
	uint8_t *ranks;                /* [node]: enum table_rank */
	uint32_t (*site_ranks)[TABLE_RANKS]; /* [site][rank]: how many of its nodes have it */
	uint8_t rank;                        /* the best of all nodes */
	bool spills;                         /* some site does not keep all of its clients */
	bool taken;                          /* there was a pool_take */
};

/* On failure *pool is to be closed all the same. */
int pool_open(struct pool *pool, const struct image *geo, const struct image *plan, uint32_t number,
	      struct err *err);
void pool_close(struct pool *pool);

/* Takes what concerns this pool; returns whether anything of it changed. */
bool pool_take(struct pool *pool, const struct steer_input *input);

/* Is the path to a node's addresses of this family down? */
static inline bool pool_is_closed(const struct pool *pool, uint32_t node, unsigned family)
{
	return pool->has[family][node] && !pool->live[family][node];
}

/* May it be answered under a fallback? */
static inline bool pool_node_enabled(const struct pool *pool, uint32_t node)
{
	return pool->now[node].state != STEER_DISABLED;
}

static inline uint32_t pool_site_of_node(const struct pool *pool, uint32_t node)
{
	return pool->nodes[node].pool_site - pool->plan_pool->sites.first;
}

static inline uint32_t pool_first_node(const struct pool *pool, uint32_t site)
{
	return pool->sites[site].nodes.first - pool->plan_pool->nodes.first;
}

static inline uint32_t pool_end_node(const struct pool *pool, uint32_t site)
{
	return pool_first_node(pool, site) + pool->sites[site].nodes.count;
}

/* --- order.c --------------------------------------------------------------------------------- */

/* All sites of the pool as seen from one: itself first, then by distance; in a failover pool by
 * priority. From POOL_NONE: in the file's order. */
const uint32_t *pool_ranking(struct pool *pool, uint32_t from);
/* The same by distance in every pool. */
const uint32_t *pool_nearest(struct pool *pool, uint32_t from);

void pool_free_rankings(struct pool *pool);

#endif
