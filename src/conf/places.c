#include "conf/places.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "conf/country.h"
#include "conf/source.h"

#define IATA_WORD "IATA:"
#define CODE_SIZE 6
#define HINTS_MAX 3

struct entry {
	char code[CODE_SIZE];
	double latitude, longitude;
	const char *name; /* of name_len octets */
	size_t name_len;
};

struct table {
	const char *path;    /* NULL: there is no file */
	const char *missing; /* what is said where there is none */
	bool told;           /* its mistakes are told by who locates clients */
	bool read;
	struct entry *entries; /* in the order of the file */
	size_t count, cap;
};

struct places {
	struct conf *conf;
	struct arena arena; /* texts of the tables */
	struct table countries, places;
};

/* --- tables ----------------------------------------------------------------------------------- */

static bool read_degrees(const char *text, size_t len, double limit, double *out)
{
	char *end;

	if (len == 0 || strspn(text, "+-.0123456789") < len)
		return false;
	*out = strtod(text, &end);
	return end == text + len && fabs(*out) <= limit;
}

/* false: the line is no entry. */
static bool read_entry(const char *line, size_t len, struct entry *entry)
{
	const char *part[4];
	size_t size[4];

	for (int i = 0; i < 4; i++) {
		const char *tab = memchr(line, '\t', len);

		part[i] = line;
		size[i] = tab != NULL ? (size_t)(tab - line) : len;
		line += size[i];
		len -= size[i];
		if (tab != NULL) {
			line++;
			len--;
		}
	}
	if (size[0] == 0 || size[0] >= CODE_SIZE)
		return false;
	*entry = (struct entry){ .name = part[3], .name_len = size[3] };
	memcpy(entry->code, part[0], size[0]);
	return read_degrees(part[1], size[1], 90, &entry->latitude) &&
	       read_degrees(part[2], size[2], 180, &entry->longitude);
}

static void read_lines(struct places *places, struct table *table, const struct source *source)
{
	const char *end = source->text + source->size;
	struct source_walk walk = { .source = source };

	for (const char *line = source->text; line < end;) {
		const char *stop = memchr(line, '\n', (size_t)(end - line));
		size_t len = (size_t)((stop != NULL ? stop : end) - line);
		size_t kept = len > 0 && line[len - 1] == '\r' ? len - 1 : len;
		struct entry entry;
		struct place place;

		if (kept == 0 || line[0] == '#') {
			/* nothing is said here */
		} else if (read_entry(line, kept, &entry)) {
			array_add(table->entries, table->count, table->cap) = entry;
		} else if (!table->told) {
			place = source_walk_place(&walk, (size_t)(line - source->text), kept);
			conf_error(places->conf, &place,
				   "this is not a code, a latitude, a longitude and a name, with "
				   "tabs between");
		}
		line += len + 1;
	}
}

static void read_table(struct places *places, struct table *table)
{
	struct source source;

	if (table->read || table->path == NULL)
		return;
	table->read = true;
	if (source_read(&source, table->path, -1, &places->arena, places->conf->diag))
		read_lines(places, table, &source);
	diag_set_source(places->conf->diag, table->path, NULL, 0); /* its text ends soon */
}

static const struct entry *find_code(const struct table *table, const char *code)
{
	for (size_t i = 0; i < table->count; i++) {
		if (strcmp(table->entries[i].code, code) == 0)
			return &table->entries[i];
	}
	return NULL;
}

/* --- names ------------------------------------------------------------------------------------ */

/* The code that is meant: upper case, without the blank of a UN/LOCODE; "": it is none. */
static void code_of(const char *text, char code[CODE_SIZE])
{
	size_t len = 0;

	memset(code, 0, CODE_SIZE);
	for (; *text != '\0' && len < CODE_SIZE; text++) {
		bool letter = (*text >= 'A' && *text <= 'Z') || (*text >= 'a' && *text <= 'z');
		bool digit = *text >= '0' && *text <= '9';

		if (letter || digit)
			code[len++] = (char)(letter ? *text & ~0x20 : *text);
		else if (*text != ' ' || len != 2)
			len = CODE_SIZE;
	}
	if (len == CODE_SIZE || len < 2 || len == 4)
		len = 0;
	memset(code + len, 0, CODE_SIZE - len);
}

static bool is_called(const struct entry *entry, const char *text, bool whole)
{
	size_t len = strlen(text);

	return entry->name_len >= len && strncasecmp(entry->name, text, len) == 0 &&
	       whole == (entry->name_len == len);
}

static void hint_at(struct places *places, const char *text, bool whole, struct buf *hint,
		    unsigned *found)
{
	for (size_t i = 0; i < places->places.count && *found < HINTS_MAX; i++) {
		const struct entry *entry = &places->places.entries[i];

		if (is_called(entry, text, whole))
			buf_format(hint, "%s%s, %.*s", (*found)++ > 0 ? "; or " : " (did you mean ",
				   entry->code, (int)entry->name_len, entry->name);
	}
}

/* " (did you mean DEFRA, Frankfurt am Main?)": places that are called so, or a little longer:
 * cities are called after their rivers, too. */
static const char *hint_by_name(struct places *places, const char *text)
{
	struct buf hint = { 0 };
	const char *kept;
	unsigned found = 0;

	if (strlen(text) < 3)
		return "";
	hint_at(places, text, true, &hint, &found);
	hint_at(places, text, false, &hint, &found);
	if (found == 0)
		return "";
	buf_format(&hint, "?)");
	kept = arena_text(places->conf->arena, (const char *)hint.data, hint.len);
	buf_free(&hint);
	return kept;
}

