noinst_LIBRARIES += libconf.a
libconf_a_CFLAGS = $(AM_CFLAGS) $(FYAML_CFLAGS) $(XXHASH_CFLAGS)
libconf_a_SOURCES = \
	%D%/config.h \
	%D%/diag.c %D%/diag.h

check_PROGRAMS += test-conf
TESTS += test-conf
test_conf_SOURCES = \
	tests/unit/conf/diag_test.c tests/unit/conf/conf_test.h tests/unit/conf/main.c
test_conf_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
test_conf_LDADD = libconf.a libbase.a $(FYAML_LIBS) $(CHECK_LIBS)
