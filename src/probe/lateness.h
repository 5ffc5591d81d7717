/* lateness.h - how late probes start after their time came, in the last half to one minute.
 *
 * Counts by lateness, four to an octave of microseconds, of this half minute and of the one before:
 * a fixed size, nothing to allocate. The time is the caller's; zero-initialise. */
#ifndef PROBE_LATENESS_H
#define PROBE_LATENESS_H

#include <stdint.h>

#define LATE_BUCKETS       128
#define LATENESS_PERIOD_US 30000000U

struct lateness_period {
	uint64_t max_us;
	uint32_t starts[LATE_BUCKETS];
};

struct lateness {
	uint64_t began_us; /* of `now` */
	struct lateness_period now, before;
};

/* Percentiles are bounds, too large by at most a quarter. */
struct lateness_told {
	uint64_t starts; /* of probes */
	uint64_t p50_us, p99_us, max_us;
};

unsigned lateness_bucket(uint64_t late_us);
uint64_t lateness_bound_us(unsigned bucket); /* the least lateness beyond a bucket's */

void lateness_add(struct lateness *lateness, uint64_t now_us, uint64_t late_us);
struct lateness_told lateness_tell(const struct lateness *lateness, uint64_t now_us);

#endif
