#include "store/minute_rows.h"

#include <string.h>

#include "base/mem.h"
#include "store/sql.h"

#define MINUTES_OF_A_DAY 1440

/* --- write ----------------------------------------------------------------------------------- */

/* Successes weigh the means of what is added to what. */
#define PUT_MINUTE                                                                                  \
	"INSERT INTO minutes (minute, node, probes, failures, rtt_us, rtt_max_us, load_permille) "  \
	"SELECT ?1, id, ?3, ?4, ?5, ?6, ?7 FROM nodes WHERE node = ?2 "                             \
	"ON CONFLICT (minute, node) DO UPDATE SET probes = probes + ?3, failures = failures + ?4, " \
	"rtt_us = CASE WHEN probes - failures + ?3 - ?4 > 0 THEN ((probes - failures) * rtt_us + "  \
	"(?3 - ?4) * ?5) / (probes - failures + ?3 - ?4) ELSE 0 END, "                              \
	"rtt_max_us = max(rtt_max_us, ?6), load_permille = coalesce(?7, load_permille)"

#define PUT_NODE                                              \
	"INSERT INTO nodes (node, seen_day) VALUES (?1, ?2) " \
	"ON CONFLICT (node) DO UPDATE SET seen_day = ?2 WHERE seen_day < ?2"

static int put_node(sqlite3 *db, sqlite3_stmt *put, const char *node, uint64_t day, struct err *err)
{
	sql_bind_text(put, 1, node);
	sql_bind_number(put, 2, day);
	return sql_step(db, put, err);
}

static int put_minute(sqlite3 *db, sqlite3_stmt *put, uint64_t minute,
		      const struct store_minute *row, struct err *err)
{
	sql_bind_number(put, 1, minute);
	sql_bind_text(put, 2, row->node);
	sql_bind_number(put, 3, row->probes);
	sql_bind_number(put, 4, row->failures);
	sql_bind_number(put, 5, row->rtt_us);
	sql_bind_number(put, 6, row->rtt_max_us);
	if (row->load_permille == STORE_NO_LOAD)
		(void)sqlite3_bind_null(put, 7);
	else
		(void)sqlite3_bind_int64(put, 7, row->load_permille);
	return sql_step(db, put, err);
}

int minute_rows_write(sqlite3 *db, const struct queue_minutes *batches, struct err *err)
{
	sqlite3_stmt *node = NULL, *minute = NULL;
	int code = sql_prepare(db, PUT_NODE, &node, err);

	if (code == SQLITE_OK)
		code = sql_prepare(db, PUT_MINUTE, &minute, err);
	for (const struct queue_minutes *b = batches; b != NULL; b = b->next) {
		for (uint32_t i = 0; i < b->count && code == SQLITE_OK; i++) {
			code = put_node(db, node, b->rows[i].node, b->minute / MINUTES_OF_A_DAY,
					err);
			if (code == SQLITE_OK)
				code = put_minute(db, minute, b->minute, &b->rows[i], err);
		}
	}
	(void)sqlite3_finalize(node);
	(void)sqlite3_finalize(minute);
	return code;
}

/* --- read ------------------------------------------------------------------------------------ */

/* The first row of a question with one text and one number, into a text. */
static int ask_text(sqlite3 *db, const char *sql, const char *node, uint64_t number, char *out,
		    size_t size, struct err *err)
{
	sqlite3_stmt *get = NULL;
	int code = sql_prepare(db, sql, &get, err);

	out[0] = '\0';
	if (code != SQLITE_OK)
		return code;
	sql_bind_text(get, 1, node);
	sql_bind_number(get, 2, number);
	code = sqlite3_step(get);
	if (code == SQLITE_ROW)
		sql_text(get, 0, out, size);
	else if (code != SQLITE_DONE)
		(void)sql_fail(db, code, "read", err);
	(void)sqlite3_finalize(get);
	return code == SQLITE_ROW || code == SQLITE_DONE ? SQLITE_OK : code;
}

/* The status that the node had then is what the last transition before led to, or else what the
 * first one after led from. */
