#include "compile/mmdb_asked.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void link_paths(struct mmdb_asked *asked)
{
	for (uint32_t i = asked->count; i-- > 0;) {
		asked->is_first[i] = true;
		asked->next[i] = i + 1;
		while (asked->next[i] < asked->count &&
		       strcmp(asked->fields[i].path, asked->fields[asked->next[i]].path) != 0)
			asked->next[i]++;
		if (asked->next[i] < asked->count)
			asked->is_first[asked->next[i]] = false;
	}
}

int mmdb_asked_open(struct mmdb_asked *asked, const struct config_field *fields, size_t count,
		    struct arena *arena, struct err *err)
{
	*asked = (struct mmdb_asked){ .fields = fields,
				      .count = (uint32_t)count,
				      .paths = arena_alloc(arena, count * sizeof(*asked->paths)),
				      .is_first = arena_alloc(arena, count),
				      .next = arena_alloc(arena, count * sizeof(*asked->next)),
				      .found = arena_alloc(arena, count) };
	for (uint32_t i = 0; i < count; i++) {
		if (mmdb_path_cut(fields[i].path, &asked->paths[i], arena) != 0)
			return err_set(err,
				       "\"%s\" is not a path of one to %d names with dots between",
				       fields[i].path, MMDB_PATH_MAX);
	}
	link_paths(asked);
	return 0;
}

/* --- comparing ----------------------------------------------------------------------------- */

static bool equals_decimal(uint64_t value, bool is_negative, const char *text)
{
	char digits[24];

	(void)snprintf(digits, sizeof(digits), "%s%llu", is_negative ? "-" : "",
		       (unsigned long long)value);
	return strcmp(digits, text) == 0;
}

/* A 128-bit number that fits in 64 bits is written as such; others are told by nobody. */
static bool equals_large(const MMDB_entry_data_s *value, const char *text)
{
	return value->uint128 >> 64 == 0 && equals_decimal((uint64_t)value->uint128, false, text);
}

static bool equals_number(double value, bool is_float, const char *text)
{
	char *end;
	double number = strtod(text, &end);

	if (end == text || *end != '\0')
		return false;
	return is_float ? (float)number == (float)value : number == value;
}

static bool equals(const MMDB_entry_data_s *value, const char *text)
{
	switch (value->type) {
	case MMDB_DATA_TYPE_UTF8_STRING:
		return strlen(text) == value->data_size &&
		       memcmp(text, value->utf8_string, value->data_size) == 0;
	case MMDB_DATA_TYPE_BOOLEAN: return strcmp(text, value->boolean ? "true" : "false") == 0;
	case MMDB_DATA_TYPE_UINT16: return equals_decimal(value->uint16, false, text);
	case MMDB_DATA_TYPE_UINT32: return equals_decimal(value->uint32, false, text);
	case MMDB_DATA_TYPE_UINT64: return equals_decimal(value->uint64, false, text);
	case MMDB_DATA_TYPE_UINT128: return equals_large(value, text);
	case MMDB_DATA_TYPE_INT32:
		return equals_decimal((uint64_t)llabs((long long)value->int32), value->int32 < 0,
				      text);
	case MMDB_DATA_TYPE_DOUBLE: return equals_number(value->double_value, false, text);
	case MMDB_DATA_TYPE_FLOAT: return equals_number((double)value->float_value, true, text);
	default: return false;
	}
}

/* --- reading ------------------------------------------------------------------------------- */

static int read_path(struct mmdb_asked *asked, struct mmdb_record *record, uint32_t field,
		     struct err *err)
{
	int rc = mmdb_record_value(record, asked->paths[field].key, &asked->value);

	if (rc == MMDB_LOOKUP_PATH_DOES_NOT_MATCH_DATA_ERROR ||
	    rc == MMDB_INVALID_LOOKUP_PATH_ERROR)
		asked->value.has_data = false;
	else if (rc != MMDB_SUCCESS)
		return err_set(err, "its data is damaged: %s", MMDB_strerror(rc));
	return 0;
}

/* Fields of one path are many when a client names many values: read once, compared with each. */
int mmdb_asked_read(struct mmdb_asked *asked, struct mmdb_record *record, uint64_t *bits,
		    struct err *err)
{
	for (uint32_t first = 0; first < asked->count; first++) {
		if (!asked->is_first[first])
			continue;
		if (read_path(asked, record, first, err) != 0)
			return -1;
		for (uint32_t i = first; asked->value.has_data && i < asked->count;
		     i = asked->next[i]) {
			asked->found[i] = asked->found_any = true;
			if (equals(&asked->value, asked->fields[i].value))
				bits[i / 64] |= UINT64_C(1) << i % 64;
		}
	}
	return 0;
}
