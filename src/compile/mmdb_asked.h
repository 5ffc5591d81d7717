/* mmdb_asked.h - fields of a database that clients are told by: any path, compared as text.
 *
 * Strings are compared octet by octet, whole numbers as decimals, other numbers by value ("0.5" is
 * 5e-1), booleans as "true" and "false". What is no single value equals nothing. */
#ifndef COMPILE_MMDB_ASKED_H
#define COMPILE_MMDB_ASKED_H

#include "compile/mmdb_fields.h"

struct mmdb_asked {
	const struct config_field *fields;
	uint32_t count;
	struct mmdb_path *paths; /* of each field */
	bool *is_first;          /* of each: no field before has its path */
	uint32_t *next;          /* of each: the next one with its path; count: none */
	bool *found;             /* of each: some record of the database has its path */
	bool found_any;          /* is any of them */
	MMDB_entry_data_s value; /* of the path read last */
};

/* Texts live in the arena. -1: a path has too many or empty steps. */
int mmdb_asked_open(struct mmdb_asked *asked, const struct config_field *fields, size_t count,
		    struct arena *arena, struct err *err);
/* Sets the bits of the fields that are so in a record. -1: it is damaged. */
int mmdb_asked_read(struct mmdb_asked *asked, struct mmdb_record *record, uint64_t *bits,
		    struct err *err);

#endif
