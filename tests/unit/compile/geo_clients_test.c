/* Who is meant: every kind of client, which of several holds, fences and avoids, own networks. */
#include <stdlib.h>
#include <string.h>

#include "geo_fixture.h"

static struct fixture f;

static void open_fixture(void)
{
	fixture_open(&f);
	(void)fixture_add_database(&f, DATA("nested-city.mmdb"));
	(void)fixture_add_database(&f, DATA("asn.mmdb"));
	f.config.preference_depth = 1;
}

static void close_fixture(void)
{
	fixture_close(&f);
}

static const struct config_field fields[] = {
	{ "is_anonymous", "true" }, { "is_anonymous", "false" }, { "risk.score", "5e-1" },
	{ "kind", "hosting" },      { "users", "42" },           { "risk.seen", "12" },
	{ "kind", "none" }
};

static struct ip_prefix prefix(const char *text)
{
	struct ip_prefix out;

	ck_assert_msg(ip_prefix_parse(text, &out, NULL), "%s", text);
	return out;
}

/* "192.0.2.0/24", "AS64500", "DE", "EU*" (a continent), "city:Berlin", "city:DE/Berlin",
 * "subdivision:...", "field:0", "list:0", "own", "unknown", "all". */
static struct config_client client(const char *text)
{
	struct config_client c = { .kind = MATCH_PREFIX };
	const char *name = strchr(text, ':');

	if (strcmp(text, "all") == 0)
		c.kind = MATCH_ALL;
	else if (strcmp(text, "unknown") == 0)
		c.kind = MATCH_UNKNOWN;
	else if (strcmp(text, "own") == 0)
		c.kind = MATCH_OWN;
	else if (strncmp(text, "field:", 6) == 0 || strncmp(text, "list:", 5) == 0) {
		c.kind = text[0] == 'f' ? MATCH_FIELD : MATCH_LIST;
		c.number = (uint32_t)atoi(name + 1);
	} else if (strncmp(text, "city:", 5) == 0 || strncmp(text, "sub:", 4) == 0) {
		c.kind = text[0] == 'c' ? MATCH_CITY : MATCH_SUBDIVISION;
		c.name = name + 1;
		if (strlen(c.name) > 3 && c.name[2] == '/') {
			memcpy(c.code, c.name, 2);
			c.name += 3;
		}
	} else if (strncmp(text, "AS", 2) == 0 && text[2] != '*' && text[2] != '\0') {
		c.kind = MATCH_ASN;
		c.asn = (uint32_t)strtoul(text + 2, NULL, 10);
	} else if (strlen(text) <= 3) {
		c.kind = text[2] == '*' ? MATCH_CONTINENT : MATCH_COUNTRY;
		memcpy(c.code, text, 2);
	} else {
		c.prefix = prefix(text);
	}
	return c;
}

#define MANY 16
static struct config_client clients[MANY];
static struct config_rule rules[MANY];
static const uint16_t to_site[FIXTURE_SITES] = { 0, 1, 2, 3, 4, 5, 6, 7 };
static const uint16_t band_0[FIXTURE_SITES];

/* Rule n is for the n-th of these, and leads to site n. */
static void set_rules(const char *const *texts)
{
	uint16_t n = 0;

	for (; texts[n] != NULL; n++) {
		clients[n] = client(texts[n]);
		rules[n] = (struct config_rule){ .clients = { &clients[n], 1, "" },
						 .sites = &to_site[n % FIXTURE_SITES],
						 .bands = band_0,
						 .site_count = 1 };
	}
	f.pools[0].rules = rules;
	f.pools[0].rule_count = n;
}
#define SET_RULES(...) set_rules((const char *const[]){ __VA_ARGS__, NULL })

static void check_rule(const char *address, uint32_t rule)
{
	const struct geo_pref *pref = fixture_pref(&f, address, 0);

	ck_assert_msg(pref->rule == rule, "%s: rule %d instead of %d", address, (int)pref->rule,
		      (int)rule);
}

/* --- kinds --------------------------------------------------------------------------------- */

