#include "control/drill.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "control/report.h"

void drill_open(struct drill *drill, uint64_t now_unix_ms)
{
	*drill = (struct drill){ .opened_unix_ms = now_unix_ms };
}

void drill_close(struct drill *drill)
{
	free(drill->nodes);
	*drill = (struct drill){ .known = false };
}

/* --- beginning and ending ---------------------------------------------------------------------- */

static const struct order *drill_order(const struct orders *orders, uint64_t now_ms)
{
	for (size_t i = 0; i < orders->count; i++) {
		const struct order *order = &orders->list[i];

		if (order->action == ORDER_DRILL && order_holds(order, now_ms))
			return order;
	}
	return NULL;
}

static bool is_the_same(const struct drill *drill, const struct order *order)
{
	return drill->known && drill->order.row.at_unix_ms == order->row.at_unix_ms &&
	       object_equal(&drill->order.object, &order->object);
}

/* After a restart its verdict may have come before: its time is known, but not who served it. */
static void add_node(struct drill *drill, const struct image *plan, uint32_t number,
		     const struct node_state *state)
{
	struct drill_node node = {
		.has_probes = plan_items(plan, nodes, struct plan_node)[number].checks.count > 0
	};
	bool is_down = state->status == NODE_DOWN;

	node.was_down = is_down && state->since_unix_ms < drill->order.row.from_unix_ms;
	node.down_lost = is_down && !node.was_down;
	if (node.down_lost)
		node.down_unix_ms[DRILL_VERDICT] = state->since_unix_ms;
	node.number = number;
	(void)node_key(plan, number, node.key);
	array_add(drill->nodes, drill->count, drill->cap) = node;
}

static void begin(struct drill *drill, const struct order *order, const struct image *plan,
		  const struct prober *prober)
{
	uint64_t opened_ms = drill->opened_unix_ms;
	bool resumed = order->row.at_unix_ms < opened_ms;

	drill_close(drill);
	*drill = (struct drill){ .known = true,
				 .running = true,
				 .changed = true,
				 .resumed = resumed,
				 .order = *order,
				 .opened_unix_ms = opened_ms };
	for (uint32_t n = 0; n < plan_count(plan, nodes); n++) {
		if (object_has(&order->object, plan, n))
			add_node(drill, plan, n, prober_state(prober, n));
	}
	log_warning(resumed ? "drill goes on" : "drill begins",
		    "object=%s nodes=%zu until_ms=%llu who=\"%s\"", order->row.object, drill->count,
		    (unsigned long long)order->row.until_unix_ms, order->row.who);
}

static void end(struct drill *drill, uint64_t now_ms)
{
	drill->running = false;
	drill->changed = true;
	drill->ended_unix_ms = now_ms;
	drill->stopped = now_ms < drill->order.row.until_unix_ms;
	log_warning("drill ends", "object=%s stopped=%s", drill->order.row.object,
		    drill->stopped ? "yes" : "no");
}

/* Verdicts that were stored with their nodes, but not with the drill. */
static void catch_up_node(const struct drill *drill, struct drill_node *node,
			  const struct node_state *state)
{
	uint64_t since_ms = state->since_unix_ms, ended_ms = drill->ended_unix_ms;

	if (node->down_unix_ms[DRILL_VERDICT] == 0 && state->status == NODE_DOWN &&
	    since_ms >= drill->order.row.from_unix_ms)
		node->down_unix_ms[DRILL_VERDICT] = since_ms;
	if (node->up_unix_ms[DRILL_VERDICT] == 0 && state->status == NODE_UP && ended_ms != 0 &&
	    since_ms >= ended_ms && node->down_unix_ms[DRILL_VERDICT] != 0)
		node->up_unix_ms[DRILL_VERDICT] = since_ms;
	node->down_lost = node->down_unix_ms[DRILL_VERDICT] != 0 &&
			  node->down_unix_ms[DRILL_SERVED] == 0;
	node->up_lost = node->up_unix_ms[DRILL_VERDICT] != 0 && node->up_unix_ms[DRILL_SERVED] == 0;
}

