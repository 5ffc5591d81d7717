/* schema.h - the tables of signpost.db, and how an older database becomes today's. */
#ifndef STORE_SCHEMA_H
#define STORE_SCHEMA_H

#include <sqlite3.h>

#include "base/err.h"

/* PRAGMA user_version of a database of today: the number of migrations. */
extern const int schema_version;

/* Brings a database to today's schema, in one transaction. Returns an SQLite result code, with the
 * story in err where it is not SQLITE_OK; nothing was changed then. SQLITE_MISMATCH: the schema is
 * newer than this program's. Such a database is not touched: its tables may mean something else. */
int schema_migrate(sqlite3 *db, struct err *err);

#endif