START_TEST(each_kind_of_client_matches)
{
	static const struct {
		const char *client, *matches, *misses;
	} rows[] = {
		{ "192.0.2.0/25", "192.0.2.127", "192.0.2.128" },
		{ "list:0", "192.0.2.7", "192.0.2.8" },
		{ "list:0", "2001:db8:9::1", "2001:db8:a::1" },
		{ "own", "192.0.2.16", "192.0.2.32" },
		{ "AS64501", "198.51.100.1", "192.0.2.1" },
		{ "field:0", "192.0.2.1", "192.0.2.65" },
		{ "field:1", "192.0.2.65", "192.0.2.1" },
		{ "field:2", "192.0.2.1", "192.0.2.65" },
		{ "field:3", "192.0.2.65", "192.0.2.129" }, /* "Hosting" is not "hosting" */
		{ "field:4", "192.0.2.129", "192.0.2.1" },
		{ "field:5", "192.0.2.1", "192.0.2.65" },
		{ "city:berlin", "192.0.2.200", "192.0.2.1" },
		{ "city:DE/BERLIN", "192.0.2.200", "192.0.2.1" },
		{ "sub:be", "2001:db8:2::1", "2001:db8:1::1" },
		{ "sub:Land Berlin", "192.0.2.200", "192.0.2.1" },
		{ "sub:DE/land berlin", "192.0.2.200", "192.0.2.1" },
		{ "sub:JP/27", "192.0.2.1", "192.0.2.200" },
		{ "JP", "2001:db8:1::1", "2001:db8:2::1" },
		{ "EU*", "198.51.100.1", "192.0.2.1" },
		{ "SA*", "203.0.113.1", "192.0.2.1" },
		{ "unknown", "240.0.0.1", "192.0.2.1" },
		{ "unknown", "203.0.113.1", "203.0.113.65" }, /* a continent is no place */
	};
	static const struct ip_prefix listed[2] = {
		{ { { 192, 0, 2, 0 }, IP_V4 }, 29 },
		{ { { 0x20, 0x01, 0x0d, 0xb8, 0, 9 }, IP_V6 }, 48 },
	};
	const struct config_list list = { "office.txt", listed, 2 };
	const struct ip_prefix own = prefix("192.0.2.16/28");

	(void)fixture_add_database(&f, DATA("traits.mmdb"));
	f.config.fields = fields;
	f.config.field_count = 6;
	f.config.lists = &list;
	f.config.list_count = 1;
	f.config.own_networks = &own;
	f.config.own_network_count = 1;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		SET_RULES(rows[i].client);
		fixture_build(&f);
		ck_assert_msg(fixture_pref(&f, rows[i].matches, 0)->rule == 0,
			      "%s does not match %s", rows[i].client, rows[i].matches);
		ck_assert_msg(fixture_pref(&f, rows[i].misses, 0)->rule == GEO_RULE_NONE,
			      "%s matches %s", rows[i].client, rows[i].misses);
	}
	SET_RULES("city:FR/Berlin");
	fixture_build(&f);
	check_rule("192.0.2.200", GEO_RULE_NONE);
	SET_RULES("all");
	fixture_build(&f);
	check_rule("192.0.2.200", 0);
	check_rule("240.0.0.1", 0);
}
END_TEST

START_TEST(more_specific_clients_win_whatever_their_order)
{
	static const char *const specific_last[] = { "all",     "AS*",         "JP",
						     "sub:27",  "city:Osaka",  "field:0",
						     "AS64500", "192.0.2.0/26" };
	const char *some[9];

	(void)fixture_add_database(&f, DATA("traits.mmdb"));
	f.config.fields = fields;
	f.config.field_count = 6;
	for (uint32_t n = 1; n <= 8; n++) {
		memcpy(some, specific_last, n * sizeof(some[0]));
		some[n] = NULL;
		set_rules(some);
		fixture_build(&f);
		check_rule("192.0.2.1", n - 1);
		for (uint32_t i = 0; i < n; i++) /* the other way round */
			some[i] = specific_last[n - 1 - i];
		set_rules(some);
		fixture_build(&f);
		check_rule("192.0.2.1", 0);
	}
}
END_TEST

