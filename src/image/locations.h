/* locations.h - the locations image: network -> what the GeoIP databases and the operator say of it.
 *
 * Made when the databases are walked, and kept on disk beside the geo image: an edit of
 * overrides starts from here instead of walking the databases again, one of pools takes it as it
 * is, and `signpostctl explain` and tests read it. The data plane never sees it.
 *
 * Networks are break points, packed (image/breakpoints.h), and places are packed, too: half a million
 * of them are kept in memory for the next reload. */
#ifndef IMAGE_LOCATIONS_H
#define IMAGE_LOCATIONS_H

#include "image/breakpoints.h"

#define LOCATIONS_VERSION 5
#define LOCATION_NONE     UINT32_MAX /* as a database index: not from any */

/* The break points of both families. */
struct location_breaks {
	struct break_list family[2]; /* IPv4, IPv6 */
};

/* A file of the operator's, of networks and where they are. Values of `breaks`: number of the row
 * + 1 of the longest network, 0: there is none. */
struct location_rows {
	struct location_breaks breaks;
	uint64_t rows_off;      /* struct location_row[row_count] */
	uint64_t locations_off; /* struct location[location_count]: what rows name, no more */
	uint32_t row_count, location_count;
	uint32_t file; /* text; "": there is no such file, and all of this is empty */
	uint32_t warnings; /* how many the file was worth when it was read */
};

struct location_row {
	uint32_t line;
	uint32_t location; /* of the table's own */
};

struct locations_root {
	uint64_t key; /* hash of what the databases' part was made from: databases (path, size,
                                  mtime), field paths, countries table. Same key: no need to walk
                                  again. */
	/* The databases' part: up to databases_end. Values of `breaks` are location numbers. */
	struct location_breaks breaks;
	uint64_t places_off;    /* struct location_place[location_count]; number 0: nothing is known */
	uint64_t origins_off;   /* struct location_origin[origin_count] */
	uint64_t databases_off; /* uint32_t[database_count]: offset of the path as text */
	uint32_t location_count, database_count;
	uint32_t origin_count, reserved;
	uint64_t texts_off; /* NUL-terminated UTF-8 texts; offset 0 in here is "" */
	uint64_t texts_size;
	/* uint64_t[field_set_count][field_words]: bit i says that config.fields[i] is so; set 0: none */
	uint64_t field_sets_off;
	uint32_t field_set_count, field_words;
	uint64_t databases_end;
	/* The operator's part. Its key is a hash of what it was made from beside the databases: both
	 * files with all that is in them, and the sites that they may name. Both keys the same: the
	 * whole image is. */
	uint64_t operators_key;
	struct location_rows overrides; /* win over the databases */
	struct location_rows resolvers; /* for queries without client subnet */
	uint64_t more_texts_off;        /* offsets of texts from texts_size on lie in here */
	uint64_t more_texts_size;
};

enum location_has {
	LOCATION_COORDINATES = 1,
	LOCATION_COORDINATES_OF_COUNTRY = 2, /* they are the countries table's, not a database's */
	LOCATION_IS_PLACE = 4, /* of a row: names country or coordinates, so all of place is its */
};

struct location {
	float latitude, longitude; /* degrees; only with LOCATION_COORDINATES */
	uint32_t asn;              /* 0: not known */
	uint32_t city;             /* offset in texts, "" where not known */
	uint32_t subdivision;      /* code, or name where that is all that is known */
	uint32_t subdivision_name; /* where there is a code, too; else "" */
	char country[2];           /* ISO 3166-1 alpha-2, upper case; NULs: not known */
	char continent[2];         /* AF AN AS EU NA OC SA; NULs: not known */
	uint32_t has;              /* enum location_has */
	uint32_t fields;           /* set of fields */
	/* which database said so: index, LOCATION_NONE: none did */
	uint32_t country_database, coordinates_database, asn_database, city_database;
};

/* A location of the databases as it lies in the image: what many have in common stands apart. */
struct location_place {
	float latitude, longitude;
	uint32_t asn, city, subdivision, subdivision_name;
	char country[2], continent[2];
	uint32_t origin;
};

struct location_origin {
	uint32_t has, fields;
	uint32_t country_database, coordinates_database, asn_database, city_database;
};

/* The databases' location of this number. */
void location_read(const struct image *locations, uint32_t number, struct location *out);

/* What is known of an address, and how. */
struct located {
	struct location location;       /* overrides heeded: what holds */
	struct location vendor;         /* what the databases say */
	const struct location_row *row; /* of the file that has the last word, NULL: it has none */
	const char *file;               /* its path, "" where row is NULL */
	uint8_t prefix_len; /* the longest prefix around the address of which all this is true */
};

/* Embedded IPv4 as in geo_find. */
void locations_find(const struct image *locations, const struct ip_address *address,
		    struct located *out);

/* The same of whoever asks without a client subnet. false: the resolver table does not know the
 * address, and *out is that of locations_find; only its prefix_len is true of both. */
bool locations_find_source(const struct image *locations, const struct ip_address *address,
			   struct located *out);

/* Puts what a row names over a location: all of place where it names a country or coordinates. */
void location_override(struct location *location, const struct location *row);

const char *location_text(const struct image *locations, uint32_t offset);
const char *location_database(const struct image *locations, uint32_t database); /* "" for none */

int locations_verify(const struct image *locations, struct err *err);

#endif
