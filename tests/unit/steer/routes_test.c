/* The rules of the pipeline, each alone: which nodes clients of a class get, and what part of them. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "compiled.h"
#include "shares.h"
#include "steer_test.h"
#include "tests/unit/run.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static const struct make_site sites[] = {
	{ "a", 0, 0 }, { "b", 0, 10 }, { "c", 0, 20 }, { "d", 0, 60 }, { "far", 0, 90 },
};

static const struct make_node nodes[] = {
	{ "main", "a", "a1", 100, "192.0.2.1" },
	{ "main", "a", "a2", 100, "192.0.2.2" },
	{ "main", "b", "b1", 100, "192.0.2.3" },
	{ "main", "b", "b2", 300, "192.0.2.4 2001:db8::4" },
	{ "main", "c", "c1", 100, "192.0.2.5" },
	{ "spare", "far", "s1", 100, "192.0.2.6" },
	{ "third", "far", "t1", 100, "192.0.2.7" },
};

static const struct make_record records[] = {
	{ "vpn.example.", "main", NULL, 30 },
	{ "a.vpn.example.", "main", "a", 30 },
};
enum { R_ALL, R_A };

static const struct make_pref plain[] = {
	{ "main", "a b", false },
	{ "main", "b", false },
	{ "spare", "far", false },
	{ "third", "far", false },
};
enum { FROM_A, FROM_B };

static struct make_pool pools[3];
static struct make_plan make;
static struct compiled c;

static void setup(void)
{
	pools[0] = (struct make_pool){ .name = "main", .sites = "a b c" };
	pools[1] = (struct make_pool){ .name = "spare", .sites = "far" };
	pools[2] = (struct make_pool){ .name = "third", .sites = "far" };
	make = (struct make_plan){ .sites = sites,
				   .site_count = COUNT(sites),
				   .pools = pools,
				   .pool_count = COUNT(pools),
				   .nodes = nodes,
				   .node_count = COUNT(nodes),
				   .prefs = plain,
				   .pref_count = COUNT(plain),
				   .records = records,
				   .record_count = COUNT(records) };
}

static void open_main(void)
{
	compiled_open(&c, &make);
}

static void teardown(void)
{
	compiled_close(&c);
}

/* "a1=down a2=draining b1=up": then compiles. Nodes that are not named stay as they are. */
static void set(const char *text)
{
	static const struct {
		const char *name;
		enum steer_state state;
	} states[] = { { "down", STEER_DOWN },
		       { "disabled", STEER_DISABLED },
		       { "draining", STEER_DRAINING },
		       { "up", STEER_UP } };
	char *copy = mem_copy_text(text), *rest = copy, *word;

	while ((word = strsep(&rest, " ")) != NULL) {
		char *state = strchr(word, '=');
		size_t i = 0;

		*state++ = '\0';
		while (strcmp(states[i].name, state) != 0)
			i++;
		c.nodes[compiled_node(&c, word)].state = (uint8_t)states[i].state;
	}
	free(copy);
	compiled_update(&c);
}

static uint32_t site_number(const char *name)
{
	uint32_t number = 0;

	while (strcmp(sites[number].name, name) != 0)
		number++;
	return number; /* of the plan's pool sites, too: the first pool has them in this order */
}

static void keep(const char *site, double part)
{
	c.keep[site_number(site)] = (uint16_t)(part * STEER_ALL + 0.5);
	compiled_update(&c);
}

static char told[1024];

static int by_name(const void *a, const void *b)
{
	return strcmp(a, b);
}

/* "a1:50.0 b2:50.0", in order of the names: percent. "-": what stands in for all nodes. */
static const char *shares(uint32_t record, uint32_t class_id)
{
	const struct image *plan = &c.made.plan;
	struct steering_shares list = { 0 };
	char lines[16][32];

	steering_shares_add_record(&list, &c.image, &c.made.geo, record, class_id, 1);
	for (uint32_t i = 0; i < list.count; i++) {
		const struct plan_pool *pool = plan_items(plan, pools, struct plan_pool) +
					       list.list[i].pool;
		const struct plan_node *all = plan_items(plan, nodes, struct plan_node);
		uint32_t node = list.list[i].node;

		(void)snprintf(lines[i], sizeof(lines[i]), "%s:%.1f",
			       node == pool->nodes.count
				       ? "-"
				       : plan_text(plan, all[pool->nodes.first + node].name),
			       list.list[i].share * 100);
	}
	qsort(lines, list.count, sizeof(lines[0]), by_name);
	told[0] = '\0';
	for (uint32_t i = 0; i < list.count; i++)
		(void)strcat(strcat(told, i > 0 ? " " : ""), lines[i]);
	steering_shares_free(&list);
	return told;
}

