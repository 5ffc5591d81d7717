/* countries.h - what is known of a country without a GeoIP database: its continent, and where
 * most of its people live (the countries table, a file of the operator's). */
#ifndef COMPILE_COUNTRIES_H
#define COMPILE_COUNTRIES_H

#include <stdbool.h>

#include "base/err.h"
#include "conf/diag.h"

#define COUNTRY_CODES (26 * 26)

struct countries {
	struct country {
		bool known;
		float latitude, longitude; /* degrees */
	} by_code[COUNTRY_CODES];
};

/* 0 to COUNTRY_CODES - 1; -1 where the code is not two upper-case letters. */
int country_index(const char code[2]);

/* NULL where the code is not two upper-case letters. */
struct country *countries_find(struct countries *countries, const char code[2]);

/* Reads lines of code, latitude, longitude and name, with tabs between; # begins a comment.
 * Mistakes go to diag with their line. */
void countries_read(struct countries *out, const char *path, struct diag *diag);

/* The continent of an ISO 3166-1 alpha-2 code (and XK, Kosovo); NULL: no such code. */
const char *country_continent(const char code[2]);

#endif
