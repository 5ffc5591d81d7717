/* schedule.h - when checks are made. Pure: the clock and the dice are arguments.
 *
 * A check is made once an interval, at its own place in the interval, so that checks stay spread
 * as evenly as they began. Jitter only shortens intervals. */
#ifndef PROBE_SCHEDULE_H
#define PROBE_SCHEDULE_H

#include <stdbool.h>
#include <stdint.h>

/* How long check number `index` of `count` new ones waits for its first time. The first starts at
 * once; all have started within a second, or (at more than 1,000 checks) at 1,000 a second, but
 * always within their interval. */
uint64_t schedule_first_us(uint32_t index, uint32_t count, uint32_t interval_ms);

/* When a check that was due at due_us is due again; `random` has 64 random bits. */
uint64_t schedule_next_us(uint64_t due_us, uint32_t interval_ms, uint32_t jitter_percent,
			  uint64_t random);

/* When a check that was due at due_us and whose turn comes now should really start: at once
 * (due_us), or, if it is late, at its next place in the interval. Else everything that came due
 * while the process was suspended or its loop blocked would start in the same moment, and so for
 * ever after. */
uint64_t schedule_start_us(uint64_t due_us, uint64_t now_us, uint32_t interval_ms);

/* When the next probe of an address may start, which would start now: at most 10 start at once, and
 * from then on 50 a second (the generic cell rate algorithm, ITU-T I.371, annex A). *paced_us is the
 * address's own, at first 0. */
uint64_t schedule_pace_us(uint64_t *paced_us, uint64_t now_us);

/* It was to start at start_us, and did not for so long that it has to ask again. */
bool schedule_pace_is_over(uint64_t start_us, uint64_t now_us);

#endif
