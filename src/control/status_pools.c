/* Pools, sites and nodes: how they are, and what they are steered by. */
#include <string.h>

#include "control/orders_json.h"
#include "control/report.h"
#include "control/status_parts.h"
#include "image/plan.h"
#include "image/steering.h"

static const char *const policy_name[] = { "nearest", "weighted", "failover", "round-robin" };
static const char *const persistence_name[] = { "none", "subnet" };
static const char *const fallback_name[] = { "all",       "none",    "addresses",
					     "last-good", "nearest", "pool" };

/* Of enum steer_state. */
static const char *const steered_name[] = { "down", "disabled", "draining", "up" };

static json_t *addresses(const struct image *plan, struct plan_range range)
{
	json_t *list = json_array();

	for (uint32_t a = 0; a < range.count; a++) {
		char text[IP_TEXT_SIZE];

		json_array_append_new(
			list, json_string(ip_format(&plan_items(plan, addresses,
								struct ip_address)[range.first + a],
						    text)));
	}
	return list;
}

static void add_state(json_t *told, const struct node_state *state)
{
	json_object_set_new(told, "status", json_string(node_status_name[state->status]));
	json_object_set_new(told, "adopted", json_boolean(state->adopted));
	json_object_set_new(told, "since_ms", json_integer((json_int_t)state->since_unix_ms));
	json_object_set_new(told, "checked_ms", json_integer((json_int_t)state->checked_unix_ms));
	json_object_set_new(told, "rtt_us", json_integer(state->rtt_us));
	json_object_set_new(told, "verdict_within_ms",
			    json_integer((json_int_t)state->verdict_within_ms));
	json_object_set_new(told, "flap_rise", json_integer((json_int_t)state->flap_rise));
	json_object_set_new(told, "reason", json_string(state->reason));
}

static json_t *ordered(const struct status_input *input, uint32_t order)
{
	if (order == ADMIN_NONE)
		return json_null();
	return order_json(&input->orders->list[order], &input->images->image[IMAGE_PLAN],
			  input->now_unix_ms);
}

/* What decided a node's admin state: an order, a window of the pool file, or an agent. */
static json_t *decided_by(const struct status_input *input, uint32_t number)
{
	const struct image *plan = &input->images->image[IMAGE_PLAN];
	const struct admin *admin = &input->inputs->admin[number];

	if (input->inputs->stances[number].wished)
		return wish_json(plan, number, stance_state_name(&input->inputs->stances[number]));
	if (admin->order != ADMIN_NONE)
		return ordered(input, admin->order);
	if (admin->window != ADMIN_NONE)
		return window_json(plan, admin->window, input->now_unix_ms);
	return ordered(input, admin->forced_up);
}

/* Of which families its addresses are not answered, for their path is down. */
static json_t *down_families(const struct steer_node *steered)
{
	json_t *list = json_array();

	if ((steered->families & STEER_IPV4) == 0)
		json_array_append_new(list, json_string("IPv4"));
	if ((steered->families & STEER_IPV6) == 0)
		json_array_append_new(list, json_string("IPv6"));
	return list;
}

/* Of enum probe_wish. */
static const char *const wish_name[] = { "none", "ready", "drain", "maint" };

/* What its probes, and its agents, say beside up and down. */
static void add_condition(json_t *told, const struct status_input *input, uint32_t number)
{
	const struct inputs *inputs = input->inputs;
	const struct node_state *state = input->node(input->node_context, number);
	enum condition condition = condition_of(&inputs->stances[number], state,
						inputs->ramp_levels[number] != RAMP_ALL);

	json_object_set_new(told, "condition", json_string(condition_name[condition]));
	json_object_set_new(told, "degraded", json_boolean(state->degraded));
	json_object_set_new(told, "down_families", down_families(&inputs->nodes[number]));
	json_object_set_new(told, "families_since_ms",
			    json_integer((json_int_t)state->families_since_unix_ms));
	json_object_set_new(told, "ramp_level", json_integer(inputs->ramp_levels[number]));
	json_object_set_new(told, "wish", json_string(wish_name[state->wish]));
	json_object_set_new(told, "wish_percent", json_integer(state->weight_percent));
}

