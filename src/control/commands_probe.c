/* The command that makes a node's probes once, and what it tells: each step of each of them. */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "control/commands_parts.h"
#include "control/names.h"
#include "control/report.h"
#include "probe/once.h"

static const char *const outcome_name[] = { "success", "warning", "failure", "not made" };
static const char *const wish_name[] = { "none", "ready", "drain", "maint" };

static json_t *steps_json(const struct evidence *evidence)
{
	json_t *steps = json_array();

	for (size_t i = 0; i < evidence->count; i++) {
		const struct evidence_step *from = &evidence->steps[i];
		json_t *step = json_pack("{s:I, s:o}", "at_us", (json_int_t)from->at_us, "text",
					 report_text(from->text));

		if (from->octets != NULL)
			json_object_set_new(step, "octets", json_string(from->octets));
		json_array_append_new(steps, step);
	}
	return steps;
}

/* The regular check, and how far it is from another verdict. */
static json_t *check_json(const struct check *check)
{
	uint32_t left = (uint32_t)abs(check->verdict);
	uint32_t of = check->verdict > 0 ? check->key.fall : check->rise;

	return json_pack("{s:s, s:I, s:I, s:I, s:I, s:o}", "verdict",
			 check->verdict > 0   ? "up"
			 : check->verdict < 0 ? "down"
					      : "none yet",
			 "counted", (json_int_t)(check->verdict != 0 && of > left ? of - left : 0),
			 "fall", (json_int_t)check->key.fall, "rise", (json_int_t)check->rise,
			 "checked_ms", (json_int_t)check->checked_unix_ms, "why",
			 report_text(check->why));
}

static json_t *item_json(const struct once_item *item)
{
	const struct probe_result *result = &item->result;
	json_t *told = json_pack(
		"{s:o, s:s, s:s, s:s, s:b, s:b, s:s, s:o, s:I, s:I, s:o, s:I}", "name",
		report_text(item->name), "kind", item->kind, "where", item->where, "judges",
		item->judges == IP_V4   ? "ipv4"
		: item->judges == IP_V6 ? "ipv6"
					: "all",
		"health", (item->roles & PROBE_HEALTH) != 0, "load",
		(item->roles & PROBE_LOAD) != 0, "outcome", outcome_name[result->outcome], "why",
		report_text(item->why), "took_us", (json_int_t)item->took_us, "rtt_us",
		(json_int_t)result->rtt_us, "steps", steps_json(&item->evidence), "left_out",
		(json_int_t)item->evidence.left_out);

	if (result->has_use)
		json_object_set_new(told, "use", json_real(result->use));
	if (result->has_weight)
		json_object_set_new(told, "weight_percent", json_integer(result->weight_percent));
	if (result->wish != WISH_NONE)
		json_object_set_new(told, "wish", json_string(wish_name[result->wish]));
	json_object_set_new(told, "check",
			    item->regular != NULL ? check_json(item->regular) : json_null());
	return told;
}

static json_t *families_json(uint8_t families)
{
	json_t *list = json_array();

	if ((families & FAMILY_V4) != 0)
		json_array_append_new(list, json_string("ipv4"));
	if ((families & FAMILY_V6) != 0)
		json_array_append_new(list, json_string("ipv6"));
	return list;
}

static json_t *state_json(const struct running *running, uint32_t number)
{
	const struct image *plan = &running_images(running)->image[IMAGE_PLAN];
	const struct plan_node *node = &plan_items(plan, nodes, struct plan_node)[number];
	const struct plan_pool *pool = &plan_items(plan, pools, struct plan_pool)[node->pool];
	const struct node_state *state = running_node(running, number);

	return json_pack(
		"{s:s, s:b, s:o, s:I, s:o, s:I, s:I}", "status", node_status_name[state->status],
		"degraded", state->degraded, "down_families", families_json(state->down_families),
		"since_ms", (json_int_t)state->since_unix_ms, "reason", report_text(state->reason),
		"require", (json_int_t)pool->require, "flap_rise", (json_int_t)state->flap_rise);
}

/* A call that waits for its probes. */
struct probing {
	const struct running *running;
	struct call *call;
};

static void probed(void *context, const struct once *once)
{
	struct probing *probing = context;
	json_t *reply, *items = json_array();

	if (once->cut_off) { /* so is who asks */
		json_decref(items);
		free(probing);
		return;
	}
	for (uint32_t i = 0; i < once->count; i++)
		json_array_append_new(items, item_json(&once->items[i]));
	reply = json_pack("{s:b, s:I, s:s, s:s, s:o, s:o}", "ok", true, "now_ms",
			  (json_int_t)clock_unix_ms(), "pool", once->pool, "node", once->node,
			  "probes", items, "state",
			  once->number == PLAN_NONE ? json_null()
						    : state_json(probing->running, once->number));
	call_answer(probing->call, reply, NULL, 0);
	json_decref(reply);
	free(probing);
}

static int find_node(const struct image *plan, const char *written, uint32_t *node, struct err *err)
{
	struct object object;

	if (written == NULL)
		return err_set(err, "probe wants the name of a node");
	if (object_find(written, plan, NULL, 0, &object, err) != 0)
		return -1;
	if (object.kind != OBJECT_NODE)
		return err_set(err, "only nodes are probed, and %s is none", written);
	for (*node = 0; *node < plan_count(plan, nodes); (*node)++) {
		if (object_has(&object, plan, *node))
			return 0;
	}
	return err_set(err, "%s is not in the files", written);
}

void command_probe(struct commands *commands, struct call *call, const json_t *request)
{
	const struct images *images = running_images(commands->running);
	struct probing *probing;
	struct err err;
	uint32_t node = PLAN_NONE;

	if (images == NULL) {
		call_refuse(call, NOTHING_IN_USE);
		return;
	}
	if (find_node(&images->image[IMAGE_PLAN],
		      json_string_value(json_object_get(request, "object")), &node, &err) != 0) {
		call_refuse(call, err.text);
		return;
	}
	probing = mem_alloc(sizeof(*probing));
	*probing = (struct probing){ commands->running, call };
	if (running_probe(commands->running, node,
			  json_string_value(json_object_get(request, "probe")),
			  json_string_value(json_object_get(request, "kind")), probed, probing,
			  &err) != 0) {
		free(probing);
		call_refuse(call, err.text);
	}
}
