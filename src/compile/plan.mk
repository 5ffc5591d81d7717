# configuration -> plan image, and what drives all parts
libcompile_a_SOURCES += \
	%D%/boot_fill.c %D%/boot_fill.h \
	%D%/plan_build.c %D%/plan_build.h \
	%D%/produce.c %D%/produce.h
test_compile_SOURCES += \
	tests/unit/compile/plan_copy.c tests/unit/compile/plan_copy.h \
	tests/unit/compile/plan_test.c tests/unit/compile/plan_verify_test.c \
	tests/unit/conf/fixture.c tests/unit/conf/fixture.h
