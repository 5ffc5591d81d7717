#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/hash.h"
#include "base/mem.h"
#include "compiled.h"
#include "image/world.h"
#include "steer_test.h"
#include "tests/unit/run.h"

#define COUNT(array)                   (sizeof(array) / sizeof((array)[0]))
#define expect(compiled, r, p, f, s)   ck_assert_str_eq(compiled_answers(compiled, r, p, f), s)
#define expect_a(compiled, r, p, s)    expect(compiled, r, p, STEERING_A, s)
#define expect_aaaa(compiled, r, p, s) expect(compiled, r, p, STEERING_AAAA, s)

static const struct make_site sites[] = {
	{ "tokyo", 35.68, 139.69 },   { "singapore", 1.35, 103.82 }, { "sydney", -33.87, 151.21 },
	{ "frankfurt", 50.11, 8.68 }, { "london", 51.51, -0.13 },
};

enum { TOKYO, SINGAPORE, SYDNEY, FRANKFURT, LONDON };

static const struct make_node nodes[] = {
	{ "edge", "tokyo", "tyo-1", 100, "192.0.2.1 2001:db8::1" },
	{ "edge", "tokyo", "tyo-2", 100, "192.0.2.2 2001:db8::2" },
	{ "edge", "singapore", "sin-1", 100, "192.0.2.3 2001:db8::3" },
	{ "edge", "frankfurt", "fra-1", 100, "192.0.2.4 192.0.2.14 2001:db8::4" },
	{ "edge", "frankfurt", "fra-2", 0, "192.0.2.5 2001:db8::5" },
	{ "edge", "london", "lon-1", 100, "192.0.2.6 2001:db8::6" },
};

static const struct make_pref prefs[] = {
	{ "edge", "tokyo singapore", false },
	{ "edge", "frankfurt", false },
	{ "edge", "london tokyo", true },
	{ "edge", "", false },
};

enum { P_TOKYO, P_FRANKFURT, P_RULE, P_EMPTY };

static const struct make_record records[] = {
	{ "vpn.example.net.", "edge", NULL, 30 },
	{ "tokyo.vpn.example.net.", "edge", "tokyo", 60 },
	{ "fra.vpn.example.net.", "edge", "frankfurt", 60 },
};

enum { R_ALL, R_TOKYO, R_FRANKFURT };

static void open_prefs(struct compiled *out, const struct make_pool *pool,
		       const struct make_pref *list, size_t count)
{
	struct make_plan make = {
		.sites = sites,
		.site_count = COUNT(sites),
		.pools = pool,
		.pool_count = 1,
		.nodes = nodes,
		.node_count = COUNT(nodes),
		.prefs = list,
		.pref_count = count,
		.records = records,
		.record_count = COUNT(records),
	};

	compiled_open(out, &make);
}

static void open_edge(struct compiled *out, const struct make_pool *pool)
{
	open_prefs(out, pool, prefs, COUNT(prefs));
}

static const struct make_pool edge = {
	.name = "edge",
	.sites = "frankfurt tokyo singapore london",
};

static void set_all(struct compiled *c, bool up)
{
	for (uint32_t i = 0; i < plan_count(&c->made.plan, nodes); i++)
		c->nodes[i].state = up ? STEER_UP : STEER_DOWN;
	compiled_update(c);
}

static bool fallen_back(const struct compiled *c)
{
	return steering_pool(&c->image, 0)->applied > APPLIED_DRAINING;
}

/* --- which site ------------------------------------------------------------------------------------ */

START_TEST(the_first_site_with_a_usable_node_answers)
{
	struct compiled c;

	open_edge(&c, &edge);
	expect_a(&c, R_ALL, P_TOKYO, "192.0.2.1 | 192.0.2.2");
	expect_aaaa(&c, R_ALL, P_TOKYO, "2001:db8::1 | 2001:db8::2");
	expect_a(&c, R_ALL, P_FRANKFURT, "192.0.2.4 192.0.2.14");
	compiled_set(&c, "tyo-1", false);
	expect_a(&c, R_ALL, P_TOKYO, "192.0.2.2");
	compiled_set(&c, "tyo-2", false);
	expect_a(&c, R_ALL, P_TOKYO, "192.0.2.3");
	compiled_set(&c, "sin-1", false);
	/* Beyond what the preference names, by distance from Tokyo: Frankfurt (9,340 km) comes
	 * before London (9,560 km). */
	expect_a(&c, R_ALL, P_TOKYO, "192.0.2.4 192.0.2.14");
	compiled_set(&c, "tyo-1", true);
	expect_a(&c, R_ALL, P_TOKYO, "192.0.2.1");
	ck_assert(!fallen_back(&c));
	compiled_close(&c);
}
END_TEST

