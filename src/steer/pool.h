/* pool.h - one pool as steering sees it: who is up, which site comes next, which table a
 * preference and a site get now.
 *
 * Sites and nodes have numbers of the pool here (0 for the pool's first), tables too: a table for
 * each site and, for policy weighted, each set of sites that share clients; behind them, where
 * the fallback is not "all", one that answers the fallback. */
#ifndef STEER_POOL_H
#define STEER_POOL_H

#include <stdbool.h>
#include <stdint.h>

#include "image/geo.h"
#include "image/plan.h"
#include "image/steering.h"
#include "steer/table.h"

#define POOL_NONE UINT32_MAX

struct pool {
	const struct image *geo, *plan;
	const struct plan_pool *plan_pool;
	const struct plan_pool_site *sites;
	const struct plan_node *nodes;
	uint32_t number, site_count, node_count, pref_count;
	uint64_t *node_keys; /* hash of the pool's seed and the node's name */
	uint32_t *site_of;   /* site number of the plan -> of the pool, POOL_NONE: not in it */
	uint32_t **ranking;  /* [site]: all sites as seen from it, itself first */
	bool *has[STEERING_FAMILIES];  /* [node]: has it an address of this family? */
	bool lacks[STEERING_FAMILIES]; /* some node has not */

	bool *up;             /* what counts: all of them when the fallback is "all" and none is */
	bool bound;           /* some record is bound to one site */
	uint8_t applied;      /* enum steering_applied */
	bool fallback_choice; /* there is a choice behind the nodes', and a table that gives it */
	uint8_t *site_ranks;  /* enum table_rank: the best of each site's nodes */
	uint8_t rank;         /* the best of all */

	struct table **tables;   /* NULL: nobody needs it */
	uint32_t table_count;    /* without the fallback's */
	uint32_t *table_numbers; /* in the image; the last one is the fallback's */
	uint32_t *pref_sets;     /* weighted: the table of each preference while it is usable */
	uint32_t *pref_tables;   /* each preference's table now: its number in the image */
};

/* Makes the base tables. On failure *pool is to be closed all the same. */
int pool_open(struct pool *pool, const struct image *geo, const struct image *plan, uint32_t number,
	      struct err *err);
void pool_close(struct pool *pool);

/* A record is bound to this site of the pool alone: it needs that site's table. To
 * be said before the first update and before choices or tables are counted. */
void pool_need_site(struct pool *pool, uint32_t site);

/* up[n]: of all nodes of the plan. */
void pool_update(struct pool *pool, const bool *up);

/* Gives the tables that somebody needs their numbers in the image, from `first` on; returns how
 * many. To be said once, after pool_need_site. */
uint32_t pool_number_tables(struct pool *pool, uint32_t first);

/* The table (its number in the image) that a record bound to this site gets now. */
uint32_t pool_site_table(const struct pool *pool, uint32_t site);

/* --- order.c: which site comes next --------------------------------------------------------- */

/* The n-th site of a preference: those it names, then all as seen from the first of them (so some
 * a second time). POOL_NONE behind the last. */
uint32_t pool_pref_site(struct pool *pool, const struct geo_pref *pref, uint32_t n);

/* All sites of the pool as seen from one: itself first, then by distance; in a failover pool as
 * the pool file orders them. From POOL_NONE: in the file's order. */
const uint32_t *pool_ranking(struct pool *pool, uint32_t from);

#endif
