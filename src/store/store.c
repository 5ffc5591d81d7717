#include "store/store.h"

#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "store/database.h"
#include "store/drill_rows.h"

#define US_PER_S        ((uint64_t)1000000)
#define MS_PER_DAY      ((uint64_t)86400000)
#define GATHER_US       (US_PER_S / 10) /* between two transactions: rows are written together */
#define RETRY_US        (2 * US_PER_S)
#define PRUNE_FIRST_US  (2 * US_PER_S) /* after the start, which has better things to do */
#define PRUNE_EVERY_US  (3600 * US_PER_S)
#define OPEN_MAX_US     (1 * US_PER_S)
#define CLOSE_MAX_US    (2 * US_PER_S)
#define CLOSE_MARGIN_US (US_PER_S / 5) /* left of it for the end of the thread */

#define HEALTH_TEXT sizeof(((struct store_health *)NULL)->error)

struct store {
	char *path;
	uint32_t history_days;
	pthread_t thread;
	_Atomic uint64_t give_up_us; /* clock_mono_us when to wait for locks no longer */

	/* Under `lock`, which is never held during I/O. */
	pthread_mutex_t lock;
	pthread_cond_t wake;        /* the writer */
	pthread_cond_t end;         /* store_close */
	struct queue queue;         /* rows that came since `batch` was taken */
	struct store_health health; /* pending: of the batch alone */
	ino_t damaged;              /* the file that store_load found to be so; 0: none */
	uint64_t last_ticket, stored_ticket;
	bool stopping;  /* store_close wants the thread to end */
	bool ended;     /* the thread needs the store no longer */
	bool abandoned; /* store_close did not wait for that: the thread frees the store */

	void (*told)(void *context); /* NULL: nobody wants to know */
	void *told_context;

	/* The writer's own (before it starts: store_open's). */
	struct database database;
	struct queue batch;         /* being written; kept until it is */
	struct queue_orders orders; /* the last that were told; ticket 0: none yet */
	bool orders_due;            /* they are to be written */
	bool failing;
	uint64_t failing_since_us, retry_us, next_write_us, next_prune_us;
};

static void store_free(struct store *store)
{
	database_close(&store->database);
	queue_free(&store->queue);
	queue_free(&store->batch);
	free(store->orders.list);
	(void)pthread_mutex_destroy(&store->lock);
	(void)pthread_cond_destroy(&store->wake);
	(void)pthread_cond_destroy(&store->end);
	free(store->path);
	free(store);
}

/* --- the writer: its database -------------------------------------------------------------- */

/* Moves a damaged database aside, and tells so in err. 0 or -1. */
static int set_aside(struct store *store, struct err *err)
{
	char aside[4096];
	char *why = mem_copy_text(err->text);
	int rc;

	database_close(&store->database);
	rc = database_move_aside(store->path, aside, sizeof(aside), err);
	if (rc == 0)
		(void)err_set(err, "damaged (%s): moved aside as %s, a new one is begun", why,
			      aside);
	free(why);
	return rc;
}

