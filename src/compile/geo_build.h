/* geo_build.h - GeoIP databases, sites, distance and location rules in; geo and locations image
 * out.
 *
 * Rules are numbered as in the plan: pools in order, rules in the file's order within a pool, one
 * running number over all pools. Mistakes go to diag; there are images only when there were
 * none. */
#ifndef COMPILE_GEO_BUILD_H
#define COMPILE_GEO_BUILD_H

#include "compile/locations_build.h"

/* `previous` (may be NULL) are the locations of the last good world. *geo_fd and locations->fd are
 * the caller's, -1 where there is none. 0, also when there are mistakes: ask diag_errors. -1: it
 * failed for a reason of its own. */
int geo_build(const struct config *config, const struct locations_previous *previous, int *geo_fd,
	      struct locations_built *locations, struct diag *diag, struct err *err);

#endif