/* The same nodes, and their shares to so many points of percent? */
static bool same_shares(const char *a, const char *b, double tolerance)
{
	char name_a[8], name_b[8];
	double x, y;
	int used_a, used_b;

	while (sscanf(a, " %7[^:]:%lf%n", name_a, &x, &used_a) == 2) {
		if (sscanf(b, " %7[^:]:%lf%n", name_b, &y, &used_b) != 2)
			return false;
		if (strcmp(name_a, name_b) != 0 || x - y > tolerance || y - x > tolerance)
			return false;
		a += used_a;
		b += used_b;
	}
	return *a == '\0' && *b == '\0';
}

#define expect_within(record, class_id, text, tolerance)                                          \
	ck_assert_msg(same_shares(shares(record, class_id), text, tolerance), "%s, not %s", told, \
		      text)
#define expect(record, class_id, text) expect_within(record, class_id, text, 0.11)
/* Cells of nodes that are down are drawn by others one by one. */
#define expect_about(record, class_id, text) expect_within(record, class_id, text, 1)
#define expect_applied(record, class_id, what) \
	ck_assert_uint_eq(compiled_applied(&c, record, class_id), what)

static uint8_t pool_applied(uint32_t pool)
{
	return steering_pool(&c.image, pool)->applied;
}

/* --- who is healthy ---------------------------------------------------------------------------- */

START_TEST(the_last_healthy_node_is_served_even_when_draining)
{
	open_main();
	set("a1=draining");
	expect(R_ALL, FROM_A, "a2:100.0");
	set("a2=down");
	expect(R_ALL, FROM_A, "b1:25.0 b2:75.0");
	set("b1=down b2=down c1=down");
	expect(R_ALL, FROM_A, "a1:100.0");
	expect_applied(R_ALL, FROM_A, APPLIED_DRAINING);
	ck_assert_uint_eq(pool_applied(0), APPLIED_DRAINING);
}
END_TEST

START_TEST(a_disabled_node_is_answered_under_no_fallback)
{
	open_main();
	set("a1=disabled a2=down b1=down b2=down c1=down");
	expect(R_ALL, FROM_A, "a2:100.0");
	expect_applied(R_ALL, FROM_A, APPLIED_ALL);
	set("a2=disabled");
	expect(R_ALL, FROM_A, "b1:25.0 b2:75.0");
	set("b1=disabled b2=disabled c1=disabled");
	expect(R_ALL, FROM_A, "-:100.0");
	expect_applied(R_ALL, FROM_A, APPLIED_NONE);
	expect(R_A, FROM_A, "-:100.0");
	set("c1=up");
	expect(R_ALL, FROM_A, "c1:100.0");
}
END_TEST

START_TEST(a_site_with_too_few_nodes_does_not_count)
{
	static const struct make_pool_site rows[] = { { "main", "a", 0, 2 } };

	make.pool_sites = rows;
	make.pool_site_count = COUNT(rows);
	open_main();
	expect(R_ALL, FROM_A, "a1:50.0 a2:50.0");
	set("a1=down");
	expect(R_ALL, FROM_A, "b1:25.0 b2:75.0");
	expect(R_A, FROM_A, "a2:100.0"); /* all that it has */
	set("b1=down b2=down c1=draining");
	expect(R_ALL, FROM_A, "a2:100.0"); /* before drained ones */
	expect_applied(R_ALL, FROM_A, APPLIED_NODES);
}
END_TEST

START_TEST(an_operators_weight_counts_at_once)
{
	open_main();
	c.nodes[compiled_node(&c, "a1")].weight = 300;
	compiled_update(&c);
	expect(R_ALL, FROM_A, "a1:75.0 a2:25.0");
	c.nodes[compiled_node(&c, "a1")].weight = 0;
	compiled_update(&c);
	expect(R_ALL, FROM_A, "a2:100.0");
	c.nodes[compiled_node(&c, "a1")].weight = 100;
	c.nodes[compiled_node(&c, "a1")].level = STEER_ALL / 2;
	compiled_update(&c);
	expect_about(R_ALL, FROM_A, "a1:33.3 a2:66.7");
}
END_TEST

/* --- bands ------------------------------------------------------------------------------------- */

START_TEST(sites_of_one_band_share_by_weight)
{
	static const struct make_pref prefs[] = { { "main", "a,b c", false },
						  { "spare", "far", false },
						  { "third", "far", false } };

	make.prefs = prefs;
	make.pref_count = COUNT(prefs);
	open_main();
	expect(R_ALL, 0, "a1:16.7 a2:16.7 b1:16.7 b2:50.0");
	set("b2=down");
	expect_about(R_ALL, 0, "a1:33.3 a2:33.3 b1:33.3");
	set("a1=down a2=down b1=down");
	expect(R_ALL, 0, "c1:100.0");
}
END_TEST

