#include "store/store.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "store/store_parts.h"

#define CLOSE_MAX_US    (2 * STORE_US_PER_S)
#define CLOSE_MARGIN_US (STORE_US_PER_S / 5) /* left of it for the end of the thread */

const char *const store_kind_name[] = { "transitions", "statuses", "actions", "minutes" };

void store_free(struct store *store)
{
	database_close(&store->database);
	queue_free(&store->queue);
	queue_free(&store->batch);
	free(store->orders.list);
	free(store->drill.nodes);
	(void)pthread_mutex_destroy(&store->lock);
	(void)pthread_cond_destroy(&store->wake);
	(void)pthread_cond_destroy(&store->end);
	free(store->path);
	free(store);
}

ino_t store_file_now(const struct store *store)
{
	struct stat st;

	return stat(store->path, &st) == 0 ? st.st_ino : 0;
}

void store_wait(pthread_cond_t *cond, pthread_mutex_t *lock, uint64_t us)
{
	struct timespec until = { 0 };
	uint64_t nsec;

	(void)clock_gettime(CLOCK_MONOTONIC, &until);
	nsec = (uint64_t)until.tv_nsec + us % STORE_US_PER_S * 1000;
	until.tv_sec += (time_t)(us / STORE_US_PER_S + nsec / 1000000000);
	until.tv_nsec = (long)(nsec % 1000000000);
	(void)pthread_cond_timedwait(cond, lock, &until);
}

void store_tell_damage(struct store *store, ino_t file)
{
	(void)pthread_mutex_lock(&store->lock);
	store->damaged = file;
	(void)pthread_cond_signal(&store->wake);
	(void)pthread_mutex_unlock(&store->lock);
}

int store_open(struct store **out, const char *directory, const struct store_kept *kept,
	       struct err *err)
{
	struct store *store = mem_alloc(sizeof(*store));
	struct err thread_err;

	store->path = mem_format("%s/signpost.db", directory);
	(void)pthread_mutex_init(&store->lock, NULL);
	store->kept = *kept;
	atomic_store(&store->give_up_us, clock_mono_us() + STORE_OPEN_MAX_US);
	store_writer_prepare(store, err);
	atomic_store(&store->give_up_us, UINT64_MAX);
	if (store_writer_start(store, &thread_err) != 0) {
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
		store_wait(&store->end, &store->lock, until_us - now_us);
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

/* Under the lock: counts what had no room. true: that is news. */
static bool note_lost(struct store *store, enum store_kind kind, uint64_t rows)
{
	bool news = rows > 0 && !store->losing;

	store->health.lost[kind] += rows;
	store->losing |= rows > 0;
	return news;
}

static void tell_lost(const struct store *store, enum store_kind kind)
{
	log_error("rows for the database are lost, too many wait", "path=%s first=%s", store->path,
		  store_kind_name[kind]);
}

/* The writer sleeps only while the queue is empty; else it wakes by itself. */
static void put(struct store *store, const struct store_status *now,
		const struct store_before *from)
{
	bool first, news = false;

	(void)pthread_mutex_lock(&store->lock);
	first = queue_rows(&store->queue) == 0;
	if (from != NULL)
		news |= note_lost(store, STORE_TRANSITIONS,
				  !queue_put_transition(&store->queue, now, from));
	news |= note_lost(store, STORE_STATUSES, !queue_put_status(&store->queue, now));
	if (first)
		(void)pthread_cond_signal(&store->wake);
	(void)pthread_mutex_unlock(&store->lock);
	if (news)
		tell_lost(store, from != NULL ? STORE_TRANSITIONS : STORE_STATUSES);
}

void store_minutes(struct store *store, uint64_t minute, const struct store_minute *rows,
		   uint32_t count)
{
	bool first, news;

	if (count == 0)
		return;
	(void)pthread_mutex_lock(&store->lock);
	first = queue_rows(&store->queue) == 0;
	news = note_lost(store, STORE_MINUTES,
			 queue_put_minutes(&store->queue, minute, rows, count) ? 0 : count);
	if (first)
		(void)pthread_cond_signal(&store->wake);
	(void)pthread_mutex_unlock(&store->lock);
	if (news)
		tell_lost(store, STORE_MINUTES);
}

void store_transition(struct store *store, const struct store_status *now,
		      const struct store_before *from)
{
	put(store, now, from);
}

void store_status(struct store *store, const struct store_status *now)
{
	put(store, now, NULL);
}

/* Under the lock, which it gives back: adds what an operator did, unless it is NULL, and has all that
 * is queued written. */
static void put_done(struct store *store, const struct store_action *done)
{
	bool news = done != NULL &&
		    note_lost(store, STORE_ACTIONS, !queue_put_action(&store->queue, done));

	(void)pthread_cond_signal(&store->wake);
	(void)pthread_mutex_unlock(&store->lock);
	if (news)
		tell_lost(store, STORE_ACTIONS);
}

uint64_t store_orders(struct store *store, const struct store_action *orders, size_t count,
		      const struct store_action *done)
{
	uint64_t ticket;

	(void)pthread_mutex_lock(&store->lock);
	ticket = ++store->last_ticket;
	queue_put_orders(&store->queue, orders, count, ticket);
	put_done(store, done);
	return ticket;
}

void store_drill(struct store *store, const struct store_drill *drill,
		 const struct store_drill_node *nodes, size_t count,
		 const struct store_action *done)
{
	(void)pthread_mutex_lock(&store->lock);
	queue_put_drill(&store->queue, drill, nodes, count);
	put_done(store, done);
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
