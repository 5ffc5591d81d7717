# Each target is a libFuzzer binary with --enable-fuzzing (clang), else a test of its own.
fuzz_targets = fuzz-answer fuzz-batch fuzz-options fuzz-zone fuzz-pool fuzz-server fuzz-lists fuzz-boot \
	fuzz-zones-image fuzz-geo-image fuzz-steering-image fuzz-plan-image fuzz-locations-image \
	fuzz-ike fuzz-wireguard \
	fuzz-openvpn fuzz-exposition fuzz-reply fuzz-said fuzz-run-request fuzz-run-result
check_PROGRAMS += $(fuzz_targets)

check_LIBRARIES = libfuzz.a
libfuzz_a_CPPFLAGS = $(AM_CPPFLAGS) -DFUZZ_SEEDS='"$(abs_top_srcdir)/tests/fuzz/seeds"' \
	-DFUZZ_DATA='"$(abs_top_srcdir)/tests/data"'
libfuzz_a_CFLAGS = $(AM_CFLAGS) $(LDNS_CFLAGS) $(XXHASH_CFLAGS)
libfuzz_a_SOURCES = \
	%D%/ask.c %D%/ask.h \
	%D%/edit.c %D%/edit.h \
	%D%/fuzz.c %D%/fuzz.h \
	%D%/sample.c %D%/sample.h \
	tests/unit/serve/batch_check.c tests/unit/serve/batch_check.h \
	tests/unit/serve/fixture.c tests/unit/serve/fixture.h

fuzzing_cflags = $(AM_CFLAGS) $(LDNS_CFLAGS) $(XXHASH_CFLAGS)
fuzzing_libs = libfuzz.a libserve.a $(SODIUM_LIBS) libsteer.a $(libcompile_LIBS)
fuzzing_ldflags = $(AM_LDFLAGS)
if FUZZING
fuzzing_ldflags += -fsanitize=fuzzer
else
libfuzz_a_SOURCES += %D%/driver.c
TESTS += $(fuzz_targets)
endif

fuzz_answer_SOURCES = %D%/answer_fuzz.c
fuzz_answer_CFLAGS = $(fuzzing_cflags)
fuzz_answer_LDFLAGS = $(fuzzing_ldflags)
fuzz_answer_LDADD = $(fuzzing_libs)

fuzz_batch_SOURCES = %D%/batch_fuzz.c
fuzz_batch_CFLAGS = $(fuzzing_cflags)
fuzz_batch_LDFLAGS = $(fuzzing_ldflags)
fuzz_batch_LDADD = $(fuzzing_libs)

fuzz_options_SOURCES = %D%/options_fuzz.c
fuzz_options_CFLAGS = $(fuzzing_cflags)
fuzz_options_LDFLAGS = $(fuzzing_ldflags)
fuzz_options_LDADD = $(fuzzing_libs)

fuzz_zone_SOURCES = %D%/zone_fuzz.c %D%/text.c
fuzz_zone_CFLAGS = $(fuzzing_cflags)
fuzz_zone_LDFLAGS = $(fuzzing_ldflags)
fuzz_zone_LDADD = $(fuzzing_libs)

fuzz_pool_SOURCES = %D%/pool_fuzz.c %D%/text.c
fuzz_pool_CFLAGS = $(fuzzing_cflags)
fuzz_pool_LDFLAGS = $(fuzzing_ldflags)
fuzz_pool_LDADD = $(fuzzing_libs)

fuzz_server_SOURCES = %D%/server_fuzz.c %D%/text.c
fuzz_server_CFLAGS = $(fuzzing_cflags)
fuzz_server_LDFLAGS = $(fuzzing_ldflags)
fuzz_server_LDADD = $(fuzzing_libs)

fuzz_lists_SOURCES = %D%/lists_fuzz.c %D%/text.c
fuzz_lists_CFLAGS = $(fuzzing_cflags)
fuzz_lists_LDFLAGS = $(fuzzing_ldflags)
fuzz_lists_LDADD = $(fuzzing_libs)

fuzz_boot_SOURCES = %D%/boot_fuzz.c %D%/edit_mutate.c
fuzz_boot_CFLAGS = $(fuzzing_cflags)
fuzz_boot_LDFLAGS = $(fuzzing_ldflags)
fuzz_boot_LDADD = $(fuzzing_libs)

fuzz_zones_image_SOURCES = %D%/zones_image_fuzz.c %D%/edit_mutate.c
fuzz_zones_image_CFLAGS = $(fuzzing_cflags)
fuzz_zones_image_LDFLAGS = $(fuzzing_ldflags)
fuzz_zones_image_LDADD = $(fuzzing_libs)