START_TEST(equal_priorities_share)
{
	static const struct make_pool_site rows[] = { { "main", "a", 2, 1 },
						      { "main", "b", 1, 1 },
						      { "main", "c", 1, 1 } };
	static const struct make_pref prefs[] = { { "main", "", false },
						  { "spare", "far", false },
						  { "third", "far", false } };

	pools[0].policy = POLICY_FAILOVER;
	make.prefs = prefs;
	make.pref_count = COUNT(prefs);
	make.pool_sites = rows;
	make.pool_site_count = COUNT(rows);
	open_main();
	expect(R_ALL, 0, "b1:20.0 b2:60.0 c1:20.0");
	set("b1=down b2=down c1=down");
	expect(R_ALL, 0, "a1:50.0 a2:50.0");
}
END_TEST

START_TEST(round_robin_counts_each_node_once_and_draws_anew)
{
	static const struct make_pref prefs[] = { { "main", "", false },
						  { "spare", "far", false },
						  { "third", "far", false } };

	pools[0].policy = POLICY_ROUND_ROBIN;
	make.prefs = prefs;
	make.pref_count = COUNT(prefs);
	open_main();
	expect(R_ALL, 0, "a1:20.0 a2:20.0 b1:20.0 b2:20.0 c1:20.0");
	ck_assert_uint_eq(steering_pref(&c.image, steering_pool(&c.image, 0), 0)->random, 1);
	ck_assert_uint_eq(steering_pref(&c.image, steering_pool(&c.image, 1), 0)->random, 0);
}
END_TEST

START_TEST(a_rules_policy_orders_the_sites_behind_it)
{
	static const struct make_limits limits[] = { { NULL, NULL, NULL, POLICY_WEIGHTED + 1 },
						     { NULL, NULL, NULL, 0 },
						     { NULL, NULL, NULL, 0 },
						     { NULL, NULL, NULL, 0 } };

	make.limits = limits;
	open_main();
	set("a1=down a2=down b1=down b2=down c1=up");
	expect(R_ALL, FROM_A, "c1:100.0");
	set("a1=up b1=up");
	expect(R_ALL, FROM_A, "a1:100.0"); /* the named sites, one by one */
}
END_TEST

/* --- fences and avoided nodes -------------------------------------------------------------------- */

static const struct make_fence fences[] = {
	{ "main", "a", NULL },
	{ "main", "b c", "spare" },
	{ "main", "a b c", NULL },
};

static void open_fenced(const char *held)
{
	static struct make_limits limits[4];

	limits[FROM_A] = (struct make_limits){ held, NULL, NULL, 0 };
	make.limits = limits;
	make.fences = fences;
	make.fence_count = COUNT(fences);
	open_main();
}

START_TEST(a_fenced_site_is_never_answered)
{
	open_fenced("0");
	expect(R_ALL, FROM_A, "b1:25.0 b2:75.0");
	expect(R_ALL, FROM_B, "b1:25.0 b2:75.0");
	set("b1=down b2=down c1=down");
	expect(R_ALL, FROM_A, "b1:25.0 b2:75.0"); /* as if all were up: not a */
	expect(R_ALL, FROM_B, "a1:50.0 a2:50.0");
	set("b1=disabled b2=disabled c1=disabled");
	expect(R_ALL, FROM_A, "-:100.0");
}
END_TEST

START_TEST(a_record_bound_to_a_fenced_site_is_fenced)
{
	open_fenced("0");
	expect(R_A, FROM_A, "-:100.0");
	expect_applied(R_A, FROM_A, APPLIED_FENCED);
	expect(R_A, FROM_B, "a1:50.0 a2:50.0");
}
END_TEST

START_TEST(who_has_no_site_left_is_sent_to_the_first_pool_that_a_fence_names)
{
	open_fenced("0 1");
	expect(R_ALL, FROM_A, "s1:100.0"); /* the first fence names none, the second does */
	expect_applied(R_ALL, FROM_A, APPLIED_FENCED);
	teardown();
	open_fenced("2"); /* it says NODATA */
	expect(R_ALL, FROM_A, "-:100.0");
	expect_applied(R_ALL, FROM_A, APPLIED_FENCED);
	ck_assert_uint_eq(pool_applied(0), APPLIED_NODES);
	teardown();
	open_fenced("1 2");
	expect(R_ALL, FROM_A, "s1:100.0");
	expect_applied(R_ALL, FROM_A, APPLIED_FENCED);
	ck_assert_str_eq(compiled_answers(&c, R_ALL, FROM_A, STEERING_A), "192.0.2.6");
	set("s1=down");
	expect(R_ALL, FROM_A, "s1:100.0"); /* as that pool falls back */
}
END_TEST

