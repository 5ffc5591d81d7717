/* What plugins print: lines of monitoring-plugins 2.3.3, and what others may. */
#include <string.h>

#include "probe/perfdata.h"
#include "tests/unit/probe/probe_test.h"

#define NO_MAX -1

static const struct {
	const char *output, *label;
	bool found;
	double value, max; /* NO_MAX: it has none */
} rows[] = {
	{ "PING OK - Packet loss = 0%, RTA = 0.05 ms|rta=0.049000ms;100.000000;200.000000;0.000000 "
	  "pl=0%;20;50;0;\n",
	  "rta", true, 0.049, NO_MAX },
	{ "PING OK|rta=0.049000ms;100.000000;200.000000;0.000000 pl=7%;20;50;0;\n", "pl", true, 7,
	  100 },
	{ "TCP OK - 0.000 second response time on 127.0.0.1 port "
	  "22|time=0.000095s;;;0.000000;10.000000\n",
	  "time", true, 0.000095, 10 },
	{ "LOAD OK|load1=0.410;15.000;30.000;0; load5=1.5;10;25;0;4 load15=2;5;20;0;\n", "load5",
	  true, 1.5, 4 },
	{ "x | 'a b'=3;;;0;6", "a b", true, 3, 6 },
	{ "x | 'it''s'=3;;;;6", "it's", true, 3, 6 },
	{ "x | 'a=b'=3;;;;6", "a=b", true, 3, 6 },
	{ "x | a=1 a=2", "a", true, 1, NO_MAX },
	{ "x | u=50%", "u", true, 50, 100 },
	{ "x | u=50%;;;;200", "u", true, 50, 200 },
	{ "x | t=-3C;;;-40;60", "t", true, -3, 60 },
	{ "first | a=1\nlong text\nmore | b=2;;;;4\nc=3 d=4", "b", true, 2, 4 },
	{ "first | a=1\nlong text\nmore | b=2;;;;4\nc=3 d=4", "d", true, 4, NO_MAX },
	{ "first\nlong | b=2", "b", true, 2, NO_MAX },
	{ "no bar a=1", "a", false, 0, 0 },
	{ "x | ab=1", "a", false, 0, 0 },
	{ "x | a=1", "ab", false, 0, 0 },
	{ "x | a=U;;;;4", "a", false, 0, 0 },
	{ "x | a=", "a", false, 0, 0 },
	{ "x | a", "a", false, 0, 0 },
	{ "x | a=1.2.3", "a", false, 0, 0 },
	{ "x | a=nan", "a", false, 0, 0 },
	{ "x | 'a", "a", false, 0, 0 },
	{ "x | =1", "a", false, 0, 0 },
	{ "x |", "a", false, 0, 0 },
	{ "", "a", false, 0, 0 },
	{ "x | a=1\nb=2", "b", false, 0, 0 }, /* a line of text */
};

START_TEST(value_is_found_by_its_label)
{
	struct perfdata data = { 0 };
	bool found = perfdata_find(rows[_i].output, rows[_i].label, &data);

	ck_assert_msg(found == rows[_i].found, "%s", rows[_i].output);
	if (!found)
		return;
	ck_assert_double_eq_tol(data.value, rows[_i].value, 1e-9);
	ck_assert_int_eq(data.has_max, rows[_i].max >= 0);
	if (data.has_max)
		ck_assert_double_eq_tol(data.max, rows[_i].max, 1e-9);
}
END_TEST

START_TEST(line_for_people_is_one_and_printable)
{
	static const struct {
		const char *output, *line;
	} lines[] = { { "TCP OK - fine |time=1\n", "TCP OK - fine" },
		      { "\n  WARNING \r\nmore", "WARNING" },
		      { "a\x1b[31mb\n", "a?[31mb" },
		      { "|a=1", "" },
		      { "", "" },
		      { "0123456789abcdefghij", "0123456789abcde" } };
	char line[16];

	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
		ck_assert_str_eq(perfdata_line(lines[i].output, line, sizeof(line)), lines[i].line);
}
END_TEST

void add_perfdata_tests(Suite *suite)
{
	TCase *table = tcase_create("perfdata, table");

	tcase_add_loop_test(table, value_is_found_by_its_label, 0, sizeof(rows) / sizeof(rows[0]));
	suite_add_tcase(suite, table);
	suite_case(suite, "perfdata", line_for_people_is_one_and_printable);
}
