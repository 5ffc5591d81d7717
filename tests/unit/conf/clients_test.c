#include "conf/config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "conf_test.h"
#include "fixture.h"
#include "tests/unit/run.h"

#define POOL                                                   \
	"pool: edge\n"                                         \
	"sites:\n"                                             \
	"  tokyo: { nodes: { t1: { address: 192.0.2.1 },\n"    \
	"                    t2: { address: 192.0.2.2 } } }\n" \
	"  oslo: { nodes: { o1: { address: 192.0.2.3 } } }\n"  \
	"  frankfurt: { nodes: { f1: { address: 192.0.2.4 } } }\n"

/* Line 7 is the first behind POOL. */
#define RULE(clients) POOL "rules: [ { clients: " clients ", sites: oslo } ]\n"

enum { TOKYO, FRANKFURT, OSLO }; /* as in GOOD_SERVER */

static void write_text(const char *file, const char *text)
{
	fixture_write(file, text, strlen(text));
}

static struct reading *read_good(const char *server, const char *pool)
{
	struct reading *reading = fixture_read(server, pool);

	ck_assert_str_eq(reading->printed, "");
	return reading;
}

static void assert_prefix(const struct ip_prefix *prefix, const char *text)
{
	char got[IP_PREFIX_SIZE];

	ck_assert_str_eq(ip_prefix_format(prefix, got), text);
}

/* --- clients ---------------------------------------------------------------------------------- */

START_TEST(a_client_is_what_it_looks_like)
{
	struct reading *reading = read_good(
		GOOD_SERVER "own-networks: 10.0.0.0/8\n",
		RULE("[all, unknown, own-networks, city:Berlin, \"city:DE/Frankfurt (Oder)\", "
		     "city:Biel/Bienne, subdivision:US/CA, subdivision:Bayern, "
		     "field:traits.is_anonymous=true, \"field:a.0=b=c d\"]"));
	const struct config *config = &reading->config;
	const struct config_clients *clients = &config->pools[0].rules[0].clients;
	const struct config_client *c = clients->list;

	ck_assert_uint_eq(clients->count, 10);
	ck_assert_int_eq(c[0].kind, MATCH_ALL);
	ck_assert_int_eq(c[1].kind, MATCH_UNKNOWN);
	ck_assert_int_eq(c[2].kind, MATCH_OWN);
	ck_assert_int_eq(c[3].kind, MATCH_CITY);
	ck_assert_str_eq(c[3].name, "Berlin");
	ck_assert_mem_eq(c[3].code, "\0", 2);
	ck_assert_int_eq(c[4].kind, MATCH_CITY);
	ck_assert_str_eq(c[4].name, "Frankfurt (Oder)");
	ck_assert_mem_eq(c[4].code, "DE", 2);
	ck_assert_str_eq(c[5].name, "Biel/Bienne");
	ck_assert_int_eq(c[6].kind, MATCH_SUBDIVISION);
	ck_assert_str_eq(c[6].name, "CA");
	ck_assert_mem_eq(c[6].code, "US", 2);
	ck_assert_str_eq(c[7].name, "Bayern");
	ck_assert_int_eq(c[8].kind, MATCH_FIELD);
	ck_assert_str_eq(config->fields[c[8].number].path, "traits.is_anonymous");
	ck_assert_str_eq(config->fields[c[8].number].value, "true");
	ck_assert_str_eq(config->fields[c[9].number].path, "a.0");
	ck_assert_str_eq(config->fields[c[9].number].value, "b=c d");
	ck_assert_ptr_nonnull(strstr(clients->text, "city:DE/Frankfurt (Oder), city:Biel/Bienne"));
	fixture_free(reading);
}
END_TEST

START_TEST(each_field_and_each_list_is_there_once)
{
	struct reading *reading;

	write_text("zones/office", "192.0.2.0/24\n");
	reading = read_good(
		NULL, POOL
		"rules:\n"
		"  - { clients: [field:a=1, field:a=2, file:office], sites: oslo }\n"
		"geofence:\n"
		"  - { clients: [field:a=2, file:../zones//office], except: field:a=1, never: all }\n"
		"  - { clients: file:./office, never: oslo }\n");
	ck_assert_uint_eq(reading->config.field_count, 2);
	ck_assert_uint_eq(reading->config.pools[0].fences[0].clients.list[0].number, 1);
	ck_assert_uint_eq(reading->config.pools[0].fences[0].except.list[0].number, 0);
	ck_assert_uint_eq(reading->config.pools[0].fences[0].clients.list[1].number, 0);
	ck_assert_uint_eq(reading->config.list_count, 1); /* whatever it is called */
	ck_assert_uint_eq(reading->config.watched_count, 1);
	fixture_free(reading);
}
END_TEST

