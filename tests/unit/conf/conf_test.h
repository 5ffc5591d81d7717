/* The suites of test-conf. */
#ifndef TESTS_CONF_TEST_H
#define TESTS_CONF_TEST_H

#include <check.h>

Suite *clients_suite(void);
Suite *config_suite(void);
Suite *diag_suite(void);
Suite *effective_suite(void);
Suite *ikev2_suite(void);
Suite *inherit_suite(void);
Suite *links_suite(void);
Suite *doubt_suite(void);
Suite *load_suite(void);
Suite *mistakes_suite(void);
Suite *places_suite(void);
Suite *probe_openvpn_suite(void);
Suite *timestamp_suite(void);
Suite *wireguard_suite(void);

#endif
