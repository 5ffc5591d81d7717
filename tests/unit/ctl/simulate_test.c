#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../run.h"
#include "../steer/compiled.h"
#include "base/mem.h"
#include "ctl/country_table.h"
#include "ctl/map.h"
#include "ctl/outlines.h"
#include "ctl/projection.h"
#include "ctl/shares.h"
#include "ctl/simulate_verdict.h"
#include "ctl/space.h"
#include "ctl/suppose.h"

/* --- a plan of two pools ------------------------------------------------------------------------ */

/* Texts are written first, so that their offsets are known. */
struct plan_maker {
	struct image_writer writer;
	struct image image;
};

static uint32_t text(struct plan_maker *maker, const char *words)
{
	return (uint32_t)image_writer_append(&maker->writer, words, strlen(words) + 1, 1);
}

static struct plan_array put(struct plan_maker *maker, const void *items, uint32_t count,
			     size_t size)
{
	return (struct plan_array){ image_writer_append(&maker->writer, items, count * size, 8),
				    count, 0 };
}

/* Pools edge (tokyo: a, b; paris: c) and core (tokyo: a; node paris at tokyo). */
static struct plan_maker plan_open(void)
{
	struct plan_maker maker = { .image = { NULL, 0 } };
	struct plan_root root = { .settings = { 0 } };
	struct err err;
	int fd;

	ck_assert_int_eq(
		image_writer_open(&maker.writer, IMAGE_PLAN, sizeof(struct plan_root), &err), 0);
	uint32_t a = text(&maker, "a"), b = text(&maker, "b"), c = text(&maker, "c");
	uint32_t tokyo = text(&maker, "tokyo"), paris = text(&maker, "paris");
	const struct plan_site sites[] = { { tokyo, 0, 35, 139 }, { paris, 0, 48, 2 } };
	const struct plan_pool pools[] = {
		{ .name = text(&maker, "edge"), .sites = { 0, 2 }, .nodes = { 0, 3 } },
		{ .name = text(&maker, "core"), .sites = { 2, 1 }, .nodes = { 3, 2 } },
	};
	const struct plan_pool_site pool_sites[] = {
		{ .pool = 0, .site = 0, .nodes = { 0, 2 } },
		{ .pool = 0, .site = 1, .nodes = { 2, 1 } },
		{ .pool = 1, .site = 0, .nodes = { 3, 2 } },
	};
	const struct plan_node nodes[] = {
		{ .name = a, .pool = 0, .pool_site = 0, .weight = 10 },
		{ .name = b, .pool = 0, .pool_site = 0, .weight = 20 },
		{ .name = c, .pool = 0, .pool_site = 1, .weight = 30 },
		{ .name = a, .pool = 1, .pool_site = 2, .weight = 40 },
		{ .name = paris, .pool = 1, .pool_site = 2, .weight = 50 },
	};

	root.sites = put(&maker, sites, 2, sizeof(sites[0]));
	root.pools = put(&maker, pools, 2, sizeof(pools[0]));
	root.pool_sites = put(&maker, pool_sites, 3, sizeof(pool_sites[0]));
	root.nodes = put(&maker, nodes, 5, sizeof(nodes[0]));
	*image_writer_root(&maker.writer, struct plan_root) = root;
	ck_assert_int_eq(image_writer_finish(&maker.writer, NULL, &fd, &err), 0);
	ck_assert_int_eq(image_open(&maker.image, fd, IMAGE_PLAN, &err), 0);
	(void)close(fd);
	return maker;
}

/* --- what is supposed --------------------------------------------------------------------------- */

/* The states of the five nodes as letters: u, d (down), r (drained). */
static void assert_states(const struct image *plan, enum suppose_kind kind, const char *object,
			  const char *expected)
{
	static const char letters[] = {
		[STEER_DOWN] = 'd', [STEER_DISABLED] = 'x', [STEER_DRAINING] = 'r', [STEER_UP] = 'u'
	};
	json_t *none = json_array();
	struct supposed_node *nodes = suppose_reported(plan, none);
	struct supposition what = { kind, object };
	char states[6] = "";
	struct err err = { "" };
	int rc = suppose(plan, nodes, &what, &err);

	for (int n = 0; n < 5; n++)
		states[n] = letters[nodes[n].steer.state];
	ck_assert_msg((rc == 0) == (expected != NULL), "%s: %s", object, err.text);
	ck_assert_msg(expected == NULL || strcmp(states, expected) == 0, "%s: %s", object, states);
	free(nodes);
	json_decref(none);
}

