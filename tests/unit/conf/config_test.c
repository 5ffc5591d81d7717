#include "conf/config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <config.h> /* not conf/config.h */

#include "base/hash.h"
#include "conf/country.h"
#include "conf_test.h"
#include "fixture.h"
#include "tests/unit/run.h"

static struct reading *read_good(const char *server, const char *pool)
{
	struct reading *reading = fixture_read(server, pool);

	ck_assert_str_eq(reading->printed, "");
	ck_assert_int_eq(reading->rc, 0);
	return reading;
}

static void assert_address(const struct ip_address *address, const char *text)
{
	char got[IP_TEXT_SIZE];

	ck_assert_str_eq(ip_format(address, got), text);
}

static void assert_text(const struct settings_text *text, const char *wanted)
{
	ck_assert_uint_eq(text->len, strlen(wanted));
	ck_assert_mem_eq(text->octets, wanted, text->len);
}

START_TEST(what_is_not_written_has_the_manuals_default)
{
	struct reading *reading = read_good(NULL, NULL);
	const struct config *c = &reading->config;
	const struct config_pool *pool = &c->pools[0];
	char *here = getcwd(NULL, 0), host[256];

	ck_assert_uint_eq(c->listen_count, 2);
	assert_address(&c->listen[0].address, "0.0.0.0");
	assert_address(&c->listen[1].address, "::");
	ck_assert_uint_eq(c->listen[0].port, 53);
	ck_assert_uint_eq(c->listen[1].port, 53);
	ck_assert_str_eq(c->zones_dir, "zones");
	ck_assert_str_eq(c->state_dir, "/var/lib/signpost");
	ck_assert_str_eq(c->run_dir, "/run/signpost");
	ck_assert_str_eq(c->user, "signpost");
	ck_assert_str_eq(c->folder, here);
	ck_assert_uint_eq(c->workers, 0);
	ck_assert(c->dns.ecs);
	ck_assert_uint_eq(c->dns.udp_size_max, 1232);
	ck_assert_uint_eq(c->dns.amplification, 0);
	ck_assert(c->dns.cookies);
	ck_assert_uint_eq(c->dns.cookie_secret_count, 0);
	ck_assert_uint_eq(c->dns.tcp_idle_ms, 10000);
	ck_assert_uint_eq(c->dns.tcp_lifetime_ms, 1800000);
	ck_assert_uint_eq(c->dns.tcp_connections, 1000);
	ck_assert_int_eq(gethostname(host, sizeof(host)), 0);
	assert_text(&c->dns.version, "Signpost " PACKAGE_VERSION);
	assert_text(&c->dns.identity, host);
	assert_text(&c->dns.nsid, host);
	ck_assert_int_eq(c->log_level, CONFIG_LOG_INFO);
	ck_assert(!c->log_syslog);
	ck_assert_uint_eq(c->history_days, 90);
	ck_assert_uint_eq(c->minutes_days, 7);
	ck_assert_uint_eq(c->preference_depth, 4);
	ck_assert_uint_eq(c->database_count, 0);
	ck_assert_ptr_null(c->countries_path);
	ck_assert_uint_eq(c->zone_file_count, 1);
	ck_assert_str_eq(c->zone_files[0], "zones/example.net.zone");
	ck_assert_uint_eq(c->pool_count, 1);
	ck_assert_int_eq(pool->policy, POLICY_NEAREST);
	ck_assert_int_eq(pool->persistence, PERSISTENCE_SUBNET);
	ck_assert_int_eq(pool->persistence_without_ecs, PERSISTENCE_NONE);
	ck_assert_uint_eq(pool->persistence_v4, 24);
	ck_assert_uint_eq(pool->persistence_v6, 56);
	ck_assert_int_eq(pool->fallback, FALLBACK_ALL);
	ck_assert(!pool->strict_pair);
	ck_assert_uint_eq(pool->probe_count, 0);
	ck_assert_uint_eq(pool->rule_count, 0);
	ck_assert_uint_eq(pool->sites[0].nodes[0].weight, 100);
	free(here);
	fixture_free(reading);
}
END_TEST

