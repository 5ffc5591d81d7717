#include "compile/zone_read.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "compile/beside.h"

#define APART_SIZE    ((uint32_t)1 << 20) /* octets of text from which a thread is worth it */
#define BATCH_RECORDS 256U
#define BATCHES       4U
#define LINE_OCTETS   32U /* that a record takes, about */

struct batch {
	struct master_record records[BATCH_RECORDS];
	struct name owners[BATCH_RECORDS];
	uint64_t hashes[BATCH_RECORDS];
	size_t data_at[BATCH_RECORDS];
	struct buf data;
	unsigned count; /* fewer than BATCH_RECORDS: it is the last one */
};

/* The reader fills batches in turn, the draft empties them. */
struct pipe {
	struct master_reader *reader;
	const struct zone_draft *draft; /* whose origin is known to the reader */
	struct batch *batches;
	pthread_mutex_t lock;
	pthread_cond_t moved;
	uint64_t filled, emptied; /* batches, ever */
};

/* --- the reader's side ------------------------------------------------------------------------ */

static void keep_owner(struct name *out, const struct name *owner)
{
	memcpy(out->wire, owner->wire, owner->len);
	out->len = owner->len;
	out->labels = owner->labels;
}

static void fill(struct pipe *pipe, struct batch *batch)
{
	batch->count = 0;
	batch->data.len = 0;
	while (batch->count < BATCH_RECORDS) {
		unsigned i = batch->count;
		struct master_record *record = &batch->records[i];

		if (!master_reader_next(pipe->reader, record))
			break;
		keep_owner(&batch->owners[i], record->owner);
		batch->hashes[i] = draft_hash(pipe->draft, record->owner);
		batch->data_at[i] = batch->data.len;
		buf_append(&batch->data, record->data, record->len);
		batch->count++;
	}
	for (unsigned i = 0; i < batch->count; i++) { /* the buffer does not move any more */
		batch->records[i].owner = &batch->owners[i];
		batch->records[i].data = batch->data.data + batch->data_at[i];
	}
}

static void read_ahead(void *context)
{
	struct pipe *pipe = context;
	struct batch *batch;

	do {
		(void)pthread_mutex_lock(&pipe->lock);
		while (pipe->filled - pipe->emptied == BATCHES)
			(void)pthread_cond_wait(&pipe->moved, &pipe->lock);
		(void)pthread_mutex_unlock(&pipe->lock);
		batch = &pipe->batches[pipe->filled % BATCHES];
		fill(pipe, batch);
		(void)pthread_mutex_lock(&pipe->lock);
		pipe->filled++;
		(void)pthread_cond_signal(&pipe->moved);
		(void)pthread_mutex_unlock(&pipe->lock);
	} while (batch->count == BATCH_RECORDS);
}

/* --- the draft's side ------------------------------------------------------------------------- */

/* As the reader stops where a file is full of mistakes, the draft does not go on with it. */
static bool is_given_up(const struct zone_draft *draft, const struct master_record *record)
{
	const struct master_sources *sources = draft->sources;

	return diag_errors(sources->diag) > 0 &&
	       diag_file_is_full(sources->diag, sources->items[record->place.source].path);
}

static void empty(struct zone_draft *draft, const struct batch *batch)
{
	for (unsigned i = 0; i < batch->count; i++)
		draft_prefetch(draft, batch->hashes[i]);
	for (unsigned i = 0; i < batch->count; i++) {
		if (!is_given_up(draft, &batch->records[i]))
			draft_add_hashed(draft, &batch->records[i], batch->hashes[i]);
	}
}

static void take_all(struct zone_draft *draft, struct pipe *pipe)
{
	bool last;

	do {
		const struct batch *batch;

		(void)pthread_mutex_lock(&pipe->lock);
		while (pipe->filled == pipe->emptied)
			(void)pthread_cond_wait(&pipe->moved, &pipe->lock);
		(void)pthread_mutex_unlock(&pipe->lock);
		batch = &pipe->batches[pipe->emptied % BATCHES];
		empty(draft, batch);
		last = batch->count < BATCH_RECORDS;
		(void)pthread_mutex_lock(&pipe->lock);
		pipe->emptied++;
		(void)pthread_cond_signal(&pipe->moved);
		(void)pthread_mutex_unlock(&pipe->lock);
	} while (!last);
}

/* --- both -------------------------------------------------------------------------------------- */

static void read_here(struct zone_draft *draft, struct master_reader *reader)
{
	struct master_record record;

	while (master_reader_next(reader, &record))
		draft_add(draft, &record);
}

/* false: there is no thread to be had. */
static bool read_apart(struct zone_draft *draft, struct master_reader *reader)
{
	struct master_sources *sources = draft->sources;
	struct diag *diag = sources->diag;
	struct master_sources seen = { .items = sources->items, .diag = diag_new() };
	struct pipe pipe = { .reader = reader, .draft = draft };
	struct beside reading;

	pipe.batches = mem_array(BATCHES, sizeof(*pipe.batches));
	(void)pthread_mutex_init(&pipe.lock, NULL);
	(void)pthread_cond_init(&pipe.moved, NULL);
	sources->diag = diag_new(); /* the reader's */
	draft->sources = &seen;
	if (beside_try(&reading, read_ahead, &pipe)) {
		take_all(draft, &pipe);
		beside_wait(&reading);
	}
	diag_join(diag, sources->diag);
	diag_join(diag, seen.diag);
	diag_free(sources->diag);
	diag_free(seen.diag);
	sources->diag = diag;
	draft->sources = sources;
	(void)pthread_cond_destroy(&pipe.moved);
	(void)pthread_mutex_destroy(&pipe.lock);
	for (unsigned i = 0; i < BATCHES; i++)
		buf_free(&pipe.batches[i].data);
	free(pipe.batches);
	return reading.is_apart;
}

void zone_read(struct zone_draft *draft, const char *path)
{
	struct master_sources *sources = draft->sources;
	struct master_reader *reader = master_reader_open(path, &draft->origin, sources);
	uint32_t size = sources->count > 0 ? sources->items[0].size : 0;

	draft_expect(draft, size / LINE_OCTETS);
	if (size < APART_SIZE || !read_apart(draft, reader))
		read_here(draft, reader);
	master_reader_close(reader);
	draft_finish(draft);
}
