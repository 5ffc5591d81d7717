/* The writer: the thread that has the database. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "store/prune.h"
#include "store/store_parts.h"

#define MS_PER_DAY     ((uint64_t)86400000)
#define MS_PER_MINUTE  ((uint64_t)60000)
#define GATHER_US      (STORE_US_PER_S / 10) /* between two transactions: rows are written together */
#define RETRY_US       (2 * STORE_US_PER_S)
#define PRUNE_FIRST_US (2 * STORE_US_PER_S) /* after the start, which has better things to do */
#define PRUNE_EVERY_US (3600 * STORE_US_PER_S)
#define STEP_MS        ((int64_t)3600000) /* of the clock; less is mended, not wrong */
#define HOLD_US        (86400 * STORE_US_PER_S)

/* --- its database ---------------------------------------------------------------------------- */

/* What was in it is missed until somebody looks after it. */
static void note_aside(struct store *store, const char *aside)
{
	(void)pthread_mutex_lock(&store->lock);
	store->health.damaged_unix_ms = clock_unix_ms();
	(void)snprintf(store->health.damaged_path, sizeof(store->health.damaged_path), "%.255s",
		       aside);
	(void)pthread_mutex_unlock(&store->lock);
}

/* Moves a damaged database aside, and tells so in err. 0 or -1. */
static int set_aside(struct store *store, struct err *err)
{
	char aside[4096];
	char *why = mem_copy_text(err->text);
	int rc;

	database_close(&store->database);
	rc = database_move_aside(store->path, aside, sizeof(aside), err);
	if (rc == 0) {
		(void)err_set(err, "damaged (%s): moved aside as %s, a new one is begun", why,
			      aside);
		note_aside(store, aside);
	}
	free(why);
	return rc;
}

static void tell_damage(const struct store *store, const struct err *err)
{
	log_error("database was damaged", "path=%s error=\"%s\"", store->path, err->text);
}

static int open_anew(struct store *store, struct err *err)
{
	int code = database_open(&store->database, store->path, &store->give_up_us, err);

	/* It may be another file than before. */
	store->orders_due |= code == SQLITE_OK && store->orders.ticket != 0;
	store->drill_due |= code == SQLITE_OK && store->drill.is;
	return code;
}

/* Makes sure that the database is open. 0, with a text in err when a damaged one was set aside;
 * -1: not now. */
static int open_database(struct store *store, struct err *err)
{
	struct err again;
	int code;

	if (store->database.connection != NULL)
		return 0;
	code = open_anew(store, err);
	if (code == SQLITE_OK)
		return 0;
	if (!database_is_damaged(code) || set_aside(store, err) != 0)
		return -1;
	if (open_anew(store, &again) == SQLITE_OK)
		return 0;
	*err = again;
	return -1;
}

/* Did store_load find damage in the file that is there now, not in one that is gone already? */
static bool take_damaged(struct store *store)
{
	ino_t damaged;

	(void)pthread_mutex_lock(&store->lock);
	damaged = store->damaged;
	store->damaged = 0;
	(void)pthread_mutex_unlock(&store->lock);
	return damaged != 0 && damaged == store_file_now(store);
}

/* Closes a connection that is of no use any more; reports why. */
static void drop_useless(struct store *store)
{
	struct err err;

	if (take_damaged(store)) {
		(void)err_set(&err, "found when it was read");
		(void)set_aside(store, &err);
		tell_damage(store, &err);
	}
	if (store->database.connection != NULL && !database_is_in_place(&store->database)) {
		log_warning("database was removed or replaced", "path=%s", store->path);
		database_close(&store->database);
	}
}

/* A clock that was set forward wrongly makes everything look old: nothing is deleted for a day after
 * such a step. */
static bool clock_is_trusted(struct store *store, uint64_t now_us, uint64_t now_ms)
{
	uint64_t ahead_ms = now_ms - now_us / 1000; /* where it wraps, so does the difference */
	int64_t step_ms = (int64_t)(ahead_ms - store->clock_ahead_ms);

	if (store->clock_ahead_ms != 0 && step_ms > STEP_MS) {
		log_warning("the clock was set forward, nothing is deleted for a day",
			    "path=%s by_s=%lld", store->path, (long long)(step_ms / 1000));
		store->prune_not_before_us = now_us + HOLD_US;
	}
	store->clock_ahead_ms = ahead_ms;
	return now_us >= store->prune_not_before_us;
}

