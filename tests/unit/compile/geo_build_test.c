/* From locations, sites, policies and rules to preferences and classes. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "geo_fixture.h"

static struct fixture f;

static void open_fixture(void)
{
	fixture_open(&f);
}

static void close_fixture(void)
{
	fixture_close(&f);
}

static void check_sites(const char *address, uint32_t pool, uint32_t rule, const uint16_t *sites,
			uint32_t count)
{
	const struct geo_pref *pref = fixture_pref(&f, address, pool);
	const uint16_t *got = image_at(&f.geo, uint16_t, pref->sites_off);

	ck_assert_msg(pref->rule == rule, "%s: rule %d", address, (int)pref->rule);
	ck_assert_msg(pref->site_count == count, "%s: %u sites", address, pref->site_count);
	for (uint32_t i = 0; i < count; i++)
		ck_assert_msg(got[i] == sites[i], "%s: place %u: site %u", address, i, got[i]);
}
#define CHECK_SITES(address, pool, rule, ...)                         \
	check_sites(address, pool, rule, (uint16_t[]){ __VA_ARGS__ }, \
		    sizeof((uint16_t[]){ __VA_ARGS__ }) / sizeof(uint16_t))

/* --- distance ------------------------------------------------------------------------------ */

static double haversine(double latitude, double longitude, const struct config_site *site)
{
	double rad = M_PI / 180;
	double s = sin((site->latitude - latitude) * rad / 2);
	double t = sin((site->longitude - longitude) * rad / 2);

	return 2 * asin(sqrt(s * s + cos(latitude * rad) * cos(site->latitude * rad) * t * t));
}

static void check_nearest(const struct location *l, const struct geo_pref *pref)
{
	const uint16_t *sites = image_at(&f.geo, uint16_t, pref->sites_off);
	double last = -1;

	for (uint32_t i = 0; i < pref->site_count; i++) {
		double d = haversine((double)l->latitude, (double)l->longitude, &f.sites[sites[i]]);

		ck_assert_double_ge(d, last);
		last = d;
	}
	for (uint16_t site = 0; site < FIXTURE_SITES; site++) {
		bool is_named = false;

		for (uint32_t i = 0; i < pref->site_count; i++)
			is_named = is_named || sites[i] == site;
		if (!is_named)
			ck_assert_double_ge(haversine((double)l->latitude, (double)l->longitude,
						      &f.sites[site]),
					    last);
	}
}

START_TEST(sites_come_in_order_of_great_circle_distance)
{
	uint64_t seed = 5;
	unsigned located = 0;

	(void)fixture_add_database(&f, COUNTRY_MMDB);
	fixture_build(&f);
	for (int i = 0; i < 20000; i++) {
		struct ip_address address = { .family = i % 2 == 0 ? IP_V4 : IP_V6 };
		uint64_t words[2] = { fixture_random(&seed), fixture_random(&seed) };
		struct located l;
		const struct geo_pref *pref;
		struct geo_match match;

		memcpy(address.bytes, words, ip_bits(address.family) / 8);
		if (address.family == IP_V6)
			address.bytes[0] = 0x2a;
		locations_find(&f.locations, &address, &l);
		match = geo_find(&f.geo, &address);
		pref = geo_pool_pref(&f.geo, 0, geo_class_pref(&f.geo, match.class_id, 0));
		ck_assert_uint_eq(pref->site_count, 4);
		ck_assert_uint_eq(pref->rule, GEO_RULE_NONE);
		ck_assert_uint_le(match.prefix_len, l.prefix_len);
		if ((l.location.has & LOCATION_COORDINATES) == 0)
			continue;
		check_nearest(&l.location, pref);
		located++;
	}
	ck_assert_uint_gt(located, 8000);
}
END_TEST

START_TEST(sample_clients_get_the_sites_one_expects)
{
	(void)fixture_add_database(&f, COUNTRY_MMDB);
	fixture_build(&f);
	CHECK_SITES("133.11.0.1", 0, GEO_RULE_NONE, TOKYO, SINGAPORE, SYDNEY, SANFRANCISCO);
	CHECK_SITES("134.109.0.1", 0, GEO_RULE_NONE, FRANKFURT, LONDON, NEWYORK, SANFRANCISCO);
	CHECK_SITES("200.160.0.1", 0, GEO_RULE_NONE, SAOPAULO, NEWYORK, LONDON, FRANKFURT);
	CHECK_SITES("::ffff:133.11.0.1", 0, GEO_RULE_NONE, TOKYO, SINGAPORE, SYDNEY, SANFRANCISCO);
}
END_TEST

