noinst_LIBRARIES += libserve.a
libserve_a_SOURCES = \
	%D%/answer.c %D%/answer.h \
	%D%/choose.c %D%/choose.h \
	%D%/count.h \
	%D%/lookup.c %D%/lookup.h \
	%D%/message.c %D%/message.h \
	%D%/sections.c %D%/sections.h
