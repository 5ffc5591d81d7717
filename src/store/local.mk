noinst_LIBRARIES += libstore.a
libstore_a_SOURCES = \
	%D%/database.c %D%/database.h \
	%D%/queue.c %D%/queue.h \
	%D%/schema.c %D%/schema.h \
	%D%/store.c %D%/store.h
libstore_a_CFLAGS = $(AM_CFLAGS) $(SQLITE_CFLAGS)
