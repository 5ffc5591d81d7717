/* Who stands together in an answer. */
#include "steer/sets.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/mem.h"
#include "make_plan.h"
#include "steer_test.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* Around Tokyo: Osaka 400 km, Seoul 1,150, Singapore 5,300, Frankfurt 9,300. */
static const struct make_site sites[] = {
	{ "tokyo", 35.68, 139.69 },    { "osaka", 34.69, 135.50 },   { "seoul", 37.57, 126.98 },
	{ "singapore", 1.35, 103.82 }, { "frankfurt", 50.11, 8.68 },
};

enum { TOKYO, OSAKA, SEOUL, SINGAPORE, FRANKFURT };

static const struct make_node nodes[] = {
	{ "edge", "tokyo", "tyo-1", 100, "192.0.2.1 2001:db8::1" },
	{ "edge", "tokyo", "tyo-2", 100, "192.0.2.2 2001:db8::2" },
	{ "edge", "osaka", "osa-1", 100, "192.0.2.3" },
	{ "edge", "seoul", "sel-1", 100, "192.0.2.4" },
	{ "edge", "seoul", "sel-2", 0, "192.0.2.5 2001:db8::5" },
	{ "edge", "singapore", "sin-1", 100, "192.0.2.6 2001:db8::6" },
	{ "edge", "frankfurt", "fra-1", 100, "192.0.2.7" },
};

enum { TYO_1, TYO_2, OSA_1, SEL_1, SEL_2, SIN_1, FRA_1, NODES };

static const struct make_pool edge = { .name = "edge",
				       .sites = "tokyo osaka seoul singapore frankfurt",
				       .answers = 3,
				       .spread = SPREAD_SITE };

/* A pool, its sets, and one context that tests change. */
struct fixture {
	struct made made;
	struct pool pool;
	struct sets sets;
	uint32_t sites[128], bands[128];
	uint8_t *ranks;
	uint32_t *weights;
	struct set_context context;
};

/* All nodes up, all sites a band of its own, in the pool's order. */
static void open_with(struct fixture *f, const struct make_plan *make)
{
	struct err err = { "" };

	memset(f, 0, sizeof(*f));
	f->made = make_images(make);
	ck_assert_msg(pool_open(&f->pool, &f->made.geo, &f->made.plan, 0, &err) == 0, "%s",
		      err.text);
	for (unsigned family = 0; family < STEERING_FAMILIES; family++)
		memcpy(f->pool.live[family], f->pool.has[family], f->pool.node_count);
	sets_open(&f->sets, &f->pool);
	f->ranks = mem_array(f->pool.node_count, sizeof(*f->ranks));
	f->weights = mem_array(f->pool.node_count, sizeof(*f->weights));
	ck_assert_uint_le(f->pool.site_count, COUNT(f->sites));
	for (uint32_t i = 0; i < f->pool.site_count; i++)
		f->sites[i] = f->bands[i] = i;
	for (uint32_t i = 0; i < f->pool.node_count; i++) {
		f->weights[i] = f->pool.nodes[i].weight;
		f->ranks[i] = f->weights[i] > 0 ? TABLE_USABLE : TABLE_RESERVE;
	}
	f->context = (struct set_context){ .sites = f->sites,
					   .bands = f->bands,
					   .site_count = f->pool.site_count,
					   .ranks = f->ranks };
	sets_begin(&f->sets, f->weights);
}

static void open_pool(struct fixture *f, const struct make_pool *pool)
{
	struct make_plan make = { .sites = sites,
				  .site_count = COUNT(sites),
				  .pools = pool,
				  .pool_count = 1,
				  .nodes = nodes,
				  .node_count = COUNT(nodes) };

	open_with(f, &make);
}

static void close_pool(struct fixture *f)
{
	sets_close(&f->sets);
	pool_close(&f->pool);
	free(f->ranks);
	free(f->weights);
	made_close(&f->made);
}

/* The sites of a context in this order, each a band of its own. */
static void prefer(struct fixture *f, const uint32_t *order, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++) {
		f->sites[i] = order[i];
		f->bands[i] = i;
	}
	f->context.site_count = count;
}

static const char *node_name(const struct fixture *f, uint16_t node)
{
	return plan_text(&f->made.plan, f->pool.nodes[node].name);
}

