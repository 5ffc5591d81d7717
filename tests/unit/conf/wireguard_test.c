/* Probes of kind wireguard, and the files that their options name. */
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "conf_test.h"
#include "fixture.h"
#include "image/probe_wireguard.h"

#define KEY "AQIDBAUGBwgJCgsMDQ4PEBESExQVFhcYGRobHB0eHyA=" /* the octets 1 to 32 */

static struct reading *read_probe(const char *options)
{
	char pool[1000];

	(void)snprintf(pool, sizeof(pool),
		       GOOD_POOL "probes:\n  - kind: wireguard\n    interval: 1s\n%s", options);
	return fixture_read(NULL, pool);
}

static void write_key(const char *file, const char *text, mode_t mode)
{
	fixture_write(file, text, strlen(text));
	ck_assert_int_eq(chmod(file, mode), 0);
}

START_TEST(keys_are_read_and_secret_ones_stay_in_their_files)
{
	const struct wireguard_settings *settings;
	const struct config_probe *probe;
	struct reading *reading;
	char path[4096];

	write_key("zones/own", KEY "\n", 0640);
	write_key("psk", "  " KEY, 0600);
	reading = read_probe("    public-key: " KEY "\n    private-key: file:own\n"
			     "    preshared-key: ../psk\n    attempts: 2\n");
	ck_assert_str_eq(reading->printed, "");
	probe = &reading->config.pools[0].probes[0];
	ck_assert_int_eq(probe->kind, PROBE_WIREGUARD);
	ck_assert_uint_eq(probe->port, 51820);
	ck_assert(probe_settings_valid(PROBE_WIREGUARD, probe->settings, probe->settings_len));
	settings = probe->settings;
	for (int i = 0; i < WIREGUARD_KEY_SIZE; i++)
		ck_assert_int_eq(settings->public_key[i], i + 1);
	ck_assert_uint_eq(settings->attempts, 2);
	(void)snprintf(path, sizeof(path), "%s/zones/own", reading->config.folder);
	ck_assert_str_eq(probe_text(settings, settings->private_key), path);
	(void)snprintf(path, sizeof(path), "%s/psk", reading->config.folder);
	ck_assert_str_eq(probe_text(settings, settings->preshared_key), path);
	ck_assert_uint_eq(reading->config.watched_count, 2);
	fixture_free(reading);
}
END_TEST

START_TEST(another_file_makes_other_settings)
{
	const char *options = "    public-key: file:own\n    private-key: own\n";
	const struct wireguard_settings *one, *same, *other;
	struct reading *first, *second, *third;

	write_key("zones/own", KEY, 0600);
	first = read_probe(options);
	second = read_probe(options);
	write_key("zones/own", KEY "\n", 0600);
	third = read_probe(options);
	one = first->config.pools[0].probes[0].settings;
	same = second->config.pools[0].probes[0].settings;
	other = third->config.pools[0].probes[0].settings;
	ck_assert_uint_eq(one->private_version, same->private_version);
	ck_assert_uint_ne(one->private_version, other->private_version);
	ck_assert_uint_eq(one->preshared_key.offset, 0);
	fixture_free(first);
	fixture_free(second);
	fixture_free(third);
}
END_TEST

/* What is printed has this in it, and no key. */
static void assert_told(const char *options, const char *told)
{
	struct reading *reading = read_probe(options);

	ck_assert_msg(strstr(reading->printed, told) != NULL, "%s", reading->printed);
	ck_assert_msg(strstr(reading->printed, KEY) == NULL, "%s", reading->printed);
	fixture_free(reading);
}

START_TEST(mistakes_of_keys_are_told_at_their_place)
{
	write_key("zones/own", KEY, 0600);
	write_key("zones/short", "AAAA\n", 0600);
	write_key("zones/empty", "", 0600);
	ck_assert_int_eq(mkfifo("zones/pipe", 0600), 0);
	assert_told("    private-key: own\n",
		    "7:5: error: the required option \"public-key\" is missing");
	assert_told("    public-key: AAAA\n    private-key: own\n",
		    "9:17: error: \"AAAA\" is no key of 32 octets in base64");
	assert_told("    public-key: file:short\n    private-key: own\n",
		    "zones/short: holds no key of 32 octets in base64");
	assert_told("    public-key: " KEY "\n    private-key: " KEY "\n",
		    "error: a secret key belongs in a file of its own: name it");
	assert_told(
		"    public-key: " KEY "\n    private-key: none\n",
		"error: this is no path of a file that can be read (No such file or directory)");
	assert_told("    public-key: " KEY "\n    private-key: \"file:\"\n",
		    "error: the path is empty");
	assert_told("    public-key: " KEY "\n    private-key: short\n",
		    "zones/short: holds no key of 32 octets in base64");
	assert_told("    public-key: " KEY "\n    private-key: empty\n", "zones/empty: is empty");
	assert_told("    public-key: " KEY "\n    private-key: .\n",
		    "zones: is not a file of at most 65536 octets");
	assert_told("    public-key: " KEY "\n    private-key: pipe\n",
		    "zones/pipe: is not a file of at most 65536 octets");
	assert_told("    public-key: " KEY "\n    private-key: own\n    attempts: 6\n",
		    "error: 6 is out of range: 1 to 5 initiations");
}
END_TEST

START_TEST(secret_that_others_may_read_is_a_warning)
{
	write_key("zones/own", KEY, 0604);
	assert_told("    public-key: " KEY "\n    private-key: own\n",
		    "zones/own: others than its owner and group may read it");
	assert_told("    public-key: " KEY "\n    private-key: own\n", "warning: ");
}
END_TEST

Suite *wireguard_suite(void)
{
	Suite *suite = suite_create("wireguard");
	TCase *tcase = tcase_create("wireguard");

	tcase_add_checked_fixture(tcase, fixture_setup, fixture_teardown);
	tcase_add_test(tcase, keys_are_read_and_secret_ones_stay_in_their_files);
	tcase_add_test(tcase, another_file_makes_other_settings);
	tcase_add_test(tcase, mistakes_of_keys_are_told_at_their_place);
	tcase_add_test(tcase, secret_that_others_may_read_is_a_warning);
	suite_add_tcase(suite, tcase);
	return suite;
}
