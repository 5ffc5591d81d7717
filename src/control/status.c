#include "control/status.h"

#include <config.h>

#include <string.h>

#include "control/report.h"
#include "image/plan.h"
#include "image/steering.h"
#include "image/zones.h"

static const char *const policy_name[] = { "nearest", "weighted", "failover", "round-robin" };
static const char *const persistence_name[] = { "none", "subnet" };
static const char *const fallback_name[] = { "all",       "none",    "addresses",
					     "last-good", "nearest", "pool" };

/* --- processes and counters ------------------------------------------------------------------ */

static json_t *process(const struct handover_process *p)
{
	return json_pack("{s:I, s:I, s:I}", "pid", (json_int_t)p->pid, "restarts",
			 (json_int_t)p->restarts, "since_ms", (json_int_t)p->started_unix_ms);
}

static json_t *counters(const struct counters *c)
{
	const struct {
		const char *name;
		uint64_t value;
	} rows[] = {
		{ "queries_udp", c->queries_udp },
		{ "queries_tcp", c->queries_tcp },
		{ "answers_udp", c->answers_udp },
		{ "answers_tcp", c->answers_tcp },
		{ "dropped", c->dropped },
		{ "truncated", c->truncated },
		{ "steered", c->steered },
		{ "with_ecs", c->with_ecs },
		{ "connections", c->connections },
		{ "noerror", c->noerror },
		{ "nxdomain", c->nxdomain },
		{ "refused", c->refused },
		{ "formerr", c->formerr },
		{ "servfail", c->servfail },
		{ "notimp", c->notimp },
		{ "badvers", c->badvers },
		{ "connections_open", c->connections_open },
		{ "connections_evicted", c->connections_evicted },
		{ "connections_timed_out", c->connections_timed_out },
	};
	json_t *told = json_object();

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		json_object_set_new(told, rows[i].name, json_integer((json_int_t)rows[i].value));
	return told;
}

static json_t *store(const struct store_health *health)
{
	return json_pack("{s:I, s:I, s:I, s:o}", "written", (json_int_t)health->written, "lost",
			 (json_int_t)health->lost, "pending", (json_int_t)health->pending, "error",
			 report_text(health->error));
}

/* --- pools, sites, nodes ---------------------------------------------------------------------- */

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
	json_object_set_new(told, "reason", json_string(state->reason));
}

static json_t *node(const struct status_input *input, uint32_t number)
{
	const struct image *plan = &input->images->image[IMAGE_PLAN];
	const struct plan_node *n = &plan_items(plan, nodes, struct plan_node)[number];
	json_t *told = json_pack("{s:s, s:o, s:I, s:I}", "name", plan_text(plan, n->name),
				 "addresses", addresses(plan, n->addresses), "weight",
				 (json_int_t)n->weight, "checks", (json_int_t)n->checks.count);

	add_state(told, input->node(input->node_context, number));
	return told;
}

static uint32_t count_up(const struct status_input *input, struct plan_range nodes)
{
	uint32_t up = 0;

	for (uint32_t n = 0; n < nodes.count; n++)
		up += input->node(input->node_context, nodes.first + n)->status != NODE_DOWN;
	return up;
}

static json_t *site(const struct status_input *input, uint32_t pool_site)
{
	const struct image *plan = &input->images->image[IMAGE_PLAN];
	const struct plan_pool_site *s = &plan_items(plan, pool_sites,
						     struct plan_pool_site)[pool_site];
	const struct plan_site *place = &plan_items(plan, sites, struct plan_site)[s->site];
	json_t *nodes = json_array();

	for (uint32_t n = 0; n < s->nodes.count; n++)
		json_array_append_new(nodes, node(input, s->nodes.first + n));
	return json_pack("{s:s, s:f, s:f, s:I, s:I, s:o}", "name", plan_text(plan, place->name),
			 "latitude", place->latitude, "longitude", place->longitude, "up",
			 (json_int_t)count_up(input, s->nodes), "total", (json_int_t)s->nodes.count,
			 "nodes", nodes);
}

static json_t *pool(const struct status_input *input, uint32_t number)
{
	const struct image *plan = &input->images->image[IMAGE_PLAN];
	const struct plan_pool *p = &plan_items(plan, pools, struct plan_pool)[number];
	bool fallen = steering_pool(&input->images->image[IMAGE_STEERING], number)->applied >
		      APPLIED_DRAINING;
	json_t *sites = json_array();

	for (uint32_t s = 0; s < p->sites.count; s++)
		json_array_append_new(sites, site(input, p->sites.first + s));
	return json_pack("{s:s, s:o, s:s, s:s, s:s, s:b, s:I, s:I, s:o}", "name",
			 plan_text(plan, p->name), "file", report_text(plan_text(plan, p->file)),
			 "policy", policy_name[p->policy], "persistence",
			 persistence_name[p->persistence], "fallback", fallback_name[p->fallback],
			 "fallback_active", fallen, "up", (json_int_t)count_up(input, p->nodes),
			 "total", (json_int_t)p->nodes.count, "sites", sites);
}

/* All pools, or the one of this name; NULL: there is none of this name. */
static json_t *pools(const struct status_input *input, const char *name)
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

/* --- the world ------------------------------------------------------------------------------- */

static json_t *world(const struct status_input *input)
{
	const struct image *zones;
	json_int_t records = 0;

	if (input->images == NULL)
		return json_null();
	zones = &input->images->image[IMAGE_ZONES];
	for (uint32_t z = 0; z < image_root(zones, struct zones_root)->zone_count; z++)
		records += zones_segment(zones, z)->record_count;
	return json_pack("{s:s, s:o, s:I, s:I, s:I, s:I}", "source", input->world_source,
			 "save_error", report_text(input->save_error), "since_ms",
			 (json_int_t)input->world_since_unix_ms, "zones",
			 (json_int_t)image_root(zones, struct zones_root)->zone_count, "records",
			 records, "pool_records",
			 (json_int_t)image_root(zones, struct zones_root)->pool_record_count);
}

json_t *status_json(const struct status_input *input, const char *pool_name)
{
	json_t *list = pools(input, pool_name);
	json_t *last;

	if (list == NULL)
		return NULL;
	last = input->last_reload == NULL ? json_null() : json_deep_copy(input->last_reload);
	return json_pack(
		"{s:b, s:s, s:I, s:o, s:o, s:s, s:{s:o, s:o, s:o}, s:o, s:o, s:o, s:o, s:o, s:b, s:o}",
		"ok", true, "version", PACKAGE_VERSION, "now_ms", (json_int_t)input->now_unix_ms,
		"server_file", report_text(input->server_file), "state",
		report_text(input->state_dir), "serving", input->serving, "processes", "supervisor",
		process(input->supervisor), "dns", process(input->dns), "control",
		process(input->control), "images",
		input->images == NULL ? json_object() : report_images(input->images), "world",
		world(input), "counters", counters(input->counters), "store", store(input->store),
		"pools", list, "reloading", input->reloading, "last_reload", last);
}

json_t *status_nodes(const struct status_input *input)
{
	const struct image *plan = &input->images->image[IMAGE_PLAN];
	json_t *list = json_array();

	for (uint32_t n = 0; n < plan_count(plan, nodes); n++)
		json_array_append_new(list, node(input, n));
	return list;
}
