noinst_LIBRARIES += libimage.a
libimage_a_SOURCES = \
	%D%/boot.h %D%/compiled.h \
	%D%/geo.c %D%/geo.h \
	%D%/handover.h \
	%D%/image.c %D%/image.h \
	%D%/locations.c %D%/locations.h \
	%D%/plan.c %D%/plan.h \
	%D%/rdata_names.c %D%/rdata_names.h \
	%D%/rrset.c %D%/rrset.h \
	%D%/rrset_build.c %D%/rrset_build.h \
	%D%/steering.c %D%/steering.h \
	%D%/world.c %D%/world.h \
	%D%/zones.c %D%/zones.h \
	%D%/zones_verify.c
