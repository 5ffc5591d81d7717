#include <stdlib.h>
#include <string.h>

#include "../run.h"
#include "../steer/make_plan.h"
#include "base/mem.h"
#include "control/diff.h"
#include "control/memory.h"
#include "control/names.h"
#include "control_test.h"

static const struct make_site sites[] = {
	{ "tokyo", 35.68, 139.69 },
	{ "london", 51.51, -0.13 },
};

static const struct make_pool pools[] = {
	{ .name = "edge", .sites = "tokyo london" },
	{ .name = "web", .sites = "london" },
};

static const struct make_node nodes[] = {
	{ "edge", "tokyo", "a", 100, "192.0.2.1" },
	{ "edge", "london", "b", 100, "192.0.2.2 2001:db8::2" },
	{ "web", "london", "a", 100, "192.0.2.3" },
};

static const struct make_pref prefs[] = {
	{ "edge", "tokyo london", false },
	{ "web", "london", false },
};

static const struct make_plan base = { .sites = sites,
				       .site_count = 2,
				       .pools = pools,
				       .pool_count = 2,
				       .nodes = nodes,
				       .node_count = 3,
				       .prefs = prefs,
				       .pref_count = 2 };

/* Made images in the shape in which control holds them; the descriptors are not real. */
static struct images hold(const struct made *made)
{
	struct images images = { .fd = { -1, -1, -1, -1, -1 } };

	images.fd[IMAGE_ZONES] = images.fd[IMAGE_GEO] = images.fd[IMAGE_PLAN] = 0;
	images.image[IMAGE_ZONES] = made->zones;
	images.image[IMAGE_GEO] = made->geo;
	images.image[IMAGE_PLAN] = made->plan;
	return images;
}

static json_t *diff(const struct make_plan *from, const struct make_plan *to)
{
	struct made a = make_images(from), b = make_images(to);
	struct images before = hold(&a), after = hold(&b);
	json_t *told = diff_worlds(&before, &after);

	ck_assert_ptr_nonnull(told);
	made_close(&a);
	made_close(&b);
	return told;
}

/* "added a, removed b": the list of one kind. */
static const char *list(const json_t *told, const char *kind)
{
	static char text[512];
	const json_t *lines = json_object_get(json_object_get(told, kind), "list"), *line;
	size_t i, len = 0;

	text[0] = '\0';
	json_array_foreach(lines, i, line)
	{
		len += (size_t)snprintf(text + len, sizeof(text) - len, "%s%s %s",
					i == 0 ? "" : ", ",
					json_string_value(json_object_get(line, "change")),
					json_string_value(json_object_get(line, "name")));
	}
	return text;
}

START_TEST(same_files_change_nothing)
{
	json_t *told = diff(&base, &base);
	char *summary = diff_summary(told);

	ck_assert_str_eq(list(told, "nodes"), "");
	ck_assert_str_eq(list(told, "pools"), "");
	ck_assert_int_eq(
		json_integer_value(json_object_get(json_object_get(told, "nodes"), "unchanged")),
		3);
	ck_assert(json_is_false(json_object_get(told, "settings")));
	ck_assert_str_eq(summary,
			 "zones=+0-0~0 pools=+0-0~0 nodes=+0-0~0 sites=+0-0~0 geo=unchanged "
			 "settings=unchanged");
	free(summary);
	json_decref(told);
}
END_TEST

START_TEST(each_option_of_a_pool_is_a_change)
{
	struct make_pool edited[2];
	struct make_plan to = base;

	to.pools = edited;
	for (int option = 0; option < 6; option++) {
		json_t *told;

		memcpy(edited, pools, sizeof(edited));
		switch (option) {
		case 0: edited[0].answers = 2; break;
		case 1: edited[0].order = ORDER_SHUFFLED; break;
		case 2: edited[0].ttl_floor_s = 7; break;
		case 3: edited[0].backup = "web"; break;
		case 4: edited[0].load.on = 1; break;
		default: edited[0].spread = SPREAD_SITE; break;
		}
		told = diff(&base, &to);
		ck_assert_str_eq(list(told, "pools"), "changed edge");
		json_decref(told);
	}
}
END_TEST

