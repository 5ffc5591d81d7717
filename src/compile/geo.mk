# GeoIP databases, distance, rules -> locations and geo image
libcompile_a_SOURCES += \
	%D%/beside.c %D%/beside.h \
	%D%/breaks.c %D%/breaks.h \
	%D%/countries.c %D%/countries.h \
	%D%/database_part.c %D%/database_part.h \
	%D%/geo_build.c %D%/geo_build.h \
	%D%/geo_clients.c %D%/geo_clients.h \
	%D%/geo_facts.c %D%/geo_facts.h \
	%D%/geo_layers.c %D%/geo_layers.h \
	%D%/geo_measure.c %D%/geo_measure.h %D%/geo_sites.c \
	%D%/geo_overlay.c %D%/geo_overlay.h \
	%D%/geo_places.c %D%/geo_places.h \
	%D%/geo_prefs.c %D%/geo_prefs.h \
	%D%/geo_spots.c %D%/geo_spots.h \
	%D%/geo_trie.c %D%/geo_trie.h \
	%D%/location_table.c %D%/location_table.h \
	%D%/locations_build.c %D%/locations_build.h \
	%D%/mmdb_asked.c %D%/mmdb_asked.h \
	%D%/mmdb_fields.c %D%/mmdb_fields.h \
	%D%/mmdb_record.c %D%/mmdb_record.h \
	%D%/mmdb_walk.c %D%/mmdb_walk.h \
	%D%/network_sweep.c %D%/network_sweep.h \
	%D%/numbering.c %D%/numbering.h \
	%D%/operator_part.c %D%/operator_part.h \
	%D%/override_row.c %D%/override_row.h \
	%D%/overrides.c %D%/overrides.h \
	%D%/radix.c %D%/radix.h

check_PROGRAMS += test-geo
TESTS += test-geo
test_geo_SOURCES = \
	tests/unit/compile/geo_fixture.c tests/unit/compile/geo_fixture.h \
	tests/unit/compile/breaks_test.c tests/unit/compile/geo_main.c \
	tests/unit/compile/geo_clients_test.c tests/unit/compile/geo_model_test.c \
	tests/unit/compile/geo_nearest_test.c tests/unit/compile/geo_trie_test.c \
	tests/unit/compile/locations_test.c \
	tests/unit/image/geo_test.c tests/unit/run.h
test_geo_CPPFLAGS = $(AM_CPPFLAGS) -DSIGNPOST_SRCDIR='"$(abs_top_srcdir)"'
test_geo_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS) $(MAXMINDDB_CFLAGS)
test_geo_LDADD = $(libcompile_LIBS) $(CHECK_LIBS)

check_PROGRAMS += test-geo-build
TESTS += test-geo-build
test_geo_build_SOURCES = \
	tests/unit/compile/geo_build_main.c tests/unit/compile/geo_build_test.c \
	tests/unit/compile/geo_fixture.c tests/unit/compile/geo_fixture.h \
	tests/unit/compile/overrides_test.c tests/unit/run.h
test_geo_build_CPPFLAGS = $(test_geo_CPPFLAGS)
test_geo_build_CFLAGS = $(test_geo_CFLAGS)
test_geo_build_LDADD = $(test_geo_LDADD)

EXTRA_DIST += tests/data/make-mmdb tests/data/asn.mmdb tests/data/flat-ipv4.mmdb \
	tests/data/nested-city.mmdb tests/data/own-fields.mmdb tests/data/traits.mmdb \
	tests/data/unknown-fields.mmdb