/* The numbers of its nodes in a new plan; of those that are new there it is told as well. */
static void number_nodes(struct drill *drill, const struct image *plan, const struct prober *prober)
{
	char key[NODE_KEY_SIZE];

	for (size_t i = 0; i < drill->count; i++)
		drill->nodes[i].number = PLAN_NONE;
	for (uint32_t n = 0; n < plan_count(plan, nodes); n++) {
		size_t i = 0;

		if (!object_has(&drill->order.object, plan, n))
			continue;
		(void)node_key(plan, n, key);
		while (i < drill->count && strcmp(drill->nodes[i].key, key) != 0)
			i++;
		if (i < drill->count)
			drill->nodes[i].number = n;
		else if (drill->running)
			add_node(drill, plan, n, prober_state(prober, n));
	}
}

static void catch_up(struct drill *drill, const struct image *plan, const struct prober *prober)
{
	drill->restored = false;
	for (size_t i = 0; i < drill->count && !drill->told; i++) {
		struct drill_node *node = &drill->nodes[i];

		if (node->number < plan_count(plan, nodes))
			catch_up_node(drill, node, prober_state(prober, node->number));
	}
}

void drill_follow(struct drill *drill, const struct orders *orders, const struct image *plan,
		  struct prober *prober, bool plan_is_new, uint64_t now_unix_ms)
{
	const struct order *order = drill_order(orders, now_unix_ms);
	bool was_running = drill->running && !drill->restored;

	if (drill->known && (plan_is_new || drill->restored))
		number_nodes(drill, plan, prober);
	if (drill->restored)
		catch_up(drill, plan, prober);
	if (drill->running && (order == NULL || !is_the_same(drill, order)))
		end(drill, now_unix_ms);
	if (order != NULL && !drill->running)
		begin(drill, order, plan, prober);
	if (drill->running == was_running && !plan_is_new)
		return;
	for (uint32_t n = 0; n < plan_count(plan, nodes); n++)
		prober_pretend_down(prober, n,
				    drill->running && object_has(&drill->order.object, plan, n));
}

bool drill_concerns(const struct drill *drill, const struct image *plan, uint32_t pool)
{
	const struct plan_range *nodes = &plan_items(plan, pools, struct plan_pool)[pool].nodes;

	for (uint32_t n = nodes->first; drill->running && n < nodes->first + nodes->count; n++) {
		if (object_has(&drill->order.object, plan, n))
			return true;
	}
	return false;
}

/* --- what happens ------------------------------------------------------------------------------- */

static void note(struct drill *drill, uint64_t times[DRILL_STAGES], enum drill_stage stage,
		 uint64_t now_ms)
{
	if (times[stage] != 0 || (stage != DRILL_VERDICT && times[stage - 1] == 0))
		return;
	times[stage] = now_ms;
	drill->changed = true;
}

void drill_verdict(struct drill *drill, const struct image *plan, uint32_t number,
		   const struct node_state *now)
{
	char key[NODE_KEY_SIZE];

	if (!drill->known || drill->told)
		return;
	(void)node_key(plan, number, key);
	for (size_t i = 0; i < drill->count; i++) {
		struct drill_node *node = &drill->nodes[i];

		if (strcmp(node->key, key) != 0)
			continue;
		if (drill->running && now->status == NODE_DOWN)
			note(drill, node->down_unix_ms, DRILL_VERDICT, now->since_unix_ms);
		if (!drill->running && now->status == NODE_UP)
			note(drill, node->up_unix_ms, DRILL_VERDICT, now->since_unix_ms);
	}
}

/* Steering knows of a verdict when it was made from it: who is held in answers, or disabled, does not
 * leave or come back with it. */
void drill_published(struct drill *drill, const struct image *plan, const struct steer_node *nodes,
		     uint64_t now_unix_ms)
{
	for (size_t i = 0; drill->known && !drill->told && i < drill->count; i++) {
		struct drill_node *node = &drill->nodes[i];
		uint32_t n = node->number;

		if (n >= plan_count(plan, nodes))
			continue; /* it left the files */
		if (!node->down_lost && nodes[n].state == STEER_DOWN)
			note(drill, node->down_unix_ms, DRILL_PUBLISHED, now_unix_ms);
		if (!node->up_lost && nodes[n].state == STEER_UP)
			note(drill, node->up_unix_ms, DRILL_PUBLISHED, now_unix_ms);
	}
}

void drill_served(struct drill *drill, uint64_t now_unix_ms)
{
	for (size_t i = 0; drill->known && !drill->told && i < drill->count; i++) {
		struct drill_node *node = &drill->nodes[i];

		if (!node->down_lost)
			note(drill, node->down_unix_ms, DRILL_SERVED, now_unix_ms);
		if (!node->up_lost)
			note(drill, node->up_unix_ms, DRILL_SERVED, now_unix_ms);
	}
}

