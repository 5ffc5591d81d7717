#include "store/prune.h"

#include "store/sql.h"

#define PRUNED_AT_ONCE   5000
#define MINUTES_OF_A_DAY 1440

/* Deletes at most PRUNED_AT_ONCE (?2) of the rows that are older than that (?1). */
static int delete_some(sqlite3 *db, const char *sql, uint64_t before, bool *more, struct err *err)
{
	sqlite3_stmt *statement = NULL;
	int code = sql_prepare(db, sql, &statement, err);

	if (code == SQLITE_OK) {
		sql_bind_number(statement, 1, before);
		sql_bind_number(statement, 2, PRUNED_AT_ONCE);
		code = sql_step(db, statement, err);
	}
	*more |= code == SQLITE_OK && sqlite3_changes(db) == PRUNED_AT_ONCE;
	(void)sqlite3_finalize(statement);
	return code;
}

static int delete_all(sqlite3 *db, const struct prune_before *before, bool *more, struct err *err)
{
	static const struct {
		const char *sql;
		bool by_minute;
	} rows[] = {
		/* The triggers let go what is older. */
		{ "UPDATE kept SET from_unix_ms = ?1", false },
		{ "DELETE FROM transitions WHERE id IN (SELECT id FROM transitions "
		  "WHERE at_unix_ms < ?1 LIMIT ?2)",
		  false },
		{ "DELETE FROM operator_actions WHERE id IN (SELECT id FROM operator_actions "
		  "WHERE at_unix_ms < ?1 LIMIT ?2)",
		  false },
		{ "DELETE FROM node_status WHERE node IN (SELECT node FROM node_status "
		  "WHERE max(since_unix_ms, checked_unix_ms, load_at_unix_ms) < ?1 LIMIT ?2)",
		  false },
		{ "DELETE FROM minutes WHERE (minute, node) IN (SELECT minute, node FROM minutes "
		  "WHERE minute < ?1 ORDER BY minute, node LIMIT ?2)",
		  true },
	};
	int code = SQLITE_OK;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]) && code == SQLITE_OK; i++)
		code = delete_some(db, rows[i].sql,
				   rows[i].by_minute ? before->minute : before->audit_unix_ms, more,
				   err);
	/* A number is not given again while there are minutes with it. */
	if (code == SQLITE_OK && !*more)
		code = delete_some(db,
				   "DELETE FROM nodes WHERE id IN (SELECT id FROM nodes "
				   "WHERE seen_day < ?1 LIMIT ?2)",
				   before->minute / MINUTES_OF_A_DAY, more, err);
	return code;
}

int prune_step(sqlite3 *db, const struct prune_before *before, bool *more, struct err *err)
{
	int code = sql_run(db, "BEGIN IMMEDIATE", err);

	*more = false;
	if (code != SQLITE_OK)
		return code;
	code = delete_all(db, before, more, err);
	if (code == SQLITE_OK)
		code = sql_run(db, "COMMIT", err);
	if (code != SQLITE_OK && sqlite3_get_autocommit(db) == 0)
		(void)sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL);
	return code;
}
