#include "probe/lateness.h"

#include <string.h>

unsigned lateness_bucket(uint64_t us)
{
	unsigned octave, bucket;

	if (us < 4)
		return (unsigned)us;
	octave = 63 - (unsigned)__builtin_clzll(us);
	bucket = 4 * (octave - 1) + (unsigned)(us >> (octave - 2) & 3);
	return bucket < LATE_BUCKETS ? bucket : LATE_BUCKETS - 1;
}

uint64_t lateness_bound_us(unsigned bucket)
{
	unsigned next = bucket + 1;

	return next < 4 ? next : (uint64_t)(4 + next % 4) << (next / 4 - 1);
}

/* How many periods have ended since the running one began. */
static uint64_t ended(const struct lateness *lateness, uint64_t now_us)
{
	return now_us > lateness->began_us ? (now_us - lateness->began_us) / LATENESS_PERIOD_US : 0;
}

void lateness_add(struct lateness *lateness, uint64_t now_us, uint64_t late_us)
{
	uint64_t periods = ended(lateness, now_us);

	if (periods > 0) {
		lateness->before = lateness->now;
		if (periods > 1)
			memset(&lateness->before, 0, sizeof(lateness->before));
		memset(&lateness->now, 0, sizeof(lateness->now));
		lateness->began_us += periods * LATENESS_PERIOD_US;
	}
	lateness->now.starts[lateness_bucket(late_us)]++;
	if (late_us > lateness->now.max_us)
		lateness->now.max_us = late_us;
}

/* No later than this were `part` percent of them; the latest was max_us late. */
static uint64_t percentile_us(const uint64_t starts[LATE_BUCKETS], uint64_t all, unsigned part,
			      uint64_t max_us)
{
	uint64_t seen = 0;

	for (unsigned i = 0; i < LATE_BUCKETS; i++) {
		seen += starts[i];
		if (seen > 0 && seen * 100 >= part * all)
			return lateness_bound_us(i) < max_us ? lateness_bound_us(i) : max_us;
	}
	return 0;
}

struct lateness_told lateness_tell(const struct lateness *lateness, uint64_t now_us)
{
	uint64_t periods = ended(lateness, now_us);
	const struct lateness_period *parts[] = { periods < 2 ? &lateness->now : NULL,
						  periods < 1 ? &lateness->before : NULL };
	uint64_t starts[LATE_BUCKETS] = { 0 };
	struct lateness_told told = { 0 };

	for (unsigned p = 0; p < 2; p++) {
		if (parts[p] == NULL)
			continue;
		for (unsigned i = 0; i < LATE_BUCKETS; i++) {
			starts[i] += parts[p]->starts[i];
			told.starts += parts[p]->starts[i];
		}
		told.max_us = parts[p]->max_us > told.max_us ? parts[p]->max_us : told.max_us;
	}
	told.p50_us = percentile_us(starts, told.starts, 50, told.max_us);
	told.p99_us = percentile_us(starts, told.starts, 99, told.max_us);
	return told;
}
