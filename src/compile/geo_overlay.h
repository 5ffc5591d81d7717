/* geo_overlay.h - rules for networks: they lie over what the databases say.
 *
 * An overlay says for each pool which preference the longest matching network rule gives, or that
 * there is none; break points say where which overlay lies. Overlay 0: no rule in any pool. */
#ifndef COMPILE_GEO_OVERLAY_H
#define COMPILE_GEO_OVERLAY_H

#include "compile/breaks.h"
#include "compile/geo_prefs.h"

#define OVERLAY_NONE UINT32_MAX /* no rule: what the location says holds */

struct geo_overlay {
	struct numbering numbers; /* uint32_t[pool_count]: preference number or OVERLAY_NONE */
	struct breaks breaks[2];  /* IPv4, IPv6 -> overlay number */
};

/* Rules for IPv4 networks written as IPv6 (mapped, NAT64) count as IPv4: so they are found. */
void geo_overlay_init(struct geo_overlay *overlay, const struct geo_prefs *prefs);
void geo_overlay_free(struct geo_overlay *overlay);

#endif
