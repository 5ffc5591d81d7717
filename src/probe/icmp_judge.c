#include "probe/icmp_judge.h"

#include <stdio.h>

bool icmp_has_limits(const struct icmp_settings *settings)
{
	return settings->loss_max_percent != 0 || settings->loss_warn_percent != 0 ||
	       settings->rtt_max_ms != 0 || settings->rtt_warn_ms != 0;
}

static double milliseconds(uint32_t us)
{
	return (double)us / 1000;
}

static bool loses_more(const struct window_measures *measures, uint32_t limit_percent,
		       char why[PROBE_WHY_SIZE])
{
	if (limit_percent == 0 || !window_loses_more(measures, limit_percent))
		return false;
	(void)snprintf(why, PROBE_WHY_SIZE, "%u of %u echoes lost, more than %u%%", measures->lost,
		       measures->count, limit_percent);
	return true;
}

static bool takes_longer(const struct window_measures *measures, uint32_t limit_ms,
			 char why[PROBE_WHY_SIZE])
{
	if (limit_ms == 0 || measures->mean_us <= (uint64_t)limit_ms * 1000)
		return false;
	(void)snprintf(why, PROBE_WHY_SIZE, "mean of %u echoes %.1f ms, more than %u ms",
		       measures->count - measures->lost, milliseconds(measures->mean_us), limit_ms);
	return true;
}

enum probe_outcome icmp_judge(const struct icmp_settings *settings,
			      const struct window_measures *measures, const char *lost,
			      char why[PROBE_WHY_SIZE])
{
	if (lost != NULL && settings->loss_max_percent == 0) {
		(void)snprintf(why, PROBE_WHY_SIZE, "%s", lost);
		return PROBE_FAILURE;
	}
	if (loses_more(measures, settings->loss_max_percent, why) ||
	    takes_longer(measures, settings->rtt_max_ms, why))
		return PROBE_FAILURE;
	if (loses_more(measures, settings->loss_warn_percent, why) ||
	    takes_longer(measures, settings->rtt_warn_ms, why))
		return PROBE_WARNING;
	(void)snprintf(why, PROBE_WHY_SIZE, "%u of %u echoes lost, mean %.1f ms", measures->lost,
		       measures->count, milliseconds(measures->mean_us));
	return PROBE_SUCCESS;
}
