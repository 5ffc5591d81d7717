/* geo_prefs.h - each pool's preferences, numbered: what holds, and the sites in order.
 *
 * Sites stand in bands: those of one band are equally preferred, and come in the order of their
 * numbers, whatever their distance, so that fewer preferences differ; but the nearest of all comes
 * first, for it says what "near" is to those that no preference names. */
#ifndef COMPILE_GEO_PREFS_H
#define COMPILE_GEO_PREFS_H

#include "compile/geo_facts.h"
#include "image/geo.h"

#define PREF_UNKNOWN UINT32_MAX

struct pref_site {
	uint16_t site, band;
};

/* As it is numbered. */
struct pref {
	uint32_t resolved; /* facts_resolved */
	uint16_t nearest;  /* site, or GEO_SITE_NONE; only where that is the pool's fallback */
	uint16_t reserved;
	struct pref_site sites[];
};

struct pool_prefs {
	const struct config_pool *config;
	struct pool_facts facts;
	struct numbering numbers; /* struct pref */
	struct memo placeless;    /* resolved and nearest site -> preference */
	struct pref *scratch;     /* with room for the longest one */
	size_t depth; /* sites that are ordered by distance; more where a band is not full */
};

struct geo_prefs {
	const struct config *config;
	struct pool_prefs *pools;
};

void geo_prefs_init(struct geo_prefs *prefs, const struct config *config);
void geo_prefs_free(struct geo_prefs *prefs);

/* For a thread of its own: numbers preferences apart from the others. What is resolved it only
 * reads, so meanwhile nobody may resolve anything. */
void geo_prefs_fork(struct geo_prefs *fork, const struct geo_prefs *prefs);
void geo_prefs_end_fork(struct geo_prefs *fork);

/* The preference of clients whose place is not known, or does not matter but for `nearest`. */
uint32_t geo_prefs_placeless(struct pool_prefs *pool, uint32_t resolved, uint16_t nearest);

/* That of clients of whom something else holds than of those with `pref`, at the same place.
 * PREF_UNKNOWN: their place must be known to tell. */
uint32_t geo_prefs_changed(struct pool_prefs *pool, uint32_t pref, uint32_t resolved);

static inline const struct pref *geo_prefs_item(const struct pool_prefs *pool, uint32_t number,
						uint32_t *site_count)
{
	*site_count = (uint32_t)((numbering_size(&pool->numbers, number) - sizeof(struct pref)) /
				 sizeof(struct pref_site));
	return (const struct pref *)numbering_item(&pool->numbers, number);
}

#endif
