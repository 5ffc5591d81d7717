# The commands themselves, apart from the program, for its tests.
noinst_LIBRARIES += librun.a
librun_a_SOURCES = %D%/command.c %D%/command.h

# It runs what operators wrote: it links nothing that could be of use to that.
pkglibexec_PROGRAMS += signpost-run
signpost_run_SOURCES = %D%/main.c
signpost_run_LDADD = librun.a libbase.a

# Starts ./signpost-run, as control does.
check_PROGRAMS += test-run
TESTS += test-run
test_run_SOURCES = tests/unit/run.h \
	tests/unit/run/command_test.c \
	tests/unit/run/main.c tests/unit/run/run_test.h \
	tests/unit/run/runner_test.c
test_run_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
test_run_LDADD = libprobe.a libimage.a librun.a libbase.a $(CHECK_LIBS) $(EV_LIBS)
EXTRA_test_run_DEPENDENCIES = signpost-run$(EXEEXT)