START_TEST(a_site_with_weight_0_alone_waits_for_all_others)
{
	struct compiled c;

	open_edge(&c, &edge);
	compiled_set(&c, "fra-1", false);
	expect_a(&c, R_ALL, P_FRANKFURT, "192.0.2.6");   /* London is next */
	expect_a(&c, R_FRANKFURT, P_TOKYO, "192.0.2.5"); /* bound to Frankfurt: all it has */
	set_all(&c, false);
	compiled_set(&c, "fra-2", true);
	expect_a(&c, R_ALL, P_TOKYO, "192.0.2.5");
	ck_assert(!fallen_back(&c));
	compiled_close(&c);
}
END_TEST

START_TEST(a_preference_without_sites_follows_the_file)
{
	struct compiled c;

	open_edge(&c, &edge);
	expect_a(&c, R_ALL, P_EMPTY, "192.0.2.4 192.0.2.14");
	compiled_set(&c, "fra-1", false);
	expect_a(&c, R_ALL, P_EMPTY, "192.0.2.1 | 192.0.2.2");
	compiled_close(&c);
}
END_TEST

START_TEST(failover_follows_the_file_behind_the_preference)
{
	struct make_pool pool = edge;
	struct compiled c;

	pool.policy = POLICY_FAILOVER;
	pool.sites = "london tokyo singapore frankfurt";
	open_edge(&c, &pool);
	compiled_set(&c, "fra-1", false);
	/* Frankfurt is the only named site; then as the file says, not by distance. */
	expect_a(&c, R_ALL, P_FRANKFURT, "192.0.2.6");
	compiled_set(&c, "lon-1", false);
	expect_a(&c, R_ALL, P_FRANKFURT, "192.0.2.1 | 192.0.2.2");
	compiled_close(&c);
}
END_TEST

static const struct make_pref weighted_prefs[] = {
	{ "edge", "", false },
	{ "edge", "london,tokyo", true },
};

enum { P_ANY, P_RULED };

START_TEST(weighted_shares_all_sites_and_a_rule_restricts)
{
	struct make_pool pool = edge;
	struct compiled c;

	pool.policy = POLICY_WEIGHTED;
	open_prefs(&c, &pool, weighted_prefs, COUNT(weighted_prefs));
	expect_a(&c, R_ALL, P_ANY,
		 "192.0.2.4 192.0.2.14 | 192.0.2.1 | 192.0.2.2 | 192.0.2.3 | 192.0.2.6");
	expect_a(&c, R_ALL, P_RULED, "192.0.2.1 | 192.0.2.2 | 192.0.2.6");
	expect_a(&c, R_TOKYO, P_RULED, "192.0.2.1 | 192.0.2.2");
	compiled_set(&c, "tyo-1", false);
	compiled_set(&c, "lon-1", false);
	expect_a(&c, R_ALL, P_RULED, "192.0.2.2");
	compiled_set(&c, "tyo-2", false);
	expect_a(&c, R_ALL, P_RULED, "192.0.2.4 192.0.2.14 | 192.0.2.3");
	expect_a(&c, R_TOKYO, P_RULED, "192.0.2.1 | 192.0.2.2");
	compiled_close(&c);
}
END_TEST

/* --- nobody up -------------------------------------------------------------------------------------- */

START_TEST(fallback_all_answers_as_if_all_were_up)
{
	struct compiled c;

	open_edge(&c, &edge);
	set_all(&c, false);
	ck_assert(fallen_back(&c));
	expect_a(&c, R_ALL, P_TOKYO, "192.0.2.1 | 192.0.2.2");
	expect_a(&c, R_ALL, P_FRANKFURT, "192.0.2.4 192.0.2.14");
	expect_a(&c, R_TOKYO, P_FRANKFURT, "192.0.2.1 | 192.0.2.2");
	ck_assert_uint_eq(steering_pool(&c.image, 0)->applied, APPLIED_ALL);
	set_all(&c, true);
	ck_assert(!fallen_back(&c));
	compiled_close(&c);
}
END_TEST

START_TEST(fallback_none_answers_nodata)
{
	struct make_pool pool = edge;
	struct compiled c;

	pool.fallback = FALLBACK_NONE;
	open_edge(&c, &pool);
	expect_a(&c, R_TOKYO, P_TOKYO, "192.0.2.1 | 192.0.2.2");
	set_all(&c, false);
	ck_assert(fallen_back(&c));
	expect_a(&c, R_ALL, P_TOKYO, "-");
	expect_aaaa(&c, R_ALL, P_TOKYO, "-");
	compiled_set(&c, "fra-1", true);
	expect_a(&c, R_ALL, P_TOKYO, "192.0.2.4 192.0.2.14");
	expect_a(&c, R_TOKYO, P_TOKYO, "-"); /* bound to a site that is down */
	compiled_close(&c);
}
END_TEST

START_TEST(fallback_addresses_are_answered)
{
	struct make_pool pool = edge;
	struct compiled c;

	pool.fallback = FALLBACK_ADDRESSES;
	pool.fallback_addresses = "198.51.100.1 198.51.100.2 198.51.100.1";
	open_edge(&c, &pool);
	expect_a(&c, R_ALL, P_TOKYO, "192.0.2.1 | 192.0.2.2");
	set_all(&c, false);
	expect_a(&c, R_ALL, P_TOKYO, "198.51.100.1 198.51.100.2"); /* each once */
	expect_aaaa(&c, R_ALL, P_TOKYO, "-");
	expect_a(&c, R_TOKYO, P_TOKYO, "198.51.100.1 198.51.100.2");
	compiled_close(&c);
}
END_TEST