START_TEST(equally_near_sites_come_in_order_of_their_numbers)
{
	for (int i = 0; i < FIXTURE_SITES; i++) {
		f.sites[i].latitude = f.sites[0].latitude;
		f.sites[i].longitude = f.sites[0].longitude;
		f.pool_sites[i].site = (uint16_t)(FIXTURE_SITES - 1 - i); /* not the pool's order */
	}
	(void)fixture_add_database(&f, DATA("nested-city.mmdb"));
	fixture_build(&f);
	CHECK_SITES("192.0.2.1", 0, GEO_RULE_NONE, 0, 1, 2, 3);
}
END_TEST

START_TEST(who_is_nowhere_gets_the_sites_as_configured)
{
	(void)fixture_add_database(&f, DATA("nested-city.mmdb"));
	f.config.preference_depth = 3;
	fixture_build(&f);
	CHECK_SITES("240.0.0.1", 0, GEO_RULE_NONE, 0, 1, 2);
	CHECK_SITES("203.0.113.1", 0, GEO_RULE_NONE, 0, 1, 2); /* a continent is no place */
}
END_TEST

START_TEST(no_database_and_no_pool_are_fine)
{
	fixture_build(&f);
	CHECK_SITES("192.0.2.1", 0, GEO_RULE_NONE, 0, 1, 2, 3);
	f.config.pool_count = 0;
	fixture_build(&f);
	ck_assert_uint_eq(image_root(&f.geo, struct geo_root)->class_count, 1);
}
END_TEST

START_TEST(failover_and_weighted_pools_have_their_whole_order_for_everybody)
{
	f.pools[0].policy = POLICY_FAILOVER;
	f.pools[1] = f.pools[0];
	f.pools[1].policy = POLICY_WEIGHTED;
	f.config.pool_count = 2;
	(void)fixture_add_database(&f, DATA("nested-city.mmdb"));
	fixture_build(&f);
	for (uint32_t pool = 0; pool < 2; pool++) {
		CHECK_SITES("192.0.2.200", pool, GEO_RULE_NONE, 0, 1, 2, 3, 4, 5, 6, 7);
		CHECK_SITES("240.0.0.1", pool, GEO_RULE_NONE, 0, 1, 2, 3, 4, 5, 6, 7);
	}
	ck_assert_uint_eq(image_root(&f.geo, struct geo_root)->class_count, 1);
}
END_TEST

/* --- rules --------------------------------------------------------------------------------- */

static struct config_client network(const char *text)
{
	struct config_client client = { .kind = MATCH_PREFIX };

	ck_assert_msg(ip_prefix_parse(text, &client.prefix, NULL), "%s", text);
	return client;
}

static struct config_client asn(uint32_t number)
{
	return (struct config_client){ .kind = MATCH_ASN, .asn = number };
}

static struct config_client code(enum client_match kind, const char *text)
{
	return (struct config_client){ .kind = kind, .code = { text[0], text[1] } };
}

static const uint16_t to_site[FIXTURE_SITES] = { 0, 1, 2, 3, 4, 5, 6, 7 };
static const uint16_t one_after_another[FIXTURE_SITES] = { 0, 1, 2, 3, 4, 5, 6, 7 };

static struct config_rule rule(const struct config_client *client, int site)
{
	return (struct config_rule){ .clients = { client, 1, "" },
				     .sites = &to_site[site],
				     .bands = one_after_another,
				     .site_count = 1 };
}

START_TEST(most_specific_rule_wins_and_then_the_first)
{
	struct config_client clients[] = {
		code(MATCH_CONTINENT, "AS"), code(MATCH_COUNTRY, "JP"),  asn(64500),
		network("192.0.2.0/25"),     network("192.0.2.64/26"),   network("192.0.2.64/26"),
		code(MATCH_COUNTRY, "JP"),   network("2001:db8:1::/64"),
	};
	struct config_rule rules[8];

	for (int i = 0; i < 8; i++)
		rules[i] = rule(&clients[i], i);
	f.pools[0].rules = rules;
	f.pools[0].rule_count = 8;
	(void)fixture_add_database(&f, DATA("nested-city.mmdb"));
	(void)fixture_add_database(&f, DATA("asn.mmdb"));
	fixture_build(&f);
	CHECK_SITES("192.0.2.1", 0, 3, 3);         /* the network, before the AS */
	CHECK_SITES("192.0.2.70", 0, 4, 4);        /* the longer network, the first of two */
	CHECK_SITES("::ffff:192.0.2.70", 0, 4, 4); /* the same inside IPv6 */
	CHECK_SITES("64:ff9b::192.0.2.70", 0, 4, 4);
	CHECK_SITES("2001:db8:1::1", 0, 7, 7);
	CHECK_SITES("2001:db8:1:1::", 0, 1, 1); /* the country, before the continent */
	CHECK_SITES("192.0.2.200", 0, GEO_RULE_NONE, FRANKFURT, LONDON, NEWYORK, TOKYO);
	f.pools[0].rule_count = 3;
	fixture_build(&f);
	CHECK_SITES("192.0.2.1", 0, 2, 2); /* the AS, before the country */
	f.pools[0].rule_count = 1;
	fixture_build(&f);
	CHECK_SITES("192.0.2.1", 0, 0, 0);
}
END_TEST

