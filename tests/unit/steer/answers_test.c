/* What sets of several nodes answer, and for how long. */
#include <stdio.h>
#include <string.h>

#include "base/hash.h"
#include "compiled.h"
#include "steer_test.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static const struct make_site sites[] = {
	{ "tokyo", 35.68, 139.69 },
	{ "osaka", 34.69, 135.50 },
	{ "frankfurt", 50.11, 8.68 },
};

static const struct make_node nodes[] = {
	{ "edge", "tokyo", "tyo-1", 100, "192.0.2.1 192.0.2.11 2001:db8::1" },
	{ "edge", "osaka", "osa-1", 100, "192.0.2.2 2001:db8::2" },
	{ "edge", "frankfurt", "fra-1", 100, "192.0.2.3" },
};

enum { TYO_1, OSA_1, FRA_1, FALLBACK };

static const struct make_pref prefs[] = {
	{ "edge", "tokyo osaka", false },
	{ "edge", "frankfurt", false },
};

enum { P_TOKYO, P_FRANKFURT };

static const struct make_service services[] = {
	{ "tyo-1", 443, "t1.example." },
	{ "osa-1", 443, NULL },
	{ "fra-1", 443, NULL },
};

static const struct make_record records[] = {
	{ "vpn.example.", "edge", NULL, 60 },
	{ "brief.example.", "edge", NULL, 5 },
	{ "tokyo.example.", "edge", "tokyo", 60 },
	{ "svc.example.", "edge", NULL, 60 },
};

static const struct make_types types[] = {
	{ POOL_TYPES_ADDRESS, 0, 0, 0 },
	{ POOL_TYPES_ADDRESS, 0, 0, 0 },
	{ POOL_TYPES_ADDRESS, 0, 0, 0 },
	{ POOL_TYPES_ALL, 0, POOL_TYPES_ADDRESS, 60 },
};

enum { R_ALL, R_BRIEF, R_TOKYO, R_SERVICE };

static const struct make_pool edge = {
	.name = "edge",
	.sites = "tokyo osaka frankfurt",
	.answers = 3,
	.spread = SPREAD_SITE,
	.ttl_floor_s = 10,
};

static void open_edge(struct compiled *out, const struct make_pool *pool)
{
	struct make_plan make = {
		.sites = sites,
		.site_count = COUNT(sites),
		.pools = pool,
		.pool_count = 1,
		.nodes = nodes,
		.node_count = COUNT(nodes),
		.prefs = prefs,
		.pref_count = COUNT(prefs),
		.records = records,
		.record_count = COUNT(records),
		.services = services,
		.service_count = COUNT(services),
		.types = types,
	};

	compiled_open(out, &make);
}

/* The block that clients with a preference get; each of these has a table of one node. */
static const struct rrset_block *block_of(const struct compiled *c, uint32_t record, uint32_t pref,
					  enum steering_column column)
{
	const struct steering_record *r = steering_record(&c->image, record);
	uint64_t choices_off =
		steering_pref_at(&c->image, r->prefs_off, r->for_all ? 0 : pref)->choices_off;
	uint16_t node = compiled_first(c, record, pref);

	return steering_answer(&c->image, r, r->answers_off,
			       steering_choice(&c->image, choices_off, node), column);
}

static uint32_t ttl_of(const struct compiled *c, uint32_t record, uint32_t pref,
		       enum steering_column column)
{
	const struct rrset_block *block = block_of(c, record, pref, column);

	ck_assert_ptr_nonnull(block);
	return block->ttl_s;
}

static void set_ttl(struct compiled *c, unsigned node, uint32_t ttl_s)
{
	c->nodes[node].ttl_s = ttl_s;
	compiled_update(c);
}

