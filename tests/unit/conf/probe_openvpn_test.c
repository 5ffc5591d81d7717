/* Options of probes of kind openvpn, and the files of keys that they name. */
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "conf/config.h"
#include "conf_test.h"
#include "fixture.h"
#include "image/probe_openvpn.h"

#define LINE "000102030405060708090a0b0c0d0e0f\n"
#define FOUR LINE LINE LINE LINE

static const char static_key[] = "-----BEGIN OpenVPN Static key V1-----\n" FOUR FOUR FOUR FOUR
				 "-----END OpenVPN Static key V1-----\n";
static const char short_key[] = "-----BEGIN OpenVPN Static key V1-----\n" FOUR FOUR FOUR
				"-----END OpenVPN Static key V1-----\n";

#define PROBES GOOD_POOL "probes: [ { kind: openvpn, "

static struct reading *read_probe(const char *options)
{
	char pool[1024];

	fixture_write("zones/ta.key", static_key, sizeof(static_key) - 1);
	fixture_write("zones/short.key", short_key, sizeof(short_key) - 1);
	ck_assert_int_eq(chmod("zones/ta.key", 0600), 0);
	ck_assert_int_eq(chmod("zones/short.key", 0600), 0);
	(void)snprintf(pool, sizeof(pool), "%s%s } ]\n", PROBES, options);
	return fixture_read(GOOD_SERVER, pool);
}

START_TEST(options_become_settings_without_the_key)
{
	struct reading *reading = read_probe(
		"tls-auth: file:ta.key, digest: SHA512, key-direction: none");
	const struct config_probe *probe = &reading->config.pools[0].probes[0];
	const struct openvpn_settings *settings = probe->settings;
	const char *path;

	ck_assert_str_eq(reading->printed, "");
	ck_assert_uint_eq(probe->port, 1194);
	ck_assert(probe_settings_valid(PROBE_OPENVPN, settings, probe->settings_len));
	ck_assert_uint_eq(settings->transport, OPENVPN_UDP);
	ck_assert_uint_eq(settings->mode, OPENVPN_TLS_AUTH);
	ck_assert_uint_eq(settings->direction, OPENVPN_DIRECTION_NONE);
	ck_assert_uint_eq(settings->digest, OPENVPN_SHA512);
	ck_assert_uint_ne(settings->key_version, 0);
	path = probe_text(settings, settings->key_file);
	ck_assert_str_eq(strrchr(path, '/'), "/ta.key");
	ck_assert_uint_eq(probe->settings_len, sizeof(*settings) + strlen(path) + 1);
	fixture_free(reading);
}
END_TEST

START_TEST(without_a_key_nothing_is_said_of_its_use)
{
	struct reading *reading = read_probe("transport: tcp, port: 443");
	const struct config_probe *probe = &reading->config.pools[0].probes[0];
	const struct openvpn_settings wanted = { .transport = OPENVPN_TCP, .mode = OPENVPN_PLAIN };

	ck_assert_str_eq(reading->printed, "");
	ck_assert_uint_eq(probe->port, 443);
	ck_assert_uint_eq(probe->settings_len, sizeof(wanted));
	ck_assert_mem_eq(probe->settings, &wanted, sizeof(wanted));
	fixture_free(reading);
}
END_TEST

static const struct {
	const char *options, *says;
} mistakes[] = {
	{ "tls-auth: ta.key, tls-crypt: ta.key",
	  "a server has one of tls-auth, tls-crypt and tls-crypt-v2, and tls-auth is given already" },
	{ "tls-crypt: ta.key, digest: SHA256", "digest is for tls-auth, which is not given" },
	{ "key-direction: 0", "key-direction is for tls-auth, which is not given" },
	{ "tls-auth: ta.key, digest: MD5", "\"MD5\" is not SHA1, SHA256 or SHA512" },
	{ "tls-auth: none.key",
	  "6:38: error: this is no path of a file that can be read (No such file or directory)" },
	{ "tls-crypt: short.key", "/short.key: is no static key of OpenVPN" },
	{ "tls-crypt-v2: ta.key", "/ta.key: is no client key of tls-crypt-v2" },
	{ "transport: sctp", "\"sctp\" is not udp or tcp" },
};

START_TEST(mistakes_are_told_without_the_key)
{
	struct reading *reading = read_probe(mistakes[_i].options);

	ck_assert_ptr_nonnull(strstr(reading->printed, "edge.pool.yaml:6:"));
	ck_assert_msg(strstr(reading->printed, mistakes[_i].says) != NULL, "%s", reading->printed);
	ck_assert_ptr_null(strstr(reading->printed, "00010203"));
	fixture_free(reading);
}
END_TEST

