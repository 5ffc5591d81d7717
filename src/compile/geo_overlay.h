/* geo_overlay.h - clients that are told by their networks: they lie over what the databases say.
 *
 * An overlay says for each pool what its facts of the networks around an address are; break points
 * say where which overlay lies. Overlay 0: no network is asked for there. */
#ifndef COMPILE_GEO_OVERLAY_H
#define COMPILE_GEO_OVERLAY_H

#include "compile/breaks.h"
#include "compile/geo_clients.h"

struct geo_overlay {
	struct numbering numbers; /* uint32_t[pool_count]: number of the pool's facts */
	struct breaks breaks[2];  /* IPv4, IPv6 -> overlay number */
};

/* IPv4 networks written as IPv6 (mapped, NAT64) count as IPv4: so they are found. */
void geo_overlay_init(struct geo_overlay *overlay, struct geo_clients *clients);
void geo_overlay_free(struct geo_overlay *overlay);

#endif
