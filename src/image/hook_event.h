/* hook_event.h - what hooks can be called for: one word each, as operators write it. */
#ifndef IMAGE_HOOK_EVENT_H
#define IMAGE_HOOK_EVENT_H

/* The first ones are what a node can become, the others what a pool can. */
enum hook_event {
	HOOK_UNKNOWN,
	HOOK_UP,
	HOOK_RAMPING,
	HOOK_DEGRADED,
	HOOK_DRAINING,
	HOOK_DOWN,
	HOOK_FORCED,
	HOOK_DISABLED,
	HOOK_NODE_EVENTS,
	HOOK_ALARM = HOOK_NODE_EVENTS, /* more of its nodes are down than may be */
	HOOK_ALARM_END,
	HOOK_FALLBACK, /* none of its nodes is usable */
	HOOK_FALLBACK_END,
	HOOK_EVENTS
};

/* "unknown", "up" ... "fallback-end"; NULL at the end. */
extern const char *const hook_event_name[HOOK_EVENTS + 1];

#endif
