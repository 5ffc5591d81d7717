/* views.h - the contexts of a pool's preferences, and the maps that they need (sets.h). */
#ifndef STEER_VIEWS_H
#define STEER_VIEWS_H

#include "steer/sets.h"

struct views {
	struct sets sets;
	uint32_t *pref_maps; /* of each preference: number of its map, SETS_MAP_NONE: none */
	uint32_t *site_maps; /* of each site: of records that are bound to it */
};

void views_open(struct views *views, struct pool *pool);
void views_close(struct views *views);

/* After pool_update. */
void views_update(struct views *views, const uint32_t *weights);

#endif
