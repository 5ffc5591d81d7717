/* What holds, and where it comes from. */
#include "conf/effective.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "conf_test.h"
#include "fixture.h"

#define SERVER                                                 \
	"zones: zones\n"                                       \
	"tcp: { idle: 5s }\n"                                  \
	"user: \"null\"\n"                                     \
	"version: \"quoted \\\"text\\\": # \\u00e9\"\n"        \
	"geoip:\n"                                             \
	"  databases:\n"                                       \
	"    - one.mmdb\n"                                     \
	"    - { path: two.mmdb, fields: { country: a.b } }\n" \
	"own-networks: [192.0.2.0/24, \"2001:db8::/32\"]\n"    \
	"sites:\n"                                             \
	"  tokyo: { location: [35.68, 139.69], bias: -20% }\n" \
	"  oslo: { location: [59.91, 10.75] }\n"               \
	"defaults:\n"                                          \
	"  band: { km: 7 }\n"                                  \
	"  spill: off\n"                                       \
	"  weight: 9\n"                                        \
	"  probes: [ { kind: icmp, interval: 1s } ]\n"

#define POOL                                                                               \
	"pool: edge\n"                                                                     \
	"band: { percent: 3% }\n"                                                          \
	"port: 51820\n"                                                                    \
	"sites:\n"                                                                         \
	"  tokyo:\n"                                                                       \
	"    spill: { high: 80% }\n"                                                       \
	"    nodes:\n"                                                                     \
	"      a: { address: [192.0.2.1, \"2001:db8::1\"], weight: 5 }\n"                  \
	"      b: { address: 192.0.2.2 }\n"                                                \
	"  oslo: { capacity: 3, nodes: { c: { address: 192.0.2.3 } } }\n"                  \
	"rules:\n"                                                                         \
	"  - { clients: [JP, continent:EU, \"2001:db8::/32\"], sites: [[tokyo, oslo]] }\n" \
	"maintenance:\n"                                                                   \
	"  - { from: 2026-12-01T02:00:00Z, until: 2026-12-02T00:00:00Z, node: a,\n"        \
	"      reason: \"new disk: #2\" }\n"

/* What is printed of the files as they are; the caller's. */
static char *shown(const char *pool, const char *node, bool json)
{
	struct diag *diag = diag_new();
	struct arena arena = { 0 };
	struct effective effective;
	struct config config;
	struct err err;
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);

	ck_assert_int_eq(effective_read(&effective, &config, "signpost.yaml", &arena, diag), 0);
	diag_print(diag, stderr);
	ck_assert_uint_eq(diag_errors(diag), 0);
	ck_assert_int_eq(effective_print(&effective, &config, pool, node, json, out, &err), 0);
	ck_assert_int_eq(fclose(out), 0);
	diag_free(diag);
	arena_free(&arena);
	return text;
}

static void write_files(void)
{
	fixture_write("one.mmdb", "", 0);
	fixture_write("two.mmdb", "", 0);
	fixture_write("signpost.yaml", SERVER, strlen(SERVER));
	fixture_write("zones/edge.pool.yaml", POOL, strlen(POOL));
}

/* A line of YAML and, apart, the source in its comment. */
static void assert_line(const char *text, const char *line, const char *source)
{
	size_t len = strlen(line);

	for (const char *at = text; at != NULL; at = strchr(at, '\n')) {
		at += *at == '\n';
		if (strncmp(at, line, len) == 0 && strncmp(at + len, "  ", 2) == 0) {
			at += len + strspn(at + len, " ");
			ck_assert_msg(strncmp(at, "# ", 2) == 0 &&
					      strncmp(at + 2, source, strlen(source)) == 0 &&
					      at[2 + strlen(source)] == '\n',
				      "of %s:\n%.99s", line, at);
			return;
		}
	}
	(void)fputs(text, stderr);
	ck_abort_msg("there is no %s", line);
}

START_TEST(each_value_is_told_with_its_source)
{
	char *text;

	write_files();
	text = shown(NULL, NULL, false);
	assert_line(text, "zones: zones", "signpost.yaml:1:8");
	assert_line(text, "  idle: 5s", "signpost.yaml:2:14");
	assert_line(text, "  lifetime: 30m", "default");
	assert_line(text, "user: \"null\"", "signpost.yaml:3:8");
	assert_line(text, "    - one.mmdb", "signpost.yaml:7:7");
	assert_line(text, "    - path: two.mmdb", "signpost.yaml:8:15");
	assert_line(text, "        country: a.b", "signpost.yaml:8:44");
	assert_line(text, "    bias: -20%", "signpost.yaml:11:45");
	assert_line(text, "own-networks: [192.0.2.0/24, \"2001:db8::/32\"]", "signpost.yaml:9:15");
	free(text);
	text = shown("edge", NULL, false);
	assert_line(text, "  percent: 3%", "zones/edge.pool.yaml:2:18");
	assert_line(text, "  km: 7", "signpost.yaml:14:15");
	assert_line(text, "port: 51820", "zones/edge.pool.yaml:3:7");
	assert_line(text, "spill: off", "signpost.yaml:15:10");
	assert_line(text, "  - kind: icmp", "signpost.yaml:17:21");
	assert_line(text, "    timeout: 1s", "default");
	assert_line(text, "    bias: -20%", "signpost.yaml:11:45");
	assert_line(text, "      high: 80%", "zones/edge.pool.yaml:6:20");
	assert_line(text, "      low: 70%", "default");
	assert_line(text, "    spill: off", "signpost.yaml:15:10"); /* of the other site */
	ck_assert_ptr_null(strstr(text, "\nzones:"));
	free(text);
	text = shown("edge", "b", false);
	assert_line(text, "address: 192.0.2.2", "zones/edge.pool.yaml:9:21");
	assert_line(text, "weight: 9", "signpost.yaml:16:11");
	assert_line(text, "capacity: 9", "default");
	assert_line(text, "port: 51820", "zones/edge.pool.yaml:3:7");
	free(text);
}
END_TEST

