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

#define V4 FAMILY_V4
#define V6 FAMILY_V6

/* A node with a row of checks. */
static const struct {
	enum node_status now;
	uint8_t was_down; /* families */
	uint8_t families;
	uint32_t require;
	/* "A4+": probe A, judging IPv4, up; "-" is down, "?" is pending; "*": judging both */
	const char *votes;
	enum node_status expected;
	uint8_t down;
} nodes[] = {
	/* all probes of one family */
	{ NODE_UNKNOWN, 0, V4, 0, "A4+ B4+", NODE_UP, 0 },
	{ NODE_UP, 0, V4, 0, "A4+ B4-", NODE_DOWN, V4 },
	{ NODE_UP, 0, V4, 0, "A4- B4-", NODE_DOWN, V4 },
	{ NODE_DOWN, V4, V4, 0, "A4+ B4+", NODE_UP, 0 },
	{ NODE_UNKNOWN, 0, V4, 0, "A4+ B4?", NODE_UNKNOWN, 0 },
	{ NODE_UP, 0, V4, 0, "A4+ B4?", NODE_UP, 0 },
	{ NODE_DOWN, V4, V4, 0, "A4? B4?", NODE_DOWN, V4 },
	{ NODE_UP, 0, V4, 0, "A4? B4-", NODE_DOWN, V4 }, /* one that is down is enough */
	{ NODE_DOWN, V4, V4, 0, "", NODE_UNKNOWN, 0 },   /* without checks nothing is known */
	/* families apart */
	{ NODE_UP, 0, V4 | V6, 0, "A4+ A6-", NODE_UP, V6 },
	{ NODE_UP, 0, V4 | V6, 0, "A4- A6+", NODE_UP, V4 },
	{ NODE_UP, V6, V4 | V6, 0, "A4- A6-", NODE_DOWN, V4 | V6 },
	{ NODE_DOWN, V4 | V6, V4 | V6, 0, "A4+ A6-", NODE_UP, V6 },
	{ NODE_UP, V6, V4 | V6, 0, "A4+ A6+", NODE_UP, 0 },
	{ NODE_UP, 0, V4 | V6, 0, "A4+ A4- A6+", NODE_UP, V4 }, /* all addresses of a family */
	{ NODE_UP, 0, V4 | V6, 0, "A4+ A6+ B6-", NODE_UP, V6 },
	/* what judges both, and who is judged by nobody */
	{ NODE_UP, 0, V4 | V6, 0, "A*-", NODE_DOWN, V4 | V6 },
	{ NODE_UP, 0, V4 | V6, 0, "A4+ A6- B*+", NODE_UP, V6 },
	{ NODE_UP, 0, V4 | V6, 0, "A4-", NODE_DOWN, V4 | V6 },
	{ NODE_DOWN, V4 | V6, V4 | V6, 0, "A6+", NODE_UP, 0 },
	{ NODE_UP, 0, V4, 0, "A6-", NODE_UP, 0 }, /* it has no such address */
	/* one family is known, the other is not: that stays as it was */
	{ NODE_UNKNOWN, 0, V4 | V6, 0, "A4+ A6?", NODE_UP, 0 },
	{ NODE_UNKNOWN, 0, V4 | V6, 0, "A4- A6?", NODE_UNKNOWN, V4 },
	{ NODE_DOWN, V4 | V6, V4 | V6, 0, "A4+ A6?", NODE_UP, V6 },
	{ NODE_DOWN, V4, V4 | V6, 0, "A4- A6?", NODE_DOWN, V4 | V6 }, /* IPv6 is new */
	{ NODE_UP, V6, V4 | V6, 0, "A4+ A6?", NODE_UP, V6 },
	{ NODE_UP, V4 | V6, V4, 0, "A4+", NODE_UP, 0 },
	/* some are enough */
	{ NODE_UP, 0, V4, 1, "A4- B4- C4+", NODE_UP, 0 },
	{ NODE_UP, 0, V4, 1, "A4- B4- C4-", NODE_DOWN, V4 },
	{ NODE_UNKNOWN, 0, V4, 1, "A4? B4? C4+", NODE_UP, 0 },
	{ NODE_UP, 0, V4, 1, "A4- B4- C4?", NODE_UP, 0 },
	{ NODE_UP, 0, V4, 2, "A4- B4+ C4+", NODE_UP, 0 },
	{ NODE_UP, 0, V4, 2, "A4- B4- C4+", NODE_DOWN, V4 },
	{ NODE_DOWN, V4, V4, 2, "A4? B4+ C4-", NODE_DOWN, V4 },
	{ NODE_UP, 0, V4 | V6, 2, "A4+ A6- B4+ B6+ C4-", NODE_UP, V6 }, /* of IPv6's two: both */
	{ NODE_UP, 0, V4, 9, "A4+ B4-", NODE_DOWN, V4 },                /* more than there are */
};

