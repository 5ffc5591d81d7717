#include "image/hook_event.h"

#include <stddef.h>

const char *const hook_event_name[HOOK_EVENTS + 1] = {
	[HOOK_UNKNOWN] = "unknown",   [HOOK_UP] = "up",
	[HOOK_RAMPING] = "ramping",   [HOOK_DEGRADED] = "degraded",
	[HOOK_DRAINING] = "draining", [HOOK_DOWN] = "down",
	[HOOK_FORCED] = "forced",     [HOOK_DISABLED] = "disabled",
	[HOOK_ALARM] = "alarm",       [HOOK_ALARM_END] = "alarm-end",
	[HOOK_FALLBACK] = "fallback", [HOOK_FALLBACK_END] = "fallback-end",
	[HOOK_EVENTS] = NULL,
};
