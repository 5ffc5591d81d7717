/* tally.h - who goes where, before and after: the sums that `simulate` tells. Pure.
 *
 * Two sides, each with its own plan and images (often the same but for steering). Nodes and sites
 * that have the same names on both are one *spot* and one *place* here. Behind the nodes of each
 * pool there is one more of each: what is answered where no node is (a fallback). */
#ifndef CTL_TALLY_H
#define CTL_TALLY_H

#include <stdbool.h>

#include "ctl/shares.h"
#include "ctl/space.h"
#include "ctl/suppose.h"
#include "image/plan.h"

enum side_number { SIDE_BEFORE, SIDE_AFTER, SIDES };

struct side {
	const struct image *geo, *plan, *steering;
	const struct supposed_node *nodes;
	struct shares *shares;
	uint32_t *spots;  /* of each node of the plan */
	uint32_t *behind; /* spot behind the nodes of each pool */
	uint32_t *pools;  /* of each pool of the tally: its number here, or PLAN_NONE */
};

struct spot {
	const char *node; /* NULL: behind the nodes */
	bool serves[SIDES];
	uint32_t place;
	uint32_t number[SIDES]; /* in the plan; PLAN_NONE */
};

struct place {
	const char *pool, *site; /* site NULL: behind the nodes */
	uint32_t pool_number;    /* of the tally */
	double latitude, longitude;
	double clients[SIDES][MEASURES]; /* of all pools */
	double capacity[SIDES];          /* of its nodes that take clients */
	double use[SIDES];               /* of that capacity; */
	bool use_known;                  /* ... only then, from what some of its nodes report */
	/* Nodes that take clients before, and how many of them report (or are supposed to have) a
	 * load. */
	uint32_t takers, tellers;
	bool strangers;        /* clients come of whom nobody knows what they use */
	bool involved;         /* clients come or go */
	bool load_is_supposed; /* of a node of it */
	uint64_t told_at_ms;   /* when any of its nodes reported last; 0: never */
};

struct portion { /* of some clients, at one place */
	uint32_t place;
	double of[SIDES][MEASURES];
};

struct portions {
	struct portion *items;
	uint32_t count, cap;
};

struct country_tally {
	double total[MEASURES], moved[MEASURES];
	struct portions at;
};

/* The clients of one pool. Moved are those who get another site. */
struct pool_tally {
	const char *name;
	struct country_tally countries[SPACE_COUNTRIES + 1];
	double (*spots)[SIDES][MEASURES]; /* NULL: of no interest */
	double total[SIDES][MEASURES], moved[MEASURES];
	double applied[SIDES][APPLIED_COUNT]
		      [MEASURES]; /* enum steering_applied: of whom it holds */
};

struct tally {
	struct side sides[SIDES];
	struct spot *spots;
	struct place *places;
	struct pool_tally *pools;
	uint32_t spot_count, spot_cap, place_count, place_cap, pool_count, pool_cap;
	enum measure demand; /* what clients are counted by where their use of capacity matters */
	const char *told;    /* the only pool that is told of; NULL: all */
};

/* What counts of the same geo images, plans and steering of before share: clients by what each pool
 * tells apart, and the shares of before. Zero-initialise. */
struct folds {
	struct space *of_pools;
	uint32_t count;
	struct shares *before;
};

void folds_free(struct folds *folds);

/* The sides' geo, plan, steering and nodes are there; the rest is filled in. */
void tally_count(struct tally *tally, const struct space *space, struct folds *folds);
void tally_close(struct tally *tally); /* not what the sides were given */

#endif
