/* window.h - the last results of something that is measured again and again: how many were lost,
 * and how long the others took. Pure. */
#ifndef PROBE_WINDOW_H
#define PROBE_WINDOW_H

#include <stdbool.h>
#include <stdint.h>

#define WINDOW_MAX  1000
#define WINDOW_LOST UINT32_MAX

/* A ring. */
struct window {
	uint32_t *rtt_us; /* `size` of them; WINDOW_LOST: there was no answer */
	uint32_t size, count, next;
};

/* Of what is in the window; round-trip times are 0 where all is lost, or nothing is there. */
struct window_measures {
	uint32_t count, lost;
	uint32_t min_us, mean_us, max_us;
	uint32_t p50_us, p95_us; /* nearest rank: that of one of the results */
};

/* size: 1 to WINDOW_MAX results. */
void window_open(struct window *window, uint32_t size);
void window_close(struct window *window); /* one that is all zero is fine */

/* One result more; the oldest goes when it is full. */
void window_add(struct window *window, uint32_t rtt_us);

void window_measure(const struct window *window, struct window_measures *out);

/* Is more than this part of the results lost? Exact: 3 of 10 are not more than 30 %. */
static inline bool window_loses_more(const struct window_measures *measures, uint32_t percent)
{
	return (uint64_t)measures->lost * 100 > (uint64_t)measures->count * percent;
}

#endif