START_TEST(a_fenced_node_stands_in_for_nobody)
{
	open_fenced("1");
	/* b2 alone has AAAA: those who may not go there get none. */
	ck_assert_str_eq(compiled_answers(&c, R_ALL, FROM_A, STEERING_AAAA), "- | -");
	ck_assert_str_eq(compiled_answers(&c, R_ALL, FROM_B, STEERING_AAAA),
			 "2001:db8::4 | 2001:db8::4");
}
END_TEST

static const struct make_avoid avoids[] = {
	{ "main", "a", "a1", 0 },
	{ "main", "a", NULL, 1000 },
	{ "main", "b", "b2", 500 },
};

static void open_avoiding(const char *held)
{
	static struct make_limits limits[4];

	limits[FROM_A] = (struct make_limits){ NULL, held, NULL, 0 };
	make.limits = limits;
	make.avoids = avoids;
	make.avoid_count = COUNT(avoids);
	open_main();
}

START_TEST(an_avoided_node_counts_as_down)
{
	open_avoiding("0");
	expect(R_ALL, FROM_A, "a2:100.0");
	expect(R_ALL, FROM_B, "b1:25.0 b2:75.0");
	set("b1=down b2=down");
	expect(R_ALL, FROM_B, "a1:50.0 a2:50.0");
	expect(R_A, FROM_A, "a2:100.0");
	set("a2=down");
	expect(R_ALL, FROM_A, "c1:100.0");
	expect(R_ALL, FROM_B, "a1:100.0");
	set("a1=down c1=down");
	expect(R_ALL, FROM_A, "a1:50.0 a2:50.0"); /* as if all were up, avoided ones, too */
}
END_TEST

START_TEST(an_avoid_ends_by_itself)
{
	open_avoiding("1 2");
	c.now_unix_s = 499;
	compiled_update(&c);
	expect(R_ALL, FROM_A, "b1:100.0");
	ck_assert_uint_eq(steer_next_unix_s(c.steer), 500);
	c.now_unix_s = 500;
	compiled_update(&c);
	expect(R_ALL, FROM_A, "b1:25.0 b2:75.0");
	ck_assert_uint_eq(steer_next_unix_s(c.steer), 1000);
	c.now_unix_s = 1000;
	compiled_update(&c);
	expect(R_ALL, FROM_A, "a1:50.0 a2:50.0");
	ck_assert_uint_eq(steer_next_unix_s(c.steer), 0);
}
END_TEST

/* --- spilling over ------------------------------------------------------------------------------ */

START_TEST(overflow_goes_to_the_next_band)
{
	open_main();
	keep("a", 0.6);
	expect(R_ALL, FROM_A, "a1:30.0 a2:30.0 b1:10.0 b2:30.0");
	keep("b", 0.5);
	expect(R_ALL, FROM_A, "a1:30.0 a2:30.0 b1:5.0 b2:15.0 c1:20.0");
	expect(R_ALL, FROM_B, "a1:15.0 a2:15.0 b1:12.5 b2:37.5 c1:20.0");
	/* b and then its neighbours by distance, where a keeps 0.6 of what is left. */
	set("c1=down");
	/* What is left after the last band is shared as was kept: 60 and 20 of 80. */
	expect(R_ALL, FROM_A, "a1:37.5 a2:37.5 b1:6.2 b2:18.8");
	keep("a", 1);
	keep("b", 1);
	expect(R_ALL, FROM_A, "a1:50.0 a2:50.0");
	expect_applied(R_ALL, FROM_A, APPLIED_NODES);
}
END_TEST

START_TEST(what_no_band_keeps_is_the_backups)
{
	pools[0].backup = "spare";
	open_main();
	keep("a", 0.5);
	keep("b", 0.5);
	keep("c", 0.2);
	expect(R_ALL, FROM_A, "a1:25.0 a2:25.0 b1:6.2 b2:18.8 c1:5.0 s1:20.0");
	set("s1=down");
	expect(R_ALL, FROM_A, "a1:31.2 a2:31.2 b1:7.8 b2:23.4 c1:6.2");
}
END_TEST