START_TEST(scope_is_as_long_as_the_rule_that_decided)
{
	static const struct {
		const char *address;
		unsigned prefix_len;
	} rows[] = { { "192.0.2.77", 32 },
		     { "192.0.2.76", 32 },
		     { "192.0.2.78", 31 },
		     { "192.0.2.1", 26 },
		     { "::ffff:192.0.2.77", 128 } };
	struct config_client client = network("192.0.2.77/32");
	struct config_rule one = rule(&client, SYDNEY);

	f.pools[0].rules = &one;
	f.pools[0].rule_count = 1;
	(void)fixture_add_database(&f, DATA("nested-city.mmdb"));
	fixture_build(&f);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct ip_address address = fixture_address(rows[i].address);

		ck_assert_msg(geo_find(&f.geo, &address).prefix_len == rows[i].prefix_len,
			      "%s: /%u", rows[i].address, geo_find(&f.geo, &address).prefix_len);
	}
}
END_TEST

START_TEST(whole_list_of_a_rule_is_its_preference)
{
	struct config_client client = network("0.0.0.0/0");
	uint16_t sites[] = { SYDNEY, TOKYO, LONDON, NEWYORK, FRANKFURT, SAOPAULO };
	struct config_rule all = { .clients = { &client, 1, "" },
				   .sites = sites,
				   .bands = one_after_another,
				   .site_count = 6 };

	f.config.preference_depth = 1;
	f.pools[0].rules = &all;
	f.pools[0].rule_count = 1;
	(void)fixture_add_database(&f, DATA("nested-city.mmdb"));
	fixture_build(&f);
	CHECK_SITES("255.255.255.255", 0, 0, SYDNEY, TOKYO, LONDON, NEWYORK, FRANKFURT, SAOPAULO);
	CHECK_SITES("192.0.2.1", 0, 0, SYDNEY, TOKYO, LONDON, NEWYORK, FRANKFURT, SAOPAULO);
	CHECK_SITES("2001:db8:1::1", 0, GEO_RULE_NONE, TOKYO); /* IPv6 is not in 0.0.0.0/0 */
}
END_TEST

START_TEST(rules_are_numbered_over_all_pools_and_concern_their_pool_alone)
{
	struct config_client clients[] = { network("192.0.2.0/24"), network("192.0.2.0/25"),
					   code(MATCH_COUNTRY, "DE") };
	struct config_rule rules[3];

	for (int i = 0; i < 3; i++)
		rules[i] = rule(&clients[i], i);
	f.pools[1] = f.pools[0];
	f.pools[0].rules = rules;
	f.pools[0].rule_count = 1;
	f.pools[1].rules = rules + 1;
	f.pools[1].rule_count = 2;
	f.config.pool_count = 2;
	f.config.preference_depth = 1;
	(void)fixture_add_database(&f, DATA("nested-city.mmdb"));
	fixture_build(&f);
	CHECK_SITES("192.0.2.1", 0, 0, 0);
	CHECK_SITES("192.0.2.1", 1, 1, 1);
	CHECK_SITES("192.0.2.200", 0, 0, 0);
	CHECK_SITES("192.0.2.200", 1, 2, 2);
	CHECK_SITES("2001:db8:2::", 0, GEO_RULE_NONE, FRANKFURT);
	CHECK_SITES("2001:db8:2::", 1, 2, 2);
}
END_TEST

