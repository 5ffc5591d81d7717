#include "store/drill_rows.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "store/sql.h"

#define DRILL_COLUMNS                                                         \
	"at_unix_ms, object, who, uid, from_unix_ms, until_unix_ms, reason, " \
	"ended_unix_ms, stopped, told"
#define NODE_COLUMNS                                                         \
	"node, was_down, has_probes, down_unix_ms, down_published_unix_ms, " \
	"down_served_unix_ms, up_unix_ms, up_published_unix_ms, up_served_unix_ms"

static int fail(sqlite3 *db, int code, struct err *err)
{
	return sql_fail(db, code, "drill", err);
}

/* --- write ----------------------------------------------------------------------------------- */

static int write_drill(sqlite3 *db, const struct store_drill *drill, struct err *err)
{
	const struct store_action *order = &drill->order;
	sqlite3_stmt *put = NULL;
	int code = sqlite3_prepare_v2(db,
				      "INSERT INTO drill (" DRILL_COLUMNS
				      ") VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
				      -1, &put, NULL);

	if (code == SQLITE_OK) {
		sql_bind_number(put, 1, order->at_unix_ms);
		sql_bind_text(put, 2, order->object);
		sql_bind_text(put, 3, order->who);
		sql_bind_number(put, 4, order->uid);
		sql_bind_number(put, 5, order->from_unix_ms);
		sql_bind_number(put, 6, order->until_unix_ms);
		sql_bind_text(put, 7, order->reason);
		sql_bind_number(put, 8, drill->ended_unix_ms);
		sql_bind_number(put, 9, drill->stopped);
		sql_bind_number(put, 10, drill->told);
		code = sqlite3_step(put);
	}
	if (code != SQLITE_DONE)
		(void)fail(db, code, err);
	(void)sqlite3_finalize(put);
	return code == SQLITE_DONE ? SQLITE_OK : code;
}

static int write_nodes(sqlite3 *db, const struct queue_drill *drill, struct err *err)
{
	sqlite3_stmt *put = NULL;
	int code = sqlite3_prepare_v2(db,
				      "INSERT INTO drill_nodes (" NODE_COLUMNS
				      ") VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
				      -1, &put, NULL);

	for (size_t i = 0; (code == SQLITE_OK || code == SQLITE_DONE) && i < drill->count; i++) {
		const struct store_drill_node *node = &drill->nodes[i];

		(void)sqlite3_reset(put);
		sql_bind_text(put, 1, node->node);
		sql_bind_number(put, 2, node->was_down);
		sql_bind_number(put, 3, node->has_probes);
		for (int t = 0; t < STORE_DRILL_TIMES; t++)
			sql_bind_number(put, 4 + t, node->unix_ms[t]);
		code = sqlite3_step(put);
	}
	code = code == SQLITE_DONE ? SQLITE_OK : code;
	if (code != SQLITE_OK)
		(void)fail(db, code, err);
	(void)sqlite3_finalize(put);
	return code;
}

int drill_rows_write(sqlite3 *db, const struct queue_drill *drill, struct err *err)
{
	int code = sqlite3_exec(db, "DELETE FROM drill; DELETE FROM drill_nodes", NULL, NULL, NULL);

	if (code != SQLITE_OK)
		return fail(db, code, err);
	code = write_drill(db, &drill->drill, err);
	return code == SQLITE_OK ? write_nodes(db, drill, err) : code;
}

/* --- read ------------------------------------------------------------------------------------ */

static int read_drill(sqlite3 *db, struct store_drill *out, struct err *err)
{
	struct store_action *order = &out->order;
	sqlite3_stmt *get = NULL;
	int code = sqlite3_prepare_v2(db, "SELECT " DRILL_COLUMNS " FROM drill", -1, &get, NULL);

	if (code == SQLITE_OK)
		code = sqlite3_step(get);
	if (code == SQLITE_ROW) {
		order->at_unix_ms = sql_number(get, 0);
		sql_text(get, 1, order->object, sizeof(order->object));
		sql_text(get, 2, order->who, sizeof(order->who));
		order->uid = (uint32_t)sql_number(get, 3);
		order->from_unix_ms = sql_number(get, 4);
		order->until_unix_ms = sql_number(get, 5);
		sql_text(get, 6, order->reason, sizeof(order->reason));
		out->ended_unix_ms = sql_number(get, 7);
		out->stopped = sql_number(get, 8) != 0;
		out->told = sql_number(get, 9) != 0;
		(void)snprintf(order->action, sizeof(order->action), "drill");
	}
	if (code != SQLITE_ROW && code != SQLITE_DONE)
		(void)fail(db, code, err);
	(void)sqlite3_finalize(get);
	return code == SQLITE_ROW || code == SQLITE_DONE ? SQLITE_OK : code;
}

static void read_node(sqlite3_stmt *get, struct store_drill_node *node)
{
	memset(node, 0, sizeof(*node));
	sql_text(get, 0, node->node, sizeof(node->node));
	node->was_down = sql_number(get, 1) != 0;
	node->has_probes = sql_number(get, 2) != 0;
	for (int t = 0; t < STORE_DRILL_TIMES; t++)
		node->unix_ms[t] = sql_number(get, 3 + t);
}

static int read_nodes(sqlite3 *db, struct store_drill_node **out, size_t *count, struct err *err)
{
	struct store_drill_node *list = NULL;
	sqlite3_stmt *get = NULL;
	size_t cap = 0;
	int code = sqlite3_prepare_v2(db, "SELECT " NODE_COLUMNS " FROM drill_nodes LIMIT 1000000",
				      -1, &get, NULL);

	while (code == SQLITE_OK && (code = sqlite3_step(get)) == SQLITE_ROW) {
		read_node(get, &array_add(list, *count, cap));
		code = SQLITE_OK;
	}
	if (code != SQLITE_DONE)
		(void)fail(db, code, err);
	(void)sqlite3_finalize(get);
	*out = list;
	return code == SQLITE_DONE ? SQLITE_OK : code;
}

int drill_rows_read(sqlite3 *db, struct store_drill *out, struct store_drill_node **nodes,
		    size_t *count, struct err *err)
{
	int code;

	*out = (struct store_drill){ .ended_unix_ms = 0 };
	*nodes = NULL;
	*count = 0;
	code = read_drill(db, out, err);
	if (code == SQLITE_OK)
		code = read_nodes(db, nodes, count, err);
	return code;
}
