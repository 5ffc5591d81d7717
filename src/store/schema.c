#include "store/schema.h"

#include <stddef.h>

#include "store/sql.h"

/* Migration number n makes version n + 1 out of version n. What was released is never edited:
 * a change is one more migration. SQLite keeps the comments inside the statements, so that
 * `sqlite3 signpost.db .schema` documents itself. */
static const char *const migrations[] = {
	"CREATE TABLE node_status (\n"
	"	node TEXT PRIMARY KEY,             -- 'pool/name'\n"
	"	status TEXT NOT NULL,              -- 'up', 'down' or 'unknown'\n"
	"	since_unix_ms INTEGER NOT NULL,    -- of this status; ms since 1970 UTC\n"
	"	checked_unix_ms INTEGER NOT NULL,  -- last probe result; 0: none\n"
	"	rtt_us INTEGER NOT NULL,           -- round trip of the last success; 0: none\n"
	"	reason TEXT NOT NULL               -- 'tcp 192.0.2.1:51820: connection refused'\n"
	") STRICT, WITHOUT ROWID;\n"
	"CREATE TABLE transitions (\n"
	"	id INTEGER PRIMARY KEY,\n"
	"	at_unix_ms INTEGER NOT NULL,       -- ms since 1970 UTC\n"
	"	node TEXT NOT NULL,                -- 'pool/name'\n"
	"	from_status TEXT NOT NULL,\n"
	"	to_status TEXT NOT NULL,\n"
	"	reason TEXT NOT NULL,\n"
	"	rtt_us INTEGER NOT NULL\n"
	") STRICT;\n"
	"CREATE INDEX transitions_by_time ON transitions (at_unix_ms);\n"
	"CREATE INDEX transitions_by_node ON transitions (node, at_unix_ms);\n",

	"CREATE TABLE orders (                      -- what holds, or is to hold\n"
	"	id INTEGER PRIMARY KEY,\n"
	"	at_unix_ms INTEGER NOT NULL,       -- when it was said; ms since 1970 UTC\n"
	"	action TEXT NOT NULL,              -- 'drain', 'disable', 'weight'\n"
	"	object TEXT NOT NULL,              -- 'node:edge/tyo-1', 'site:tokyo',\n"
	"	                                   -- 'site:edge/@tokyo', 'pool:edge'\n"
	"	who TEXT NOT NULL,                 -- as whoever asked says\n"
	"	uid INTEGER NOT NULL,              -- as the kernel says\n"
	"	weight INTEGER NOT NULL,           -- of 'weight'\n"
	"	from_unix_ms INTEGER NOT NULL,\n"
	"	until_unix_ms INTEGER NOT NULL,    -- 0: no end\n"
	"	reason TEXT NOT NULL\n"
	") STRICT;\n"
	"CREATE TABLE operator_actions (            -- all that operators did; only added to\n"
	"	id INTEGER PRIMARY KEY,\n"
	"	at_unix_ms INTEGER NOT NULL,       -- when it was said; ms since 1970 UTC\n"
	"	action TEXT NOT NULL,              -- 'drain', 'disable', 'enable', 'weight', 'reset'\n"
	"	object TEXT NOT NULL,              -- 'node:edge/tyo-1', 'site:tokyo',\n"
	"	                                   -- 'site:edge/@tokyo', 'pool:edge'\n"
	"	who TEXT NOT NULL,                 -- as whoever asked says\n"
	"	uid INTEGER NOT NULL,              -- as the kernel says\n"
	"	weight INTEGER NOT NULL,           -- of 'weight'\n"
	"	from_unix_ms INTEGER NOT NULL,\n"
	"	until_unix_ms INTEGER NOT NULL,    -- 0: no end\n"
	"	reason TEXT NOT NULL\n"
	") STRICT;\n"
	"CREATE INDEX operator_actions_by_time ON operator_actions (at_unix_ms);\n"
	"ALTER TABLE node_status ADD COLUMN\n"
	"	load REAL NOT NULL DEFAULT 0;\n"
	"ALTER TABLE node_status ADD COLUMN\n"
	"	load_at_unix_ms INTEGER NOT NULL DEFAULT 0;\n",

	"ALTER TABLE node_status ADD COLUMN spilling INTEGER NOT NULL DEFAULT 0;\n",

	"CREATE TABLE drill (                       -- the last one, or the one that goes on\n"
	"	at_unix_ms INTEGER NOT NULL,       -- when it was ordered; ms since 1970 UTC\n"
	"	object TEXT NOT NULL,              -- as in orders\n"
	"	who TEXT NOT NULL,\n"
	"	uid INTEGER NOT NULL,\n"
	"	from_unix_ms INTEGER NOT NULL,\n"
	"	until_unix_ms INTEGER NOT NULL,\n"
	"	reason TEXT NOT NULL,\n"
	"	ended_unix_ms INTEGER NOT NULL,    -- 0: not yet\n"
	"	stopped INTEGER NOT NULL,          -- 1: before its time\n"
	"	told INTEGER NOT NULL              -- 1: 'drill-end' is in operator_actions\n"
	") STRICT;\n"
	"CREATE TABLE drill_nodes (                 -- 0 in a time: not yet, or not known\n"
	"	node TEXT PRIMARY KEY,             -- 'pool/name'\n"
	"	was_down INTEGER NOT NULL,         -- 1: before it began\n"
	"	has_probes INTEGER NOT NULL,\n"
	"	down_unix_ms INTEGER NOT NULL,\n"
	"	down_published_unix_ms INTEGER NOT NULL,\n"
	"	down_served_unix_ms INTEGER NOT NULL,\n"
	"	up_unix_ms INTEGER NOT NULL,\n"
	"	up_published_unix_ms INTEGER NOT NULL,\n"
	"	up_served_unix_ms INTEGER NOT NULL\n"
	") STRICT, WITHOUT ROWID;\n",

	"CREATE TABLE nodes (                       -- numbers of nodes, for 'minutes'\n"
	"	id INTEGER PRIMARY KEY,\n"
	"	node TEXT NOT NULL UNIQUE,         -- 'pool/name'\n"
	"	seen_day INTEGER NOT NULL          -- of its latest minute; days since 1970 UTC\n"
	") STRICT;\n"
	"CREATE TABLE minutes (\n"
	"	minute INTEGER NOT NULL,           -- minutes since 1970 UTC\n"
	"	node INTEGER NOT NULL,             -- id in nodes\n"
	"	probes INTEGER NOT NULL,           -- results, of all checks of the node\n"
	"	failures INTEGER NOT NULL,         -- of them\n"
	"	rtt_us INTEGER NOT NULL,           -- mean of the successes; 0: none\n"
	"	rtt_max_us INTEGER NOT NULL,\n"
	"	load_permille INTEGER,             -- of its capacity; NULL: not known\n"
	"	PRIMARY KEY (minute, node)\n"
	") STRICT, WITHOUT ROWID;\n"
	"CREATE TABLE kept (                        -- one row, of transitions and operator_actions\n"
	"	from_unix_ms INTEGER NOT NULL      -- what is younger is not deleted\n"
	") STRICT;\n"
	"INSERT INTO kept VALUES (0);\n"
	"CREATE TRIGGER transitions_are_not_changed BEFORE UPDATE ON transitions\n"
	"BEGIN SELECT RAISE(ABORT, 'transitions are only added to'); END;\n"
	"CREATE TRIGGER transitions_are_not_replaced BEFORE INSERT ON transitions\n"
	"WHEN EXISTS (SELECT 1 FROM transitions WHERE id = new.id)\n"
	"BEGIN SELECT RAISE(ABORT, 'transitions are only added to'); END;\n"
	"CREATE TRIGGER transitions_are_kept BEFORE DELETE ON transitions\n"
	"WHEN old.at_unix_ms >= coalesce((SELECT max(from_unix_ms) FROM kept), 0)\n"
	"BEGIN SELECT RAISE(ABORT, 'transitions are kept for their time'); END;\n"
	"CREATE TRIGGER operator_actions_are_not_changed BEFORE UPDATE ON operator_actions\n"
	"BEGIN SELECT RAISE(ABORT, 'operator_actions are only added to'); END;\n"
	"CREATE TRIGGER operator_actions_are_not_replaced BEFORE INSERT ON operator_actions\n"
	"WHEN EXISTS (SELECT 1 FROM operator_actions WHERE id = new.id)\n"
	"BEGIN SELECT RAISE(ABORT, 'operator_actions are only added to'); END;\n"
	"CREATE TRIGGER operator_actions_are_kept BEFORE DELETE ON operator_actions\n"
	"WHEN old.at_unix_ms >= coalesce((SELECT max(from_unix_ms) FROM kept), 0)\n"
	"BEGIN SELECT RAISE(ABORT, 'operator_actions are kept for their time'); END;\n",

	"ALTER TABLE node_status ADD COLUMN         -- of a node that is up: 'IPv4', 'IPv6' or ''\n"
	"	families_down TEXT NOT NULL DEFAULT '';\n"
	"ALTER TABLE node_status ADD COLUMN         -- since when they are; 0: always, or not known\n"
	"	families_since_unix_ms INTEGER NOT NULL DEFAULT 0;\n"
	"ALTER TABLE transitions ADD COLUMN\n"
	"	from_families_down TEXT NOT NULL DEFAULT '';\n"
	"ALTER TABLE transitions ADD COLUMN\n"
	"	to_families_down TEXT NOT NULL DEFAULT '';\n",
};

