/* geo_prefs.h - a location -> each pool's preference, by rules and by distance. */
#ifndef COMPILE_GEO_PREFS_H
#define COMPILE_GEO_PREFS_H

#include "compile/countries.h"
#include "compile/numbering.h"
#include "conf/config.h"
#include "image/geo.h"
#include "image/locations.h"

struct vector {
	double x, y, z;
};

/* A preference as it is numbered: the rule, then the sites. */
struct pref {
	uint32_t rule; /* of the plan, or GEO_RULE_NONE */
	uint16_t sites[];
};

struct pool_prefs {
	const struct config_pool *config;
	uint32_t first_rule;      /* its number in the plan */
	struct numbering numbers; /* struct pref */
	uint32_t configured;      /* the preference of who is nowhere */
	uint32_t *rule_pref;      /* of each of the pool's rules */
	/* Which preference the first rule for an AS, country or continent gives; UINT32_MAX: none */
	struct memo by_asn;
	uint32_t by_country[COUNTRY_CODES], by_continent[COUNTRY_CODES];
};

struct geo_prefs {
	const struct config *config;
	struct pool_prefs *pools;
	struct vector *sites; /* unit vectors, by site number */
	double *distance;     /* of the location in hand, by site number */
	struct pref *scratch;
};

void geo_prefs_init(struct geo_prefs *prefs, const struct config *config);
void geo_prefs_free(struct geo_prefs *prefs);

/* Writes one preference number for each pool. */
void geo_prefs_of(struct geo_prefs *prefs, const struct location *location, uint32_t *numbers);

/* Items of `numbers` lie side by side: their sites are aligned, the rule may not be. */
uint32_t geo_pref_rule(const struct numbering *numbers, uint32_t number);
const uint16_t *geo_pref_sites(const struct numbering *numbers, uint32_t number, uint32_t *count);

#endif