#define SECRET_1 "000102030405060708090a0b0c0d0e0f"
#define SECRET_2 "FFEEDDCCBBAA99887766554433221100"

static void write_secrets(const char *text, size_t size)
{
	fixture_write("secrets", text, size);
	ck_assert_int_eq(chmod("secrets", 0640), 0); /* or there is a warning */
}

START_TEST(secrets_of_cookies_are_read_from_their_file)
{
	static const char text[] = "# two\n\n" SECRET_1 "\n\t " SECRET_2 " # the old one\r\n";
	static const uint8_t first[] = { 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15 };
	struct reading *reading;

	write_secrets(text, sizeof(text) - 1);
	reading = read_good(GOOD_SERVER "cookie-secrets: secrets\n", GOOD_POOL);
	ck_assert_uint_eq(reading->config.dns.cookie_secret_count, 2);
	ck_assert_mem_eq(reading->config.dns.cookie_secrets[0], first, sizeof(first));
	ck_assert_uint_eq(reading->config.dns.cookie_secrets[1][0], 0xff);
	ck_assert_uint_eq(reading->config.dns.cookie_secrets[1][15], 0);
	fixture_free(reading);
}
END_TEST

START_TEST(a_file_without_an_end_of_line_is_a_file)
{
	struct reading *reading;

	write_secrets(SECRET_1, 32);
	reading = read_good(GOOD_SERVER "cookie-secrets: secrets\n", GOOD_POOL);
	ck_assert_uint_eq(reading->config.dns.cookie_secret_count, 1);
	fixture_free(reading);
}
END_TEST

START_TEST(paths_are_told_by_their_shortest_name_and_links_are_not_mistaken)
{
	struct reading *reading;
	char path[4096];

	ck_assert_int_eq(system("mkdir -p far/deep && ln -s far/deep link"), 0);
	reading = read_good(GOOD_SERVER
			    "state: zones/.././/state/\nrun: /../run/none/../x/.\n"
			    "geoip: { databases: [zones//../a.mmdb, link/../b.mmdb] }\n",
			    GOOD_POOL);
	(void)snprintf(path, sizeof(path), "%s/state", reading->config.folder);
	ck_assert_str_eq(reading->config.state_dir, path);
	ck_assert_str_eq(reading->config.run_dir, "/run/none/../x"); /* whatever none will be */
	(void)snprintf(path, sizeof(path), "%s/a.mmdb", reading->config.folder);
	ck_assert_str_eq(reading->config.databases[0].path, path);
	(void)snprintf(path, sizeof(path), "%s/link/../b.mmdb", reading->config.folder);
	ck_assert_str_eq(reading->config.databases[1].path, path);
	fixture_free(reading);
}
END_TEST

START_TEST(folders_of_a_run_are_those_that_links_lead_to)
{
	struct reading *reading;
	char path[4096];

	ck_assert_int_eq(system("mkdir -p far/deep && ln -s far/deep link"), 0);
	reading = read_good(GOOD_SERVER "state: link/../new/state\nrun: link\n", GOOD_POOL);
	(void)snprintf(path, sizeof(path), "%s/far/new/state", reading->config.folder);
	ck_assert_str_eq(reading->config.state_dir, path);
	(void)snprintf(path, sizeof(path), "%s/far/deep", reading->config.folder);
	ck_assert_str_eq(reading->config.run_dir, path);
	fixture_free(reading);
}
END_TEST