START_TEST(objects_are_sites_nodes_and_pools)
{
	static const struct {
		enum suppose_kind kind;
		const char *object, *states; /* NULL: refused */
	} rows[] = {
		{ SUPPOSE_DOWN, "tokyo", "ddudd" },       { SUPPOSE_DRAIN, "edge", "rrruu" },
		{ SUPPOSE_DOWN, "b", "uduuu" },           { SUPPOSE_DOWN, "a", NULL },
		{ SUPPOSE_DOWN, "edge/a", "duuuu" },      { SUPPOSE_DOWN, "core/@tokyo", "uuudd" },
		{ SUPPOSE_DOWN, "edge/tokyo", "dduuu" },  { SUPPOSE_DOWN, "paris", NULL },
		{ SUPPOSE_DRAIN, "site:paris", "uuruu" }, { SUPPOSE_DOWN, "node:paris", "uuuud" },
		{ SUPPOSE_DOWN, "pool:core", "uuudd" },   { SUPPOSE_DOWN, "pool:tokyo", NULL },
		{ SUPPOSE_DOWN, "site:a", NULL },         { SUPPOSE_DOWN, "edge/@a", NULL },
		{ SUPPOSE_DOWN, "oslo", NULL },           { SUPPOSE_DOWN, "", NULL },
	};
	struct plan_maker maker = plan_open();

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		assert_states(&maker.image, rows[i].kind, rows[i].object, rows[i].states);
	image_close(&maker.image);
}
END_TEST

START_TEST(loads_are_of_an_object_or_of_all)
{
	struct plan_maker maker = plan_open();
	json_t *told = json_loads("[{}, {\"load\": 0.5}, {\"status\": \"down\"}, {}, {}]", 0, NULL);
	struct supposed_node *nodes = suppose_reported(&maker.image, told);
	struct err err;

	ck_assert(isnan(nodes[0].load));
	ck_assert_double_eq(nodes[1].load, 0.5);
	ck_assert_uint_eq(nodes[2].steer.state, STEER_DOWN);
	ck_assert_uint_eq(nodes[4].steer.weight, 50);
	ck_assert_int_eq(
		suppose(&maker.image, nodes, &(struct supposition){ SUPPOSE_LOAD, "0.25" }, &err),
		0);
	ck_assert_int_eq(suppose(&maker.image, nodes,
				 &(struct supposition){ SUPPOSE_LOAD, "edge/@paris=1.5" }, &err),
			 0);
	ck_assert_double_eq(nodes[4].load, 0.25);
	ck_assert_double_eq(nodes[2].load, 1.5);
	static const char *const wrong[] = { "tokyo=", "tokyo=-1", "x", "tokyo=1x", "tokyo=nan" };
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		ck_assert_int_eq(suppose(&maker.image, nodes,
					 &(struct supposition){ SUPPOSE_LOAD, wrong[i] }, &err),
				 -1);
	json_decref(told);
	free(nodes);
	image_close(&maker.image);
}
END_TEST

START_TEST(nodes_keep_their_state_and_the_operators_weight_in_another_plan)
{
	struct plan_maker from = plan_open(), to = plan_open();
	json_t *told = json_loads("[{\"weight\": 7}, {\"load\": 0.5, \"status\": \"down\"}]", 0,
				  NULL);
	struct supposed_node *nodes = suppose_reported(&from.image, told);
	struct supposed_node *carried = suppose_carried(&from.image, nodes, &to.image);

	ck_assert_uint_eq(carried[0].steer.weight, 7);
	ck_assert_uint_eq(carried[1].steer.state, STEER_DOWN);
	ck_assert_double_eq(carried[1].load, 0.5);
	ck_assert_uint_eq(carried[4].steer.weight, 50);
	json_decref(told);
	free(nodes);
	free(carried);
	image_close(&from.image);
	image_close(&to.image);
}
END_TEST

/* --- shares ------------------------------------------------------------------------------------- */

static const struct make_site share_sites[] = { { "tokyo", 35, 139 },
						{ "paris", 48, 2 },
						{ "oslo", 60, 11 } };
static const struct make_pool share_pools[] = {
	{ .name = "edge", .sites = "tokyo paris", .policy = POLICY_NEAREST, .backup = "spare" },
	{ .name = "spare", .sites = "oslo", .policy = POLICY_NEAREST },
};
static const struct make_node share_nodes[] = {
	{ "edge", "tokyo", "a", 100, "192.0.2.1" },
	{ "edge", "tokyo", "b", 300, "192.0.2.2" },
	{ "edge", "paris", "c", 100, "192.0.2.3" },
	{ "spare", "oslo", "z", 100, "192.0.2.4" },
};
static const struct make_pref share_prefs[] = { { "edge", "tokyo paris", false },
						{ "spare", "oslo", false } };