/* Without the comments that tell of sources. */
static void cut_sources(char *text)
{
	char *to = text;

	for (char *line = strtok(text, "\n"); line != NULL; line = strtok(NULL, "\n")) {
		char *comment = line;

		for (char *at = line; (at = strstr(at, "# ")) != NULL; at += 2)
			comment = at;
		while (comment > line && comment[-1] == ' ')
			comment--;
		memmove(to, line, (size_t)(comment - line));
		to += comment - line;
		*to++ = '\n';
	}
	*to = '\0';
}

START_TEST(what_is_shown_read_again_is_the_same)
{
	char *text, *again, *pool;

	write_files();
	text = shown(NULL, NULL, false);
	pool = strstr(text, "\n---\n");
	ck_assert_ptr_nonnull(pool);
	fixture_write("signpost.yaml", text, (size_t)(pool + 1 - text));
	fixture_write("zones/edge.pool.yaml", pool + 5, strlen(pool + 5));
	again = shown(NULL, NULL, false);
	ck_assert_ptr_nonnull(strstr(text, "# default\n"));
	ck_assert_ptr_nonnull(strstr(again, "# zones/edge.pool.yaml:"));
	ck_assert_ptr_null(strstr(again, "# default\n"));
	cut_sources(text);
	cut_sources(again);
	ck_assert_str_eq(text, again);
	free(text);
	free(again);
}
END_TEST

START_TEST(as_json_each_value_is_an_object)
{
	char *text;

	write_files();
	text = shown(NULL, NULL, true);
	ck_assert_ptr_nonnull(strstr(text, "\n  { \"pool\": \"edge\", \"site\": \"tokyo\", "
					   "\"node\": \"b\", \"option\": \"weight\", \"value\": 9, "
					   "\"file\": \"signpost.yaml\", \"line\": 16, "
					   "\"column\": 11 }"));
	ck_assert_ptr_nonnull(strstr(text, "\n  { \"pool\": \"edge\", \"site\": \"tokyo\", "
					   "\"option\": \"spill.low\", \"value\": \"70%\", "
					   "\"default\": true }"));
	ck_assert_ptr_nonnull(strstr(text, "\n  { \"pool\": \"edge\", \"option\": "
					   "\"probes[0].interval\", \"value\": \"1s\", "));
	ck_assert_ptr_nonnull(strstr(text, "\n  { \"site\": \"oslo\", \"option\": \"location\", "
					   "\"value\": [\"59.91\", \"10.75\"], "));
	free(text);
}
END_TEST

START_TEST(who_is_not_there_is_not_shown)
{
	struct diag *diag = diag_new();
	struct arena arena = { 0 };
	struct effective effective;
	struct config config;
	struct err err;

	ck_assert_int_eq(effective_read(&effective, &config, "signpost.yaml", &arena, diag), 0);
	ck_assert_int_eq(effective_print(&effective, &config, "egde", NULL, false, stdout, &err),
			 -1);
	ck_assert_str_eq(err.text, "there is no pool \"egde\" (did you mean \"edge\"?)");
	ck_assert_int_eq(effective_print(&effective, &config, "edge", "tyo-2", false, stdout, &err),
			 -1);
	ck_assert_str_eq(err.text, "pool \"edge\" has no node \"tyo-2\" (did you mean \"tyo-1\"?)");
	diag_free(diag);
	arena_free(&arena);
}
END_TEST

Suite *effective_suite(void)
{
	Suite *suite = suite_create("effective");
	TCase *tcase = tcase_create("effective");

	tcase_add_checked_fixture(tcase, fixture_setup, fixture_teardown);
	tcase_add_test(tcase, each_value_is_told_with_its_source);
	tcase_add_test(tcase, what_is_shown_read_again_is_the_same);
	tcase_add_test(tcase, as_json_each_value_is_an_object);
	tcase_add_test(tcase, who_is_not_there_is_not_shown);
	suite_add_tcase(suite, tcase);
	return suite;
}
