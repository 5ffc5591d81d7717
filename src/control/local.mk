noinst_LIBRARIES += libcontrol.a
libcontrol_a_SOURCES = \
	%D%/admin.c %D%/admin.h \
	%D%/cap.c %D%/cap.h \
	%D%/commands.c %D%/commands.h %D%/commands_parts.h \
	%D%/commands_drill.c %D%/commands_history.c %D%/commands_orders.c %D%/commands_probe.c %D%/commands_reload.c \
	%D%/compiler.c %D%/compiler.h \
	%D%/diff.c %D%/diff.h \
	%D%/disk.c %D%/disk.h \
	%D%/drill.c %D%/drill.h \
	%D%/history.c %D%/history.h \
	%D%/hook_call.c %D%/hook_call.h \
	%D%/hooks.c %D%/hooks.h \
	%D%/images.c %D%/images.h \
	%D%/inputs.c %D%/inputs.h %D%/inputs_load.c %D%/inputs_parts.h \
	%D%/load.c %D%/load.h \
	%D%/memory.c %D%/memory.h \
	%D%/names.c %D%/names.h \
	%D%/news.c %D%/news.h \
	%D%/object.c %D%/object.h \
	%D%/orders.c %D%/orders.h \
	%D%/orders_json.c %D%/orders_json.h \
	%D%/proof.c %D%/proof.h \
	%D%/reload.c %D%/reload.h %D%/reload_record.c %D%/reload_record.h \
	%D%/report.c %D%/report.h \
	%D%/ramp.c %D%/ramp.h \
	%D%/rows.c %D%/rows.h \
	%D%/running.c %D%/running.h %D%/running_parts.h \
	%D%/running_clock.c %D%/running_minutes.c %D%/running_secrets.c %D%/running_take.c \
	%D%/secrets.c %D%/secrets.h \
	%D%/socket.c %D%/socket.h \
	%D%/stamp.c %D%/stamp.h \
	%D%/stance.c %D%/stance.h \
	%D%/standing.c %D%/standing.h \
	%D%/status.c %D%/status.h %D%/status_parts.h \
	%D%/status_load.c %D%/status_pools.c \
	%D%/stored.c %D%/stored.h \
	%D%/supervisor.c %D%/supervisor.h \
	%D%/watch.c %D%/watch.h
libcontrol_a_CFLAGS = $(AM_CFLAGS) $(JANSSON_CFLAGS)

pkglibexec_PROGRAMS += signpost-control
signpost_control_SOURCES = %D%/main.c
signpost_control_CFLAGS = $(AM_CFLAGS) $(JANSSON_CFLAGS)
signpost_control_LDADD = libcontrol.a libprobe.a libsteer.a libstore.a libimage.a libwire.a \
	libbase.a $(JANSSON_LIBS) $(SQLITE_LIBS) $(probe_LIBS) -lm

check_PROGRAMS += test-control
TESTS += test-control
test_control_SOURCES = \
	tests/unit/control/main.c tests/unit/control/control_test.h \
	tests/unit/control/cap_test.c \
	tests/unit/control/diff_test.c \
	tests/unit/control/drill_test.c \
	tests/unit/control/inputs_test.c \
	tests/unit/control/orders_test.c \
	tests/unit/control/ramp_test.c \
	tests/unit/control/reload_record_test.c \
	tests/unit/control/secrets_test.c \
	tests/unit/control/status_test.c \
	tests/unit/control/supervisor_test.c \
	tests/unit/control/watch_test.c \
	tests/unit/steer/compiled.c tests/unit/steer/compiled.h \
	tests/unit/steer/make_plan.c tests/unit/steer/make_plan.h \
	tests/unit/steer/shares.c tests/unit/steer/shares.h \
	tests/unit/run.h
test_control_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS) $(JANSSON_CFLAGS)
test_control_LDADD = libcontrol.a libprobe.a libsteer.a libstore.a libimage.a libwire.a \
	libbase.a $(JANSSON_LIBS) $(SQLITE_LIBS) $(probe_LIBS) $(CHECK_LIBS) -lm

# With a clock, commands and requests of its own.
check_PROGRAMS += test-hooks
TESTS += test-hooks
test_hooks_SOURCES = tests/unit/control/hooks_test.c tests/unit/run.h
test_hooks_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS) $(JANSSON_CFLAGS)
test_hooks_LDADD = libcontrol.a libimage.a libwire.a libbase.a $(JANSSON_LIBS) $(CHECK_LIBS) $(EV_LIBS) -lm

check_PROGRAMS += test-load
TESTS += test-load
test_load_SOURCES = \
	tests/unit/control/load_test.c \
	tests/unit/control/load_sim.c tests/unit/control/load_sim.h tests/unit/run.h
test_load_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
test_load_LDADD = libcontrol.a libbase.a $(CHECK_LIBS) -lm
