noinst_LIBRARIES += libserve.a
libserve_a_SOURCES = \
	%D%/answer.c %D%/answer.h \
	%D%/batch.c %D%/batch.h \
	%D%/chain.c %D%/chain.h \
	%D%/chaos.c %D%/chaos.h \
	%D%/choose.c %D%/choose.h %D%/choose_inline.h \
	%D%/cookies.c %D%/cookies.h \
	%D%/count.h \
	%D%/eviction.c %D%/eviction.h \
	%D%/lookup.c %D%/lookup.h \
	%D%/message.c %D%/message.h \
	%D%/quick.h %D%/quick_more.h %D%/quick_read.h %D%/quick_steer.h %D%/quick_write.h \
	%D%/sections.c %D%/sections.h
libserve_a_CFLAGS = $(AM_CFLAGS) $(SODIUM_CFLAGS) $(PGO_CFLAGS)

# Never ldns, SQLite, libmaxminddb, libfyaml or jansson: this process meets strangers' packets.
pkglibexec_PROGRAMS += signpost-dns
signpost_dns_SOURCES = \
	%D%/connection.c %D%/connection.h \
	%D%/main.c \
	%D%/tcp.c %D%/tcp.h \
	%D%/thread.c %D%/thread.h \
	%D%/udp.c %D%/udp.h \
	%D%/worlds.c %D%/worlds.h
signpost_dns_CFLAGS = $(AM_CFLAGS) $(URCU_CFLAGS)
signpost_dns_LDADD = libserve.a $(SODIUM_LIBS) libimage.a libwire.a libbase.a $(EV_LIBS) $(URCU_LIBS)

check_PROGRAMS += test-serve
TESTS += test-serve
test_serve_SOURCES = \
	tests/unit/run.h \
	tests/unit/serve/answer_test.c \
	tests/unit/serve/batch_check.c tests/unit/serve/batch_check.h \
	tests/unit/serve/batch_test.c \
	tests/unit/serve/choose_test.c \
	tests/unit/serve/cookies_test.c \
	tests/unit/serve/eviction_test.c \
	tests/unit/serve/fixture.c tests/unit/serve/fixture.h \
	tests/unit/serve/main.c \
	tests/unit/serve/message_test.c \
	tests/unit/serve/options_test.c \
	tests/unit/serve/serve_test.h \
	tests/unit/serve/size_test.c
test_serve_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS) $(LDNS_CFLAGS)
test_serve_LDADD = libserve.a $(SODIUM_LIBS) $(libcompile_LIBS) $(CHECK_LIBS)

# Apart, for the thread sanitizer.
check_PROGRAMS += test-world-swap
TESTS += test-world-swap
test_world_swap_SOURCES = \
	%D%/worlds.c \
	tests/unit/serve/batch_check.c \
	tests/unit/serve/fixture.c \
	tests/unit/serve/world_swap_test.c
test_world_swap_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS) $(LDNS_CFLAGS) $(URCU_CFLAGS)
test_world_swap_LDADD = libserve.a $(SODIUM_LIBS) $(libcompile_LIBS) $(CHECK_LIBS) $(URCU_LIBS)

# Starts ./signpost-dns, as its supervisor.
check_PROGRAMS += test-signpost-dns
TESTS += test-signpost-dns
test_signpost_dns_SOURCES = \
	tests/unit/network.h \
	tests/unit/serve/batch_check.c \
	tests/unit/serve/fixture.c \
	tests/unit/serve/process_test.c
test_signpost_dns_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS) $(LDNS_CFLAGS)
test_signpost_dns_LDADD = libserve.a $(SODIUM_LIBS) $(libcompile_LIBS) $(CHECK_LIBS)
EXTRA_test_signpost_dns_DEPENDENCIES = signpost-dns$(EXEEXT)

check_PROGRAMS += bench-answer
bench_answer_SOURCES = \
	tests/bench/answer_bench.c \
	tests/unit/serve/batch_check.c \
	tests/unit/serve/fixture.c
bench_answer_CFLAGS = $(AM_CFLAGS) $(LDNS_CFLAGS)
bench_answer_LDADD = libserve.a $(SODIUM_LIBS) $(libcompile_LIBS)