START_TEST(first_of_equally_specific_rules_wins_across_matchers)
{
	SET_RULES("city:JP/Osaka", "city:osaka", "sub:Osaka Prefecture", "sub:27");
	fixture_build(&f);
	check_rule("192.0.2.1", 0);
	SET_RULES("city:Osaka", "city:JP/Osaka");
	fixture_build(&f);
	check_rule("192.0.2.1", 0);
	SET_RULES("sub:osaka prefecture", "sub:27");
	fixture_build(&f);
	check_rule("192.0.2.1", 0);
	SET_RULES("sub:27", "sub:osaka prefecture");
	fixture_build(&f);
	check_rule("192.0.2.1", 0);
}
END_TEST

START_TEST(field_that_no_record_has_is_refused)
{
	char *text;

	(void)fixture_add_database(&f, DATA("traits.mmdb"));
	f.config.fields = (const struct config_field[]){ { "is_anonymus", "true" },
							 { "is_anonymous", "true" } };
	f.config.field_count = 2;
	fixture_build(&f);
	ck_assert_ptr_null(f.geo.base);
	text = fixture_mistakes(&f);
	ck_assert_msg(strstr(text, "has the field \"is_anonymus\"") != NULL, "%s", text);
	free(text);
}
END_TEST

/* --- fences and avoids --------------------------------------------------------------------- */

static void check_numbers(const char *what, uint64_t offset, uint32_t count, const char *expected)
{
	char text[64] = "";

	for (uint32_t i = 0; i < count; i++)
		(void)sprintf(text + strlen(text), "%u ", image_at(&f.geo, uint32_t, offset)[i]);
	ck_assert_msg(strcmp(text, expected) == 0, "%s: %s", what, text);
}

static void check_holds(const char *address, uint32_t pool, const char *fences, const char *avoids)
{
	const struct geo_pref *pref = fixture_pref(&f, address, pool);

	check_numbers(address, pref->fences_off, pref->fence_count, fences);
	check_numbers(address, pref->avoids_off, pref->avoid_count, avoids);
}

START_TEST(all_fences_and_avoids_that_match_hold)
{
	const struct config_client c[] = { client("JP"),           client("192.0.2.0/25"),
					   client("192.0.2.0/26"), client("AS64500"),
					   client("EU*"),          client("all") };
	const uint16_t never[] = { TOKYO, FRANKFURT };
	const struct config_fence fences[] = {
		{ .clients = { &c[0], 1, "" }, .never = never, .never_count = 1 },
		{ .clients = { &c[1], 1, "" },
		  .except = { &c[2], 1, "" },
		  .never = never + 1,
		  .never_count = 1 },
		{ .clients = { &c[5], 1, "" }, .except = { &c[4], 1, "" } },
	};
	const struct config_avoid avoids[] = {
		{ .clients = { &c[2], 2, "" } }, /* the /26 and the AS */
		{ .clients = { &c[0], 1, "" } },
	};

	f.pools[1] = f.pools[0]; /* without any: its numbers must not shift the others' */
	f.config.pool_count = 2;
	f.pools[1].fences = fences;
	f.pools[1].fence_count = 3;
	f.pools[1].avoids = avoids;
	f.pools[1].avoid_count = 2;
	f.pools[0].fences = fences + 2;
	f.pools[0].fence_count = 1;
	fixture_build(&f);
	check_holds("192.0.2.1", 0, "0 ", "");
	check_holds("192.0.2.1", 1, "1 3 ", "0 1 ");    /* Japan; the /25 but not in the /26 */
	check_holds("192.0.2.65", 1, "1 2 3 ", "0 1 "); /* the AS avoids */
	check_holds("192.0.2.200", 1, "", "");          /* Europe is excepted from the last */
	check_holds("2001:db8:1::1", 1, "1 3 ", "1 ");
	check_holds("240.0.0.1", 1, "3 ", "");
}
END_TEST

