#include "probe/exposition.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "tests/unit/probe/probe_test.h"

/* What was told, as a text: "up{a=b} 1; " */
static char told[2048];
static double last;

static void tell(void *context, const struct exposition_sample *sample)
{
	size_t len = strlen(told);

	(void)context;
	len += (size_t)snprintf(told + len, sizeof(told) - len, "%s", sample->name);
	for (size_t i = 0; i < sample->label_count; i++)
		len += (size_t)snprintf(told + len, sizeof(told) - len, "%s%s=%s",
					i == 0 ? "{" : ",", sample->labels[i].name,
					sample->labels[i].value);
	(void)snprintf(told + len, sizeof(told) - len, "%s %g; ",
		       sample->label_count > 0 ? "}" : "", sample->value);
	last = sample->value;
}

/* In parts of this many octets; "": it was read, else what is wrong. */
static const char *read_parts(const char *text, size_t part)
{
	static struct err err;
	struct exposition exposition;
	size_t len = strlen(text);
	int rc = 0;

	told[0] = '\0';
	err.text[0] = '\0';
	exposition_open(&exposition, tell, NULL);
	for (size_t at = 0; rc == 0 && at < len; at += part)
		rc = exposition_feed(&exposition, text + at, len - at < part ? len - at : part,
				     &err);
	if (rc == 0)
		rc = exposition_end(&exposition, &err);
	exposition_close(&exposition);
	ck_assert_int_eq(rc, err.text[0] == '\0' ? 0 : -1);
	return err.text;
}

static const struct {
	const char *text, *told;
} right[] = {
	{ "", "" },
	{ "\n \n\t\n", "" },
	{ "# HELP up Is it up?\n# TYPE up gauge\n#\n# EOF\n", "" },
	{ "up 1\n", "up 1; " },
	{ "  up\t 1 \n", "up 1; " },
	{ "up 1 1395066363000\n", "up 1; " },
	{ "up 1 -5\n", "up 1; " },
	{ "up 1 1395066363.25\n", "up 1; " }, /* OpenMetrics: seconds */
	{ "up{} 1\n", "up 1; " },
	{ "a:b_c9{a=\"1\",b=\"2\"} 3\n", "a:b_c9{a=1,b=2} 3; " },
	{ "up { a = \"1\" , } 2\n", "up{a=1} 2; " },
	{ "up{a=\"}, # \\\"x\\\" \\\\ \"}3\n", "up{a=}, # \"x\" \\ } 3; " },
	{ "up{a=\"\\\\a\\\\\\\\b\"} 1\n", "up{a=\\a\\\\b} 1; " },
	{ "up{a=\"x\\ny\"} 1\n", "up{a=x\ny} 1; " },
	{ "up{a=\"C:\\dir\"} 1\n", "up{a=C:\\dir} 1; " },
	{ "up{a=\"\",b=\"\xc3\xbc\"} 1\n", "up{a=,b=\xc3\xbc} 1; " },
	{ "n_bucket{le=\"+Inf\"} 17 # {trace=\"ab\"} 0.67 1520879607.7\n",
	  "n_bucket{le=+Inf} 17; " },
	{ "n_total 17 1.5 # {trace=\"ab\"} 0.67\n", "n_total 17; " },
	{ "a 1\nb 2\n\nc 3\n", "a 1; b 2; c 3; " },
};

START_TEST(what_exporters_write_is_read_in_parts_of_any_size)
{
	for (size_t i = 0; i < sizeof(right) / sizeof(right[0]); i++) {
		for (size_t part = 1; part < 80; part = part < 4 ? part + 1 : part * 2) {
			ck_assert_msg(read_parts(right[i].text, part)[0] == '\0', "%s: %s",
				      right[i].text, read_parts(right[i].text, part));
			ck_assert_str_eq(told, right[i].told);
		}
	}
}
END_TEST

