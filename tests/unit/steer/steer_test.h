/* The suites of test-steer. */
#ifndef TESTS_STEER_TEST_H
#define TESTS_STEER_TEST_H

#include <check.h>

void table_cases(Suite *suite);
void bands_cases(Suite *suite);
void pack_cases(Suite *suite);
void spill_cases(Suite *suite);
void shares_cases(Suite *suite);
void steer_cases(Suite *suite);
void image_cases(Suite *suite);
void routes_cases(Suite *suite);
void property_cases(Suite *suite);
void answers_cases(Suite *suite);
void families_cases(Suite *suite);
void sets_cases(Suite *suite);

#endif
