# libcompile.a: all of signpost-compile but its main. Each .mk adds the sources of its part.
noinst_LIBRARIES += libcompile.a
libcompile_a_CFLAGS = $(AM_CFLAGS) $(LDNS_CFLAGS) $(MAXMINDDB_CFLAGS) $(XXHASH_CFLAGS)
libcompile_a_SOURCES =
libcompile_LIBS = libcompile.a libconf.a libimage.a libwire.a libbase.a \
	$(LDNS_LIBS) $(FYAML_LIBS) $(MAXMINDDB_LIBS) -lm

pkglibexec_PROGRAMS += signpost-compile
signpost_compile_SOURCES = %D%/main.c
signpost_compile_CFLAGS = $(AM_CFLAGS) $(XXHASH_CFLAGS)
signpost_compile_LDADD = $(libcompile_LIBS)

check_PROGRAMS += test-compile
TESTS += test-compile
test_compile_SOURCES = tests/unit/compile/main.c tests/unit/compile/compile_test.h
test_compile_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS) $(LDNS_CFLAGS) $(MAXMINDDB_CFLAGS) $(XXHASH_CFLAGS)
test_compile_LDADD = $(libcompile_LIBS) $(CHECK_LIBS)

include src/compile/plan.mk
include src/compile/zones.mk
include src/compile/geo.mk
