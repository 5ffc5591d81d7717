#include "store/reader.h"

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "store/audit_rows.h"
#include "store/minute_rows.h"
#include "store/sql.h"
#include "store/store_parts.h"

#define BUSY_MAX_MS 1000 /* of whoever keeps the whole file from readers */

struct asked {
	struct asked *next;
	bool is_audit;
	struct {
		struct minutes_question question;
		struct minutes_answer answer;
		reader_minutes_fn *answered;
	} minutes;
	struct {
		struct audit_question question;
		struct audit_answer answer;
		reader_audit_fn *answered;
	} audit;
	void *context;
	bool failed;
	struct err err;
};

struct list {
	struct asked *first, **end;
	size_t count;
};

struct reader {
	struct store *store;
	pthread_t thread;
	void (*told)(void *context);
	void *told_context;

	pthread_mutex_t lock; /* never held while something is read */
	pthread_cond_t wake;
	struct list waiting, done;
	sqlite3 *reading; /* NULL: nothing is read */
	bool stopping;
};

static void put(struct list *list, struct asked *asked)
{
	if (list->first == NULL)
		list->end = &list->first;
	asked->next = NULL;
	*list->end = asked;
	list->end = &asked->next;
	list->count++;
}

static struct asked *take(struct list *list)
{
	struct asked *asked = list->first;

	if (asked != NULL) {
		list->first = asked->next;
		list->count--;
	}
	return asked;
}

static void free_texts(char **texts, size_t count)
{
	for (size_t i = 0; i < count; i++)
		free(texts[i]);
	free(texts);
}

static void free_names(struct audit_names *names)
{
	free_texts(names->whole, names->whole_count);
	free_texts(names->beginnings, names->beginning_count);
}

static void free_question(struct audit_question *question)
{
	free_names(&question->nodes);
	free_names(&question->objects);
}

static void free_asked(struct asked *asked)
{
	free(asked->minutes.answer.rows);
	free(asked->audit.answer.events);
	free_question(&asked->audit.question);
	free(asked);
}

/* --- the thread ------------------------------------------------------------------------------- */

/* Others may end what is read as long as this is so. */
static void note_reading(struct reader *reader, sqlite3 *db)
{
	(void)pthread_mutex_lock(&reader->lock);
	reader->reading = reader->stopping ? NULL : db;
	if (reader->stopping && db != NULL)
		sqlite3_interrupt(db);
	(void)pthread_mutex_unlock(&reader->lock);
}

static int open_for_reading(const char *path, sqlite3 **db, struct err *err)
{
	int flags = SQLITE_OPEN_READONLY | SQLITE_OPEN_NOMUTEX;
	int code = sqlite3_open_v2(path, db, flags, NULL);

	if (code != SQLITE_OK)
		return sql_fail(*db, code, "open", err);
	(void)sqlite3_busy_timeout(*db, BUSY_MAX_MS);
	return SQLITE_OK;
}

static void answer(struct reader *reader, struct asked *asked)
{
	ino_t file = store_file_now(reader->store);
	sqlite3 *db = NULL;
	int code = open_for_reading(reader->store->path, &db, &asked->err);

	note_reading(reader, db);
	if (code == SQLITE_OK)
		code = asked->is_audit ? audit_rows_read(db, &asked->audit.question,
							 &asked->audit.answer, &asked->err)
				       : minute_rows_read(db, &asked->minutes.question,
							  &asked->minutes.answer, &asked->err);
	note_reading(reader, NULL);
	(void)sqlite3_close(db);
	asked->failed = code != SQLITE_OK;
	if (asked->failed)
		(void)err_prefix(&asked->err, "%s", reader->store->path);
	if (database_is_damaged(code))
		store_tell_damage(reader->store, file);
}

static struct asked *next_question(struct reader *reader)
{
	struct asked *asked;

	(void)pthread_mutex_lock(&reader->lock);
	while (!reader->stopping && reader->waiting.first == NULL)
		(void)pthread_cond_wait(&reader->wake, &reader->lock);
	asked = reader->stopping ? NULL : take(&reader->waiting);
	(void)pthread_mutex_unlock(&reader->lock);
	return asked;
}