START_TEST(a_file_of_networks_is_read_with_both_families)
{
	struct reading *reading;
	const struct config_list *list;
	char path[4096];

	ck_assert_int_eq(mkdir("zones/lists", 0777), 0);
	write_text("zones/lists/office.txt", "# ours\n\n192.0.2.0/24\r\n  2001:db8::/32\t# six\n"
					     "198.51.100.7\n2001:db8::7 \n0.0.0.0/0");
	reading = read_good(NULL, RULE("file:lists/office.txt"));
	list = &reading->config.lists[0];
	ck_assert_int_eq(reading->config.pools[0].rules[0].clients.list[0].kind, MATCH_LIST);
	ck_assert_uint_eq(reading->config.pools[0].rules[0].clients.list[0].number, 0);
	(void)snprintf(path, sizeof(path), "%s/zones/lists/office.txt", reading->config.folder);
	ck_assert_str_eq(list->path, path);
	ck_assert_uint_eq(list->prefix_count, 5);
	assert_prefix(&list->prefixes[0], "192.0.2.0/24");
	assert_prefix(&list->prefixes[1], "2001:db8::/32");
	assert_prefix(&list->prefixes[2], "198.51.100.7/32");
	assert_prefix(&list->prefixes[3], "2001:db8::7/128");
	assert_prefix(&list->prefixes[4], "0.0.0.0/0");
	ck_assert_uint_eq(reading->config.watched_count, 1);
	ck_assert_str_eq(reading->config.watched[0], path);
	fixture_free(reading);
}
END_TEST

START_TEST(mistakes_in_a_file_of_networks_have_their_lines_and_an_end)
{
	struct reading *reading;
	FILE *out = fopen("zones/bad", "w");

	ck_assert_ptr_nonnull(out);
	(void)fputs("192.0.2.0/24\n  192.0.2.1/24 # ours\n192.0.2.0/33\n\"2001:db8::\"\n", out);
	for (int i = 0; i < 1000; i++)
		(void)fprintf(out, "192.0.2.0/24\ngarbage %d\n", i);
	ck_assert_int_eq(fclose(out), 0);
	reading = fixture_read(NULL, RULE("file:bad"));
	ck_assert_ptr_nonnull(strstr(reading->printed,
				     "/zones/bad:2:3: error: 192.0.2.1/24 has bits set behind the "
				     "prefix (did you mean \"192.0.2.0/24\"?)\n"
				     "        192.0.2.1/24 # ours\n        ^~~~~~~~~~~~\n"));
	ck_assert_ptr_nonnull(strstr(reading->printed,
				     "/zones/bad:3:1: error: \"192.0.2.0/33\" is neither a network "
				     "(192.0.2.0/24) nor an address\n"));
	ck_assert_ptr_nonnull(strstr(reading->printed, "/zones/bad:4:1: error: "));
	ck_assert_ptr_nonnull(strstr(reading->printed, "/zones/bad:6:1: error: \"garbage 0\""));
	ck_assert_ptr_nonnull(strstr(reading->printed, "and 983 more errors in this file\n"));
	ck_assert_uint_eq(diag_errors(reading->diag), 1003);
	fixture_free(reading);
}
END_TEST

/* A goal: a million networks in a third of a second, on the machine that this was written on. Here
 * is no more asserted than that the time does not grow with the square. */
