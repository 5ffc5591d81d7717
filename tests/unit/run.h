/* run.h - runs one Check suite as a program: every suite's main is the same. */
#ifndef TESTS_UNIT_RUN_H
#define TESTS_UNIT_RUN_H

#include <check.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

/* What this process has computed so far: how busy others keep the machine is not in it. */
static inline uint64_t cpu_us(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
	return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

/* What a time is says as much of the machine and of who else is on it as of the program. So it is
 * told, and held against its bound, only where that is asked for: tests/bench/times does. */
static inline void check_time(const char *what, uint64_t took_us, uint64_t bound_us)
{
	if (getenv("SIGNPOST_TIMES") == NULL)
		return;
	(void)printf("%s: %llu us of %llu\n", what, (unsigned long long)took_us,
		     (unsigned long long)bound_us);
	ck_assert_uint_lt(took_us, bound_us);
}

static inline int run_suite(Suite *suite)
{
	SRunner *runner = srunner_create(suite);
	int failed;

	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

/* Adds one more case with its tests to a suite: suite_case(suite, "name", test_a, test_b). */
#define suite_case(suite, name, ...)                                               \
	do {                                                                       \
		const TTest *const tests_[] = { __VA_ARGS__ };                     \
		TCase *case_ = tcase_create(name);                                 \
		for (size_t i_ = 0; i_ < sizeof(tests_) / sizeof(tests_[0]); i_++) \
			tcase_add_test(case_, tests_[i_]);                         \
		suite_add_tcase(suite, case_);                                     \
	} while (0)

#endif
