#include "control/inputs.h"

#include <stdlib.h>
#include <string.h>

#include "control/inputs_parts.h"
#include "control/names.h"

#define KEEP_STEPS 200U

/* --- life ------------------------------------------------------------------------------------- */

static void carry_ramps(struct inputs *inputs, uint32_t pool, const struct inputs *before,
			uint32_t former_pool)
{
	const struct plan_range *range =
		&plan_items(inputs->plan, pools, struct plan_pool)[pool].nodes;
	const struct plan_node *nodes = plan_items(inputs->plan, nodes, struct plan_node);

	for (uint32_t i = 0; i < range->count; i++) {
		uint32_t n = range->first + i;
		uint32_t former = plan_find_node(before->plan, former_pool,
						 plan_text(inputs->plan, nodes[n].name), i);

		if (former != PLAN_NONE)
			inputs->ramps[n] = before->ramps[former];
	}
}

/* Alarms, spilling and ramps of what was there before. */
static void carry(struct inputs *inputs, const struct inputs *before)
{
	const struct plan_pool *pools = plan_items(inputs->plan, pools, struct plan_pool);
	const struct plan_pool_site *sites = plan_items(inputs->plan, pool_sites,
							struct plan_pool_site);

	for (uint32_t p = 0; p < plan_count(inputs->plan, pools); p++) {
		uint32_t former = plan_find_pool(before->plan,
						 plan_text(inputs->plan, pools[p].name), p);

		if (former == PLAN_NONE)
			continue;
		inputs->caps[p] = before->caps[former];
		carry_ramps(inputs, p, before, former);
	}
	for (uint32_t s = 0; s < plan_count(inputs->plan, pool_sites); s++) {
		const char *pool = plan_text(inputs->plan, pools[sites[s].pool].name);
		uint32_t former = plan_find_site(before->plan, pool,
						 plan_site_name(inputs->plan, s), s);

		if (former != PLAN_NONE)
			inputs->sites[s] = before->sites[former];
	}
	inputs_load_carry(inputs, before);
}

/* As it was stored with the nodes: between the marks it is what was before that decides. */
static bool was_spilling(const struct memory *memory, const struct image *plan,
			 const struct plan_pool_site *site)
{
	char key[NODE_KEY_SIZE];

	for (uint32_t n = site->nodes.first; n < site->nodes.first + site->nodes.count; n++) {
		if (memory_spilling(memory, node_key(plan, n, key)))
			return true;
	}
	return false;
}

struct inputs *inputs_new(const struct image *plan, const struct orders *orders,
			  const struct memory *memory, const struct inputs *before)
{
	struct inputs *inputs = mem_alloc(sizeof(*inputs));
	size_t nodes = plan_count(plan, nodes) + 1U;
	size_t sites = plan_count(plan, pool_sites) + 1U;
	char key[NODE_KEY_SIZE];

	inputs->plan = plan;
	inputs->orders = orders;
	inputs->admin = mem_array(nodes, sizeof(*inputs->admin));
	inputs->stances = mem_array(nodes, sizeof(*inputs->stances));
	inputs->ramps = mem_array(nodes, sizeof(*inputs->ramps));
	inputs->ramp_levels = mem_array(nodes, sizeof(*inputs->ramp_levels));
	inputs->nodes = mem_array(nodes, sizeof(*inputs->nodes));
	inputs->held = mem_array(nodes, sizeof(*inputs->held));
	inputs->last_good = mem_array(nodes, sizeof(*inputs->last_good));
	inputs->loads = mem_array(nodes, sizeof(*inputs->loads));
	inputs->follows = mem_array(nodes, sizeof(*inputs->follows));
	inputs->windows = mem_array(nodes, sizeof(*inputs->windows));
	inputs->caps = mem_array(plan_count(plan, pools) + 1U, sizeof(*inputs->caps));
	inputs->sites = mem_array(sites, sizeof(*inputs->sites));
	inputs->keep = mem_array(sites, sizeof(*inputs->keep));
	for (uint32_t n = 0; n < plan_count(plan, nodes); n++) {
		inputs->loads[n] = memory_load(memory, node_key(plan, n, key));
		inputs->follows[n] = LOAD_NODE;
	}
	for (uint32_t s = 0; s < plan_count(plan, pool_sites); s++)
		inputs->sites[s].spilling = was_spilling(
			memory, plan, &plan_items(plan, pool_sites, struct plan_pool_site)[s]);
	if (before != NULL)
		carry(inputs, before);
	return inputs;
}