START_TEST(a_million_networks_are_read_soon)
{
	struct reading *reading;
	FILE *out = fopen("zones/million", "w");
	uint64_t began_us, took_us;

	ck_assert_ptr_nonnull(out);
	for (unsigned i = 0; i < 500000; i++)
		(void)fprintf(out, "%u.%u.%u.0/24\n2001:db8:%x:%x::/64\n", i >> 16, i >> 8 & 255,
			      i & 255, i >> 16, i & 65535);
	ck_assert_int_eq(fclose(out), 0);
	began_us = cpu_us();
	reading = read_good(NULL, RULE("file:million"));
	took_us = cpu_us() - began_us;
	ck_assert_uint_eq(reading->config.lists[0].prefix_count, 1000000);
	assert_prefix(&reading->config.lists[0].prefixes[999999], "2001:db8:7:a11f::/64");
	check_time("a million networks", took_us, 20000000);
	fixture_free(reading);
}
END_TEST

START_TEST(own_networks_are_in_the_server_file_and_in_files)
{
	struct reading *reading;

	write_text("exits", "203.0.113.0/24\n2001:db8::/48\n");
	reading = read_good(GOOD_SERVER "own-networks: [10.0.0.0/8, file:exits, 192.0.2.1]\n",
			    RULE("file:../exits"));
	ck_assert_uint_eq(reading->config.own_network_count, 4);
	assert_prefix(&reading->config.own_networks[0], "10.0.0.0/8");
	assert_prefix(&reading->config.own_networks[1], "203.0.113.0/24");
	assert_prefix(&reading->config.own_networks[2], "2001:db8::/48");
	assert_prefix(&reading->config.own_networks[3], "192.0.2.1/32");
	fixture_free(reading);
}
END_TEST

START_TEST(data_files_of_the_server_file_are_watched_and_found_from_its_folder)
{
	struct reading *reading;
	char path[4096];

	write_text("over", "");
	write_text("res", "");
	write_text("exits", "");
	reading = read_good("own-networks: file:exits\n"
			    "geoip: { databases: [a.mmdb, { path: /b.mmdb }], overrides: over, "
			    "resolvers: ./res }\n" GOOD_SERVER,
			    NULL);
	ck_assert_uint_eq(reading->config.watched_count, 5);
	(void)snprintf(path, sizeof(path), "%s/over", reading->config.folder);
	ck_assert_str_eq(reading->config.overrides_path, path);
	ck_assert_str_eq(reading->config.watched[3], path);
	(void)snprintf(path, sizeof(path), "%s/res", reading->config.folder);
	ck_assert_str_eq(reading->config.resolvers_path, path);
	ck_assert_str_eq(reading->config.watched[2], "/b.mmdb");
	fixture_free(reading);
}
END_TEST

/* --- rules ------------------------------------------------------------------------------------ */

static const struct {
	const char *rule;
	size_t count;
	uint16_t sites[3], bands[3];
	bool has_policy;
	enum policy policy;
} bands[] = {
	{ "sites: [oslo, tokyo, frankfurt]", 3, { OSLO, TOKYO, FRANKFURT }, { 0, 1, 2 }, 0, 0 },
	{ "sites: [[oslo, tokyo], frankfurt]", 3, { OSLO, TOKYO, FRANKFURT }, { 0, 0, 1 }, 0, 0 },
	{ "sites: [oslo, [tokyo, frankfurt]]", 3, { OSLO, TOKYO, FRANKFURT }, { 0, 1, 1 }, 0, 0 },
	{ "sites: [[oslo]]", 1, { OSLO }, { 0 }, 0, 0 },
	{ "sites: oslo", 1, { OSLO }, { 0 }, 0, 0 },
	{ "policy: weighted", 0, { 0 }, { 0 }, true, POLICY_WEIGHTED },
	{ "policy: weighted, sites: [oslo, tokyo]",
	  2,
	  { OSLO, TOKYO },
	  { 0, 0 },
	  true,
	  POLICY_WEIGHTED },
	{ "policy: round-robin, sites: [oslo, tokyo]",
	  2,
	  { OSLO, TOKYO },
	  { 0, 0 },
	  true,
	  POLICY_ROUND_ROBIN },
	{ "policy: weighted, sites: [[oslo], tokyo]",
	  2,
	  { OSLO, TOKYO },
	  { 0, 1 },
	  true,
	  POLICY_WEIGHTED },
	{ "sites: [oslo, tokyo], policy: failover",
	  2,
	  { OSLO, TOKYO },
	  { 0, 1 },
	  true,
	  POLICY_FAILOVER },
};

