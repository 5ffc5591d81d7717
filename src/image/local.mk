noinst_LIBRARIES += libimage.a
libimage_a_SOURCES = \
	%D%/backup.c %D%/backup.h \
	%D%/breakpoints.c %D%/breakpoints.h \
	%D%/boot.h %D%/compiled.h \
	%D%/geo.c %D%/geo.h \
	%D%/handover.h \
	%D%/huge.c %D%/huge.h \
	%D%/hook_event.c %D%/hook_event.h \
	%D%/image.c %D%/image.h \
	%D%/image_stream.c %D%/image_stream.h \
	%D%/locations.c %D%/locations.h %D%/locations_verify.c \
	%D%/openvpn_key.c %D%/openvpn_key.h \
	%D%/plan.c %D%/plan.h \
	%D%/pool_types.h \
	%D%/probe_icmp.h %D%/probe_openvpn.h \
	%D%/probe_dns.h %D%/probe_http.h %D%/probe_tls.h %D%/probe_udp.h \
	%D%/probe_agent.h %D%/probe_exec.h %D%/probe_file.h %D%/probe_push.h \
	%D%/probe_settings.c %D%/probe_settings.h \
	%D%/probe_ikev2.h \
	%D%/probe_wireguard.h \
	%D%/probe_prometheus.h \
	%D%/rdata_names.c %D%/rdata_names.h \
	%D%/rrset.c %D%/rrset.h \
	%D%/run_messages.h \
	%D%/rrset_build.c %D%/rrset_build.h \
	%D%/settings.h \
	%D%/steering.c %D%/steering.h \
	%D%/steering_answers.c %D%/steering_check.h \
	%D%/world.c %D%/world.h \
	%D%/zones.c %D%/zones.h \
	%D%/segment_verify.c %D%/segment_verify.h \
	%D%/zones_verify.c
libimage_a_CFLAGS = $(AM_CFLAGS) $(PGO_CFLAGS)

check_PROGRAMS += test-image test-probe-settings test-rrset
TESTS += test-image test-probe-settings test-rrset
test_image_SOURCES = tests/unit/image/image_test.c tests/unit/run.h
test_image_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
test_image_LDADD = libimage.a libwire.a libbase.a $(CHECK_LIBS)
test_probe_settings_SOURCES = tests/unit/image/probe_settings_test.c tests/unit/run.h
test_probe_settings_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
test_probe_settings_LDADD = libimage.a libwire.a libbase.a $(CHECK_LIBS)
test_rrset_SOURCES = tests/unit/image/rrset_test.c tests/unit/run.h
test_rrset_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
test_rrset_LDADD = libimage.a libwire.a libbase.a $(CHECK_LIBS)
