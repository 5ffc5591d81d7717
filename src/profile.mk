# --enable-pgo: what a query passes through is compiled twice: so that it counts where it goes while
# bench-answer asks questions of every kind, alone and in batches, and then as these counts propose.
if PGO
PROFILED = libbase.a libwire.a libimage.a libserve.a
profiled_objects = $(libbase_a_OBJECTS) $(libwire_a_OBJECTS) $(libimage_a_OBJECTS) $(libserve_a_OBJECTS)
BUILT_SOURCES += profile.stamp
CLEANFILES += profile.stamp $(profiled_objects:.o=.gcda)

profile.stamp: $(libbase_a_SOURCES) $(libwire_a_SOURCES) $(libimage_a_SOURCES) $(libserve_a_SOURCES)
	$(AM_V_GEN)rm -f $@ $(PROFILED) $(profiled_objects) $(profiled_objects:.o=.gcda) bench-answer$(EXEEXT)
	$(AM_V_at)$(MAKE) $(AM_MAKEFLAGS) PGO_CFLAGS=-fprofile-generate \
		HARDEN_LDFLAGS='$(HARDEN_LDFLAGS) -fprofile-generate' bench-answer$(EXEEXT)
	$(AM_V_at)./bench-answer$(EXEEXT) 1000 20000 > /dev/null
	$(AM_V_at)./bench-answer$(EXEEXT) 1000 40000 batch > /dev/null
	$(AM_V_at)rm -f $(PROFILED) $(profiled_objects) bench-answer$(EXEEXT)
	$(AM_V_at)echo "as bench-answer went" > $@
endif