/* "tyo-1 osa-1 sel-1 +AAAA sin-1": the nodes of a set, and who stands in for a family. */
static const char *set_text(struct fixture *f, uint16_t primary)
{
	static const char *const families[] = { "A", "AAAA" };
	static char text[512];
	uint16_t choice = sets_choice(&f->sets, &f->context, primary);
	const struct set *set = &f->sets.list[choice];

	text[0] = '\0';
	for (unsigned i = 0; i < SET_NODES_MAX && set->nodes[i] != SET_NODE_NONE; i++) {
		strcat(text, i > 0 ? " " : "");
		strcat(text, node_name(f, set->nodes[i]));
	}
	for (unsigned family = 0; family < STEERING_FAMILIES; family++) {
		if (set->substitutes[family] == SET_NODE_NONE)
			continue;
		strcat(strcat(strcat(text, " +"), families[family]), " ");
		strcat(text, node_name(f, set->substitutes[family]));
	}
	return text;
}

/* --- who joins --------------------------------------------------------------------------------- */

START_TEST(with_one_answer_a_node_stands_alone)
{
	struct make_pool pool = edge;
	struct fixture f;

	pool.answers = 1;
	pool.strict_pair = true;
	open_pool(&f, &pool);
	ck_assert(f.sets.plain);
	for (uint16_t node = 0; node < NODES; node++)
		ck_assert_uint_eq(sets_choice(&f.sets, &f.context, node), node);
	ck_assert_uint_eq(f.sets.count, NODES + 1);
	close_pool(&f);
}
END_TEST

START_TEST(companions_are_of_other_sites_in_order_of_preference)
{
	static const uint32_t order[] = { TOKYO, SEOUL, FRANKFURT, OSAKA };
	struct fixture f;

	open_pool(&f, &edge);
	ck_assert_str_eq(set_text(&f, TYO_1), "tyo-1 osa-1 sel-1");
	ck_assert_str_eq(set_text(&f, FRA_1), "fra-1 tyo-1 osa-1");
	prefer(&f, order, COUNT(order));
	ck_assert_str_eq(set_text(&f, TYO_2), "tyo-2 sel-1 fra-1");
	ck_assert_str_eq(set_text(&f, OSA_1), "osa-1 tyo-1 sel-1");
	close_pool(&f);
}
END_TEST

START_TEST(companions_spread_by_node_are_of_the_same_site_first)
{
	struct make_pool pool = edge;
	struct fixture f;

	pool.spread = SPREAD_NODE;
	pool.answers = 4;
	open_pool(&f, &pool);
	ck_assert_str_eq(set_text(&f, TYO_2), "tyo-2 tyo-1 osa-1 sel-1");
	/* Then the rest of its band, then the first bands. */
	f.bands[0] = f.bands[1] = 0;
	f.bands[2] = 1;
	f.bands[3] = f.bands[4] = 2;
	ck_assert_str_eq(set_text(&f, SIN_1), "sin-1 fra-1 tyo-1 tyo-2");
	close_pool(&f);
}
END_TEST

START_TEST(spares_are_far_and_come_last)
{
	struct make_pool pool = edge;
	struct fixture f;

	pool.spare = 1;
	pool.spare_km = 1000;
	open_pool(&f, &pool);
	ck_assert_str_eq(set_text(&f, TYO_1), "tyo-1 osa-1 sel-1");
	close_pool(&f);
	pool.spare_km = 3000;
	open_pool(&f, &pool);
	ck_assert_str_eq(set_text(&f, TYO_1), "tyo-1 osa-1 sin-1");
	close_pool(&f);
	pool.spare_km = 6000;
	open_pool(&f, &pool);
	ck_assert_str_eq(set_text(&f, TYO_1), "tyo-1 osa-1 fra-1");
	/* From Frankfurt all are that far. */
	ck_assert_str_eq(set_text(&f, FRA_1), "fra-1 tyo-1 osa-1");
	close_pool(&f);
	pool.spare = 2;
	open_pool(&f, &pool);
	/* Where none is far enough any more, the farthest there is. */
	ck_assert_str_eq(set_text(&f, TYO_1), "tyo-1 fra-1 sin-1");
	close_pool(&f);
}
END_TEST