static void add_admin(json_t *told, const struct status_input *input, uint32_t number)
{
	const struct inputs *inputs = input->inputs;
	const struct image *plan = &input->images->image[IMAGE_PLAN];
	const struct admin *admin = &inputs->admin[number];
	const struct steer_node *steered = &inputs->nodes[number];

	json_object_set_new(told, "state",
			    json_string(stance_state_name(&inputs->stances[number])));
	json_object_set_new(told, "state_by", decided_by(input, number));
	json_object_set_new(told, "forced_up_by", ordered(input, admin->forced_up));
	json_object_set_new(told, "weight", json_integer(steered->weight));
	json_object_set_new(told, "configured_weight",
			    json_integer(plan_items(plan, nodes, struct plan_node)[number].weight));
	if (admin->weight_order != ADMIN_NONE)
		json_object_set_new(told, "weight_by", ordered(input, admin->weight_order));
	json_object_set_new(told, "factors", status_factors(input, number));
	json_object_set_new(told, "steered", json_string(steered_name[steered->state]));
	json_object_set_new(told, "level", json_integer(steered->level));
	json_object_set_new(told, "ttl_s", json_integer(steered->ttl_s));
	json_object_set_new(told, "held", json_boolean(inputs->held[number]));
}

/* Null where there is no report, or none that counts. */
static void add_load(json_t *told, const struct status_input *input, uint32_t number)
{
	const struct node_load *load = &input->inputs->loads[number];

	json_object_set_new(told, "load",
			    inputs_load_counts(input->inputs, number, input->now_unix_ms)
				    ? json_real(load->load)
				    : json_null());
	json_object_set_new(told, "load_at_ms", json_integer((json_int_t)load->at_unix_ms));
	json_object_set_new(told, "follows", status_follows(input, number));
}

static json_t *node(const struct status_input *input, uint32_t number)
{
	const struct image *plan = &input->images->image[IMAGE_PLAN];
	const struct plan_node *n = &plan_items(plan, nodes, struct plan_node)[number];
	json_t *told = json_pack("{s:s, s:o, s:I, s:I}", "name", plan_text(plan, n->name),
				 "addresses", addresses(plan, n->addresses), "checks",
				 (json_int_t)n->checks.count, "capacity", (json_int_t)n->capacity);

	add_state(told, input->node(input->node_context, number));
	add_admin(told, input, number);
	add_condition(told, input, number);
	add_load(told, input, number);
	return told;
}

static uint32_t count_up(const struct status_input *input, struct plan_range nodes)
{
	uint32_t up = 0;

	for (uint32_t n = 0; n < nodes.count; n++)
		up += input->node(input->node_context, nodes.first + n)->status != NODE_DOWN;
	return up;
}

/* Those that are answered as they should be. */
static uint32_t count_usable(const struct status_input *input, struct plan_range nodes)
{
	uint32_t usable = 0;

	for (uint32_t n = 0; n < nodes.count; n++)
		usable += input->inputs->nodes[nodes.first + n].state == STEER_UP;
	return usable;
}

/* How much of a site is used, and which part of its clients it keeps. */
static void add_use(json_t *told, const struct spill_site *site)
{
	json_object_set_new(told, "use", site->known ? json_real(site->use) : json_null());
	json_object_set_new(told, "spilling", json_boolean(site->spilling));
	json_object_set_new(told, "keep", json_real((double)site->keep / SPILL_KEEP_ALL));
}

static json_t *site(const struct status_input *input, uint32_t pool_site)
{
	const struct image *plan = &input->images->image[IMAGE_PLAN];
	const struct plan_pool_site *s = &plan_items(plan, pool_sites,
						     struct plan_pool_site)[pool_site];
	const struct plan_site *place = &plan_items(plan, sites, struct plan_site)[s->site];
	json_t *nodes = json_array(), *told;

	for (uint32_t n = 0; n < s->nodes.count; n++)
		json_array_append_new(nodes, node(input, s->nodes.first + n));
	told = json_pack("{s:s, s:f, s:f, s:I, s:I, s:I, s:I, s:I, s:o}", "name",
			 plan_text(plan, place->name), "latitude", place->latitude, "longitude",
			 place->longitude, "up", (json_int_t)count_up(input, s->nodes), "usable",
			 (json_int_t)count_usable(input, s->nodes), "total",
			 (json_int_t)s->nodes.count, "spill_high", (json_int_t)s->spill_high,
			 "spill_low", (json_int_t)s->spill_low, "nodes", nodes);
	add_use(told, &input->inputs->sites[pool_site]);
	return told;
}

