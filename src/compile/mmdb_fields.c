#include "compile/mmdb_fields.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "compile/numbering.h"

#define CANDIDATES    2
#define DESCRIBED_MAX 12U /* paths */
#define PATH_SIZE     200U
#define DEPTH_MAX     8U

const char *const mmdb_field_name[FIELD_COUNT] = { "country", "continent",         "subdivision",
						   "city",    "latitude",          "longitude",
						   "asn",     "subdivision's name" };

/* GeoIP2, GeoLite2 and what imitates them are nested; the ip-location-db packages are flat. */
static const struct layout {
	struct mmdb_path path[FIELD_COUNT][CANDIDATES]; /* the first that a record has */
} layouts[] = {
	{ {
		[FIELD_COUNTRY] = { { { "country", "iso_code" } },
				    { { "registered_country", "iso_code" } } },
		[FIELD_CONTINENT] = { { { "continent", "code" } } },
		[FIELD_SUBDIVISION] = { { { "subdivisions", "0", "iso_code" } } },
		[FIELD_CITY] = { { { "city", "names", "en" } } },
		[FIELD_LATITUDE] = { { { "location", "latitude" } } },
		[FIELD_LONGITUDE] = { { { "location", "longitude" } } },
		[FIELD_ASN] = { { { "traits", "autonomous_system_number" } } },
		[FIELD_SUBDIVISION_NAME] = { { { "subdivisions", "0", "names", "en" } } },
	} },
	{ {
		[FIELD_COUNTRY] = { { { "country_code" } } },
		[FIELD_CONTINENT] = { { { "continent_code" } } },
		[FIELD_SUBDIVISION] = { { { "state1" } } },
		[FIELD_CITY] = { { { "city" } } },
		[FIELD_LATITUDE] = { { { "latitude" } } },
		[FIELD_LONGITUDE] = { { { "longitude" } } },
		[FIELD_ASN] = { { { "autonomous_system_number" } } },
	} },
};
#define LAYOUTS ((int)(sizeof(layouts) / sizeof(layouts[0])))

/* --- values -------------------------------------------------------------------------------- */

/* Two letters, as upper case; anything else is no code. */
static bool code_of(const MMDB_entry_data_s *value, char code[2])
{
	if (value->type != MMDB_DATA_TYPE_UTF8_STRING || value->data_size != 2 ||
	    !isalpha((unsigned char)value->utf8_string[0]) ||
	    !isalpha((unsigned char)value->utf8_string[1]))
		return false;
	code[0] = (char)toupper((unsigned char)value->utf8_string[0]);
	code[1] = (char)toupper((unsigned char)value->utf8_string[1]);
	return true;
}

static bool text_of(const MMDB_entry_data_s *value, struct mmdb_text *text)
{
	if (value->type != MMDB_DATA_TYPE_UTF8_STRING || value->data_size == 0 ||
	    memchr(value->utf8_string, '\0', value->data_size) != NULL)
		return false;
	*text = (struct mmdb_text){ value->utf8_string, value->data_size, value->offset };
	return true;
}

/* Numbers are found in every size, and as text ("37.4", "AS64500"). */
static bool number_of(const MMDB_entry_data_s *value, const char *text_prefix, double *number)
{
	char text[32];
	const char *digits = text;
	char *end;

	switch (value->type) {
	case MMDB_DATA_TYPE_DOUBLE: *number = value->double_value; return true;
	case MMDB_DATA_TYPE_FLOAT: *number = (double)value->float_value; return true;
	case MMDB_DATA_TYPE_UINT16: *number = value->uint16; return true;
	case MMDB_DATA_TYPE_UINT32: *number = value->uint32; return true;
	case MMDB_DATA_TYPE_INT32: *number = value->int32; return true;
	case MMDB_DATA_TYPE_UINT64: *number = (double)value->uint64; return true;
	case MMDB_DATA_TYPE_UTF8_STRING: break;
	default: return false;
	}
	if (value->data_size == 0 || value->data_size >= sizeof(text))
		return false;
	memcpy(text, value->utf8_string, value->data_size);
	text[value->data_size] = '\0';
	if (strncmp(text, text_prefix, strlen(text_prefix)) == 0)
		digits += strlen(text_prefix);
	*number = strtod(digits, &end);
	return end != digits && *end == '\0';
}

static bool degrees_of(const MMDB_entry_data_s *value, double limit, float *degrees)
{
	double number;

	if (!number_of(value, "", &number) || !(fabs(number) <= limit))
		return false;
	*degrees = (float)number;
	return true;
}

