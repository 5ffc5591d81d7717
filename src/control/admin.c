#include "control/admin.h"

#include <stdlib.h>

#include "base/mem.h"

const char *const admin_state_name[] = { "enabled", "draining", "forced-down", "disabled" };

/* Of what an order says, or a window; FORCE_UP and WEIGHT say something else. */
static const enum admin_state state_of[] = { [ORDER_DRAIN] = ADMIN_DRAINING,
					     [ORDER_DISABLE] = ADMIN_DISABLED,
					     [ORDER_FORCE_DOWN] = ADMIN_FORCED_DOWN };

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

static void apply_order(const struct orders *orders, uint32_t number, struct admin *node)
{
	const struct order *order = &orders->list[number];

	if (order->action == ORDER_WEIGHT) {
		node->weight = order->row.weight;
		node->weight_order = number;
	} else if (order->action == ORDER_FORCE_UP) {
		node->forced_up = number;
	} else {
		hold(node, state_of[order->action], order->row.until_unix_ms, number, ADMIN_NONE);
	}
}

static void apply_window(const struct plan_window *window, uint32_t number, struct admin *node)
{
	hold(node, window->disable ? ADMIN_DISABLED : ADMIN_DRAINING, window->until_unix_s * 1000,
	     ADMIN_NONE, number);
}

/* Drills are the prober's. */
static bool order_concerns(const struct order *order, const struct image *plan, uint32_t node)
{
	return order->action != ORDER_DRILL && object_has(&order->object, plan, node);
}

