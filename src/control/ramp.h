/* ramp.h - a node that comes back from being down gets its clients little by little, so that it is
 * not overrun by them with cold caches, or shown to be ill still by all at once.
 *
 * Its level rises linearly, in at most RAMP_STEPS steps and none shorter than a second, from a part
 * of its weight to all of it. There is a ramp only of a node that had been out of answers and for
 * a verdict of this process: not for the first one after a start, whatever was adopted. It ends
 * early when nobody is there to leave clients to (steer_find_yielding). Pure; times are
 * monotonic. */
#ifndef CONTROL_RAMP_H
#define CONTROL_RAMP_H

#include <stdbool.h>
#include <stdint.h>

#define RAMP_STEPS 20U
#define RAMP_ALL   UINT16_MAX

struct ramp_settings {
	uint32_t time_ms; /* 0: there are no ramps */
	uint8_t percent;  /* of its weight, to begin with */
};

/* Begins as zeros. */
struct ramp {
	uint64_t recovered_ms; /* when it came back last; 0: never */
	bool was_out;          /* of answers for its health, at the last look */
	bool runs;
};

/* A look: `recovered_ms` as in struct node_state; `is_out`: its health keeps it out of answers.
 * Returns its level, of RAMP_ALL. */
uint16_t ramp_look(struct ramp *ramp, const struct ramp_settings *settings, uint64_t recovered_ms,
		   bool is_out, uint64_t now_ms);

#endif
