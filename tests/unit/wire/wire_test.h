/* wire_test.h - the tests of src/wire, one function a file that adds its cases. */
#ifndef TESTS_UNIT_WIRE_TEST_H
#define TESTS_UNIT_WIRE_TEST_H

#include "tests/unit/run.h"

void add_query_tests(Suite *suite);
void add_tsig_tests(Suite *suite);
void add_words_tests(Suite *suite);

#endif
