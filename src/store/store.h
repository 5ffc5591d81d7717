/* store.h - SQLite in the state directory: node status and every transition.
 *
 * Writing is a thread of its own behind a bounded queue: a slow, full or broken disk never delays
 * a failover. While they wait, status updates of one node are merged (the latest wins);
 * transitions beyond 65,536 are counted as lost, and that is reported. After an error the
 * writer tries again every few seconds and reports when writing resumes. */
#ifndef STORE_STORE_H
#define STORE_STORE_H

#include <stdint.h>

#include "base/err.h"

struct store;

struct store_status {    /* texts are copied */
	char node[256];  /* "pool/name" */
	char status[16]; /* "up", "down", "unknown" */
	uint64_t since_unix_ms;
	uint64_t checked_unix_ms;
	uint32_t rtt_us; /* 0: none */
	char reason[96];
};

struct store_health {
	uint64_t written, lost, pending; /* transitions and status rows */
	char error[256];                 /* "" while writing works */
};

/* Opens or creates DIR/signpost.db (WAL, schema version in user_version, migrations applied) and
 * starts the writer. A database that cannot be opened or is damaged is reported in *err and by
 * store_health, but the store works all the same: it is moved aside as
 * signpost.db.damaged-<unix time> where it is damaged or no database, left alone where its schema
 * is newer than ours, and retried every two seconds. *err is "" when all is well. -1 only when the
 * thread cannot be started. history_days: transitions older than this are deleted, two seconds
 * after the start and then hourly. The writer logs when writing fails and when it resumes. */
int store_open(struct store **out, const char *directory, uint32_t history_days, struct err *err);
void store_close(struct store *store); /* writes what is queued, for at most 2 s; NULL is fine */

/* Reads all status rows; then calls `each` for every one, or for none and returns -1. For the
 * start, before anything is queued. Waits a second at most for somebody else's lock. */
int store_load(struct store *store, void (*each)(void *context, const struct store_status *row),
	       void *context, struct err *err);

/* Queue and return at once. store_transition also updates the status row. */
void store_transition(struct store *store, const struct store_status *now, const char *from);
void store_status(struct store *store, const struct store_status *now);

void store_health(struct store *store, struct store_health *out);

#endif
