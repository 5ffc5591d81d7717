/* steer.h - from plan and node status to the steering image.
 *
 * One struct steer lives as long as its plan. The base tables are made from the configuration
 * alone (table.h); when nodes are down only their slots are refilled, each slot in its own weighted
 * rendezvous order (Thaler, Ravishankar 1998): nobody else's client moves, and all come back.
 * Single thread: control's loop. */
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

/* Until the first compile has ended, tables are copied from those of an older plan's steer, where
 * they have the same members: making them is what costs most. It must live as long. NULL is fine. */
void steer_inherit(struct steer *steer, const struct steer *older);

/* Secrets for the images that are made from now on, where the plan has none: at most
 * COOKIE_SECRETS_MAX, the one that makes cookies first. They are copied. */
void steer_set_cookie_secrets(struct steer *steer, const uint8_t secrets[][COOKIE_SECRET_SIZE],
			      unsigned count);

/* How much a node may do now. Unknown health counts as up. */
enum steer_state {
	STEER_DOWN,
	STEER_DISABLED, /* by the operator: never answered, whatever else is down */
	STEER_DRAINING, /* healthy, but only answered where nobody else is */
	STEER_UP,
};

struct steer_node {
	uint8_t state; /* enum steer_state */
	/* Whose addresses may be answered: STEER_IPV4 | STEER_IPV6, or one of them where the path of
	 * the other family is down. Then it is, for that one, as a node without such addresses.
	 * While it is DOWN that says nothing: a fallback answers all it has. */
	uint8_t families;
	uint16_t level;  /* of its weight; STEER_ALL: all */
	uint32_t weight; /* 0..65535: configured, or the operator's */
	/* Not 0: its answers hold for so long at most, since a verdict on it is near, or a change
	 * that is planned. */
	uint32_t ttl_s;
};

#define STEER_ALL UINT16_MAX

/* Bits of families: 1 << enum steering_column. */
enum steer_family { STEER_IPV4 = 1, STEER_IPV6 = 2, STEER_FAMILIES = 3 };

struct steer_input {
	const struct steer_node *nodes; /* of the plan */
	/* Of each plan_pool_site: which part of its clients it keeps, STEER_ALL: all. NULL: all
	 * keep all. */
	const uint16_t *keep;
	/* Of each node: was it up when any of its pool was last? NULL: that is not known. */
	const bool *last_good;
	uint64_t now_unix_s; /* avoids that have ended do not count */
};

/* A new image for this input; only what changed since the last call is made anew. *fd is the
 * caller's. */
int steer_compile(struct steer *steer, const struct steer_input *input, int *fd, struct err *err);

/* When what was compiled last holds no longer, whatever the nodes do, since an avoid ends: compile
 * again then. 0: never. */
uint64_t steer_next_unix_s(const struct steer *steer);

/* How many sets of nodes (sets.h) found no number at the last compile, for want of numbers in their
 * pools: of each of them the first node is answered alone. */
uint32_t steer_left_out(const struct steer *steer);

/* Which nodes of the plan (yields[]: the caller's) stand in a table beside one that has a higher level
 * than they have, by these levels: what they do not take goes to others. Of the last compile. */
void steer_find_yielding(const struct steer *steer, const uint16_t *levels, bool *yields);

/* Sites (numbers of plan_pool_site) of a pool in the order in which a preference tries them, all
 * of the pool's: at most `max` are written, their number is returned. */
uint32_t steer_site_order(const struct steer *steer, uint32_t pool, uint32_t pref,
			  uint32_t *pool_sites, uint32_t max);

/* Great-circle distance on a sphere of mean Earth radius (6371.0088 km), in km. */
double steer_distance_km(double latitude_1, double longitude_1, double latitude_2,
			 double longitude_2);

#endif