START_TEST(all_that_is_written_is_read)
{
	struct reading *reading;

	fixture_write("c.tsv", "", 0);
	reading = read_good(
		"listen: [127.0.0.1:5300, \"[::1]:5300\", \"::1\"]\n"
		"zones: ./zones/\nstate: state\nrun: /tmp/run\nuser: nobody\nworkers: 3\necs: false\n"
		"udp-size: 4096\nlog: { level: debug, target: syslog }\nhistory: 48h\n"
		"history-minutes: 72h\n"
		"preference-depth: 16\n"
		"amplification: 3\ncookies: false\nversion: off\nidentity: \"ns1 in Tokyo\"\n"
		"nsid: 0x00fF\ntcp: { idle: 100ms, lifetime: 1d, connections: 1 }\n"
		"geoip:\n  databases:\n    - a.mmdb\n"
		"    - { path: /b.mmdb, fields: { country: x.y, latitude: loc.lat } }\n"
		"  countries: c.tsv\n"
		"sites:\n  a: { location: [-90, 180.0] }\n  b: { location: [+1.5, -.5] }\n",
		"pool: other\npolicy: failover\npersistence: { v6: 48 }\n"
		"persistence-without-ecs: subnet\nfallback: [192.0.2.1, \"2001:db8::1\"]\n"
		"strict-pair: true\nport: 53\nalpn: [h2, dot]\n"
		"probes:\n"
		"  - { kind: tcp, port: 65535, family: ipv6, interval: 1m, timeout: 1500ms, fall: 1, "
		"rise: 100, jitter: 0 }\n"
		"  - { kind: icmp, interval: 500ms }\n"
		"sites:\n"
		"  b: { nodes: { n1: { address: \"2001:db8::9\", weight: 0 } } }\n"
		"  a: { nodes: { n2: { address: [192.0.2.9, \"2001:db8::a\"], port: 65535, host: "
		"N2.Example.Net }, n3: { address: 192.0.2.8 } } }\n");
	const struct config *c = &reading->config;
	const struct config_pool *pool = &c->pools[0];
	char path[4096];

	ck_assert_uint_eq(c->listen_count, 3);
	ck_assert_uint_eq(c->listen[1].port, 5300);
	ck_assert_uint_eq(c->listen[2].port, 53);
	(void)snprintf(path, sizeof(path), "%s/state", c->folder);
	ck_assert_str_eq(c->state_dir, path);
	ck_assert_str_eq(c->run_dir, "/tmp/run");
	ck_assert_str_eq(c->user, "nobody");
	ck_assert_uint_eq(c->workers, 3);
	ck_assert(!c->dns.ecs);
	ck_assert_uint_eq(c->dns.udp_size_max, 4096);
	ck_assert_uint_eq(c->dns.amplification, 3);
	ck_assert(!c->dns.cookies);
	ck_assert_uint_eq(c->dns.tcp_idle_ms, 100);
	ck_assert_uint_eq(c->dns.tcp_lifetime_ms, 86400000);
	ck_assert_uint_eq(c->dns.tcp_connections, 1);
	ck_assert_uint_eq(c->dns.version.len, 0);
	assert_text(&c->dns.identity, "ns1 in Tokyo");
	ck_assert_uint_eq(c->dns.nsid.len, 2);
	ck_assert_mem_eq(c->dns.nsid.octets, "\0\377", 2);
	ck_assert_int_eq(c->log_level, CONFIG_LOG_DEBUG);
	ck_assert(c->log_syslog);
	ck_assert_uint_eq(c->history_days, 2);
	ck_assert_uint_eq(c->minutes_days, 3);
	ck_assert_uint_eq(c->preference_depth, 16);
	ck_assert_uint_eq(c->database_count, 2);
	(void)snprintf(path, sizeof(path), "%s/a.mmdb", c->folder);
	ck_assert_str_eq(c->databases[0].path, path);
	ck_assert_ptr_null(c->databases[0].fields.country);
	ck_assert_uint_eq(c->databases[0].place.line, 21);
	ck_assert_str_eq(c->databases[1].path, "/b.mmdb");
	ck_assert_str_eq(c->databases[1].fields.country, "x.y");
	ck_assert_str_eq(c->databases[1].fields.latitude, "loc.lat");
	(void)snprintf(path, sizeof(path), "%s/c.tsv", c->folder);
	ck_assert_str_eq(c->countries_path, path);
	ck_assert(c->sites[0].latitude == -90 && c->sites[0].longitude == 180);
	ck_assert(c->sites[1].latitude == 1.5 && c->sites[1].longitude == -0.5);

	ck_assert_str_eq(pool->name, "other");
	ck_assert_int_eq(pool->policy, POLICY_FAILOVER);
	ck_assert_int_eq(pool->persistence, PERSISTENCE_SUBNET);
	ck_assert_uint_eq(pool->persistence_v4, 24);
	ck_assert_uint_eq(pool->persistence_v6, 48);
	ck_assert_int_eq(pool->persistence_without_ecs, PERSISTENCE_SUBNET);
	ck_assert_int_eq(pool->fallback, FALLBACK_ADDRESSES);
	ck_assert_uint_eq(pool->fallback_address_count, 2);
	assert_address(&pool->fallback_addresses[1], "2001:db8::1");
	ck_assert(pool->strict_pair);
	ck_assert_uint_eq(pool->probe_count, 2);
	ck_assert_int_eq(pool->probes[0].kind, PROBE_TCP);
	ck_assert_uint_eq(pool->probes[0].family, IP_V6);
	ck_assert_uint_eq(pool->probes[0].port, 65535);
	ck_assert_uint_eq(pool->probes[0].interval_ms, 60000);
	ck_assert_uint_eq(pool->probes[0].timeout_ms, 1500);
	ck_assert_uint_eq(pool->probes[0].fall, 1);
	ck_assert_uint_eq(pool->probes[0].rise, 100);
	ck_assert_uint_eq(pool->probes[0].jitter_percent, 0);
	ck_assert_int_eq(pool->probes[1].kind, PROBE_ICMP);
	ck_assert_uint_eq(pool->probes[1].family, 0);
	ck_assert_uint_eq(pool->probes[1].timeout_ms, 500); /* not longer than the interval */
	ck_assert_uint_eq(pool->probes[1].fall, 3);
	ck_assert_uint_eq(pool->probes[1].rise, 2);
	ck_assert_uint_eq(pool->probes[1].jitter_percent, 10);
	ck_assert_uint_eq(pool->site_count, 2);
	ck_assert_uint_eq(pool->sites[0].site, 1);
	ck_assert_uint_eq(pool->sites[1].site, 0);
	ck_assert_uint_eq(pool->sites[0].nodes[0].weight, 0);
	ck_assert_uint_eq(pool->sites[1].node_count, 2);
	ck_assert_str_eq(pool->sites[1].nodes[1].name, "n3");
	assert_address(&pool->sites[1].nodes[0].addresses[1], "2001:db8::a");
	ck_assert_uint_eq(pool->sites[1].nodes[0].port, 65535);
	ck_assert_uint_eq(pool->sites[1].nodes[1].port, 53);
	ck_assert_uint_eq(pool->sites[1].nodes[0].host->len, 16);
	ck_assert_mem_eq(pool->sites[1].nodes[0].host->wire, "\2n2\7example\3net", 16);
	ck_assert_ptr_null(pool->sites[1].nodes[1].host);
	ck_assert_uint_eq(pool->alpn_len, 7);
	ck_assert_mem_eq(pool->alpn, "\2h2\3dot", 7);
	fixture_free(reading);
}
END_TEST

