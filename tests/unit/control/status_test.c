#include <stdlib.h>
#include <string.h>

#include "../run.h"
#include "../steer/compiled.h"
#include "base/mem.h"
#include "control/report.h"
#include "control/status.h"
#include "control_test.h"

static const struct make_site sites[] = {
	{ "tokyo", 35.68, 139.69 },
	{ "london", 51.51, -0.13 },
};
static const struct make_pool pools[] = { { .name = "edge", .sites = "tokyo london" } };
static const struct make_node nodes[] = {
	{ "edge", "tokyo", "a", 100, "192.0.2.1" },
	{ "edge", "tokyo", "b", 50, "192.0.2.2 2001:db8::2" },
	{ "edge", "london", "c", 100, "192.0.2.3" },
};
static const struct make_pool following[] = { { .name = "edge",
						.sites = "tokyo london",
						.load = { .on = 1,
							  .low_percent = 60,
							  .high_percent = 100,
							  .floor_percent = 20,
							  .step_percent = 100,
							  .stale_ms = 60000 } } };
static const struct make_pref prefs[] = { { "edge", "tokyo london", false } };
static const struct make_record records[] = { { "vpn.example.net.", "edge", NULL, 30 } };
static const struct make_plan plan = { .sites = sites,
				       .site_count = 2,
				       .pools = pools,
				       .pool_count = 1,
				       .nodes = nodes,
				       .node_count = 3,
				       .prefs = prefs,
				       .pref_count = 1,
				       .records = records,
				       .record_count = 1 };

#define NOW_MONO_MS 7000

static struct node_state states[3];

static const struct node_state *state_of(const void *context, uint32_t node)
{
	ck_assert_ptr_eq(context, states);
	return &states[node];
}

struct fixture {
	struct compiled compiled;
	struct images images;
	struct handover_process processes[3];
	struct counters counters;
	struct store_health store;
	struct memory *memory;
	struct inputs *inputs;
	struct orders orders;
	struct status_input input;
	struct drill drill;
};

static void open_fixture_of(struct fixture *f, const struct make_plan *rows)
{
	memset(f, 0, sizeof(*f));
	memset(states, 0, sizeof(states));
	for (size_t n = 0; n < 3; n++)
		states[n].weight_percent = 100;
	compiled_open(&f->compiled, rows);
	for (int kind = 0; kind < IMAGE_KINDS; kind++)
		f->images.fd[kind] = kind == IMAGE_LOCATIONS ? -1 : 0;
	f->images.image[IMAGE_ZONES] = f->compiled.made.zones;
	f->images.image[IMAGE_GEO] = f->compiled.made.geo;
	f->images.image[IMAGE_PLAN] = f->compiled.made.plan;
	f->images.image[IMAGE_STEERING] = f->compiled.image;
	f->processes[1] = (struct handover_process){ .pid = 42, .restarts = 7 };
	f->counters.queries_udp = 1000;
	f->counters.badvers = 1;
	f->store.lost[STORE_MINUTES] = 3;
	(void)snprintf(f->store.error, sizeof(f->store.error), "disk full: \xff");
	f->input = (struct status_input){
		.now_unix_ms = 5000,
		.now_mono_ms = NOW_MONO_MS,
		.server_file = "/etc/sign\xfepost.yaml",
		.state_dir = "/var/lib",
		.supervisor = &f->processes[0],
		.dns = &f->processes[1],
		.control = &f->processes[2],
		.counters = &f->counters,
		.save_error = "disk full",
		.serving = "serving",
		.store = &f->store,
		.images = &f->images,
		.world_source = "compiled",
		.node = state_of,
		.node_context = states,
		.orders = &f->orders,
		.drill = &f->drill,
	};
	f->memory = memory_new();
	f->inputs = inputs_new(&f->images.image[IMAGE_PLAN], &f->orders, f->memory, NULL);
	f->input.inputs = f->inputs;
}

static void open_fixture(struct fixture *f)
{
	open_fixture_of(f, &plan);
}

static void judge(struct fixture *f)
{
	(void)inputs_update(f->inputs, state_of, states, f->input.now_unix_ms, NOW_MONO_MS);
}