static const struct make_record share_records[] = { { "vpn.example.net.", "edge", NULL, 30 } };
static const struct make_plan share_plan = {
	.sites = share_sites,
	.site_count = 3,
	.pools = share_pools,
	.pool_count = 2,
	.nodes = share_nodes,
	.node_count = 4,
	.prefs = share_prefs,
	.pref_count = 2,
	.records = share_records,
	.record_count = 1,
};

/* Numbers of nodes are the plan's. */
static void sum_shares(const struct compiled *compiled, uint32_t class_id, double sums[4])
{
	struct shares *shares = shares_new(&compiled->image, &compiled->made.geo,
					   &compiled->made.plan);
	const struct share_list *list = shares_find(shares, 0, class_id);

	memset(sums, 0, 4 * sizeof(*sums));
	for (uint32_t i = 0; i < list->count; i++)
		sums[list->items[i].pool == 0 ? list->items[i].node : 3] += list->items[i].share;
	shares_free(shares);
}

static uint8_t applied_to(const struct compiled *compiled, uint32_t class_id)
{
	struct shares *shares = shares_new(&compiled->image, &compiled->made.geo,
					   &compiled->made.plan);
	uint8_t applied = shares_applied(shares, 0, class_id);

	shares_free(shares);
	return applied;
}

/* Half of Tokyo's clients stay, three tenths of the others stay in Paris, and the backup has the
 * rest. */
START_TEST(shares_go_through_splits_and_pools)
{
	const double expected[] = { 0.125, 0.375, 0.15, 0.35 };
	struct compiled c;
	double sums[4];

	compiled_open(&c, &share_plan);
	c.keep[0] = STEER_ALL / 2;
	c.keep[1] = STEER_ALL * 3 / 10;
	compiled_update(&c);
	sum_shares(&c, 0, sums);
	for (int n = 0; n < 4; n++)
		ck_assert_double_eq_tol(sums[n], expected[n], 0.005);
	compiled_close(&c);
}
END_TEST

/* Of two classes one is fenced off in the backup: it has what its own pool has instead. */
START_TEST(shares_of_whom_the_backup_has_nobody_are_the_own_pools)
{
	static const struct make_pref prefs[] = { { "edge", "tokyo paris", false },
						  { "spare", "oslo", false },
						  { "spare", "oslo", false } };
	static const struct make_fence fences[] = { { "spare", "oslo", NULL } };
	static const struct make_limits limits[] = { { 0 }, { .fences = "0" }, { 0 } };
	const double spilled[] = { 0.125 / 0.65, 0.375 / 0.65, 0.15 / 0.65, 0 };
	const double down[] = { 0.25, 0.75, 0, 0 };
	struct make_plan plan = share_plan;
	struct compiled c;
	double sums[4];

	plan.prefs = prefs;
	plan.pref_count = 3;
	plan.limits = limits;
	plan.fences = fences;
	plan.fence_count = 1;
	compiled_open(&c, &plan);
	c.keep[0] = STEER_ALL / 2;
	c.keep[1] = STEER_ALL * 3 / 10;
	compiled_update(&c);
	sum_shares(&c, 0, sums);
	for (int n = 0; n < 4; n++)
		ck_assert_double_eq_tol(sums[n], spilled[n], 0.005);
	sum_shares(&c, 1, sums);
	ck_assert_double_eq_tol(sums[3], 0.35, 0.005);
	for (int n = 0; n < 3; n++)
		c.nodes[n].state = STEER_DOWN;
	compiled_update(&c);
	sum_shares(&c, 0, sums);
	for (int n = 0; n < 4; n++)
		ck_assert_double_eq_tol(sums[n], down[n], 0.01);
	ck_assert_uint_eq(applied_to(&c, 0), APPLIED_ALL);
	sum_shares(&c, 1, sums);
	ck_assert_double_eq(sums[3], 1);
	ck_assert_uint_eq(applied_to(&c, 1), APPLIED_BACKUP);
	compiled_close(&c);
}
END_TEST

/* --- verdicts ----------------------------------------------------------------------------------- */