fuzz_geo_image_SOURCES = %D%/geo_image_fuzz.c %D%/edit_mutate.c
fuzz_geo_image_CFLAGS = $(fuzzing_cflags)
fuzz_geo_image_LDFLAGS = $(fuzzing_ldflags)
fuzz_geo_image_LDADD = $(fuzzing_libs)

fuzz_steering_image_SOURCES = %D%/steering_image_fuzz.c %D%/edit_mutate.c
fuzz_steering_image_CFLAGS = $(fuzzing_cflags)
fuzz_steering_image_LDFLAGS = $(fuzzing_ldflags)
fuzz_steering_image_LDADD = $(fuzzing_libs)

fuzz_plan_image_SOURCES = %D%/plan_image_fuzz.c %D%/edit_mutate.c %D%/changes.c %D%/changes.h
fuzz_plan_image_CFLAGS = $(fuzzing_cflags) $(JANSSON_CFLAGS)
fuzz_plan_image_LDFLAGS = $(fuzzing_ldflags)
fuzz_plan_image_LDADD = libctl.a libcontrol.a $(fuzzing_libs) $(JANSSON_LIBS)

fuzz_locations_image_SOURCES = %D%/locations_image_fuzz.c %D%/edit_mutate.c
fuzz_locations_image_CFLAGS = $(fuzzing_cflags)
fuzz_locations_image_LDFLAGS = $(fuzzing_ldflags)
fuzz_locations_image_LDADD = libctl.a $(fuzzing_libs)

fuzz_ike_SOURCES = %D%/ike_fuzz.c
fuzz_ike_CFLAGS = $(fuzzing_cflags)
fuzz_ike_LDFLAGS = $(fuzzing_ldflags)
fuzz_ike_LDADD = libprobe.a $(fuzzing_libs) $(probe_LIBS)

fuzz_reply_SOURCES = %D%/reply_fuzz.c
fuzz_reply_CFLAGS = $(fuzzing_cflags)
fuzz_reply_LDFLAGS = $(fuzzing_ldflags)
fuzz_reply_LDADD = libprobe.a $(fuzzing_libs) $(probe_LIBS)

fuzz_wireguard_SOURCES = %D%/wireguard_fuzz.c tests/unit/probe/noise_vectors.h
fuzz_wireguard_CFLAGS = $(fuzzing_cflags)
fuzz_wireguard_LDFLAGS = $(fuzzing_ldflags)
fuzz_wireguard_LDADD = libprobe.a $(fuzzing_libs) $(probe_LIBS)

fuzz_openvpn_SOURCES = %D%/openvpn_fuzz.c
fuzz_openvpn_CFLAGS = $(fuzzing_cflags)
fuzz_openvpn_LDFLAGS = $(fuzzing_ldflags)
fuzz_openvpn_LDADD = libprobe.a $(fuzzing_libs) $(probe_LIBS)

fuzz_exposition_SOURCES = %D%/exposition_fuzz.c
fuzz_exposition_CFLAGS = $(fuzzing_cflags)
fuzz_exposition_LDFLAGS = $(fuzzing_ldflags)
fuzz_exposition_LDADD = libprobe.a $(fuzzing_libs) $(probe_LIBS)

fuzz_said_SOURCES = %D%/said_fuzz.c %D%/text.c
fuzz_said_CFLAGS = $(fuzzing_cflags)
fuzz_said_LDFLAGS = $(fuzzing_ldflags)
fuzz_said_LDADD = libprobe.a $(fuzzing_libs) $(probe_LIBS)

fuzz_run_request_SOURCES = %D%/run_request_fuzz.c
fuzz_run_request_CFLAGS = $(fuzzing_cflags)
fuzz_run_request_LDFLAGS = $(fuzzing_ldflags)
fuzz_run_request_LDADD = librun.a $(fuzzing_libs)

fuzz_run_result_SOURCES = %D%/run_result_fuzz.c
fuzz_run_result_CFLAGS = $(fuzzing_cflags)
fuzz_run_result_LDFLAGS = $(fuzzing_ldflags)
fuzz_run_result_LDADD = libprobe.a $(fuzzing_libs) $(probe_LIBS)

.PHONY: fuzz-targets print-fuzz-targets
fuzz-targets: $(fuzz_targets)
print-fuzz-targets:
	@echo $(fuzz_targets)