static bool asn_of(const MMDB_entry_data_s *value, uint32_t *asn)
{
	double number;

	if (!number_of(value, "AS", &number) || !(number >= 1 && number <= UINT32_MAX))
		return false;
	*asn = (uint32_t)number;
	return true;
}

static bool take(enum mmdb_field field, const MMDB_entry_data_s *value, struct mmdb_facts *facts)
{
	switch (field) {
	case FIELD_COUNTRY: return code_of(value, facts->country);
	case FIELD_CONTINENT: return code_of(value, facts->continent);
	case FIELD_SUBDIVISION: return text_of(value, &facts->subdivision);
	case FIELD_CITY: return text_of(value, &facts->city);
	case FIELD_LATITUDE: return degrees_of(value, 90, &facts->latitude);
	case FIELD_LONGITUDE: return degrees_of(value, 180, &facts->longitude);
	case FIELD_ASN: return asn_of(value, &facts->asn);
	case FIELD_SUBDIVISION_NAME: return text_of(value, &facts->subdivision_name);
	case FIELD_COUNT: break;
	}
	return false;
}

/* --- records ------------------------------------------------------------------------------- */

/* 1: the field is there and its value makes sense. 0: not. -1: the record is damaged. */
static int read_path(struct mmdb_record *record, enum mmdb_field field,
		     const struct mmdb_path *path, struct mmdb_facts *out, struct err *err)
{
	MMDB_entry_data_s value;
	int rc;

	if (path->key[0] == NULL)
		return 0;
	rc = mmdb_record_value(record, path->key, &value);
	if (rc == MMDB_LOOKUP_PATH_DOES_NOT_MATCH_DATA_ERROR ||
	    rc == MMDB_INVALID_LOOKUP_PATH_ERROR)
		return 0;
	if (rc != MMDB_SUCCESS)
		return err_set(err, "its data is damaged: %s", MMDB_strerror(rc));
	return value.has_data && take(field, &value, out) ? 1 : 0;
}

static int read_field(const struct mmdb_fields *fields, int layout, struct mmdb_record *record,
		      enum mmdb_field field, struct mmdb_facts *out, struct err *err)
{
	int rc = 0;

	if (fields->is_set[field])
		return read_path(record, field, &fields->set[field], out, err);
	for (int i = 0; rc == 0 && layout >= 0 && i < CANDIDATES; i++)
		rc = read_path(record, field, &layouts[layout].path[field][i], out, err);
	return rc;
}

/* How many of the layout's own fields the record has; -1: damaged. */
static int count_fields(const struct mmdb_fields *fields, int layout, struct mmdb_record *record,
			struct err *err)
{
	struct mmdb_facts facts = { 0 };
	int count = 0;

	for (int field = 0; field < FIELD_COUNT; field++) {
		int rc = 0;

		if (!fields->is_set[field])
			rc = read_field(fields, layout, record, (enum mmdb_field)field, &facts,
					err);
		if (rc < 0)
			return -1;
		count += rc;
	}
	return count;
}

static int find_layout(struct mmdb_fields *fields, struct mmdb_record *record, struct err *err)
{
	for (int layout = 0; fields->layout < 0 && layout < LAYOUTS; layout++) {
		int count = count_fields(fields, layout, record, err);

		if (count < 0)
			return -1;
		if (count > 0)
			fields->layout = layout;
	}
	return 0;
}

int mmdb_fields_read(struct mmdb_fields *fields, struct mmdb_record *record,
		     struct mmdb_facts *out, struct err *err)
{
	bool has[FIELD_COUNT];

	*out = (struct mmdb_facts){ 0 };
	if (fields->first_count < MMDB_FIRST_MAX)
		fields->first[fields->first_count++] = record->entry.offset;
	if (fields->layout < 0 && find_layout(fields, record, err) != 0)
		return -1;
	for (int field = 0; field < FIELD_COUNT; field++) {
		int rc = read_field(fields, fields->layout, record, (enum mmdb_field)field, out,
				    err);

		if (rc < 0)
			return -1;
		has[field] = rc > 0;
		fields->found[field] += rc > 0;
	}
	out->has_coordinates = has[FIELD_LATITUDE] && has[FIELD_LONGITUDE];
	return 0;
}

/* --- set paths ----------------------------------------------------------------------------- */

