/* geo_fixture.h - what the tests of the geo side share: sites, a pool, databases, built images. */
#ifndef TESTS_GEO_FIXTURE_H
#define TESTS_GEO_FIXTURE_H

#include "compile/geo_build.h"
#include "image/geo.h"
#include "image/locations.h"
#include "tests/unit/run.h"

#define FIXTURE_SITES 8
#define DATA(name)    SIGNPOST_SRCDIR "/tests/data/" name
#define COUNTRY_MMDB  SIGNPOST_SRCDIR "/geoip/country.mmdb"
#define COUNTRIES_TSV SIGNPOST_SRCDIR "/geoip/countries.tsv"

enum { TOKYO, SINGAPORE, SYDNEY, FRANKFURT, LONDON, NEWYORK, SANFRANCISCO, SAOPAULO };

/* A server file with the sample's eight sites, one pool over all of them, depth 4, no database. */
struct fixture {
	struct config config;
	struct config_site sites[FIXTURE_SITES];
	struct config_pool_site pool_sites[FIXTURE_SITES];
	struct config_pool pools[2];
	struct config_database databases[4];
	struct diag *diag;
	struct err err;
	char paths[4][32]; /* of files that fixture_write made */
	unsigned path_count;
	struct image geo, locations; /* what fixture_build made; base NULL: nothing */
	int locations_fd;            /* of these; 0: none */
	uint32_t kept_warnings;
};

void fixture_open(struct fixture *f);
void fixture_close(struct fixture *f);
struct config_database *fixture_add_database(struct fixture *f, const char *path);

/* Builds without regard to what was built before; the images of before are closed. */
void fixture_build(struct fixture *f);
/* The same with `previous` locations; those of before are not closed. */
void fixture_build_from(struct fixture *f, const struct image *previous);
void fixture_build_again(struct fixture *f); /* with the locations of before */
/* With those of before and their memory, which may be taken over; true: it was. */
bool fixture_take_over(struct fixture *f);
/* A file of this text, which fixture_close removes; its path. */
const char *fixture_write(struct fixture *f, const char *text);
void fixture_rewrite(const char *path, const char *text); /* one that is there */
/* What diag_print shows; free it. */
char *fixture_mistakes(const struct fixture *f);

/* xorshift64*, so that a failure can be repeated. */
uint64_t fixture_random(uint64_t *state);

struct ip_address fixture_address(const char *text);
/* The preference of an address in a pool. */
const struct geo_pref *fixture_pref(const struct fixture *f, const char *address, uint32_t pool);

Suite *breaks_suite(void);
Suite *geo_trie_suite(void);
Suite *geo_build_suite(void);
Suite *geo_clients_suite(void);
Suite *geo_model_suite(void);
Suite *geo_nearest_suite(void);
Suite *overrides_suite(void);
Suite *geo_find_suite(void);
Suite *locations_suite(void);

#endif
