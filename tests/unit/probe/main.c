#include "tests/unit/network.h"
#include "tests/unit/probe/probe_test.h"

int main(void)
{
	Suite *suite = suite_create("probe");

	(void)own_network(); /* without the right to it, the ports here have to be free */
	(void)setenv("CK_DEFAULT_TIMEOUT", "30", 0);
	add_agent_line_tests(suite);
	add_aside_tests(suite);
	add_perfdata_tests(suite);
	add_statement_tests(suite);
	add_verdict_tests(suite);
	add_schedule_tests(suite);
	add_tcp_tests(suite);
	add_icmp_tests(suite);
	add_icmp_judge_tests(suite);
	add_lateness_tests(suite);
	add_leftovers_tests(suite);
	add_window_tests(suite);
	add_measure_tests(suite);
	add_openvpn_packet_tests(suite);
	add_openvpn_tests(suite);
	add_openvpn_load_tests(suite);
	add_engine_tests(suite);
	add_doubt_tests(suite);
	add_doubt_prober_tests(suite);
	add_flap_tests(suite);
	add_prober_tests(suite);
	add_ike_tests(suite);
	add_noise_tests(suite);
	add_secret_tests(suite);
	add_web_error_tests(suite);
	add_web_tests(suite);
	add_wireguard_tests(suite);
	add_stamps_tests(suite);
	add_standstill_tests(suite);
	add_http_judge_tests(suite);
	add_dns_judge_tests(suite);
	add_datagram_tests(suite);
	add_tls_files_tests(suite);
	add_tls_tests(suite);
	add_udp_tests(suite);
	add_evidence_tests(suite);
	add_exposition_tests(suite);
	add_prometheus_tests(suite);
	add_scrape_tests(suite);
	return run_suite(suite);
}
