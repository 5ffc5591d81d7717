noinst_LIBRARIES += libctl.a
libctl_a_SOURCES = \
	%D%/asking.c %D%/asking.h \
	%D%/borrow.c %D%/borrow.h \
	%D%/client.c %D%/client.h \
	%D%/explain.c %D%/explain.h \
	%D%/field.h %D%/show.h \
	%D%/rdata_text.c %D%/rdata_text.h \
	%D%/reach.c %D%/reach.h \
	%D%/show_explanation.c \
	%D%/show_reload.c \
	%D%/show_status.c \
	%D%/columns.c %D%/columns.h
libctl_a_CFLAGS = $(AM_CFLAGS) $(JANSSON_CFLAGS)

bin_PROGRAMS += signpostctl
signpostctl_SOURCES = %D%/main.c
signpostctl_CFLAGS = $(AM_CFLAGS) $(JANSSON_CFLAGS)
signpostctl_LDADD = libctl.a libserve.a $(SODIUM_LIBS) libsteer.a libimage.a libwire.a libbase.a \
	$(JANSSON_LIBS) -lm

check_PROGRAMS += test-ctl
TESTS += test-ctl
test_ctl_SOURCES = tests/unit/ctl/ctl_test.c tests/unit/run.h
test_ctl_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS) $(JANSSON_CFLAGS) $(LDNS_CFLAGS)
test_ctl_LDADD = libctl.a libwire.a libbase.a $(JANSSON_LIBS) $(LDNS_LIBS) $(CHECK_LIBS)
