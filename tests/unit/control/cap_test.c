#include "../run.h"
#include "control/cap.h"
#include "control_test.h"

#define NODES 10

static struct cap_node nodes[NODES];

/* Nodes 0, 1, ... went down one second after the other. */
static void take_down(uint32_t count)
{
	for (uint32_t n = 0; n < NODES; n++)
		nodes[n] = (struct cap_node){ .counted = true,
					      .down = n < count,
					      .since_unix_ms = 1000 * (n + 1) };
}

static struct cap judge(uint8_t percent, bool freeze, const struct cap *before)
{
	static const struct cap none;

	return cap_judge(percent, freeze, nodes, NODES, before != NULL ? before : &none);
}

START_TEST(alarm_begins_beyond_the_limit_and_ends_one_node_below_it)
{
	struct cap cap;

	take_down(5);
	cap = judge(50, false, NULL);
	ck_assert(!cap.over);
	ck_assert_uint_eq(cap.limit, 5);
	take_down(6);
	cap = judge(50, false, &cap);
	ck_assert(cap.over);
	ck_assert_uint_eq(cap.since_unix_ms, 6000); /* when the sixth went down */
	ck_assert_uint_eq(cap.held, 0);
	take_down(5);
	cap = judge(50, false, &cap);
	ck_assert(cap.over);
	ck_assert_uint_eq(cap.since_unix_ms, 6000);
	take_down(4);
	cap = judge(50, false, &cap);
	ck_assert(!cap.over);
}
END_TEST

START_TEST(another_limit_is_judged_anew)
{
	struct cap cap;

	take_down(6);
	cap = judge(50, true, NULL);
	ck_assert(cap.over);
	ck_assert(nodes[5].held);
	cap = judge(60, true, &cap); /* that many may be down */
	ck_assert(!cap.over);
	ck_assert_uint_eq(cap.held, 0);
	ck_assert(!nodes[5].held);
	cap = judge(50, false, &cap);
	ck_assert(cap.over);
	ck_assert_uint_eq(cap.since_unix_ms, 6000);
}
END_TEST

START_TEST(freeze_holds_in_those_that_went_down_last)
{
	struct cap cap;

	take_down(8);
	nodes[0].since_unix_ms = 9999; /* the last one */
	cap = judge(30, true, NULL);
	ck_assert_uint_eq(cap.held, 5);
	for (uint32_t n = 0; n < NODES; n++)
		ck_assert_int_eq(nodes[n].held, n == 0 || (n >= 4 && n < 8));
	nodes[1].down = false; /* room for one more: the first that was held */
	cap = judge(30, true, &cap);
	ck_assert(!nodes[4].held);
	ck_assert(nodes[5].held);
	ck_assert_uint_eq(cap.held, 4);
}
END_TEST

START_TEST(nodes_that_operators_took_out_do_not_count)
{
	struct cap cap;

	take_down(4);
	for (uint32_t n = 0; n < 2; n++)
		nodes[n].counted = false;
	cap = judge(50, true, NULL);
	ck_assert_uint_eq(cap.counted, 8);
	ck_assert_uint_eq(cap.down, 2);
	ck_assert(!cap.over);
	ck_assert(!nodes[0].held);
}
END_TEST

START_TEST(with_a_limit_of_none_the_alarm_ends_when_none_is_down)
{
	struct cap cap;

	take_down(1);
	cap = judge(5, true, NULL);
	ck_assert_uint_eq(cap.limit, 0);
	ck_assert(cap.over);
	ck_assert(nodes[0].held);
	take_down(0);
	cap = judge(5, true, &cap);
	ck_assert(!cap.over);
	cap = cap_judge(50, true, nodes, 0, &cap);
	ck_assert(!cap.over);
}
END_TEST

void add_cap_cases(Suite *suite)
{
	suite_case(suite, "cap", alarm_begins_beyond_the_limit_and_ends_one_node_below_it,
		   another_limit_is_judged_anew, freeze_holds_in_those_that_went_down_last,
		   nodes_that_operators_took_out_do_not_count,
		   with_a_limit_of_none_the_alarm_ends_when_none_is_down);
}
