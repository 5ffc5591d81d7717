/* geo_measure.h - from a place on Earth to the sites of pools in order of distance.
 *
 * Distances are great-circle distances on a sphere of Earth's mean radius, times each site's bias.
 * All sites are put in order once for a place, and the pools take theirs from that. Places that
 * come in an order that keeps neighbours together are sorted quickest: the order of the place
 * before is where the next one starts. */
#ifndef COMPILE_GEO_MEASURE_H
#define COMPILE_GEO_MEASURE_H

#include "compile/geo_prefs.h"

/* What the threads that measure share: read-only once made. */
struct geo_sites {
	const struct config *config;
	double *x, *y, *z; /* of each site: unit vector */
	/* Pools that agree on the bias of each site that they share are measured together. */
	uint32_t *group_of; /* of each pool */
	struct site_group {
		double *factor; /* of each site: distances count times this; 0: no site of it */
		bool is_biased;
	} * groups;
	uint32_t group_count, group_cap;
};

void geo_sites_init(struct geo_sites *sites, const struct config *config);
void geo_sites_free(struct geo_sites *sites);

/* One thread's. */
struct geo_measure;

struct geo_measure *geo_measure_new(const struct geo_sites *sites, struct geo_prefs *prefs);
void geo_measure_free(struct geo_measure *measure);

/* What is asked of the places that follow: the preferences of these pools, for whom this holds.
 * The pools' numberings grow: each thread has its own (geo_prefs_fork). */
void geo_measure_ask(struct geo_measure *measure, const uint32_t *pools, const uint32_t *resolved,
		     uint32_t count);

/* Writes the preference of each pool that was asked for to out[pool]. */
void geo_measure_place(struct geo_measure *measure, bool is_known, float latitude, float longitude,
		       uint32_t *out);

#endif
