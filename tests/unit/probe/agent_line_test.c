/* The line of agents: the rows are what HAProxy 2.6 was seen to make of the same ones. */
#include <string.h>

#include "probe/agent_line.h"
#include "tests/unit/probe/probe_test.h"

#define NONE 0xffff

struct row {
	const char *line;
	enum agent_health health;
	enum probe_wish wish;
	unsigned weight; /* NONE: none is said */
	const char *description, *mistake;
};

static const struct row rows[] = {
	{ "up 100%\n", AGENT_UP, WISH_NONE, 100, "", "" },
	{ "50%\n", AGENT_UNSAID, WISH_NONE, 50, "", "" },
	{ "drain\n", AGENT_UNSAID, WISH_DRAIN, NONE, "", "" },
	{ "drain 30%\n", AGENT_UNSAID, WISH_DRAIN, 30, "", "" },
	{ "maint\n", AGENT_UNSAID, WISH_MAINT, NONE, "", "" },
	{ "ready up\n", AGENT_UP, WISH_READY, NONE, "", "" },
	{ "down #overloaded\n", AGENT_DOWN, WISH_NONE, NONE, "overloaded", "" },
	{ "down\n", AGENT_DOWN, WISH_NONE, NONE, "", "" },
	{ "fail\n", AGENT_DOWN, WISH_NONE, NONE, "", "" },
	{ "stopped\n", AGENT_DOWN, WISH_NONE, NONE, "", "" },
	{ "failed #x\n", AGENT_UNSAID, WISH_NONE, NONE, "x", "failed" },
	{ "up,80%,ready\n", AGENT_UP, WISH_READY, 80, "", "" },
	{ "up 80% maxconn:30\r\n", AGENT_UP, WISH_NONE, 80, "", "" },
	{ " \t, up 80%\n", AGENT_UP, WISH_NONE, 80, "", "" },
	{ "UP 60%\n", AGENT_UP, WISH_NONE, 60, "", "" },
	{ "up 0%\n", AGENT_UP, WISH_NONE, 0, "", "" },
	{ "up 256%\n", AGENT_UP, WISH_NONE, 256, "", "" },
	{ "up 257%\n", AGENT_UP, WISH_NONE, 256, "", "257%" },
	{ "1000% 50%\n", AGENT_UNSAID, WISH_NONE, 50, "", "1000%" },
	{ "up 12.5%\n", AGENT_UP, WISH_NONE, NONE, "", "12.5%" },
	{ "garbage words\n", AGENT_UNSAID, WISH_NONE, NONE, "", "garbage" },
	{ "\n", AGENT_UNSAID, WISH_NONE, NONE, "", "" },
	{ "up\ndown\n", AGENT_UP, WISH_NONE, NONE, "", "" },
	{ "up down\n", AGENT_DOWN, WISH_NONE, NONE, "", "" },
	{ "down up\n", AGENT_UP, WISH_NONE, NONE, "", "" },
	{ "drain ready maint\n", AGENT_UNSAID, WISH_MAINT, NONE, "", "" },
	{ "10% 20%\n", AGENT_UNSAID, WISH_NONE, 20, "", "" },
	{ "%\n", AGENT_UNSAID, WISH_NONE, NONE, "", "%" },
	{ "-5%\n", AGENT_UNSAID, WISH_NONE, NONE, "", "-5%" },
	{ "5%%\n", AGENT_UNSAID, WISH_NONE, NONE, "", "5%%" },
	{ "99999999999999999999%\n", AGENT_UNSAID, WISH_NONE, 256, "", "99999999999999999999%" },
	{ "down # 90% full, up soon \r\n", AGENT_DOWN, WISH_NONE, NONE, "90% full, up soon", "" },
	{ "down #a\tb\x1b[1m\n", AGENT_DOWN, WISH_NONE, NONE, "a?b?[1m", "" },
};

START_TEST(line_says_on_each_axis_what_haproxy_takes_it_for)
{
	const struct row *row = &rows[_i];
	struct agent_line line;

	ck_assert(agent_line_parse(row->line, strlen(row->line), false, &line));
	ck_assert_int_eq(line.health, row->health);
	ck_assert_int_eq(line.wish, row->wish);
	ck_assert_int_eq(line.has_weight, row->weight != NONE || line.weight_percent == NONE);
	if (row->weight != NONE)
		ck_assert_uint_eq(line.weight_percent, row->weight);
	ck_assert_str_eq(line.description, row->description);
	ck_assert_str_eq(line.mistake, row->mistake);
}
END_TEST

START_TEST(line_without_an_end_is_none_unless_nothing_more_can_come)
{
	static const char *const cut[] = { "", "up", "75%", "down #why" };
	struct agent_line line;

	for (size_t i = 0; i < sizeof(cut) / sizeof(cut[0]); i++)
		ck_assert(!agent_line_parse(cut[i], strlen(cut[i]), false, &line));
	ck_assert(agent_line_parse("75%", 3, true, &line));
	ck_assert_uint_eq(line.weight_percent, 75);
	ck_assert(agent_line_parse("75%\n", 3, true, &line)); /* nothing is read beyond the end */
	ck_assert_uint_eq(line.weight_percent, 75);
}
END_TEST

