/* What a node's weight follows. */
#include "control/report.h"
#include "control/status_parts.h"

static double part(uint16_t level)
{
	return (double)level / LOAD_LEVEL_ALL;
}

static json_t *signal_json(const struct load_signal *signal, const struct plan_load *settings,
			   uint64_t now_ms)
{
	uint64_t age_ms = load_age_ms(signal, now_ms);

	return json_pack("{s:o, s:f, s:f, s:I, s:f}", "name", report_text(signal->name), "use",
			 signal->use, "smoothed", signal->smoothed, "age_ms", (json_int_t)age_ms,
			 "say", load_say(settings, age_ms));
}

json_t *status_follows(const struct status_input *input, uint32_t number)
{
	const struct plan_load *settings = inputs_load_settings(input->inputs, number);
	const struct load_node *node = &input->inputs->follows[number];
	bool moves = load_moves(node, settings);
	json_t *signals;

	if (!settings->on)
		return json_null();
	signals = json_array();
	for (size_t i = 0; i < node->count; i++)
		json_array_append_new(signals,
				      signal_json(&node->signals[i], settings, input->now_mono_ms));
	return json_pack(
		"{s:s, s:o, s:f, s:f, s:b, s:I, s:o}", "cause", load_cause_name[node->cause],
		"signal",
		node->cause == LOAD_UNKNOWN ? json_null()
					    : report_text(node->signals[node->highest].name),
		"part", part(node->level), "target", part(node->target), "moves", moves, "wait_ms",
		moves ? (json_int_t)load_wait_ms(node, settings, input->now_mono_ms) : 0, "signals",
		signals);
}

json_t *status_factors(const struct status_input *input, uint32_t number)
{
	const struct inputs *inputs = input->inputs;
	const struct admin *admin = &inputs->admin[number];
	const struct steer_node *node = &inputs->nodes[number];

	return json_pack("{s:I, s:b, s:f, s:f, s:f, s:f}", "weight", (json_int_t)admin->weight,
			 "ordered", admin->weight_order != ADMIN_NONE, "agent",
			 (double)inputs->stances[number].percent / 100, "load",
			 part(inputs->follows[number].level), "ramp",
			 part(inputs->ramp_levels[number]), "effective",
			 node->weight * part(node->level));
}
