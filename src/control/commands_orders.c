/* Commands with which operators order, and nodes report. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "control/commands_parts.h"
#include "control/names.h"
#include "control/orders_json.h"
#include "control/report.h"
#include "image/steering.h"

#define LOAD_MAX   10.
#define WEIGHT_MAX 65535

const struct image *commands_plan(const struct commands *commands)
{
	const struct images *images = running_images(commands->running);

	return images == NULL ? NULL : &images->image[IMAGE_PLAN];
}

int commands_find(const struct commands *commands, const char *written, struct object *out,
		  struct err *err)
{
	const struct orders *orders = running_orders(commands->running);
	struct object *known = orders_objects(orders);
	int rc = object_find(written, commands_plan(commands), known, orders->count, out, err);

	free(known);
	return rc;
}

/* --- what was asked --------------------------------------------------------------------------- */

static int find(const struct commands *commands, const json_t *request, struct object *out,
		struct err *err)
{
	const char *written = json_string_value(json_object_get(request, "object"));

	if (written == NULL)
		return err_set(err, "an object is missing");
	return commands_find(commands, written, out, err);
}

/* Text that goes into the database and the log, on one line. */
static int take_text(const json_t *request, const char *key, char *out, size_t size,
		     struct err *err)
{
	const json_t *text = json_object_get(request, key);

	if (text == NULL || json_is_null(text))
		return 0;
	if (!json_is_string(text))
		return err_set(err, "%s is no text", key);
	if (json_string_length(text) >= size)
		return err_set(err, "%s is longer than %zu octets", key, size - 1);
	for (const char *c = json_string_value(text); *c != '\0'; c++) {
		if ((unsigned char)*c < ' ' || *c == 0x7f)
			return err_set(err, "%s has a control character", key);
	}
	(void)snprintf(out, size, "%s", json_string_value(text));
	return 0;
}

static int take_time(const json_t *request, const char *key, uint64_t *out, struct err *err)
{
	const json_t *time = json_object_get(request, key);

	if (time == NULL || json_is_null(time))
		return 0;
	if (!json_is_integer(time) || json_integer_value(time) < 0)
		return err_set(err, "%s is no time", key);
	*out = (uint64_t)json_integer_value(time);
	return 0;
}

static int take_times(const json_t *request, struct store_action *row, struct err *err)
{
	if (take_time(request, "from_ms", &row->from_unix_ms, err) != 0 ||
	    take_time(request, "until_ms", &row->until_unix_ms, err) != 0)
		return -1;
	if (row->from_unix_ms < row->at_unix_ms)
		row->from_unix_ms = row->at_unix_ms;
	if (row->until_unix_ms != 0 && row->until_unix_ms <= row->at_unix_ms)
		return err_set(err, "it would end in the past");
	if (row->until_unix_ms != 0 && row->until_unix_ms <= row->from_unix_ms)
		return err_set(err, "it would end before it begins");
	return 0;
}

int commands_take_who(const struct call *call, const json_t *request, struct store_action *row,
		      struct err *err)
{
	row->uid = call_uid(call);
	if (take_text(request, "who", row->who, sizeof(row->who), err) != 0)
		return -1;
	if (row->who[0] == '\0')
		(void)snprintf(row->who, sizeof(row->who), "uid %u", row->uid);
	return 0;
}

int commands_take_order(const struct commands *commands, const struct call *call,
			const json_t *request, enum order_action action, struct order *out,
			struct err *err)
{
	struct store_action *row = &out->row;
	char object[OBJECT_TEXT_SIZE];

	*out = (struct order){ .action = action };
	row->at_unix_ms = clock_unix_ms();
	if (find(commands, request, &out->object, err) != 0 || take_times(request, row, err) != 0 ||
	    take_text(request, "reason", row->reason, sizeof(row->reason), err) != 0 ||
	    commands_take_who(call, request, row, err) != 0)
		return -1;
	(void)snprintf(row->action, sizeof(row->action), "%s", order_action_name[action]);
	(void)snprintf(row->object, sizeof(row->object), "%s", object_text(&out->object, object));
	return 0;
}

/* --- what it means ---------------------------------------------------------------------------- */