START_TEST(a_site_that_is_down_answers_its_own_record_as_if_it_were_up)
{
	struct compiled c;

	open_edge(&c, &edge);
	compiled_set(&c, "tyo-1", false);
	compiled_set(&c, "tyo-2", false);
	expect_a(&c, R_ALL, P_TOKYO, "192.0.2.3");
	expect_a(&c, R_TOKYO, P_TOKYO, "192.0.2.1 | 192.0.2.2");
	compiled_close(&c);
}
END_TEST

START_TEST(a_site_without_nodes_answers_its_own_record_with_nodata)
{
	struct make_pool pool = edge;
	struct make_record record = { "syd.example.net.", "edge", "sydney", 30 };
	struct make_plan make = { .sites = sites,
				  .site_count = COUNT(sites),
				  .pools = &pool,
				  .pool_count = 1,
				  .nodes = nodes,
				  .node_count = COUNT(nodes),
				  .prefs = prefs,
				  .pref_count = COUNT(prefs),
				  .records = &record,
				  .record_count = 1 };
	struct compiled c;

	pool.sites = "sydney frankfurt tokyo singapore london";
	compiled_open(&c, &make);
	expect_a(&c, 0, P_TOKYO, "-");
	compiled_close(&c);
}
END_TEST

/* --- a node without the asked family ------------------------------------------------------------------ */

static const struct make_node mixed_nodes[] = {
	{ "edge", "tokyo", "tyo-1", 100, "192.0.2.1" },
	{ "edge", "tokyo", "tyo-2", 100, "192.0.2.2 2001:db8::2" },
	{ "edge", "singapore", "sin-1", 100, "192.0.2.3 2001:db8::3" },
	{ "edge", "frankfurt", "fra-1", 100, "192.0.2.4" },
	{ "edge", "london", "lon-1", 0, "2001:db8::6" },
};

static void open_mixed(struct compiled *out, bool strict_pair)
{
	struct make_pool pool = edge;
	struct make_plan make = {
		.sites = sites,
		.site_count = COUNT(sites),
		.pools = &pool,
		.pool_count = 1,
		.nodes = mixed_nodes,
		.node_count = COUNT(mixed_nodes),
		.prefs = prefs,
		.pref_count = COUNT(prefs),
		.records = records,
		.record_count = COUNT(records),
	};

	pool.strict_pair = strict_pair;
	compiled_open(out, &make);
}

START_TEST(a_lacking_node_is_replaced_within_its_site_first)
{
	struct compiled c;

	open_mixed(&c, false);
	expect_a(&c, R_ALL, P_TOKYO, "192.0.2.1 | 192.0.2.2");
	expect_aaaa(&c, R_ALL, P_TOKYO, "2001:db8::2 | 2001:db8::2");
	compiled_set(&c, "tyo-2", false);
	expect_a(&c, R_ALL, P_TOKYO, "192.0.2.1");
	expect_aaaa(&c, R_ALL, P_TOKYO, "2001:db8::3"); /* the next site's */
	expect_aaaa(&c, R_TOKYO, P_TOKYO, "-");         /* bound to Tokyo */
	compiled_close(&c);
}
END_TEST

START_TEST(weight_0_stands_in_last)
{
	struct compiled c;

	open_mixed(&c, false);
	/* London is nearer to Frankfurt, but has weight 0. */
	expect_aaaa(&c, R_ALL, P_FRANKFURT, "2001:db8::2");
	compiled_set(&c, "tyo-2", false);
	expect_aaaa(&c, R_ALL, P_FRANKFURT, "2001:db8::3");
	compiled_set(&c, "sin-1", false);
	expect_aaaa(&c, R_ALL, P_FRANKFURT, "2001:db8::6");
	compiled_set(&c, "lon-1", false);
	expect_aaaa(&c, R_ALL, P_FRANKFURT, "-"); /* nobody who is up has one */
	expect_a(&c, R_ALL, P_FRANKFURT, "192.0.2.4");
	set_all(&c, false);
	expect_aaaa(&c, R_ALL, P_TOKYO, "2001:db8::2 | 2001:db8::2");
	compiled_close(&c);
}
END_TEST

START_TEST(a_bound_record_is_replaced_within_its_site_also_when_that_is_down)
{
	struct compiled c;

	open_mixed(&c, false);
	compiled_set(&c, "tyo-1", false);
	compiled_set(&c, "tyo-2", false);
	expect_a(&c, R_TOKYO, P_TOKYO, "192.0.2.1 | 192.0.2.2");
	expect_aaaa(&c, R_TOKYO, P_TOKYO, "2001:db8::2 | 2001:db8::2");
	compiled_close(&c);
}
END_TEST

