/* standstill.h - how long a loop has stood still: stopped, starved of its processor, or busy.
 *
 * While anybody watches, a timer beats. As much as a beat is late, or is when somebody asks before it has
 * come, the loop stood still; so that is never more than it really did. The time is the caller's; single
 * thread. */
#ifndef PROBE_STANDSTILL_H
#define PROBE_STANDSTILL_H

#include <ev.h>
#include <stdint.h>

#define STANDSTILL_MIN_US 10000 /* less is none: any machine is as late as that at times */

struct standstill {
	struct ev_loop *loop;
	ev_timer beat;
	uint32_t watchers;
	uint64_t due_us; /* the next beat */
	uint64_t all_us;
};

/* It may not be moved from then on. Nothing is to be closed once nobody watches. */
void standstill_open(struct standstill *still, struct ev_loop *loop);

void standstill_watch(struct standstill *still, uint64_t now_us);
void standstill_leave(struct standstill *still);

/* All in all, while anybody has watched: who asks twice knows what has come between. */
uint64_t standstill_us(struct standstill *still, uint64_t now_us);

#endif
