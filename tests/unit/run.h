/* run.h - runs one Check suite as a program: every suite's main is the same. */
#ifndef TESTS_UNIT_RUN_H
#define TESTS_UNIT_RUN_H

#include <check.h>
#include <stdlib.h>

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
