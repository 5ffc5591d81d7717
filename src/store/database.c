#include "store/database.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "store/drill_rows.h"
#include "store/minute_rows.h"
#include "store/schema.h"
#include "store/sql.h"

#define BUSY_MAX_US   5000000
#define BUSY_SLEEP_US 20000

/* The WAL is cut back to this after it grew (a reader that held on to an old state). */
#define WAL_KEPT "16777216"

#define ACTION_COLUMNS                                                                \
	"at_unix_ms, action, object, who, uid, weight, from_unix_ms, until_unix_ms, " \
	"reason"
#define ACTION_VALUES "(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)"

/* --- open and close ------------------------------------------------------------------------ */

/* Somebody else has the lock: 1 to try again. sqlite3_busy_timeout could not be cut short. */
static int on_busy(void *context, int count)
{
	struct database *db = context;
	uint64_t now_us = clock_mono_us();

	if (count == 0)
		db->busy_since_us = now_us;
	if (now_us - db->busy_since_us > BUSY_MAX_US || now_us > atomic_load(db->give_up_us))
		return 0;
	(void)usleep(BUSY_SLEEP_US);
	return 1;
}

static int fail(const struct database *db, int code, const char *doing, struct err *err)
{
	return sql_fail(db->connection, code, doing, err);
}

static int prepare(struct database *db, const char *sql, sqlite3_stmt **out, struct err *err)
{
	int code = sqlite3_prepare_v3(db->connection, sql, -1, SQLITE_PREPARE_PERSISTENT, out,
				      NULL);

	return code == SQLITE_OK ? code : fail(db, code, "prepare", err);
}

static int run(struct database *db, const char *sql, struct err *err)
{
	return sql_run(db->connection, sql, err);
}

static int prepare_all(struct database *db, struct err *err)
{
	int code = prepare(db,
			   "INSERT INTO node_status (node, status, since_unix_ms, "
			   "checked_unix_ms, rtt_us, reason, load, load_at_unix_ms, spilling, "
			   "families_down, families_since_unix_ms) "
			   "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11) "
			   "ON CONFLICT (node) DO UPDATE SET status = ?2, since_unix_ms = ?3, "
			   "checked_unix_ms = ?4, rtt_us = ?5, reason = ?6, load = ?7, "
			   "load_at_unix_ms = ?8, spilling = ?9, families_down = ?10, "
			   "families_since_unix_ms = ?11",
			   &db->put_status, err);

	if (code == SQLITE_OK)
		code = prepare(db,
			       "INSERT INTO transitions (at_unix_ms, node, from_status, "
			       "to_status, reason, rtt_us, from_families_down, to_families_down) "
			       "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
			       &db->put_transition, err);
	if (code == SQLITE_OK)
		code = prepare(db,
			       "INSERT INTO operator_actions (" ACTION_COLUMNS
			       ") VALUES " ACTION_VALUES,
			       &db->put_action, err);
	if (code == SQLITE_OK)
		code = prepare(db, "INSERT INTO orders (" ACTION_COLUMNS ") VALUES " ACTION_VALUES,
			       &db->put_order, err);
	return code;
}

int database_open(struct database *db, const char *path, const _Atomic uint64_t *give_up_us,
		  struct err *err)
{
	int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX;
	int code;

	*db = (struct database){ .give_up_us = give_up_us };
	code = sqlite3_open_v2(path, &db->connection, flags, NULL);
	if (code != SQLITE_OK) {
		(void)fail(db, code, "open", err);
		goto out;
	}
	(void)sqlite3_busy_handler(db->connection, on_busy, db);
	/* The schema first: a database that we do not know stays as it is. */
	code = schema_migrate(db->connection, err);
	if (code == SQLITE_OK)
		code = run(db, "PRAGMA journal_mode = WAL", err);
	if (code == SQLITE_OK)
		code = run(db, "PRAGMA synchronous = NORMAL", err);
	if (code == SQLITE_OK)
		code = run(db, "PRAGMA journal_size_limit = " WAL_KEPT, err);
	if (code == SQLITE_OK)
		code = prepare_all(db, err);
out:
	if (code != SQLITE_OK)
		database_close(db);
	return code;
}

void database_close(struct database *db)
{
	(void)sqlite3_finalize(db->put_status);
	(void)sqlite3_finalize(db->put_transition);
	(void)sqlite3_finalize(db->put_action);
	(void)sqlite3_finalize(db->put_order);
	(void)sqlite3_close(db->connection);
	*db = (struct database){ .give_up_us = db->give_up_us };
}

bool database_is_in_place(const struct database *db)
{
	int moved = 0;

	(void)sqlite3_file_control(db->connection, "main", SQLITE_FCNTL_HAS_MOVED, &moved);
	return moved == 0;
}

/* --- write --------------------------------------------------------------------------------- */

