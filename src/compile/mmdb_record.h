/* mmdb_record.h - one record of a MaxMind DB: the keys of its map, read in one pass.
 *
 * Several fields are asked of each record, and libmaxminddb goes through a map from its first key on
 * for each of them. Here that is done once; what lies below a key is libmaxminddb's to find. */
#ifndef COMPILE_MMDB_RECORD_H
#define COMPILE_MMDB_RECORD_H

#include <maxminddb.h>
#include <stdbool.h>
#include <stdint.h>

#define MMDB_RECORD_KEYS 16U

struct mmdb_record {
	MMDB_entry_s entry;
	bool is_listed; /* else it is no map, has more keys, or is damaged: all is libmaxminddb's */
	uint32_t count;
	struct mmdb_record_item {
		const char *key; /* the database's own, not terminated */
		uint32_t key_len;
		MMDB_entry_data_s value;
	} items[MMDB_RECORD_KEYS];
};

/* Reads the keys of the record at this offset of the data section. */
void mmdb_record_open(struct mmdb_record *record, const MMDB_s *db, uint32_t offset);

/* The same as MMDB_aget_value of the whole record, which has at least one key in its path. */
int mmdb_record_value(struct mmdb_record *record, const char *const *path, MMDB_entry_data_s *out);

#endif
