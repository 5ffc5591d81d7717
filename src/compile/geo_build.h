/* geo_build.h - GeoIP databases, sites, distance and location rules in; geo and locations image
 * out.
 *
 * Rules are numbered as in the plan: pools in order, rules in the file's order within a pool, one
 * running number over all pools. Mistakes go to diag; there are images only when there were
 * none. */
#ifndef COMPILE_GEO_BUILD_H
#define COMPILE_GEO_BUILD_H

#include <stdint.h>

#include "conf/config.h"
#include "conf/diag.h"
#include "image/image.h"

/* `previous_locations` (verified; may be NULL) is that of the last good world: with the same key
 * the databases are not walked again. *geo_fd and *locations_fd are the caller's, -1 where there
 * is none. 0, also when there are mistakes: ask diag_errors. -1: it failed for a reason of its
 * own. */
int geo_build(const struct config *config, const struct image *previous_locations, int *geo_fd,
	      int *locations_fd, struct diag *diag, struct err *err);

#endif