START_TEST(a_spare_is_never_of_the_same_site_while_there_is_another)
{
	struct make_pool pool = edge;
	struct fixture f;

	pool.spare = 1;
	pool.spare_km = 0;
	pool.answers = 2;
	pool.spread = SPREAD_NODE;
	open_pool(&f, &pool);
	ck_assert_str_eq(set_text(&f, TYO_1), "tyo-1 osa-1");
	f.context.site_count = 1;
	ck_assert_str_eq(set_text(&f, TYO_1), "tyo-1 tyo-2");
	close_pool(&f);
}
END_TEST

START_TEST(fewer_usable_nodes_make_a_shorter_answer)
{
	static const uint32_t order[] = { TOKYO, SEOUL };
	struct make_pool pool = edge;
	struct fixture f;

	pool.answers = 16;
	open_pool(&f, &pool);
	ck_assert_str_eq(set_text(&f, TYO_1), "tyo-1 osa-1 sel-1 sin-1 fra-1");
	f.ranks[OSA_1] = f.ranks[SIN_1] = TABLE_DOWN;
	ck_assert_str_eq(set_text(&f, TYO_1), "tyo-1 sel-1 fra-1");
	prefer(&f, order, COUNT(order));
	ck_assert_str_eq(set_text(&f, TYO_1), "tyo-1 sel-1");
	f.ranks[SEL_1] = TABLE_DOWN;
	ck_assert_uint_eq(sets_choice(&f.sets, &f.context, TYO_1), TYO_1); /* sel-2 has weight 0 */
	close_pool(&f);
}
END_TEST

START_TEST(nobody_joins_who_is_worse_than_the_primary)
{
	struct fixture f;

	open_pool(&f, &edge);
	for (uint16_t node = 0; node < NODES; node++)
		f.ranks[node] = TABLE_DOWN;
	f.ranks[SEL_2] = TABLE_RESERVE;
	f.ranks[SIN_1] = TABLE_USABLE;
	ck_assert_str_eq(set_text(&f, SIN_1), "sin-1");
	ck_assert_str_eq(set_text(&f, SEL_2), "sel-2 sin-1");
	close_pool(&f);
}
END_TEST

START_TEST(sites_with_too_few_nodes_give_no_companions)
{
	struct plan_pool_site own[COUNT(sites)];
	struct make_pool pool = edge;
	struct fixture f;

	pool.answers = 2;
	open_pool(&f, &pool);
	memcpy(own, f.pool.sites, sizeof(own));
	f.pool.sites = own;
	own[OSAKA].min_nodes = 2; /* it has one */
	ck_assert_str_eq(set_text(&f, TYO_1), "tyo-1 sel-1");
	own[TOKYO].min_nodes = 2;
	ck_assert_str_eq(set_text(&f, FRA_1), "fra-1 tyo-1");
	f.ranks[TYO_2] = TABLE_DOWN;
	/* It may still stand in for a family: an answer is better than none. */
	ck_assert_str_eq(set_text(&f, FRA_1), "fra-1 sel-1 +AAAA tyo-1");
	ck_assert_str_eq(set_text(&f, TYO_1), "tyo-1 osa-1"); /* let go for it, so for all */
	close_pool(&f);
}
END_TEST

/* --- families ---------------------------------------------------------------------------------- */

START_TEST(a_family_that_no_node_of_a_set_has_is_answered_by_another)
{
	struct make_pool pool = edge;
	struct fixture f;

	pool.answers = 1;
	open_pool(&f, &pool);
	ck_assert(!f.sets.plain);
	ck_assert_str_eq(set_text(&f, TYO_1), "tyo-1");
	ck_assert_str_eq(set_text(&f, SEL_1), "sel-1 +AAAA tyo-1"); /* sel-2 has weight 0 */
	f.ranks[SEL_2] = TABLE_USABLE;
	ck_assert_str_eq(set_text(&f, SEL_1), "sel-1 +AAAA sel-2"); /* its own site's first */
	f.ranks[SEL_2] = f.ranks[TYO_1] = f.ranks[TYO_2] = TABLE_DOWN;
	ck_assert_str_eq(set_text(&f, OSA_1), "osa-1 +AAAA sin-1");
	f.ranks[SIN_1] = TABLE_DOWN;
	ck_assert_str_eq(set_text(&f, OSA_1), "osa-1");
	close_pool(&f);
}
END_TEST

