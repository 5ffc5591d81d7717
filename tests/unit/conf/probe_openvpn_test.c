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
	{ "tls-auth: none.key", "/none.key: No such file or directory" },
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

Suite *probe_openvpn_suite(void)
{
	Suite *suite = suite_create("probes of kind openvpn");
	TCase *tcase = tcase_create("openvpn");

	tcase_add_checked_fixture(tcase, fixture_setup, fixture_teardown);
	tcase_add_test(tcase, options_become_settings_without_the_key);
	tcase_add_test(tcase, without_a_key_nothing_is_said_of_its_use);
	tcase_add_loop_test(tcase, mistakes_are_told_without_the_key, 0,
			    sizeof(mistakes) / sizeof(mistakes[0]));
	suite_add_tcase(suite, tcase);
	return suite;
}
