/* mmdb_fields.h - what a database's record says of a place: the known layouts, and set paths.
 *
 * The layout is the first in the table of which a record holds any field; from then on only its
 * paths are looked at. A path that the operator set takes the place of the layout's. */
#ifndef COMPILE_MMDB_FIELDS_H
#define COMPILE_MMDB_FIELDS_H

#include <maxminddb.h>
#include <stdbool.h>

#include "base/err.h"
#include "base/mem.h"
#include "compile/mmdb_record.h"
#include "conf/config.h"

enum mmdb_field {
	FIELD_COUNTRY,
	FIELD_CONTINENT,
	FIELD_SUBDIVISION,
	FIELD_CITY,
	FIELD_LATITUDE,
	FIELD_LONGITUDE,
	FIELD_ASN,
	FIELD_SUBDIVISION_NAME, /* beside its code; nobody sets where it is */
	FIELD_COUNT
};

/* Texts are the database's own, not terminated. */
struct mmdb_text {
	const char *text;
	uint32_t len;
	uint32_t at; /* offset in the data section: the same text lies there for many records */
};

struct mmdb_facts {
	char country[2], continent[2]; /* NULs: not known */
	struct mmdb_text subdivision, subdivision_name, city;
	bool has_coordinates;
	float latitude, longitude;
	uint32_t asn; /* 0: not known */
};

/* A path, cut at its dots, as libmaxminddb wants it: keys and a NULL. */
#define MMDB_PATH_MAX 8
struct mmdb_path {
	const char *key[MMDB_PATH_MAX + 1];
};

#define MMDB_FIRST_MAX 8
struct mmdb_fields {
	const MMDB_s *db;
	int layout; /* -1: not known yet */
	bool is_set[FIELD_COUNT];
	struct mmdb_path set[FIELD_COUNT];
	uint32_t found[FIELD_COUNT];    /* how many records had it */
	uint32_t first[MMDB_FIRST_MAX]; /* offsets of the first records, to describe them */
	uint32_t first_count;
};

/* The name that the server file has for a field: "country", "asn", ... */
extern const char *const mmdb_field_name[FIELD_COUNT];

/* Cuts a text at its dots. -1: it has too many or empty steps. Texts live in the arena. */
int mmdb_path_cut(const char *text, struct mmdb_path *path, struct arena *arena);

/* -1: a set path has too many or empty steps. Texts live in the arena. */
int mmdb_fields_open(struct mmdb_fields *fields, const MMDB_s *db,
		     const struct config_geo_fields *set, struct arena *arena, struct err *err);

/* What a record says. -1: it is damaged. */
int mmdb_fields_read(struct mmdb_fields *fields, struct mmdb_record *record,
		     struct mmdb_facts *out, struct err *err);

/* What the first records hold: "country_code (text), latitude (float)". The caller's; free it. */
char *mmdb_fields_describe(const struct mmdb_fields *fields);

#endif
