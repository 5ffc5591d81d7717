#include <string.h>

#include "probe/verdict.h"
#include "tests/unit/probe/probe_test.h"

/* Results: + success, - failure. Verdicts after each: u up, d down. */
static const struct {
	uint32_t fall, rise;
	const char *results, *verdicts;
} rows[] = {
	{ 3, 2, "+", "u" },                         /* the first result decides at once */
	{ 3, 2, "-", "d" },                         /* either way */
	{ 3, 2, "+--+--+---", "uuuuuuuuud" },       /* only failures in a row count */
	{ 3, 2, "-+-+-++", "ddddddu" },             /* only successes in a row count */
	{ 3, 2, "----------++", "dddddddddddu" },   /* a long outage takes no longer to forget */
	{ 3, 2, "++++++++++---", "uuuuuuuuuuuud" }, /* nor does a long good time */
	{ 3, 2, "+---++---",
	  "uuudduuud"
	  "d" },
	{ 1, 1, "+-+-", "udud" },
	{ 1, 3, "+-++-+++", "uddddddu" },
	{ 5, 1, "-+----+-----", "duuuuuuuuuud" },
};

START_TEST(check_is_down_after_fall_failures_and_up_after_rise_successes)
{
	size_t row = (size_t)_i;
	int32_t verdict = 0;

	for (size_t i = 0; i < strlen(rows[row].results); i++) {
		verdict = verdict_step(verdict, rows[row].results[i] == '+', rows[row].fall,
				       rows[row].rise);
		ck_assert_int_ne(verdict, 0);
		ck_assert_msg((verdict > 0 ? 'u' : 'd') == rows[row].verdicts[i],
			      "row %zu \"%s\": result %zu gave %d", row, rows[row].results, i,
			      verdict);
	}
}
END_TEST

START_TEST(verdict_is_as_near_as_the_failures_that_it_takes)
{
	/* fall 3, each 5 s, timeout 2 s */
	ck_assert_uint_eq(verdict_within_ms(3, 3, 5000, 2000), 0); /* nothing has failed */
	ck_assert_uint_eq(verdict_within_ms(2, 3, 5000, 2000), 12000);
	ck_assert_uint_eq(verdict_within_ms(1, 3, 5000, 2000), 7000);
	ck_assert_uint_eq(verdict_within_ms(-1, 3, 5000, 2000), 0); /* it is down */
	ck_assert_uint_eq(verdict_within_ms(0, 3, 5000, 2000), 0);  /* nothing is known */
	ck_assert_uint_eq(verdict_within_ms(1, 1, 5000, 2000), 0);  /* one failure decides */
	ck_assert_uint_eq(verdict_within_ms(99, 100, 86400000, 86400000), UINT32_MAX);
}
END_TEST

static const struct {
	enum node_status now;
	uint32_t checks, pending, down;
	enum node_status expected;
} nodes[] = {
	{ NODE_UNKNOWN, 2, 0, 0, NODE_UP }, /* all are up */
	{ NODE_UP, 2, 0, 1, NODE_DOWN },    /* one is down */
	{ NODE_UP, 2, 0, 2, NODE_DOWN },
	{ NODE_DOWN, 2, 0, 0, NODE_UP },
	{ NODE_UNKNOWN, 2, 1, 0, NODE_UNKNOWN }, /* not all have a verdict: as it was */
	{ NODE_UP, 2, 1, 0, NODE_UP },
	{ NODE_DOWN, 2, 2, 0, NODE_DOWN },
	{ NODE_UP, 2, 1, 1, NODE_DOWN }, /* one that is down is enough */
	{ NODE_UNKNOWN, 2, 1, 1, NODE_DOWN },
	{ NODE_DOWN, 0, 0, 0, NODE_UNKNOWN }, /* without checks nothing is known */
};

START_TEST(node_is_up_when_all_its_checks_are)
{
	ck_assert_int_eq(
		verdict_node(nodes[_i].now, nodes[_i].checks, nodes[_i].pending, nodes[_i].down),
		nodes[_i].expected);
}
END_TEST

START_TEST(every_status_has_its_name)
{
	ck_assert_str_eq(node_status_name[NODE_UNKNOWN], "unknown");
	ck_assert_str_eq(node_status_name[NODE_UP], "up");
	ck_assert_str_eq(node_status_name[NODE_DOWN], "down");
}
END_TEST

void add_verdict_tests(Suite *suite)
{
	TCase *verdict = tcase_create("verdict");

	tcase_add_loop_test(verdict, check_is_down_after_fall_failures_and_up_after_rise_successes,
			    0, sizeof(rows) / sizeof(rows[0]));
	tcase_add_loop_test(verdict, node_is_up_when_all_its_checks_are, 0,
			    sizeof(nodes) / sizeof(nodes[0]));
	tcase_add_test(verdict, verdict_is_as_near_as_the_failures_that_it_takes);
	tcase_add_test(verdict, every_status_has_its_name);
	suite_add_tcase(suite, verdict);
}