static int step(struct database *db, sqlite3_stmt *statement, struct err *err)
{
	return sql_step(db->connection, statement, err);
}

static int write_status(struct database *db, const struct store_status *now, struct err *err)
{
	sql_bind_text(db->put_status, 1, now->node);
	sql_bind_text(db->put_status, 2, now->status);
	sql_bind_number(db->put_status, 3, now->since_unix_ms);
	sql_bind_number(db->put_status, 4, now->checked_unix_ms);
	sql_bind_number(db->put_status, 5, now->rtt_us);
	sql_bind_text(db->put_status, 6, now->reason);
	(void)sqlite3_bind_double(db->put_status, 7, now->load);
	sql_bind_number(db->put_status, 8, now->load_at_unix_ms);
	sql_bind_number(db->put_status, 9, now->spilling);
	sql_bind_text(db->put_status, 10, now->families_down);
	sql_bind_number(db->put_status, 11, now->families_since_unix_ms);
	return step(db, db->put_status, err);
}

static int write_transition(struct database *db, const struct queue_transition *transition,
			    struct err *err)
{
	bool same = strcmp(transition->from, transition->now.status) == 0;

	sql_bind_number(db->put_transition, 1,
			same ? transition->now.families_since_unix_ms
			     : transition->now.since_unix_ms);
	sql_bind_text(db->put_transition, 2, transition->now.node);
	sql_bind_text(db->put_transition, 3, transition->from);
	sql_bind_text(db->put_transition, 4, transition->now.status);
	sql_bind_text(db->put_transition, 5, transition->now.reason);
	sql_bind_number(db->put_transition, 6, transition->now.rtt_us);
	sql_bind_text(db->put_transition, 7, transition->from_families);
	sql_bind_text(db->put_transition, 8, transition->now.families_down);
	return step(db, db->put_transition, err);
}

static int write_action(struct database *db, sqlite3_stmt *put, const struct store_action *action,
			struct err *err)
{
	sql_bind_number(put, 1, action->at_unix_ms);
	sql_bind_text(put, 2, action->action);
	sql_bind_text(put, 3, action->object);
	sql_bind_text(put, 4, action->who);
	sql_bind_number(put, 5, action->uid);
	sql_bind_number(put, 6, action->weight);
	sql_bind_number(put, 7, action->from_unix_ms);
	sql_bind_number(put, 8, action->until_unix_ms);
	sql_bind_text(put, 9, action->reason);
	return step(db, put, err);
}

static int write_orders(struct database *db, const struct queue_orders *orders, struct err *err)
{
	int code = run(db, "DELETE FROM orders", err);

	for (size_t i = 0; i < orders->count && code == SQLITE_OK; i++)
		code = write_action(db, db->put_order, &orders->list[i], err);
	return code;
}

static int write_rows(struct database *db, const struct queue *rows, struct err *err)
{
	int code = SQLITE_OK;

	for (const struct queue_transition *t = rows->first; t != NULL && code == SQLITE_OK;
	     t = t->next)
		code = write_transition(db, t, err);
	for (uint32_t i = 0; i < rows->status_count && code == SQLITE_OK; i++)
		code = write_status(db, rows->statuses[i], err);
	for (const struct queue_action *a = rows->first_action; a != NULL && code == SQLITE_OK;
	     a = a->next)
		code = write_action(db, db->put_action, &a->action, err);
	if (code == SQLITE_OK && rows->first_minutes != NULL)
		code = minute_rows_write(db->connection, rows->first_minutes, err);
	return code;
}

static int write_all(struct database *db, const struct queue *rows,
		     const struct queue_orders *orders, const struct queue_drill *drill,
		     struct err *err)
{
	int code = run(db, "BEGIN IMMEDIATE", err);

	if (code != SQLITE_OK)
		return code;
	code = write_rows(db, rows, err);
	if (code == SQLITE_OK && orders != NULL)
		code = write_orders(db, orders, err);
	if (code == SQLITE_OK && drill != NULL)
		code = drill_rows_write(db->connection, drill, err);
	if (code == SQLITE_OK)
		code = run(db, "COMMIT", err);
	if (code != SQLITE_OK && sqlite3_get_autocommit(db->connection) == 0)
		(void)sqlite3_exec(db->connection, "ROLLBACK", NULL, NULL, NULL);
	return code;
}

/* With synchronous = FULL a commit is synchronised (in WAL mode it is not with NORMAL). */
int database_write(struct database *db, const struct queue *rows, const struct queue_orders *orders,
		   const struct queue_drill *drill, struct err *err)
{
	bool safe = orders != NULL || rows->action_count > 0;
	int code = safe ? run(db, "PRAGMA synchronous = FULL", err) : SQLITE_OK;

	if (code == SQLITE_OK)
		code = write_all(db, rows, orders, drill, err);
	if (safe) /* what is committed is written, whatever this says: it is not to be written twice */
		(void)sqlite3_exec(db->connection, "PRAGMA synchronous = NORMAL", NULL, NULL, NULL);
	return code;
}

