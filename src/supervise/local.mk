noinst_LIBRARIES += libsupervise.a
libsupervise_a_SOURCES = \
	%D%/boot.c %D%/boot.h \
	%D%/child.c %D%/child.h \
	%D%/identity.c %D%/identity.h \
	%D%/listeners.c %D%/listeners.h \
	%D%/messages.c %D%/messages.h \
	%D%/notify.c %D%/notify.h \
	%D%/program.c %D%/program.h \
	%D%/status.c %D%/status.h \
	%D%/supervisor.c %D%/supervisor.h \
	%D%/worlds.c %D%/worlds.h
libsupervise_a_CFLAGS = $(AM_CFLAGS) $(CAPNG_CFLAGS)

# The supervisor never opens an image, so it links none of the image library.
sbin_PROGRAMS += signpostd
signpostd_SOURCES = %D%/main.c
signpostd_LDADD = libsupervise.a libbase.a $(CAPNG_LIBS)

check_PROGRAMS += test-supervise
TESTS += test-supervise
test_supervise_SOURCES = tests/unit/supervise/supervise_test.c tests/unit/run.h
test_supervise_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
test_supervise_LDADD = libsupervise.a libbase.a $(CAPNG_LIBS) $(CHECK_LIBS)