START_TEST(nothing_goes_to_a_backup_that_has_nobody_for_these_clients)
{
	static const struct make_pref prefs[] = { { "main", "a b", false },
						  { "main", "b", false },
						  { "spare", "far", false },
						  { "spare", "far", false },
						  { "third", "far", false } };
	static const struct make_fence shut[] = { { "spare", "far", NULL } };
	static const struct make_limits limits[COUNT(prefs)] = { [2] = { "0", NULL, NULL, 0 } };

	pools[0].backup = "spare";
	pools[1].backup = "third";
	make.prefs = prefs;
	make.pref_count = COUNT(prefs);
	make.limits = limits;
	make.fences = shut;
	make.fence_count = COUNT(shut);
	open_main();
	set("b1=down b2=down c1=down");
	keep("a", 0.5);
	expect(R_ALL, FROM_A, "a1:50.0 a2:50.0"); /* they are fenced off in "spare" */
	expect(R_ALL, FROM_B, "a1:25.0 a2:25.0 s1:50.0");
	expect(R_A, FROM_A, "a1:50.0 a2:50.0"); /* for all, so for these, too */
	set("s1=down");                         /* the backup's backup is for the others only */
	expect(R_ALL, FROM_A, "a1:50.0 a2:50.0");
	expect(R_ALL, FROM_B, "a1:25.0 a2:25.0 t1:50.0");
	set("s1=up t1=down");
	expect(R_ALL, FROM_B, "a1:25.0 a2:25.0 s1:50.0");
}
END_TEST

START_TEST(a_backup_that_all_avoid_takes_nothing_until_that_ends)
{
	static const struct make_avoid blocked[] = { { "spare", "far", NULL, 500 } };
	static const struct make_limits limits[COUNT(plain)] = { [2] = { NULL, "0", NULL, 0 } };

	pools[0].backup = "spare";
	make.limits = limits;
	make.avoids = blocked;
	make.avoid_count = COUNT(blocked);
	open_main();
	set("b1=down b2=down c1=down");
	keep("a", 0.5);
	expect(R_ALL, FROM_A, "a1:50.0 a2:50.0");
	c.now_unix_s = 500; /* nothing else of either pool changes */
	compiled_update(&c);
	expect(R_ALL, FROM_A, "a1:25.0 a2:25.0 s1:50.0");
}
END_TEST

START_TEST(within_a_band_overflow_goes_to_those_with_room)
{
	static const struct make_pref prefs[] = { { "main", "a,b c", false },
						  { "spare", "far", false },
						  { "third", "far", false } };

	make.prefs = prefs;
	make.pref_count = COUNT(prefs);
	open_main();
	keep("b", 0.5);
	/* What b gives up (half of two thirds) is shared by weight and level: a 200, b 200. */
	expect_about(R_ALL, 0, "a1:25.0 a2:25.0 b1:12.5 b2:37.5");
}
END_TEST

START_TEST(spilling_moves_only_those_that_are_given_up)
{
	struct steering_slot before[256];
	const struct steering_split *split;
	double moved = 0;

	open_main();
	keep("a", 0.6);
	keep("b", 0.5);
	split = steering_split(
		&c.image,
		branch_number(steering_pref(&c.image, steering_pool(&c.image, 0), FROM_A)->branch));
	ck_assert_uint_eq(split->slots.count, COUNT(before));
	for (uint32_t i = 0; i < COUNT(before); i++)
		before[i] = *steering_slot(&c.image, &split->slots, i);
	keep("a", 0.5);
	split = steering_split(
		&c.image,
		branch_number(steering_pref(&c.image, steering_pool(&c.image, 0), FROM_A)->branch));
	for (uint32_t i = 0; i < COUNT(before); i++)
		for (uint32_t cut = 0; cut < 65536; cut += 16)
			moved += steering_slot_node(&before[i], (uint16_t)cut) !=
				 steering_slot_node(steering_slot(&c.image, &split->slots, i),
						    (uint16_t)cut);
	/* A tenth of all leaves a; of the others hardly any move. */
	ck_assert_double_gt(moved / (256 * 4096), 0.099);
	ck_assert_double_lt(moved / (256 * 4096), 0.12);
}
END_TEST

/* --- nobody healthy ------------------------------------------------------------------------------- */

#define ALL_DOWN "a1=down a2=down b1=down b2=down c1=down"

START_TEST(the_backup_pool_comes_before_the_fallback)
{
	pools[0].backup = "spare";
	pools[1].backup = "third";
	open_main();
	set(ALL_DOWN);
	expect(R_ALL, FROM_A, "s1:100.0");
	expect_applied(R_ALL, FROM_A, APPLIED_BACKUP);
	ck_assert_uint_eq(pool_applied(0), APPLIED_BACKUP);
	ck_assert_str_eq(compiled_answers(&c, R_ALL, FROM_A, STEERING_A), "192.0.2.6");
	set("s1=down"); /* a backup of the backup serves */
	expect(R_ALL, FROM_A, "t1:100.0");
	ck_assert_str_eq(compiled_answers(&c, R_A, FROM_A, STEERING_A), "192.0.2.7");
	set("t1=down");
	expect(R_ALL, FROM_A, "a1:50.0 a2:50.0");
	ck_assert_uint_eq(pool_applied(0), APPLIED_ALL);
	set("t1=draining");
	expect(R_ALL, FROM_A, "t1:100.0");
}
END_TEST

