/* How late probes are, of late. */
#include "probe/lateness.h"
#include "tests/unit/probe/probe_test.h"

#define S 1000000ULL

START_TEST(bound_of_a_bucket_is_the_first_of_the_next)
{
	for (unsigned bucket = 0; bucket + 1 < LATE_BUCKETS; bucket++) {
		uint64_t bound = lateness_bound_us(bucket);

		ck_assert_uint_eq(lateness_bucket(bound - 1), bucket);
		ck_assert_uint_eq(lateness_bucket(bound), bucket + 1);
	}
	ck_assert_uint_eq(lateness_bucket(UINT64_MAX), LATE_BUCKETS - 1);
}
END_TEST

START_TEST(percentiles_are_true_to_a_quarter)
{
	static struct lateness lateness;
	struct lateness_told told = lateness_tell(&lateness, 1000 * S);

	ck_assert_uint_eq(told.starts + told.p50_us + told.p99_us + told.max_us, 0);
	for (unsigned i = 1; i <= 1000; i++) /* 10 us to 10 ms */
		lateness_add(&lateness, 1000 * S, 10 * i);
	told = lateness_tell(&lateness, 1000 * S);
	ck_assert_uint_eq(told.starts, 1000);
	ck_assert_uint_eq(told.max_us, 10000);
	ck_assert_uint_ge(told.p50_us, 5000);
	ck_assert_uint_le(told.p50_us, 5000 * 5 / 4);
	ck_assert_uint_ge(told.p99_us, 9900);
	ck_assert_uint_le(told.p99_us, told.max_us);
}
END_TEST

START_TEST(what_was_a_minute_ago_is_forgotten)
{
	static struct lateness lateness;
	const uint64_t begin = 30 * 7 * S; /* where a period begins */

	lateness_add(&lateness, begin, 5 * S);
	lateness_add(&lateness, begin + 29 * S, 1000);
	ck_assert_uint_eq(lateness_tell(&lateness, begin + 59 * S).starts, 2);
	lateness_add(&lateness, begin + 30 * S, 2000);
	ck_assert_uint_eq(lateness_tell(&lateness, begin + 30 * S).max_us, 5 * S);
	ck_assert_uint_eq(lateness_tell(&lateness, begin + 59 * S).starts, 3);
	ck_assert_uint_eq(lateness_tell(&lateness, begin + 60 * S).starts, 1);
	ck_assert_uint_eq(lateness_tell(&lateness, begin + 60 * S).max_us, 2000);
	ck_assert_uint_eq(lateness_tell(&lateness, begin + 90 * S).starts, 0);
	lateness_add(&lateness, begin + 1000 * S, 3);
	ck_assert_uint_eq(lateness_tell(&lateness, begin + 1000 * S).starts, 1);
}
END_TEST

void add_lateness_tests(Suite *suite)
{
	suite_case(suite, "lateness", bound_of_a_bucket_is_the_first_of_the_next,
		   percentiles_are_true_to_a_quarter, what_was_a_minute_ago_is_forgotten);
}