static int open_anew(struct store *store, struct err *err)
{
	int code = database_open(&store->database, store->path, &store->give_up_us, err);

	/* It may be another file than before. */
	store->orders_due |= code == SQLITE_OK && store->orders.ticket != 0;
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

/* The file that has the database's name now; 0: none. */
static ino_t file_now(const struct store *store)
{
	struct stat st;

	return stat(store->path, &st) == 0 ? st.st_ino : 0;
}

/* Did store_load find damage in the file that is there now, not in one that is gone already? */
static bool take_damaged(struct store *store)
{
	ino_t damaged;

	(void)pthread_mutex_lock(&store->lock);
	damaged = store->damaged;
	store->damaged = 0;
	(void)pthread_mutex_unlock(&store->lock);
	return damaged != 0 && damaged == file_now(store);
}

/* Closes a connection that is of no use any more; reports why. */
static void drop_useless(struct store *store)
{
	struct err err;

	if (take_damaged(store)) {
		(void)err_set(&err, "found when it was read");
		(void)set_aside(store, &err);
		log_error("database was damaged", "path=%s error=\"%s\"", store->path, err.text);
	}
	if (store->database.connection != NULL && !database_is_in_place(&store->database)) {
		log_warning("database was removed or replaced", "path=%s", store->path);
		database_close(&store->database);
	}
}

/* One step of deleting what is too old. */
static int prune(struct store *store, uint64_t now_us, struct err *err)
{
	uint64_t now_ms = clock_unix_ms();
	uint64_t kept_ms = store->history_days * MS_PER_DAY;
	bool more = false;
	int code = SQLITE_OK;

	if (now_ms > kept_ms)
		code = database_prune(&store->database, now_ms - kept_ms, &more, err);
	if (code == SQLITE_OK)
		store->next_prune_us = more ? now_us : now_us + PRUNE_EVERY_US;
	return code;
}

/* Orders outlive their batch: they are written again where the database is begun anew. */
static void take_orders(struct store *store)
{
	if (store->batch.orders.ticket == 0)
		return;
	free(store->orders.list);
	store->orders = store->batch.orders;
	store->batch.orders = (struct queue_orders){ 0 };
	store->orders_due = true;
}

static void note_written(struct store *store, uint64_t rows)
{
	store->orders_due = false;
	(void)pthread_mutex_lock(&store->lock);
	store->health.written += rows;
	store->health.pending = 0;
	store->stored_ticket = store->orders.ticket;
	(void)pthread_mutex_unlock(&store->lock);
	queue_clear(&store->batch);
}

/* Writes the batch, and prunes when it is time. 0 or -1. After an error the connection is opened
 * anew: whatever it was (disk full, device gone, file replaced), that starts from the truth. */
static int write_batch(struct store *store, struct err *err)
{
	uint64_t now_us = clock_mono_us();
	uint64_t rows;
	int code = SQLITE_OK;

	take_orders(store);
	rows = queue_rows(&store->batch) + store->orders_due;
	drop_useless(store);
	err->text[0] = '\0';
	if (open_database(store, err) != 0)
		return -1;
	if (err->text[0] != '\0')
		log_error("database was damaged", "path=%s error=\"%s\"", store->path, err->text);
	if (rows > 0 || store->orders_due)
		code = database_write(&store->database, &store->batch,
				      store->orders_due ? &store->orders : NULL, err);
	if (code == SQLITE_OK) {
		note_written(store, rows);
		if (now_us >= store->next_prune_us)
			code = prune(store, now_us, err);
	}
	if (code == SQLITE_OK)
		return 0;
	if (database_is_damaged(code))
		(void)set_aside(store, err);
	database_close(&store->database);
	return -1;
}

/* --- the writer: its thread ---------------------------------------------------------------- */

static void describe_failure(const struct store *store, const char *why, char text[HEALTH_TEXT])
{
	struct err err;

	(void)err_set(&err, "%s: %s", store->path, why);
	memcpy(text, err.text, HEALTH_TEXT - 1);
	text[HEALTH_TEXT - 1] = '\0';
}

/* Logged when it begins, and when the reason changes. */
static void note_failure(struct store *store, const char *why, uint64_t now_us)
{
	char text[HEALTH_TEXT];
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
	(void)pthread_mutex_unlock(&store->lock);
	store_health(store, &health);
	log_info("database is written again", "path=%s after_s=%llu lost=%llu", store->path,
		 (unsigned long long)((now_us - store->failing_since_us) / US_PER_S),
		 (unsigned long long)health.lost);
}

/* pthread_cond_timedwait wants CLOCK_MONOTONIC, clock_mono_us may count suspension: only
 * differences are shared. */
static void wait_for(pthread_cond_t *cond, pthread_mutex_t *lock, uint64_t us)
{
	struct timespec until = { 0 };
	uint64_t nsec;

	(void)clock_gettime(CLOCK_MONOTONIC, &until);
	nsec = (uint64_t)until.tv_nsec + us % US_PER_S * 1000;
	until.tv_sec += (time_t)(us / US_PER_S + nsec / 1000000000);
	until.tv_nsec = (long)(nsec % 1000000000);
	(void)pthread_cond_timedwait(cond, lock, &until);
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
		wait_for(&store->wake, &store->lock, next_turn_us(store) - now_us);
		now_us = clock_mono_us();
	}
	if (queue_rows(&store->batch) == 0) {
		struct queue empty = store->batch;

		store->batch = store->queue;
		store->queue = empty;
		store->health.pending = queue_rows(&store->batch) + store->orders_due;
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
	uint64_t unwritten = queue_rows(&store->batch) + store->orders_due;
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

/* --- control's side ------------------------------------------------------------------------ */

static int start_writer(struct store *store, struct err *err)
{
	pthread_condattr_t attributes;
	sigset_t all, before;
	int error;

	(void)pthread_mutex_init(&store->lock, NULL);
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

int store_open(struct store **out, const char *directory, uint32_t history_days, struct err *err)
{
	struct store *store = mem_alloc(sizeof(*store));
	struct err thread_err;

	err->text[0] = '\0';
	store->path = mem_format("%s/signpost.db", directory);
	store->history_days = history_days;
	atomic_store(&store->give_up_us, clock_mono_us() + OPEN_MAX_US);
	if (open_database(store, err) != 0) {
		describe_failure(store, err->text, store->health.error);
		store->failing = true;
		store->failing_since_us = clock_mono_us();
		store->retry_us = store->failing_since_us + RETRY_US;
	}
	if (err->text[0] != '\0')
		(void)err_prefix(err, "%s", store->path);
	store->next_prune_us = clock_mono_us() + PRUNE_FIRST_US;
	atomic_store(&store->give_up_us, UINT64_MAX);
	if (start_writer(store, &thread_err) != 0) {
		*err = thread_err;
		store_free(store);
		return -1;
	}
	*out = store;
	return 0;
}

/* false: it did not end in time. */
static bool stop_writer(struct store *store)
{
	uint64_t until_us = clock_mono_us() + CLOSE_MAX_US;
	uint64_t now_us;
	bool ended;

	atomic_store(&store->give_up_us, until_us - CLOSE_MARGIN_US);
	(void)pthread_mutex_lock(&store->lock);
	store->stopping = true;
	(void)pthread_cond_signal(&store->wake);
	while (!store->ended && (now_us = clock_mono_us()) < until_us)
		wait_for(&store->end, &store->lock, until_us - now_us);
	ended = store->ended;
	store->abandoned = !ended;
	if (!ended)
		(void)pthread_detach(store->thread);
	(void)pthread_mutex_unlock(&store->lock);
	return ended;
}

void store_close(struct store *store)
{
	if (store == NULL || !stop_writer(store))
		return;
	(void)pthread_join(store->thread, NULL);
	store_free(store);
}

/* Damage is the writer's to repair. */
static void tell_damage(struct store *store, ino_t file)
{
	(void)pthread_mutex_lock(&store->lock);
	store->damaged = file;
	(void)pthread_cond_signal(&store->wake);
	(void)pthread_mutex_unlock(&store->lock);
}

/* A connection of its own: the writer has the other one. */
int store_load(struct store *store, void (*each)(void *context, const struct store_status *row),
	       void *context, struct err *err)
{
	_Atomic uint64_t give_up_us = clock_mono_us() + OPEN_MAX_US;
	struct store_status *rows = NULL;
	struct database db;
	size_t count = 0;
	ino_t file = file_now(store);
	int code = database_open(&db, store->path, &give_up_us, err);

	if (code == SQLITE_OK)
		code = database_read(&db, &rows, &count, err);
	for (size_t i = 0; i < count; i++)
		each(context, &rows[i]);
	free(rows);
	database_close(&db);
	if (code == SQLITE_OK)
		return 0;
	if (database_is_damaged(code))
		tell_damage(store, file);
	return err_prefix(err, "%s", store->path);
}

int store_load_orders(struct store *store, struct store_action **out, size_t *count,
		      struct err *err)
{
	_Atomic uint64_t give_up_us = clock_mono_us() + OPEN_MAX_US;
	struct database db;
	ino_t file = file_now(store);
	int code;

	*out = NULL;
	*count = 0;
	code = database_open(&db, store->path, &give_up_us, err);
	if (code == SQLITE_OK)
		code = database_read_orders(&db, out, count, err);
	database_close(&db);
	if (code == SQLITE_OK)
		return 0;
	if (database_is_damaged(code))
		tell_damage(store, file);
	return err_prefix(err, "%s", store->path);
}

int store_load_drill(struct store *store, struct store_drill *out, struct store_drill_node **nodes,
		     size_t *count, struct err *err)
{
	_Atomic uint64_t give_up_us = clock_mono_us() + OPEN_MAX_US;
	struct database db;
	ino_t file = file_now(store);
	int code = database_open(&db, store->path, &give_up_us, err);

	*nodes = NULL;
	if (code == SQLITE_OK)
		code = drill_rows_read(db.connection, out, nodes, count, err);
	database_close(&db);
	if (code == SQLITE_OK)
		return 0;
	free(*nodes);
	*nodes = NULL;
	if (database_is_damaged(code))
		tell_damage(store, file);
	return err_prefix(err, "%s", store->path);
}

void store_drill(struct store *store, const struct store_drill *drill,
		 const struct store_drill_node *nodes, size_t count)
{
	(void)pthread_mutex_lock(&store->lock);
	queue_put_drill(&store->queue, drill, nodes, count);
	(void)pthread_cond_signal(&store->wake);
	(void)pthread_mutex_unlock(&store->lock);
}

/* The writer sleeps only while the queue is empty; else it wakes by itself. */
static void put(struct store *store, const struct store_status *now, const char *from)
{
	uint64_t lost = 0;
	bool first;

	(void)pthread_mutex_lock(&store->lock);
	first = queue_rows(&store->queue) == 0;
	if (from != NULL)
		lost += !queue_put_transition(&store->queue, now, from);
	lost += !queue_put_status(&store->queue, now);
	store->health.lost += lost;
	if (first)
		(void)pthread_cond_signal(&store->wake);
	(void)pthread_mutex_unlock(&store->lock);
}

void store_transition(struct store *store, const struct store_status *now, const char *from)
{
	put(store, now, from);
}

void store_status(struct store *store, const struct store_status *now)
{
	put(store, now, NULL);
}

uint64_t store_orders(struct store *store, const struct store_action *orders, size_t count,
		      const struct store_action *done)
{
	uint64_t ticket;

	(void)pthread_mutex_lock(&store->lock);
	ticket = ++store->last_ticket;
	queue_put_orders(&store->queue, orders, count, ticket);
	if (done != NULL)
		store->health.lost += !queue_put_action(&store->queue, done);
	(void)pthread_cond_signal(&store->wake);
	(void)pthread_mutex_unlock(&store->lock);
	return ticket;
}

bool store_is_stored(struct store *store, uint64_t ticket)
{
	bool stored;

	(void)pthread_mutex_lock(&store->lock);
	stored = store->stored_ticket >= ticket;
	(void)pthread_mutex_unlock(&store->lock);
	return stored;
}

void store_when_written(struct store *store, void (*told)(void *context), void *context)
{
	(void)pthread_mutex_lock(&store->lock);
	store->told = told;
	store->told_context = context;
	(void)pthread_mutex_unlock(&store->lock);
}

void store_health(struct store *store, struct store_health *out)
{
	(void)pthread_mutex_lock(&store->lock);
	*out = store->health;
	out->pending += queue_rows(&store->queue);
	(void)pthread_mutex_unlock(&store->lock);
}
