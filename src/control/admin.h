/* admin.h - the admin state and weight of every node at one time, from operators' orders and the
 * maintenance windows of pool files. The most restrictive state that holds decides. Pure. */
#ifndef CONTROL_ADMIN_H
#define CONTROL_ADMIN_H

#include "control/orders.h"

/* FORCED_DOWN: as if its probes said so, so that a fallback may answer it. */
enum admin_state { ADMIN_ENABLED, ADMIN_DRAINING, ADMIN_FORCED_DOWN, ADMIN_DISABLED };

/* "enabled", "draining", "forced-down", "disabled" */
extern const char *const admin_state_name[];

struct admin {
	enum admin_state state;
	uint32_t order, window; /* what decided: number in the orders, in the plan; ADMIN_NONE */
	uint32_t forced_up;     /* the order that has it up whatever probes say; ADMIN_NONE */
	uint32_t weight;        /* ordered, or else as configured */
	uint32_t weight_order;  /* ADMIN_NONE: as configured */
	uint64_t until_unix_ms; /* of what decided; 0: no end */
	/* As far as is known now. */
	uint64_t next_unix_ms; /* when the state, or forced_up, becomes another; 0: they stay */
	enum admin_state next_state;
	bool next_forced_up;
};

#define ADMIN_NONE UINT32_MAX

/* The time around now in which nothing begins or ends. */
struct admin_span {
	uint64_t from_unix_ms, until_unix_ms; /* 0: ever; UINT64_MAX: for ever */
};

static inline bool admin_span_has(const struct admin_span *span, uint64_t now_ms)
{
	return span->from_unix_ms <= now_ms && now_ms < span->until_unix_ms;
}

/* Fills nodes[] of the plan. */
struct admin_span admin_judge(const struct orders *orders, const struct image *plan,
			      uint64_t now_ms, struct admin *nodes);

/* For how long an answer may hold, if something in it changes at that time: till then, and lowered by
 * halves, so that a change that is far away makes a few images and not one a second. For who looks
 * once a second. 0: as long as it would anyway; else at least 1. */
uint32_t admin_ttl_s(uint64_t change_unix_ms, uint64_t now_ms);

static inline bool window_has(const struct plan_window *window, const struct plan_node *node,
			      uint32_t number)
{
	if (window->node != PLAN_NONE)
		return window->node == number;
	return window->pool_site != PLAN_NONE ? window->pool_site == node->pool_site
					      : window->pool == node->pool;
}

#endif
