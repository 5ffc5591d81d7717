#include "conf/diag.h"

#include <stdlib.h>
#include <string.h>

#include "conf_test.h"

static char *printed(const struct diag *diag)
{
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);

	ck_assert_ptr_nonnull(out);
	diag_print(diag, out);
	ck_assert_int_eq(fclose(out), 0);
	return text;
}

static void add(struct diag *diag, const char *file, unsigned line, unsigned column, unsigned len,
		const char *source, const char *message)
{
	struct place place = { file, line, column, len };

	diag_add(diag, DIAG_ERROR, &place, source, source != NULL ? strlen(source) : 0, "%s",
		 message);
}

static void expect(struct diag *diag, const char *text)
{
	char *got = printed(diag);

	ck_assert_str_eq(got, text);
	free(got);
	diag_free(diag);
}

START_TEST(offending_text_is_underlined_as_the_design_shows)
{
	struct diag *diag = diag_new();

	add(diag, "zones/edge.pool.yaml", 17, 25, 13, "      tyo-2: { address: 203.0.113.300 }",
	    "\"203.0.113.300\" is neither an IPv4 nor an IPv6 address");
	expect(diag, "zones/edge.pool.yaml:17:25: error: \"203.0.113.300\" is neither an IPv4 nor "
		     "an IPv6 address\n"
		     "            tyo-2: { address: 203.0.113.300 }\n"
		     "                              ^~~~~~~~~~~~~\n");
}
END_TEST

START_TEST(tabs_and_wide_text_before_the_mistake_keep_the_caret_in_place)
{
	struct diag *diag = diag_new();

	add(diag, "z", 1, 5, 2, "ab\t\tXY", "tabs");
	add(diag, "z", 2, 4, 2, "\xc3\xa9 XY", "two octets, one column");
	expect(diag, "z:1:5: error: tabs\n"
		     "      ab              XY\n"
		     "                      ^~\n"
		     "z:2:4: error: two octets, one column\n"
		     "      \xc3\xa9 XY\n"
		     "        ^~\n");
}
END_TEST

START_TEST(mistakes_are_printed_by_file_line_and_column)
{
	struct diag *diag = diag_new();
	struct place place = { "a", 2, 1, 0 };

	add(diag, "b", 1, 1, 0, NULL, "fourth");
	add(diag, "a", 2, 7, 0, NULL, "third");
	diag_add(diag, DIAG_WARNING, &place, NULL, 0, "second");
	add(diag, "a", 0, 0, 0, NULL, "first");
	ck_assert_uint_eq(diag_errors(diag), 3);
	ck_assert_uint_eq(diag_warnings(diag), 1);
	expect(diag, "a: error: first\na:2:1: warning: second\na:2:7: error: third\n"
		     "b:1:1: error: fourth\n");
}
END_TEST

START_TEST(control_characters_never_reach_the_terminal)
{
	struct diag *diag = diag_new();
	char *text;

	add(diag, "z", 1, 3, 1, "a\x1b[31m\xff\xc2\x9b", "b\x1b[0m\n\xf8\x88\x80\x80\x80");
	text = printed(diag);
	for (const char *p = text; *p != '\0'; p++)
		ck_assert(((unsigned char)*p >= ' ' && (unsigned char)*p < 0x7f) || *p == '\n');
	free(text);
	diag_free(diag);
}
END_TEST

START_TEST(a_very_long_line_is_cut_around_the_mistake)
{
	struct diag *diag = diag_new();
	char line[5001];
	const char *shown, *under;
	char *text;

	memset(line, 'x', 5000);
	line[5000] = '\0';
	memcpy(line + 2999, "HERE", 4);
	add(diag, "z", 1, 3000, 4, line, "long");
	text = printed(diag);
	ck_assert_uint_lt(strlen(text), 400);
	ck_assert_ptr_nonnull(strstr(text, "xHEREx"));
	shown = strchr(text, '\n') + 1;
	under = strchr(shown, '\n') + 1;
	ck_assert_int_eq(strstr(shown, "HERE") - shown, strchr(under, '^') - under);
	ck_assert_ptr_nonnull(strstr(text, "^~~~\n"));
	free(text);
	diag_free(diag);
}
END_TEST

START_TEST(a_mistake_beyond_the_end_of_its_line_stays_inside)
{
	struct diag *diag = diag_new();

	add(diag, "z", 1, 9, 4, "abc", "beyond");
	expect(diag, "z:1:9: error: beyond\n      abc\n         ^\n");
}
END_TEST

