/* inputs.h - what steering is told of a plan's nodes and sites, and what led to it: verdicts,
 * operators' orders, maintenance windows, agents' wishes, caps on automatic removal, ramps after a
 * recovery, loads.
 *
 * One lives as long as its plan. Everything is worked out anew from what is known at a time; only
 * where marks make a difference between coming and going (alarms, spilling), and for ramps, does the
 * last time count. Readers look at the fields. Control's loop only. */
#ifndef CONTROL_INPUTS_H
#define CONTROL_INPUTS_H

#include "control/admin.h"
#include "control/cap.h"
#include "control/load.h"
#include "control/memory.h"
#include "control/ramp.h"
#include "control/stance.h"
#include "probe/prober.h"
#include "probe/window.h"
#include "steer/spill.h"
#include "steer/steer.h"

struct inputs {
	const struct image *plan;
	const struct orders *orders;
	struct admin_span span; /* of `admin` */
	/* Of each node. */
	struct admin *admin;
	struct stance *stances;
	struct ramp *ramps;
	uint16_t *ramp_levels;
	struct steer_node *nodes;
	bool *held; /* down, but answered: too many are down */
	bool *last_good;
	struct node_load *loads;   /* as reported last, for spilling */
	struct load_node *follows; /* what weights follow; where its pool says so */
	struct window *windows;    /* its last probes; opened where its pool asks for them */
	/* Of each pool. */
	struct cap *caps;
	/* Of each plan_pool_site. */
	struct spill_site *sites;
	uint16_t *keep;
	bool recalled; /* reports to the process before this one are among the signals */
};

/* The signal that reports are, and those that a node's own probes are. */
#define SIGNAL_PUSH "push"
#define SIGNAL_LOSS "probe-loss"
#define SIGNAL_RTT  "probe-rtt"

/* Results that these are about, at most and at least. */
#define INPUTS_WINDOW       60
#define INPUTS_WINDOW_LEAST 10

/* The status of a node. */
typedef const struct node_state *inputs_state_fn(const void *context, uint32_t node);

/* Plan and orders must outlive it. `before`: the inputs of the plan until now (NULL: there was
 * none), whose alarms and spilling go on where a pool has the same name; else sites spill over as
 * the memory has it. */
struct inputs *inputs_new(const struct image *plan, const struct orders *orders,
			  const struct memory *memory, const struct inputs *before);
void inputs_free(struct inputs *inputs); /* NULL is fine */

/* What holds now. true: steering has to be made anew. */
bool inputs_update(struct inputs *inputs, inputs_state_fn *state, const void *context,
		   uint64_t now_unix_ms, uint64_t now_mono_ms);

/* Is any node on its way up after it was down? */
bool inputs_are_ramping(const struct inputs *inputs);

/* Ramps of nodes that leave clients to nobody (steer_find_yielding) end, from the next update on. */
void inputs_end_ramps(struct inputs *inputs, const bool *yields);

/* Orders have changed: the next update looks at them. */
void inputs_orders_changed(struct inputs *inputs);

/* A node has told its load. */
void inputs_report(struct inputs *inputs, uint32_t node, const struct node_load *load,
		   uint64_t now_mono_ms);

/* A probe of health was made of a node that is not down: it was lost, or took that long. */
void inputs_probed(struct inputs *inputs, uint32_t node, bool lost, uint32_t rtt_us,
		   uint64_t now_mono_ms);

/* A source has told a node's use. */
void inputs_reading(struct inputs *inputs, uint32_t node, const char *signal, double use,
		    uint64_t now_mono_ms);

/* What the readings of a probe are called. */
const char *inputs_load_signal(const struct image *plan, const struct plan_probe *probe);

/* How the weight of a node follows its load. */
const struct plan_load *inputs_load_settings(const struct inputs *inputs, uint32_t node);

/* The wall clock was stepped by so much: reports are as old as they were. */
void inputs_step_clock(struct inputs *inputs, int64_t step_ms);

/* Does the node's report of its load count at that time? */
bool inputs_load_counts(const struct inputs *inputs, uint32_t node, uint64_t now_unix_ms);

/* For steer_compile; valid until the next update. */
struct steer_input inputs_steer(const struct inputs *inputs, uint64_t now_unix_ms);

#endif
