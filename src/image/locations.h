/* locations.h - the locations image: network -> what the GeoIP databases say of it.
 *
 * Made when the databases are walked, and kept on disk beside the geo image: an edit of rules or
 * sites starts from here instead of walking the databases again, and `signpostctl explain` and
 * tests read it. The data plane never sees it.
 *
 * Each family is one ascending list of break points: value[i] holds from start[i] up to, not
 * including, start[i + 1]. start[0] is the zero address. Neighbours have different values. */
#ifndef IMAGE_LOCATIONS_H
#define IMAGE_LOCATIONS_H

#include "base/netprefix.h"
#include "image/image.h"

#define LOCATIONS_VERSION 1
#define LOCATION_NONE     UINT32_MAX /* as a database index: not from any */

/* An IPv6 address as two machine words, so that break points compare quickly. */
struct ip6_words {
	uint64_t high, low;
};

struct locations_root {
	uint64_t key; /* hash of what it was made from: databases (path, size, mtime), field
                                  paths, countries table. Same key: no need to walk again. */
	uint64_t v4_start_off; /* uint32_t[v4_count], host order */
	uint64_t v4_value_off; /* uint32_t[v4_count]: location number */
	uint64_t v6_start_off; /* struct ip6_words[v6_count] */
	uint64_t v6_value_off; /* uint32_t[v6_count] */
	uint32_t v4_count, v6_count;
	uint64_t locations_off; /* struct location[location_count]; number 0: nothing is known */
	uint64_t databases_off; /* uint32_t[database_count]: offset of the path as text */
	uint32_t location_count, database_count;
	uint64_t texts_off; /* NUL-terminated UTF-8 texts; offset 0 in here is "" */
	uint64_t texts_size;
};

enum location_has {
	LOCATION_COORDINATES = 1,
	LOCATION_COORDINATES_OF_COUNTRY = 2, /* they are the countries table's, not a database's */
};

struct location {
	float latitude, longitude; /* degrees; only with LOCATION_COORDINATES */
	uint32_t asn;              /* 0: not known */
	uint32_t city;             /* offset in texts, "" where not known */
	uint32_t subdivision;
	char country[2];   /* ISO 3166-1 alpha-2, upper case; NULs: not known */
	char continent[2]; /* AF AN AS EU NA OC SA; NULs: not known */
	uint32_t has;      /* enum location_has */
	/* which database said so: index, LOCATION_NONE: none did */
	uint32_t country_database, coordinates_database, asn_database, city_database;
};

/* The location of an address and the longest prefix around it that has this location. Embedded
 * IPv4 as in geo_find. */
const struct location *locations_find(const struct image *locations,
				      const struct ip_address *address, uint8_t *prefix_len);

const char *location_text(const struct image *locations, uint32_t offset);
const char *location_database(const struct image *locations, uint32_t database); /* "" for none */

int locations_verify(const struct image *locations, struct err *err);

#endif