START_TEST(norway_is_a_country_and_not_false)
{
	struct reading *reading = read_good(
		NULL, GOOD_POOL
		"rules:\n"
		"  - clients: [NO, AS, AS4134, continent:AS, 192.0.2.0/24, 198.51.100.7]\n"
		"    sites: tokyo\n"
		"  - clients: \"2001:db8::/32\"\n"
		"    sites: [tokyo]\n");
	const struct config_pool *pool = &reading->config.pools[0];
	const struct config_client *clients = pool->rules[0].clients.list;

	ck_assert_uint_eq(pool->rule_count, 2);
	ck_assert_uint_eq(pool->rules[0].clients.count, 6);
	ck_assert_str_eq(pool->rules[0].clients.text,
			 "[NO, AS, AS4134, continent:AS, 192.0.2.0/24, 198.51.100.7]");
	ck_assert_int_eq(clients[0].kind, MATCH_COUNTRY);
	ck_assert_int_eq(memcmp(clients[0].code, "NO", 2), 0);
	ck_assert_int_eq(clients[1].kind, MATCH_COUNTRY); /* American Samoa */
	ck_assert_int_eq(clients[2].kind, MATCH_ASN);
	ck_assert_uint_eq(clients[2].asn, 4134);
	ck_assert_int_eq(clients[3].kind, MATCH_CONTINENT);
	ck_assert_int_eq(clients[4].kind, MATCH_PREFIX);
	ck_assert_uint_eq(clients[4].prefix.len, 24);
	ck_assert_uint_eq(clients[5].prefix.len, 32);
	ck_assert_uint_eq(clients[5].place.line, 7);
	ck_assert_uint_eq(clients[5].place.column, 59);
	ck_assert_uint_eq(pool->rules[1].clients.list[0].prefix.len, 32);
	ck_assert_uint_eq(pool->rules[1].sites[0], 0);
	fixture_free(reading);
}
END_TEST