const int schema_version = sizeof(migrations) / sizeof(migrations[0]);

static int run(sqlite3 *db, const char *sql, struct err *err)
{
	int code = sqlite3_exec(db, sql, NULL, NULL, NULL);

	return code == SQLITE_OK ? code : sql_fail(db, code, "schema", err);
}

static int read_version(sqlite3 *db, int *version, struct err *err)
{
	sqlite3_stmt *statement = NULL;
	int code = sqlite3_prepare_v2(db, "PRAGMA user_version", -1, &statement, NULL);

	if (code == SQLITE_OK)
		code = sqlite3_step(statement);
	if (code == SQLITE_ROW) {
		*version = sqlite3_column_int(statement, 0);
		code = SQLITE_OK;
	} else {
		(void)sql_fail(db, code, "schema", err);
	}
	(void)sqlite3_finalize(statement);
	return code;
}

static int check_version(sqlite3 *db, int *version, struct err *err)
{
	int code = read_version(db, version, err);

	if (code == SQLITE_OK && (*version < 0 || *version > schema_version)) {
		(void)err_set(err,
			      "its schema is %d, this program knows up to %d: it is left alone",
			      *version, schema_version);
		code = SQLITE_MISMATCH;
	}
	return code;
}

static int migrate_from(sqlite3 *db, int version, struct err *err)
{
	char sql[64];
	int code = SQLITE_OK;

	for (; code == SQLITE_OK && version < schema_version; version++)
		code = run(db, migrations[version], err);
	(void)sqlite3_snprintf(sizeof(sql), sql, "PRAGMA user_version = %d", schema_version);
	if (code == SQLITE_OK)
		code = run(db, sql, err);
	return code == SQLITE_OK ? run(db, "COMMIT", err) : code;
}

int schema_migrate(sqlite3 *db, struct err *err)
{
	int version;
	int code = check_version(db, &version, err);

	if (code != SQLITE_OK || version == schema_version)
		return code;
	code = run(db, "BEGIN IMMEDIATE", err);
	if (code != SQLITE_OK)
		return code;
	/* Again: another process may have migrated it before we had the lock. */
	code = check_version(db, &version, err);
	if (code == SQLITE_OK)
		code = migrate_from(db, version, err);
	if (code != SQLITE_OK)
		(void)sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL);
	return code;
}