START_TEST(addresses_stand_in_order_of_preference)
{
	struct compiled c;

	open_edge(&c, &edge);
	/* The tables name the nodes in the order of the pool file: tokyo, osaka, frankfurt. */
	ck_assert_str_eq(compiled_answers(&c, R_ALL, P_TOKYO, STEERING_A),
			 "192.0.2.1 192.0.2.11 192.0.2.2 192.0.2.3");
	ck_assert_str_eq(compiled_answers(&c, R_ALL, P_TOKYO, STEERING_AAAA),
			 "2001:db8::1 2001:db8::2");
	ck_assert_str_eq(compiled_answers(&c, R_ALL, P_FRANKFURT, STEERING_A),
			 "192.0.2.3 192.0.2.2 192.0.2.1 192.0.2.11");
	ck_assert_str_eq(compiled_answers(&c, R_ALL, P_FRANKFURT, STEERING_AAAA),
			 "2001:db8::2 2001:db8::1");
	ck_assert_str_eq(compiled_answers(&c, R_TOKYO, P_FRANKFURT, STEERING_A),
			 "192.0.2.1 192.0.2.11");
	compiled_set(&c, "osa-1", false);
	ck_assert_str_eq(compiled_answers(&c, R_ALL, P_TOKYO, STEERING_A),
			 "192.0.2.1 192.0.2.11 192.0.2.3");
	compiled_close(&c);
}
END_TEST

START_TEST(a_near_verdict_lowers_the_ttl_of_answers_with_the_node)
{
	struct make_pool pool = edge;
	struct compiled c;

	pool.answers = 2;
	open_edge(&c, &pool);
	ck_assert_uint_eq(ttl_of(&c, R_ALL, P_TOKYO, STEERING_A), 60);
	set_ttl(&c, OSA_1, 17);
	ck_assert_uint_eq(ttl_of(&c, R_ALL, P_TOKYO, STEERING_A), 17);
	ck_assert_uint_eq(ttl_of(&c, R_ALL, P_TOKYO, STEERING_AAAA), 17);
	ck_assert_uint_eq(ttl_of(&c, R_SERVICE, P_TOKYO, STEERING_SRV), 17);
	ck_assert_uint_eq(ttl_of(&c, R_TOKYO, P_TOKYO, STEERING_A), 60); /* tyo-1 alone */
	set_ttl(&c, TYO_1, 12);
	ck_assert_uint_eq(ttl_of(&c, R_ALL, P_TOKYO, STEERING_A), 12); /* the sooner one */
	ck_assert_uint_eq(ttl_of(&c, R_TOKYO, P_TOKYO, STEERING_A), 12);
	set_ttl(&c, TYO_1, 3);
	ck_assert_uint_eq(ttl_of(&c, R_ALL, P_TOKYO, STEERING_A), 10);  /* the floor */
	ck_assert_uint_eq(ttl_of(&c, R_BRIEF, P_TOKYO, STEERING_A), 5); /* was below already */
	set_ttl(&c, TYO_1, 600);
	ck_assert_uint_eq(ttl_of(&c, R_TOKYO, P_TOKYO, STEERING_A), 60);
	set_ttl(&c, TYO_1, 0);
	set_ttl(&c, OSA_1, 0);
	ck_assert_uint_eq(ttl_of(&c, R_ALL, P_TOKYO, STEERING_A), 60);
	compiled_close(&c);
}
END_TEST

START_TEST(a_substitute_with_a_near_verdict_lowers_the_ttl_of_its_family)
{
	struct make_pool pool = edge;
	struct compiled c;

	pool.answers = 1;
	open_edge(&c, &pool);
	set_ttl(&c, OSA_1, 11);
	ck_assert_str_eq(compiled_answers(&c, R_ALL, P_FRANKFURT, STEERING_AAAA), "2001:db8::2");
	ck_assert_uint_eq(ttl_of(&c, R_ALL, P_FRANKFURT, STEERING_AAAA), 11);
	ck_assert_uint_eq(ttl_of(&c, R_ALL, P_FRANKFURT, STEERING_A), 60);
	compiled_close(&c);
}
END_TEST

START_TEST(the_ceiling_holds_for_all_of_a_pool)
{
	struct make_pool pool = edge;
	struct compiled c;

	pool.ttl_ceiling_s = 30;
	open_edge(&c, &pool);
	ck_assert_uint_eq(ttl_of(&c, R_ALL, P_TOKYO, STEERING_A), 30);
	ck_assert_uint_eq(ttl_of(&c, R_TOKYO, P_TOKYO, STEERING_A), 30);
	ck_assert_uint_eq(ttl_of(&c, R_BRIEF, P_TOKYO, STEERING_A), 5);
	ck_assert_uint_eq(ttl_of(&c, R_SERVICE, P_TOKYO, STEERING_HTTPS), 30);
	compiled_close(&c);
}
END_TEST