START_TEST(all_mistakes_of_all_files_are_told_at_once)
{
	struct reading *reading;
	static const char second[] =
		"pool: edge\nsites: { oslo: { nodes: { a: { address: x } } } }\n";

	fixture_write("zones/z.pool.yaml", second, sizeof(second) - 1);
	reading = fixture_read(GOOD_SERVER "ecs: 1\nworkers: -3\n", GOOD_POOL "policy: x\n");
	ck_assert_uint_eq(diag_errors(reading->diag), 5);
	ck_assert_ptr_nonnull(strstr(reading->printed, "signpost.yaml:6:6: error: "));
	ck_assert_ptr_nonnull(strstr(reading->printed, "signpost.yaml:7:10: error: "));
	ck_assert_ptr_nonnull(strstr(reading->printed, "zones/edge.pool.yaml:6:9: error: "));
	ck_assert_ptr_nonnull(strstr(reading->printed,
				     "zones/z.pool.yaml:1:7: error: pool \"edge\" is already "
				     "defined in zones/edge.pool.yaml\n"));
	ck_assert_ptr_nonnull(strstr(reading->printed, "zones/z.pool.yaml:2:41: error: "));
	fixture_free(reading);
}
END_TEST

START_TEST(pools_are_numbered_by_file_name)
{
	struct reading *reading;
	static const char b[] =
		"pool: aaa\nsites: { oslo: { nodes: { a: { address: 192.0.2.1 } } } }\n";

	fixture_write("zones/zz.pool.yaml", b, sizeof(b) - 1);
	fixture_write("zones/.hidden.pool.yaml", b, sizeof(b) - 1);
	fixture_write("zones/b.zone", "", 0);
	fixture_write("zones/b.zone~", "", 0);
	reading = read_good(NULL, NULL);
	ck_assert_uint_eq(reading->config.pool_count, 2);
	ck_assert_str_eq(reading->config.pools[0].name, "edge");
	ck_assert_str_eq(reading->config.pools[1].name, "aaa");
	ck_assert_uint_eq(reading->config.zone_file_count, 2);
	ck_assert_str_eq(reading->config.zone_files[0], "zones/b.zone");
	fixture_free(reading);
}
END_TEST

START_TEST(the_countries_table_beside_the_server_file_is_found)
{
	struct reading *reading;
	char path[4096];

	ck_assert_int_eq(mkdir("geoip", 0777), 0);
	fixture_write("geoip/countries.tsv", "", 0);
	reading = read_good(NULL, NULL);
	(void)snprintf(path, sizeof(path), "%s/geoip/countries.tsv", reading->config.folder);
	ck_assert_str_eq(reading->config.countries_path, path);
	fixture_free(reading);
}
END_TEST

