#include "compile/override_row.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "conf/country.h"
#include "conf/source.h"

#define NETWORK_SIZE 64U
#define TEXT_MAX     255U /* octets of a city's name */

/* A part of the line. */
struct part {
	const char *text;
	size_t len;
};

static void mistake(const struct override_row *row, struct part part, const char *what)
{
	const struct override_line *line = &row->line;
	struct place place = { line->file, line->number, (unsigned)(part.text - line->text) + 1,
			       (unsigned)part.len };

	diag_add(row->context->diag, DIAG_ERROR, &place, line->text, line->len, "\"%.*s\" %s",
		 (int)part.len, part.text, what);
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

/* --- values -------------------------------------------------------------------------------- */

/* Each takes a value; NULL, or what is wrong with it. */
typedef const char *read_value(struct override_row *row, struct part value);

static const char *read_country(struct override_row *row, struct part value)
{
	static const char *const wrong = "is not a country code (two upper-case letters)";

	if (value.len != 2 || country_index(value.text) < 0)
		return wrong;
	if (!country_is_known(value.text))
		return country_meant(value.text) != NULL ? "is not the ISO 3166-1 code that is "
							   "meant"
							 : "is no country's code";
	memcpy(row->location.country, value.text, 2);
	return NULL;
}

static const char *read_continent(struct override_row *row, struct part value)
{
	if (value.len != 2 || !continent_is_known(value.text))
		return "is not a continent (AF, AN, AS, EU, NA, OC, SA)";
	memcpy(row->location.continent, value.text, 2);
	return NULL;
}

static const char *read_text(struct override_row *row, struct part value, uint32_t *out)
{
	struct numbering *texts = &row->context->texts;
	char copy[TEXT_MAX + 1];
	uint32_t number;

	if (value.len == 0 || value.len > TEXT_MAX)
		return "is not a name of 1 to 255 octets";
	if (!source_is_text(value.text, value.len))
		return "is not UTF-8 text";
	memcpy(copy, value.text, value.len);
	copy[value.len] = '\0';
	number = numbering_add(texts, copy, value.len + 1); /* which may move the offsets */
	*out = (uint32_t)texts->offsets[number];
	return NULL;
}

static const char *read_subdivision(struct override_row *row, struct part value)
{
	return read_text(row, value, &row->location.subdivision);
}

static const char *read_city(struct override_row *row, struct part value)
{
	return read_text(row, value, &row->location.city);
}

static bool read_degrees(struct part value, double limit, float *out)
{
	char *end;
	double degrees = strtod(value.text, &end);

	if (value.len == 0 || end != value.text + value.len || !(fabs(degrees) <= limit))
		return false;
	*out = (float)degrees;
	return true;
}

static const char *read_latitude(struct override_row *row, struct part value)
{
	return read_degrees(value, 90, &row->location.latitude) ? NULL
								: "is not a latitude (-90 to 90)";
}

static const char *read_longitude(struct override_row *row, struct part value)
{
	return read_degrees(value, 180, &row->location.longitude)
		       ? NULL
		       : "is not a longitude (-180 to 180)";
}

/* 64500 or AS64500. */
static const char *read_asn(struct override_row *row, struct part value)
{
	uint64_t asn = 0;
	size_t at = value.len > 2 && memcmp(value.text, "AS", 2) == 0 ? 2 : 0;

	if (value.len - at > 10)
		return "is not an AS number";
	for (size_t i = at; i < value.len; i++) {
		if (value.text[i] < '0' || value.text[i] > '9')
			return "is not an AS number";
		asn = asn * 10 + (uint64_t)(value.text[i] - '0');
	}
	if (asn == 0 || asn > UINT32_MAX)
		return "is not an AS number";
	row->location.asn = (uint32_t)asn;
	return NULL;
}

static const char *read_site(struct override_row *row, struct part value)
{
	uint32_t site = numbering_find(&row->context->site_names, value.text, value.len);

	if (site == UINT32_MAX)
		return "is not a site of the server file";
	row->location.latitude = (float)row->context->config->sites[site].latitude;
	row->location.longitude = (float)row->context->config->sites[site].longitude;
	return NULL;
}

enum key {
	KEY_COUNTRY,
	KEY_CONTINENT,
	KEY_SUBDIVISION,
	KEY_CITY,
	KEY_LATITUDE,
	KEY_LONGITUDE,
	KEY_ASN,
	KEY_SITE,
	KEYS
};
#define BIT(key) (UINT32_C(1) << (key))

static const struct {
	const char *name;
	read_value *read;
} keys[KEYS] = {
	[KEY_COUNTRY] = { "country", read_country },
	[KEY_CONTINENT] = { "continent", read_continent },
	[KEY_SUBDIVISION] = { "subdivision", read_subdivision },
	[KEY_CITY] = { "city", read_city },
	[KEY_LATITUDE] = { "latitude", read_latitude },
	[KEY_LONGITUDE] = { "longitude", read_longitude },
	[KEY_ASN] = { "asn", read_asn },
	[KEY_SITE] = { "site", read_site },
};

static int find_key(struct part name)
{
	for (int i = 0; i < KEYS; i++)
		if (strncmp(keys[i].name, name.text, name.len) == 0 &&
		    keys[i].name[name.len] == '\0')
			return i;
	return -1;
}

/* --- the line ------------------------------------------------------------------------------ */

static bool read_network(struct override_row *row, struct part part)
{
	char text[NETWORK_SIZE];
	bool has_host_bits = false;

	if (part.len < sizeof(text)) {
		memcpy(text, part.text, part.len);
		text[part.len] = '\0';
		if (ip_prefix_parse(text, &row->network, &has_host_bits))
			return true;
	}
	mistake(row, part,
		has_host_bits ? "has bits behind its prefix length"
			      : "is not a network or address");
	return false;
}

/* From behind the "=": to the next blank, or between quotes. */
static bool take_value(const struct override_row *row, const char **at, struct part *value)
{
	const char *end;

	*value = (struct part){ *at, strcspn(*at, " \t") };
	if (**at != '"') {
		*at += value->len;
		return true;
	}
	end = strchr(*at + 1, '"');
	if (end == NULL || (end[1] != '\0' && !is_blank(end[1]))) {
		value->len = strlen(*at);
		mistake(row, *value,
			end == NULL ? "has no closing quote" : "goes on behind its quote");
		return false;
	}
	*value = (struct part){ *at + 1, (size_t)(end - *at - 1) };
	*at = end + 1;
	return true;
}

/* One KEY=VALUE. false: there was a mistake. */
static bool read_pair(struct override_row *row, const char **at)
{
	struct part name = { *at, strcspn(*at, "= \t") }, value;
	const char *wrong;
	int key;

	if (name.text[name.len] != '=') {
		mistake(row, name, "is not KEY=VALUE");
		return false;
	}
	key = find_key(name);
	if (key < 0 || (row->named & BIT(key)) != 0) {
		mistake(row, name,
			key < 0 ? "is not one of country, continent, subdivision, city, latitude, "
				  "longitude, asn, site"
				: "is there twice");
		return false;
	}
	*at += name.len + 1;
	if (!take_value(row, at, &value))
		return false;
	row->named |= BIT(key);
	wrong = keys[key].read(row, value);
	if (wrong != NULL)
		mistake(row, value, wrong);
	return wrong == NULL;
}

static void take_country(struct override_row *row)
{
	struct location *l = &row->location;
	const struct country *country = countries_find(row->context->countries, l->country);
	const char *continent = row->context->continents[country_index(l->country)];

	if ((row->named & BIT(KEY_CONTINENT)) == 0 && continent != NULL)
		memcpy(l->continent, continent, sizeof(l->continent));
	if ((l->has & LOCATION_COORDINATES) == 0 && country->known) {
		l->latitude = country->latitude;
		l->longitude = country->longitude;
		l->has |= LOCATION_COORDINATES | LOCATION_COORDINATES_OF_COUNTRY;
	}
}

static const char *complete(struct override_row *row)
{
	uint32_t both = BIT(KEY_LATITUDE) | BIT(KEY_LONGITUDE), named = row->named;

	if (named == 0)
		return "is all there is: nothing is said of it";
	if ((named & both) != 0 && (named & both) != both)
		return "has a latitude or a longitude, but not both";
	if ((named & BIT(KEY_SITE)) != 0 && (named & both) != 0)
		return "has both a site and coordinates";
	if ((named & (both | BIT(KEY_SITE))) != 0)
		row->location.has |= LOCATION_COORDINATES | LOCATION_IS_PLACE;
	if ((named & BIT(KEY_COUNTRY)) != 0) {
		row->location.has |= LOCATION_IS_PLACE;
		take_country(row);
	}
	return NULL;
}

static const char *skip_blanks(const char *at)
{
	while (is_blank(*at))
		at++;
	return at;
}

bool override_row_read(struct override_row *row)
{
	const char *at = skip_blanks(row->line.text);
	struct part network = { at, strcspn(at, " \t") };
	const char *wrong;

	if (*at == '\0' || *at == '#')
		return false;
	if (strlen(row->line.text) != row->line.len) {
		mistake(row, network, "is in a line with a NUL octet: this is not a text file");
		return false;
	}
	row->named = 0;
	row->location = (struct location){ .country_database = LOCATION_NONE,
					   .coordinates_database = LOCATION_NONE,
					   .asn_database = LOCATION_NONE,
					   .city_database = LOCATION_NONE };
	if (!read_network(row, network))
		return false;
	for (at = skip_blanks(at + network.len); *at != '\0' && *at != '#'; at = skip_blanks(at))
		if (!read_pair(row, &at))
			return false;
	wrong = complete(row);
	if (wrong != NULL)
		mistake(row, network, wrong);
	return wrong == NULL;
}