START_TEST(a_set_with_the_family_needs_no_substitute)
{
	static const uint32_t order[] = { OSAKA, SINGAPORE, FRANKFURT };
	struct make_pool pool = edge;
	struct fixture f;

	pool.answers = 2;
	open_pool(&f, &pool);
	prefer(&f, order, COUNT(order));
	ck_assert_str_eq(set_text(&f, OSA_1), "osa-1 sin-1");
	f.ranks[SIN_1] = TABLE_DOWN;
	/* Tokyo is not theirs; but whoever makes a context says so by its ranks, too. */
	f.ranks[TYO_1] = f.ranks[TYO_2] = f.ranks[SEL_2] = TABLE_DOWN;
	ck_assert_str_eq(set_text(&f, OSA_1), "osa-1 fra-1");
	close_pool(&f);
	pool.strict_pair = true;
	open_pool(&f, &pool);
	f.ranks[TYO_1] = f.ranks[TYO_2] = TABLE_DOWN;
	ck_assert_str_eq(set_text(&f, OSA_1), "osa-1 sel-1");
	close_pool(&f);
}
END_TEST

/* --- numbers and maps ---------------------------------------------------------------------------- */

START_TEST(equal_sets_have_one_number)
{
	static const uint32_t other[] = { TOKYO, OSAKA, SEOUL, FRANKFURT };
	struct fixture f;
	uint16_t choice;

	open_pool(&f, &edge);
	choice = sets_choice(&f.sets, &f.context, TYO_1);
	ck_assert_uint_eq(choice, NODES + 1);
	prefer(&f, other, COUNT(other));
	ck_assert_uint_eq(sets_choice(&f.sets, &f.context, TYO_1), choice);
	ck_assert_uint_eq(sets_choice(&f.sets, &f.context, TYO_2), choice + 1);
	sets_begin(&f.sets, f.weights);
	ck_assert_uint_eq(f.sets.count, NODES + 1);
	close_pool(&f);
}
END_TEST

START_TEST(contexts_that_agree_share_a_map)
{
	static const uint16_t tokyo[] = { TYO_1, TYO_2 }, osaka[] = { OSA_1 };
	static const uint32_t other[] = { TOKYO, SEOUL, FRANKFURT };
	struct fixture f;
	uint32_t first, second;

	open_pool(&f, &edge);
	first = sets_map(&f.sets, &f.context, tokyo, COUNT(tokyo));
	ck_assert_uint_eq(first, sets_map(&f.sets, &f.context, tokyo, COUNT(tokyo)));
	ck_assert_uint_eq(first, sets_map(&f.sets, &f.context, osaka, COUNT(osaka)));
	prefer(&f, other, COUNT(other));
	second = sets_map(&f.sets, &f.context, tokyo, COUNT(tokyo));
	ck_assert_uint_ne(first, second);
	ck_assert_uint_eq(f.sets.map_count, 2);
	ck_assert_uint_eq(f.sets.maps[second].choices[TYO_2],
			  sets_choice(&f.sets, &f.context, TYO_2));
	ck_assert_uint_eq(f.sets.maps[second].choices[NODES], NODES); /* the fallback's */
	f.context.site_count = 1; /* nobody to join: no map is needed */
	ck_assert_uint_eq(sets_map(&f.sets, &f.context, tokyo, COUNT(tokyo)), SETS_MAP_NONE);
	close_pool(&f);
}
END_TEST

/* --- properties of big pools ----------------------------------------------------------------------- */

#define BIG_SITES 20
#define BIG_NODES 400

struct big {
	struct fixture f;
	struct make_site sites[BIG_SITES];
	struct make_node nodes[BIG_NODES];
	char names[BIG_SITES][16], node_names[BIG_NODES][16], addresses[BIG_NODES][64];
	char all_sites[BIG_SITES * 16];
};

static const struct make_pref big_prefs[] = { { "big", "site1 site2,site3 site4", false },
					      { "big", "site9,site8,site7 site5", true },
					      { "big", "", false } };

/* Weights 1 to 4 times 10; every third node has no IPv6 address. */
static struct big *open_big(const struct make_pool *settings)
{
	struct big *big = mem_alloc(sizeof(*big));
	struct make_pool pool = *settings;
	struct make_plan make = { .sites = big->sites,
				  .site_count = BIG_SITES,
				  .pools = &pool,
				  .pool_count = 1,
				  .nodes = big->nodes,
				  .node_count = BIG_NODES,
				  .prefs = big_prefs,
				  .pref_count = COUNT(big_prefs) };

