#include "control/orders_json.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "control/names.h"
#include "control/report.h"

static json_t *time_json(uint64_t unix_ms)
{
	return unix_ms == 0 ? json_null() : json_integer((json_int_t)unix_ms);
}

static const char *state_name(const struct order *order)
{
	switch (order->action) {
	case ORDER_DRAIN: return "draining";
	case ORDER_DISABLE: return "disabled";
	case ORDER_FORCE_UP: return "forced-up";
	case ORDER_FORCE_DOWN: return "forced-down";
	case ORDER_DRILL: return "drill";
	default: return "weight";
	}
}

json_t *order_json(const struct order *order, const struct image *plan, uint64_t now_ms)
{
	const struct store_action *row = &order->row;
	char object[OBJECT_TEXT_SIZE];
	json_t *told = json_pack(
		"{s:s, s:s, s:o, s:I, s:I, s:I, s:o, s:o, s:b, s:b}", "state", state_name(order),
		"object", object_text(&order->object, object), "who", report_text(row->who), "uid",
		(json_int_t)row->uid, "at_ms", (json_int_t)row->at_unix_ms, "from_ms",
		(json_int_t)row->from_unix_ms, "until_ms", time_json(row->until_unix_ms), "reason",
		report_text(row->reason), "holds", order_holds(order, now_ms), "in_files",
		plan != NULL && object_exists(&order->object, plan));

	if (order->action == ORDER_WEIGHT)
		json_object_set_new(told, "weight", json_integer(row->weight));
	return told;
}

/* What a window is about. */
static struct object window_object(const struct image *plan, const struct plan_window *window)
{
	struct object object = { .kind = OBJECT_POOL };
	const char *name = "";

	if (window->node != PLAN_NONE) {
		object.kind = OBJECT_NODE;
		name = plan_text(plan,
				 plan_items(plan, nodes, struct plan_node)[window->node].name);
	} else if (window->pool_site != PLAN_NONE) {
		object.kind = OBJECT_SITE;
		name = plan_site_name(plan, window->pool_site);
	}
	(void)snprintf(object.pool, sizeof(object.pool), "%s", plan_pool_name(plan, window->pool));
	(void)snprintf(object.name, sizeof(object.name), "%s", name);
	return object;
}

json_t *window_json(const struct image *plan, uint32_t number, uint64_t now_ms)
{
	const struct plan_window *window = &plan_items(plan, windows, struct plan_window)[number];
	const struct object object = window_object(plan, window);
	uint64_t from_ms = window->from_unix_s * 1000, until_ms = window->until_unix_s * 1000;
	char text[OBJECT_TEXT_SIZE];

	return json_pack(
		"{s:s, s:s, s:o, s:I, s:I, s:o, s:o, s:b, s:b}", "state",
		window->disable ? "disabled" : "draining", "object", object_text(&object, text),
		"file", report_text(plan_text(plan, window->file)), "line",
		(json_int_t)window->line, "from_ms", (json_int_t)from_ms, "until_ms",
		time_json(until_ms), "reason", report_text(plan_text(plan, window->reason)),
		"holds", from_ms <= now_ms && (until_ms == 0 || now_ms < until_ms), "in_files",
		true);
}

json_t *wish_json(const struct image *plan, uint32_t node, const char *state)
{
	char key[NODE_KEY_SIZE], object[NODE_KEY_SIZE + sizeof("node:")];

	(void)snprintf(object, sizeof(object), "node:%s", node_key(plan, node, key));
	return json_pack("{s:s, s:o, s:s, s:s, s:b, s:b}", "state", state, "object",
			 report_text(object), "who", "its agent", "reason", "", "holds", true,
			 "in_files", true);
}

/* --- all of them ------------------------------------------------------------------------------ */

static int by_time(const void *a, const void *b)
{
	const json_t *x = *(json_t *const *)a, *y = *(json_t *const *)b;
	json_int_t from_x = json_integer_value(json_object_get(x, "from_ms"));
	json_int_t from_y = json_integer_value(json_object_get(y, "from_ms"));

	if (json_is_true(json_object_get(x, "holds")) != json_is_true(json_object_get(y, "holds")))
		return json_is_true(json_object_get(x, "holds")) ? -1 : 1;
	if (from_x != from_y)
		return from_x < from_y ? -1 : 1;
	return strcmp(json_string_value(json_object_get(x, "object")),
		      json_string_value(json_object_get(y, "object")));
}

static bool is_over(uint64_t until_ms, uint64_t now_ms)
{
	return until_ms != 0 && until_ms <= now_ms;
}

json_t *orders_json(const struct orders *orders, const struct image *plan, uint64_t now_ms)
{
	uint32_t windows = plan == NULL ? 0 : plan_count(plan, windows);
	json_t **list = mem_array(orders->count + windows + 1, sizeof(*list));
	json_t *told = json_array();
	size_t count = 0;

	for (size_t i = 0; i < orders->count; i++) {
		if (!is_over(orders->list[i].row.until_unix_ms, now_ms))
			list[count++] = order_json(&orders->list[i], plan, now_ms);
	}
	for (uint32_t w = 0; w < windows; w++) {
		const struct plan_window *window = &plan_items(plan, windows,
							       struct plan_window)[w];

		if (!is_over(window->until_unix_s * 1000, now_ms))
			list[count++] = window_json(plan, w, now_ms);
	}
	qsort(list, count, sizeof(*list), by_time);
	for (size_t i = 0; i < count; i++)
		json_array_append_new(told, list[i]);
	free(list);
	return told;
}
