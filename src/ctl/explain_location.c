#include <string.h>

#include "base/mem.h"
#include "ctl/explain_parts.h"

/* JSON text of a country or continent code; null where it is not known. */
static json_t *code(const char letters[2])
{
	return letters[0] == '\0' ? json_null() : json_stringn(letters, 2);
}

static json_t *text_or_null(const char *text)
{
	return text[0] == '\0' ? json_null() : json_string(text);
}

static void add_coordinates(json_t *told, const struct image *image, const struct location *l)
{
	if ((l->has & LOCATION_COORDINATES) == 0)
		return;
	json_object_set_new(told, "latitude", json_real((double)l->latitude));
	json_object_set_new(told, "longitude", json_real((double)l->longitude));
	json_object_set_new(told, "coordinates_of_country",
			    json_boolean((l->has & LOCATION_COORDINATES_OF_COUNTRY) != 0));
	json_object_set_new(told, "coordinates_database",
			    text_or_null(location_database(image, l->coordinates_database)));
}

static json_t *location(const struct image *image, const struct location *l)
{
	json_t *told = json_object();

	json_object_set_new(told, "continent", code(l->continent));
	json_object_set_new(told, "country", code(l->country));
	json_object_set_new(told, "country_database",
			    text_or_null(location_database(image, l->country_database)));
	json_object_set_new(told, "subdivision",
			    text_or_null(location_text(image, l->subdivision)));
	json_object_set_new(told, "city", text_or_null(location_text(image, l->city)));
	json_object_set_new(told, "city_database",
			    text_or_null(location_database(image, l->city_database)));
	json_object_set_new(told, "asn", l->asn == 0 ? json_null() : json_integer(l->asn));
	json_object_set_new(told, "asn_database",
			    text_or_null(location_database(image, l->asn_database)));
	add_coordinates(told, image, l);
	return told;
}

json_t *explain_location(const struct image *locations, const struct located *located,
			 const struct ip_address *address)
{
	json_t *told = location(locations, &located->location);

	json_object_set_new(told, "prefix", explain_prefix(address, located->prefix_len));
	if (located->row == NULL)
		return told;
	/* Beside what holds, what the databases say. */
	json_object_set_new(told, "override",
			    json_pack("{s:s, s:I, s:o}", "file", located->file, "line",
				      (json_int_t)located->row->line, "vendor",
				      location(locations, &located->vendor)));
	return told;
}
