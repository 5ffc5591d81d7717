/* control_test.h - the cases of test-control. */
#ifndef TESTS_CONTROL_TEST_H
#define TESTS_CONTROL_TEST_H

#include <check.h>

void add_cap_cases(Suite *suite);
void add_diff_cases(Suite *suite);
void add_drill_cases(Suite *suite);
void add_inputs_cases(Suite *suite);
void add_orders_cases(Suite *suite);
void add_ramp_cases(Suite *suite);
void add_reload_record_cases(Suite *suite);
void add_secrets_cases(Suite *suite);
void add_status_cases(Suite *suite);
void add_supervisor_cases(Suite *suite);
void add_watch_cases(Suite *suite);

#endif
