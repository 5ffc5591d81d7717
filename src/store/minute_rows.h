/* minute_rows.h - what was measured of nodes, minute by minute: written, and read of one node.
 *
 * The table is sorted by minute, so that writing appends and deleting cuts off the other end; one
 * node's minutes are found one by one. Return SQLite result codes, with the story in err where it is
 * not SQLITE_OK. */
#ifndef STORE_MINUTE_ROWS_H
#define STORE_MINUTE_ROWS_H

#include <sqlite3.h>

#include "store/queue.h"
#include "store/reader.h"

/* All batches of the list; part of the caller's transaction. A minute that is there already (clocks
 * step, processes restart) is added to. */
int minute_rows_write(sqlite3 *db, const struct queue_minutes *batches, struct err *err);

int minute_rows_read(sqlite3 *db, const struct minutes_question *question,
		     struct minutes_answer *answer, struct err *err);

#endif