static void warn(json_t *warnings, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void warn(json_t *warnings, const char *format, ...)
{
	struct err text;
	va_list args;

	va_start(args, format);
	(void)vsnprintf(text.text, sizeof(text.text), format, args);
	va_end(args);
	json_array_append_new(warnings, report_text(text.text));
}

/* Pools of the object whose own healthy nodes are not what is answered. */
static void warn_of_pools(const struct images *images, const struct object *object,
			  json_t *warnings)
{
	const struct image *plan = &images->image[IMAGE_PLAN];
	const struct plan_node *nodes = plan_items(plan, nodes, struct plan_node);
	uint32_t told = PLAN_NONE;

	for (uint32_t n = 0; n < plan_count(plan, nodes); n++) {
		uint32_t pool = nodes[n].pool;
		uint8_t applied = steering_pool(&images->image[IMAGE_STEERING], pool)->applied;

		if (pool == told || applied == APPLIED_NODES || !object_has(object, plan, n))
			continue;
		told = pool;
		warn(warnings, "pool %s has no usable node: what is answered is: %s",
		     plan_pool_name(plan, pool), steering_applied_name[applied]);
	}
}

/* What else takes the object's nodes out: their enabling changes nothing. */
static void tell_others(const struct commands *commands, const struct order *order, json_t *others)
{
	const struct inputs *inputs = running_inputs(commands->running);
	const struct image *plan = inputs->plan;
	const struct orders *orders = running_orders(commands->running);
	bool *told = mem_array(orders->count + plan_count(plan, windows) + 1, sizeof(*told));

	for (uint32_t n = 0; n < plan_count(plan, nodes); n++) {
		const struct admin *admin = &inputs->admin[n];
		const struct stance *stance = &inputs->stances[n];
		bool by_order = admin->order != ADMIN_NONE;
		size_t at = by_order ? admin->order : orders->count + admin->window;

		if (stance->wished && object_has(&order->object, plan, n))
			json_array_append_new(others,
					      wish_json(plan, n, stance_state_name(stance)));
		if (stance->wished || admin->state == ADMIN_ENABLED ||
		    !object_has(&order->object, plan, n) || told[at] ||
		    (by_order && object_equal(&orders->list[at].object, &order->object)))
			continue;
		told[at] = true;
		json_array_append_new(
			others, by_order
					? order_json(&orders->list[at], plan, order->row.at_unix_ms)
					: window_json(plan, admin->window, order->row.at_unix_ms));
	}
	free(told);
}

static uint32_t count_nodes(const struct image *plan, const struct object *object)
{
	uint32_t count = 0;

	for (uint32_t n = 0; plan != NULL && n < plan_count(plan, nodes); n++)
		count += object_has(object, plan, n);
	return count;
}

static json_t *order_reply(const struct commands *commands, const struct order *order,
			   const struct order_changes *changes)
{
	const struct image *plan = commands_plan(commands);
	uint32_t nodes = count_nodes(plan, &order->object);
	json_t *warnings = json_array(), *others = json_array(), *ended = json_array();

	for (size_t i = 0; i < changes->ended_count; i++)
		json_array_append_new(ended,
				      order_json(&changes->ended[i], plan, order->row.at_unix_ms));
	if (plan == NULL || !object_exists(&order->object, plan))
		warn(warnings, "%s is not in the files now", order->row.object);
	else if (nodes == 0)
		warn(warnings, "%s has no node", order->row.object);
	if (plan != NULL) {
		warn_of_pools(running_images(commands->running), &order->object, warnings);
		tell_others(commands, order, others);
	}
	return json_pack("{s:b, s:s, s:s, s:I, s:I, s:I, s:o, s:I, s:o, s:o, s:o}", "ok", true,
			 "action", order->row.action, "object", order->row.object, "now_ms",
			 (json_int_t)order->row.at_unix_ms, "from_ms",
			 (json_int_t)order->row.from_unix_ms, "until_ms",
			 (json_int_t)order->row.until_unix_ms, "reason",
			 report_text(order->row.reason), "nodes", (json_int_t)nodes, "ended", ended,
			 "others", others, "warnings", warnings);
}

/* --- the commands ------------------------------------------------------------------------------ */

static void obey(struct commands *commands, struct call *call, const struct order *order)
{
	struct order_changes changes;
	struct err err;
	json_t *reply;

	if (running_order(commands->running, order, &changes, &err) != 0) {
		call_refuse(call, err.text);
		return;
	}
	reply = order_reply(commands, order, &changes);
	free(changes.ended);
	stored_answer(commands->stored, call, reply, changes.ticket);
}

void command_state(struct commands *commands, struct call *call, const json_t *request)
{
	const char *name = json_string_value(json_object_get(request, "action"));
	enum order_action action;
	struct order order;
	struct err err;

	if (name == NULL || !order_action_parse(name, &action) || action == ORDER_WEIGHT ||
	    action == ORDER_RESET || action == ORDER_DRILL || action == ORDER_DRILL_STOP)
		call_refuse(call, "an action is one of drain, disable, force-up, force-down and "
				  "enable");
	else if (commands_take_order(commands, call, request, action, &order, &err) != 0)
		call_refuse(call, err.text);
	else
		obey(commands, call, &order);
}

void command_weight(struct commands *commands, struct call *call, const json_t *request)
{
	const json_t *weight = json_object_get(request, "weight");
	bool reset = weight == NULL || json_is_null(weight);
	struct order order;
	struct err err;

	if (!reset && (!json_is_integer(weight) || json_integer_value(weight) < 0 ||
		       json_integer_value(weight) > WEIGHT_MAX)) {
		call_refuse(call, "a weight is a number from 0 to 65535");
		return;
	}
	if (commands_take_order(commands, call, request, reset ? ORDER_RESET : ORDER_WEIGHT, &order,
				&err) != 0) {
		call_refuse(call, err.text);
		return;
	}
	if (order.object.kind != OBJECT_NODE) {
		call_refuse(call, "only nodes have a weight");
		return;
	}
	order.row.until_unix_ms = 0; /* for all time */
	order.row.from_unix_ms = order.row.at_unix_ms;
	order.row.weight = reset ? 0 : (uint32_t)json_integer_value(weight);
	obey(commands, call, &order);
}

void command_states(struct commands *commands, struct call *call, const json_t *request)
{
	uint64_t now_ms = clock_unix_ms();
	const struct orders *orders = running_orders(commands->running);
	json_t *reply = json_pack("{s:b, s:I, s:b, s:o}", "ok", true, "now_ms", (json_int_t)now_ms,
				  "known", orders->loaded, "states",
				  orders_json(orders, commands_plan(commands), now_ms));

	(void)request;
	call_answer(call, reply, NULL, 0);
	json_decref(reply);
}

/* The number of the node that is meant; PLAN_NONE: none that is in the files. */
static uint32_t find_node(const struct image *plan, const struct object *object)
{
	for (uint32_t n = 0; object->kind == OBJECT_NODE && n < plan_count(plan, nodes); n++) {
		if (object_has(object, plan, n))
			return n;
	}
	return PLAN_NONE;
}

/* "up", "down" or "degraded" of a request; false: it says something else. */
static bool take_state(const json_t *request, enum probe_outcome *out)
{
	static const struct {
		const char *word;
		enum probe_outcome outcome;
	} rows[] = { { "up", PROBE_SUCCESS },
		     { "degraded", PROBE_WARNING },
		     { "down", PROBE_FAILURE } };
	const char *word = json_string_value(json_object_get(request, "state"));

	for (size_t i = 0; word != NULL && i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (strcmp(word, rows[i].word) == 0) {
			*out = rows[i].outcome;
			return true;
		}
	}
	return false;
}

static int take_report(const json_t *request, struct report *out, struct err *err)
{
	*out = (struct report){ .at_ms = clock_mono_ms() };
	if (!take_state(request, &out->outcome))
		return err_set(err, "a state is one of up, degraded and down");
	if (take_time(request, "for_ms", &out->for_ms, err) != 0 ||
	    take_text(request, "reason", out->reason, sizeof(out->reason), err) != 0)
		return -1;
	if (out->reason[0] == '\0')
		(void)snprintf(out->reason, sizeof(out->reason), "reported %s",
			       json_string_value(json_object_get(request, "state")));
	return 0;
}

/* Is there a probe that looks at reports of it? */
static bool is_reported(const struct image *plan, uint32_t node)
{
	const struct plan_range *checks = &plan_items(plan, nodes, struct plan_node)[node].checks;

	for (uint32_t i = checks->first; i < checks->first + checks->count; i++) {
		uint32_t probe = plan_items(plan, checks, struct plan_check)[i].probe;

		if (plan_items(plan, probes, struct plan_probe)[probe].kind == PROBE_PUSH)
			return true;
	}
	return false;
}

static void report_state(struct commands *commands, struct call *call, const json_t *request)
{
	const struct image *plan = commands_plan(commands);
	struct report report;
	struct object object;
	struct err err;
	uint32_t node;
	json_t *reply;

	if (take_report(request, &report, &err) != 0 ||
	    find(commands, request, &object, &err) != 0) {
		call_refuse(call, err.text);
		return;
	}
	node = plan == NULL ? PLAN_NONE : find_node(plan, &object);
	if (node == PLAN_NONE) {
		call_refuse(call, "only nodes that are in the files are reported");
		return;
	}
	if (!is_reported(plan, node)) {
		call_refuse(call, "its pool has no probe of kind push, so nothing would change");
		return;
	}
	(void)running_report_state(commands->running, node, &report);
	reply = json_pack("{s:b}", "ok", true);
	call_answer(call, reply, NULL, 0);
	json_decref(reply);
}

void command_report(struct commands *commands, struct call *call, const json_t *request)
{
	const json_t *load = json_object_get(request, "load");
	const struct image *plan = commands_plan(commands);
	double value = json_number_value(load);
	struct object object;
	struct err err;
	uint32_t node;
	json_t *reply;

	if (json_object_get(request, "state") != NULL) {
		report_state(commands, call, request);
		return;
	}
	if (!json_is_number(load) || !(value >= 0 && value <= LOAD_MAX)) {
		call_refuse(call, "a load is a number from 0 to 10, 1 for all of the capacity");
		return;
	}
	if (find(commands, request, &object, &err) != 0) {
		call_refuse(call, err.text);
		return;
	}
	node = plan == NULL ? PLAN_NONE : find_node(plan, &object);
	if (node == PLAN_NONE) {
		call_refuse(call, "only nodes that are in the files report their load");
		return;
	}
	running_report(commands->running, node, value == 0 ? 0 : value); /* never -0 */
	reply = json_pack("{s:b}", "ok", true);
	call_answer(call, reply, NULL, 0);
	json_decref(reply);
}
