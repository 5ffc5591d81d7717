#include "control/admin.h"

const char *const admin_state_name[] = { "enabled", "draining", "disabled" };

/* Of two that are as restrictive the one that lasts longer is told. */
static void hold(struct admin *admin, enum admin_state state, uint64_t until_ms, uint32_t order,
		 uint32_t window)
{
	if (state < admin->state ||
	    (state == admin->state &&
	     (admin->until_unix_ms == 0 || (until_ms != 0 && until_ms <= admin->until_unix_ms))))
		return;
	admin->state = state;
	admin->until_unix_ms = until_ms;
	admin->order = order;
	admin->window = window;
}

static void apply_order(const struct orders *orders, uint32_t number, const struct image *plan,
			struct admin *nodes)
{
	const struct order *order = &orders->list[number];

	for (uint32_t n = 0; n < plan_count(plan, nodes); n++) {
		if (!object_has(&order->object, plan, n) || order->action == ORDER_DRILL)
			continue; /* drills are the prober's */
		if (order->action == ORDER_WEIGHT) {
			nodes[n].weight = order->row.weight;
			nodes[n].weight_order = number;
		} else {
			hold(&nodes[n],
			     order->action == ORDER_DISABLE ? ADMIN_DISABLED : ADMIN_DRAINING,
			     order->row.until_unix_ms, number, ADMIN_NONE);
		}
	}
}

static void apply_window(const struct image *plan, uint32_t number, struct admin *nodes)
{
	const struct plan_window *window = &plan_items(plan, windows, struct plan_window)[number];
	const struct plan_node *list = plan_items(plan, nodes, struct plan_node);
	const struct plan_pool *pool = &plan_items(plan, pools, struct plan_pool)[window->pool];

	for (uint32_t n = pool->nodes.first; n < pool->nodes.first + pool->nodes.count; n++) {
		if (window_has(window, &list[n], n))
			hold(&nodes[n], window->disable ? ADMIN_DISABLED : ADMIN_DRAINING,
			     window->until_unix_s * 1000, ADMIN_NONE, number);
	}
}

/* Does it hold now? Its ends bound the span in which that stays so. */
static bool look(struct admin_span *span, uint64_t from_ms, uint64_t until_ms, uint64_t now_ms)
{
	const uint64_t ends[] = { from_ms, until_ms == 0 ? UINT64_MAX : until_ms };

	for (int i = 0; i < 2; i++) {
		if (ends[i] <= now_ms && ends[i] > span->from_unix_ms)
			span->from_unix_ms = ends[i];
		if (ends[i] > now_ms && ends[i] < span->until_unix_ms)
			span->until_unix_ms = ends[i];
	}
	return ends[0] <= now_ms && now_ms < ends[1];
}

struct admin_span admin_judge(const struct orders *orders, const struct image *plan,
			      uint64_t now_ms, struct admin *nodes)
{
	const struct plan_node *list = plan_items(plan, nodes, struct plan_node);
	const struct plan_window *windows = plan_items(plan, windows, struct plan_window);
	struct admin_span span = { 0, UINT64_MAX };

	for (uint32_t n = 0; n < plan_count(plan, nodes); n++)
		nodes[n] = (struct admin){ .weight = list[n].weight,
					   .order = ADMIN_NONE,
					   .window = ADMIN_NONE,
					   .weight_order = ADMIN_NONE };
	for (uint32_t i = 0; i < orders->count; i++) {
		const struct store_action *row = &orders->list[i].row;

		if (look(&span, row->from_unix_ms, row->until_unix_ms, now_ms))
			apply_order(orders, i, plan, nodes);
	}
	for (uint32_t i = 0; i < plan_count(plan, windows); i++) {
		if (look(&span, windows[i].from_unix_s * 1000, windows[i].until_unix_s * 1000,
			 now_ms))
			apply_window(plan, i, nodes);
	}
	return span;
}