START_TEST(load_is_a_part_or_a_percentage)
{
	static const struct {
		const char *text;
		bool right;
		double load;
	} loads[] = {
		{ "0.7", true, 0.7 },  { "70%", true, 0.7 },  { "0", true, 0 },
		{ "10", true, 10 },    { "1000%", true, 10 }, { "10.1", false, 0 },
		{ "", false, 0 },      { "%", false, 0 },     { "-1", false, 0 },
		{ "1e1", false, 0 },   { "nan", false, 0 },   { ".", false, 0 },
		{ "1.2.3", false, 0 }, { "0x1", false, 0 },
	};
	struct agent_line line;
	double part;

	for (size_t i = 0; i < sizeof(loads) / sizeof(loads[0]); i++) {
		double load = -1;

		ck_assert_msg(agent_load_parse(loads[i].text, strlen(loads[i].text), &load) ==
				      loads[i].right,
			      "%s", loads[i].text);
		if (loads[i].right)
			ck_assert_double_eq_tol(load, loads[i].load, 1e-9);
	}
	ck_assert(agent_load_parse("0.789", 3, &part)); /* no NUL ends it */
	ck_assert_double_eq_tol(part, 0.7, 1e-9);
	ck_assert(agent_line_parse("up 50% load:0.7\n", 16, false, &line));
	ck_assert(line.has_load && line.has_weight);
	ck_assert_double_eq_tol(line.load, 0.7, 1e-9);
	ck_assert(agent_line_parse("load:x\n", 7, false, &line));
	ck_assert(!line.has_load && !line.says);
	ck_assert_str_eq(line.mistake, "load:x");
}
END_TEST

/* What an agent that says these lines, one after the other, counts as by the last. */
static struct probe_result after(const char *const *lines, char why[PROBE_WHY_SIZE])
{
	struct agent_said said = { 0 };
	struct agent_line line;

	for (; *lines != NULL; lines++) {
		ck_assert(agent_line_parse(*lines, strlen(*lines), true, &line));
		agent_said_take(&said, &line);
	}
	return agent_said_result(&said, &line, why);
}

#define AFTER(...) after((const char *const[]){ __VA_ARGS__, NULL }, why)

START_TEST(what_is_not_said_does_not_change)
{
	char why[PROBE_WHY_SIZE];
	struct probe_result result = AFTER("up 50%", "drain", "up");

	ck_assert_int_eq(result.outcome, PROBE_SUCCESS);
	ck_assert_int_eq(result.wish, WISH_DRAIN); /* only "ready" ends it */
	ck_assert_uint_eq(result.weight_percent, 50);
	ck_assert_str_eq(why, "says up, 50%, drain");
	ck_assert_int_eq(AFTER("drain", "ready").wish, WISH_READY);
	result = AFTER("maint", "up 100%");
	ck_assert_int_eq(result.wish, WISH_MAINT);
	ck_assert_uint_eq(result.weight_percent, 100);
	result = AFTER("down #overloaded", "30%");
	ck_assert_int_eq(result.outcome, PROBE_FAILURE); /* only "up" ends it */
	ck_assert_str_eq(why, "says down: overloaded, 30%");
	ck_assert_int_eq(AFTER("down #overloaded", "30%", "up").outcome, PROBE_SUCCESS);
	ck_assert_str_eq(why, "says up, 30%");
	ck_assert(!AFTER("up").has_weight);
	ck_assert_int_eq(AFTER("up").wish, WISH_NONE);
}
END_TEST

START_TEST(word_that_is_none_calls_for_attention_and_changes_nothing)
{
	char why[PROBE_WHY_SIZE];
	struct probe_result result = AFTER("50%", "up 12.5%");

	ck_assert_int_eq(result.outcome, PROBE_WARNING);
	ck_assert_uint_eq(result.weight_percent, 50);
	ck_assert_str_eq(why, "says up, 50%; \"12.5%\" is no word");
	ck_assert_int_eq(AFTER("down", "x 5%").outcome, PROBE_FAILURE);
	result = AFTER("50%", "1000%");
	ck_assert_int_eq(result.outcome, PROBE_WARNING);
	ck_assert_uint_eq(result.weight_percent, AGENT_PERCENT_MAX);
	ck_assert_str_eq(why, "says up, 256%; \"1000%\" is too much");
	ck_assert_int_eq(AFTER("50%", "1000%", "256%").outcome, PROBE_SUCCESS);
}
END_TEST

START_TEST(load_is_of_its_line_alone)
{
	char why[PROBE_WHY_SIZE];

	ck_assert(AFTER("up load:50%").has_use);
	ck_assert(!AFTER("up load:50%", "up").has_use);
}
END_TEST

void add_agent_line_tests(Suite *suite)
{
	TCase *table = tcase_create("agent line, table");

	tcase_add_loop_test(table, line_says_on_each_axis_what_haproxy_takes_it_for, 0,
			    sizeof(rows) / sizeof(rows[0]));
	suite_add_tcase(suite, table);
	suite_case(suite, "agent line", line_without_an_end_is_none_unless_nothing_more_can_come,
		   load_is_a_part_or_a_percentage, what_is_not_said_does_not_change,
		   word_that_is_none_calls_for_attention_and_changes_nothing,
		   load_is_of_its_line_alone);
}