/* --- read ---------------------------------------------------------------------------------- */

static void read_row(sqlite3_stmt *statement, struct store_status *row)
{
	memset(row, 0, sizeof(*row));
	sql_text(statement, 0, row->node, sizeof(row->node));
	sql_text(statement, 1, row->status, sizeof(row->status));
	row->since_unix_ms = sql_number(statement, 2);
	row->checked_unix_ms = sql_number(statement, 3);
	row->rtt_us = (uint32_t)sqlite3_column_int64(statement, 4);
	sql_text(statement, 5, row->reason, sizeof(row->reason));
	row->load = sqlite3_column_double(statement, 6);
	row->load_at_unix_ms = sql_number(statement, 7);
	row->spilling = sqlite3_column_int64(statement, 8) != 0;
	sql_text(statement, 9, row->families_down, sizeof(row->families_down));
	row->families_since_unix_ms = sql_number(statement, 10);
}

int database_read(struct database *db, struct store_status **rows, size_t *count, struct err *err)
{
	struct store_status *list = NULL;
	size_t capacity = 0;
	sqlite3_stmt *statement = NULL;
	int code;

	*count = 0;
	code = prepare(db,
		       "SELECT node, status, since_unix_ms, checked_unix_ms, rtt_us, reason, load, "
		       "load_at_unix_ms, spilling, families_down, families_since_unix_ms "
		       "FROM node_status LIMIT 1000000",
		       &statement, err);
	if (code != SQLITE_OK)
		return code;
	while ((code = sqlite3_step(statement)) == SQLITE_ROW) {
		if (*count == capacity) {
			capacity = capacity ? capacity * 2 : 64;
			list = mem_resize(list, capacity, sizeof(*list));
		}
		read_row(statement, &list[(*count)++]);
	}
	if (code == SQLITE_DONE) {
		*rows = list;
		list = NULL; /* now the caller's */
		code = SQLITE_OK;
	} else {
		(void)fail(db, code, "read", err);
		*count = 0;
	}
	free(list);
	(void)sqlite3_finalize(statement);
	return code;
}

static void read_order(sqlite3_stmt *statement, struct store_action *order)
{
	memset(order, 0, sizeof(*order));
	order->at_unix_ms = sql_number(statement, 0);
	sql_text(statement, 1, order->action, sizeof(order->action));
	sql_text(statement, 2, order->object, sizeof(order->object));
	sql_text(statement, 3, order->who, sizeof(order->who));
	order->uid = (uint32_t)sqlite3_column_int64(statement, 4);
	order->weight = (uint32_t)sqlite3_column_int64(statement, 5);
	order->from_unix_ms = sql_number(statement, 6);
	order->until_unix_ms = sql_number(statement, 7);
	sql_text(statement, 8, order->reason, sizeof(order->reason));
}

int database_read_orders(struct database *db, struct store_action **orders, size_t *count,
			 struct err *err)
{
	struct store_action *list = NULL;
	size_t capacity = 0;
	sqlite3_stmt *statement = NULL;
	int code;

	*count = 0;
	*orders = NULL;
	code = prepare(db, "SELECT " ACTION_COLUMNS " FROM orders ORDER BY id LIMIT 1000000",
		       &statement, err);
	if (code != SQLITE_OK)
		return code;
	while ((code = sqlite3_step(statement)) == SQLITE_ROW)
		read_order(statement, &array_add(list, *count, capacity));
	if (code == SQLITE_DONE) {
		*orders = list;
		list = NULL; /* now the caller's */
		code = SQLITE_OK;
	} else {
		(void)fail(db, code, "read", err);
		*count = 0;
	}
	free(list);
	(void)sqlite3_finalize(statement);
	return code;
}

/* --- damaged ------------------------------------------------------------------------------- */

/* The log goes with its database, for whoever wants to recover them; the shared index is made
 * anew from the log. Neither need exist. */
static void move_log(const char *path, const char *aside)
{
	char *from = mem_format("%s-wal", path);
	char *to = mem_format("%s-wal", aside);
	char *index = mem_format("%s-shm", path);

	(void)rename(from, to);
	(void)unlink(index);
	free(from);
	free(to);
	free(index);
}

int database_move_aside(const char *path, char *aside, size_t size, struct err *err)
{
	unsigned long long now_s = clock_unix_ms() / 1000;

	(void)snprintf(aside, size, "%s.damaged-%llu", path, now_s);
	for (int i = 1; access(aside, F_OK) == 0; i++) /* twice in one second */
		(void)snprintf(aside, size, "%s.damaged-%llu.%d", path, now_s, i);
	if (rename(path, aside) != 0)
		return err_set(err, "%s is damaged and cannot be moved aside: %s", path,
			       strerror(errno));
	move_log(path, aside);
	return 0;
}
