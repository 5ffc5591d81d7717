/* split.h - clients divided over several branches: what a band does not keep goes on to the next.
 *
 * Each band takes its part in an order of the slots that is its own, from those that the bands
 * before it left: so when a band keeps less, the clients that it gives up move, and hardly anybody
 * else. A slot is cut where a band's part ends in it, so parts are exact to a cut. */
#ifndef STEER_SPLIT_H
#define STEER_SPLIT_H

#include <stdint.h>

#include "image/steering.h"

#define SPLIT_SLOTS 256U

struct split_part {
	uint32_t branch; /* the caller's */
	uint32_t part;   /* of STEER_ALL; all parts together are that */
};

/* slots[SPLIT_SLOTS]: numbers of parts. */
void split_fill(struct steering_slot *slots, const struct split_part *parts, uint32_t count);

#endif