static struct verdict_votes read_votes(const char *text, struct verdict_vote list[8])
{
	struct verdict_votes votes = { .list = list };

	for (; *text != '\0'; text += text[3] != '\0' ? 4 : 3) {
		bool near = text[2] > '0' && text[2] <= '9';

		list[votes.count++] = (struct verdict_vote){
			.probe = (uint32_t)text[0],
			.judges = text[1] == '*' ? 0 : (uint8_t)(text[1] - '0'),
			.verdict = near             ? 1
				   : text[2] == '+' ? 3
				   : text[2] == '-' ? -2
						    : 0,
			.within_ms = near ? (uint32_t)(text[2] - '0') * 100 : 0,
		};
	}
	return votes;
}

START_TEST(node_is_what_enough_probes_say_of_each_of_its_families)
{
	struct verdict_vote list[8];
	struct verdict_votes votes = read_votes(nodes[_i].votes, list);
	uint8_t down = nodes[_i].was_down;

	votes.families = nodes[_i].families;
	votes.require = nodes[_i].require;
	ck_assert_int_eq(verdict_node(nodes[_i].now, &votes, &down), nodes[_i].expected);
	ck_assert_uint_eq(down, nodes[_i].down);
}
END_TEST

/* "A43": this check can be down within 300 ms. */
static const struct {
	uint8_t families, down;
	uint32_t require;
	const char *votes;
	uint32_t expected_ms;
} near[] = {
	{ V4, 0, 0, "A4+ B4+", 0 },
	{ V4, 0, 0, "A4+ B43", 300 },
	{ V4, 0, 0, "A45 B43", 300 },
	{ V4, 0, 1, "A45 B4+", 0 }, /* the other one is enough */
	{ V4, 0, 1, "A45 B43", 500 },
	{ V4, 0, 1, "A4- B43", 300 },
	{ V4, 0, 2, "A45 B43 C4+", 500 },
	{ V4, 0, 2, "A45 B43 C4-", 300 },
	{ V4 | V6, 0, 0, "A45 A63", 300 },
	{ V4 | V6, V6, 0, "A45 A6-", 500 },
	{ V4 | V6, V6, 0, "A4+ A6- B63", 0 }, /* that is down already */
	{ V4 | V6, 0, 0, "A*4", 400 },
	{ V4 | V6, 0, 0, "A47", 700 },
};

START_TEST(verdict_is_as_near_as_the_last_check_that_it_takes)
{
	struct verdict_vote list[8];
	struct verdict_votes votes = read_votes(near[_i].votes, list);

	votes.families = near[_i].families;
	votes.require = near[_i].require;
	ck_assert_uint_eq(verdict_soonest_ms(&votes, near[_i].down), near[_i].expected_ms);
}
END_TEST

START_TEST(reason_is_the_check_that_decides)
{
	struct verdict_vote list[8];
	struct verdict_votes votes = read_votes("A4- A6+ B4+ B6- C4+", list);

	votes.families = FAMILIES_ALL;
	ck_assert_uint_eq(verdict_cause(&votes, V6), 3);
	ck_assert_uint_eq(verdict_cause(&votes, V4), 0);
	ck_assert_uint_eq(verdict_cause(&votes, 0), 0); /* down, but not needed */
	votes = read_votes("A4+ B4+", list);
	votes.families = V4;
	ck_assert_uint_eq(verdict_cause(&votes, 0), 2);
	list[1].warned = true;
	ck_assert_uint_eq(verdict_cause(&votes, 0), 1);
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
	tcase_add_loop_test(verdict, node_is_what_enough_probes_say_of_each_of_its_families, 0,
			    sizeof(nodes) / sizeof(nodes[0]));
	tcase_add_loop_test(verdict, verdict_is_as_near_as_the_last_check_that_it_takes, 0,
			    sizeof(near) / sizeof(near[0]));
	tcase_add_test(verdict, reason_is_the_check_that_decides);
	tcase_add_test(verdict, verdict_is_as_near_as_the_failures_that_it_takes);
	tcase_add_test(verdict, every_status_has_its_name);
	suite_add_tcase(suite, verdict);
}