static void close_fixture(struct fixture *f)
{
	inputs_free(f->inputs);
	memory_free(f->memory);
	orders_close(&f->orders);
	compiled_close(&f->compiled);
}

static const json_t *at(const json_t *json, const char *key)
{
	ck_assert_msg(json_object_get(json, key) != NULL, "no field %s", key);
	return json_object_get(json, key);
}

START_TEST(status_tells_pools_sites_and_nodes)
{
	struct fixture f;
	const json_t *pool, *site, *node;
	json_t *told;

	open_fixture(&f);
	states[1] = (struct node_state){ .status = NODE_DOWN, .since_unix_ms = 4000, .rtt_us = 9 };
	(void)snprintf(states[1].reason, sizeof(states[1].reason), "tcp: timeout");
	states[0].verdict_within_ms = 700;
	judge(&f);
	told = status_json(&f.input, NULL);
	pool = json_array_get(at(told, "pools"), 0);
	ck_assert_str_eq(json_string_value(at(pool, "policy")), "nearest");
	ck_assert_int_eq(json_integer_value(at(pool, "up")), 2); /* unknown counts as up */
	ck_assert_int_eq(json_integer_value(at(pool, "total")), 3);
	ck_assert(json_is_false(at(pool, "fallback_active")));
	site = json_array_get(at(pool, "sites"), 0);
	ck_assert_str_eq(json_string_value(at(site, "name")), "tokyo");
	ck_assert_int_eq(json_integer_value(at(site, "up")), 1);
	node = json_array_get(at(site, "nodes"), 0);
	ck_assert_int_eq(json_integer_value(at(node, "verdict_within_ms")), 700);
	node = json_array_get(at(site, "nodes"), 1);
	ck_assert_int_eq(json_integer_value(at(node, "verdict_within_ms")), 0);
	ck_assert_str_eq(json_string_value(at(node, "name")), "b");
	ck_assert_str_eq(json_string_value(at(node, "status")), "down");
	ck_assert_str_eq(json_string_value(at(node, "reason")), "tcp: timeout");
	ck_assert_int_eq(json_integer_value(at(node, "since_ms")), 4000);
	ck_assert_int_eq(json_integer_value(at(node, "weight")), 50);
	ck_assert_str_eq(json_string_value(json_array_get(at(node, "addresses"), 1)),
			 "2001:db8::2");
	json_decref(told);
	close_fixture(&f);
}
END_TEST

/* Of the first node. */
static void assert_factors(struct fixture *f, json_int_t weight, double agent, double load,
			   double ramp)
{
	const struct steer_node *steered = &f->inputs->nodes[0];
	json_t *nodes_told;
	const json_t *told;
	double effective;

	judge(f);
	nodes_told = status_nodes(&f->input);
	told = at(json_array_get(nodes_told, 0), "factors");
	effective = json_real_value(at(told, "effective"));
	ck_assert_int_eq(json_integer_value(at(told, "weight")), weight);
	ck_assert_double_eq_tol(json_real_value(at(told, "agent")), agent, 1e-9);
	ck_assert_double_eq_tol(json_real_value(at(told, "load")), load, 1e-4);
	ck_assert_double_eq_tol(json_real_value(at(told, "ramp")), ramp, 1e-4);
	ck_assert_double_eq_tol(effective, (double)weight * agent * load * ramp, 0.01);
	ck_assert_double_eq_tol(effective, steered->weight * (steered->level / 65535.), 1e-9);
	json_decref(nodes_told);
}

