noinst_LIBRARIES += libwire.a
libwire_a_SOURCES = \
	%D%/name.c %D%/name.h \
	%D%/types.h
