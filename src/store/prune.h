/* prune.h - deleting what is too old, a few thousand rows at a time: rows of now never wait long. */
#ifndef STORE_PRUNE_H
#define STORE_PRUNE_H

#include <sqlite3.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

struct prune_before {
	uint64_t audit_unix_ms; /* transitions, what operators did, the status of nodes */
	uint64_t minute;        /* minutes since 1970 */
};

/* One step, a transaction of its own. *more: there are others. An SQLite result code, with the story
 * in err where it is not SQLITE_OK. */
int prune_step(sqlite3 *db, const struct prune_before *before, bool *more, struct err *err);

#endif
