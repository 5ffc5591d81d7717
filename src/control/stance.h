/* stance.h - what everybody's word on a node comes to: operators' orders, windows of the pool file,
 * its agents' wishes, its probes' verdict.
 *
 * An operator's own order wins over what agents ask for; of a window and an agent the more
 * restrictive one holds. Pure. */
#ifndef CONTROL_STANCE_H
#define CONTROL_STANCE_H

#include "control/admin.h"
#include "probe/prober.h"
#include "steer/steer.h"

struct stance {
	enum admin_state state;
	bool wished;            /* its agents ask for that state, and nobody else did */
	bool forced;            /* an order has it up, or down */
	bool down;              /* by its probes, or by force */
	uint64_t since_unix_ms; /* of that, or of its being up */
	uint8_t families;       /* enum steer_family: that may be answered while it is not down */
	uint64_t percent; /* of the weight that is ordered or configured: what its agents get */
	/* What that makes of it. */
	uint32_t weight;
	uint16_t level; /* of that weight; STEER_ALL: all */
};

struct stance stance_of(const struct admin *admin, const struct orders *orders,
			const struct node_state *state);

/* One word for how a node is, for people. */
enum condition {
	CONDITION_UNKNOWN,
	CONDITION_UP,
	CONDITION_RAMPING,  /* up again, and not with all of its weight yet */
	CONDITION_DEGRADED, /* up, but a family or a probe is down, or calls for attention */
	CONDITION_DRAINING,
	CONDITION_DOWN,
	CONDITION_FORCED,
	CONDITION_DISABLED
};

/* "unknown", "up", "ramping", "degraded", "draining", "down", "forced", "disabled" */
extern const char *const condition_name[];

enum condition condition_of(const struct stance *stance, const struct node_state *state,
			    bool ramping);

/* "enabled", "draining", "forced-up", "forced-down", "disabled" */
const char *stance_state_name(const struct stance *stance);

#endif
