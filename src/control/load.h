/* load.h - which part of its weight a node gets, by how much of it is in use.
 *
 * A node has signals: name and relative use, 1 for all that there may be. Each is smoothed by
 * itself (exponentially, by the time between its reports) and asks for a part of the weight: all of
 * it up to the low mark, the floor from the high mark on, a straight line between. What the highest
 * use asks for is the target. The level goes there in steps of limited size, each a dwell time
 * after the last one, since sessions outlive the answers that began them by hours, and what a
 * change does shows only when resolvers have forgotten and the load was measured anew.
 *
 * A signal that is not heard of loses its say between one and two times `stale_ms` after its last
 * report, and the level goes back to the configured weight.
 *
 * Pure: times are the caller's, monotonic milliseconds. */
#ifndef CONTROL_LOAD_H
#define CONTROL_LOAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "image/plan.h"

#define LOAD_LEVEL_ALL 65535U
#define LOAD_USE_MAX   10.0 /* more counts as so much */
#define LOAD_NAME_SIZE 64

struct load_signal {
	char name[LOAD_NAME_SIZE];
	double use;      /* as reported last */
	double smoothed; /* what counts */
	uint64_t at_ms;  /* of that report */
	bool is_new;     /* it was not there at the last update */
};

/* Why the target is what it is. */
enum load_cause {
	LOAD_UNKNOWN, /* nothing is known, or what was is too old: the configured weight */
	LOAD_LOW,     /* the highest use is not above the low mark */
	LOAD_BETWEEN, /* the marks */
	LOAD_HIGH,    /* at the high mark, or above */
	LOAD_FADING,  /* the signal that decides has not been heard of for long */
};

extern const char *const load_cause_name[]; /* "unknown", "low", "between", "high", "fading" */

/* Begins as LOAD_NODE. */
struct load_node {
	struct load_signal *signals;
	size_t count, cap;

	/* Results of load_update. */
	uint16_t level;  /* of LOAD_LEVEL_ALL */
	uint16_t target; /* where it is going */
	enum load_cause cause;
	size_t highest; /* the signal that decides, where there is a cause */
	uint64_t changed_ms;
	bool has_changed; /* ever */
};

#define LOAD_NODE                                                 \
	(struct load_node)                                        \
	{                                                         \
		.level = LOAD_LEVEL_ALL, .target = LOAD_LEVEL_ALL \
	}

void load_free(struct load_node *node);
/* `to` is one that has no signals yet. */
void load_copy(struct load_node *to, const struct load_node *from);

/* A signal tells its use at this time. What is no number or below 0 is not heard. */
void load_report(struct load_node *node, const struct plan_load *settings, const char *signal,
		 double use, uint64_t now_ms);

/* There is no such signal any more. */
void load_forget(struct load_node *node, size_t signal);

/* What holds now. What a signal asks for that is new holds at once, for there is nothing to go on
 * from: else a node that is full, and that a new process hears of by its memory first, would have all
 * of its weight and lose it step by step. true: the level has changed. */
bool load_update(struct load_node *node, const struct plan_load *settings, uint64_t now_ms);

/* Is the level on its way to the target? It is not where that is near and neither of the ends. */
bool load_moves(const struct load_node *node, const struct plan_load *settings);

/* Until it may change again; 0: now. */
uint64_t load_wait_ms(const struct load_node *node, const struct plan_load *settings,
		      uint64_t now_ms);

/* Since the signal was told last. */
uint64_t load_age_ms(const struct load_signal *signal, uint64_t now_ms);

/* Which part of the weight this use asks for. */
double load_part(const struct plan_load *settings, double use);

/* How much a signal that old still has to say: 1 to 0. */
double load_say(const struct plan_load *settings, uint64_t age_ms);

#endif
