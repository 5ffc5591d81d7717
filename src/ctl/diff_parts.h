/* diff_parts.h - what `diff` tells, part by part. */
#ifndef CTL_DIFF_PARTS_H
#define CTL_DIFF_PARTS_H

#include <jansson.h>

#include "ctl/country_table.h"
#include "ctl/diff.h"
#include "ctl/space.h"

/* [{"name": "example.net.", "change": "changed", "serial_before": n, "serial": n, "added": n,
 *   "removed": n, "changed": n, "rrsets": [...]}, ...]: zones that change, with at most `most`
 * RRsets each. POOL records are told as what is written, not as what is answered. */
json_t *diff_zones(const struct image *before, const struct image *after, size_t most);

/* [{"object": "pool edge", "change": "changed", "options": [{"option": ..., "before": ...,
 *   "after": ...}]}, ...]: pools, sites, nodes, hooks, and the server's own options. */
json_t *diff_plans(const struct image *before, const struct image *after);

/* The options of a hook, by its number from 0: "on": "down, up", ... */
json_t *diff_hook(const struct image *plan, uint32_t number);

/* One side of what is steered. */
struct diff_side {
	struct world world;
	const struct image *plan;
};

/* [{"names": [...], "pool_before": ..., "pool": ..., "changed": {"ipv4": share, ...},
 *   "sites": [...], "nodes": [...], "countries": [...]}, ...]: steered names that are on both
 * sides and answer some clients otherwise; names of one line change alike. */
json_t *diff_steered(const struct diff_side *before, const struct diff_side *after,
		     const struct space *space, const struct country_table *countries, size_t most);

#endif
