noinst_LIBRARIES += libstore.a
libstore_a_SOURCES = \
	%D%/audit_rows.c %D%/audit_rows.h \
	%D%/database.c %D%/database.h \
	%D%/drill_rows.c %D%/drill_rows.h \
	%D%/load.c \
	%D%/minute_rows.c %D%/minute_rows.h \
	%D%/prune.c %D%/prune.h \
	%D%/queue.c %D%/queue.h \
	%D%/reader.c %D%/reader.h \
	%D%/schema.c %D%/schema.h \
	%D%/sql.h \
	%D%/store.c %D%/store.h %D%/store_parts.h \
	%D%/writer.c
libstore_a_CFLAGS = $(AM_CFLAGS) $(SQLITE_CFLAGS)

check_PROGRAMS += test-store
TESTS += test-store
test_store_SOURCES = tests/unit/run.h \
	tests/unit/store/main.c tests/unit/store/store_test.h \
	tests/unit/store/queue_test.c \
	tests/unit/store/reader_test.c \
	tests/unit/store/store_test.c \
	tests/unit/store/trouble_test.c
test_store_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
test_store_LDADD = libstore.a libbase.a $(CHECK_LIBS) $(SQLITE_LIBS)
