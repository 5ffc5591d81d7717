/* serve_test.h - the tests of src/serve, one function a file that adds its cases. */
#ifndef TESTS_UNIT_SERVE_TEST_H
#define TESTS_UNIT_SERVE_TEST_H

#include "tests/unit/run.h"

void add_answer_tests(Suite *suite);
void add_batch_tests(Suite *suite);
void add_choose_tests(Suite *suite);
void add_eviction_tests(Suite *suite);
void add_cookie_tests(Suite *suite);
void add_message_tests(Suite *suite);
void add_option_tests(Suite *suite);
void add_size_tests(Suite *suite);

#endif