START_TEST(last_good_answers_who_was_up_last)
{
	pools[0].fallback = FALLBACK_LAST_GOOD;
	open_main();
	c.last_good[compiled_node(&c, "b2")] = true;
	c.last_good[compiled_node(&c, "c1")] = true;
	set(ALL_DOWN);
	expect(R_ALL, FROM_A, "b2:100.0");
	expect_applied(R_ALL, FROM_A, APPLIED_LAST_GOOD);
	set("b2=disabled");
	expect(R_ALL, FROM_A, "c1:100.0");
	set("c1=disabled"); /* nobody known */
	expect(R_ALL, FROM_A, "a1:50.0 a2:50.0");
	expect_applied(R_ALL, FROM_A, APPLIED_ALL);
	set("c1=up");
	expect(R_ALL, FROM_A, "c1:100.0");
}
END_TEST

START_TEST(nearest_answers_the_nearest_site_and_no_other)
{
	pools[0].fallback = FALLBACK_NEAREST;
	open_main();
	set(ALL_DOWN);
	expect(R_ALL, FROM_A, "a1:50.0 a2:50.0");
	expect(R_ALL, FROM_B, "b1:25.0 b2:75.0");
	expect_applied(R_ALL, FROM_A, APPLIED_NEAREST);
	/* b2 has AAAA, but is of another site. */
	ck_assert_str_eq(compiled_answers(&c, R_ALL, FROM_A, STEERING_AAAA), "- | -");
	set("a1=disabled a2=disabled");
	expect(R_ALL, FROM_A, "b1:25.0 b2:75.0");
}
END_TEST

START_TEST(nearest_is_told_where_the_order_is_not_by_distance)
{
	static const struct make_limits limits[] = { { NULL, NULL, "c", POLICY_WEIGHTED + 1 },
						     { "1", NULL, "a", 0 },
						     { NULL, NULL, NULL, 0 },
						     { NULL, NULL, NULL, 0 } };

	pools[0].fallback = FALLBACK_NEAREST;
	make.limits = limits;
	make.fences = fences;
	make.fence_count = COUNT(fences);
	open_main();
	set(ALL_DOWN);
	expect(R_ALL, FROM_A, "c1:100.0");
	expect(R_ALL, FROM_B, "a1:50.0 a2:50.0"); /* b and c are fenced off */
	expect(R_A, FROM_A, "a1:50.0 a2:50.0");
	set("c1=disabled");
	expect(R_ALL, FROM_A, "a1:50.0 a2:50.0");
}
END_TEST

START_TEST(a_fallback_pool_answers_for_the_same_clients)
{
	pools[0].fallback = FALLBACK_POOL;
	pools[0].fallback_pool = "third";
	open_main();
	set(ALL_DOWN);
	expect(R_ALL, FROM_A, "t1:100.0");
	expect_applied(R_ALL, FROM_A, APPLIED_POOL);
	ck_assert_str_eq(compiled_answers(&c, R_ALL, FROM_B, STEERING_A), "192.0.2.7");
	set("c1=up");
	expect(R_A, FROM_A, "t1:100.0"); /* its own site is down */
	expect(R_ALL, FROM_A, "c1:100.0");
}
END_TEST

/* --- for whom a backup stands in ------------------------------------------------------------------ */

/* The two classes have the same preference of the first pool; of the others the first one is
 * restricted. */
enum { OF_MAIN, OF_SPARE, OF_SPARE_B, OF_THIRD, OF_THIRD_B, TWO_CLASSES };
static const struct make_pref two_classes[TWO_CLASSES] = {
	{ "main", "a b", false },  { "spare", "far", false }, { "spare", "far", false },
	{ "third", "far", false }, { "third", "far", false },
};
static const struct make_fence shut[] = { { "spare", "far", NULL }, { "third", "far", NULL } };
static const struct make_avoid shunned[] = { { "spare", "far", NULL, 500 },
					     { "third", "far", NULL, 500 } };

static void open_two(const struct make_limits *limits)
{
	pools[0].backup = "spare";
	make.prefs = two_classes;
	make.pref_count = TWO_CLASSES;
	make.limits = limits;
	make.fences = shut;
	make.fence_count = COUNT(shut);
	make.avoids = shunned;
	make.avoid_count = COUNT(shunned);
	open_main();
}

