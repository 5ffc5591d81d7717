#include "control/load.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

/* Of the weight: what would change less waits, unless it is the last step to one of the ends. A
 * new level is a new steering image, and moves the clients of a few slots; with a fiftieth noise
 * alone makes three times as many. */
#define LEAST_CHANGE (LOAD_LEVEL_ALL / 20)

const char *const load_cause_name[] = { "unknown", "low", "between", "high", "fading" };

void load_free(struct load_node *node)
{
	free(node->signals);
	*node = LOAD_NODE;
}

void load_copy(struct load_node *to, const struct load_node *from)
{
	*to = *from;
	to->cap = from->count;
	to->signals = mem_array(from->count, sizeof(*to->signals));
	if (from->count > 0)
		memcpy(to->signals, from->signals, from->count * sizeof(*to->signals));
}

static uint64_t since_ms(uint64_t then_ms, uint64_t now_ms)
{
	return now_ms > then_ms ? now_ms - then_ms : 0;
}

uint64_t load_age_ms(const struct load_signal *signal, uint64_t now_ms)
{
	return since_ms(signal->at_ms, now_ms);
}

double load_part(const struct plan_load *settings, double use)
{
	double low = settings->low_percent / 100.0;
	double high = settings->high_percent / 100.0;
	double floor = settings->floor_percent / 100.0;

	if (use <= low)
		return 1.0;
	if (use >= high)
		return floor;
	return 1.0 - (1.0 - floor) * (use - low) / (high - low);
}

double load_say(const struct plan_load *settings, uint64_t age_ms)
{
	if (age_ms <= settings->stale_ms)
		return 1.0;
	if (age_ms >= 2 * (uint64_t)settings->stale_ms)
		return 0.0;
	return 2.0 - (double)age_ms / settings->stale_ms;
}

/* --- signals ---------------------------------------------------------------------------------- */

static struct load_signal *find(struct load_node *node, const char *name)
{
	for (size_t i = 0; i < node->count; i++) {
		if (strncmp(node->signals[i].name, name, LOAD_NAME_SIZE - 1) == 0)
			return &node->signals[i];
	}
	return NULL;
}

/* Exponential smoothing of samples that come at any times: what was has e^-1 of its share left
 * after the time constant. */
static double smooth(const struct load_signal *signal, const struct plan_load *settings, double use,
		     uint64_t now_ms)
{
	uint64_t age_ms = load_age_ms(signal, now_ms);

	if (settings->smoothing_ms == 0 || load_say(settings, age_ms) <= 0)
		return use;
	return use + (signal->smoothed - use) * exp(-(double)age_ms / settings->smoothing_ms);
}

void load_report(struct load_node *node, const struct plan_load *settings, const char *name,
		 double use, uint64_t now_ms)
{
	struct load_signal *signal;

	if (!(use >= 0))
		return;
	use = use > LOAD_USE_MAX ? LOAD_USE_MAX : use;
	signal = find(node, name);
	if (signal == NULL) {
		signal = &array_add(node->signals, node->count, node->cap);
		*signal = (struct load_signal){ .smoothed = use, .is_new = true };
		(void)snprintf(signal->name, sizeof(signal->name), "%s", name);
	} else {
		signal->smoothed = smooth(signal, settings, use, now_ms);
	}
	signal->use = use;
	signal->at_ms = now_ms;
}

void load_forget(struct load_node *node, size_t signal)
{
	node->signals[signal] = node->signals[--node->count];
	node->cause = LOAD_UNKNOWN;
	node->highest = 0;
}

/* --- the level -------------------------------------------------------------------------------- */

/* What the signals ask for: the least part of the weight. */
static void aim(struct load_node *node, const struct plan_load *settings, uint64_t now_ms)
{
	double least = 2.0;

	node->cause = LOAD_UNKNOWN;
	node->target = LOAD_LEVEL_ALL;
	for (size_t i = 0; i < node->count; i++) {
		const struct load_signal *signal = &node->signals[i];
		double say = load_say(settings, load_age_ms(signal, now_ms));
		double part = 1.0 - say * (1.0 - load_part(settings, signal->smoothed));

		/* All of those below the low mark ask for the same: the highest of them is told. */
		if (say <= 0 || part > least ||
		    (part >= least && signal->smoothed <= node->signals[node->highest].smoothed))
			continue;
		least = part;
		node->highest = i;
		node->target = (uint16_t)lround(part * LOAD_LEVEL_ALL);
		node->cause = say < 1                                           ? LOAD_FADING
			      : signal->smoothed * 100 <= settings->low_percent ? LOAD_LOW
			      : signal->smoothed * 100 < settings->high_percent ? LOAD_BETWEEN
										: LOAD_HIGH;
	}
}

bool load_moves(const struct load_node *node, const struct plan_load *settings)
{
	uint32_t floor = (uint32_t)lround(settings->floor_percent / 100.0 * LOAD_LEVEL_ALL);
	uint32_t way = node->level > node->target ? node->level - node->target
						  : node->target - node->level;

	return way >= LEAST_CHANGE ||
	       (way > 0 && (node->target == LOAD_LEVEL_ALL || node->target == floor));
}

uint64_t load_wait_ms(const struct load_node *node, const struct plan_load *settings,
		      uint64_t now_ms)
{
	uint64_t gone_ms = since_ms(node->changed_ms, now_ms);

	return node->has_changed && gone_ms < settings->dwell_ms ? settings->dwell_ms - gone_ms : 0;
}

static bool move(struct load_node *node, uint32_t step, uint64_t now_ms)
{
	uint32_t from = node->level;
	uint32_t to = node->target;

	if (to > from + step)
		to = from + step;
	else if (from > to + step)
		to = from - step;
	node->level = (uint16_t)to;
	node->changed_ms = now_ms;
	node->has_changed = true;
	return to != from;
}

/* Does a signal decide that is new? By the next update none is. */
static bool take_new(struct load_node *node)
{
	bool decides = node->cause != LOAD_UNKNOWN && node->signals[node->highest].is_new;

	for (size_t i = 0; i < node->count; i++)
		node->signals[i].is_new = false;
	return decides;
}

bool load_update(struct load_node *node, const struct plan_load *settings, uint64_t now_ms)
{
	aim(node, settings, now_ms);
	if (take_new(node) && node->target < node->level)
		return move(node, LOAD_LEVEL_ALL, now_ms);
	if (!load_moves(node, settings) || load_wait_ms(node, settings, now_ms) > 0)
		return false;
	return move(node, settings->step_percent * LOAD_LEVEL_ALL / 100, now_ms);
}
