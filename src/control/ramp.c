#include "control/ramp.h"

static uint64_t step_count(uint32_t time_ms)
{
	uint64_t seconds = time_ms / 1000;

	if (seconds == 0)
		return 1;
	return seconds < RAMP_STEPS ? seconds : RAMP_STEPS;
}

static uint16_t level_after(const struct ramp_settings *settings, uint64_t elapsed_ms)
{
	uint64_t steps = step_count(settings->time_ms);
	uint64_t step = elapsed_ms * steps / settings->time_ms;
	uint64_t from = (uint64_t)RAMP_ALL * settings->percent / 100;

	return (uint16_t)(from + (RAMP_ALL - from) * step / steps);
}

uint16_t ramp_look(struct ramp *ramp, const struct ramp_settings *settings, uint64_t recovered_ms,
		   bool is_out, uint64_t now_ms)
{
	if (recovered_ms != ramp->recovered_ms) {
		ramp->recovered_ms = recovered_ms;
		ramp->runs = recovered_ms != 0 && ramp->was_out;
	}
	ramp->was_out = is_out;
	if (is_out || now_ms < recovered_ms || now_ms - recovered_ms >= settings->time_ms)
		ramp->runs = false;
	return ramp->runs ? level_after(settings, now_ms - recovered_ms) : RAMP_ALL;
}
