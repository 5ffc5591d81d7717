#include "probe/schedule.h"

#include "base/hash.h"

#define US_PER_MS 1000

uint64_t schedule_first_us(uint32_t index, uint32_t count, uint32_t interval_ms)
{
	uint64_t span_ms = count > 1000 ? count : 1000; /* one check a millisecond */

	if (span_ms > interval_ms)
		span_ms = interval_ms;
	return span_ms * US_PER_MS * index / count;
}

uint64_t schedule_next_us(uint64_t due_us, uint32_t interval_ms, uint32_t jitter_percent,
			  uint64_t random)
{
	uint32_t jitter_ms = (uint32_t)((uint64_t)interval_ms * jitter_percent / 100);

	return due_us + (uint64_t)(interval_ms - hash_below(random, jitter_ms + 1)) * US_PER_MS;
}

uint64_t schedule_start_us(uint64_t due_us, uint64_t now_us, uint32_t interval_ms)
{
	uint64_t interval_us = (uint64_t)interval_ms * US_PER_MS;
	uint64_t tolerance_us = interval_us / 8;

	if (tolerance_us < 100 * US_PER_MS)
		tolerance_us = 100 * US_PER_MS;
	if (now_us <= due_us + tolerance_us)
		return due_us;
	return due_us + ((now_us - due_us) / interval_us + 1) * interval_us;
}

#define PACE_US       20000
#define PACE_AHEAD_US (9 * PACE_US)

uint64_t schedule_pace_us(uint64_t *paced_us, uint64_t now_us)
{
	uint64_t arrival_us = *paced_us > now_us ? *paced_us : now_us;

	*paced_us = arrival_us + PACE_US;
	return arrival_us - now_us <= PACE_AHEAD_US ? now_us : arrival_us - PACE_AHEAD_US;
}

bool schedule_pace_is_over(uint64_t start_us, uint64_t now_us)
{
	return now_us > start_us + PACE_AHEAD_US;
}
