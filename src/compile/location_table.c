#include "compile/location_table.h"

#include <stdlib.h>
#include <string.h>

#define TOGETHER 64U /* locations that are joined at once */

/* Locations are compared as bytes. */
_Static_assert(sizeof(struct location) == 6 * 4 + 4 + 6 * 4, "struct location has no holes");

static const struct location nothing = { .country_database = LOCATION_NONE,
					 .coordinates_database = LOCATION_NONE,
					 .asn_database = LOCATION_NONE,
					 .city_database = LOCATION_NONE };

void location_table_init(struct location_table *table, size_t field_count)
{
	*table = (struct location_table){ .field_words = location_field_words(field_count) };
	table->joined = mem_array(table->field_words, sizeof(*table->joined));
	(void)numbering_add(&table->field_sets, table->joined,
			    table->field_words * sizeof(*table->joined));
	for (int i = 0; i < COUNTRY_CODES; i++)
		table->continent[i] = country_continent(
			(char[2]){ (char)('A' + i / 26), (char)('A' + i % 26) });
	(void)numbering_add(&table->texts, "", 1);
	(void)numbering_add(&table->locations, &nothing, sizeof(nothing));
}

void location_table_free(struct location_table *table)
{
	numbering_free(&table->locations);
	numbering_free(&table->texts);
	numbering_free(&table->field_sets);
	memo_free(&table->merged);
	memo_free(&table->text_at);
	free(table->joined);
	table->joined = NULL;
}

uint32_t location_table_text(struct location_table *table, const char *text, size_t len)
{
	char *copy = mem_alloc(len + 1);
	uint32_t number;

	memcpy(copy, text, len);
	number = numbering_add(&table->texts, copy, len + 1);
	free(copy);
	return (uint32_t)table->texts.offsets[number];
}

static uint32_t database_text(struct location_table *table, const struct mmdb_text *text)
{
	bool found;
	uint32_t *known = memo_find(&table->text_at, text->at, &found);

	if (!found)
		*known = location_table_text(table, text->text, text->len);
	return *known;
}

static void set_country(const struct location_table *table, struct location *location,
			const struct mmdb_facts *facts, uint32_t database)
{
	int country = country_index(facts->country);
	const char *continent = NULL;

	memcpy(location->country, facts->country, sizeof(location->country));
	memcpy(location->continent, facts->continent, sizeof(location->continent));
	if (country >= 0 && facts->continent[0] == '\0')
		continent = table->continent[country];
	if (continent != NULL)
		memcpy(location->continent, continent, sizeof(location->continent));
	if (location->country[0] != '\0' || location->continent[0] != '\0')
		location->country_database = database;
}

uint32_t location_table_add(struct location_table *table, const struct mmdb_facts *facts,
			    const uint64_t *fields, uint32_t database)
{
	struct location location = nothing;

	location.fields = numbering_add(&table->field_sets, fields,
					table->field_words * sizeof(*fields));
	set_country(table, &location, facts, database);
	if (facts->has_coordinates) {
		location.latitude = facts->latitude;
		location.longitude = facts->longitude;
		location.has = LOCATION_COORDINATES;
		location.coordinates_database = database;
	}
	if (facts->asn != 0) {
		location.asn = facts->asn;
		location.asn_database = database;
	}
	if (facts->city.len > 0) {
		location.city = database_text(table, &facts->city);
		location.city_database = database;
	}
	if (facts->subdivision.len > 0)
		location.subdivision = database_text(table, &facts->subdivision);
	if (facts->subdivision_name.len > 0)
		location.subdivision_name = database_text(table, &facts->subdivision_name);
	return numbering_add(&table->locations, &location, sizeof(location));
}

/* --- several databases --------------------------------------------------------------------- */

/* Of each octet of the texts there at which one begins: where it begins here. */
static uint32_t *join_texts(struct location_table *table, const struct numbering *from)
{
	uint32_t *to = mem_array(from->bytes.len, sizeof(*to));

	for (uint32_t i = 0; i < from->count; i++) {
		uint32_t number = numbering_add(&table->texts, numbering_item(from, i),
						numbering_size(from, i));

		to[from->offsets[i]] = (uint32_t)table->texts.offsets[number];
	}
	return to;
}