START_TEST(fenced_sites_are_not_named)
{
	const struct config_client c[] = { client("DE"), client("192.0.2.192/26"), client("JP") };
	const uint16_t in_europe[] = { FRANKFURT, LONDON }, newyork[] = { NEWYORK };
	const struct config_fence fences[] = {
		{ .clients = { &c[0], 1, "" }, .never = in_europe, .never_count = 2 },
		{ .clients = { &c[1], 1, "" }, .never = newyork, .never_count = 1 },
		{ .clients = { &c[2], 1, "" }, .never = to_site, .never_count = FIXTURE_SITES },
	};
	const uint16_t listed[] = { FRANKFURT, LONDON, SAOPAULO, NEWYORK },
		       bands[] = { 0, 0, 1, 1 };
	const struct config_client all = client("all");
	const struct config_rule rule = {
		.clients = { &all, 1, "" }, .sites = listed, .bands = bands, .site_count = 4
	};
	const struct geo_pref *pref;
	const uint16_t *sites;

	f.config.preference_depth = 2;
	f.pools[0].fences = fences;
	f.pools[0].fence_count = 3;
	fixture_build(&f);
	pref = fixture_pref(&f, "192.0.2.129", 0); /* two allowed ones, although two are fenced */
	ck_assert_uint_eq(pref->site_count, 2);
	sites = image_at(&f.geo, uint16_t, pref->sites_off);
	ck_assert_uint_eq(sites[0], NEWYORK);
	pref = fixture_pref(&f, "192.0.2.193", 0);
	sites = image_at(&f.geo, uint16_t, pref->sites_off);
	ck_assert_uint_eq(pref->site_count, 2);
	ck_assert_uint_ne(sites[0], NEWYORK);
	ck_assert_uint_ne(sites[1], NEWYORK);
	ck_assert_uint_eq(fixture_pref(&f, "192.0.2.1", 0)->site_count, 0); /* none is left */
	f.pools[0].rules = &rule;
	f.pools[0].rule_count = 1;
	fixture_build(&f);
	pref = fixture_pref(&f, "192.0.2.193", 0);
	ck_assert_uint_eq(pref->site_count, 1);
	ck_assert_uint_eq(image_at(&f.geo, uint16_t, pref->sites_off)[0], SAOPAULO);
	ck_assert_uint_eq(image_at(&f.geo, uint16_t, pref->bands_off)[0], 0); /* no gap */
}
END_TEST

/* --- own networks -------------------------------------------------------------------------- */

START_TEST(own_networks_have_a_policy_of_their_own)
{
	static const struct ip_prefix own[] = {
		{ { { 192, 0, 2, 0 }, IP_V4 }, 25 },
		{ { { 203, 0, 113, 0 }, IP_V4 }, 24 },
	};
	const struct config_client c[] = { client("JP"), client("192.0.2.64/27"), client("all"),
					   client("192.0.0.0/16"), client("192.0.2.0/25") };
	const uint16_t sydney[] = { SYDNEY };
	const struct config_fence fences[] = {
		{ .clients = { &c[0], 1, "" }, .never = sydney, .never_count = 1 },
		{ .clients = { &c[1], 1, "" }, .never = sydney, .never_count = 1 },
	};
	const struct config_avoid avoid = { .clients = { &c[2], 1, "" } };
	const struct geo_pref *pref;

	SET_RULES("JP", "192.0.0.0/16", "192.0.2.96/27", "all");
	f.pools[0].own_policy = POLICY_WEIGHTED;
	f.pools[0].fences = fences;
	f.pools[0].fence_count = 2;
	f.pools[0].avoids = &avoid;
	f.pools[0].avoid_count = 1;
	f.config.own_networks = own;
	f.config.own_network_count = 2;
	fixture_build(&f);
	pref = fixture_pref(&f, "192.0.2.1",
			    0); /* neither the country's rule nor a wider network's */
	ck_assert_uint_eq(pref->rule, GEO_RULE_NONE);
	ck_assert_uint_eq(pref->policy, POLICY_WEIGHTED);
	ck_assert_uint_eq(pref->own, 1);
	ck_assert_uint_eq(pref->site_count, FIXTURE_SITES);
	for (uint16_t i = 0; i < FIXTURE_SITES; i++) {
		ck_assert_uint_eq(image_at(&f.geo, uint16_t, pref->sites_off)[i], i);
		ck_assert_uint_eq(image_at(&f.geo, uint16_t, pref->bands_off)[i], 0);
	}
	check_holds("192.0.2.1", 0, "", "0 "); /* "all" are they, too */
	check_holds("192.0.2.65", 0, "1 ", "0 ");
	ck_assert_uint_eq(fixture_pref(&f, "192.0.2.65", 0)->site_count, FIXTURE_SITES - 1);
	check_rule("192.0.2.97", 2); /* a longer network's rule holds */
	ck_assert_uint_eq(fixture_pref(&f, "192.0.2.97", 0)->own, 1);
	ck_assert_uint_eq(fixture_pref(&f, "192.0.2.97", 0)->policy, POLICY_NEAREST);
	check_rule("192.0.2.129", 1); /* outside */
	ck_assert_uint_eq(fixture_pref(&f, "192.0.2.129", 0)->own, 0);
	check_rule("203.0.113.1", GEO_RULE_NONE);
	check_rule("198.51.100.1", 3);
	SET_RULES("192.0.2.0/25", "own");
	fixture_build(&f);
	check_rule("192.0.2.1", 0); /* a rule for just this network, the first of two */
	check_rule("203.0.113.1", 1);
}
END_TEST