/* Random networks in two pools against a scan of all rules. */
START_TEST(network_rules_are_those_that_a_scan_finds)
{
	enum { RULES = 400 };
	static struct config_client clients[RULES];
	static struct config_rule rules[RULES];
	uint64_t seed = 99;

	for (int i = 0; i < RULES; i++) {
		struct ip_prefix *prefix = &clients[i].prefix;
		uint64_t bits = fixture_random(&seed);

		clients[i].kind = MATCH_PREFIX;
		*prefix = (struct ip_prefix){ .address.family = IP_V4,
					      .len = (uint8_t)(fixture_random(&seed) % 33) };
		memcpy(prefix->address.bytes, &bits, 4);
		prefix->address.bytes[0] = 10; /* near each other, so that they nest */
		prefix->address.bytes[1] &= 3;
		ip_mask(prefix->address.bytes, prefix->len);
		rules[i] = rule(&clients[i], i % FIXTURE_SITES);
	}
	f.pools[1] = f.pools[0];
	f.pools[0].rules = rules;
	f.pools[0].rule_count = RULES / 2;
	f.pools[1].rules = rules + RULES / 2;
	f.pools[1].rule_count = RULES / 2;
	f.config.pool_count = 2;
	fixture_build(&f);
	for (int i = 0; i < 20000; i++) {
		struct ip_address address = clients[fixture_random(&seed) % RULES].prefix.address;
		struct geo_match match;

		address.bytes[3] ^= (uint8_t)fixture_random(&seed);
		match = geo_find(&f.geo, &address);
		for (uint32_t pool = 0; pool < 2; pool++) {
			uint32_t first = pool * RULES / 2, best = GEO_RULE_NONE;

			for (uint32_t r = first; r < first + RULES / 2; r++)
				if (ip_prefix_contains(&clients[r].prefix, &address) &&
				    (best == GEO_RULE_NONE ||
				     clients[r].prefix.len > clients[best].prefix.len))
					best = r;
			ck_assert_uint_eq(
				geo_pool_pref(&f.geo, pool,
					      geo_class_pref(&f.geo, match.class_id, pool))
					->rule,
				best);
		}
	}
}
END_TEST

/* --- classes ------------------------------------------------------------------------------- */

START_TEST(same_input_gives_the_same_image)
{
	uint64_t geo, locations;

	(void)fixture_add_database(&f, COUNTRY_MMDB);
	fixture_build(&f);
	geo = image_header(&f.geo)->id;
	locations = image_header(&f.locations)->id;
	fixture_build(&f);
	ck_assert_uint_eq(image_header(&f.geo)->id, geo);
	ck_assert_uint_eq(image_header(&f.locations)->id, locations);
	fixture_build_again(&f);
	ck_assert_uint_eq(image_header(&f.geo)->id, geo);
}
END_TEST

START_TEST(more_classes_than_a_leaf_can_name_are_refused)
{
	enum { RULES = 65535 }; /* and those who match none */
	struct config_client *clients = calloc(RULES, sizeof(*clients));
	struct config_rule *rules = calloc(RULES, sizeof(*rules));
	char *text;

	for (uint32_t i = 0; i < RULES; i++) {
		clients[i].prefix = (struct ip_prefix){
			.address = { .bytes = { 10, (uint8_t)(i >> 8), (uint8_t)i },
				     .family = IP_V4 },
			.len = 24
		};
		rules[i] = rule(&clients[i], 0);
	}
	f.pools[0].rules = rules;
	f.pools[0].rule_count = RULES - 1;
	fixture_build(&f);
	ck_assert_uint_eq(image_root(&f.geo, struct geo_root)->class_count, GEO_CLASSES_MAX);
	f.pools[0].rule_count = RULES;
	fixture_build(&f);
	text = fixture_mistakes(&f);
	ck_assert_msg(strstr(text,
			     "signpost.yaml: error: pools, sites and rules make more than "
			     "65535 client classes: lower \"preference-depth\" (now 4)") != NULL,
		      "%s", text);
	free(text);
	free(clients);
	free(rules);
}
END_TEST

Suite *geo_build_suite(void)
{
	Suite *suite = suite_create("geo_build");
	TCase *all = tcase_create("geo_build");

	tcase_add_checked_fixture(all, open_fixture, close_fixture);
	tcase_set_timeout(all, 120);
	tcase_add_test(all, sites_come_in_order_of_great_circle_distance);
	tcase_add_test(all, sample_clients_get_the_sites_one_expects);
	tcase_add_test(all, equally_near_sites_come_in_order_of_their_numbers);
	tcase_add_test(all, who_is_nowhere_gets_the_sites_as_configured);
	tcase_add_test(all, no_database_and_no_pool_are_fine);
	tcase_add_test(all, failover_and_weighted_pools_have_their_whole_order_for_everybody);
	tcase_add_test(all, most_specific_rule_wins_and_then_the_first);
	tcase_add_test(all, scope_is_as_long_as_the_rule_that_decided);
	tcase_add_test(all, whole_list_of_a_rule_is_its_preference);
	tcase_add_test(all, rules_are_numbered_over_all_pools_and_concern_their_pool_alone);
	tcase_add_test(all, network_rules_are_those_that_a_scan_finds);
	tcase_add_test(all, same_input_gives_the_same_image);
	tcase_add_test(all, more_classes_than_a_leaf_can_name_are_refused);
	suite_add_tcase(suite, all);
	return suite;
}
