# zone files -> zones image
libcompile_a_SOURCES += \
	%D%/master_field.c %D%/master_field.h \
	%D%/master_generate.c %D%/master_generate.h \
	%D%/master_lexer.c %D%/master_lexer.h \
	%D%/master_quick.c %D%/master_quick.h \
	%D%/master_rdata.c %D%/master_rdata.h \
	%D%/master_directive.c %D%/master_directive.h \
	%D%/master_parse.c %D%/master_parse.h \
	%D%/master_reader.c %D%/master_reader.h \
	%D%/master_scan.h \
	%D%/master_rules.c %D%/master_rules.h \
	%D%/master_source.c %D%/master_source.h \
	%D%/master_svcb.c %D%/master_svcb.h \
	%D%/master_type.c %D%/master_type.h \
	%D%/master_word.c %D%/master_word.h \
	%D%/stretch.c %D%/stretch.h \
	%D%/zone_bind.c %D%/zone_bind.h \
	%D%/zone_check.c %D%/zone_check.h \
	%D%/zone_compile.c %D%/zone_compile.h \
	%D%/zone_draft.c %D%/zone_draft.h \
	%D%/zone_hosts.c %D%/zone_hosts.h \
	%D%/zone_pack.c %D%/zone_pack.h \
	%D%/zone_read.c %D%/zone_read.h \
	%D%/zone_service.c %D%/zone_service.h \
	%D%/zone_block.c %D%/zone_block.h %D%/zone_write.c %D%/zone_write.h \
	%D%/zones_build.c %D%/zones_build.h \
	%D%/zones_item.h \
	%D%/zones_line.c %D%/zones_line.h \
	%D%/zones_parallel.c %D%/zones_parallel.h

test_compile_SOURCES += \
	tests/unit/compile/quick_test.c \
	tests/unit/compile/zones_errors_test.c \
	tests/unit/compile/zones_image_test.c \
	tests/unit/compile/zones_ldns_test.c \
	tests/unit/compile/zones_test.h \
	tests/unit/compile/zones_test_support.c

check_PROGRAMS += test-zones-parallel
TESTS += test-zones-parallel
test_zones_parallel_SOURCES = \
	tests/unit/compile/compile_test.h \
	tests/unit/compile/stretch_test.c \
	tests/unit/compile/zone_read_test.c \
	tests/unit/compile/zones_parallel_main.c tests/unit/compile/zones_parallel_test.c \
	tests/unit/compile/zones_test.h \
	tests/unit/compile/zones_test_support.c
test_zones_parallel_CFLAGS = $(test_compile_CFLAGS)
test_zones_parallel_LDADD = $(test_compile_LDADD)