START_TEST(strict_pair_answers_nodata)
{
	struct compiled c;

	open_mixed(&c, true);
	expect_aaaa(&c, R_ALL, P_TOKYO, "- | 2001:db8::2");
	expect_aaaa(&c, R_TOKYO, P_TOKYO, "- | 2001:db8::2");
	compiled_close(&c);
}
END_TEST

/* --- the image ----------------------------------------------------------------------------------------- */

START_TEST(site_order_names_each_site_once)
{
	uint32_t order[8];
	struct compiled c;

	open_edge(&c, &edge);
	/* pool sites: frankfurt 0, tokyo 1, singapore 2, london 3 */
	ck_assert_uint_eq(steer_site_order(c.steer, 0, P_TOKYO, order, 8), 4);
	ck_assert_mem_eq(order, ((uint32_t[]){ 1, 2, 0, 3 }), 4 * sizeof(*order));
	ck_assert_uint_eq(steer_site_order(c.steer, 0, P_FRANKFURT, order, 8), 4);
	ck_assert_mem_eq(order, ((uint32_t[]){ 0, 3, 1, 2 }), 4 * sizeof(*order));
	ck_assert_uint_eq(steer_site_order(c.steer, 0, P_RULE, order, 3), 3);
	ck_assert_mem_eq(order, ((uint32_t[]){ 3, 1, 0 }), 3 * sizeof(*order));
	compiled_close(&c);
}
END_TEST

START_TEST(distance_is_the_great_circle)
{
	/* A quarter of a meridian, and half of the equator: of 2 pi r = 40,030.23 km. */
	ck_assert_double_eq_tol(steer_distance_km(0, 10, 90, 0), 10007.557, 0.001);
	ck_assert_double_eq_tol(steer_distance_km(0, -90, 0, 90), 20015.115, 0.001);
	ck_assert_double_eq(steer_distance_km(50, 8, 50, 8), 0);
	ck_assert_double_eq_tol(steer_distance_km(51.47, -0.4543, 40.6413, -73.7781), 5540, 1);
}
END_TEST

START_TEST(the_image_says_what_it_was_made_from)
{
	const struct image_header *header;
	struct compiled c;
	uint64_t id;

	open_edge(&c, &edge);
	header = image_header(&c.image);
	id = header->id;
	ck_assert_uint_eq(header->basis[IMAGE_ZONES], image_header(&c.made.zones)->id);
	ck_assert_uint_eq(header->basis[IMAGE_GEO], image_header(&c.made.geo)->id);
	ck_assert_uint_eq(header->basis[IMAGE_PLAN], image_header(&c.made.plan)->id);
	ck_assert_uint_eq(image_root(&c.image, struct steering_root)->serial, 1);
	ck_assert_uint_eq(image_root(&c.image, struct steering_root)->dns.udp_size_max, 1232);
	ck_assert_uint_eq(image_root(&c.image, struct steering_root)->dns.ecs, 1);
	compiled_close(&c);
	open_edge(&c, &edge);
	ck_assert_uint_eq(image_header(&c.image)->id, id); /* the same files, the same image */
	compiled_update(&c);
	ck_assert_uint_ne(image_header(&c.image)->id, id); /* its serial differs */
	compiled_close(&c);
}
END_TEST

START_TEST(images_that_do_not_belong_together_are_refused)
{
	struct make_pref wrong = { "edge", "sydney", false };
	struct make_plan make = { .sites = sites,
				  .site_count = COUNT(sites),
				  .pools = &edge,
				  .pool_count = 1,
				  .nodes = nodes,
				  .node_count = COUNT(nodes),
				  .prefs = &wrong,
				  .pref_count = 1 };
	struct steer *steer = NULL;
	struct err err = { "" };
	struct made made = make_images(&make), other;

	ck_assert_int_eq(steer_open(&steer, &made.zones, &made.geo, &made.plan, &err), -1);
	ck_assert_ptr_nonnull(strstr(err.text, "names site 2"));
	make.prefs = prefs;
	make.pref_count = 2;
	make.records = records;
	make.record_count = 1;
	other = make_images(&make);
	ck_assert_int_eq(steer_open(&steer, &made.zones, &other.geo, &other.plan, &err), -1);
	ck_assert_ptr_nonnull(strstr(err.text, "POOL records"));
	made_close(&made);
	made_close(&other);
}
END_TEST

START_TEST(a_different_path_to_the_same_status_gives_the_same_answers)
{
	static const char *const names[] = { "tyo-1", "tyo-2", "sin-1", "fra-1", "fra-2", "lon-1" };
	struct compiled a, b;
	char wanted[65536];
	uint64_t x = 1;

	open_edge(&a, &edge);
	for (unsigned step = 0; step < 100; step++) {
		x = hash_word(x);
		compiled_set(&a, names[x % COUNT(names)], x >> 63 != 0);
	}
	open_edge(&b, &edge);
	memcpy(b.nodes, a.nodes, sizeof(b.nodes[0]) * COUNT(nodes));
	compiled_update(&b);
	for (uint32_t record = 0; record < COUNT(records); record++)
		for (uint32_t pref = 0; pref < COUNT(prefs); pref++)
			for (uint64_t hash = 1; hash < 1000; hash++) {
				(void)strcpy(wanted, compiled_answer(&a, record, pref,
								     hash_word(hash), STEERING_A));
				ck_assert_str_eq(compiled_answer(&b, record, pref, hash_word(hash),
								 STEERING_A),
						 wanted);
			}
	compiled_close(&a);
	compiled_close(&b);
}
END_TEST