static const struct {
	enum fallback fallback;
	uint8_t applied;
	const char *shares;
} instead[] = {
	{ FALLBACK_ALL, APPLIED_ALL, "a1:50.0 a2:50.0" },
	{ FALLBACK_LAST_GOOD, APPLIED_LAST_GOOD, "c1:100.0" },
	{ FALLBACK_NEAREST, APPLIED_NEAREST, "a1:50.0 a2:50.0" },
	{ FALLBACK_NONE, APPLIED_NONE, "-:100.0" },
	{ FALLBACK_POOL, APPLIED_POOL, "t1:100.0" },
	{ FALLBACK_ADDRESSES, APPLIED_ADDRESSES, "-:100.0" },
};

START_TEST(for_whom_the_backup_has_nobody_the_own_fallback_applies)
{
	static const struct make_limits limits[TWO_CLASSES] = { [OF_SPARE] = { .fences = "0" } };

	pools[0].fallback = instead[_i].fallback;
	pools[0].fallback_pool = "third";
	if (instead[_i].fallback == FALLBACK_ADDRESSES)
		pools[0].fallback_addresses = "192.0.2.99";
	open_two(limits);
	c.last_good[compiled_node(&c, "c1")] = true;
	set(ALL_DOWN);
	expect(R_ALL, FROM_A, instead[_i].shares);
	expect_applied(R_ALL, FROM_A, instead[_i].applied);
	expect(R_ALL, FROM_B, "s1:100.0");
	expect_applied(R_ALL, FROM_B, APPLIED_BACKUP);
	ck_assert_uint_eq(pool_applied(0), APPLIED_BACKUP); /* as far as status alone tells */
	set("s1=down");
	expect(R_ALL, FROM_A, instead[_i].shares);
	expect(R_ALL, FROM_B, instead[_i].shares);
}
END_TEST

START_TEST(a_row_of_backups_stands_in_for_whom_one_of_them_has_somebody)
{
	static const struct make_limits limits[TWO_CLASSES] = {
		[OF_SPARE] = { .avoids = "0" }, [OF_THIRD_B] = { .fences = "1" }
	};

	pools[1].backup = "third";
	open_two(limits);
	set(ALL_DOWN);
	expect(R_ALL, FROM_A, "t1:100.0"); /* they avoid what the second pool has */
	expect(R_ALL, FROM_B, "s1:100.0");
	set("s1=down");
	expect(R_ALL, FROM_A, "t1:100.0");
	expect(R_ALL, FROM_B, "a1:50.0 a2:50.0"); /* fenced off in the third */
	expect(R_A, FROM_B, "a1:50.0 a2:50.0");   /* a record that is bound to a site: as well */
	set("s1=up t1=down");
	expect(R_ALL, FROM_A, "a1:50.0 a2:50.0");
	expect(R_ALL, FROM_B, "s1:100.0");
	c.now_unix_s = 500; /* nothing else changes */
	compiled_update(&c);
	expect(R_ALL, FROM_A, "s1:100.0");
	c.now_unix_s = 499; /* a clock that is set back */
	compiled_update(&c);
	expect(R_ALL, FROM_A, "a1:50.0 a2:50.0");
	ck_assert_uint_eq(steer_next_unix_s(c.steer), 500);
}
END_TEST

START_TEST(what_no_band_keeps_is_shared_again_where_the_backup_has_nobody)
{
	static const struct make_limits limits[TWO_CLASSES] = { [OF_SPARE] = { .fences = "0" } };

	open_two(limits);
	keep("a", 0.5);
	keep("b", 0.5);
	keep("c", 0.2);
	expect(R_ALL, FROM_A, "a1:31.2 a2:31.2 b1:7.8 b2:23.4 c1:6.2");
	expect(R_ALL, FROM_B, "a1:25.0 a2:25.0 b1:6.2 b2:18.8 c1:5.0 s1:20.0");
	expect_applied(R_ALL, FROM_A, APPLIED_NODES);
	/* One split with the backup and one without; and the record's that is bound to a site. */
	ck_assert_uint_eq(image_root(&c.image, struct steering_root)->split_count, 3);
	ck_assert_uint_eq(image_root(&c.image, struct steering_root)->backup_count, 2);
	keep("a", 0); /* nothing, so all is the backup's: nobody there is worse */
	set("b1=down b2=down c1=down");
	expect(R_ALL, FROM_A, "a1:50.0 a2:50.0");
	expect_applied(R_ALL, FROM_A, APPLIED_NODES);
	expect(R_ALL, FROM_B, "s1:100.0");
}
END_TEST

START_TEST(draining_nodes_share_whatever_their_sites_keep)
{
	open_main();
	set("a1=draining a2=draining b1=draining b2=down c1=down");
	keep("a", 0.5);
	expect(R_ALL, FROM_A, "a1:50.0 a2:50.0");
	expect_applied(R_ALL, FROM_A, APPLIED_DRAINING);
}
END_TEST

