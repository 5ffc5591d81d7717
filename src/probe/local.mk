noinst_LIBRARIES += libprobe.a
libprobe_a_SOURCES = \
	%D%/engine.c %D%/engine.h \
	%D%/icmp.c %D%/kind.h \
	%D%/prober.c %D%/prober.h \
	%D%/schedule.c %D%/schedule.h \
	%D%/tcp.c \
	%D%/verdict.c %D%/verdict.h