START_TEST(what_was_gathered_apart_is_as_if_added_here)
{
	struct diag *diag = diag_new(), *apart = diag_new();
	const struct place place = { .file = "a" };
	char *text;

	add(diag, "b", 1, 1, 1, "first", "one");
	for (unsigned i = 0; i < DIAG_PER_FILE - 1; i++)
		add(diag, "full", i + 1, 0, 0, NULL, "many");
	add(apart, "b", 1, 1, 1, "first", "two");
	add(apart, "full", 100, 0, 0, NULL, "the last that fits");
	add(apart, "full", 101, 0, 0, NULL, "nobody looked for it");
	for (unsigned i = 0; i < DIAG_PER_FILE + 3; i++)
		diag_add(apart, DIAG_WARNING, &place, NULL, 0, "strange");
	diag_join(diag, apart);
	diag_free(apart);
	ck_assert_uint_eq(diag_errors(diag), 2 + DIAG_PER_FILE);
	ck_assert_uint_eq(diag_warnings(diag), DIAG_PER_FILE + 3);
	ck_assert(diag_file_is_full(diag, "full"));
	text = printed(diag);
	ck_assert_ptr_nonnull(
		strstr(text, "b:1:1: error: one\n      first\n      ^\nb:1:1: error: two"));
	ck_assert_ptr_nonnull(strstr(text, "full:100: error: the last that fits"));
	ck_assert_ptr_null(strstr(text, "nobody looked"));
	ck_assert_ptr_null(strstr(text, "more errors"));
	ck_assert_ptr_nonnull(strstr(text, "a: warning: and 3 more warnings in this file"));
	free(text);
	diag_free(diag);
}
END_TEST

START_TEST(what_is_joined_shows_lines_that_were_not_known_apart_but_no_secret)
{
	static const char text_of_file[] = "one\nkey: hush\nthree\n";
	struct diag *diag = diag_new(), *apart = diag_new();
	const struct place secret = { .file = "c", .line = 2, .column = 6 };
	char *text;

	diag_set_source(diag, "c", text_of_file, strlen(text_of_file));
	add(diag, "c", 2, 1, 0, NULL, "shown at first");
	add(apart, "c", 3, 2, 2, NULL, "not known apart");
	add(apart, "c", 2, 1, 0, NULL, "before");
	diag_add(apart, DIAG_ERROR, &secret, "", 0, "no key");
	add(apart, "c", 2, 1, 0, NULL, "behind");
	diag_join(diag, apart);
	diag_free(apart);
	text = printed(diag);
	ck_assert_ptr_nonnull(strstr(text, "c:3:2: error: not known apart\n      three\n       ^~\n"));
	ck_assert_ptr_nonnull(strstr(text, "c:2:6: error: no key\n"));
	ck_assert_ptr_null(strstr(text, "hush"));
	free(text);
	diag_free(diag);
}
END_TEST

START_TEST(a_file_full_of_mistakes_is_cut_and_the_rest_counted)
{
	struct diag *diag = diag_new();
	char *text;
	unsigned lines = 0;

	for (unsigned i = 1; i <= 50; i++) {
		ck_assert(diag_file_is_full(diag, "z") == (i > DIAG_PER_FILE));
		add(diag, "z", i, 1, 0, NULL, "bad");
	}
	ck_assert_uint_eq(diag_errors(diag), 50);
	ck_assert(!diag_file_is_full(diag, "y"));
	text = printed(diag);
	for (const char *p = text; *p != '\0'; p++)
		lines += *p == '\n';
	ck_assert_uint_eq(lines, DIAG_PER_FILE + 1);
	ck_assert_ptr_nonnull(strstr(text, "z: error: and 30 more errors in this file\n"));
	free(text);
	diag_free(diag);
}
END_TEST

static const char *const names[] = { "fra-1", "fra-2", "interval", "timeout", "sites", "nodes" };

static const struct {
	const char *text, *nearest;
} near[] = {
	{ "fra-3", "fra-1" },
	{ "intervall", "interval" },
	{ "tiemout", "timeout" },
	{ "SITES", "sites" },
	{ "node", "nodes" },
	{ "site", "sites" },
	{ "wireguard", NULL },
	{ "x", NULL },
	{ "", NULL },
	{ "persistence", NULL },
};

START_TEST(did_you_mean_names_the_nearest_or_nothing)
{
	const char *nearest = diag_nearest(near[_i].text, names, sizeof(names) / sizeof(names[0]));

	if (near[_i].nearest == NULL)
		ck_assert_ptr_null(nearest);
	else
		ck_assert_str_eq(nearest, near[_i].nearest);
}
END_TEST

Suite *diag_suite(void)
{
	Suite *suite = suite_create("diag");
	TCase *tcase = tcase_create("diag");

	tcase_add_test(tcase, offending_text_is_underlined_as_the_design_shows);
	tcase_add_test(tcase, tabs_and_wide_text_before_the_mistake_keep_the_caret_in_place);
	tcase_add_test(tcase, mistakes_are_printed_by_file_line_and_column);
	tcase_add_test(tcase, control_characters_never_reach_the_terminal);
	tcase_add_test(tcase, a_very_long_line_is_cut_around_the_mistake);
	tcase_add_test(tcase, a_mistake_beyond_the_end_of_its_line_stays_inside);
	tcase_add_test(tcase, what_was_gathered_apart_is_as_if_added_here);
	tcase_add_test(
		tcase, what_is_joined_shows_lines_that_were_not_known_apart_but_no_secret);
	tcase_add_test(tcase, a_file_full_of_mistakes_is_cut_and_the_rest_counted);
	tcase_add_loop_test(tcase, did_you_mean_names_the_nearest_or_nothing, 0,
			    (int)(sizeof(near) / sizeof(near[0])));
	suite_add_tcase(suite, tcase);
	return suite;
}