static void *reads(void *context)
{
	struct reader *reader = context;
	struct asked *asked;

	while ((asked = next_question(reader)) != NULL) {
		answer(reader, asked);
		(void)pthread_mutex_lock(&reader->lock);
		put(&reader->done, asked);
		(void)pthread_mutex_unlock(&reader->lock);
		reader->told(reader->told_context);
	}
	return NULL;
}

/* --- who asks --------------------------------------------------------------------------------- */

int reader_open(struct reader **out, struct store *store, void (*told)(void *context),
		void *context, struct err *err)
{
	struct reader *reader = mem_alloc(sizeof(*reader));
	sigset_t all, before;
	int error;

	reader->store = store;
	reader->told = told;
	reader->told_context = context;
	(void)pthread_mutex_init(&reader->lock, NULL);
	(void)pthread_cond_init(&reader->wake, NULL);
	(void)sigfillset(&all); /* signals are the loop's */
	(void)pthread_sigmask(SIG_SETMASK, &all, &before);
	error = pthread_create(&reader->thread, NULL, reads, reader);
	(void)pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (error != 0) {
		free(reader);
		return err_set(err, "reader: thread: %s", strerror(error));
	}
	*out = reader;
	return 0;
}

static void deliver(struct asked *asked)
{
	const char *error = asked->failed ? asked->err.text : NULL;

	if (asked->is_audit)
		asked->audit.answered(asked->context, error == NULL ? &asked->audit.answer : NULL,
				      error);
	else
		asked->minutes.answered(asked->context, &asked->minutes.question,
					error == NULL ? &asked->minutes.answer : NULL, error);
	free_asked(asked);
}

void reader_deliver(struct reader *reader)
{
	struct asked *asked;

	do {
		(void)pthread_mutex_lock(&reader->lock);
		asked = take(&reader->done);
		(void)pthread_mutex_unlock(&reader->lock);
		if (asked != NULL)
			deliver(asked);
	} while (asked != NULL);
}

void reader_close(struct reader *reader)
{
	struct asked *asked;

	if (reader == NULL)
		return;
	(void)pthread_mutex_lock(&reader->lock);
	reader->stopping = true;
	if (reader->reading != NULL)
		sqlite3_interrupt(reader->reading);
	(void)pthread_cond_signal(&reader->wake);
	(void)pthread_mutex_unlock(&reader->lock);
	(void)pthread_join(reader->thread, NULL);
	reader_deliver(reader);
	while ((asked = take(&reader->waiting)) != NULL) {
		asked->failed = true;
		(void)err_set(&asked->err, "this process ends");
		deliver(asked);
	}
	(void)pthread_mutex_destroy(&reader->lock);
	(void)pthread_cond_destroy(&reader->wake);
	free(reader);
}

static uint64_t bounded(uint64_t limit)
{
	return limit == 0 || limit > READER_ROWS_MAX ? READER_ROWS_MAX : limit;
}

static int ask(struct reader *reader, struct asked *asked, struct err *err)
{
	bool room;

	(void)pthread_mutex_lock(&reader->lock);
	room = reader->waiting.count < READER_QUESTIONS_MAX;
	if (room) {
		put(&reader->waiting, asked);
		(void)pthread_cond_signal(&reader->wake);
	}
	(void)pthread_mutex_unlock(&reader->lock);
	if (room)
		return 0;
	free_asked(asked);
	return err_set(err, "too many questions wait for the database");
}

int reader_ask_minutes(struct reader *reader, const struct minutes_question *question,
		       reader_minutes_fn *answered, void *context, struct err *err)
{
	struct asked *asked = mem_alloc(sizeof(*asked));

	asked->minutes.question = *question;
	asked->minutes.question.limit = bounded(question->limit);
	asked->minutes.answered = answered;
	asked->context = context;
	return ask(reader, asked, err);
}

int reader_ask_audit(struct reader *reader, struct audit_question *question,
		     reader_audit_fn *answered, void *context, struct err *err)
{
	struct asked *asked = mem_alloc(sizeof(*asked));

	asked->is_audit = true;
	audit_names_sort(&question->nodes);
	audit_names_sort(&question->objects);
	asked->audit.question = *question;
	asked->audit.question.limit = bounded(question->limit);
	asked->audit.answered = answered;
	asked->context = context;
	*question = (struct audit_question){ 0 };
	return ask(reader, asked, err);
}
