/* probe_test.h - the cases of test-probe, one function a file. */
#ifndef TESTS_UNIT_PROBE_PROBE_TEST_H
#define TESTS_UNIT_PROBE_PROBE_TEST_H

#include "tests/unit/run.h"

void add_agent_line_tests(Suite *suite);
void add_aside_tests(Suite *suite);
void add_perfdata_tests(Suite *suite);
void add_statement_tests(Suite *suite);
void add_verdict_tests(Suite *suite);
void add_schedule_tests(Suite *suite);
void add_tcp_tests(Suite *suite);
void add_icmp_tests(Suite *suite);
void add_icmp_judge_tests(Suite *suite);
void add_lateness_tests(Suite *suite);
void add_leftovers_tests(Suite *suite);
void add_window_tests(Suite *suite);
void add_measure_tests(Suite *suite);
void add_openvpn_packet_tests(Suite *suite);
void add_openvpn_tests(Suite *suite);
void add_openvpn_load_tests(Suite *suite);
void add_engine_tests(Suite *suite);
void add_doubt_prober_tests(Suite *suite);
void add_doubt_tests(Suite *suite);
void add_flap_tests(Suite *suite);
void add_prober_tests(Suite *suite);
void add_ike_tests(Suite *suite);
void add_noise_tests(Suite *suite);
void add_secret_tests(Suite *suite);
void add_web_error_tests(Suite *suite);
void add_web_tests(Suite *suite);
void add_wireguard_tests(Suite *suite);
void add_stamps_tests(Suite *suite);
void add_standstill_tests(Suite *suite);
void add_http_judge_tests(Suite *suite);
void add_dns_judge_tests(Suite *suite);
void add_datagram_tests(Suite *suite);
void add_tls_files_tests(Suite *suite);
void add_tls_tests(Suite *suite);
void add_udp_tests(Suite *suite);
void add_evidence_tests(Suite *suite);
void add_exposition_tests(Suite *suite);
void add_prometheus_tests(Suite *suite);
void add_scrape_tests(Suite *suite);

#endif
