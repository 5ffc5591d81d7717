/* world.h - the images that together answer queries. They are published as one, or not at all.
 *
 * Which fits which: steering names the zones, geo and plan images it was compiled against. */
#ifndef IMAGE_WORLD_H
#define IMAGE_WORLD_H

#include "image/geo.h"
#include "image/plan.h"
#include "image/steering.h"
#include "image/zones.h"

struct world {
	struct image zones, geo, steering;
};

/* Opens the three (headers only) and checks that they fit together. The descriptors stay the
 * caller's. On failure *out is empty. */
int world_open(struct world *out, int zones_fd, int geo_fd, int steering_fd, struct err *err);
/* The same check, of images that are open already. */
int world_fits(const struct world *world, struct err *err);
void world_close(struct world *world); /* an empty one is fine */

/* What holds while there is no world, for nobody has said otherwise. */
extern const struct dns_settings world_settings_default;

/* world NULL: those. */
static inline const struct dns_settings *world_settings(const struct world *world)
{
	return world == NULL ? &world_settings_default
			     : &image_root(&world->steering, struct steering_root)->dns;
}

/* Do the numbers that the images exchange fit (records, pools, preferences, choices)? To be asked
 * once, by who hands them over, after each image's own verification. */
int world_verify(const struct world *world, struct err *err);

/* The same of the steering image and a plan, for those who read both: are its pools, their nodes and
 * its records the plan's? */
int world_verify_plan(const struct image *steering, const struct image *plan, struct err *err);

#endif