void inputs_free(struct inputs *inputs)
{
	if (inputs == NULL)
		return;
	free(inputs->admin);
	free(inputs->stances);
	free(inputs->ramps);
	free(inputs->ramp_levels);
	free(inputs->nodes);
	free(inputs->held);
	free(inputs->last_good);
	free(inputs->loads);
	for (uint32_t n = 0; n < plan_count(inputs->plan, nodes); n++) {
		load_free(&inputs->follows[n]);
		window_close(&inputs->windows[n]);
	}
	free(inputs->follows);
	free(inputs->windows);
	free(inputs->caps);
	free(inputs->sites);
	free(inputs->keep);
	free(inputs);
}

void inputs_orders_changed(struct inputs *inputs)
{
	inputs->span = (struct admin_span){ 0, 0 }; /* no time is in it */
}

/* --- what holds now ---------------------------------------------------------------------------- */

/* One update: what it looks at. */
struct view {
	struct inputs *inputs;
	inputs_state_fn *state;
	const void *context;
	uint64_t now_unix_ms, now_mono_ms;
};

static const struct node_state *state_of(const struct view *view, uint32_t node)
{
	return view->state(view->context, node);
}

/* Unknown counts as up. */
static bool is_down(const struct view *view, uint32_t node)
{
	return view->inputs->stances[node].down;
}

static uint64_t down_since(const struct view *view, uint32_t node)
{
	return view->inputs->stances[node].since_unix_ms;
}

static void update_cap(const struct view *view, uint32_t pool)
{
	struct inputs *inputs = view->inputs;
	const struct plan_pool *p = &plan_items(inputs->plan, pools, struct plan_pool)[pool];
	struct cap_node *nodes = mem_array(p->nodes.count + 1U, sizeof(*nodes));

	for (uint32_t i = 0; i < p->nodes.count; i++) {
		uint32_t n = p->nodes.first + i;

		nodes[i] = (struct cap_node){ .counted = inputs->stances[n].state == ADMIN_ENABLED,
					      .down = is_down(view, n),
					      .since_unix_ms = down_since(view, n) };
	}
	inputs->caps[pool] = cap_judge(p->max_automatic_down, p->freeze != 0, nodes, p->nodes.count,
				       &inputs->caps[pool]);
	for (uint32_t i = 0; i < p->nodes.count; i++)
		inputs->held[p->nodes.first + i] = nodes[i].held;
	free(nodes);
}

/* How long a probe takes at most to find a node of this pool down. */
static uint64_t detection_ms(const struct image *plan, const struct plan_pool *pool)
{
	const struct plan_node *nodes = plan_items(plan, nodes, struct plan_node);
	const struct plan_check *checks = plan_items(plan, checks, struct plan_check);
	const struct plan_probe *probes = plan_items(plan, probes, struct plan_probe);
	uint64_t longest_ms = 0;

	for (uint32_t n = pool->nodes.first; n < pool->nodes.first + pool->nodes.count; n++) {
		for (uint32_t c = 0; c < nodes[n].checks.count; c++) {
			const struct plan_probe *probe =
				&probes[checks[nodes[n].checks.first + c].probe];
			uint64_t ms = ((uint64_t)probe->interval_ms + probe->timeout_ms) *
				      probe->fall;

			if ((probe->roles & PROBE_HEALTH) != 0 && ms > longest_ms)
				longest_ms = ms;
		}
	}
	return longest_ms;
}

/* By operators: a fallback never answers it. */
static bool is_disabled(const struct view *view, uint32_t node)
{
	const struct stance *stance = &view->inputs->stances[node];

	return stance->state == ADMIN_DISABLED && !stance->wished;
}