START_TEST(messages_name_files_as_the_server_file_was_given)
{
	struct arena arena = { 0 };
	struct diag *diag = diag_new();
	struct config config;

	ck_assert_int_eq(chdir("zones"), 0);
	ck_assert_int_eq(config_read(&config, "../signpost.yaml", false, &arena, diag), 0);
	ck_assert_str_eq(config.pools[0].file, "../zones/edge.pool.yaml");
	fixture_write("flat.yaml", "zones: .\n", 9);
	ck_assert_int_eq(config_read(&config, "flat.yaml", false, &arena, diag), 0);
	ck_assert_str_eq(config.pools[0].file, "edge.pool.yaml");
	ck_assert_int_eq(chdir(".."), 0);
	ck_assert_int_eq(config_read(&config, "zones/flat.yaml", false, &arena, diag), 0);
	ck_assert_str_eq(config.pools[0].file, "zones/edge.pool.yaml");
	diag_free(diag);
	arena_free(&arena);
}
END_TEST

START_TEST(a_server_file_that_is_not_there_is_one_mistake)
{
	struct reading *reading;

	ck_assert_int_eq(unlink("signpost.yaml"), 0);
	reading = fixture_read(NULL, NULL);
	ck_assert_int_eq(reading->rc, -1);
	ck_assert_str_eq(reading->printed,
			 "signpost.yaml: error: cannot be read: No such file or directory\n");
	fixture_free(reading);
}
END_TEST

START_TEST(folders_and_fifos_are_no_files)
{
	struct reading *reading;

	ck_assert_int_eq(unlink("zones/edge.pool.yaml"), 0);
	ck_assert_int_eq(mkfifo("zones/edge.pool.yaml", 0600), 0);
	ck_assert_int_eq(mkdir("zones/x.pool.yaml", 0700), 0);
	reading = fixture_read(NULL, NULL);
	ck_assert_str_eq(reading->printed,
			 "zones/edge.pool.yaml: error: cannot be read: it is not a file\n"
			 "zones/x.pool.yaml: error: cannot be read: it is not a file\n");
	fixture_free(reading);
}
END_TEST

START_TEST(a_file_of_more_than_64_mib_is_refused_unread)
{
	struct reading *reading;

	ck_assert_int_eq(truncate("zones/edge.pool.yaml", (64 << 20) + 1), 0);
	reading = fixture_read(NULL, NULL);
	ck_assert_str_eq(reading->printed, "zones/edge.pool.yaml: error: is larger than 64 MiB\n");
	fixture_free(reading);
}
END_TEST

/* Shapes that a YAML parser might take its time over, beside plain randomness. */
static const char *const garbage[] = { NULL, "%",   "[",   "{a: ", "- ",   "- - \n", "[],", "? ",
				       "'",  "&a ", "a: ", "%\n",  "\t\n", "\"\\\n", "!",   "*a " };

START_TEST(ten_megabytes_of_garbage_are_refused)
{
	size_t size = 10 << 20;
	char *text = mem_alloc(size);
	struct reading *reading;
	uint64_t start_us, took_us;

	for (size_t i = 0; i < size; i++)
		text[i] = garbage[_i] != NULL ? garbage[_i][i % strlen(garbage[_i])]
					      : (char)hash_word(i);
	fixture_write("zones/edge.pool.yaml", text, size);
	start_us = cpu_us();
	reading = fixture_read(NULL, NULL);
	took_us = cpu_us() - start_us;
	check_time("10 MB of garbage as a pool", took_us, 1000000);
	ck_assert_uint_ge(diag_errors(reading->diag), 1);
	ck_assert_uint_le(diag_errors(reading->diag), 5);
	ck_assert_uint_lt(strlen(reading->printed), 4000);
	fixture_free(reading);
	free(text);
}
END_TEST