START_TEST(sites_of_a_rule_are_preferred_one_by_one_or_alike)
{
	char pool[1024];
	struct reading *reading;
	const struct config_rule *rule;

	(void)snprintf(pool, sizeof(pool), POOL "rules: [ { clients: JP, %s } ]\n", bands[_i].rule);
	reading = read_good(NULL, pool);
	rule = &reading->config.pools[0].rules[0];
	ck_assert_uint_eq(rule->site_count, bands[_i].count);
	for (size_t i = 0; i < rule->site_count; i++) {
		ck_assert_uint_eq(rule->sites[i], bands[_i].sites[i]);
		ck_assert_uint_eq(rule->bands[i], bands[_i].bands[i]);
	}
	ck_assert_uint_eq(rule->has_policy, bands[_i].has_policy);
	if (rule->has_policy)
		ck_assert_int_eq(rule->policy, bands[_i].policy);
	fixture_free(reading);
}
END_TEST

START_TEST(sites_listed_in_a_weighted_pool_share_unless_lists_are_nested)
{
	struct reading *reading = read_good(
		NULL, POOL "policy: weighted\n"
			   "rules:\n"
			   "  - { clients: JP, sites: [oslo, tokyo] }\n"
			   "  - { clients: KR, sites: [oslo, [tokyo]] }\n"
			   "  - { clients: CN, sites: [oslo, tokyo], policy: nearest }\n");
	const struct config_rule *rules = reading->config.pools[0].rules;

	ck_assert_uint_eq(rules[0].bands[1], 0);
	ck_assert_uint_eq(rules[1].bands[1], 1);
	ck_assert_uint_eq(rules[2].bands[1], 1);
	fixture_free(reading);
}
END_TEST

/* --- fences ----------------------------------------------------------------------------------- */

START_TEST(a_fence_names_the_sites_that_are_out_or_those_that_are_in)
{
	struct reading *reading;
	const struct config_fence *fences;

	write_text("zones/decoy.pool.yaml",
		   "pool: decoy\nsites: { oslo: { nodes: { d: { address: 192.0.2.9 } } } }\n");
	reading = read_good(NULL, POOL
			    "geofence:\n"
			    "  - { clients: [CN, RU], never: [oslo, tokyo] }\n"
			    "  - { clients: continent:AS, except: [JP, AS7], only: frankfurt,\n"
			    "      otherwise: pool:decoy }\n"
			    "  - { clients: KP, never: all, otherwise: nodata }\n");
	fences = reading->config.pools[1].fences;
	ck_assert_str_eq(reading->config.pools[1].name, "edge");
	ck_assert_uint_eq(reading->config.pools[1].fence_count, 3);
	ck_assert_str_eq(fences[0].clients.text, "[CN, RU]");
	ck_assert_uint_eq(fences[0].except.count, 0);
	ck_assert_uint_eq(fences[0].never_count, 2);
	ck_assert_uint_eq(fences[0].never[0], TOKYO);
	ck_assert_uint_eq(fences[0].never[1], OSLO);
	ck_assert_uint_eq(fences[0].otherwise, PLAN_NONE);
	ck_assert_uint_eq(fences[0].place.line, 8);
	ck_assert_uint_eq(fences[1].except.count, 2);
	ck_assert_uint_eq(fences[1].never_count, 2);
	ck_assert_uint_eq(fences[1].never[1], OSLO);
	ck_assert_uint_eq(fences[1].otherwise, 0);
	ck_assert_uint_eq(fences[2].never_count, 3);
	ck_assert_uint_eq(fences[2].otherwise, PLAN_NONE);
	fixture_free(reading);
}
END_TEST

/* --- avoids ----------------------------------------------------------------------------------- */

