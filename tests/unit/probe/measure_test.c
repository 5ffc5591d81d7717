#include "probe/measure.h"

#include "tests/unit/probe/probe_test.h"

START_TEST(mean_and_largest_are_those_of_what_succeeded)
{
	struct measure measure = { 0 };

	measure_add(&measure, false, 100);
	measure_add(&measure, true, 99999);
	measure_add(&measure, false, 400);
	ck_assert_uint_eq(measure.probes, 3);
	ck_assert_uint_eq(measure.failures, 1);
	ck_assert_uint_eq(measure_rtt_us(&measure), 250);
	ck_assert_uint_eq(measure.rtt_max_us, 400);
}
END_TEST

START_TEST(mean_of_failures_alone_is_none_and_of_quick_ones_is_not)
{
	struct measure failed = { 0 }, quick = { 0 }, long_ones = { 0 };

	measure_add(&failed, true, 100);
	ck_assert_uint_eq(measure_rtt_us(&failed), 0);
	measure_add(&quick, false, 0);
	ck_assert_uint_eq(measure_rtt_us(&quick), 1);
	for (int i = 0; i < 3; i++)
		measure_add(&long_ones, false, UINT32_MAX);
	ck_assert_uint_eq(measure_rtt_us(&long_ones), UINT32_MAX);
}
END_TEST

void add_measure_tests(Suite *suite)
{
	suite_case(suite, "measure", mean_and_largest_are_those_of_what_succeeded,
		   mean_of_failures_alone_is_none_and_of_quick_ones_is_not);
}
