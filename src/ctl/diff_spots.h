/* diff_spots.h - nodes and sites of two plans, known by their names: the same ones are one spot.
 * Behind the nodes of each pool there is one more: what is answered where no node is. Pure. */
#ifndef CTL_DIFF_SPOTS_H
#define CTL_DIFF_SPOTS_H

#include <stdbool.h>
#include <stddef.h>

#include "image/plan.h"

struct diff_spot {
	char *name;    /* "edge/tyo-1" */
	uint32_t site; /* number of a name of its site */
};

struct diff_spots {
	struct diff_spot *items;
	size_t count;
	char **sites; /* "edge/@tokyo" */
	size_t site_count;
	uint32_t *of[2]; /* of each side: the spots of its nodes, then those behind its pools */
};

void diff_spots_open(struct diff_spots *out, const struct image *before, const struct image *after);
void diff_spots_close(struct diff_spots *spots);

/* `spots`: of one side. `node`: of the pool; its number of nodes: behind them. */
static inline uint32_t diff_spot_of(const uint32_t *spots, const struct image *plan, uint32_t pool,
				    uint32_t node)
{
	const struct plan_range *nodes = &plan_items(plan, pools, struct plan_pool)[pool].nodes;

	return node < nodes->count ? spots[nodes->first + node]
				   : spots[plan_count(plan, nodes) + pool];
}

/* The name of a spot, or of a site by its number. */
const char *diff_spot_name(const struct diff_spots *spots, uint32_t number, bool is_site);

#endif