/* Steering follows a verdict within this time. */
#define FOLLOWS_MS 500

void drill_look(struct drill *drill, const struct image *plan, const struct steer_node *nodes,
		uint64_t now_unix_ms)
{
	for (size_t i = 0; drill->known && !drill->told && i < drill->count; i++) {
		struct drill_node *node = &drill->nodes[i];
		uint8_t state = node->number < plan_count(plan, nodes) ? nodes[node->number].state
								       : STEER_DOWN;
		uint64_t down_ms = node->down_unix_ms[DRILL_VERDICT];
		uint64_t up_ms = node->up_unix_ms[DRILL_VERDICT];

		node->gone = node->number == PLAN_NONE;
		node->kept_out = state == STEER_DISABLED || state == STEER_DRAINING ||
				 (state == STEER_DOWN && !drill->running && up_ms != 0 &&
				  now_unix_ms >= up_ms + FOLLOWS_MS);
		node->kept_in = drill->running && state == STEER_UP && down_ms != 0 &&
				now_unix_ms >= down_ms + FOLLOWS_MS;
	}
}

/* --- the record --------------------------------------------------------------------------------- */

/* As far as it left, and can come back. */
static bool is_back(const struct drill_node *node)
{
	if (node->down_unix_ms[DRILL_VERDICT] == 0 || node->gone)
		return true;
	return node->up_unix_ms[DRILL_VERDICT] != 0 &&
	       (node->up_unix_ms[DRILL_SERVED] != 0 || node->up_lost || node->kept_out ||
		node->down_unix_ms[DRILL_PUBLISHED] == 0);
}

static bool are_back(const struct drill *drill)
{
	for (size_t i = 0; i < drill->count; i++) {
		const struct drill_node *node = &drill->nodes[i];

		if (!is_back(node))
			return false;
	}
	return true;
}

/* " down after 2.1 to 3.0 s", of those nodes that went through this. */
static void add_times(struct buf *line, const struct drill *drill, const char *what, bool up,
		      enum drill_stage stage, uint64_t from_ms)
{
	uint64_t least = UINT64_MAX, most = 0;
	size_t count = 0;

	for (size_t i = 0; i < drill->count; i++) {
		const struct drill_node *node = &drill->nodes[i];
		uint64_t at = up ? node->up_unix_ms[stage] : node->down_unix_ms[stage];

		if (at == 0)
			continue;
		at = at > from_ms ? at - from_ms : 0;
		least = at < least ? at : least;
		most = at > most ? at : most;
		count++;
	}
	if (count > 0)
		buf_format(line, ", %zu %s after %.1f to %.1f s", count, what, (double)least / 1000,
			   (double)most / 1000);
}

bool drill_is_done(struct drill *drill, uint64_t now_unix_ms, struct store_action *row)
{
	uint64_t from_ms = drill->order.row.from_unix_ms, end_ms = drill->ended_unix_ms;
	struct buf line = { 0 };

	if (!drill->known || drill->running || drill->told ||
	    (!are_back(drill) && now_unix_ms - end_ms < DRILL_BACK_MS))
		return false;
	drill->told = true;
	drill->changed = true;
	buf_format(&line, "drill of %zu nodes", drill->count);
	add_times(&line, drill, "down", false, DRILL_VERDICT, from_ms);
	add_times(&line, drill, "out of answers", false, DRILL_SERVED, from_ms);
	add_times(&line, drill, "back up", true, DRILL_VERDICT, end_ms);
	add_times(&line, drill, "back in answers", true, DRILL_SERVED, end_ms);
	*row = drill->order.row;
	row->at_unix_ms = now_unix_ms;
	row->until_unix_ms = end_ms;
	(void)snprintf(row->action, sizeof(row->action), "drill-end");
	(void)snprintf(row->reason, sizeof(row->reason), "%.*s", (int)line.len,
		       (const char *)line.data);
	buf_free(&line);
	log_info("drill is over", "object=%s report=\"%s\"", row->object, row->reason);
	return true;
}

/* --- kept over restarts ------------------------------------------------------------------------- */

_Static_assert(STORE_DRILL_TIMES == 2 * DRILL_STAGES, "the store keeps all times");