static bool refuse_unknown(struct places *places, const struct yaml_node *value)
{
	conf_error(places->conf, &value->place,
		   "\"%.100s\" is no place: a location is " LOCATION_FORMS "%s", value->text,
		   hint_by_name(places, value->text));
	return false;
}

/* Codes are written in upper case. */
static bool refuse_case(struct places *places, const struct yaml_node *value, const char *code)
{
	conf_error(places->conf, &value->place, "\"%.100s\" is no place (did you mean \"%s\"?)",
		   value->text, code);
	return false;
}

static bool refuse_alpha3(struct places *places, const struct yaml_node *value, const char *code,
			  const char country[2], bool is_iata)
{
	if (is_iata)
		conf_error(places->conf, &value->place,
			   "\"%s\" is an airport or city, and a country as well: write \"" IATA_WORD
			   "%s\" or \"%.2s\"",
			   value->text, code, country);
	else
		conf_error(places->conf, &value->place,
			   "\"%s\" is no place (did you mean \"%.2s\"?)", value->text, country);
	return false;
}

static bool need_table(struct places *places, const struct yaml_node *value, struct table *table)
{
	if (table->path == NULL)
		conf_error(places->conf, &value->place,
			   "\"%.100s\": there is no table to find this in: %s", value->text,
			   table->missing);
	read_table(places, table);
	return table->path != NULL;
}

/* --- one location ----------------------------------------------------------------------------- */

static bool find_country(struct places *places, const struct yaml_node *value, const char *code,
			 const struct entry **out)
{
	const char *meant = country_meant(code);

	if (!country_is_known(code)) {
		conf_error(places->conf, &value->place,
			   "\"%s\" is no country code of ISO 3166-1%s%s%s", value->text,
			   meant != NULL ? " (did you mean \"" : "", meant != NULL ? meant : "",
			   meant != NULL ? "\"?)" : "");
		return false;
	}
	if (!need_table(places, value, &places->countries))
		return false;
	*out = find_code(&places->countries, code);
	if (*out == NULL)
		conf_error(places->conf, &value->place, "\"%s\" is not in %.200s", value->text,
			   places->countries.path);
	return *out != NULL;
}

/* FRA is Frankfurt to everybody, although it is France, too: DEFRA has the same letters and is near.
 * USA would be the airport of Concord. */
static bool is_citys_own(const struct table *table, const struct entry *place)
{
	for (size_t i = 0; i < table->count; i++) {
		const struct entry *city = &table->entries[i];

		if (strlen(city->code) == 5 && strcmp(city->code + 2, place->code) == 0 &&
		    fabs(city->latitude - place->latitude) < 1 &&
		    fabs(city->longitude - place->longitude) < 1)
			return true;
	}
	return false;
}

static bool find_place(struct places *places, const struct yaml_node *value, const char *code,
		       const struct entry **out)
{
	bool plain = strncmp(value->text, IATA_WORD, strlen(IATA_WORD)) != 0;
	char country[2];

	read_table(places, &places->places);
	*out = find_code(&places->places, code);
	if (plain && strlen(code) == 3 && country_of_alpha3(code, country) &&
	    (*out == NULL || !is_citys_own(&places->places, *out)))
		return refuse_alpha3(places, value, code, country, *out != NULL);
	if (code[0] != '\0' && !need_table(places, value, &places->places))
		return false;
	return *out != NULL || refuse_unknown(places, value);
}

static bool find_location(struct places *places, const struct yaml_node *value,
			  const struct entry **out)
{
	const char *text = value->text;
	char code[CODE_SIZE];
	bool iata = strncmp(text, IATA_WORD, strlen(IATA_WORD)) == 0;

	text += iata ? strlen(IATA_WORD) : 0;
	code_of(text, code);
	if (iata && strlen(code) != 3)
		code[0] = '\0';
	if (!(strlen(code) == 2 ? find_country(places, value, code, out)
				: find_place(places, value, code, out)))
		return false;
	for (const char *c = text; *c != '\0'; c++) {
		if (*c >= 'a' && *c <= 'z')
			return refuse_case(places, value, code);
	}
	return true;
}

/* --- the sites -------------------------------------------------------------------------------- */

static struct config_site *site_of(struct conf *conf, struct config_site *sites, const char *name)
{
	for (size_t i = 0; i < conf->config->site_count; i++) {
		if (strcmp(sites[i].name, name) == 0)
			return &sites[i];
	}
	return NULL;
}

static void locate_site(struct places *places, const struct yaml_node *value,
			struct config_site *site)
{
	const struct entry *entry;

	if (!find_location(places, value, &entry))
		return;
	site->latitude = entry->latitude;
	site->longitude = entry->longitude;
}

void places_find(struct conf *conf, const struct yaml_node *root)
{
	const struct yaml_node *map = yaml_get(root, "sites");
	struct config_site *sites;
	struct places places = {
		.conf = conf,
		.countries = { .path = conf->config->countries_path,
			       .missing = "geoip.countries is not given, and " COUNTRIES_FILE
					  " is not there",
			       .told = true },
		.places = { .path = conf->config->places_path,
			    .missing = "geoip.places is not given, and " PLACES_FILE
				       " is not beside the table of countries" }
	};

	if (map == NULL || map->kind != YAML_MAP)
		return;
	sites = arena_copy(conf->arena, conf->config->sites,
			   conf->config->site_count * sizeof(*sites));
	yaml_foreach(item, map) {
		const struct yaml_node *value = yaml_get(item, "location");
		struct config_site *site = site_of(conf, sites, item->key->text);

		if (site != NULL && value != NULL && value->kind == YAML_SCALAR && !value->empty)
			locate_site(&places, value, site);
	}
	conf->config->sites = sites;
	free(places.countries.entries);
	free(places.places.entries);
	arena_free(&places.arena);
}
