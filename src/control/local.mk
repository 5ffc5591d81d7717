noinst_LIBRARIES += libcontrol.a
libcontrol_a_SOURCES = \
	%D%/commands.c %D%/commands.h \
	%D%/compiler.c %D%/compiler.h \
	%D%/diff.c %D%/diff.h \
	%D%/disk.c %D%/disk.h \
	%D%/images.c %D%/images.h \
	%D%/memory.c %D%/memory.h \
	%D%/reload.c %D%/reload.h \
	%D%/report.c %D%/report.h \
	%D%/running.c %D%/running.h \
	%D%/socket.c %D%/socket.h \
	%D%/status.c %D%/status.h \
	%D%/supervisor.c %D%/supervisor.h
libcontrol_a_CFLAGS = $(AM_CFLAGS) $(JANSSON_CFLAGS)

pkglibexec_PROGRAMS += signpost-control
signpost_control_SOURCES = %D%/main.c
signpost_control_CFLAGS = $(AM_CFLAGS) $(JANSSON_CFLAGS)
signpost_control_LDADD = libcontrol.a libprobe.a libsteer.a libstore.a libimage.a libwire.a \
	libbase.a $(JANSSON_LIBS) $(SQLITE_LIBS) $(EV_LIBS) -lm
