noinst_LIBRARIES += libsteer.a
libsteer_a_SOURCES = \
	%D%/answers.c %D%/answers.h \
	%D%/bands.c %D%/bands.h \
	%D%/blocks.c %D%/blocks.h \
	%D%/companions.c %D%/companions.h \
	%D%/distance.c \
	%D%/draws.c %D%/draws.h \
	%D%/families.c \
	%D%/group.c %D%/group.h \
	%D%/order.c %D%/order.h \
	%D%/pack.c %D%/pack.h \
	%D%/parts.h \
	%D%/pool.c %D%/pool.h \
	%D%/rendezvous.c %D%/rendezvous.h \
	%D%/routes.c %D%/routes.h \
	%D%/services.c %D%/services.h \
	%D%/sets.c %D%/sets.h \
	%D%/spill.c %D%/spill.h \
	%D%/split.c %D%/split.h \
	%D%/steer.c %D%/steer.h \
	%D%/table.c %D%/table.h \
	%D%/table_base.c %D%/table_base.h \
	%D%/table_even.c \
	%D%/table_race.c \
	%D%/table_turns.c \
	%D%/write.c

# What links libsteer.a needs -lm, too.
check_PROGRAMS += test-steer
TESTS += test-steer
test_steer_SOURCES = \
	tests/unit/steer/main.c tests/unit/steer/steer_test.h \
	tests/unit/steer/compiled.c tests/unit/steer/compiled.h \
	tests/unit/steer/make_plan.c tests/unit/steer/make_plan.h \
	tests/unit/steer/bands_test.c \
	tests/unit/steer/pack_test.c \
	tests/unit/steer/answers_test.c \
	tests/unit/steer/families_test.c \
	tests/unit/steer/property_test.c \
	tests/unit/steer/routes_test.c \
	tests/unit/steer/shares.c tests/unit/steer/shares.h \
	tests/unit/steer/image_test.c \
	tests/unit/steer/sets_test.c \
	tests/unit/steer/shares_test.c \
	tests/unit/steer/spill_test.c \
	tests/unit/steer/steer_test.c \
	tests/unit/steer/table_test.c
test_steer_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
test_steer_LDADD = libsteer.a libimage.a libwire.a libbase.a $(CHECK_LIBS) -lm