static uint32_t *join_field_sets(struct location_table *table, const struct numbering *from)
{
	uint32_t *to = mem_array(from->count, sizeof(*to));

	for (uint32_t i = 0; i < from->count; i++)
		to[i] = numbering_add(&table->field_sets, numbering_item(from, i),
				      numbering_size(from, i));
	return to;
}

/* Each waits for memory of its own. */
static void join_some(struct location_table *table, const struct location_table *from,
		      uint32_t first, const uint32_t *texts, const uint32_t *field_sets,
		      uint32_t *to)
{
	uint32_t left = from->locations.count - first, count = left < TOGETHER ? left : TOGETHER;
	struct location some[TOGETHER];

	for (uint32_t i = 0; i < count; i++) {
		struct location *l = &some[i];

		*l = *location_table_at(from, first + i);
		l->city = texts[l->city];
		l->subdivision = texts[l->subdivision];
		l->subdivision_name = texts[l->subdivision_name];
		l->fields = field_sets[l->fields];
		numbering_prefetch(&table->locations, l, sizeof(*l));
	}
	for (uint32_t i = 0; i < count; i++)
		to[first + i] = numbering_add(&table->locations, &some[i], sizeof(some[i]));
}

uint32_t *location_table_join(struct location_table *table, const struct location_table *from)
{
	uint32_t *texts = join_texts(table, &from->texts);
	uint32_t *field_sets = join_field_sets(table, &from->field_sets);
	uint32_t *to = mem_array(from->locations.count, sizeof(*to));

	numbering_reserve(&table->locations, table->locations.count + from->locations.count,
			  sizeof(struct location));
	for (uint32_t i = 0; i < from->locations.count; i += TOGETHER)
		join_some(table, from, i, texts, field_sets, to);
	free(texts);
	free(field_sets);
	return to;
}

/* Country and continent go together: those of two databases might contradict each other. */
static void merge_country(struct location *to, const struct location *from)
{
	if (to->country[0] != '\0' || (to->continent[0] != '\0' && from->country[0] == '\0'))
		return;
	memcpy(to->country, from->country, sizeof(to->country));
	memcpy(to->continent, from->continent, sizeof(to->continent));
	to->country_database = from->country_database;
}

static struct location merge(const struct location *first, const struct location *second)
{
	struct location merged = *first;

	merge_country(&merged, second);
	if ((merged.has & LOCATION_COORDINATES) == 0) {
		merged.latitude = second->latitude;
		merged.longitude = second->longitude;
		merged.has = second->has;
		merged.coordinates_database = second->coordinates_database;
	}
	if (merged.asn == 0) {
		merged.asn = second->asn;
		merged.asn_database = second->asn_database;
	}
	if (merged.city == 0) {
		merged.city = second->city;
		merged.city_database = second->city_database;
	}
	if (merged.subdivision == 0 && merged.subdivision_name == 0) {
		merged.subdivision = second->subdivision;
		merged.subdivision_name = second->subdivision_name;
	}
	return merged;
}

static uint32_t join_fields(struct location_table *table, uint32_t first, uint32_t second)
{
	const uint64_t *a = numbering_item(&table->field_sets, first);
	const uint64_t *b = numbering_item(&table->field_sets, second);

	if (first == 0 || second == 0 || first == second)
		return first > second ? first : second;
	for (uint32_t i = 0; i < table->field_words; i++)
		table->joined[i] = a[i] | b[i];
	return numbering_add(&table->field_sets, table->joined,
			     table->field_words * sizeof(*table->joined));
}

uint32_t location_table_merge(struct location_table *table, uint32_t first, uint32_t second)
{
	struct location merged;
	uint32_t *known;
	bool found;

	if (first == 0 || second == 0)
		return first + second;
	known = memo_find(&table->merged, (uint64_t)first << 32 | second, &found);
	if (!found) {
		merged = merge(location_table_at(table, first), location_table_at(table, second));
		merged.fields = join_fields(table, merged.fields,
					    location_table_at(table, second)->fields);
		*known = numbering_add(&table->locations, &merged, sizeof(merged));
	}
	return *known;
}

struct location location_with_country(const struct location *location, struct countries *countries)
{
	struct location complete = *location;
	const struct country *country = countries_find(countries, location->country);

	if ((complete.has & LOCATION_COORDINATES) == 0 && country != NULL && country->known) {
		complete.latitude = country->latitude;
		complete.longitude = country->longitude;
		complete.has = LOCATION_COORDINATES | LOCATION_COORDINATES_OF_COUNTRY;
	}
	return complete;
}