	for (unsigned i = 0; i < BIG_SITES; i++) {
		snprintf(big->names[i], sizeof(big->names[i]), "site%u", i);
		big->sites[i] = (struct make_site){ big->names[i], i * 7 % 60, i * 17 % 180 };
		strcat(strcat(big->all_sites, i > 0 ? " " : ""), big->names[i]);
	}
	for (unsigned i = 0; i < BIG_NODES; i++) {
		snprintf(big->node_names[i], sizeof(big->node_names[i]), "node%u", i);
		snprintf(big->addresses[i], sizeof(big->addresses[i]),
			 i % 3 == 0 ? "10.0.%u.%u" : "10.0.%u.%u 2001:db8::%u:%u", i / 256, i % 256,
			 i / 256, i % 256);
		big->nodes[i] = (struct make_node){ "big", big->names[i % BIG_SITES],
						    big->node_names[i], 10 + 10 * (i / 100),
						    big->addresses[i] };
	}
	pool.name = "big";
	pool.sites = big->all_sites;
	open_with(&big->f, &make);
	return big;
}

static void close_big(struct big *big)
{
	close_pool(&big->f);
	free(big);
}

/* Random sites in random bands, random nodes down. */
static void random_context(struct fixture *f, uint64_t *seed)
{
	uint32_t count = f->pool.site_count;

	for (uint32_t i = 0; i < count; i++)
		f->sites[i] = i;
	for (uint32_t i = count - 1; i > 0; i--) {
		uint32_t j = hash_below(hash_word((*seed)++), i + 1), kept = f->sites[i];

		f->sites[i] = f->sites[j];
		f->sites[j] = kept;
	}
	f->context.site_count = 1 + hash_below(hash_word((*seed)++), count);
	for (uint32_t i = 0; i < count; i++)
		f->bands[i] = (i > 0 ? f->bands[i - 1] : 0) + hash_below(hash_word((*seed)++), 2);
	memset(f->ranks, TABLE_DOWN, f->pool.node_count);
	for (uint32_t i = 0; i < f->context.site_count; i++) {
		const struct plan_range *range = &f->pool.sites[f->sites[i]].nodes;

		for (uint32_t n = range->first; n < range->first + range->count; n++)
			if (hash_below(hash_word((*seed)++), 4) > 0)
				f->ranks[n] = TABLE_USABLE;
	}
}

static struct set set_of(struct fixture *f, uint16_t primary)
{
	uint16_t choice = sets_choice(&f->sets, &f->context, primary);

	return f->sets.list[choice]; /* which the call may have moved */
}

static bool set_has(const struct set *set, uint32_t node)
{
	for (unsigned i = 0; i < SET_NODES_MAX; i++)
		if (set->nodes[i] == node)
			return true;
	return false;
}

static unsigned set_size(const struct set *set)
{
	unsigned count = 0;

	while (count < SET_NODES_MAX && set->nodes[count] != SET_NODE_NONE)
		count++;
	return count;
}

/* `dead` went: nobody else leaves, and at most one comes. */
static void expect_one_replaced(const struct set *before, const struct set *after, uint16_t dead)
{
	unsigned size = set_size(before);

	ck_assert(!set_has(after, dead));
	ck_assert_uint_ge(set_size(after) + 1, size);
	ck_assert_uint_le(set_size(after), size);
	for (unsigned i = 0; i < size; i++)
		if (before->nodes[i] != dead)
			ck_assert(set_has(after, before->nodes[i]));
}

static const struct make_pool spreads[] = {
	{ .answers = 4, .spread = SPREAD_SITE },
	{ .answers = 4, .spread = SPREAD_NODE },
	{ .answers = 3, .spread = SPREAD_SITE, .spare = 1, .spare_km = 4000 },
	{ .answers = 2, .spread = SPREAD_NODE, .spare = 1, .spare_km = 19000 },
};

