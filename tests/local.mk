# Tests that are not a folder's own unit tests.

# The architecture is what each program links: see the script.
TESTS += tests/link-line.sh
TEST_EXTENSIONS = .sh
SH_LOG_COMPILER = /bin/sh
# Check gives a test four seconds, which on a busy machine is no sign of one that hangs.
AM_TESTS_ENVIRONMENT = SIGNPOST_BUILD='$(abs_top_builddir)'; export SIGNPOST_BUILD; \
	CK_DEFAULT_TIMEOUT=60; export CK_DEFAULT_TIMEOUT;
EXTRA_DIST += bootstrap .ci/run .clang-format .clang-tidy %D%/link-line.sh %D%/system %D%/data %D%/fuzz

# Of a folder in EXTRA_DIST everything is taken, also what Python leaves there.
dist-hook:
	rm -rf '$(distdir)/tests/system/__pycache__' '$(distdir)/tests/system/.pytest_cache'
	if test -d '$(srcdir)/tests/bench/results'; then cp -R '$(srcdir)/tests/bench/results' '$(distdir)/tests/bench/'; fi

include tests/fuzz/local.mk

# Where threads share data: these run under ThreadSanitizer too.
THREADED_TESTS = test-world-swap test-store test-signpost-dns test-geo-build test-zones-parallel test-probe

.PHONY: print-tests print-threaded-tests system
print-tests:
	@echo $(TESTS)
print-threaded-tests:
	@echo $(THREADED_TESTS)

# The whole of it against the programs of this build folder: make system PYTEST_FLAGS='-k failover'
system: all
	SIGNPOST_BUILD='$(abs_top_builddir)' /usr/bin/python3 -m pytest -q $(PYTEST_FLAGS) \
		'$(abs_top_srcdir)/tests/system'

# Beside the kernel and other servers: tests/bench/run and load-big say what they need.
EXTRA_PROGRAMS += bench-floor bench-loadgen bench-loadgen-tcp bench-under
bench_floor_SOURCES = %D%/bench/floor.c
bench_floor_LDADD = libbase.a
bench_loadgen_SOURCES = %D%/bench/loadgen.c %D%/bench/questions.c %D%/bench/questions.h
bench_loadgen_LDADD = libwire.a libbase.a
bench_loadgen_tcp_SOURCES = %D%/bench/loadgen_tcp.c %D%/bench/questions.c %D%/bench/questions.h
bench_loadgen_tcp_LDADD = libwire.a libbase.a
bench_under_SOURCES = %D%/bench/under.c
CLEANFILES += $(EXTRA_PROGRAMS)
EXTRA_DIST += %D%/bench/run %D%/bench/load-big %D%/bench/scale %D%/bench/data.py %D%/bench/kill %D%/bench/detection %D%/bench/probes %D%/bench/bounds.py %D%/bench/times \
	%D%/bench/peers.py %D%/bench/prepare.py %D%/bench/workloads.py %D%/bench/counts.py \
	%D%/bench/report.py %D%/bench/goals.py %D%/bench/latency.py %D%/bench/answering.py %D%/bench/where.py %D%/bench/workers.py %D%/bench/RESULTS.md %D%/peer_conf.py
.PHONY: bench
BENCH_FLAGS = --all
bench: all bench-floor bench-loadgen bench-loadgen-tcp bench-under bench-images
	/usr/bin/python3 '$(abs_top_srcdir)/tests/bench/run' --build '$(abs_top_builddir)' --no-build $(BENCH_FLAGS)

# How it grows, what it loads and holds: tests/bench/growth and load-big say what they need.
EXTRA_PROGRAMS += bench-images
bench_images_SOURCES = %D%/bench/images.c %D%/bench/images.h %D%/bench/images_ask.c %D%/bench/images_detour.c %D%/bench/images_sizes.c
bench_images_LDADD = libctl.a libcontrol.a libserve.a $(SODIUM_LIBS) libsteer.a libimage.a libwire.a libbase.a \
	$(JANSSON_LIBS) -lm
EXTRA_DIST += %D%/bench/growth %D%/bench/clients.py %D%/bench/loaded.py %D%/bench/plots.py %D%/bench/sizes