static const struct {
	const char *text, *wrong;
} wrongs[] = {
	{ "up 1", "line 1: it has no end" },
	{ "up\n", "line 1: a name is followed by neither labels nor a value" },
	{ "a 1\nup \n", "line 2: the value is no number" },
	{ "up one\n", "line 1: the value is no number" },
	{ "up 1 later\n", "line 1: the timestamp is no number" },
	{ "up 1 2 3\n", "line 1: something follows value and timestamp" },
	{ "9up 1\n", "line 1: there is no name of a metric" },
	{ "{a=\"1\"} 1\n", "line 1: there is no name of a metric" },
	{ "u-p 1\n", "line 1: a name is followed by neither labels nor a value" },
	{ "up{a=\"1\" 1\n", "line 1: a label is not followed by a comma or a brace" },
	{ "up{a=\"1\"b=\"2\"} 1\n", "line 1: a label is not followed by a comma or a brace" },
	{ "up{a=1} 1\n", "line 1: the value of a label is not in quotes" },
	{ "up{a} 1\n", "line 1: a label has no value" },
	{ "up{a=\"1} 1\n", "line 1: the value of a label has no end" },
	{ "up{a=\"1\\\n", "line 1: the value of a label has no end" },
	{ "up{,} 1\n", "line 1: a label has no name" },
	{ "up{a:b=\"1\"} 1\n", "line 1: a label has no value" },
	{ "up{a=\"1\",a=\"2\"} 1\n", "line 1: a label is there twice" },
	{ "up{a=\"1\"}\n", "line 1: the value is no number" },
};

START_TEST(a_line_that_is_wrong_is_told)
{
	for (size_t i = 0; i < sizeof(wrongs) / sizeof(wrongs[0]); i++) {
		ck_assert_str_eq(read_parts(wrongs[i].text, 1000), wrongs[i].wrong);
		ck_assert_str_eq(read_parts(wrongs[i].text, 1), wrongs[i].wrong);
	}
}
END_TEST

START_TEST(numbers_are_those_of_go)
{
	static const struct {
		const char *text;
		double value;
	} numbers[] = {
		{ "0", 0 },
		{ "-1.5", -1.5 },
		{ "+3", 3 },
		{ ".5", 0.5 },
		{ "5.", 5 },
		{ "1.795301065e+09", 1795301065 },
		{ "1E3", 1000 },
		{ "0x1p-2", 0.25 },
		{ "0X1.8P1", 3 },
		{ "1e400", INFINITY },
		{ "+Inf", INFINITY },
		{ "-inf", -INFINITY },
		{ "Infinity", INFINITY },
	};
	static const char *const none[] = { "",    "+",    "-",     ".",      "1e",   "e1",
					    "0x1", "0x",   "1_000", "1,5",    " 1",   "1 ",
					    "--1", "nanx", "inf1",  "nan(1)", "+nan", "1.2.3" };
	double value;

	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
		ck_assert_msg(exposition_number(numbers[i].text, &value), "%s", numbers[i].text);
		ck_assert(value == numbers[i].value);
	}
	for (size_t i = 0; i < sizeof(none) / sizeof(none[0]); i++)
		ck_assert_msg(!exposition_number(none[i], &value), "%s", none[i]);
	ck_assert(exposition_number("NaN", &value) && isnan(value));
	ck_assert_str_eq(read_parts("up NaN\n", 100), "");
	ck_assert(isnan(last));
}
END_TEST

START_TEST(lines_and_labels_have_limits)
{
	static char text[2 * EXPOSITION_LINE_MAX];
	size_t len = 0;

	memset(text, ' ', sizeof(text));
	memcpy(text + EXPOSITION_LINE_MAX - 4, "up 1\n", 6);
	ck_assert_str_eq(read_parts(text, 1000), "");
	ck_assert_str_eq(told, "up 1; ");
	memset(text, ' ', sizeof(text));
	memcpy(text + EXPOSITION_LINE_MAX - 3, "up 1\n", 6);
	ck_assert_str_eq(read_parts(text, 1000), "line 1 is longer than 16384 octets");
	len = (size_t)snprintf(text, sizeof(text), "up{");
	for (int i = 0; i <= EXPOSITION_LABELS_MAX; i++)
		len += (size_t)snprintf(text + len, sizeof(text) - len, "l%d=\"\",", i);
	(void)snprintf(text + len, sizeof(text) - len, "} 1\n");
	ck_assert_str_eq(read_parts(text, 1000), "line 1: there are too many labels");
}
END_TEST

START_TEST(a_nul_is_no_text)
{
	struct exposition exposition;
	struct err err;

	exposition_open(&exposition, tell, NULL);
	ck_assert_int_eq(exposition_feed(&exposition, "up 1\0\n", 6, &err), -1);
	ck_assert_str_eq(err.text, "line 1: there is a NUL");
	exposition_close(&exposition);
}
END_TEST

void add_exposition_tests(Suite *suite)
{
	TCase *tcase = tcase_create("exposition");

	tcase_add_test(tcase, what_exporters_write_is_read_in_parts_of_any_size);
	tcase_add_test(tcase, a_line_that_is_wrong_is_told);
	tcase_add_test(tcase, numbers_are_those_of_go);
	tcase_add_test(tcase, lines_and_labels_have_limits);
	tcase_add_test(tcase, a_nul_is_no_text);
	suite_add_tcase(suite, tcase);
}