void drill_restore(struct drill *drill, const struct store_drill *stored,
		   const struct store_drill_node *nodes, size_t count)
{
	if (stored->order.at_unix_ms == 0 ||
	    !object_parse(stored->order.object, &drill->order.object))
		return;
	drill->known = true;
	drill->restored = true;
	drill->resumed = !stored->told;
	drill->running = stored->ended_unix_ms == 0;
	drill->ended_unix_ms = stored->ended_unix_ms;
	drill->stopped = stored->stopped;
	drill->told = stored->told;
	drill->order.action = ORDER_DRILL;
	drill->order.row = stored->order;
	for (size_t i = 0; i < count; i++) {
		struct drill_node node = { .was_down = nodes[i].was_down,
					   .has_probes = nodes[i].has_probes };

		(void)snprintf(node.key, sizeof(node.key), "%s", nodes[i].node);
		memcpy(node.down_unix_ms, nodes[i].unix_ms, sizeof(node.down_unix_ms));
		memcpy(node.up_unix_ms, nodes[i].unix_ms + DRILL_STAGES, sizeof(node.up_unix_ms));
		array_add(drill->nodes, drill->count, drill->cap) = node;
	}
}

void drill_save(struct drill *drill, struct store *store, const struct store_action *done)
{
	const struct store_drill row = { .order = drill->order.row,
					 .ended_unix_ms = drill->ended_unix_ms,
					 .stopped = drill->stopped,
					 .told = drill->told };
	struct store_drill_node *nodes;

	if (!drill->known || !drill->changed)
		return;
	nodes = mem_array(drill->count + 1, sizeof(*nodes));
	for (size_t i = 0; i < drill->count; i++) {
		const struct drill_node *node = &drill->nodes[i];

		(void)snprintf(nodes[i].node, sizeof(nodes[i].node), "%s", node->key);
		nodes[i].was_down = node->was_down;
		nodes[i].has_probes = node->has_probes;
		memcpy(nodes[i].unix_ms, node->down_unix_ms, sizeof(node->down_unix_ms));
		memcpy(nodes[i].unix_ms + DRILL_STAGES, node->up_unix_ms, sizeof(node->up_unix_ms));
	}
	store_drill(store, &row, nodes, drill->count, done);
	free(nodes);
	drill->changed = false;
}

/* --- told --------------------------------------------------------------------------------------- */

static json_t *time_json(uint64_t unix_ms)
{
	return unix_ms == 0 ? json_null() : json_integer((json_int_t)unix_ms);
}

static void add_stages(json_t *told, const char *way, const uint64_t times[DRILL_STAGES])
{
	static const char *const names[DRILL_STAGES] = { "ms", "published_ms", "served_ms" };
	char key[32];

	for (int s = 0; s < DRILL_STAGES; s++) {
		(void)snprintf(key, sizeof(key), "%s_%s", way, names[s]);
		json_object_set_new(told, key, time_json(times[s]));
	}
}

static json_t *node_json(const struct drill_node *node)
{
	json_t *told = json_pack("{s:s, s:b, s:b}", "name", node->key, "was_down", node->was_down,
				 "has_probes", node->has_probes);

	json_object_set_new(told, "gone", json_boolean(node->gone));
	json_object_set_new(told, "kept_in", json_boolean(node->kept_in));
	json_object_set_new(told, "kept_out", json_boolean(node->kept_out));
	add_stages(told, "down", node->down_unix_ms);
	add_stages(told, "up", node->up_unix_ms);
	return told;
}

json_t *drill_json(const struct drill *drill)
{
	const struct store_action *row = &drill->order.row;
	json_t *nodes;

	if (!drill->known)
		return json_null();
	nodes = json_array();
	for (size_t i = 0; i < drill->count; i++)
		json_array_append_new(nodes, node_json(&drill->nodes[i]));
	return json_pack("{s:b, s:b, s:b, s:s, s:o, s:I, s:o, s:I, s:I, s:o, s:o}", "running",
			 drill->running, "resumed", drill->resumed, "stopped", drill->stopped,
			 "object", row->object, "who", report_text(row->who), "uid",
			 (json_int_t)row->uid, "reason", report_text(row->reason), "from_ms",
			 (json_int_t)row->from_unix_ms, "until_ms", (json_int_t)row->until_unix_ms,
			 "ended_ms", time_json(drill->ended_unix_ms), "nodes", nodes);
}