/* --- services --------------------------------------------------------------------------------- */

static const struct make_service edge_services[] = {
	{ "tyo-1", 443, "t1.example." }, { "tyo-2", 443, NULL }, { "sin-1", 8443, NULL },
	{ "fra-1", 51820, NULL },        { "fra-2", 0, NULL },   { "lon-1", 443, NULL },
};

static const struct make_record service_records[] = {
	{ "vpn.example.", "edge", NULL, 30 },
	{ "_s._udp.vpn.example.", "edge", "tokyo", 20 },
	{ "plain.example.", "edge", NULL, 30 },
};
static const struct make_types service_types[] = {
	{ POOL_TYPES_ALL, 0, POOL_TYPES_ADDRESS, 30 },
	{ POOL_TYPE_SRV | POOL_TYPE_SVCB, 8, POOL_TYPE_AAAA, 40 },
	{ POOL_TYPES_ADDRESS, 0, 0, 0 },
};

enum { R_OWNER, R_UNDERSCORE, R_PLAIN };
enum { C_FRA_1, C_FRA_2, C_TYO_1, C_TYO_2 }; /* choices: by the order of the pool's sites */

static void open_services(struct compiled *out, const struct make_pool *pool)
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
		.records = service_records,
		.record_count = COUNT(service_records),
		.services = edge_services,
		.service_count = COUNT(edge_services),
		.types = service_types,
		.alpn = "\2h2\10http/1.1",
	};

	compiled_open(out, &make);
}

static const struct rrset_block *answer_of(const struct compiled *c, uint32_t record,
					   uint16_t choice, enum steering_column column)
{
	const struct steering_record *r = steering_record(&c->image, record);

	return steering_answer(&c->image, r, r->answers_off, choice, column);
}

/* `rdata` is a literal: its NUL is not compared. */
#define expect_rdata(c, record, choice, column, ttl, whose, rdata) \
	check_rdata(answer_of(c, record, choice, column), ttl, whose, rdata, sizeof(rdata) - 1)

static void check_rdata(const struct rrset_block *block, uint32_t ttl_s, uint32_t whose,
			const char *rdata, size_t len)
{
	ck_assert_ptr_nonnull(block);
	ck_assert_uint_eq(block->ttl_s, ttl_s);
	ck_assert_uint_eq(block->rr_count, 1);
	ck_assert_uint_eq(block->wire_len, 12 + len);
	ck_assert_mem_eq(block->wire + 12, rdata, len);
	ck_assert_uint_eq(block->extra_count, whose != 0);
	if (whose != 0)
		ck_assert_uint_eq(rrset_extras(block)->node, whose);
}

START_TEST(a_nodes_host_is_the_target_of_its_services)
{
	struct compiled c;

	open_services(&c, &edge);
	expect_rdata(&c, R_OWNER, C_TYO_1, STEERING_SRV, 30, STEERING_TARGET_NODE + C_TYO_1,
		     "\0\0\0\0\x01\xbb\2t1\7example\0");
	expect_rdata(&c, R_OWNER, C_TYO_1, STEERING_HTTPS, 30, STEERING_TARGET_NODE + C_TYO_1,
		     "\0\1\2t1\7example\0"
		     "\0\1\0\14\2h2\10http/1.1"
		     "\0\3\0\2\x01\xbb"
		     "\0\4\0\4\xc0\0\2\1"
		     "\0\6\0\20\x20\1\xd\xb8\0\0\0\0\0\0\0\0\0\0\0\1");
	expect_rdata(&c, R_UNDERSCORE, C_TYO_1, STEERING_A, 20, 0, "\xc0\0\2\1");
	compiled_close(&c);
}
END_TEST

