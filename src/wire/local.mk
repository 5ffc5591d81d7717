noinst_LIBRARIES += libwire.a
libwire_a_SOURCES = \
	%D%/edns.c %D%/edns.h \
	%D%/key.c %D%/key.h \
	%D%/name.c %D%/name.h \
	%D%/query.c %D%/query.h \
	%D%/reply.c %D%/reply.h \
	%D%/tsig.c %D%/tsig.h \
	%D%/types.h \
	%D%/words.c %D%/words.h
libwire_a_CFLAGS = $(AM_CFLAGS) $(PGO_CFLAGS)

check_PROGRAMS += test-wire
TESTS += test-wire
test_wire_SOURCES = \
	tests/unit/run.h \
	tests/unit/wire/name_test.c \
	tests/unit/wire/query_test.c \
	tests/unit/wire/tsig_test.c \
	tests/unit/wire/wire_test.h \
	tests/unit/wire/words_test.c
test_wire_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS) $(LDNS_CFLAGS)
test_wire_LDADD = libwire.a libbase.a $(CHECK_LIBS) $(LDNS_LIBS)