START_TEST(a_verdict_is_on_what_the_change_does)
{
	static const struct {
		const char *what;
		double use[SIDES], clients[SIDES], capacity[SIDES];
		uint32_t takers, tellers;
		bool strangers, supposed;
		enum verdict verdict;
	} rows[] = {
		{ "gets more", { 40, 80 }, { 1, 2 }, { 100, 100 }, 2, 2, 0, 0, VERDICT_HOLDS },
		{ "too much", { 40, 101 }, { 1, 2 }, { 100, 100 }, 2, 2, 0, 0, VERDICT_FAILS },
		{ "above, as it was",
		  { 120, 120 },
		  { 1, 1 },
		  { 100, 100 },
		  2,
		  2,
		  0,
		  0,
		  VERDICT_OVER },
		{ "above, but less",
		  { 120, 110 },
		  { 2, 1 },
		  { 100, 100 },
		  2,
		  2,
		  0,
		  0,
		  VERDICT_OVER },
		{ "above, and more",
		  { 120, 121 },
		  { 1, 2 },
		  { 100, 100 },
		  2,
		  2,
		  0,
		  0,
		  VERDICT_FAILS },
		{ "above by supposition",
		  { 120, 120 },
		  { 1, 1 },
		  { 100, 100 },
		  2,
		  2,
		  0,
		  1,
		  VERDICT_FAILS },
		{ "a node goes", { 80, 80 }, { 1, 1 }, { 100, 50 }, 2, 2, 0, 0, VERDICT_FAILS },
		{ "one is silent",
		  { 40, 80 },
		  { 1, 2 },
		  { 100, 100 },
		  2,
		  1,
		  0,
		  0,
		  VERDICT_UNKNOWN },
		{ "all are silent",
		  { 0, 40 },
		  { 1, 2 },
		  { 100, 100 },
		  2,
		  0,
		  0,
		  0,
		  VERDICT_UNKNOWN },
		{ "strangers come",
		  { 40, 40 },
		  { 1, 2 },
		  { 100, 100 },
		  2,
		  2,
		  1,
		  0,
		  VERDICT_UNKNOWN },
		{ "too much, whoever is silent",
		  { 40, 101 },
		  { 1, 2 },
		  { 100, 100 },
		  2,
		  1,
		  1,
		  0,
		  VERDICT_FAILS },
		{ "nothing comes", { 40, 40 }, { 1, 1 }, { 100, 100 }, 2, 2, 0, 0, VERDICT_HOLDS },
		{ "nothing comes or is known",
		  { 0, 0 },
		  { 1, 1 },
		  { 100, 100 },
		  2,
		  0,
		  0,
		  0,
		  VERDICT_NONE },
		{ "it falls, its clients go",
		  { 40, 0 },
		  { 1, 0 },
		  { 100, 0 },
		  2,
		  2,
		  0,
		  0,
		  VERDICT_NONE },
		{ "it falls, its clients stay",
		  { 40, 40 },
		  { 1, 1 },
		  { 100, 0 },
		  2,
		  2,
		  0,
		  0,
		  VERDICT_FAILS },
		{ "it is down already", { 40, 40 }, { 1, 1 }, { 0, 0 }, 0, 0, 0, 0, VERDICT_OVER },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct place place = { .site = "tokyo",
				       .use_known = rows[i].tellers > 0,
				       .takers = rows[i].takers,
				       .tellers = rows[i].tellers,
				       .strangers = rows[i].strangers,
				       .load_is_supposed = rows[i].supposed };
		enum verdict verdict;

		memcpy(place.use, rows[i].use, sizeof(place.use));
		memcpy(place.capacity, rows[i].capacity, sizeof(place.capacity));
		for (int s = 0; s < SIDES; s++)
			place.clients[s][MEASURE_IPV4] = rows[i].clients[s];
		verdict = verdict_of_place(&place, MEASURE_IPV4);
		ck_assert_msg(verdict == rows[i].verdict, "%s: %s", rows[i].what,
			      verdict_name[verdict]);
	}
}
END_TEST

/* --- countries ---------------------------------------------------------------------------------- */

START_TEST(country_codes_are_numbers_and_back)
{
	char code[3];

	for (uint32_t country = 0; country < SPACE_COUNTRIES; country++) {
		space_country_code(country, code);
		ck_assert_uint_eq(space_country(code), country);
	}
	ck_assert_uint_eq(space_country("\0\0"), SPACE_NOWHERE);
	ck_assert_uint_eq(space_country("a1"), SPACE_NOWHERE);
}
END_TEST