START_TEST(an_avoid_is_of_a_site_or_a_node_and_may_end)
{
	struct reading *reading = read_good(
		NULL,
		POOL "avoid:\n"
		     "  - { site: oslo, clients: [CN, AS4134] }\n"
		     "  - { node: t2, clients: RU, until: 2999-01-01T00:00:00Z, reason: blocked "
		     "since May }\n");
	const struct config_avoid *avoids = reading->config.pools[0].avoids;

	ck_assert_uint_eq(reading->config.pools[0].avoid_count, 2);
	ck_assert_uint_eq(avoids[0].site, 1);
	ck_assert_uint_eq(avoids[0].node, PLAN_NONE);
	ck_assert_uint_eq(avoids[0].until_unix_s, 0);
	ck_assert_str_eq(avoids[0].reason, "");
	ck_assert_str_eq(avoids[0].clients.text, "[CN, AS4134]");
	ck_assert_uint_eq(avoids[1].site, 0);
	ck_assert_uint_eq(avoids[1].node, 1);
	ck_assert_uint_eq(avoids[1].until_unix_s, 32472144000);
	ck_assert_str_eq(avoids[1].reason, "blocked since May");
	fixture_free(reading);
}
END_TEST

START_TEST(an_avoid_that_has_ended_is_left_out_and_told)
{
	struct reading *reading = fixture_read(
		NULL, POOL "avoid:\n"
			   "  - { node: t1, clients: RU, until: 2020-01-01T01:00:00+01:00 }\n"
			   "  - { node: t2, clients: RU, until: 2999-01-01T00:00:00Z }\n");

	ck_assert_uint_eq(diag_errors(reading->diag), 0);
	ck_assert_uint_eq(diag_warnings(reading->diag), 1);
	ck_assert_ptr_nonnull(strstr(reading->printed,
				     "zones/edge.pool.yaml:8:37: warning: this ended at "
				     "2020-01-01T00:00:00Z and is left out\n"));
	ck_assert_uint_eq(reading->config.pools[0].avoid_count, 1);
	ck_assert_uint_eq(reading->config.pools[0].avoids[0].node, 1);
	fixture_free(reading);
}
END_TEST

/* 0 seconds is how an avoid without an end is known. */
START_TEST(an_avoid_that_ended_at_the_beginning_of_time_has_ended)
{
	struct reading *reading;

	write_text("zones/then", "t2 RU until=1970-01-01T00:00:00Z\n");
	reading = fixture_read(NULL,
			       POOL "avoid:\n"
				    "  - { node: t1, clients: RU, until: 1970-01-01T00:00:00Z }\n"
				    "  - { file: then }\n");
	ck_assert_uint_eq(diag_errors(reading->diag), 0);
	ck_assert_uint_eq(diag_warnings(reading->diag), 2);
	ck_assert_ptr_nonnull(strstr(reading->printed, "zones/then:1:13: warning: this ended"));
	ck_assert_uint_eq(reading->config.pools[0].avoid_count, 0);
	fixture_free(reading);
}
END_TEST

START_TEST(avoids_stand_in_files_one_a_line)
{
	struct reading *reading;
	const struct config_avoid *avoids;

	ck_assert_int_eq(mkdir("zones/avoid", 0777), 0);
	write_text("zones/avoid/networks", "192.0.2.0/24\n");
	write_text("zones/avoid/now",
		   "# what our people see\n\n"
		   "t1 CN,AS4134,\"city:US/San Francisco\",file:networks  # since May\n"
		   "site:oslo RU until=2999-01-01T00:00:00Z reason=\"blocked, they say #1\"\n"
		   "o1 all until=2020-01-01T00:00:00Z\n");
	reading = fixture_read(NULL, POOL "avoid:\n"
					  "  - { node: f1, clients: IR }\n"
					  "  - file: avoid/now\n");
	avoids = reading->config.pools[0].avoids;
	ck_assert_uint_eq(diag_errors(reading->diag), 0);
	ck_assert_uint_eq(diag_warnings(reading->diag), 1);
	ck_assert_ptr_nonnull(
		strstr(reading->printed, "zones/avoid/now:5:14: warning: this ended"));
	ck_assert_uint_eq(reading->config.pools[0].avoid_count, 3);
	ck_assert_uint_eq(avoids[1].clients.count, 4);
	ck_assert_str_eq(avoids[1].clients.text,
			 "[CN, AS4134, city:US/San Francisco, file:networks]");
	ck_assert_str_eq(avoids[1].clients.list[2].name, "San Francisco");
	ck_assert_int_eq(avoids[1].clients.list[3].kind, MATCH_LIST);
	ck_assert_uint_eq(avoids[1].place.line, 3);
	ck_assert_uint_eq(avoids[2].site, 1);
	ck_assert_uint_eq(avoids[2].node, PLAN_NONE);
	ck_assert_str_eq(avoids[2].reason, "blocked, they say #1");
	ck_assert_uint_eq(reading->config.watched_count, 2);
	fixture_free(reading);
}
END_TEST

