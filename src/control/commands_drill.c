/* The command for drills: who may begin one, and what it is told. */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "control/commands_parts.h"
#include "control/names.h"

static json_t *reply_json(const struct commands *commands)
{
	return json_pack("{s:b, s:I, s:o}", "ok", true, "now_ms", (json_int_t)clock_unix_ms(),
			 "drill", drill_json(running_drill(commands->running)));
}

static void answer_now(const struct commands *commands, struct call *call)
{
	json_t *reply = reply_json(commands);

	call_answer(call, reply, NULL, 0);
	json_decref(reply);
}

static bool is_answered(const struct inputs *inputs, uint32_t node)
{
	return inputs->nodes[node].state == STEER_UP;
}

/* Would any pool be left without a node that is up, while it has some now? */
static int check_pools(const struct inputs *inputs, const struct object *object, struct err *err)
{
	const struct image *plan = inputs->plan;
	const struct plan_pool *pools = plan_items(plan, pools, struct plan_pool);

	for (uint32_t p = 0; p < plan_count(plan, pools); p++) {
		uint32_t taken = 0, left = 0;

		for (uint32_t n = pools[p].nodes.first;
		     n < pools[p].nodes.first + pools[p].nodes.count; n++) {
			taken += is_answered(inputs, n) && object_has(object, plan, n);
			left += is_answered(inputs, n) && !object_has(object, plan, n);
		}
		if (taken > 0 && left == 0)
			return err_set(err,
				       "these are the last nodes of pool %s that are up: its "
				       "fallback would be answered",
				       plan_pool_name(plan, p));
	}
	return 0;
}

static int check_nodes(const struct image *plan, const struct object *object, struct err *err)
{
	const struct plan_node *nodes = plan_items(plan, nodes, struct plan_node);
	uint32_t probed = 0, found = 0;

	for (uint32_t n = 0; n < plan_count(plan, nodes); n++) {
		found += object_has(object, plan, n);
		probed += object_has(object, plan, n) && nodes[n].checks.count > 0;
	}
	if (found == 0)
		return err_set(err, "it is not in the files, or has no node");
	return probed > 0 ? 0 : err_set(err, "none of its nodes has a probe that could fail");
}

static int check_start(const struct commands *commands, const json_t *request, struct order *order,
		       struct err *err)
{
	const json_t *for_ms = json_object_get(request, "for_ms");
	const struct drill *drill = running_drill(commands->running);
	const struct inputs *inputs = running_inputs(commands->running);
	json_int_t ms = json_integer_value(for_ms);

	if (drill->running)
		return err_set(err, "there is a drill already: %s", drill->order.row.object);
	if (inputs == NULL)
		return err_set(err, "%s", NOTHING_IN_USE);
	if (!json_is_integer(for_ms) || ms < DRILL_MIN_MS || ms > DRILL_MAX_MS)
		return err_set(err, "a drill takes from 10 seconds to 24 hours");
	order->row.from_unix_ms = order->row.at_unix_ms;
	order->row.until_unix_ms = order->row.at_unix_ms + (uint64_t)ms;
	if (check_nodes(inputs->plan, &order->object, err) != 0)
		return -1;
	return json_is_true(json_object_get(request, "force"))
		       ? 0
		       : check_pools(inputs, &order->object, err);
}

static void order_it(struct commands *commands, struct call *call, const struct order *order)
{
	struct order_changes changes;
	struct err err;

	if (running_order(commands->running, order, &changes, &err) != 0) {
		call_refuse(call, err.text);
		return;
	}
	free(changes.ended);
	stored_answer(commands->stored, call, reply_json(commands), changes.ticket);
}

static void start(struct commands *commands, struct call *call, const json_t *request)
{
	struct order order;
	struct err err;

	if (commands_take_order(commands, call, request, ORDER_DRILL, &order, &err) != 0 ||
	    check_start(commands, request, &order, &err) != 0)
		call_refuse(call, err.text);
	else if (json_is_true(json_object_get(request, "only_check")))
		answer_now(commands, call);
	else
		order_it(commands, call, &order);
}

static void stop(struct commands *commands, struct call *call, const json_t *request)
{
	const struct drill *drill = running_drill(commands->running);
	json_t *asked = json_deep_copy(request);
	struct order order;
	struct err err;

	json_object_set_new(asked, "object", json_string(drill->order.row.object));
	if (!drill->running)
		call_refuse(call, "there is no drill");
	else if (commands_take_order(commands, call, asked, ORDER_DRILL_STOP, &order, &err) != 0)
		call_refuse(call, err.text);
	else
		order_it(commands, call, &order);
	json_decref(asked);
}

void command_drill(struct commands *commands, struct call *call, const json_t *request)
{
	const char *action = json_string_value(json_object_get(request, "action"));

	if (action != NULL && strcmp(action, "start") == 0)
		start(commands, call, request);
	else if (action != NULL && strcmp(action, "stop") == 0)
		stop(commands, call, request);
	else if (action != NULL && strcmp(action, "status") == 0)
		answer_now(commands, call);
	else
		call_refuse(call, "an action is one of start, status and stop");
}