START_TEST(ports_hosts_and_alpn_are_of_nodes_and_pools)
{
	static const struct make_service before[] = { { "a", 443, "a.example." },
						      { "b", 443, NULL } };
	static const struct make_service after[] = { { "a", 443, "c.example." },
						     { "b", 444, NULL } };
	struct make_plan from = base, to = base;
	json_t *told;

	from.services = before;
	to.services = after;
	from.service_count = to.service_count = 2;
	from.alpn = "\2h2";
	to.alpn = "\2h3";
	told = diff(&from, &to);
	ck_assert_str_eq(list(told, "nodes"), "changed edge/a, changed edge/b, changed web/a");
	ck_assert_str_eq(list(told, "pools"), "changed edge, changed web");
	json_decref(told);
}
END_TEST

START_TEST(first_world_is_all_new)
{
	struct made made = make_images(&base);
	struct images after = hold(&made);
	json_t *told = diff_worlds(NULL, &after);

	ck_assert_str_eq(list(told, "nodes"), "added edge/a, added edge/b, added web/a");
	ck_assert_str_eq(list(told, "sites"), "added london, added tokyo");
	json_decref(told);
	made_close(&made);
}
END_TEST

START_TEST(nodes_are_known_by_pool_and_name)
{
	static const struct make_node now[] = {
		{ "edge", "tokyo", "a", 50, "192.0.2.1" },  /* another weight */
		{ "edge", "tokyo", "c", 100, "192.0.2.2" }, /* b has gone, c is new */
		{ "web", "london", "a", 100, "192.0.2.3" },
	};
	struct make_plan to = base;
	json_t *told;

	to.nodes = now;
	told = diff(&base, &to);
	ck_assert_str_eq(list(told, "nodes"), "changed edge/a, removed edge/b, added edge/c");
	json_decref(told);
}
END_TEST

START_TEST(numbers_that_moved_are_no_change)
{
	static const struct make_site more_sites[] = {
		{ "berlin", 52.52, 13.40 },
		{ "tokyo", 35.68, 139.69 },
		{ "london", 51.51, -0.13 },
	};
	static const struct make_pool more_pools[] = {
		{ .name = "alpha", .sites = "berlin" },
		{ .name = "edge", .sites = "tokyo london" },
		{ .name = "web", .sites = "london" },
	};
	static const struct make_node more_nodes[] = {
		{ "alpha", "berlin", "z", 1, "198.51.100.1" },
		{ "edge", "tokyo", "a", 100, "192.0.2.1" },
		{ "edge", "london", "b", 100, "192.0.2.2 2001:db8::2" },
		{ "web", "london", "a", 100, "192.0.2.3" },
	};
	static const struct make_pref more_prefs[] = {
		{ "alpha", "berlin", false },
		{ "edge", "tokyo london", false },
		{ "web", "london", false },
	};
	static const struct make_plan to = { .sites = more_sites,
					     .site_count = 3,
					     .pools = more_pools,
					     .pool_count = 3,
					     .nodes = more_nodes,
					     .node_count = 4,
					     .prefs = more_prefs,
					     .pref_count = 3 };
	json_t *told = diff(&base, &to);

	ck_assert_str_eq(list(told, "sites"), "added berlin");
	ck_assert_str_eq(list(told, "pools"), "added alpha");
	ck_assert_str_eq(list(told, "nodes"), "added alpha/z");
	json_decref(told);
}
END_TEST

START_TEST(order_of_sites_and_policy_belong_to_a_pool)
{
	static const struct make_pool now[] = {
		{ .name = "edge", .sites = "london tokyo" },
		{ .name = "web", .sites = "london", .policy = POLICY_FAILOVER },
	};
	struct make_plan to = base;
	json_t *told;

	to.pools = now;
	told = diff(&base, &to);
	ck_assert_str_eq(list(told, "pools"), "changed edge, changed web");
	ck_assert_str_eq(list(told, "nodes"), "");
	json_decref(told);
}
END_TEST