START_TEST(rules_may_have_a_policy_and_no_sites)
{
	const struct geo_pref *pref;

	SET_RULES("JP", "DE");
	rules[0].has_policy = rules[1].has_policy = true;
	rules[0].policy = POLICY_WEIGHTED;
	rules[0].site_count = 0;
	rules[1].policy = POLICY_FAILOVER;
	rules[1].site_count = 0;
	for (int i = 0; i < FIXTURE_SITES; i++)
		f.pool_sites[i].priority = (uint32_t)(i == SYDNEY    ? 1
						      : i == NEWYORK ? 1
								     : 5 + i % 2);
	fixture_build(&f);
	pref = fixture_pref(&f, "192.0.2.1", 0);
	ck_assert_uint_eq(pref->policy, POLICY_WEIGHTED);
	ck_assert_uint_eq(pref->rule, 0);
	ck_assert_uint_eq(pref->site_count, FIXTURE_SITES);
	pref = fixture_pref(&f, "192.0.2.200", 0);
	ck_assert_uint_eq(pref->policy, POLICY_FAILOVER);
	for (uint32_t i = 0; i < FIXTURE_SITES; i++) {
		static const uint16_t sites[] = { SYDNEY,       NEWYORK,   TOKYO,     LONDON,
						  SANFRANCISCO, SINGAPORE, FRANKFURT, SAOPAULO };
		static const uint16_t bands[] = { 0, 0, 1, 1, 1, 2, 2, 2 };

		ck_assert_uint_eq(image_at(&f.geo, uint16_t, pref->sites_off)[i], sites[i]);
		ck_assert_uint_eq(image_at(&f.geo, uint16_t, pref->bands_off)[i], bands[i]);
	}
	ck_assert_uint_eq(fixture_pref(&f, "198.51.100.1", 0)->policy, POLICY_NEAREST);
}
END_TEST

Suite *geo_clients_suite(void)
{
	Suite *suite = suite_create("geo_clients");
	TCase *all = tcase_create("geo_clients");

	tcase_add_checked_fixture(all, open_fixture, close_fixture);
	tcase_set_timeout(all, 120);
	tcase_add_test(all, each_kind_of_client_matches);
	tcase_add_test(all, more_specific_clients_win_whatever_their_order);
	tcase_add_test(all, first_of_equally_specific_rules_wins_across_matchers);
	tcase_add_test(all, field_that_no_record_has_is_refused);
	tcase_add_test(all, all_fences_and_avoids_that_match_hold);
	tcase_add_test(all, fenced_sites_are_not_named);
	tcase_add_test(all, own_networks_have_a_policy_of_their_own);
	tcase_add_test(all, rules_may_have_a_policy_and_no_sites);
	suite_add_tcase(suite, all);
	return suite;
}