START_TEST(nodes_without_a_host_share_the_owner_without_underscores)
{
	struct compiled c;

	open_services(&c, &edge);
	expect_rdata(&c, R_OWNER, C_TYO_2, STEERING_SVCB, 30, STEERING_TARGET_SHARED,
		     "\0\1\0"
		     "\0\1\0\14\2h2\10http/1.1"
		     "\0\3\0\2\x01\xbb"
		     "\0\4\0\4\xc0\0\2\2"
		     "\0\6\0\20\x20\1\xd\xb8\0\0\0\0\0\0\0\0\0\0\0\2");
	expect_rdata(&c, R_OWNER, C_TYO_2, STEERING_SRV, 30, STEERING_TARGET_SHARED,
		     "\0\0\0\0\x01\xbb\3vpn\7example\0");
	/* At the target there is AAAA only, with a TTL of its own. */
	expect_rdata(&c, R_UNDERSCORE, C_TYO_2, STEERING_SVCB, 20, STEERING_TARGET_SHARED,
		     "\0\1\3vpn\7example\0"
		     "\0\1\0\14\2h2\10http/1.1"
		     "\0\3\0\2\x01\xbb"
		     "\0\6\0\20\x20\1\xd\xb8\0\0\0\0\0\0\0\0\0\0\0\2");
	expect_rdata(&c, R_UNDERSCORE, C_TYO_2, STEERING_TARGET_AAAA, 40, 0,
		     "\x20\1\xd\xb8\0\0\0\0\0\0\0\0\0\0\0\2");
	ck_assert_ptr_null(answer_of(&c, R_UNDERSCORE, C_TYO_2, STEERING_TARGET_A));
	ck_assert_ptr_null(
		answer_of(&c, R_UNDERSCORE, C_TYO_2, STEERING_HTTPS)); /* not asked for */
	compiled_close(&c);
}
END_TEST

START_TEST(a_node_without_a_port_has_no_srv_and_no_port_parameter)
{
	struct compiled c;

	open_services(&c, &edge);
	ck_assert_ptr_null(answer_of(&c, R_OWNER, C_FRA_2, STEERING_SRV));
	expect_rdata(&c, R_OWNER, C_FRA_2, STEERING_HTTPS, 30, STEERING_TARGET_SHARED,
		     "\0\1\0"
		     "\0\1\0\14\2h2\10http/1.1"
		     "\0\4\0\4\xc0\0\2\5"
		     "\0\6\0\20\x20\1\xd\xb8\0\0\0\0\0\0\0\0\0\0\0\5");
	compiled_close(&c);
}
END_TEST

START_TEST(a_choice_keeps_its_services_whoever_is_down)
{
	struct compiled c;

	open_services(&c, &edge);
	compiled_set(&c, "fra-1", false);
	expect_rdata(&c, R_OWNER, C_FRA_1, STEERING_SRV, 30, STEERING_TARGET_SHARED,
		     "\0\0\0\0\xca\x6c\3vpn\7example\0");
	ck_assert_uint_eq(compiled_first(&c, R_OWNER, P_FRANKFURT), 5);
	compiled_close(&c);
}
END_TEST

START_TEST(fallback_addresses_have_no_port)
{
	static const struct make_pool pool = {
		.name = "edge",
		.sites = "frankfurt tokyo singapore london",
		.fallback = FALLBACK_ADDRESSES,
		.fallback_addresses = "192.0.2.99",
	};
	struct compiled c;
	uint16_t choice;

	open_services(&c, &pool);
	set_all(&c, false);
	choice = compiled_first(&c, R_OWNER, P_TOKYO);
	ck_assert_uint_eq(choice, COUNT(nodes));
	ck_assert_ptr_null(answer_of(&c, R_OWNER, choice, STEERING_SRV));
	expect_rdata(&c, R_OWNER, choice, STEERING_HTTPS, 30, STEERING_TARGET_SHARED,
		     "\0\1\0\0\1\0\14\2h2\10http/1.1\0\4\0\4\xc0\0\2\x63");
	expect_rdata(&c, R_OWNER, choice, STEERING_TARGET_A, 30, 0, "\xc0\0\2\x63");
	compiled_close(&c);
}
END_TEST

/* Control's, for the plan has none. */
START_TEST(secrets_of_cookies_are_those_that_were_set)
{
	static const uint8_t secrets[2][COOKIE_SECRET_SIZE] = { "one", "other" };
	struct compiled c;
	const struct dns_settings *dns;

	open_services(&c, &edge);
	ck_assert_uint_eq(image_root(&c.image, struct steering_root)->dns.cookie_secret_count, 0);
	steer_set_cookie_secrets(c.steer, secrets, 2);
	compiled_update(&c);
	dns = &image_root(&c.image, struct steering_root)->dns;
	ck_assert_uint_eq(dns->cookie_secret_count, 2);
	ck_assert_mem_eq(dns->cookie_secrets, secrets, sizeof(secrets));
	steer_set_cookie_secrets(c.steer, secrets + 1, 1);
	compiled_update(&c);
	dns = &image_root(&c.image, struct steering_root)->dns;
	ck_assert_uint_eq(dns->cookie_secret_count, 1);
	ck_assert_str_eq((const char *)dns->cookie_secrets[0], "other");
	ck_assert_uint_eq(dns->cookie_secrets[1][0], 0);
	compiled_close(&c);
}
END_TEST

START_TEST(records_of_addresses_alone_have_two_columns)
{
	struct compiled c;

	open_services(&c, &edge);
	ck_assert_uint_eq(steering_record(&c.image, R_PLAIN)->width, STEERING_FAMILIES);
	ck_assert_uint_eq(steering_record(&c.image, R_OWNER)->width, STEERING_COLUMNS);
	expect_a(&c, R_PLAIN, P_FRANKFURT, "192.0.2.4 192.0.2.14");
	expect_a(&c, R_OWNER, P_FRANKFURT, "192.0.2.4 192.0.2.14");
	compiled_close(&c);
}
END_TEST