START_TEST(what_a_start_needs_can_be_read_from_an_open_descriptor)
{
	struct arena arena = { 0 };
	struct diag *diag = diag_new();
	struct config config;
	FILE *file = fopen("signpost.yaml", "r");

	ck_assert_ptr_nonnull(file);
	ck_assert_int_eq(unlink("signpost.yaml"), 0);
	ck_assert_int_eq(
		config_read_fd(&config, fileno(file), "/etc/x/signpost.yaml", true, &arena, diag),
		0);
	ck_assert_uint_eq(diag_errors(diag), 0);
	ck_assert_str_eq(config.folder, "/etc/x");
	ck_assert_str_eq(config.path, "/etc/x/signpost.yaml");
	ck_assert_uint_gt(config.listen_count, 0);
	ck_assert_uint_eq(config.site_count, 0); /* a start needs none */
	ck_assert_int_eq(fclose(file), 0);
	diag_free(diag);
	arena_free(&arena);
}
END_TEST

START_TEST(each_option_has_a_manual_line_of_seven_fields)
{
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);
	unsigned lines = 0;

	config_print_options(out);
	ck_assert_int_eq(fclose(out), 0);
	for (char *line = strtok(text, "\n"); line != NULL; line = strtok(NULL, "\n"), lines++) {
		unsigned tabs = 0;

		for (const char *p = line; *p != '\0'; p++) {
			tabs += *p == '\t';
			ck_assert_msg(*p != '\t' || (p[1] != '\t' && p[1] != '\0'),
				      "an empty field: %s", line);
		}
		ck_assert_uint_eq(tabs, 6);
	}
	ck_assert_uint_gt(lines, 45);
	free(text);
}
END_TEST

START_TEST(country_codes_are_those_of_the_time_zone_database)
{
	FILE *table = fopen("/usr/share/zoneinfo/iso3166.tab", "r");
	char line[256];
	unsigned count = 0, known = 0;

	if (table == NULL)
		return; /* the tzdata package is not on this machine */
	while (fgets(line, sizeof(line), table) != NULL) {
		if (line[0] == '#')
			continue;
		ck_assert_msg(country_is_known(line), "%s", line);
		count++;
	}
	(void)fclose(table);
	for (char a = 'A'; a <= 'Z'; a++) {
		for (char b = 'A'; b <= 'Z'; b++)
			known += country_is_known((char[]){ a, b });
	}
	ck_assert_uint_eq(known, count + 1); /* Kosovo's XK is user-assigned */
}
END_TEST

Suite *config_suite(void)
{
	Suite *suite = suite_create("config");
	TCase *tcase = tcase_create("config");

	tcase_set_timeout(tcase, 60);
	tcase_add_checked_fixture(tcase, fixture_setup, fixture_teardown);
	tcase_add_test(tcase, what_is_not_written_has_the_manuals_default);
	tcase_add_test(tcase, paths_are_told_by_their_shortest_name_and_links_are_not_mistaken);
	tcase_add_test(tcase, folders_of_a_run_are_those_that_links_lead_to);
	tcase_add_test(tcase, all_that_is_written_is_read);
	tcase_add_test(tcase, secrets_of_cookies_are_read_from_their_file);
	tcase_add_test(tcase, a_file_without_an_end_of_line_is_a_file);
	tcase_add_test(tcase, norway_is_a_country_and_not_false);
	tcase_add_test(tcase, all_mistakes_of_all_files_are_told_at_once);
	tcase_add_test(tcase, pools_are_numbered_by_file_name);
	tcase_add_test(tcase, the_countries_table_beside_the_server_file_is_found);
	tcase_add_test(tcase, messages_name_files_as_the_server_file_was_given);
	tcase_add_test(tcase, a_server_file_that_is_not_there_is_one_mistake);
	tcase_add_test(tcase, folders_and_fifos_are_no_files);
	tcase_add_test(tcase, a_file_of_more_than_64_mib_is_refused_unread);
	tcase_add_loop_test(tcase, ten_megabytes_of_garbage_are_refused, 0,
			    (int)(sizeof(garbage) / sizeof(garbage[0])));
	tcase_add_test(tcase, what_a_start_needs_can_be_read_from_an_open_descriptor);
	tcase_add_test(tcase, each_option_has_a_manual_line_of_seven_fields);
	tcase_add_test(tcase, country_codes_are_those_of_the_time_zone_database);
	suite_add_tcase(suite, tcase);
	return suite;
}