/* By its agents alone. They are programs: a mistake in what they all run must not leave a pool
 * without answers. So it is not answered, but under a fallback as one that is down. */
static bool is_wished_out(const struct view *view, uint32_t node)
{
	const struct stance *stance = &view->inputs->stances[node];

	return stance->state == ADMIN_DISABLED && stance->wished;
}

/* Nodes that went down at this time or later were up when the last one of the pool was; 0: some
 * still are. Nodes that fail together are found down one after the other, within the time that
 * finding it takes. */
static uint64_t last_good_since(const struct view *view, const struct plan_pool *pool)
{
	uint64_t last_ms = 0, within_ms;

	for (uint32_t n = pool->nodes.first; n < pool->nodes.first + pool->nodes.count; n++) {
		if (is_disabled(view, n))
			continue;
		if (!is_down(view, n))
			return 0;
		if (down_since(view, n) > last_ms)
			last_ms = down_since(view, n);
	}
	within_ms = detection_ms(view->inputs->plan, pool);
	return last_ms > within_ms ? last_ms - within_ms : 1;
}

static void update_last_good(const struct view *view, uint32_t pool)
{
	const struct plan_pool *p = &plan_items(view->inputs->plan, pools, struct plan_pool)[pool];
	uint64_t since_ms = last_good_since(view, p);

	for (uint32_t n = p->nodes.first; n < p->nodes.first + p->nodes.count; n++)
		view->inputs->last_good[n] = !is_disabled(view, n) &&
					     (since_ms == 0 ? !is_down(view, n)
							    : down_since(view, n) >= since_ms);
}

static enum steer_state steer_state_of(const struct view *view, uint32_t node)
{
	const struct inputs *inputs = view->inputs;

	if (is_disabled(view, node))
		return STEER_DISABLED;
	if ((is_down(view, node) && !inputs->held[node]) || is_wished_out(view, node))
		return STEER_DOWN;
	return inputs->stances[node].state == ADMIN_DRAINING ? STEER_DRAINING : STEER_UP;
}

static uint16_t look_at_ramp(const struct view *view, uint32_t node)
{
	const struct plan_node *n = &plan_items(view->inputs->plan, nodes, struct plan_node)[node];
	const struct plan_pool *pool = &plan_items(view->inputs->plan, pools,
						   struct plan_pool)[n->pool];
	const struct ramp_settings settings = { pool->ramp_ms, (uint8_t)pool->ramp_percent };
	const struct node_state *state = state_of(view, node);
	bool is_out = is_down(view, node) && !view->inputs->held[node] && !state->adopted;

	return ramp_look(&view->inputs->ramps[node], &settings, state->recovered_mono_ms, is_out,
			 view->now_mono_ms);
}

/* Of two parts of the weight, which are as the levels are; never nothing of something. */
static uint16_t multiply(uint16_t a, uint16_t b)
{
	uint32_t level = (uint32_t)a * b / STEER_ALL;

	return (uint16_t)(level == 0 && a > 0 && b > 0 ? 1 : level);
}

/* 0: nothing is near. */
static void lower(struct steer_node *node, uint32_t ttl_s)
{
	if (ttl_s != 0 && (node->ttl_s == 0 || ttl_s < node->ttl_s))
		node->ttl_s = ttl_s;
}

/* Near verdicts on who is forced up change nothing. */
static uint32_t verdict_ttl_s(const struct view *view, uint32_t node)
{
	if (view->inputs->admin[node].forced_up != ADMIN_NONE)
		return 0;
	return (state_of(view, node)->verdict_within_ms + 999) / 1000;
}

/* That somebody is forced up begins or ends: it matters only where its probes say otherwise. */
static bool matters(const struct view *view, uint32_t node)
{
	const struct admin *admin = &view->inputs->admin[node];

	return admin->next_state != admin->state || state_of(view, node)->status == NODE_DOWN;
}

