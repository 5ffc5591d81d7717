#include "compile/zone_read.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "compile/beside.h"
#include "compile/zone_pack.h"

#define APART_SIZE    ((uint32_t)1 << 20) /* octets of text from which a thread is worth it */
#define BATCH_RECORDS 1024U
#define BATCHES       8U
#define AHEAD         16U /* items whose place in the draft is asked for beforehand */
#define LINE_OCTETS   32U /* that a record takes, about */

/* A record that is not packed, as zone_pack says; its data is in the batch's buffer. */
struct other {
	struct master_record record;
	struct name owner;
	size_t data_at;
};

struct batch {
	struct draft_item items[BATCH_RECORDS]; /* rrset 0: it is the next one of the others */
	struct other *others;
	size_t other_count, other_cap;
	struct buf data;
	unsigned count; /* fewer than BATCH_RECORDS: it is the last one */
};

/* The reader fills batches in turn, the draft empties them. */
struct pipe {
	struct master_reader *reader;
	struct zone_packer packer; /* the reader's */
	struct batch *batches;
	pthread_mutex_t lock;
	pthread_cond_t moved;
	uint64_t filled, emptied; /* batches, ever */
};

/* --- the reader's side ------------------------------------------------------------------------ */

static void keep_other(struct batch *batch, const struct master_record *record)
{
	struct other other = { .record = *record,
			       .owner = *record->owner,
			       .data_at = batch->data.len };

	buf_append(&batch->data, record->data, record->len);
	array_add(batch->others, batch->other_count, batch->other_cap) = other;
	batch->items[batch->count] = (struct draft_item){ 0 };
}

static void fill(struct pipe *pipe, struct batch *batch)
{
	struct master_record record;

	batch->other_count = 0;
	batch->data.len = 0;
	for (batch->count = 0; batch->count < BATCH_RECORDS; batch->count++) {
		if (!master_reader_next(pipe->reader, &record))
			break;
		if (!zone_pack(&pipe->packer, &record, &batch->items[batch->count]))
			keep_other(batch, &record);
	}
	for (size_t i = 0; i < batch->other_count; i++) { /* they do not move any more */
		batch->others[i].record.owner = &batch->others[i].owner;
		batch->others[i].record.data = batch->data.data + batch->others[i].data_at;
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
static bool is_given_up(const struct zone_draft *draft, uint16_t source)
{
	const struct master_sources *sources = draft->sources;

	return diag_file_is_full(sources->diag, sources->items[source].path);
}

/* Records that have an owner in common are of one file, so all that follow are given up, too. */
static void take_item(struct zone_draft *draft, const struct draft_item *item)
{
	if (diag_errors(draft->sources->diag) > 0) {
		const struct draft_rrset *rrset = draft_at(draft, item->rrset);

		if (is_given_up(draft, draft_first(rrset)->source))
			return;
	}
	draft_take(draft, item);
}

static void empty(struct zone_draft *draft, const struct batch *batch)
{
	const struct other *other = batch->others;

	for (unsigned i = 0; i < batch->count && i < AHEAD; i++)
		draft_prefetch(draft, &batch->items[i]);
	for (unsigned i = 0; i < batch->count; i++) {
		if (i + AHEAD < batch->count)
			draft_prefetch(draft, &batch->items[i + AHEAD]);
		if (batch->items[i].rrset != 0) {
			take_item(draft, &batch->items[i]);
			continue;
		}
		if (!is_given_up(draft, other->record.place.source))
			draft_take_other(draft, &other->record);
		other++;
	}
}

/* Until there is a batch to be emptied. The reader spends much of its time on memory that is new. */
static void wait_for_batch(const struct zone_draft *draft, struct pipe *pipe)
{
	bool more = true;

	(void)pthread_mutex_lock(&pipe->lock);
	while (pipe->filled == pipe->emptied) {
		if (!more) {
			(void)pthread_cond_wait(&pipe->moved, &pipe->lock);
			more = true;
			continue;
		}
		(void)pthread_mutex_unlock(&pipe->lock);
		more = stretch_fill_ahead(draft->memory);
		(void)pthread_mutex_lock(&pipe->lock);
	}
	(void)pthread_mutex_unlock(&pipe->lock);
}

static void take_all(struct zone_draft *draft, struct pipe *pipe)
{
	bool last;

	do {
		const struct batch *batch;

		wait_for_batch(draft, pipe);
		batch = &pipe->batches[pipe->emptied % BATCHES];
		empty(draft, batch);
		last = batch->count < BATCH_RECORDS;
		(void)pthread_mutex_lock(&pipe->lock);
		pipe->emptied++;
		(void)pthread_cond_signal(&pipe->moved);
		(void)pthread_mutex_unlock(&pipe->lock);
	} while (!last);
}

/* By one thread: as both would do it. */
static void read_and_take(struct zone_draft *draft, struct pipe *pipe)
{
	do {
		fill(pipe, pipe->batches);
		empty(draft, pipe->batches);
	} while (pipe->batches->count == BATCH_RECORDS);
}

/* --- both ------------------------------------------------------------------------------------- */

static void read_small(struct zone_draft *draft, struct master_reader *reader)
{
	struct zone_packer packer;
	struct master_record record;
	struct draft_item item;

	zone_packer_start(&packer, draft);
	while (master_reader_next(reader, &record)) {
		if (zone_pack(&packer, &record, &item))
			draft_take(draft, &item);
		else
			draft_take_other(draft, &record);
	}
}

static void read_pipe(struct zone_draft *draft, struct master_reader *reader, bool threads)
{
	struct pipe pipe = { .reader = reader };
	struct beside reading;

	zone_packer_start(&pipe.packer, draft);
	pipe.batches = mem_array(BATCHES, sizeof(*pipe.batches));
	(void)pthread_mutex_init(&pipe.lock, NULL);
	(void)pthread_cond_init(&pipe.moved, NULL);
	if (threads && beside_try(&reading, read_ahead, &pipe)) {
		take_all(draft, &pipe);
		beside_wait(&reading);
	} else {
		read_and_take(draft, &pipe);
	}
	(void)pthread_cond_destroy(&pipe.moved);
	(void)pthread_mutex_destroy(&pipe.lock);
	for (unsigned i = 0; i < BATCHES; i++) {
		buf_free(&pipe.batches[i].data);
		free(pipe.batches[i].others);
	}
	free(pipe.batches);
}

static void read_large(struct zone_draft *draft, struct master_reader *reader, bool threads)
{
	struct master_sources *sources = draft->sources;
	struct diag *diag = sources->diag;
	struct master_sources seen = { .items = sources->items, .diag = diag_new() };

	sources->diag = diag_new(); /* the reader's */
	draft->sources = &seen;
	read_pipe(draft, reader, threads);
	diag_join(diag, sources->diag);
	diag_join(diag, seen.diag);
	diag_free(sources->diag);
	diag_free(seen.diag);
	sources->diag = diag;
	draft->sources = sources;
}

void zone_read(struct zone_draft *draft, const char *path, bool threads)
{
	struct master_sources *sources = draft->sources;
	struct master_reader *reader = master_reader_open(path, &draft->origin, sources);
	uint32_t size = sources->count > 0 ? sources->items[0].size : 0;

	draft_expect(draft, size / LINE_OCTETS);
	if (size >= APART_SIZE)
		read_large(draft, reader, threads);
	else
		read_small(draft, reader);
	master_reader_close(reader);
	draft_finish(draft);
}
