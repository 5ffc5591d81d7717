#include "compile/mmdb_record.h"

#include <string.h>

#define INSIDE_MAX 1024U /* values inside of others that are passed over in one record */

static const char *const itself[] = { NULL };

/* The value at an offset; pointers are followed. */
static bool read_value(const MMDB_s *db, uint32_t offset, MMDB_entry_data_s *out)
{
	MMDB_entry_s entry = { db, offset };

	return MMDB_aget_value(&entry, out, itself) == MMDB_SUCCESS && out->has_data;
}

/* How many values follow that are inside of this one: of what is pointed to none do. */
static uint32_t count_inside(const MMDB_entry_data_s *value, uint32_t offset)
{
	uint32_t each = value->type == MMDB_DATA_TYPE_MAP     ? 2
			: value->type == MMDB_DATA_TYPE_ARRAY ? 1
							      : 0;

	if (value->offset != offset || each == 0)
		return 0;
	return value->data_size <= INSIDE_MAX ? each * value->data_size : INSIDE_MAX + 1;
}

/* Reads one value and passes over all that is inside of it. */
static bool pass_value(const MMDB_s *db, uint32_t *offset, MMDB_entry_data_s *out)
{
	MMDB_entry_data_s inside;
	uint32_t left, passed = 0;

	if (!read_value(db, *offset, out))
		return false;
	left = count_inside(out, *offset);
	*offset = out->offset_to_next;
	for (; left > 0; left--) {
		if (++passed > INSIDE_MAX || !read_value(db, *offset, &inside))
			return false;
		left += count_inside(&inside, *offset);
		*offset = inside.offset_to_next;
	}
	return true;
}

static bool list_keys(struct mmdb_record *record)
{
	const MMDB_s *db = record->entry.mmdb;
	MMDB_entry_data_s map, key;
	uint32_t offset;

	if (!read_value(db, record->entry.offset, &map) || map.type != MMDB_DATA_TYPE_MAP ||
	    map.offset != record->entry.offset || map.data_size > MMDB_RECORD_KEYS)
		return false;
	offset = map.offset_to_next;
	while (record->count < map.data_size) {
		struct mmdb_record_item *item = &record->items[record->count];

		if (!pass_value(db, &offset, &key) || key.type != MMDB_DATA_TYPE_UTF8_STRING ||
		    !pass_value(db, &offset, &item->value))
			return false;
		item->key = key.utf8_string;
		item->key_len = key.data_size;
		record->count++;
	}
	return true;
}

void mmdb_record_open(struct mmdb_record *record, const MMDB_s *db, uint32_t offset)
{
	record->entry = (MMDB_entry_s){ db, offset };
	record->count = 0;
	record->is_listed = list_keys(record);
}

int mmdb_record_value(struct mmdb_record *record, const char *const *path, MMDB_entry_data_s *out)
{
	size_t len = strlen(path[0]);

	if (!record->is_listed)
		return MMDB_aget_value(&record->entry, out, path);
	for (uint32_t i = 0; i < record->count; i++) {
		const struct mmdb_record_item *item = &record->items[i];
		MMDB_entry_s below = { record->entry.mmdb, item->value.offset };

		if (item->key_len != len || memcmp(item->key, path[0], len) != 0)
			continue;
		*out = item->value;
		return path[1] == NULL ? MMDB_SUCCESS : MMDB_aget_value(&below, out, path + 1);
	}
	return MMDB_LOOKUP_PATH_DOES_NOT_MATCH_DATA_ERROR;
}