START_TEST(a_node_that_goes_is_replaced_and_nothing_else_changes)
{
	struct big *big = open_big(&spreads[_i]);
	struct fixture *f = &big->f;
	uint64_t seed = 1;

	for (unsigned round = 0; round < 60; round++) {
		uint16_t dead;
		struct set *before = mem_array(BIG_NODES, sizeof(*before));

		random_context(f, &seed);
		for (uint16_t n = 0; n < BIG_NODES; n++)
			if (f->ranks[n] != TABLE_DOWN)
				before[n] = set_of(f, n);
		dead = (uint16_t)hash_below(hash_word(seed++), BIG_NODES);
		if (f->ranks[dead] == TABLE_DOWN) {
			free(before);
			continue;
		}
		f->ranks[dead] = TABLE_DOWN;
		for (uint16_t n = 0; n < BIG_NODES; n++) {
			struct set after;

			if (f->ranks[n] == TABLE_DOWN)
				continue;
			after = set_of(f, n);
			if (set_has(&before[n], dead))
				expect_one_replaced(&before[n], &after, dead);
			else
				ck_assert_mem_eq(after.nodes, before[n].nodes, sizeof(after.nodes));
		}
		free(before);
	}
	close_big(big);
}
END_TEST

START_TEST(a_set_keeps_to_its_context)
{
	struct big *big = open_big(&spreads[_i]);
	struct fixture *f = &big->f;
	uint64_t seed = 1000;

	for (unsigned round = 0; round < 100; round++) {
		random_context(f, &seed);
		for (uint16_t n = 0; n < BIG_NODES; n++) {
			struct set set;

			if (f->ranks[n] == TABLE_DOWN)
				continue;
			set = set_of(f, n);
			ck_assert_uint_eq(set.nodes[0], n);
			ck_assert_uint_le(set_size(&set), spreads[_i].answers);
			for (unsigned i = 0; i < set_size(&set); i++) {
				ck_assert_uint_ne(f->ranks[set.nodes[i]], TABLE_DOWN);
				for (unsigned j = 0; j < i; j++) {
					ck_assert_uint_ne(set.nodes[i], set.nodes[j]);
					if (spreads[_i].spread == SPREAD_SITE)
						ck_assert_uint_ne(
							f->pool.nodes[set.nodes[i]].pool_site,
							f->pool.nodes[set.nodes[j]].pool_site);
				}
			}
			for (unsigned family = 0; family < STEERING_FAMILIES; family++)
				if (set.substitutes[family] != SET_NODE_NONE)
					ck_assert_uint_ne(f->ranks[set.substitutes[family]],
							  TABLE_DOWN);
		}
	}
	close_big(big);
}
END_TEST

/* All sites are one band. The nodes of five sites are up, those of the others are primaries whose
 * companion is one of these 100, a quarter of them of each weight. 300 primaries a round, and 50
 * rounds with other keys. */
START_TEST(companions_share_by_weight)
{
	static const struct make_pool pool = { .answers = 2, .spread = SPREAD_NODE };
	uint32_t by_weight[5] = { 0 }, total = 0;
	double chi_square = 0;
	struct big *big = open_big(&pool);
	struct fixture *f = &big->f;

	memset(f->bands, 0, sizeof(f->bands));
	for (uint16_t n = 100; n < BIG_NODES; n++)
		f->ranks[n] = TABLE_DOWN;
	for (unsigned round = 0; round < 50; round++) {
		for (uint32_t n = 0; n < BIG_NODES; n++)
			f->pool.node_keys[n] = hash_word(f->pool.node_keys[n] + round);
		sets_begin(&f->sets, f->weights);
		for (uint16_t n = 100; n < BIG_NODES; n++) {
			struct set set = set_of(f, n);

			ck_assert_uint_eq(set_size(&set), 2);
			ck_assert_uint_lt(set.nodes[1], 100);
			by_weight[f->weights[set.nodes[1]] / 10]++;
			total++;
		}
	}
	for (unsigned i = 1; i <= 4; i++) {
		double expected = total * i / 10.0;

		chi_square += (by_weight[i] - expected) * (by_weight[i] - expected) / expected;
	}
	ck_assert_msg(chi_square < 16.27, "%u %u %u %u: chi-square %.1f", by_weight[1],
		      by_weight[2], by_weight[3], by_weight[4],
		      chi_square); /* p 0.001, 3 degrees of freedom */
	close_big(big);
}
END_TEST