int mmdb_path_cut(const char *text, struct mmdb_path *path, struct arena *arena)
{
	char *rest = arena_text(arena, text, strlen(text));
	char *step;
	size_t count = 0;

	while ((step = strsep(&rest, ".")) != NULL) {
		if (*step == '\0' || count == MMDB_PATH_MAX)
			return -1;
		path->key[count++] = step;
	}
	return 0;
}

int mmdb_fields_open(struct mmdb_fields *fields, const MMDB_s *db,
		     const struct config_geo_fields *set, struct arena *arena, struct err *err)
{
	const char *const texts[FIELD_COUNT] = { set->country,     set->continent,
						 set->subdivision, set->city,
						 set->latitude,    set->longitude,
						 set->asn,         NULL };

	*fields = (struct mmdb_fields){ .db = db, .layout = -1 };
	for (int field = 0; field < FIELD_COUNT; field++) {
		if (texts[field] == NULL)
			continue;
		fields->is_set[field] = true;
		if (mmdb_path_cut(texts[field], &fields->set[field], arena) != 0)
			return err_set(err,
				       "\"%s\" is not a path of one to %d names with dots between",
				       texts[field], MMDB_PATH_MAX);
	}
	return 0;
}

/* --- describing ---------------------------------------------------------------------------- */

struct description {
	struct numbering paths; /* "country_code (text)", each once */
	const MMDB_entry_data_list_s *at;
	char path[PATH_SIZE];
};

static const char *type_name(uint32_t type)
{
	switch (type) {
	case MMDB_DATA_TYPE_UTF8_STRING: return "text";
	case MMDB_DATA_TYPE_DOUBLE: return "double";
	case MMDB_DATA_TYPE_FLOAT: return "float";
	case MMDB_DATA_TYPE_BYTES: return "bytes";
	case MMDB_DATA_TYPE_BOOLEAN: return "boolean";
	default: return "integer";
	}
}

static void describe_leaf(struct description *d, uint32_t type)
{
	char *text = mem_format("%s (%s)", d->path[0] != '\0' ? d->path + 1 : "a bare value",
				type_name(type));

	(void)numbering_add(&d->paths, text, strlen(text) + 1);
	free(text);
}

static void take_key(struct description *d, size_t path_len)
{
	const MMDB_entry_data_s *key = &d->at->entry_data;

	d->at = key->type == MMDB_DATA_TYPE_UTF8_STRING ? d->at->next : NULL;
	if (d->at != NULL)
		(void)snprintf(d->path + path_len, sizeof(d->path) - path_len, ".%.*s",
			       (int)key->data_size, key->utf8_string);
}

/* Takes one value with all below it off the list, in the order in which libmaxminddb lists it. */
static void describe_value(struct description *d, unsigned depth)
{
	const MMDB_entry_data_s *value;
	size_t len = strlen(d->path);
	bool is_map;

	if (d->at == NULL)
		return;
	value = &d->at->entry_data;
	d->at = d->at->next;
	is_map = value->type == MMDB_DATA_TYPE_MAP;
	if (!is_map && value->type != MMDB_DATA_TYPE_ARRAY) {
		describe_leaf(d, value->type);
		return;
	}
	if (depth == DEPTH_MAX)
		d->at = NULL; /* deep enough: the description ends here */
	for (uint32_t i = 0; i < value->data_size && d->at != NULL; i++) {
		if (is_map)
			take_key(d, len);
		else
			(void)snprintf(d->path + len, sizeof(d->path) - len, ".%u", i);
		describe_value(d, depth + 1);
		d->path[len] = '\0';
	}
}

char *mmdb_fields_describe(const struct mmdb_fields *fields)
{
	struct description d = { 0 };
	struct buf text = { 0 };

	for (uint32_t i = 0; i < fields->first_count; i++) {
		MMDB_entry_s entry = { fields->db, fields->first[i] };
		MMDB_entry_data_list_s *list = NULL;

		if (MMDB_get_entry_data_list(&entry, &list) == MMDB_SUCCESS) {
			d.at = list;
			describe_value(&d, 0);
		}
		MMDB_free_entry_data_list(list);
	}
	for (uint32_t i = 0; i < d.paths.count && i < DESCRIBED_MAX; i++)
		buf_format(&text, "%s%s", i > 0 ? ", " : "",
			   (const char *)numbering_item(&d.paths, i));
	if (d.paths.count == 0 || d.paths.count > DESCRIBED_MAX)
		buf_format(&text, "%s", d.paths.count == 0 ? "nothing" : ", ...");
	buf_append(&text, "", 1);
	numbering_free(&d.paths);
	return (char *)text.data;
}