START_TEST(lines_that_say_the_same_of_other_clients_are_one_avoid)
{
	struct reading *reading;
	const struct config_avoid *avoids;
	FILE *out = fopen("zones/now", "w");

	ck_assert_ptr_nonnull(out);
	(void)fputs("t2 CN\nt1 CN reason=x\n", out);
	for (int i = 0; i < 1000; i++)
		(void)fprintf(out, "t1 10.0.%d.%d,AS%d\nt2 RU until=2999-01-01T00:00:00Z\n",
			      i / 256, i % 256, i + 1);
	ck_assert_int_eq(fclose(out), 0);
	reading = read_good(NULL, POOL "avoid: [ { node: t1, clients: KP }, { file: now } ]\n");
	avoids = reading->config.pools[0].avoids;
	ck_assert_uint_eq(reading->config.pools[0].avoid_count, 5);
	ck_assert_str_eq(avoids[0].clients.text, "[KP]");
	ck_assert_str_eq(avoids[1].clients.text, "[CN]");
	ck_assert_uint_eq(avoids[1].place.line, 1);
	ck_assert_str_eq(avoids[2].reason, "x");
	ck_assert_uint_eq(avoids[3].place.line, 3);
	ck_assert_uint_eq(avoids[3].node, 0);
	ck_assert_uint_eq(avoids[3].clients.count, 2000);
	ck_assert_uint_eq(avoids[3].clients.list[1999].asn, 1000);
	ck_assert_str_eq(avoids[3].clients.text,
			 "[10.0.0.0, AS1, 10.0.0.1, AS2, 10.0.0.2, AS3, 10.0.0.3, AS4, 10.0.0.4, "
			 "AS5, 10.0.0.5, AS6, 10.0.0.6, AS7, 10.0.0.7, AS8, 10.0.0.8, AS9, "
			 "10.0.0.9, AS10, 10.0.0.10, AS11, and 989 lines more]");
	ck_assert_uint_eq(avoids[4].until_unix_s, 32472144000);
	ck_assert_uint_eq(avoids[4].clients.count, 1000);
	fixture_free(reading);
}
END_TEST

/* --- mistakes --------------------------------------------------------------------------------- */

#define AVOID(text)    POOL "avoid:\n  - file: now\n", text
#define POOL_ROW(pool) pool, NULL

