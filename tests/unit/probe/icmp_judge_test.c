#include "probe/icmp_judge.h"

#include "tests/unit/probe/probe_test.h"

static const struct {
	const char *story;
	struct icmp_settings settings;
	struct window_measures measures;
	const char *lost; /* of the last echo */
	enum probe_outcome outcome;
	const char *why;
} rows[] = {
	{ "within all limits",
	  { 10, 50, 20, 100, 50 },
	  { .count = 10, .lost = 2, .mean_us = 50000 },
	  NULL,
	  PROBE_SUCCESS,
	  "2 of 10 echoes lost, mean 50.0 ms" },
	{ "a lost echo within the limit is none of the node's failures",
	  { 10, 50, 0, 0, 0 },
	  { .count = 10, .lost = 5, .mean_us = 1234 },
	  "timeout",
	  PROBE_SUCCESS,
	  "5 of 10 echoes lost, mean 1.2 ms" },
	{ "one more is too much",
	  { 10, 50, 20, 0, 0 },
	  { .count = 10, .lost = 6, .mean_us = 1234 },
	  "timeout",
	  PROBE_FAILURE,
	  "6 of 10 echoes lost, more than 50%" },
	{ "an answer does not help while the window loses too much",
	  { 10, 50, 0, 0, 0 },
	  { .count = 10, .lost = 6, .mean_us = 1234 },
	  NULL,
	  PROBE_FAILURE,
	  "6 of 10 echoes lost, more than 50%" },
	{ "loss degrades before it fails",
	  { 10, 50, 20, 0, 0 },
	  { .count = 10, .lost = 3, .mean_us = 1234 },
	  "timeout",
	  PROBE_WARNING,
	  "3 of 10 echoes lost, more than 20%" },
	{ "slow beyond the limit",
	  { 10, 50, 20, 100, 50 },
	  { .count = 10, .lost = 1, .mean_us = 100001 },
	  NULL,
	  PROBE_FAILURE,
	  "mean of 9 echoes 100.0 ms, more than 100 ms" },
	{ "slow enough to warn",
	  { 10, 0, 0, 100, 50 },
	  { .count = 10, .mean_us = 100000 },
	  NULL,
	  PROBE_WARNING,
	  "mean of 10 echoes 100.0 ms, more than 50 ms" },
	{ "without a limit of loss each lost echo is a failure",
	  { 10, 0, 20, 100, 50 },
	  { .count = 10, .lost = 1, .mean_us = 10 },
	  "timeout",
	  PROBE_FAILURE,
	  "timeout" },
	{ "all lost is more than any limit",
	  { 3, 99, 0, 0, 0 },
	  { .count = 3, .lost = 3 },
	  "timeout",
	  PROBE_FAILURE,
	  "3 of 3 echoes lost, more than 99%" },
};

START_TEST(echoes_are_judged_by_the_limits)
{
	char why[PROBE_WHY_SIZE];

	ck_assert(icmp_has_limits(&rows[_i].settings));
	ck_assert_msg(icmp_judge(&rows[_i].settings, &rows[_i].measures, rows[_i].lost, why) ==
			      rows[_i].outcome,
		      "%s", rows[_i].story);
	ck_assert_str_eq(why, rows[_i].why);
}
END_TEST

START_TEST(window_alone_is_no_limit)
{
	const struct icmp_settings settings = { .window = 10 };

	ck_assert(!icmp_has_limits(&settings));
}
END_TEST

void add_icmp_judge_tests(Suite *suite)
{
	TCase *table = tcase_create("icmp limits");

	tcase_add_loop_test(table, echoes_are_judged_by_the_limits, 0,
			    sizeof(rows) / sizeof(rows[0]));
	suite_add_tcase(suite, table);
	suite_case(suite, "icmp without limits", window_alone_is_no_limit);
}
