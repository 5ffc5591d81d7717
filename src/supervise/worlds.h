/* worlds.h - the images that the supervisor keeps, so that a data plane that starts has something
 * to serve: the newest ones, and the last ones that proved themselves.
 *
 * It never looks inside an image beyond the header. All descriptors are owned here. */
#ifndef SUPERVISE_WORLDS_H
#define SUPERVISE_WORLDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

/* As they travel in a HANDOVER_WORLD message. */
enum world_part { WORLD_ZONES, WORLD_GEO, WORLD_STEERING, WORLD_PLAN, WORLD_LOCATIONS };
#define WORLD_PARTS       5
#define WORLD_PARTS_DNS   3 /* zones, geo, steering */
#define WORLD_PARTS_LEAST 4 /* locations may be missing */

/* Served for so long without a crash, images are trusted. The steering image changes too often,
 * in a bad hour, to wait as long for each. */
#define WORLD_PROVEN_MS    10000
#define STEERING_PROVEN_MS 1000

struct world_set {
	int fds[WORLD_PARTS];
	size_t count;    /* 0: no world */
	uint32_t reload; /* same number: same zones, geo and plan */
	/* From the images' headers. */
	uint64_t zones_id, geo_id, plan_id, steering_id;
};

struct worlds {
	struct world_set newest, proven;
	bool distrusted; /* proven is served instead of newest */
	uint32_t reloads;
	/* Since when the data plane serves newest's zones and geo without a crash, and since when
	 * its steering image; 0: not yet. */
	uint64_t reload_served_ms, steering_served_ms;
};

/* Both take the descriptors over, whatever they return. A world needs 4 or 5 (see handover.h). A
 * steering image goes to the set that it was made for: while the proven one is served control
 * steers that. */
int worlds_take(struct worlds *worlds, const int *fds, size_t count, uint64_t now_ms,
		struct err *err);
int worlds_take_steering(struct worlds *worlds, int fd, uint64_t now_ms, struct err *err);

/* What the data plane should serve; NULL: there is no world. */
const struct world_set *worlds_to_serve(const struct worlds *worlds);

void worlds_served(struct worlds *worlds, uint64_t steering_id, uint64_t now_ms);
void worlds_crashed(struct worlds *worlds); /* what was served has not proven anything */

/* What is served is not trusted: the other one is from now on. false: there is no other. */
bool worlds_swap(struct worlds *worlds);

void worlds_close(struct worlds *worlds);

#endif