START_TEST(a_table_of_countries_is_read_past_its_comments)
{
	char lines[] =
		"# code\nFR\t48.5\t2.25\tFrance\nbad line\nCI\t6.9\t-5\tC\xc3\xb4te d'Ivoire\n";
	FILE *file = fmemopen(lines, strlen(lines), "r");
	struct country_table table = { 0 };

	country_table_read(&table, file);
	(void)fclose(file);
	ck_assert_uint_eq(table.count, 2);
	ck_assert_str_eq(country_table_name(&table, "CI"), "C\xc3\xb4te d'Ivoire");
	ck_assert_double_eq(country_table_row(&table, "FR")->latitude, 48.5);
	ck_assert_ptr_null(country_table_name(&table, "DE"));
	country_table_close(&table);
}
END_TEST

START_TEST(outlines_come_largest_first)
{
	char lines[] = "# code\nLS\t27,-30 28,-30 28,-29\nZA\t20,-30 30,-30 30,-20 20,-20\n";
	FILE *file = fmemopen(lines, strlen(lines), "r");
	struct outlines outlines = { 0 };

	outlines_read(&outlines, file);
	(void)fclose(file);
	ck_assert_uint_eq(outlines.count, 2);
	ck_assert_str_eq(outlines.rings[0].code, "ZA");
	ck_assert_double_eq(outlines.rings[0].area, 100);
	ck_assert_uint_eq(outlines.rings[1].count, 3);
	outlines_free(&outlines);
}
END_TEST

/* --- the map -------------------------------------------------------------------------------------- */

START_TEST(the_projection_keeps_its_tables_and_symmetry)
{
	struct map_point a, b;

	a = project(0, 0);
	ck_assert_double_eq_tol(a.x, 0, 1e-12);
	ck_assert_double_eq_tol(a.y, 0, 1e-12);
	a = project(180, 0);
	ck_assert_double_eq_tol(a.x, 1, 1e-12);
	a = project(90, 45); /* Robinson (1974): 0.8962 long, 0.5571 from the equator */
	ck_assert_double_eq_tol(a.x, 0.8962 / 2, 1e-9);
	ck_assert_double_eq_tol(a.y, -0.5571 * 0.5072, 1e-9);
	b = project(-90, -45);
	ck_assert_double_eq_tol(a.x, -b.x, 1e-12);
	ck_assert_double_eq_tol(a.y, -b.y, 1e-12);
	b = project(10, 90);
	ck_assert_double_eq_tol(b.y, -0.5072, 1e-9);
}
END_TEST

START_TEST(names_in_a_map_are_escaped)
{
	json_t *told = json_loads(
		"{\"demand\": \"ipv4\", \"supposed\": [], \"pools\": [{\"name\": \"a<b&c\", "
		"\"holds\": null, \"countries\": [], \"sites\": []}]}",
		0, NULL);
	struct map_world world = { 0 };
	char *drawn = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&drawn, &size);

	map_draw(told, &world, out);
	(void)fclose(out);
	ck_assert_ptr_nonnull(strstr(drawn, "Pool a&lt;b&amp;c, as it is"));
	json_decref(told);
	free(drawn);
}
END_TEST

START_TEST(a_site_of_another_pool_goes_by_that_pool)
{
	json_t *told = json_loads(
		"{\"demand\": \"ipv4\", \"supposed\": [], \"pools\": [{\"name\": \"edge\", "
		"\"holds\": null, \"countries\": [], \"sites\": ["
		"{\"site\": \"london\", \"pool\": \"edge\"},"
		"{\"site\": \"london\", \"pool\": \"decoy\"}]}]}",
		0, NULL);
	struct map_world world = { 0 };
	char *drawn = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&drawn, &size);

	map_draw(told, &world, out);
	(void)fclose(out);
	ck_assert_ptr_nonnull(strstr(drawn, ">london</text>"));
	ck_assert_ptr_nonnull(strstr(drawn, ">decoy/london</text>"));
	json_decref(told);
	free(drawn);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("simulate");

	suite_case(suite, "suppose", objects_are_sites_nodes_and_pools,
		   loads_are_of_an_object_or_of_all,
		   nodes_keep_their_state_and_the_operators_weight_in_another_plan);
	suite_case(suite, "shares", shares_go_through_splits_and_pools,
		   shares_of_whom_the_backup_has_nobody_are_the_own_pools);
	suite_case(suite, "verdicts", a_verdict_is_on_what_the_change_does);
	suite_case(suite, "countries", country_codes_are_numbers_and_back,
		   a_table_of_countries_is_read_past_its_comments, outlines_come_largest_first);
	suite_case(suite, "map", the_projection_keeps_its_tables_and_symmetry,
		   names_in_a_map_are_escaped, a_site_of_another_pool_goes_by_that_pool);
	return run_suite(suite);
}