START_TEST(beyond_all_numbers_a_node_stands_alone)
{
	static const struct make_pool pool = { .answers = 16, .spread = SPREAD_NODE };
	struct big *big = open_big(&pool);
	struct fixture *f = &big->f;
	uint64_t seed = 7;
	uint16_t choice = 0;

	while (f->sets.left_out == 0) {
		random_context(f, &seed);
		for (uint16_t n = 0; n < BIG_NODES; n += 7) {
			choice = sets_choice(&f->sets, &f->context, n);
			ck_assert_uint_eq(f->sets.list[choice].nodes[0], n);
			if (f->sets.left_out > 0) {
				ck_assert_uint_eq(choice, n);
				break;
			}
		}
	}
	ck_assert_uint_eq(f->sets.count, SETS_CHOICES_MAX);
	close_big(big);
}
END_TEST

/* Three nodes come, go or change their weight. */
static void random_change(struct fixture *f, uint64_t *seed)
{
	for (unsigned i = 0; i < 3; i++) {
		uint32_t node = hash_below(hash_word((*seed)++), f->pool.node_count);

		f->weights[node] = hash_below(hash_word((*seed)++), 4) * 10;
		f->pool.ranks[node] = (uint8_t)hash_below(hash_word((*seed)++), TABLE_RANKS);
	}
}

/* What is remembered of draws, and an order of sites that is made as far as it is needed, make no
 * other sets than all anew. */
START_TEST(sets_made_in_haste_are_those_made_with_care)
{
	struct big *big = open_big(&spreads[_i]);
	struct fixture *f = &big->f;
	struct order order;
	uint64_t seed = 1;

	memset(f->pool.ranks, TABLE_USABLE, f->pool.node_count);
	order_open(&order, &f->pool);
	for (unsigned round = 0; round < 60; round++) {
		struct set_context hasty = { order.sites,   order.bands, 0,
					     f->pool.ranks, true,        &order };
		struct set_context careful = { order.sites,   order.bands, 0,
					       f->pool.ranks, false,       NULL };
		uint16_t choices[BIG_NODES];
		unsigned different = 0;

		random_change(f, &seed);
		sets_begin(&f->sets, f->weights);
		order_begin(&order, round % COUNT(big_prefs));
		for (uint16_t n = 0; n < BIG_NODES; n++)
			choices[n] = sets_choice(&f->sets, &hasty, n);
		order_finish(&order);
		careful.site_count = order.count;
		for (uint16_t n = 0; n < BIG_NODES; n++)
			different += sets_choice(&f->sets, &careful, n) != choices[n];
		ck_assert_uint_eq(different, 0);
	}
	order_close(&order);
	close_big(big);
}
END_TEST

void sets_cases(Suite *suite)
{
	TCase *members = tcase_create("sets"), *properties = tcase_create("sets at scale");

	tcase_add_test(members, with_one_answer_a_node_stands_alone);
	tcase_add_test(members, companions_are_of_other_sites_in_order_of_preference);
	tcase_add_test(members, companions_spread_by_node_are_of_the_same_site_first);
	tcase_add_test(members, spares_are_far_and_come_last);
	tcase_add_test(members, a_spare_is_never_of_the_same_site_while_there_is_another);
	tcase_add_test(members, fewer_usable_nodes_make_a_shorter_answer);
	tcase_add_test(members, nobody_joins_who_is_worse_than_the_primary);
	tcase_add_test(members, sites_with_too_few_nodes_give_no_companions);
	tcase_add_test(members, a_family_that_no_node_of_a_set_has_is_answered_by_another);
	tcase_add_test(members, a_set_with_the_family_needs_no_substitute);
	tcase_add_test(members, equal_sets_have_one_number);
	tcase_add_test(members, contexts_that_agree_share_a_map);
	suite_add_tcase(suite, members);
	tcase_set_timeout(properties, 60);
	tcase_add_loop_test(properties, a_node_that_goes_is_replaced_and_nothing_else_changes, 0,
			    COUNT(spreads));
	tcase_add_loop_test(properties, a_set_keeps_to_its_context, 0, COUNT(spreads));
	tcase_add_loop_test(properties, sets_made_in_haste_are_those_made_with_care, 0,
			    COUNT(spreads));
	tcase_add_test(properties, companions_share_by_weight);
	tcase_add_test(properties, beyond_all_numbers_a_node_stands_alone);
	suite_add_tcase(suite, properties);
}
