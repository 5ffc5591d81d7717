noinst_LIBRARIES += libprobe.a
libprobe_a_CFLAGS = $(AM_CFLAGS) $(CURL_CFLAGS) $(OPENSSL_CFLAGS) $(SODIUM_CFLAGS)
libprobe_a_SOURCES = \
	%D%/agent.c %D%/agent_line.c %D%/agent_line.h \
	%D%/aside.c %D%/aside.h \
	%D%/datagrams.c %D%/datagrams.h \
	%D%/exec.c %D%/file.c %D%/file_read.c %D%/file_read.h \
	%D%/perfdata.c %D%/perfdata.h \
	%D%/placeholders.c %D%/placeholders.h \
	%D%/push.c %D%/reports.c %D%/reports.h \
	%D%/doubt.c %D%/doubt.h \
	%D%/engine.c %D%/engine.h \
	%D%/evidence.c %D%/evidence.h \
	%D%/http.c %D%/http_judge.c %D%/http_judge.h \
	%D%/exposition.c %D%/exposition.h \
	%D%/lateness.c %D%/lateness.h \
	%D%/icmp.c %D%/icmp_judge.c %D%/icmp_judge.h \
	%D%/flap.c %D%/flap.h \
	%D%/ike.c %D%/ike.h %D%/ike_judge.c %D%/ike_judge.h \
	%D%/ikev2.c \
	%D%/judge.c \
	%D%/once.c %D%/once.h \
	%D%/kind.c %D%/kind.h \
	%D%/leftovers.c %D%/leftovers.h \
	%D%/measure.h \
	%D%/noise.c %D%/noise.h \
	%D%/prometheus.c \
	%D%/openvpn.c %D%/openvpn_load.c %D%/openvpn_load.h \
	%D%/openvpn_management.c %D%/openvpn_packet.c %D%/openvpn_packet.h \
	%D%/openvpn_status.c %D%/status_age.c %D%/status_age.h \
	%D%/prober.c %D%/prober.h %D%/prober_parts.h \
	%D%/references.c %D%/references.h \
	%D%/rounds.c \
	%D%/runner.c %D%/runner.h %D%/runner_result.c %D%/runner_result.h \
	%D%/schedule.c %D%/schedule.h \
	%D%/scrape.c %D%/scrape.h \
	%D%/secret.c %D%/secret.h \
	%D%/target.c %D%/target.h \
	%D%/stamps.c %D%/stamps.h \
	%D%/standstill.c %D%/standstill.h \
	%D%/tcp.c \
	%D%/dns.c %D%/dns_judge.c %D%/dns_judge.h %D%/udp.c \
	%D%/tls.c \
	%D%/tls_certificate.c %D%/tls_certificate.h \
	%D%/tls_files.c %D%/tls_files.h \
	%D%/turns.c %D%/turns.h \
	%D%/verdict.c %D%/verdict.h \
	%D%/web.c %D%/web.h %D%/web_error.c %D%/web_error.h %D%/web_exchange.c %D%/web_parts.h \
	%D%/window.c %D%/window.h \
	%D%/wireguard.c

# What libprobe.a needs to be linked.
probe_LIBS = $(CURL_LIBS) $(OPENSSL_LIBS) $(SODIUM_LIBS) $(EV_LIBS)

check_PROGRAMS += test-probe
TESTS += test-probe
test_probe_SOURCES = tests/unit/network.h tests/unit/run.h \
	tests/unit/probe/agent_line_test.c \
	tests/unit/probe/aside_test.c \
	tests/unit/probe/perfdata_test.c \
	tests/unit/probe/statement_test.c \
	tests/unit/probe/doubt_prober_test.c \
	tests/unit/probe/doubt_test.c \
	tests/unit/probe/engine_test.c \
	tests/unit/probe/evidence_test.c \
	tests/unit/probe/exposition_test.c \
	tests/unit/probe/icmp_judge_test.c \
	tests/unit/probe/lateness_test.c \
	tests/unit/probe/leftovers_test.c \
	tests/unit/probe/flap_test.c \
	tests/unit/probe/datagram_test.c tests/unit/probe/datagram.h \
	tests/unit/probe/dns_judge_test.c \
	tests/unit/probe/http_judge_test.c \
	tests/unit/probe/icmp_test.c \
	tests/unit/probe/ike_test.c \
	tests/unit/probe/lab.c tests/unit/probe/lab.h \
	tests/unit/probe/main.c tests/unit/probe/probe_test.h \
	tests/unit/probe/measure_test.c \
	tests/unit/probe/noise_test.c tests/unit/probe/noise_vectors.h \
	tests/unit/probe/openvpn_load_test.c \
	tests/unit/probe/openvpn_packet_test.c \
	tests/unit/probe/openvpn_test.c \
	tests/unit/probe/prober_test.c \
	tests/unit/probe/prometheus_test.c \
	tests/unit/probe/schedule_test.c \
	tests/unit/probe/scrape_test.c \
	tests/unit/probe/secret_test.c \
	tests/unit/probe/sketch.c tests/unit/probe/sketch.h \
	tests/unit/probe/stamps_test.c \
	tests/unit/probe/standstill_test.c \
	tests/unit/probe/tcp_test.c \
	tests/unit/probe/tls_files_test.c \
	tests/unit/probe/tls_test.c \
	tests/unit/probe/udp_test.c \
	tests/unit/probe/verdict_test.c \
	tests/unit/probe/web_error_test.c \
	tests/unit/probe/web_test.c \
	tests/unit/probe/wireguard_test.c \
	tests/unit/probe/window_test.c
test_probe_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS) $(OPENSSL_CFLAGS)
test_probe_LDADD = libprobe.a libimage.a libwire.a libbase.a $(CHECK_LIBS) $(probe_LIBS)

# Not built by default: make bench-probe && ./bench-probe 10000 5000 20
EXTRA_PROGRAMS += bench-probe
bench_probe_SOURCES = tests/bench/probe_load.c \
	tests/unit/probe/sketch.c tests/unit/probe/sketch.h
bench_probe_LDADD = libprobe.a libimage.a libwire.a libbase.a $(probe_LIBS) -lm