/* One step of deleting what is too old. */
static int prune(struct store *store, uint64_t now_us, struct err *err)
{
	uint64_t now_ms = clock_unix_ms();
	uint64_t audit_ms = store->kept.audit * MS_PER_DAY;
	uint64_t minutes_ms = store->kept.minutes * MS_PER_DAY;
	const struct prune_before before = {
		.audit_unix_ms = now_ms > audit_ms ? now_ms - audit_ms : 0,
		.minute = now_ms > minutes_ms ? (now_ms - minutes_ms) / MS_PER_MINUTE : 0,
	};
	bool more = false;
	int code = SQLITE_OK;

	if (clock_is_trusted(store, now_us, now_ms))
		code = prune_step(store->database.connection, &before, &more, err);
	if (code == SQLITE_OK)
		store->next_prune_us = more ? now_us : now_us + PRUNE_EVERY_US;
	return code;
}

/* Orders and the last drill outlive their batch: they are written again where the database is begun
 * anew. */
static void take_lasting(struct store *store)
{
	if (store->batch.drill.is) {
		free(store->drill.nodes);
		store->drill = store->batch.drill;
		store->batch.drill = (struct queue_drill){ 0 };
		store->drill_due = true;
	}
	if (store->batch.orders.ticket == 0)
		return;
	free(store->orders.list);
	store->orders = store->batch.orders;
	store->batch.orders = (struct queue_orders){ 0 };
	store->orders_due = true;
}

static uint64_t due(const struct store *store)
{
	return (uint64_t)store->orders_due + store->drill_due;
}

static void note_written(struct store *store, uint64_t rows)
{
	store->orders_due = store->drill_due = false;
	(void)pthread_mutex_lock(&store->lock);
	store->health.written += rows;
	store->health.pending = 0;
	store->stored_ticket = store->orders.ticket;
	(void)pthread_mutex_unlock(&store->lock);
	queue_clear(&store->batch);
}

/* Writes the batch, and prunes when it is time. An SQLite result code, with the story in err. */
static int try_to_write(struct store *store, struct err *err)
{
	uint64_t now_us = clock_mono_us();
	int code = SQLITE_OK;
	uint64_t rows;

	if (store->database.connection == NULL)
		code = open_anew(store, err);
	rows = queue_rows(&store->batch) + due(store);
	if (code == SQLITE_OK && rows > 0)
		code = database_write(&store->database, &store->batch,
				      store->orders_due ? &store->orders : NULL,
				      store->drill_due ? &store->drill : NULL, err);
	if (code == SQLITE_OK) {
		note_written(store, rows);
		if (now_us >= store->next_prune_us)
			code = prune(store, now_us, err);
	}
	return code;
}

/* Of a damaged database the rows go into a new one. 0 or -1. After another error the connection is
 * opened anew: whatever it was (device gone, file replaced), that starts from the truth. Not so when
 * the disk is full: opening, and reading by others, needs room for the files of WAL, which are there
 * while a connection is open. */
static int write_batch(struct store *store, struct err *err)
{
	int code;

	take_lasting(store);
	drop_useless(store);
	code = try_to_write(store, err);
	if (database_is_damaged(code) && set_aside(store, err) == 0) {
		tell_damage(store, err);
		code = try_to_write(store, err);
	}
	if (code == SQLITE_OK)
		return 0;
	if ((code & 0xff) != SQLITE_FULL)
		database_close(&store->database);
	return -1;
}

/* --- its thread ------------------------------------------------------------------------------ */

static void describe_failure(const struct store *store, const char *why,
			     char text[STORE_HEALTH_TEXT])
{
	struct err err;

	(void)err_set(&err, "%s: %s", store->path, why);
	memcpy(text, err.text, STORE_HEALTH_TEXT - 1);
	text[STORE_HEALTH_TEXT - 1] = '\0';
}

/* Logged when it begins, and when the reason changes. */
static void note_failure(struct store *store, const char *why, uint64_t now_us)
{
	char text[STORE_HEALTH_TEXT];
	bool news;

	describe_failure(store, why, text);
	(void)pthread_mutex_lock(&store->lock);
	news = strcmp(store->health.error, text) != 0;
	memcpy(store->health.error, text, sizeof(text));
	(void)pthread_mutex_unlock(&store->lock);
	if (!store->failing)
		store->failing_since_us = now_us;
	store->failing = true;
	store->retry_us = now_us + RETRY_US;
	if (news)
		log_error("database cannot be written", "path=%s error=\"%s\"", store->path, why);
}

