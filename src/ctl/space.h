/* space.h - from where clients come: how much address space, and how many queries, each country
 * and client class has.
 *
 * The space of a country is what the locations image gives it. Two geo images may be measured at
 * once (before and after an edit); a cell is then what has one class in each of them. Pure. */
#ifndef CTL_SPACE_H
#define CTL_SPACE_H

#include <stdint.h>
#include <stdio.h>

#include "base/err.h"
#include "image/geo.h"

enum measure {
	MEASURE_IPV4,    /* addresses */
	MEASURE_IPV6,    /* networks of 48 bits */
	MEASURE_QUERIES, /* of a profile */
	MEASURES
};

#define SPACE_COUNTRIES (26 * 26)
#define SPACE_NOWHERE   SPACE_COUNTRIES /* no country is known */

struct space_cell {
	uint32_t classes[2]; /* in each geo image */
	uint32_t country;    /* 0 to SPACE_NOWHERE */
	double amount[MEASURES];
	struct ip_address example; /* the first address of the first network that was measured */
};

struct space {
	struct space_cell *cells;
	uint32_t count, cap;
	uint32_t *index; /* hash table of cell numbers + 1 */
	uint32_t index_size;
	double total[MEASURES];
};

/* Measures unicast space. Networks of which nothing is known are left out, unless that is all of
 * them. `locations` without base: none are known. */
void space_measure(struct space *out, const struct image *locations, const struct image *before,
		   const struct image *after);
void space_free(struct space *space);

/* Adds a cell to that of its classes and country. */
void space_add(struct space *space, const struct space_cell *cell);

/* Reads a profile into MEASURE_QUERIES, lines of "CLIENTS QUERIES": CLIENTS is a network, an
 * address or a country. A country's queries are spread over its classes by their address space. */
int space_read_profile(struct space *space, FILE *file, const char *path,
		       const struct image *locations, const struct image *before,
		       const struct image *after, struct err *err);

/* The number of a country code; SPACE_NOWHERE where it is none. */
uint32_t space_country(const char code[2]);
void space_country_code(uint32_t country, char code[3]); /* "": nowhere */

#endif