/* What ramp, load and agents leave of its weight. */
static uint16_t level_of(const struct inputs *inputs, uint32_t node)
{
	return multiply(inputs->follows[node].level,
			multiply(inputs->stances[node].level, inputs->ramp_levels[node]));
}

static void update_node(const struct view *view, uint32_t node)
{
	struct inputs *inputs = view->inputs;
	const struct stance *stance = &inputs->stances[node];

	inputs->ramp_levels[node] = look_at_ramp(view, node);
	inputs->nodes[node] = (struct steer_node){
		.state = (uint8_t)steer_state_of(view, node),
		.families = stance->families,
		.level = level_of(inputs, node),
		.weight = stance->weight,
		.ttl_s = verdict_ttl_s(view, node),
	};
	if (matters(view, node))
		lower(&inputs->nodes[node],
		      admin_ttl_s(inputs->admin[node].next_unix_ms, view->now_unix_ms));
}

/* Will it be answered again when its state changes next, and is not now? */
static bool will_return(const struct view *view, uint32_t node)
{
	const struct admin *admin = &view->inputs->admin[node];
	bool ill = state_of(view, node)->status == NODE_DOWN && !view->inputs->held[node];
	bool up_now = admin->forced_up != ADMIN_NONE || !ill;
	bool up_then = admin->next_forced_up || !ill;

	return admin->next_unix_ms != 0 && up_then &&
	       (admin->next_state < admin->state || (admin->next_state == admin->state && !up_now));
}

/* When the first node of a site comes back into answers, as far as is planned; 0: none does. */
static uint64_t next_return(const struct view *view, const struct plan_pool_site *site)
{
	uint64_t first_ms = 0;

	for (uint32_t n = site->nodes.first; n < site->nodes.first + site->nodes.count; n++) {
		const struct admin *admin = &view->inputs->admin[n];

		if (will_return(view, n) && (first_ms == 0 || admin->next_unix_ms < first_ms))
			first_ms = admin->next_unix_ms;
	}
	return first_ms;
}

/* Of the nodes that are answered; false: there are none. */
static bool lower_all(struct inputs *inputs, const struct plan_range *nodes, uint32_t ttl_s)
{
	bool any = false;

	for (uint32_t n = nodes->first; n < nodes->first + nodes->count; n++) {
		if (inputs->nodes[n].state != STEER_UP)
			continue;
		any = true;
		lower(&inputs->nodes[n], ttl_s);
	}
	return any;
}

/* Whose clients a node takes back is its site's other nodes; where the site has none, those of any
 * site may stand in for it. */
static void update_returns(const struct view *view, uint32_t pool)
{
	struct inputs *inputs = view->inputs;
	const struct plan_pool *p = &plan_items(inputs->plan, pools, struct plan_pool)[pool];
	const struct plan_pool_site *sites = plan_items(inputs->plan, pool_sites,
							struct plan_pool_site);
	uint64_t first_ms = 0;

	for (uint32_t s = p->sites.first; s < p->sites.first + p->sites.count; s++) {
		uint64_t at_ms = next_return(view, &sites[s]);

		if (at_ms != 0 &&
		    !lower_all(inputs, &sites[s].nodes, admin_ttl_s(at_ms, view->now_unix_ms)) &&
		    (first_ms == 0 || at_ms < first_ms))
			first_ms = at_ms;
	}
	if (first_ms != 0)
		(void)lower_all(inputs, &p->nodes, admin_ttl_s(first_ms, view->now_unix_ms));
}

/* To half a percent: what changes less is worth no new steering image. */
static uint16_t keep_in_steps(uint16_t keep)
{
	uint32_t steps = ((uint32_t)keep * KEEP_STEPS + SPILL_KEEP_ALL / 2) / SPILL_KEEP_ALL;

	return (uint16_t)(steps * SPILL_KEEP_ALL / KEEP_STEPS);
}