static struct plan_range window_range(const struct image *plan, const struct plan_window *window)
{
	return plan_items(plan, pools, struct plan_pool)[window->pool].nodes;
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

/* --- what comes -------------------------------------------------------------------------------- */

/* An order or a window begins or ends. */
struct moment {
	uint64_t at_unix_ms;
	uint32_t order, window; /* which; ADMIN_NONE */
};

struct moments {
	struct moment *list;
	size_t count, cap;
};

static void add_moment(struct moments *moments, uint64_t at_ms, uint64_t now_ms, uint32_t order,
		       uint32_t window)
{
	if (at_ms > now_ms)
		array_add(moments->list, moments->count,
			  moments->cap) = (struct moment){ at_ms, order, window };
}

static int compare_moments(const void *a, const void *b)
{
	const struct moment *x = a, *y = b;

	return x->at_unix_ms < y->at_unix_ms ? -1 : x->at_unix_ms > y->at_unix_ms;
}

/* All that come, the first one first. */
static struct moments moments_after(const struct orders *orders, const struct image *plan,
				    uint64_t now_ms)
{
	const struct plan_window *windows = plan_items(plan, windows, struct plan_window);
	struct moments moments = { 0 };

	for (uint32_t i = 0; i < orders->count; i++) {
		const struct order *order = &orders->list[i];

		add_moment(&moments, order_begin_ms(order), now_ms, i, ADMIN_NONE);
		add_moment(&moments, order->row.until_unix_ms, now_ms, i, ADMIN_NONE);
	}
	for (uint32_t i = 0; i < plan_count(plan, windows); i++) {
		add_moment(&moments, windows[i].from_unix_s * 1000, now_ms, ADMIN_NONE, i);
		add_moment(&moments, windows[i].until_unix_s * 1000, now_ms, ADMIN_NONE, i);
	}
	if (moments.count > 0)
		qsort(moments.list, moments.count, sizeof(*moments.list), compare_moments);
	return moments;
}

/* The state of one node at any time, and whether it is forced up. */
static struct admin admin_at(const struct orders *orders, const struct image *plan, uint32_t node,
			     uint64_t at_ms)
{
	const struct plan_node *n = &plan_items(plan, nodes, struct plan_node)[node];
	const struct plan_window *windows = plan_items(plan, windows, struct plan_window);
	struct admin admin = { .state = ADMIN_ENABLED, .forced_up = ADMIN_NONE };

	for (uint32_t i = 0; i < orders->count; i++) {
		if (order_holds(&orders->list[i], at_ms) &&
		    order_concerns(&orders->list[i], plan, node))
			apply_order(orders, i, &admin);
	}
	for (uint32_t i = 0; i < plan_count(plan, windows); i++) {
		if (windows[i].from_unix_s * 1000 <= at_ms &&
		    at_ms < windows[i].until_unix_s * 1000 && window_has(&windows[i], n, node))
			apply_window(&windows[i], i, &admin);
	}
	return admin;
}

/* What begins or ends only counts where the state becomes another one: something else may hold. */
static void look_ahead(const struct orders *orders, const struct image *plan,
		       const struct moment *moment, struct admin *nodes)
{
	const struct plan_node *list = plan_items(plan, nodes, struct plan_node);
	const struct plan_window *window =
		moment->window == ADMIN_NONE
			? NULL
			: &plan_items(plan, windows, struct plan_window)[moment->window];
	struct plan_range range = { 0, plan_count(plan, nodes) };

	if (window != NULL)
		range = window_range(plan, window);
	for (uint32_t n = range.first; n < range.first + range.count; n++) {
		struct admin then;

		if (nodes[n].next_unix_ms != 0 ||
		    !(window != NULL ? window_has(window, &list[n], n)
				     : order_concerns(&orders->list[moment->order], plan, n)))
			continue;
		then = admin_at(orders, plan, n, moment->at_unix_ms);
		if (then.state == nodes[n].state &&
		    (then.forced_up == ADMIN_NONE) == (nodes[n].forced_up == ADMIN_NONE))
			continue;
		nodes[n].next_unix_ms = moment->at_unix_ms;
		nodes[n].next_state = then.state;
		nodes[n].next_forced_up = then.forced_up != ADMIN_NONE;
	}
}

#define LONGEST_S 604800U /* no common resolver keeps anything for longer than a week */

uint32_t admin_ttl_s(uint64_t change_unix_ms, uint64_t now_ms)
{
	uint64_t left_s = change_unix_ms > now_ms ? (change_unix_ms - now_ms) / 1000 : 0;
	uint32_t ttl_s = 1;

	if (change_unix_ms == 0 || left_s > LONGEST_S)
		return 0;
	while (2 * ttl_s < left_s) /* not all that is left: a second until the next look */
		ttl_s *= 2;
	return ttl_s;
}

/* --- what holds -------------------------------------------------------------------------------- */

static void apply_order_to_all(const struct orders *orders, uint32_t number,
			       const struct image *plan, struct admin *nodes)
{
	for (uint32_t n = 0; n < plan_count(plan, nodes); n++) {
		if (order_concerns(&orders->list[number], plan, n))
			apply_order(orders, number, &nodes[n]);
	}
}

static void apply_window_to_all(const struct image *plan, uint32_t number, struct admin *nodes)
{
	const struct plan_window *window = &plan_items(plan, windows, struct plan_window)[number];
	const struct plan_node *list = plan_items(plan, nodes, struct plan_node);
	const struct plan_range range = window_range(plan, window);

	for (uint32_t n = range.first; n < range.first + range.count; n++) {
		if (window_has(window, &list[n], n))
			apply_window(window, number, &nodes[n]);
	}
}

struct admin_span admin_judge(const struct orders *orders, const struct image *plan,
			      uint64_t now_ms, struct admin *nodes)
{
	const struct plan_node *list = plan_items(plan, nodes, struct plan_node);
	const struct plan_window *windows = plan_items(plan, windows, struct plan_window);
	struct admin_span span = { 0, UINT64_MAX };
	struct moments moments = moments_after(orders, plan, now_ms);

	for (uint32_t n = 0; n < plan_count(plan, nodes); n++)
		nodes[n] = (struct admin){ .weight = list[n].weight,
					   .order = ADMIN_NONE,
					   .window = ADMIN_NONE,
					   .forced_up = ADMIN_NONE,
					   .weight_order = ADMIN_NONE };
	for (uint32_t i = 0; i < orders->count; i++) {
		const struct order *order = &orders->list[i];

		if (look(&span, order_begin_ms(order), order->row.until_unix_ms, now_ms))
			apply_order_to_all(orders, i, plan, nodes);
	}
	for (uint32_t i = 0; i < plan_count(plan, windows); i++) {
		if (look(&span, windows[i].from_unix_s * 1000, windows[i].until_unix_s * 1000,
			 now_ms))
			apply_window_to_all(plan, i, nodes);
	}
	for (size_t i = 0; i < moments.count; i++)
		look_ahead(orders, plan, &moments.list[i], nodes);
	free(moments.list);
	return span;
}
