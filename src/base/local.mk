noinst_LIBRARIES += libbase.a
libbase_a_SOURCES = \
	%D%/base64.c %D%/base64.h \
	%D%/channel.c %D%/channel.h \
	%D%/clock.c %D%/clock.h \
	%D%/cursor.h \
	%D%/err.c %D%/err.h \
	%D%/hash.c %D%/hash.h \
	%D%/log.c %D%/log.h \
	%D%/mem.c %D%/mem.h \
	%D%/nearest.c %D%/nearest.h \
	%D%/netprefix.c %D%/netprefix.h \
	%D%/program.c %D%/program.h \
	%D%/timestamp.c %D%/timestamp.h \
	%D%/tsan.h
libbase_a_CFLAGS = $(AM_CFLAGS) $(PGO_CFLAGS)

check_PROGRAMS += test-base
TESTS += test-base
test_base_SOURCES = tests/unit/base/base_test.c tests/unit/run.h
test_base_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
test_base_LDADD = libbase.a $(CHECK_LIBS)
