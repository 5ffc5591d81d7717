/* Probes of kind ikev2. */
#include <stdio.h>
#include <string.h>

#include "conf_test.h"
#include "fixture.h"
#include "image/probe_ikev2.h"

static struct reading *read_probe(const char *options)
{
	char pool[1000];

	(void)snprintf(pool, sizeof(pool), GOOD_POOL "probes:\n  - kind: ikev2\n%s", options);
	return fixture_read(NULL, pool);
}

static const struct good {
	const char *options;
	uint16_t port;
	struct ikev2_settings settings;
} good[] = {
	{ "", 500, { .mode = IKE_LIVENESS, .attempts = 3 } },
	{ "    port: 4500\n    attempts: 1\n", 4500, { .marker = 1, .attempts = 1 } },
	{ "    port: 4500\n    non-esp-marker: false\n", 4500, { .attempts = 3 } },
	{ "    non-esp-marker: true\n    redirect: drain\n",
	  500,
	  { .marker = 1, .redirect = IKE_REDIRECT_DRAINS, .attempts = 3 } },
	{ "    mode: config\n    proposal: aes256-sha256-x25519\n",
	  500,
	  { .mode = IKE_CONFIG,
	    .attempts = 3,
	    .encryption = 12,
	    .key_bits = 256,
	    .integrity = 12,
	    .prf = 5,
	    .group = 31 } },
	{ "    mode: config\n    proposal: aes128gcm16-prfsha384-ecp256\n",
	  500,
	  { .mode = IKE_CONFIG,
	    .attempts = 3,
	    .encryption = 20,
	    .key_bits = 128,
	    .prf = 6,
	    .group = 19 } },
	{ "    mode: config\n    proposal: chacha20poly1305-sha512-modp3072\n",
	  500,
	  { .mode = IKE_CONFIG, .attempts = 3, .encryption = 28, .prf = 7, .group = 15 } },
	{ "    mode: full\n    interval: 15s\n    proposal: 3des-sha1-prfsha256-modp2048\n",
	  500,
	  { .mode = IKE_FULL,
	    .attempts = 3,
	    .encryption = 3,
	    .integrity = 2,
	    .prf = 5,
	    .group = 14 } },
	{ "    mode: config\n    proposal: prfsha512-sha256-aes192-modp4096\n",
	  500,
	  { .mode = IKE_CONFIG,
	    .attempts = 3,
	    .encryption = 12,
	    .key_bits = 192,
	    .integrity = 12,
	    .prf = 7,
	    .group = 16 } },
};

START_TEST(options_make_settings)
{
	const struct good *row = &good[_i];
	struct reading *reading = read_probe(row->options);
	const struct config_probe *probe;

	ck_assert_str_eq(reading->printed, "");
	probe = &reading->config.pools[0].probes[0];
	ck_assert_uint_eq(probe->port, row->port);
	ck_assert_uint_eq(probe->settings_len, sizeof(row->settings));
	ck_assert_mem_eq(probe->settings, &row->settings, sizeof(row->settings));
	fixture_free(reading);
}
END_TEST

static const struct {
	const char *options, *told;
} wrong[] = {
	{ "    mode: config\n", "8:11: error: mode config needs a \"proposal\"" },
	{ "    proposal: aes256-sha256-x25519\n",
	  "8:5: error: mode liveness makes no use of a proposal: config or full does" },
	{ "    mode: full\n    proposal: aes256-sha256-x25519\n",
	  "8:11: error: mode full leaves a half-open state on the server each time: the interval "
	  "must be 15s or more" },
	{ "    mode: full\n    interval: 15s\n    proposal: aes256-sha256-ecp256\n",
	  "10:15: error: in mode full, the group is x25519, modp2048, modp3072 or modp4096" },
	{ "    mode: config\n    proposal: aes265-sha256-x25519\n",
	  "9:15: error: \"aes265\" is no part of a proposal (did you mean \"aes256\"?)" },
	{ "    mode: config\n    proposal: aes256-aes128-sha256-x25519\n",
	  "9:15: error: \"aes128\": the proposal has such a part already" },
	{ "    mode: config\n    proposal: aes256-x25519\n",
	  "9:15: error: the proposal lacks a hash, such as sha256" },
	{ "    mode: config\n    proposal: aes256-prfsha256-x25519\n",
	  "9:15: error: the proposal lacks a hash for integrity, such as sha256" },
	{ "    mode: config\n    proposal: sha256-x25519\n",
	  "9:15: error: the proposal lacks a cipher, such as aes256" },
	{ "    mode: config\n    proposal: aes256-sha256\n",
	  "9:15: error: the proposal lacks a group, such as x25519" },
	{ "    mode: config\n    proposal: aes256-sha256-x25519-\n",
	  "9:15: error: \"\" is no part of a proposal" },
	{ "    mode: lively\n", "8:11: error: \"lively\" is not liveness, config or full" },
};

START_TEST(mistakes_are_told_at_their_place)
{
	struct reading *reading = read_probe(wrong[_i].options);

	ck_assert_msg(strstr(reading->printed, wrong[_i].told) != NULL, "%s", reading->printed);
	fixture_free(reading);
}
END_TEST

Suite *ikev2_suite(void)
{
	Suite *suite = suite_create("ikev2");
	TCase *tcase = tcase_create("ikev2");

	tcase_add_checked_fixture(tcase, fixture_setup, fixture_teardown);
	tcase_add_loop_test(tcase, options_make_settings, 0, (int)(sizeof(good) / sizeof(good[0])));
	tcase_add_loop_test(tcase, mistakes_are_told_at_their_place, 0,
			    (int)(sizeof(wrong) / sizeof(wrong[0])));
	suite_add_tcase(suite, tcase);
	return suite;
}