/* The pool file, what is in zones/now, and the one thing that is said. */
static const struct {
	const char *pool, *file, *says;
} mistakes[] = {
	{ POOL_ROW(RULE("[alll]")), "7:22: error: \"alll\" is neither a country (JP), a continent "
				    "(continent:EU), an AS (AS4134), a network (192.0.2.0/24) "
				    "nor another of the forms in signpost-pool(5), Clients "
				    "(did you mean \"all\"?)" },
	{ POOL_ROW(RULE("[citty:Rome]")), "(did you mean \"city:Rome\"?)" },
	{ POOL_ROW(RULE("[contnent:EU]")), "(did you mean \"continent:EU\"?)" },
	{ POOL_ROW(RULE("[own-network]")), "(did you mean \"own-networks\"?)" },
	{ POOL_ROW(RULE("[AS 4134]")), "(did you mean \"AS4134\"?)" },
	{ POOL_ROW(RULE("[as4134]")), "(did you mean \"AS4134\"?)" },
	{ POOL_ROW(RULE("[own-networks]")), "7:22: warning: there are no own-networks in "
					    "signpost.yaml\n" },
	{ POOL_ROW(RULE("[\"city:\"]")), "7:23: error: \"city:\" has no name\n" },
	{ POOL_ROW(RULE("[city:de/Rome]")), "7:22: error: \"de\" is no country code of ISO 3166-1 "
					    "(did you mean \"DE\"?)\n" },
	{ POOL_ROW(RULE("[subdivision:QQ/x]")), "\"QQ\" is no country code of ISO 3166-1\n" },
	{ POOL_ROW(RULE("[field:a.b]")), "7:22: error: \"field:a.b\" has no value: a field is "
					 "written field:PATH=VALUE, such as "
					 "field:traits.is_anonymous=true\n" },
	{ POOL_ROW(RULE("[field:a..b=1]")), "7:22: error: \"a..b\" is no path of a field: " },
	{ POOL_ROW(RULE("[field:=1]")), "\"\" is no path of a field: " },
	{ POOL_ROW(RULE("[field:a.b.c.d.e.f.g.h.i=1]")), "is no path of a field: it has up to 8" },
	{ POOL_ROW(RULE("[file:none]")), "/zones/none: No such file or directory\n" },
	{ POOL_ROW(RULE("[file:.]")), "/zones: it is not a file\n" },
	{ POOL_ROW(RULE("[\"file:\"]")), "7:23: error: \"file:\" names no file\n" },
	{ POOL_ROW(RULE("[city:Rome, city:rome]")), "a rule for city:rome is already given in" },
	{ RULE("[file:now]"), "192.0.2.0\xff\n", "/zones/now:1:10: error: octet 0xff" },
	/* rules */
	{ POOL_ROW(POOL "rules: [ { clients: JP } ]\n"), "7:10: error: a rule needs \"sites\" or a "
							 "\"policy\"\n" },
	{ POOL_ROW(POOL "rules: [ { clients: JP, sites: [] } ]\n"), "an empty list stands where" },
	{ POOL_ROW(POOL "rules: [ { clients: JP, sites: [[]] } ]\n"),
	  "an empty list stands where" },
	{ POOL_ROW(POOL "rules: [ { clients: JP, sites: [oslo, [oslo]] } ]\n"),
	  "7:40: error: site \"oslo\" is listed twice\n" },
	{ POOL_ROW(POOL "rules: [ { clients: JP, sites: [[[oslo]]] } ]\n"),
	  "a list stands where a site or a list of sites belongs\n" },
	{ POOL_ROW(POOL "rules: [ { clients: JP, policy: closest } ]\n"), "\"closest\" is not " },
	/* fences */
	{ POOL_ROW(POOL "geofence: [ { clients: JP } ]\n"),
	  "7:13: error: a fence needs \"never\" or \"only\"\n" },
	{ POOL_ROW(POOL "geofence: [ { clients: JP, never: all, only: oslo } ]\n"),
	  "7:13: error: a fence needs \"never\" or \"only\", not both\n" },
	{ POOL_ROW(POOL "geofence: [ { never: all } ]\n"),
	  "the required option \"clients\" is missing\n" },
	{ POOL_ROW(POOL "geofence: [ { clients: JP, never: [oslo, oslo] } ]\n"),
	  "site \"oslo\" is listed twice\n" },
	{ POOL_ROW(POOL "geofence: [ { clients: JP, only: [oslo, tokyo, frankfurt] } ]\n"),
	  "7:13: warning: this fence keeps nobody out: " },
	{ POOL_ROW(POOL "geofence: [ { clients: JP, never: [all] } ]\n"),
	  "there is no site \"all\" in signpost.yaml\n" },
	{ POOL_ROW(POOL "geofence: [ { clients: JP, never: all, otherwise: decoy } ]\n"),
	  "7:51: error: \"decoy\" is not nodata or pool:NAME\n" },
	{ POOL_ROW(POOL "geofence: [ { clients: JP, never: all, otherwise: pool:decoy } ]\n"),
	  "there is no pool \"decoy\"" },
	{ POOL_ROW(POOL "geofence: { clients: JP }\n"), "a map stands where a list of fences" },
	{ POOL_ROW(POOL "geofence: [ { clients: [JP, JP], never: all } ]\n"),
	  "7:29: error: JP is listed twice\n" },
	/* avoids */
	{ POOL_ROW(POOL "avoid: [ { clients: JP } ]\n"),
	  "7:10: error: an entry needs \"site\" or \"node\"\n" },
	{ POOL_ROW(POOL "avoid: [ { clients: JP, site: oslo, node: t1 } ]\n"), ", not both\n" },
	{ POOL_ROW(POOL "avoid: [ { site: oslo } ]\n"), "option \"clients\" is missing\n" },
	{ POOL_ROW(POOL "avoid: [ { clients: JP, node: t11 } ]\n"),
	  "7:31: error: this pool has no node \"t11\" (did you mean \"t1\"?)\n" },
	{ POOL_ROW(POOL "avoid: [ { clients: JP, node: t1, until: tomorrow } ]\n"),
	  "7:42: error: \"tomorrow\" is not a timestamp such as 2026-12-24T18:00:00Z (RFC 3339)\n" },
	{ POOL_ROW(POOL "avoid: [ { file: now, node: t1 } ]\n"),
	  "7:12: error: an entry with \"file\" has nothing else\n" },
	{ POOL_ROW(POOL "avoid: [ { file: none } ]\n"), "zones/none: No such file or directory\n" },
	{ AVOID("t1\n"), "/zones/now:1:1: error: behind a node, or site:NAME, stand the clients" },
	{ AVOID("t9 JP\n"), "/zones/now:1:1: error: this pool has no node \"t9\" (did you mean " },
	{ AVOID("site:x JP\n"), "/zones/now:1:6: error: there is no site \"x\"" },
	{ AVOID("t1 JP,XX\n"), "/zones/now:1:7: error: \"XX\" is no country code" },
	{ AVOID("t1 JP,,CN\n"), "/zones/now:1:7: error: there is no client here\n" },
	{ AVOID("t1 JP CN\n"), "/zones/now:1:7: error: \"CN\" is neither until=TIMESTAMP nor " },
	{ AVOID("# one\nt1 JP reason=\"it\n"), "/zones/now:2:7: error: these quotes do not end" },
	{ AVOID("t1 JP until=now\n"), "/zones/now:1:13: error: \"now\" is not a timestamp" },
};

