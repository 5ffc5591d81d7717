/* lookup.h - from a name to zone and node: RFC 1034, 4.3.2 and RFC 4592, as hash lookups.
 *
 * Pure. The work is bounded by the labels of the deepest name in the zone, not by its size. */
#ifndef SERVE_LOOKUP_H
#define SERVE_LOOKUP_H

#include <stdbool.h>

#include "image/zones.h"
#include "wire/key.h"

/* The zone that answers for a name and type, or ZONES_NONE. A DS RRset belongs to the parent, so
 * where we have both zones it is looked up there (RFC 4035, 3.1.4.1). */
uint32_t lookup_zone(const struct image *zones, const struct name_key *name, uint16_t type);

struct lookup {
	const struct zone_segment *segment;
	const struct zone_node *node; /* the name's, or the wildcard's that speaks for it, or NULL:
                                         the name does not exist */
	const struct zone_node *encloser; /* where node is NULL or a wildcard's: the closest
                                             ancestor that exists (RFC 4592, 3.3.1) */
	const struct zone_node *cut;      /* the delegation at or above the name, or NULL */
};

void lookup_name(struct lookup *out, const struct zone_segment *segment,
		 const struct name_key *name);

#endif
