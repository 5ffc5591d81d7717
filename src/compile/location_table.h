/* location_table.h - the distinct locations while they are gathered from the databases. */
#ifndef COMPILE_LOCATION_TABLE_H
#define COMPILE_LOCATION_TABLE_H

#include "compile/countries.h"
#include "compile/mmdb_fields.h"
#include "compile/numbering.h"
#include "image/locations.h"

/* Location 0: nothing is known. Texts are NUL-terminated; what points to them is their offset. */
struct location_table {
	struct numbering locations; /* struct location */
	struct numbering texts;
	struct numbering field_sets; /* uint64_t[field_words]; number 0: none */
	uint32_t field_words;        /* 1 or more */
	uint64_t *joined;            /* scratch */
	struct memo merged;
	struct memo text_at; /* place of a text in the database in hand -> its offset here */
	const char *continent[COUNTRY_CODES]; /* country_continent of each code */
};

/* Of a set of fields. */
static inline uint32_t location_field_words(size_t field_count)
{
	return field_count > 0 ? (uint32_t)(field_count + 63) / 64 : 1;
}

void location_table_init(struct location_table *table, size_t field_count);
void location_table_free(struct location_table *table);

uint32_t location_table_text(struct location_table *table, const char *text, size_t len);

static inline const struct location *location_table_at(const struct location_table *table,
						       uint32_t number)
{
	return (const struct location *)numbering_item(&table->locations, number);
}

/* The location that these facts of a database make, and the set of fields that are so; 0 when they
 * say nothing. A country without a continent gets the one that it lies on. The texts are known by
 * their places in the database: a table is added to from one only. */
uint32_t location_table_add(struct location_table *table, const struct mmdb_facts *facts,
			    const uint64_t *fields, uint32_t database);

/* Adds all that is in `from`, which holds what other databases say: where they are told apart by
 * number, all of it in the order in which it came there. to[] of each location there: its number here
 * (the caller's). */
uint32_t *location_table_join(struct location_table *table, const struct location_table *from);

/* For each field what `first` knows, else what `second` does; the fields that clients are told by
 * are so when they are in either. */
uint32_t location_table_merge(struct location_table *table, uint32_t first, uint32_t second);

/* The location as it goes into the image: where no database knew coordinates, the country's. */
struct location location_with_country(const struct location *location, struct countries *countries);

#endif