/* --- pools that stand in ------------------------------------------------------------------------- */

#define TREE 511 /* nine rows, the last of 256 pools */

/* Pool n leads to 2n + 1 and 2n + 2; the first one to all others. */
static int open_tree(uint32_t count, struct err *err)
{
	static struct make_pool pools[TREE];
	static char names[TREE][16];
	struct make_plan make = {
		.sites = sites, .site_count = COUNT(sites), .pools = pools, .pool_count = count
	};
	struct steer *steer = NULL;
	struct made made;
	int rc;

	for (uint32_t i = 0; i < count; i++)
		(void)snprintf(names[i], sizeof(names[i]), "pool%u", i);
	for (uint32_t i = 0; i < count; i++)
		pools[i] = (struct make_pool){
			.name = names[i],
			.sites = "tokyo",
			.backup = 2 * i + 1 < count ? names[2 * i + 1] : NULL,
			.fallback_pool = 2 * i + 2 < count ? names[2 * i + 2] : NULL,
		};
	made = make_images(&make);
	rc = steer_open(&steer, &made.zones, &made.geo, &made.plan, err);
	steer_close(steer);
	made_close(&made);
	return rc;
}

START_TEST(at_most_255_pools_stand_in_for_one)
{
	struct err err = { "" };

	ck_assert_msg(open_tree(255, &err) == 0, "%s", err.text);
	ck_assert_msg(open_tree(256, &err) == 0, "%s", err.text);
	ck_assert_int_eq(open_tree(257, &err), -1);
	ck_assert_str_eq(err.text, "pool 'pool0': 256 pools may stand in for it; at most 255");
}
END_TEST

/* --- services ------------------------------------------------------------------------------------ */

/* The RDATA of the n-th record begins with the priority. */
static const uint8_t *rdata_of(const struct rrset_block *block, unsigned n, size_t *len)
{
	const uint8_t *record = block->wire;

	ck_assert_uint_lt(n, block->rr_count);
	for (unsigned i = 0;; i++) {
		*len = (size_t)record[10] << 8 | record[11];
		if (i == n)
			return record + 12;
		record += 12 + *len;
	}
}

#define expect_rdata(block, n, rdata) check_rdata(block, n, rdata, sizeof(rdata) - 1)

static void check_rdata(const struct rrset_block *block, unsigned n, const char *rdata, size_t size)
{
	size_t len;
	const uint8_t *found = rdata_of(block, n, &len);

	ck_assert_uint_eq(len, size);
	ck_assert_mem_eq(found, rdata, size);
}

START_TEST(each_node_has_a_service_record_by_priority)
{
	const struct rrset_block *block;
	struct compiled c;

	open_edge(&c, &edge);
	block = block_of(&c, R_SERVICE, P_FRANKFURT, STEERING_SRV);
	/* osa-1 has what fra-1 has: the same target and port. */
	ck_assert_uint_eq(block->rr_count, 2);
	expect_rdata(block, 0, "\0\0\0\0\x01\xbb\3svc\7example\0");
	expect_rdata(block, 1, "\0\1\0\0\x01\xbb\2t1\7example\0");
	ck_assert_uint_eq(rrset_extras(block)[0].node, STEERING_TARGET_SHARED);
	ck_assert_uint_eq(rrset_extras(block)[1].node, STEERING_TARGET_NODE + TYO_1);
	block = block_of(&c, R_SERVICE, P_FRANKFURT, STEERING_HTTPS);
	ck_assert_uint_eq(block->rr_count, 3); /* the hints differ */
	expect_rdata(block, 0, "\0\1\0\0\3\0\2\x01\xbb\0\4\0\4\xc0\0\2\3");
	expect_rdata(block, 1,
		     "\0\2\0\0\3\0\2\x01\xbb\0\4\0\4\xc0\0\2\2"
		     "\0\6\0\20\x20\1\xd\xb8\0\0\0\0\0\0\0\0\0\0\0\2");
	expect_rdata(block, 2,
		     "\0\3\2t1\7example\0\0\3\0\2\x01\xbb\0\4\0\10\xc0\0\2\1\xc0\0\2\xb"
		     "\0\6\0\20\x20\1\xd\xb8\0\0\0\0\0\0\0\0\0\0\0\1");
	/* At the shared name all of the set are found. */
	ck_assert_uint_eq(block_of(&c, R_SERVICE, P_FRANKFURT, STEERING_TARGET_A)->rr_count, 4);
	compiled_close(&c);
}
END_TEST