static int read_status(sqlite3 *db, const struct minutes_question *question,
		       struct minutes_answer *answer, struct err *err)
{
	uint64_t from_ms = question->from * 60000;
	int code = ask_text(db, "SELECT status FROM node_status WHERE node = ?1 AND ?2 = ?2",
			    question->node, 0, answer->status_now, sizeof(answer->status_now), err);

	if (code == SQLITE_OK)
		code = ask_text(db,
				"SELECT to_status FROM transitions WHERE node = ?1 AND "
				"at_unix_ms < ?2 ORDER BY at_unix_ms DESC, id DESC LIMIT 1",
				question->node, from_ms, answer->status_before,
				sizeof(answer->status_before), err);
	if (code == SQLITE_OK && answer->status_before[0] == '\0')
		code = ask_text(db,
				"SELECT from_status FROM transitions WHERE node = ?1 AND "
				"at_unix_ms >= ?2 ORDER BY at_unix_ms, id LIMIT 1",
				question->node, from_ms, answer->status_before,
				sizeof(answer->status_before), err);
	answer->known = answer->status_now[0] != '\0' || answer->status_before[0] != '\0';
	return code;
}

static struct minutes_row read_row(sqlite3_stmt *get)
{
	return (struct minutes_row){ .minute = sql_number(get, 0),
				     .probes = (uint32_t)sql_number(get, 1),
				     .failures = (uint32_t)sql_number(get, 2),
				     .rtt_us = (uint32_t)sql_number(get, 3),
				     .rtt_max_us = (uint32_t)sql_number(get, 4),
				     .load_permille = sqlite3_column_type(get, 5) == SQLITE_NULL
							      ? STORE_NO_LOAD
							      : (int32_t)sqlite3_column_int64(get,
											      5) };
}

/* Each minute is looked for by itself, from the first on that there is: scanning would pass the rows
 * of all nodes. */
#define GET_MINUTES                                                                             \
	"WITH RECURSIVE wanted (minute) AS (SELECT max(?1, (SELECT min(minute) FROM minutes)) " \
	"UNION ALL SELECT minute + 1 FROM wanted WHERE minute + 1 < "                           \
	"min(?2, (SELECT max(minute) + 1 FROM minutes))) "                                      \
	"SELECT m.minute, probes, failures, rtt_us, rtt_max_us, load_permille "                 \
	"FROM wanted CROSS JOIN minutes m ON m.minute = wanted.minute "                         \
	"AND m.node = (SELECT id FROM nodes WHERE node = ?3) WHERE m.minute < ?2 LIMIT ?4"

static int read_rows(sqlite3 *db, const struct minutes_question *question,
		     struct minutes_answer *answer, struct err *err)
{
	sqlite3_stmt *get = NULL;
	int code = sql_prepare(db, GET_MINUTES, &get, err);

	if (code != SQLITE_OK)
		return code;
	answer->rows = mem_array(question->limit, sizeof(*answer->rows));
	sql_bind_number(get, 1, question->from);
	sql_bind_number(get, 2, question->until);
	sql_bind_text(get, 3, question->node);
	sql_bind_number(get, 4, question->limit);
	while (answer->count < question->limit && (code = sqlite3_step(get)) == SQLITE_ROW)
		answer->rows[answer->count++] = read_row(get);
	if (answer->count == question->limit)
		answer->next = answer->rows[answer->count - 1].minute + 1;
	answer->known |= answer->count > 0;
	if (code != SQLITE_ROW && code != SQLITE_DONE && code != SQLITE_OK)
		(void)sql_fail(db, code, "read", err);
	(void)sqlite3_finalize(get);
	return code == SQLITE_ROW || code == SQLITE_DONE ? SQLITE_OK : code;
}

int minute_rows_read(sqlite3 *db, const struct minutes_question *question,
		     struct minutes_answer *answer, struct err *err)
{
	int code = read_status(db, question, answer, err);

	return code == SQLITE_OK ? read_rows(db, question, answer, err) : code;
}
