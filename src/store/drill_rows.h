/* drill_rows.h - the tables of the last drill: written whole, and read.
 *
 * Both return an SQLite result code, with the story in err where it is not SQLITE_OK. Writing is part
 * of the caller's transaction. */
#ifndef STORE_DRILL_ROWS_H
#define STORE_DRILL_ROWS_H

#include <sqlite3.h>

#include "store/queue.h"

int drill_rows_write(sqlite3 *db, const struct queue_drill *drill, struct err *err);

/* As store_load_drill. */
int drill_rows_read(sqlite3 *db, struct store_drill *out, struct store_drill_node **nodes,
		    size_t *count, struct err *err);

#endif