START_TEST(each_mistake_is_told_once_with_its_place)
{
	struct reading *reading;

	if (mistakes[_i].file != NULL)
		write_text("zones/now", mistakes[_i].file);
	reading = fixture_read(NULL, mistakes[_i].pool);
	if (strstr(reading->printed, mistakes[_i].says) == NULL ||
	    diag_errors(reading->diag) + diag_warnings(reading->diag) != 1)
		ck_abort_msg("expected alone:\n%s\ngot:\n%s", mistakes[_i].says, reading->printed);
	fixture_free(reading);
}
END_TEST

Suite *clients_suite(void)
{
	Suite *suite = suite_create("clients");
	TCase *tcase = tcase_create("clients");

	tcase_add_checked_fixture(tcase, fixture_setup, fixture_teardown);
	tcase_set_timeout(tcase, 60);
	tcase_add_test(tcase, a_client_is_what_it_looks_like);
	tcase_add_test(tcase, each_field_and_each_list_is_there_once);
	tcase_add_test(tcase, a_file_of_networks_is_read_with_both_families);
	tcase_add_test(tcase, mistakes_in_a_file_of_networks_have_their_lines_and_an_end);
	tcase_add_test(tcase, a_million_networks_are_read_soon);
	tcase_add_test(tcase, own_networks_are_in_the_server_file_and_in_files);
	tcase_add_test(tcase, data_files_of_the_server_file_are_watched_and_found_from_its_folder);
	tcase_add_loop_test(tcase, sites_of_a_rule_are_preferred_one_by_one_or_alike, 0,
			    sizeof(bands) / sizeof(bands[0]));
	tcase_add_test(tcase, sites_listed_in_a_weighted_pool_share_unless_lists_are_nested);
	tcase_add_test(tcase, a_fence_names_the_sites_that_are_out_or_those_that_are_in);
	tcase_add_test(tcase, an_avoid_is_of_a_site_or_a_node_and_may_end);
	tcase_add_test(tcase, an_avoid_that_ended_at_the_beginning_of_time_has_ended);
	tcase_add_test(tcase, an_avoid_that_has_ended_is_left_out_and_told);
	tcase_add_test(tcase, avoids_stand_in_files_one_a_line);
	tcase_add_test(tcase, lines_that_say_the_same_of_other_clients_are_one_avoid);
	tcase_add_loop_test(tcase, each_mistake_is_told_once_with_its_place, 0,
			    sizeof(mistakes) / sizeof(mistakes[0]));
	suite_add_tcase(suite, tcase);
	return suite;
}
