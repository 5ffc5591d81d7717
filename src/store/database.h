/* database.h - one connection to signpost.db: open, write, read.
 *
 * Used by one thread at a time. Functions return an SQLite result code (SQLITE_OK: well), with the
 * story in err where it is another one. Nothing waits for another connection's lock longer than
 * five seconds, or than *give_up_us (clock_mono_us) allows. */
#ifndef STORE_DATABASE_H
#define STORE_DATABASE_H

#include <sqlite3.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

#include "store/queue.h"

struct database {
	sqlite3 *connection; /* NULL: not open */
	sqlite3_stmt *put_status, *put_transition, *put_action, *put_order;
	const _Atomic uint64_t *give_up_us;
	uint64_t busy_since_us;
};

/* Opens or creates it, with today's schema. On failure it is not open. */
int database_open(struct database *db, const char *path, const _Atomic uint64_t *give_up_us,
		  struct err *err);
void database_close(struct database *db); /* not open: fine */

/* Is the file still the one that was opened? (Operators delete, and restore from copies.) */
bool database_is_in_place(const struct database *db);

/* All rows or none. `orders`: what the table of orders is to hold from now on; NULL: it stays; the
 * same of `drill`. What
 * has to do with operators is on the disk when this returns; of the rest a power failure may take
 * the last seconds. */
int database_write(struct database *db, const struct queue *rows, const struct queue_orders *orders,
		   const struct queue_drill *drill, struct err *err);

/* All status rows: the caller's to free. */
int database_read(struct database *db, struct store_status **rows, size_t *count, struct err *err);

/* All orders, the oldest first: the caller's to free. */
int database_read_orders(struct database *db, struct store_action **orders, size_t *count,
			 struct err *err);

static inline bool database_is_damaged(int code)
{
	return (code & 0xff) == SQLITE_CORRUPT || (code & 0xff) == SQLITE_NOTADB;
}

/* Renames a damaged database, its log with it, to PATH.damaged-<unix time>: `aside` holds that
 * name. 0 or -1. */
int database_move_aside(const char *path, char *aside, size_t size, struct err *err);

#endif
