/* diff.h - what a reload changed: two compiled worlds, compared by what operators wrote.
 *
 * Pure. Things are known by name: zones by their origin, pools, "pool/node", sites. */
#ifndef CONTROL_DIFF_H
#define CONTROL_DIFF_H

#include <jansson.h>

#include "control/images.h"

#define DIFF_LISTED_MAX 100

/* {"zones": {"count": n, "added": n, "removed": n, "changed": n, "unchanged": n,
 *            "list": [{"change": "added", "name": ...}, ...]},
 *  "pools": ..., "nodes": ..., "sites": ..., "geo": {...}, "settings": true when they changed}
 * A list ends after DIFF_LISTED_MAX things; the numbers count all of them.
 * `before` NULL: there was no world, everything is added. The caller's. */
json_t *diff_worlds(const struct images *before, const struct images *after);

/* One line for a log: "zones +1 -0 ~2, pools ..."; the caller's to free. */
char *diff_summary(const json_t *diff);

#endif
