/* routes.h - where each preference of a pool leads now: the steps from what is healthy to a branch.
 *
 *   order  -> bands of the sites that are allowed to these clients
 *   groups -> which band has a site with enough healthy nodes
 *   spill  -> a split over bands, where sites keep only a part of their clients
 *   or the backup pool, for whom it has a healthy node, or the pool's fallback; or what a fence
 *   says where no site is left
 *   sets   -> which nodes stand together in an answer */
#ifndef STEER_ROUTES_H
#define STEER_ROUTES_H

#include "steer/group.h"
#include "steer/sets.h"
#include "steer/split.h"

#define ROUTE_NOBODY UINT32_MAX /* a group: what stands in for all nodes */

#define ROUTES_KEPT 256

struct route {
	uint8_t kind;    /* enum steering_branch */
	uint8_t applied; /* enum steering_applied */
	bool random;     /* every answer is drawn anew */
	/* A table: of this group, or ROUTE_NOBODY; a split of this number; a pool of the plan; the
	 * backup, where it does not serve all: what there is instead, of this number. */
	uint32_t number;
	uint32_t map; /* of the sets; SETS_MAP_NONE */
};

struct split {
	uint32_t count, first; /* places in `parts` */
};

/* What a record that is bound to a site needs. */
struct site_routes {
	bool needed;
	struct route *list; /* [preference], where the pool restricts clients; else one */
};

struct routes {
	struct pool *pool;
	const struct routes *all; /* of all pools */
	struct groups groups;
	struct sets sets;
	struct order order;

	struct route *prefs;
	struct site_routes *sites;
	bool nobody;     /* some route leads to what stands in for all nodes */
	bool serves;     /* a node is healthy, or a backup pool serves */
	bool backup;     /* the backup pool serves */
	bool leaves;     /* some clients get no healthy node, from no backup */
	uint8_t applied; /* enum steering_applied: of the pool */

	struct split *splits;
	uint32_t split_count, split_cap;
	struct split_part *parts; /* branches: groups, or the backup */
	uint32_t part_count, part_cap;
	struct steering_slot *slots; /* [split][SPLIT_SLOTS] */
	uint32_t slots_cap;          /* in splits */
	struct route *instead;       /* for whom the backup has nobody */
	uint32_t instead_count, instead_cap;
	uint32_t instead_kept[ROUTES_KEPT]; /* some of them, by hash: number + 1 */

	/* Scratch. */
	uint8_t *ranks;      /* [node]: for the clients at hand */
	uint16_t *primaries; /* [node] */
	uint32_t *weights;   /* [node]: among companions */
	bool *taken;         /* [node] */
	struct band *bands;
	struct band_site *band_sites;
	uint32_t *candidates; /* groups */
};

/* As a part's branch: the backup pool, which serves all; */
#define ROUTE_POOL (UINT32_MAX - 1)
/* or where it does not: this and the number of what there is instead. */
#define ROUTE_BACKUP UINT32_C(0x80000000)

/* The pool must outlive the routes. */
void routes_open(struct routes *routes, const struct routes *all, struct pool *pool);
void routes_close(struct routes *routes);

/* A record is bound to this site. To be said before the first update. */
void routes_need_site(struct routes *routes, uint32_t site);

/* After pool_take of all pools: may clients be sent to this pool for want of another? true: that
 * changed. To be asked of each pool after its backup. */
bool routes_find_serving(struct routes *routes);

/* After that, and after its backup's: all routes anew. Returns whether it has become one that leaves
 * clients without a healthy node, or is one no more: that concerns pools whose backup it is. */
bool routes_update(struct routes *routes);

/* How many routes a bound site has: one, or one for each preference. */
static inline uint32_t routes_of_site(const struct routes *routes)
{
	return routes->pool->restricts ? routes->pool->pref_count : 1;
}

#endif