START_TEST(site_that_moved_is_a_change)
{
	static const struct make_site now[] = {
		{ "tokyo", 35.68, 139.70 },
		{ "london", 51.51, -0.13 },
	};
	struct make_plan to = base;
	json_t *told;

	to.sites = now;
	told = diff(&base, &to);
	ck_assert_str_eq(list(told, "sites"), "changed tokyo");
	json_decref(told);
}
END_TEST

START_TEST(long_lists_end_and_numbers_count_all)
{
	struct make_node *many = mem_array(1000, sizeof(*many));
	struct make_plan to = base;
	const json_t *told_nodes;
	json_t *told;

	for (int i = 0; i < 1000; i++)
		many[i] = (struct make_node){ "edge", "tokyo", mem_format("n%d", i), 1,
					      "192.0.2.9" };
	to.nodes = many;
	to.node_count = 1000;
	told = diff(&base, &to);
	told_nodes = json_object_get(told, "nodes");
	ck_assert_uint_eq(json_array_size(json_object_get(told_nodes, "list")), DIFF_LISTED_MAX);
	ck_assert_int_eq(json_integer_value(json_object_get(told_nodes, "added")), 1000);
	ck_assert_int_eq(json_integer_value(json_object_get(told_nodes, "removed")), 3);
	for (int i = 0; i < 1000; i++) {
		char *name;

		memcpy(&name, &many[i].name, sizeof(name));
		free(name);
	}
	free(many);
	json_decref(told);
}
END_TEST

/* --- memory ----------------------------------------------------------------------------------- */

START_TEST(memory_recalls_many_nodes_and_keeps_the_newest)
{
	struct memory *memory = memory_new();
	char key[NODE_KEY_SIZE];

	for (uint32_t round = 0; round < 2; round++) {
		for (uint32_t i = 0; i < 5000; i++) {
			struct node_state state = { .status = NODE_UP, .rtt_us = i + round };

			(void)snprintf(key, sizeof(key), "pool-%u/node-%u", i % 7, i);
			memory_keep(memory, key, &state);
		}
	}
	for (uint32_t i = 0; i < 5000; i++) {
		(void)snprintf(key, sizeof(key), "pool-%u/node-%u", i % 7, i);
		ck_assert_ptr_nonnull(memory_recall(memory, key));
		ck_assert_uint_eq(memory_recall(memory, key)->rtt_us, i + 1);
	}
	ck_assert_ptr_null(memory_recall(memory, "pool-0/node-1"));
	memory_free(memory);
}
END_TEST

START_TEST(row_of_the_store_is_adopted_with_its_age)
{
	static const struct store_status rows[] = {
		{ .node = "edge/a", .status = "down", .since_unix_ms = 12, .reason = "refused" },
		{ .node = "edge/b", .status = "sideways", .since_unix_ms = 13 },
	};
	struct memory *memory = memory_new();

	memory_keep_row(memory, &rows[0]);
	memory_keep_row(memory, &rows[1]);
	ck_assert_int_eq(memory_recall(memory, "edge/a")->status, NODE_DOWN);
	ck_assert(memory_recall(memory, "edge/a")->adopted);
	ck_assert_uint_eq(memory_recall(memory, "edge/a")->since_unix_ms, 12);
	ck_assert_str_eq(memory_recall(memory, "edge/a")->reason, "refused");
	ck_assert_int_eq(memory_recall(memory, "edge/b")->status, NODE_UNKNOWN);
	memory_free(memory);
}
END_TEST

void add_diff_cases(Suite *suite)
{
	suite_case(suite, "diff", same_files_change_nothing, each_option_of_a_pool_is_a_change,
		   ports_hosts_and_alpn_are_of_nodes_and_pools, first_world_is_all_new,
		   nodes_are_known_by_pool_and_name, numbers_that_moved_are_no_change,
		   order_of_sites_and_policy_belong_to_a_pool, site_that_moved_is_a_change,
		   long_lists_end_and_numbers_count_all);
	suite_case(suite, "memory", memory_recalls_many_nodes_and_keeps_the_newest,
		   row_of_the_store_is_adopted_with_its_age);
}
