/* measure.h - what the probes of a node measured, summed up until somebody takes it. Pure. */
#ifndef PROBE_MEASURE_H
#define PROBE_MEASURE_H

#include <stdbool.h>
#include <stdint.h>

/* All zero: nothing yet. */
struct measure {
	uint32_t probes, failures;
	uint32_t rtt_max_us;
	uint64_t rtt_sum_us; /* of the others */
};

static inline void measure_add(struct measure *measure, bool failed, uint32_t rtt_us)
{
	measure->probes++;
	if (failed) {
		measure->failures++;
		return;
	}
	measure->rtt_sum_us += rtt_us;
	if (rtt_us > measure->rtt_max_us)
		measure->rtt_max_us = rtt_us;
}

/* 0: none succeeded. Never 0 otherwise: what took less than a microsecond took one. */
static inline uint32_t measure_rtt_us(const struct measure *measure)
{
	uint32_t successes = measure->probes - measure->failures;
	uint64_t mean = successes == 0 ? 0 : measure->rtt_sum_us / successes;

	return successes != 0 && mean == 0 ? 1 : (uint32_t)mean;
}

#endif
