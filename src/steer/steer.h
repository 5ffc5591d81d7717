/* steer.h - from plan and node status to the steering image.
 *
 * One struct steer lives as long as its plan. The base tables are made from the configuration
 * alone (Maglev, Eisenbud et al., NSDI 2016, with weights); when nodes are down only their slots
 * are refilled, each slot in its own weighted rendezvous order (Thaler, Ravishankar 1998): nobody
 * else's client moves, and all come back. Single thread: control's loop. */
#ifndef STEER_STEER_H
#define STEER_STEER_H

#include <stdbool.h>

#include "image/geo.h"
#include "image/plan.h"
#include "image/zones.h"

struct steer;

/* The images must outlive the steer; they have been verified. */
int steer_open(struct steer **out, const struct image *zones, const struct image *geo,
	       const struct image *plan, struct err *err);
void steer_close(struct steer *steer); /* NULL is fine */

/* Secrets for the images that are made from now on, where the plan has none: at most
 * COOKIE_SECRETS_MAX, the one that makes cookies first. They are copied. */
void steer_set_cookie_secrets(struct steer *steer, const uint8_t secrets[][COOKIE_SECRET_SIZE],
			      unsigned count);

/* A new image for this status: up[n] is true when plan node n may be answered (unknown counts as
 * up). Only tables whose nodes changed since the last call are made anew. *fd is the caller's. */
int steer_compile(struct steer *steer, const bool *up, int *fd, struct err *err);

/* Sites (numbers of plan_pool_site) of a pool in the order in which a preference tries them, all
 * of the pool's: at most `max` are written, their number is returned. */
uint32_t steer_site_order(const struct steer *steer, uint32_t pool, uint32_t pref,
			  uint32_t *pool_sites, uint32_t max);

/* Great-circle distance on a sphere of mean Earth radius (6371.0088 km), in km. */
double steer_distance_km(double latitude_1, double longitude_1, double latitude_2,
			 double longitude_2);

#endif
