/* sql.h - what every file with statements in it needs. */
#ifndef STORE_SQL_H
#define STORE_SQL_H

#include <sqlite3.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/err.h"

/* Bound texts must live until the statement is stepped. */
static inline void sql_bind_text(sqlite3_stmt *statement, int number, const char *text)
{
	(void)sqlite3_bind_text(statement, number, text, -1, SQLITE_STATIC);
}

static inline void sql_bind_number(sqlite3_stmt *statement, int number, uint64_t value)
{
	(void)sqlite3_bind_int64(statement, number, (sqlite3_int64)value);
}

/* Cut to fit. */
static inline void sql_text(sqlite3_stmt *statement, int column, char *out, size_t size)
{
	const unsigned char *text = sqlite3_column_text(statement, column);

	(void)snprintf(out, size, "%s", text != NULL ? (const char *)text : "");
}

static inline uint64_t sql_number(sqlite3_stmt *statement, int column)
{
	return (uint64_t)sqlite3_column_int64(statement, column);
}

/* code, with the story in err; of "disk I/O error" also what the system said, such as that there is no
 * space left. */
static inline int sql_fail(sqlite3 *db, int code, const char *doing, struct err *err)
{
	int error = (code & 0xff) == SQLITE_IOERR ? sqlite3_system_errno(db) : 0;

	(void)err_set(err, "%s: %s%s%s%s", doing, sqlite3_errmsg(db), error != 0 ? " (" : "",
		      error != 0 ? strerror(error) : "", error != 0 ? ")" : "");
	return code;
}

static inline int sql_prepare(sqlite3 *db, const char *sql, sqlite3_stmt **out, struct err *err)
{
	int code = sqlite3_prepare_v2(db, sql, -1, out, NULL);

	return code == SQLITE_OK ? code : sql_fail(db, code, "prepare", err);
}

/* Runs a bound statement that gives no row, and resets it. SQLITE_OK, or what it said. */
static inline int sql_step(sqlite3 *db, sqlite3_stmt *statement, struct err *err)
{
	int code = sqlite3_step(statement);

	if (code != SQLITE_DONE)
		(void)sql_fail(db, code, "write", err);
	(void)sqlite3_reset(statement);
	return code == SQLITE_DONE ? SQLITE_OK : code;
}

static inline int sql_run(sqlite3 *db, const char *sql, struct err *err)
{
	int code = sqlite3_exec(db, sql, NULL, NULL, NULL);

	return code == SQLITE_OK ? code : sql_fail(db, code, sql, err);
}

#endif
