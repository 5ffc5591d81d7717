/* zone_bind.h - the POOL records of a zone: which pool, site and target each of them means. */
#ifndef COMPILE_ZONE_BIND_H
#define COMPILE_ZONE_BIND_H

#include "compile/zone_draft.h"
#include "compile/zones_build.h"
#include "conf/config.h"
#include "image/zones.h"

/* Bindings whose owners are not yet at their places. Zero-initialise. */
struct zone_bound {
	struct zones_binding binding;
	size_t owner_at;
};

struct zone_bounds {
	struct zone_bound *items;
	size_t count, cap;
	struct buf owners;
};

void zone_bounds_free(struct zone_bounds *bounds);

/* Reports what is wrong. */
void zone_bind_draft(struct zone_bounds *bounds, const struct config *config,
		     const struct zone_draft *draft);

/* The same for a segment that was compiled before. false: something is to be said of a record; to
 * say where, the zone must be read. */
bool zone_bind_segment(struct zone_bounds *bounds, const struct config *config,
		       const struct zone_segment *segment);

#endif