/* --- sources of load --------------------------------------------------------------------------- */

static struct reading *read_source(const char *options)
{
	char pool[1024];

	fixture_write("zones/password", "secret\nnot this\n", 16);
	fixture_write("zones/empty", "\nnot this\n", 10);
	ck_assert_int_eq(chmod("zones/password", 0600), 0);
	ck_assert_int_eq(chmod("zones/empty", 0600), 0);
	(void)snprintf(pool, sizeof(pool), "%sload: { sources: [ { %s } ] }\n", GOOD_POOL, options);
	return fixture_read(GOOD_SERVER, pool);
}

START_TEST(source_by_the_management_interface_is_read_without_its_password)
{
	struct reading *reading = read_source(
		"kind: openvpn-management, port: 2194, capacity: 250, password: password");
	const struct config_probe *probe = &reading->config.pools[0].probes[0];
	const struct openvpn_management_settings *settings = probe->settings;
	const char *path;

	ck_assert_str_eq(reading->printed, "");
	ck_assert_uint_eq(probe->roles, PROBE_LOAD);
	ck_assert_uint_eq(probe->port, 2194);
	ck_assert(probe_settings_valid(PROBE_OPENVPN_MANAGEMENT, settings, probe->settings_len));
	ck_assert_uint_eq(settings->capacity, 250);
	ck_assert_str_eq(probe_text(settings, settings->socket), "");
	path = probe_text(settings, settings->password_file);
	ck_assert_str_eq(strrchr(path, '/'), "/password");
	ck_assert_uint_eq(probe->settings_len, sizeof(*settings) + strlen(path) + 1);
	fixture_free(reading);
}
END_TEST

START_TEST(source_by_a_status_file_is_the_nodes_own)
{
	struct reading *reading = read_source(
		"kind: openvpn-status, path: \"{node}.status\", capacity: 10");
	const struct config_probe *probe = &reading->config.pools[0].probes[0];
	const struct openvpn_status_settings *settings = probe->settings;

	ck_assert_str_eq(reading->printed, "");
	ck_assert(probe->addressless);
	ck_assert(probe_settings_valid(PROBE_OPENVPN_STATUS, settings, probe->settings_len));
	ck_assert(probe_names_node(PROBE_OPENVPN_STATUS, settings));
	ck_assert_uint_eq(settings->max_age_ms, 180000);
	fixture_free(reading);
}
END_TEST

static const struct {
	const char *options, *says;
} source_mistakes[] = {
	{ "kind: openvpn-management, capacity: 1",
	  "an openvpn-management source needs a \"port\" or a \"socket\"\n" },
	{ "kind: openvpn-management, capacity: 1, port: 1, socket: s",
	  "an openvpn-management source needs a \"port\" or a \"socket\", not both" },
	{ "kind: openvpn-management, port: 1", "the required option \"capacity\" is missing" },
	{ "kind: openvpn-management, port: 1, capacity: 0",
	  "0 is out of range: 1 to 10000000 clients" },
	{ "kind: openvpn-management, port: 1, capacity: 1, password: empty",
	  "/empty: its first line is no password of 1 to 127 octets" },
	{ "kind: openvpn-status, capacity: 1", "the required option \"path\" is missing" },
	{ "kind: openvpn-status, capacity: 1, path: p, port: 1",
	  "an openvpn-status probe has no port" },
};

START_TEST(mistakes_in_sources_are_told_without_the_password)
{
	struct reading *reading = read_source(source_mistakes[_i].options);

	ck_assert_msg(strstr(reading->printed, source_mistakes[_i].says) != NULL, "%s",
		      reading->printed);
	ck_assert_ptr_null(strstr(reading->printed, "not this"));
	fixture_free(reading);
}
END_TEST

Suite *probe_openvpn_suite(void)
{
	Suite *suite = suite_create("probes of kind openvpn");
	TCase *tcase = tcase_create("openvpn");

	tcase_add_checked_fixture(tcase, fixture_setup, fixture_teardown);
	tcase_add_test(tcase, options_become_settings_without_the_key);
	tcase_add_test(tcase, without_a_key_nothing_is_said_of_its_use);
	tcase_add_loop_test(tcase, mistakes_are_told_without_the_key, 0,
			    sizeof(mistakes) / sizeof(mistakes[0]));
	tcase_add_test(tcase, source_by_the_management_interface_is_read_without_its_password);
	tcase_add_test(tcase, source_by_a_status_file_is_the_nodes_own);
	tcase_add_loop_test(tcase, mistakes_in_sources_are_told_without_the_password, 0,
			    sizeof(source_mistakes) / sizeof(source_mistakes[0]));
	suite_add_tcase(suite, tcase);
	return suite;
}