static void note_success(struct store *store, uint64_t now_us)
{
	struct store_health health;

	store->next_write_us = now_us + GATHER_US;
	if (!store->failing)
		return;
	store->failing = false;
	(void)pthread_mutex_lock(&store->lock);
	store->health.error[0] = '\0';
	store->losing = false;
	(void)pthread_mutex_unlock(&store->lock);
	store_health(store, &health);
	log_info("database is written again", "path=%s after_s=%llu lost=%llu", store->path,
		 (unsigned long long)((now_us - store->failing_since_us) / STORE_US_PER_S),
		 (unsigned long long)store_lost(&health));
}

static uint64_t next_turn_us(const struct store *store)
{
	if (store->failing)
		return store->retry_us;
	return queue_rows(&store->queue) > 0 || store->damaged != 0 ? store->next_write_us
								    : store->next_prune_us;
}

/* Waits for something to do and takes what is queued. true: this is the last turn. */
static bool take_turn(struct store *store)
{
	uint64_t now_us = clock_mono_us();
	bool last;

	(void)pthread_mutex_lock(&store->lock);
	while (!store->stopping && now_us < next_turn_us(store)) {
		store_wait(&store->wake, &store->lock, next_turn_us(store) - now_us);
		now_us = clock_mono_us();
	}
	if (queue_rows(&store->batch) == 0) {
		struct queue empty = store->batch;

		store->batch = store->queue;
		store->queue = empty;
		store->health.pending = queue_rows(&store->batch) + due(store);
	}
	last = store->stopping && queue_rows(&store->queue) == 0;
	(void)pthread_mutex_unlock(&store->lock);
	return last;
}

static bool is_stopping(struct store *store)
{
	bool stopping;

	(void)pthread_mutex_lock(&store->lock);
	stopping = store->stopping;
	(void)pthread_mutex_unlock(&store->lock);
	return stopping;
}

/* The thread's last act; whoever is later of it and store_close frees the store. */
static void end_writer(struct store *store)
{
	uint64_t unwritten = queue_rows(&store->batch) + due(store);
	bool abandoned;

	(void)pthread_mutex_lock(&store->lock);
	unwritten += queue_rows(&store->queue);
	(void)pthread_mutex_unlock(&store->lock);
	if (unwritten > 0)
		log_warning("database rows were not written before the end", "path=%s rows=%llu",
			    store->path, (unsigned long long)unwritten);
	(void)pthread_mutex_lock(&store->lock);
	store->ended = true;
	abandoned = store->abandoned;
	(void)pthread_cond_signal(&store->end);
	(void)pthread_mutex_unlock(&store->lock);
	if (abandoned)
		store_free(store);
}

/* Under the lock: then nobody is told any more once store_when_written has taken it back. */
static void tell(struct store *store)
{
	(void)pthread_mutex_lock(&store->lock);
	if (store->told != NULL)
		store->told(store->told_context);
	(void)pthread_mutex_unlock(&store->lock);
}

static void *writer(void *context)
{
	struct store *store = context;
	bool last;

	do {
		struct err err;

		last = take_turn(store);
		if (write_batch(store, &err) == 0)
			note_success(store, clock_mono_us());
		else
			note_failure(store, err.text, clock_mono_us());
		tell(store);
	} while (!last && !(store->failing && is_stopping(store)));
	end_writer(store);
	return NULL;
}

void store_writer_prepare(struct store *store, struct err *err)
{
	err->text[0] = '\0';
	if (open_database(store, err) != 0) {
		describe_failure(store, err->text, store->health.error);
		store->failing = true;
		store->failing_since_us = clock_mono_us();
		store->retry_us = store->failing_since_us + RETRY_US;
	}
	if (err->text[0] != '\0')
		(void)err_prefix(err, "%s", store->path);
	store->next_prune_us = clock_mono_us() + PRUNE_FIRST_US;
}

int store_writer_start(struct store *store, struct err *err)
{
	pthread_condattr_t attributes;
	sigset_t all, before;
	int error;

	(void)pthread_condattr_init(&attributes);
	(void)pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	(void)pthread_cond_init(&store->wake, &attributes);
	(void)pthread_cond_init(&store->end, &attributes);
	(void)pthread_condattr_destroy(&attributes);
	/* Signals are the loop's. */
	(void)sigfillset(&all);
	(void)pthread_sigmask(SIG_SETMASK, &all, &before);
	error = pthread_create(&store->thread, NULL, writer, store);
	(void)pthread_sigmask(SIG_SETMASK, &before, NULL);
	return error != 0 ? err_set(err, "store: thread: %s", strerror(error)) : 0;
}