static void update_site(const struct view *view, uint32_t number)
{
	struct inputs *inputs = view->inputs;
	const struct plan_pool_site *site = &plan_items(inputs->plan, pool_sites,
							struct plan_pool_site)[number];
	const struct plan_pool *pool = &plan_items(inputs->plan, pools,
						   struct plan_pool)[site->pool];
	const struct plan_node *list = plan_items(inputs->plan, nodes, struct plan_node);
	const struct spill_marks marks = { site->spill_high, site->spill_low, pool->load_age_ms };
	struct spill_node *nodes = mem_array(site->nodes.count + 1U, sizeof(*nodes));

	for (uint32_t i = 0; i < site->nodes.count; i++) {
		uint32_t n = site->nodes.first + i;
		const struct node_load *load = &inputs->loads[n];

		nodes[i] = (struct spill_node){ .healthy = inputs->nodes[n].state == STEER_UP,
						.reported = load->at_unix_ms != 0,
						.capacity = list[n].capacity,
						.load = load->load,
						.age_ms = inputs_load_age_ms(load,
									     view->now_unix_ms) };
	}
	spill_update(&inputs->sites[number], &marks, nodes, site->nodes.count);
	inputs->keep[number] = keep_in_steps(inputs->sites[number].keep);
	free(nodes);
}

static void update_all(const struct view *view)
{
	struct inputs *inputs = view->inputs;
	const struct image *plan = inputs->plan;

	if (!admin_span_has(&inputs->span, view->now_unix_ms))
		inputs->span = admin_judge(inputs->orders, plan, view->now_unix_ms, inputs->admin);
	for (uint32_t n = 0; n < plan_count(plan, nodes); n++)
		inputs->stances[n] = stance_of(&inputs->admin[n], inputs->orders,
					       state_of(view, n));
	for (uint32_t p = 0; p < plan_count(plan, pools); p++) {
		update_cap(view, p);
		update_last_good(view, p);
	}
	inputs_load_update(inputs, view->now_unix_ms, view->now_mono_ms);
	for (uint32_t n = 0; n < plan_count(plan, nodes); n++)
		update_node(view, n);
	for (uint32_t p = 0; p < plan_count(plan, pools); p++)
		update_returns(view, p);
	for (uint32_t s = 0; s < plan_count(plan, pool_sites); s++)
		update_site(view, s);
}

bool inputs_update(struct inputs *inputs, inputs_state_fn *state, const void *context,
		   uint64_t now_unix_ms, uint64_t now_mono_ms)
{
	const struct view view = { inputs, state, context, now_unix_ms, now_mono_ms };
	size_t nodes = plan_count(inputs->plan, nodes) * sizeof(*inputs->nodes);
	size_t good = plan_count(inputs->plan, nodes) * sizeof(*inputs->last_good);
	size_t keep = plan_count(inputs->plan, pool_sites) * sizeof(*inputs->keep);
	struct buf before = { 0 };
	bool changed;

	buf_append(&before, inputs->nodes, nodes);
	buf_append(&before, inputs->last_good, good);
	buf_append(&before, inputs->keep, keep);
	update_all(&view);
	/* Without pools there is nothing to compare. */
	changed = before.len > 0 && (memcmp(before.data, inputs->nodes, nodes) != 0 ||
				     memcmp(before.data + nodes, inputs->last_good, good) != 0 ||
				     memcmp(before.data + nodes + good, inputs->keep, keep) != 0);
	buf_free(&before);
	return changed;
}

bool inputs_are_ramping(const struct inputs *inputs)
{
	for (uint32_t n = 0; n < plan_count(inputs->plan, nodes); n++) {
		if (inputs->ramps[n].runs)
			return true;
	}
	return false;
}

void inputs_end_ramps(struct inputs *inputs, const bool *yields)
{
	for (uint32_t n = 0; n < plan_count(inputs->plan, nodes); n++) {
		if (inputs->nodes[n].state == STEER_UP && !yields[n])
			inputs->ramps[n].runs = false;
	}
}

struct steer_input inputs_steer(const struct inputs *inputs, uint64_t now_unix_ms)
{
	return (struct steer_input){ .nodes = inputs->nodes,
				     .keep = inputs->keep,
				     .last_good = inputs->last_good,
				     .now_unix_s = now_unix_ms / 1000 };
}
