/* country_table.h - names and centres of countries, for people: geoip/countries.tsv, as far as it
 * can be read. Without it countries go by their codes. */
#ifndef CTL_COUNTRY_TABLE_H
#define CTL_COUNTRY_TABLE_H

#include <stdbool.h>
#include <stdio.h>

#include "image/image.h"

struct country_row {
	char code[3];
	double latitude, longitude;
	char *name;
};

struct country_table {
	struct country_row *rows;
	size_t count, cap;
};

void country_table_read(struct country_table *out, FILE *file);
void country_table_find(struct country_table *out, const struct image *plan,
			const struct image *locations);
void country_table_close(struct country_table *table);

/* NULL: it is not in the table. */
const struct country_row *country_table_row(const struct country_table *table, const char *code);
const char *country_table_name(const struct country_table *table, const char *code);

#endif
