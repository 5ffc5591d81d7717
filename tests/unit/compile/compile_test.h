/* The suites of test-compile and test-zones-parallel: one function for each file of tests beside
 * this one. */
#ifndef TESTS_COMPILE_TEST_H
#define TESTS_COMPILE_TEST_H

#include <check.h>

Suite *zones_errors_suite(void);
Suite *zones_image_suite(void);
Suite *zones_ldns_suite(void);
Suite *zones_parallel_suite(void);
Suite *plan_suite(void);
Suite *plan_verify_suite(void);
Suite *quick_suite(void);
Suite *stretch_suite(void);
Suite *zone_read_suite(void);

#endif
