noinst_LIBRARIES += libctl.a
libctl_a_SOURCES = \
	%D%/answer_nodes.c %D%/answer_nodes.h \
	%D%/asking.c %D%/asking.h \
	%D%/borrow.c %D%/borrow.h \
	%D%/chart.c %D%/chart.h \
	%D%/client.c %D%/client.h \
	%D%/command_diff.c %D%/command_diff.h \
	%D%/command_drill.c %D%/command_drill.h \
	%D%/command_history.h \
	%D%/command_orders.c %D%/command_orders.h \
	%D%/command_profile.c %D%/command_profile.h \
	%D%/command_simulate.c %D%/command_simulate.h \
	%D%/country_table.c %D%/country_table.h \
	%D%/data_file.c %D%/data_file.h \
	%D%/diff.c %D%/diff.h %D%/diff_parts.h \
	%D%/diff_moves.c %D%/diff_moves.h %D%/diff_hooks.c %D%/diff_plan.c %D%/diff_spots.c %D%/diff_spots.h %D%/diff_steered.c %D%/diff_zones.c \
	%D%/explain.c %D%/explain.h %D%/explain_parts.h \
	%D%/explain_location.c %D%/explain_pool.c %D%/explain_set.c %D%/explain_steering.c \
	%D%/field.h %D%/show.h \
	%D%/fold.c %D%/fold.h \
	%D%/load.c %D%/load.h \
	%D%/map.c %D%/map.h %D%/map_parts.h \
	%D%/map_legend.c \
	%D%/measured.c %D%/measured.h \
	%D%/other_files.c %D%/other_files.h \
	%D%/outlines.c %D%/outlines.h \
	%D%/profile.c %D%/profile.h \
	%D%/projection.c %D%/projection.h \
	%D%/settle.c %D%/settle.h \
	%D%/shares.c %D%/shares.h \
	%D%/simulate.c %D%/simulate.h \
	%D%/simulate_verdict.c %D%/simulate_verdict.h \
	%D%/space.c %D%/space.h \
	%D%/suppose.c %D%/suppose.h \
	%D%/tally.c %D%/tally.h %D%/tally_parts.h \
	%D%/tally_use.c \
	%D%/rdata_text.c %D%/rdata_text.h \
	%D%/reach.c %D%/reach.h \
	%D%/rrset_text.c %D%/rrset_text.h \
	%D%/show_audit.c \
	%D%/show_diff.c \
	%D%/show_drill.c \
	%D%/explained.h %D%/show_explained_step.c \
	%D%/show_explanation.c %D%/show_follows.c %D%/show_follows.h \
	%D%/show_history.c \
	%D%/show_orders.c \
	%D%/show_probe.c \
	%D%/show_reload.c \
	%D%/show_simulation.c \
	%D%/show_status.c \
	%D%/show_weight.c %D%/show_weight.h \
	%D%/condition_text.c %D%/condition_text.h \
	%D%/columns.c %D%/columns.h
libctl_a_CFLAGS = $(AM_CFLAGS) $(JANSSON_CFLAGS)

bin_PROGRAMS += signpostctl
signpostctl_SOURCES = %D%/main.c \
	%D%/command.c %D%/command.h \
	%D%/commands_drill.c \
	%D%/commands_files.c \
	%D%/commands_history.c \
	%D%/commands_orders.c \
	%D%/commands_probe.c %D%/command_probe.h \
	%D%/commands_server.c \
	%D%/commands_steering.c \
	%D%/options.c
signpostctl_CFLAGS = $(AM_CFLAGS) $(JANSSON_CFLAGS)
signpostctl_LDADD = libctl.a libcontrol.a libserve.a $(SODIUM_LIBS) libsteer.a libimage.a libwire.a libbase.a \
	$(JANSSON_LIBS) -lm

check_PROGRAMS += test-ctl test-history test-rrset-text test-simulate
TESTS += test-ctl test-history test-rrset-text test-simulate
test_ctl_SOURCES = tests/unit/ctl/ctl_test.c tests/unit/run.h
test_ctl_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS) $(JANSSON_CFLAGS) $(LDNS_CFLAGS)
test_ctl_LDADD = libctl.a libwire.a libbase.a $(JANSSON_LIBS) $(LDNS_LIBS) $(CHECK_LIBS)
test_history_SOURCES = tests/unit/ctl/history_test.c tests/unit/run.h
test_history_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS) $(JANSSON_CFLAGS)
test_history_LDADD = libctl.a libbase.a $(JANSSON_LIBS) $(CHECK_LIBS) -lm
test_rrset_text_SOURCES = tests/unit/ctl/rrset_text_test.c tests/unit/run.h
test_rrset_text_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
test_rrset_text_LDADD = libctl.a libimage.a libwire.a libbase.a $(CHECK_LIBS)
test_simulate_SOURCES = tests/unit/ctl/simulate_test.c tests/unit/run.h \
	tests/unit/steer/compiled.c tests/unit/steer/compiled.h \
	tests/unit/steer/make_plan.c tests/unit/steer/make_plan.h
test_simulate_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS) $(JANSSON_CFLAGS)
test_simulate_LDADD = libctl.a libcontrol.a libserve.a $(SODIUM_LIBS) libsteer.a libimage.a libwire.a libbase.a \
	$(JANSSON_LIBS) $(CHECK_LIBS) -lm