/* --- tables ------------------------------------------------------------------------------------- */

START_TEST(preferences_with_the_same_band_share_a_table)
{
	static const struct make_pref prefs[] = { { "main", "b a", false },
						  { "main", "b c", false },
						  { "main", "b", false },
						  { "spare", "far", false },
						  { "third", "far", false } };
	const struct steering_pool *pool;

	make.prefs = prefs;
	make.pref_count = COUNT(prefs);
	make.record_count = 1;
	open_main();
	ck_assert_uint_eq(image_root(&c.image, struct steering_root)->table_count, 3);
	set("b1=down b2=down");
	pool = steering_pool(&c.image, 0);
	ck_assert_uint_eq(image_root(&c.image, struct steering_root)->table_count, 4);
	ck_assert_uint_ne(steering_pref(&c.image, pool, 0)->branch,
			  steering_pref(&c.image, pool, 1)->branch);
}
END_TEST

START_TEST(the_same_input_gives_the_same_bytes)
{
	struct compiled other;

	pools[0].backup = "spare";
	open_main();
	set("a1=down b2=draining");
	keep("a", 0.3);
	set("a2=down");
	set("a2=up");
	compiled_open(&other, &make);
	memcpy(other.nodes, c.nodes, COUNT(nodes) * sizeof(*c.nodes));
	memcpy(other.keep, c.keep, 5 * sizeof(*c.keep));
	for (unsigned i = 0; i < 4; i++) /* the same serial */
		compiled_update(&other);
	ck_assert_uint_eq(c.image.size, other.image.size);
	ck_assert_uint_eq(image_header(&c.image)->id, image_header(&other.image)->id);
	compiled_close(&other);
}
END_TEST

static void add_case(Suite *suite, const char *name, const TTest *const *tests, size_t count)
{
	TCase *tcase = tcase_create(name);

	tcase_add_checked_fixture(tcase, setup, teardown);
	for (size_t i = 0; i < count; i++)
		tcase_add_test(tcase, tests[i]);
	suite_add_tcase(suite, tcase);
}

#define routes_case(suite, name, ...)                                              \
	do {                                                                       \
		const TTest *const tests_[] = { __VA_ARGS__ };                     \
		add_case(suite, name, tests_, sizeof(tests_) / sizeof(tests_[0])); \
	} while (0)

void routes_cases(Suite *suite)
{
	TCase *fallbacks;

	routes_case(suite, "health", the_last_healthy_node_is_served_even_when_draining,
		    a_disabled_node_is_answered_under_no_fallback,
		    a_site_with_too_few_nodes_does_not_count, an_operators_weight_counts_at_once);
	routes_case(suite, "bands", sites_of_one_band_share_by_weight, equal_priorities_share,
		    round_robin_counts_each_node_once_and_draws_anew,
		    a_rules_policy_orders_the_sites_behind_it);
	routes_case(suite, "restricted", a_fenced_site_is_never_answered,
		    a_record_bound_to_a_fenced_site_is_fenced,
		    who_has_no_site_left_is_sent_to_the_first_pool_that_a_fence_names,
		    a_fenced_node_stands_in_for_nobody, an_avoided_node_counts_as_down,
		    an_avoid_ends_by_itself);
	routes_case(suite, "spill", overflow_goes_to_the_next_band,
		    what_no_band_keeps_is_the_backups,
		    nothing_goes_to_a_backup_that_has_nobody_for_these_clients,
		    a_backup_that_all_avoid_takes_nothing_until_that_ends,
		    within_a_band_overflow_goes_to_those_with_room,
		    spilling_moves_only_those_that_are_given_up);
	routes_case(suite, "nobody healthy", the_backup_pool_comes_before_the_fallback,
		    last_good_answers_who_was_up_last,
		    nearest_answers_the_nearest_site_and_no_other,
		    nearest_is_told_where_the_order_is_not_by_distance,
		    a_fallback_pool_answers_for_the_same_clients);
	routes_case(suite, "backups", a_row_of_backups_stands_in_for_whom_one_of_them_has_somebody,
		    what_no_band_keeps_is_shared_again_where_the_backup_has_nobody,
		    draining_nodes_share_whatever_their_sites_keep);
	fallbacks = tcase_create("instead of a backup");
	tcase_add_checked_fixture(fallbacks, setup, teardown);
	tcase_add_loop_test(fallbacks, for_whom_the_backup_has_nobody_the_own_fallback_applies, 0,
			    COUNT(instead));
	suite_add_tcase(suite, fallbacks);
	routes_case(suite, "tables", preferences_with_the_same_band_share_a_table,
		    the_same_input_gives_the_same_bytes);
}