static json_t *alarm_json(const struct plan_pool *pool, const struct cap *cap, bool is_drill)
{
	if (!cap->over)
		return json_null();
	return json_pack("{s:I, s:I, s:I, s:I, s:I, s:b, s:b}", "since_ms",
			 (json_int_t)cap->since_unix_ms, "down", (json_int_t)cap->down, "of",
			 (json_int_t)cap->counted, "max", (json_int_t)cap->limit, "held",
			 (json_int_t)cap->held, "freeze", pool->freeze != 0, "drill", is_drill);
}

/* The pool that stands in, by its name; null: none does. */
static json_t *applied_pool(const struct image *plan, const struct plan_pool *p, unsigned applied)
{
	uint32_t other = applied == APPLIED_BACKUP ? p->backup
			 : applied == APPLIED_POOL ? p->fallback_pool
						   : PLAN_NONE;

	return other == PLAN_NONE
		       ? json_null()
		       : json_string(plan_text(
				 plan, plan_items(plan, pools, struct plan_pool)[other].name));
}

static json_t *pool(const struct status_input *input, uint32_t number)
{
	const struct image *plan = &input->images->image[IMAGE_PLAN];
	const struct plan_pool *p = &plan_items(plan, pools, struct plan_pool)[number];
	uint8_t applied = steering_pool(&input->images->image[IMAGE_STEERING], number)->applied;
	json_t *sites = json_array();

	for (uint32_t s = 0; s < p->sites.count; s++)
		json_array_append_new(sites, site(input, p->sites.first + s));
	return json_pack("{s:s, s:o, s:s, s:s, s:s, s:b, s:s, s:o, s:o, s:I, s:I, s:I, s:o}",
			 "name", plan_text(plan, p->name), "file",
			 report_text(plan_text(plan, p->file)), "policy", policy_name[p->policy],
			 "persistence", persistence_name[p->persistence], "fallback",
			 fallback_name[p->fallback], "fallback_active", applied > APPLIED_DRAINING,
			 "applied", steering_applied_name[applied], "applied_pool",
			 applied_pool(plan, p, applied), "alarm",
			 alarm_json(p, &input->inputs->caps[number],
				    drill_concerns(input->drill, plan, number)),
			 "up", (json_int_t)count_up(input, p->nodes), "usable",
			 (json_int_t)count_usable(input, p->nodes), "total",
			 (json_int_t)p->nodes.count, "sites", sites);
}

json_t *status_pools(const struct status_input *input, const char *name)
{
	const struct image *plan = input->images == NULL ? NULL : &input->images->image[IMAGE_PLAN];
	uint32_t count = plan == NULL ? 0 : plan_count(plan, pools);
	json_t *list = json_array();

	for (uint32_t p = 0; p < count; p++) {
		if (name == NULL ||
		    strcmp(plan_text(plan, plan_items(plan, pools, struct plan_pool)[p].name),
			   name) == 0)
			json_array_append_new(list, pool(input, p));
	}
	if (name != NULL && json_array_size(list) == 0) {
		json_decref(list);
		return NULL;
	}
	return list;
}

json_t *status_nodes(const struct status_input *input)
{
	const struct image *plan = &input->images->image[IMAGE_PLAN];
	json_t *list = json_array();

	for (uint32_t n = 0; n < plan_count(plan, nodes); n++)
		json_array_append_new(list, node(input, n));
	return list;
}

json_t *status_sites(const struct status_input *input)
{
	const struct image *plan = &input->images->image[IMAGE_PLAN];
	json_t *list = json_array();

	for (uint32_t s = 0; s < plan_count(plan, pool_sites); s++) {
		json_t *told = json_object();

		add_use(told, &input->inputs->sites[s]);
		json_array_append_new(list, told);
	}
	return list;
}
