/* run_test.h - the cases of test-run, one function a file. */
#ifndef TESTS_UNIT_RUN_RUN_TEST_H
#define TESTS_UNIT_RUN_RUN_TEST_H

#include "tests/unit/run.h"

void add_command_tests(Suite *suite);
void add_runner_tests(Suite *suite);

#endif