START_TEST(factors_of_a_weight_are_told_and_their_product_is_what_steers)
{
	struct make_plan rows = plan;
	struct order made_up = { .action = ORDER_WEIGHT };
	struct fixture f;

	rows.pools = following;
	open_fixture_of(&f, &rows);
	assert_factors(&f, 100, 1, 1, 1);
	states[0].status = NODE_DOWN;
	judge(&f);
	states[0].status = NODE_UP; /* for 6 s: two steps of the ramp of a minute, from 10 % */
	states[0].recovered_mono_ms = NOW_MONO_MS - 6000;
	assert_factors(&f, 100, 1, 1, 0.19);
	inputs_reading(f.inputs, 0, "cpu", 0.8, NOW_MONO_MS);
	assert_factors(&f, 100, 1, 0.6, 0.19);
	states[0].weight_percent = 75;
	assert_factors(&f, 100, 0.75, 0.6, 0.19);
	states[0].weight_percent = 250;
	assert_factors(&f, 100, 2.5, 0.6, 0.19);
	ck_assert(object_parse("node:edge/a", &made_up.object)); /* wins over the agent */
	made_up.row.weight = 40;
	array_add(f.orders.list, f.orders.count, f.orders.cap) = made_up;
	inputs_orders_changed(f.inputs);
	assert_factors(&f, 40, 1, 0.6, 0.19);
	close_fixture(&f);
}
END_TEST

START_TEST(status_tells_processes_counters_and_store_whatever_texts_hold)
{
	struct fixture f;
	json_t *told;

	open_fixture(&f);
	judge(&f);
	told = status_json(&f.input, NULL);
	ck_assert_int_eq(json_integer_value(at(at(at(told, "processes"), "dns"), "pid")), 42);
	ck_assert_int_eq(json_integer_value(at(at(told, "counters"), "queries_udp")), 1000);
	ck_assert_int_eq(json_integer_value(at(at(told, "counters"), "badvers")), 1);
	ck_assert_int_eq(json_integer_value(at(at(told, "store"), "lost")), 3);
	ck_assert_str_eq(json_string_value(at(at(told, "store"), "error")), "disk full: ?");
	ck_assert_str_eq(json_string_value(at(at(told, "world"), "save_error")), "disk full");
	ck_assert_str_eq(json_string_value(at(told, "serving")), "serving");
	ck_assert_str_eq(json_string_value(at(told, "server_file")), "/etc/sign?post.yaml");
	ck_assert_ptr_null(json_object_get(at(told, "images"), "locations"));
	ck_assert_uint_eq(strlen(json_string_value(at(at(at(told, "images"), "geo"), "id"))), 16);
	ck_assert(json_is_null(at(told, "last_reload")));
	json_decref(told);
	close_fixture(&f);
}
END_TEST

START_TEST(one_pool_may_be_asked_for_and_must_exist)
{
	struct fixture f;
	json_t *told;

	open_fixture(&f);
	judge(&f);
	told = status_json(&f.input, "edge");
	ck_assert_uint_eq(json_array_size(at(told, "pools")), 1);
	json_decref(told);
	ck_assert_ptr_null(status_json(&f.input, "edg"));
	close_fixture(&f);
}
END_TEST

START_TEST(fallback_is_told_while_it_is_answered)
{
	struct fixture f;
	json_t *told;

	open_fixture(&f);
	compiled_set(&f.compiled, "a", false);
	compiled_set(&f.compiled, "b", false);
	compiled_set(&f.compiled, "c", false);
	f.images.image[IMAGE_STEERING] = f.compiled.image;
	judge(&f);
	told = status_json(&f.input, NULL);
	ck_assert(json_is_true(at(json_array_get(at(told, "pools"), 0), "fallback_active")));
	json_decref(told);
	close_fixture(&f);
}
END_TEST

START_TEST(status_without_a_world_has_no_pools)
{
	struct fixture f;
	json_t *told;

	open_fixture(&f);
	f.input.images = NULL;
	judge(&f);
	told = status_json(&f.input, NULL);
	ck_assert(json_is_null(at(told, "world")));
	ck_assert_uint_eq(json_array_size(at(told, "pools")), 0);
	json_decref(told);
	ck_assert_ptr_null(status_json(&f.input, "edge"));
	close_fixture(&f);
}
END_TEST

void add_status_cases(Suite *suite)
{
	suite_case(suite, "status", status_tells_pools_sites_and_nodes,
		   factors_of_a_weight_are_told_and_their_product_is_what_steers,
		   status_tells_processes_counters_and_store_whatever_texts_hold,
		   one_pool_may_be_asked_for_and_must_exist, fallback_is_told_while_it_is_answered,
		   status_without_a_world_has_no_pools);
}