START_TEST(shuffled_services_have_one_priority)
{
	struct make_pool pool = edge;
	const struct rrset_block *block;
	struct compiled c;
	size_t len;

	pool.order = ORDER_SHUFFLED;
	open_edge(&c, &pool);
	ck_assert_uint_eq(steering_pool(&c.image, 0)->spread.shuffled, 1);
	block = block_of(&c, R_SERVICE, P_TOKYO, STEERING_SRV);
	ck_assert_uint_eq(block->rr_count, 2);
	for (unsigned i = 0; i < 2; i++)
		ck_assert_uint_eq(rdata_of(block, i, &len)[1], 0);
	block = block_of(&c, R_SERVICE, P_TOKYO, STEERING_HTTPS);
	ck_assert_uint_eq(block->rr_count, 3);
	for (unsigned i = 0; i < 3; i++)
		ck_assert_uint_eq(rdata_of(block, i, &len)[1], 1);
	compiled_close(&c);
}
END_TEST

/* --- memory -------------------------------------------------------------------------------------- */

/* TTLs from 11 to 59, of each node, in turns: each set has had most combinations of TTLs at the end, and
 * their blocks would be megabytes. */
START_TEST(blocks_that_are_not_used_any_more_are_dropped)
{
	struct compiled c;
	size_t most = 0, size;

	open_edge(&c, &edge);
	for (unsigned i = 0; i < 5000; i++) {
		c.nodes[i % 3].ttl_s = i % 7 == 0 ? 0 : 11 + (uint32_t)hash_word(i) % 49;
		c.nodes[(i + 1) % 3].state = i % 5 == 0 ? STEER_DOWN : STEER_UP;
		compiled_update(&c);
		size = c.image.size;
		most = size > most ? size : most;
	}
	ck_assert_msg(most < 256U << 10, "an image had %zu octets", most);
	for (unsigned i = 0; i < COUNT(nodes); i++)
		c.nodes[i] = (struct steer_node){ .state = STEER_UP,
						  .families = STEER_FAMILIES,
						  .level = STEER_ALL,
						  .weight = 100 };
	compiled_update(&c);
	ck_assert_str_eq(compiled_answers(&c, R_ALL, P_TOKYO, STEERING_A),
			 "192.0.2.1 192.0.2.11 192.0.2.2 192.0.2.3");
	ck_assert_uint_eq(ttl_of(&c, R_ALL, P_TOKYO, STEERING_A), 60);
	compiled_close(&c);
}
END_TEST

void answers_cases(Suite *suite)
{
	TCase *tcase = tcase_create("answers");

	tcase_add_test(tcase, addresses_stand_in_order_of_preference);
	tcase_add_test(tcase, a_near_verdict_lowers_the_ttl_of_answers_with_the_node);
	tcase_add_test(tcase, a_substitute_with_a_near_verdict_lowers_the_ttl_of_its_family);
	tcase_add_test(tcase, the_ceiling_holds_for_all_of_a_pool);
	tcase_add_test(tcase, at_most_255_pools_stand_in_for_one);
	tcase_add_test(tcase, each_node_has_a_service_record_by_priority);
	tcase_add_test(tcase, shuffled_services_have_one_priority);
	tcase_set_timeout(tcase, 60);
	tcase_add_test(tcase, blocks_that_are_not_used_any_more_are_dropped);
	suite_add_tcase(suite, tcase);
}
