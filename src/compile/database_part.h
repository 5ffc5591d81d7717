/* database_part.h - what one database says, read by itself: beside other databases, each in its
 * thread, and joined afterwards in the order of the configuration. */
#ifndef COMPILE_DATABASE_PART_H
#define COMPILE_DATABASE_PART_H

#include "compile/breaks.h"
#include "compile/location_table.h"
#include "compile/mmdb_asked.h"
#include "conf/diag.h"

struct database_part {
	const struct config *config;
	uint32_t number; /* of the database */
	struct location_table table;
	struct breaks lists[2]; /* IPv4, IPv6: numbers of the table */
	struct mmdb_fields fields;
	struct mmdb_asked asked; /* its found[] says which are in this database */
	struct arena arena;
	struct diag *diag;
	uint64_t *bits; /* scratch: which of those asked are so */
};

/* -1: a path that clients are told by is none. */
int database_part_open(struct database_part *part, const struct config *config, uint32_t number,
		       struct err *err);
void database_part_free(struct database_part *part);

/* Reads it all; mistakes go to its diag. */
void database_part_read(void *part);

#endif
