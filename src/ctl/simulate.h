/* simulate.h - what would be if: who would be answered what, site by site and country by country,
 * before and after, and whether capacity holds. Worked out on the images that control lends, with
 * the functions that control and the data plane work with; nothing that runs is touched. */
#ifndef CTL_SIMULATE_H
#define CTL_SIMULATE_H

#include <jansson.h>
#include <stdio.h>

#include "ctl/explain.h"
#include "ctl/suppose.h"

struct simulation {
	struct supposition suppositions[SUPPOSE_MAX];
	unsigned supposed;
	const char *files;   /* NULL: those that run */
	const char *profile; /* file of queries; NULL: none */
	const char *pool;    /* the only one that is told; NULL: all */
};

/* {"ok": true, "holds": true|false|null, "supposed": [...], "measures": {...}, "pools": [...]}
 * NULL, with the reason in err: this cannot be simulated. The caller's. */
json_t *simulate(const struct borrowed *borrowed, const struct simulation *what, struct err *err);

/* all_countries: also those of which few clients move. */
void show_simulation(const json_t *told, bool all_countries, FILE *out, bool colour);

#endif
