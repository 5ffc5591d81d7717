/* What nodes tell of their load: reports and readings, and the levels that follow. */
#include <stdlib.h>
#include <string.h>

#include "control/inputs_parts.h"
#include "control/names.h"

const struct plan_load *inputs_load_settings(const struct inputs *inputs, uint32_t node)
{
	uint32_t pool = plan_items(inputs->plan, nodes, struct plan_node)[node].pool;

	return &plan_items(inputs->plan, pools, struct plan_pool)[pool].load;
}

const char *inputs_load_signal(const struct image *plan, const struct plan_probe *probe)
{
	return plan_text(plan, probe->signal != 0 ? probe->signal : probe->name);
}

/* A report from the future is one from before the clock was set back. */
uint64_t inputs_load_age_ms(const struct node_load *load, uint64_t now_unix_ms)
{
	return now_unix_ms > load->at_unix_ms ? now_unix_ms - load->at_unix_ms
					      : load->at_unix_ms - now_unix_ms;
}

void inputs_step_clock(struct inputs *inputs, int64_t step_ms)
{
	for (uint32_t n = 0; n < plan_count(inputs->plan, nodes); n++)
		node_load_step_clock(&inputs->loads[n], step_ms);
}

bool inputs_load_counts(const struct inputs *inputs, uint32_t node, uint64_t now_unix_ms)
{
	const struct plan_node *n = &plan_items(inputs->plan, nodes, struct plan_node)[node];
	const struct node_load *load = &inputs->loads[node];

	return load->at_unix_ms != 0 &&
	       inputs_load_age_ms(load, now_unix_ms) <=
		       plan_items(inputs->plan, pools, struct plan_pool)[n->pool].load_age_ms;
}

void inputs_reading(struct inputs *inputs, uint32_t node, const char *signal, double use,
		    uint64_t now_mono_ms)
{
	const struct plan_load *settings = inputs_load_settings(inputs, node);

	if (settings->on)
		load_report(&inputs->follows[node], settings, signal, use, now_mono_ms);
}

void inputs_probed(struct inputs *inputs, uint32_t node, bool lost, uint32_t rtt_us,
		   uint64_t now_mono_ms)
{
	const struct plan_load *settings = inputs_load_settings(inputs, node);
	struct window *window = &inputs->windows[node];
	struct window_measures measures;

	if (!settings->on || (settings->loss_percent == 0 && settings->rtt_ms == 0))
		return;
	if (window->size == 0)
		window_open(window, INPUTS_WINDOW);
	window_add(window, lost ? WINDOW_LOST : rtt_us);
	window_measure(window, &measures);
	if (measures.count < INPUTS_WINDOW_LEAST)
		return;
	if (settings->loss_percent != 0)
		inputs_reading(inputs, node, SIGNAL_LOSS,
			       100.0 * measures.lost / measures.count / settings->loss_percent,
			       now_mono_ms);
	if (settings->rtt_ms != 0 && measures.lost < measures.count)
		inputs_reading(inputs, node, SIGNAL_RTT,
			       measures.mean_us / 1000.0 / settings->rtt_ms, now_mono_ms);
}

void inputs_report(struct inputs *inputs, uint32_t node, const struct node_load *load,
		   uint64_t now_mono_ms)
{
	inputs->loads[node] = *load;
	inputs_reading(inputs, node, SIGNAL_PUSH, load->load, now_mono_ms);
}

/* --- over restarts and plans ------------------------------------------------------------------- */

/* What was reported to the process before this one. */
static void recall(struct inputs *inputs, uint32_t node, uint64_t now_unix_ms, uint64_t now_mono_ms)
{
	const struct node_load *load = &inputs->loads[node];
	uint64_t age_ms = inputs_load_age_ms(load, now_unix_ms);

	if (load->at_unix_ms != 0 && inputs->follows[node].count == 0 && age_ms < now_mono_ms)
		inputs_reading(inputs, node, SIGNAL_PUSH, load->load, now_mono_ms - age_ms);
}

struct named {
	const char *pool, *name;
	uint32_t node;
};

static int compare_names(const void *a, const void *b)
{
	const struct named *x = a;
	const struct named *y = b;
	int order = strcmp(x->pool, y->pool);

	return order != 0 ? order : strcmp(x->name, y->name);
}

static struct named *list_names(const struct image *plan)
{
	const struct plan_node *nodes = plan_items(plan, nodes, struct plan_node);
	uint32_t count = plan_count(plan, nodes);
	struct named *names = mem_array(count + 1U, sizeof(*names));

	for (uint32_t n = 0; n < count; n++)
		names[n] = (struct named){ plan_pool_name(plan, nodes[n].pool),
					   plan_text(plan, nodes[n].name), n };
	qsort(names, count, sizeof(*names), compare_names);
	return names;
}

/* Does a report, a measure or a probe of the node have this name? */
static bool is_told(const struct inputs *inputs, uint32_t node, const char *signal)
{
	const struct plan_load *settings = inputs_load_settings(inputs, node);
	const struct plan_range *uses =
		&plan_items(inputs->plan, nodes, struct plan_node)[node].checks;
	const struct plan_check *checks = plan_items(inputs->plan, checks, struct plan_check);
	const struct plan_probe *probes = plan_items(inputs->plan, probes, struct plan_probe);

	if (strcmp(signal, SIGNAL_PUSH) == 0 ||
	    (strcmp(signal, SIGNAL_LOSS) == 0 && settings->loss_percent != 0) ||
	    (strcmp(signal, SIGNAL_RTT) == 0 && settings->rtt_ms != 0))
		return true;
	for (uint32_t i = uses->first; i < uses->first + uses->count; i++) {
		const struct plan_probe *probe = &probes[checks[i].probe];

		if (strncmp(signal, inputs_load_signal(inputs->plan, probe), LOAD_NAME_SIZE - 1) ==
		    0)
			return true;
	}
	return false;
}

/* A source that is not there any more has nothing more to say. */
static void carry_load(struct inputs *inputs, uint32_t node, const struct load_node *before)
{
	struct load_node *load = &inputs->follows[node];

	load_copy(load, before);
	for (size_t i = load->count; i-- > 0;) {
		if (!is_told(inputs, node, load->signals[i].name))
			load_forget(load, i);
	}
}

void inputs_load_carry(struct inputs *inputs, const struct inputs *before)
{
	struct named *now = list_names(inputs->plan), *former = list_names(before->plan);
	uint32_t count = plan_count(inputs->plan, nodes), at = 0;

	for (uint32_t n = 0; n < count; n++) {
		while (at < plan_count(before->plan, nodes) &&
		       compare_names(&former[at], &now[n]) < 0)
			at++;
		if (at == plan_count(before->plan, nodes))
			break;
		if (compare_names(&former[at], &now[n]) == 0 &&
		    inputs_load_settings(inputs, now[n].node)->on)
			carry_load(inputs, now[n].node, &before->follows[former[at].node]);
	}
	free(now);
	free(former);
}

/* --- what holds now ---------------------------------------------------------------------------- */

void inputs_load_update(struct inputs *inputs, uint64_t now_unix_ms, uint64_t now_mono_ms)
{
	for (uint32_t n = 0; n < plan_count(inputs->plan, nodes); n++) {
		const struct plan_load *settings = inputs_load_settings(inputs, n);

		if (!inputs->recalled)
			recall(inputs, n, now_unix_ms, now_mono_ms);
		if (settings->on)
			(void)load_update(&inputs->follows[n], settings, now_mono_ms);
	}
	inputs->recalled = true;
}
