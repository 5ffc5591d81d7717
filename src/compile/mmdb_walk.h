/* mmdb_walk.h - a MaxMind DB, read once from its root: every network and the number of its record.
 *
 * The tree of an IPv6 database holds IPv4 below ::/96 and points there from other places, too
 * (::ffff:0:0/96, 2002::/16, 2001::/32): IPv4 is walked from ::/96, and IPv6 without all of them.
 * Source: MaxMind DB File Format Specification 2.0, "Binary Search Tree Section". */
#ifndef COMPILE_MMDB_WALK_H
#define COMPILE_MMDB_WALK_H

#include <maxminddb.h>

#include "base/err.h"
#include "compile/breaks.h"
#include "compile/numbering.h"

/* Turns a data record (offset in the data section) into a number, 0 for "says nothing"; -1 with
 * err: the record is damaged. Asked once for each distinct record of a walk, in order. */
typedef int mmdb_number_record(void *context, uint32_t offset, uint32_t *number, struct err *err);

struct mmdb_walk {
	const MMDB_s *db;
	mmdb_number_record *number_record;
	void *context;
	struct memo records; /* offset -> number: zero-initialise; kept between the families */
};

/* Appends the family's networks to `breaks` (empty before); in an IPv4 database there is no IPv6:
 * then one break point of number 0. Networks without a record have number 0. */
int mmdb_walk(struct mmdb_walk *walk, struct breaks *breaks, struct err *err);

#endif
