noinst_LIBRARIES += libconf.a
libconf_a_CFLAGS = $(AM_CFLAGS) $(FYAML_CFLAGS) $(XXHASH_CFLAGS)
libconf_a_SOURCES = \
	%D%/answering.c %D%/answering.h \
	%D%/avoid.c \
	%D%/clients.c %D%/clients.h \
	%D%/command.c %D%/command.h \
	%D%/config.c %D%/config.h \
	%D%/country.c %D%/country.h \
	%D%/data.c %D%/data.h \
	%D%/diag.c %D%/diag.h \
	%D%/doubt.c \
	%D%/effective.c %D%/effective.h \
	%D%/fences.c \
	%D%/hooks.c \
	%D%/links.c %D%/links.h \
	%D%/load.c \
	%D%/manual.c \
	%D%/messages.c \
	%D%/networks.c %D%/networks.h \
	%D%/nodes.c \
	%D%/option.c %D%/option.h \
	%D%/parts.h %D%/pool_parts.h \
	%D%/places.c %D%/places.h \
	%D%/pool.c %D%/pool_sites.c \
	%D%/probe_dns.c %D%/probe_udp.c \
	%D%/probe_http.c \
	%D%/probe_icmp.c \
	%D%/probe_openvpn.c %D%/probe_openvpn_load.c \
	%D%/probe_agent.c %D%/probe_exec.c %D%/probe_file.c \
	%D%/probe_prometheus.c \
	%D%/probe_kinds.c %D%/probe_kinds.h \
	%D%/probe_ikev2.c \
	%D%/probe_wireguard.c \
	%D%/probe_tls.c %D%/probe_tls.h %D%/probe_tls_options.c \
	%D%/probes.c \
	%D%/rules.c \
	%D%/secret_file.c %D%/secret_file.h \
	%D%/secrets.c \
	%D%/seen.c %D%/seen.h \
	%D%/server.c \
	%D%/source.c %D%/source.h \
	%D%/timestamp.c %D%/timestamp.h \
	%D%/values.c \
	%D%/windows.c \
	%D%/words.c %D%/words.h \
	%D%/yaml.c %D%/yaml.h

check_PROGRAMS += test-conf
TESTS += test-conf
test_conf_SOURCES = \
	tests/unit/conf/conf_test.h tests/unit/conf/main.c \
	tests/unit/conf/clients_test.c \
	tests/unit/conf/config_test.c \
	tests/unit/conf/diag_test.c \
	tests/unit/conf/doubt_test.c \
	tests/unit/conf/fixture.c tests/unit/conf/fixture.h \
	tests/unit/conf/effective_test.c \
	tests/unit/conf/ikev2_test.c \
	tests/unit/conf/inherit_test.c \
	tests/unit/conf/links_test.c \
	tests/unit/conf/load_test.c \
	tests/unit/conf/probe_openvpn_test.c \
	tests/unit/conf/mistakes_test.c \
	tests/unit/conf/places_test.c \
	tests/unit/conf/timestamp_test.c \
	tests/unit/conf/wireguard_test.c
test_conf_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS) $(XXHASH_CFLAGS)
test_conf_LDADD = libconf.a libimage.a libwire.a libbase.a $(FYAML_LIBS) $(CHECK_LIBS)