/* --- many ------------------------------------------------------------------------------------------------ */

struct many {
	struct make_site *sites;
	struct make_pool *pools;
	struct make_node *nodes;
	struct make_pref *prefs;
	struct make_record *records;
	struct make_plan make;
	struct arena arena;
};

static const char *many_text(struct many *many, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

static const char *many_text(struct many *many, const char *format, ...)
{
	char buffer[64];
	va_list args;
	int len;

	va_start(args, format);
	len = vsnprintf(buffer, sizeof(buffer), format, args);
	va_end(args);
	return arena_text(&many->arena, buffer, (size_t)len);
}

struct size {
	const char *what;
	unsigned pools, sites, nodes, prefs; /* nodes in all, preferences of each pool */
	unsigned answers;
	bool apart, spills;
	uint64_t bound_us;
};

static void make_many(struct many *many, const struct size *size)
{
	unsigned pools = size->pools, site_count = size->sites, node_count = size->nodes;
	unsigned pref_count = pools * size->prefs;
	char all[1024] = "";

	*many = (struct many){ 0 };
	many->sites = mem_array(site_count, sizeof(*many->sites));
	many->pools = mem_array(pools, sizeof(*many->pools));
	many->nodes = mem_array(node_count, sizeof(*many->nodes));
	many->prefs = mem_array(pref_count, sizeof(*many->prefs));
	many->records = mem_array(pools, sizeof(*many->records));
	for (unsigned i = 0; i < site_count; i++) {
		many->sites[i].name = many_text(many, "s%u", i);
		many->sites[i].latitude = i % 17 * 10.0 - 80;
		many->sites[i].longitude = i % 31 * 11.0 - 170;
		(void)strcat(strcat(all, many->sites[i].name), " ");
	}
	for (unsigned i = 0; i < pools; i++) {
		many->pools[i].name = many_text(many, "pool-%u", i);
		many->pools[i].sites = arena_text(&many->arena, all, strlen(all));
		many->pools[i].answers = size->answers;
		many->pools[i].spread = size->apart ? SPREAD_SITE : SPREAD_NODE;
		many->records[i] = (struct make_record){ many_text(many, "p%u.example.", i),
							 many->pools[i].name, NULL, 30 };
	}
	for (unsigned i = 0; i < node_count; i++)
		many->nodes[i] = (struct make_node){
			many->pools[i % pools].name, many->sites[i / pools % site_count].name,
			many_text(many, "n%u", i), 100,
			many_text(many, "10.0.%u.%u", i / 256 % 256, i % 256)
		};
	for (unsigned i = 0; i < pref_count; i++)
		many->prefs[i] = (struct make_pref){
			many->pools[i % pools].name,
			many_text(many, "s%u s%u,s%u s%u", i % site_count, (i + i / 7) % site_count,
				  (i * 3) % site_count, (i * 5 + 1) % site_count),
			false
		};
	many->make = (struct make_plan){ .sites = many->sites,
					 .site_count = site_count,
					 .pools = many->pools,
					 .pool_count = pools,
					 .nodes = many->nodes,
					 .node_count = node_count,
					 .prefs = many->prefs,
					 .pref_count = pref_count,
					 .records = many->records,
					 .record_count = pools };
}

static void many_free(struct many *many)
{
	free(many->sites);
	free(many->pools);
	free(many->nodes);
	free(many->prefs);
	free(many->records);
	arena_free(&many->arena);
}

static uint64_t compile_us(struct compiled *c)
{
	const struct steer_input input = { .nodes = c->nodes, .keep = c->keep };
	uint64_t start = cpu_us(), took_us;
	struct err err;
	int fd = -1;

	ck_assert_int_eq(steer_compile(c->steer, &input, &fd, &err), 0);
	took_us = cpu_us() - start;
	(void)close(fd);
	return took_us;
}

static uint64_t verify_us(const struct compiled *c)
{
	uint64_t start = cpu_us();
	struct err err;

	ck_assert_int_eq(steering_verify(&c->image, &err), 0);
	return cpu_us() - start;
}

static int by_time(const void *a, const void *b)
{
	const uint64_t *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

#define CHANGES 40

/* Some verdicts, and the median of what they take; the worst may make a table for the first time. */
static void time_changes(const struct size *size)
{
	uint64_t took_us[CHANGES], best_us = UINT64_MAX;
	struct many many;
	struct compiled c;

	make_many(&many, size);
	compiled_open(&c, &many.make);
	for (uint32_t i = 0; size->spills && i < plan_count(&c.made.plan, pool_sites); i += 3)
		c.keep[i] = STEER_ALL / 2;
	(void)compile_us(&c);
	for (unsigned i = 0; i < CHANGES; i++) {
		struct steer_node *node = &c.nodes[i / 2 * 37 % size->nodes];
		uint64_t us;

		node->state = node->state == STEER_UP ? STEER_DOWN : STEER_UP;
		took_us[i] = compile_us(&c);
		us = verify_us(&c);
		best_us = us < best_us ? us : best_us;
	}
	compiled_update(&c);
	qsort(took_us, CHANGES, sizeof(took_us[0]), by_time);
	if (getenv("SIGNPOST_TIMES") != NULL)
		(void)printf("%s: worst %llu us; verify %llu us; %zu octets\n", size->what,
			     (unsigned long long)took_us[CHANGES - 1], (unsigned long long)best_us,
			     c.image.size);
	check_time(size->what, took_us[CHANGES / 2], size->bound_us);
	compiled_close(&c);
	many_free(&many);
}

static const struct size sizes[] = {
	{ "10 nodes, 1 pool, 10 sites", 1, 10, 10, 200, 1, false, false, 20000 },
	{ "100 nodes, 5 pools, 10 sites, 1,000 preferences", 5, 10, 100, 200, 1, false, false,
	  20000 },
	{ "1,000 nodes, 50 pools, 100 sites, 10,000 preferences", 50, 100, 1000, 200, 1, false,
	  false, 20000 },
	{ "the same, three nodes an answer", 50, 100, 1000, 200, 3, false, false, 20000 },
	{ "the same, a third of the sites spilling", 50, 100, 1000, 200, 1, false, true, 20000 },
	{ "1,000 nodes, 1 pool, 100 sites, 10,000 preferences", 1, 100, 1000, 10000, 1, false,
	  false, 50000 },
	{ "1,000 nodes, 1 pool, 100 sites, 3,000 preferences, three nodes an answer", 1, 100, 1000,
	  3000, 3, false, false, 20000 },
	{ "the same, each of another site", 1, 100, 1000, 3000, 3, true, false, 40000 },
	{ "1,000 nodes, 1 pool, 1 site, three nodes an answer", 1, 1, 1000, 1, 3, false, false,
	  50000 },
	{ "1,000 nodes, 1 pool, 1 site", 1, 1, 1000, 1, 1, false, false, 20000 },
	{ "10,000 nodes, 50 pools, 100 sites, 10,000 preferences", 50, 100, 10000, 200, 1, false,
	  false, 50000 },
	{ "10,000 nodes, 1 pool, 1 site", 1, 1, 10000, 1, 1, false, false, 50000 },
};

START_TEST(one_verdict_is_compiled_in_milliseconds)
{
	time_changes(&sizes[_i]);
}
END_TEST

START_TEST(half_of_a_large_site_lost_at_once_is_compiled_in_time)
{
	static const struct size size = { "", 1, 1, 1000, 1, 1, false, false, 0 };
	struct many many;
	struct compiled c;

	make_many(&many, &size);
	compiled_open(&c, &many.make);
	for (unsigned i = 0; i < 1000; i += 2)
		c.nodes[i].state = STEER_DOWN;
	check_time("500 of 1,000 nodes of one site lost", compile_us(&c), 200000);
	compiled_update(&c);
	compiled_close(&c);
	many_free(&many);
}
END_TEST

static void add_speed(Suite *suite)
{
	TCase *speed = tcase_create("speed");

	tcase_set_timeout(speed, 60);
	tcase_add_loop_test(speed, one_verdict_is_compiled_in_milliseconds, 0, COUNT(sizes));
	tcase_add_test(speed, half_of_a_large_site_lost_at_once_is_compiled_in_time);
	suite_add_tcase(suite, speed);
}

void steer_cases(Suite *suite)
{
	suite_case(suite, "sites", the_first_site_with_a_usable_node_answers,
		   a_site_with_weight_0_alone_waits_for_all_others,
		   a_preference_without_sites_follows_the_file,
		   failover_follows_the_file_behind_the_preference,
		   weighted_shares_all_sites_and_a_rule_restricts, site_order_names_each_site_once,
		   distance_is_the_great_circle);
	suite_case(suite, "settings", secrets_of_cookies_are_those_that_were_set);
	suite_case(suite, "nobody up", fallback_all_answers_as_if_all_were_up,
		   fallback_none_answers_nodata, fallback_addresses_are_answered,
		   a_site_that_is_down_answers_its_own_record_as_if_it_were_up,
		   a_site_without_nodes_answers_its_own_record_with_nodata);
	suite_case(suite, "families", a_lacking_node_is_replaced_within_its_site_first,
		   weight_0_stands_in_last,
		   a_bound_record_is_replaced_within_its_site_also_when_that_is_down,
		   strict_pair_answers_nodata);
	suite_case(suite, "services", a_nodes_host_is_the_target_of_its_services,
		   nodes_without_a_host_share_the_owner_without_underscores,
		   a_node_without_a_port_has_no_srv_and_no_port_parameter,
		   a_choice_keeps_its_services_whoever_is_down, fallback_addresses_have_no_port,
		   records_of_addresses_alone_have_two_columns);
	suite_case(suite, "image", the_image_says_what_it_was_made_from,
		   images_that_do_not_belong_together_are_refused,
		   a_different_path_to_the_same_status_gives_the_same_answers);
	add_speed(suite);
}
