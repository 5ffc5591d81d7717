#include "compile/zone_compile.h"

#include <string.h>

#include "compile/beside.h"
#include "compile/zone_check.h"
#include "compile/zone_read.h"
#include "compile/zone_write.h"

#define APART_RECORDS 10000U            /* of a zone from which a thread is worth it */
#define GIVEN_SIZE    ((size_t)1 << 20) /* octets of a segment that is given away, not copied */

/* --- taking over ------------------------------------------------------------------------------ */

/* Are the files from which a segment was compiled still what they were? */
static bool sources_unchanged(const struct zone_segment *segment, const char *path, uint64_t id)
{
	const char *source = zone_at(segment, char, segment->sources_off);
	const char *end = source + segment->sources_size;
	bool same = strcmp(source, path) == 0;
	uint64_t found = 0;

	for (; same && source < end; source += strlen(source) + 1)
		same = master_source_hash(source, &found) == 0;
	return same && found == id;
}

/* The zone's number in the previous image, or ZONES_NONE. */
static uint32_t find_previous(const struct zones_task *task, const struct zones_item *item)
{
	if (task->previous == NULL)
		return ZONES_NONE;
	return zones_find(task->previous, item->origin.wire, item->origin.len);
}

bool zone_keep(const struct zones_task *task, struct zones_item *item)
{
	const struct zone_segment *segment;
	const struct zones_entry *entry;
	uint32_t zone = find_previous(task, item);

	if (zone == ZONES_NONE)
		return false;
	entry = zones_entry(task->previous, zone);
	segment = zones_segment(task->previous, zone);
	if (!sources_unchanged(segment, item->path, entry->source_id) ||
	    !zone_bind_segment(&item->bounds, task->config, segment))
		return false;
	item->source_id = entry->source_id;
	item->warnings = entry->warnings;
	item->segment = segment;
	item->segment_size = segment->size;
	item->is_kept = true;
	return true;
}

/* --- serials ---------------------------------------------------------------------------------- */

/* Are they the same but for the files that they were read from, whose paths stand last? */
static bool same_records(const struct zone_segment *a, const struct zone_segment *b)
{
	struct zone_segment x = *a, y = *b;

	x.size = y.size = 0;
	x.sources_size = y.sources_size = 0;
	return memcmp(&x, &y, sizeof(x)) == 0 &&
	       memcmp(a + 1, b + 1, a->sources_off - sizeof(*a)) == 0;
}

/* Whoever copies the zone, or watches it, goes by the serial (RFC 1982, 3.2). */
static void check_serial(const struct zones_task *task, const struct zones_item *item,
			 const struct zone_draft *draft, const struct zone_segment *segment)
{
	struct master_place soa = draft_rrset_place(draft_soa(draft));
	const struct zone_segment *served;
	uint32_t zone = find_previous(task, item);

	if (zone == ZONES_NONE)
		return;
	served = zones_segment(task->previous, zone);
	if (segment->serial - served->serial >= UINT32_C(1) << 31)
		master_report(draft->sources, DIAG_WARNING, &soa,
			      "the serial is %u, which does not follow %u, that of the zone that "
			      "was served (RFC 1982)",
			      segment->serial, served->serial);
	else if (segment->serial == served->serial && !same_records(segment, served) &&
		 image_root(task->previous, struct zones_root)->generation == COMPILER_GENERATION)
		master_report(draft->sources, DIAG_WARNING, &soa,
			      "the zone has changed, but its serial is still %u", segment->serial);
}

/* --- compiling -------------------------------------------------------------------------------- */

/* What is needed to make a segment of a draft. */
struct work {
	struct zones_line *line;
	struct zones_item *item;
	struct zone_draft *draft;
	struct image_writer *aside;
	bool threads;
	bool turn; /* it is written into the image */
	uint64_t segment_off;
};

static struct image_writer *writer_of(const struct work *work)
{
	return work->turn ? work->line->writer : work->aside;
}

static int write_zone(struct work *work)
{
	work->turn = zones_line_enter(work->line, work->item);
	if (!work->turn && work->aside->base == NULL)
		image_writer_open_aside(work->aside, IMAGE_ZONES);
	return zone_write(work->draft, writer_of(work), &work->segment_off);
}

struct checking {
	struct zone_draft draft; /* the same one, but for whom it reports to */
	struct master_sources sources;
	const char *path;
};

static void check_apart(void *context)
{
	const struct checking *checking = context;

	zone_check(&checking->draft, checking->path, true);
}

/* What is found wrong makes of what is written nothing at all; mostly nothing is, so one need not
 * wait for the other. What cannot be written is told only where nothing else is wrong, as if it had
 * waited. */
static int check_beside_writing(struct work *work)
{
	struct zone_draft *draft = work->draft;
	struct diag *diag = draft->sources->diag, *written = diag_new();
	struct checking checking = { .draft = *draft,
				     .sources = *draft->sources,
				     .path = work->item->path };
	struct beside beside;
	int rc;

	checking.draft.sources = &checking.sources;
	draft->sources->diag = written;
	beside_start(&beside, check_apart, &checking);
	rc = write_zone(work);
	beside_wait(&beside);
	draft->sources->diag = diag;
	zone_bind_draft(&work->item->bounds, work->line->task->config, draft);
	if (diag_errors(diag) == 0)
		diag_join(diag, written);
	diag_free(written);
	return rc;
}

/* true: there is a segment. */
static bool check_and_write(struct work *work)
{
	struct zone_draft *draft = work->draft;
	const struct diag *diag = draft->sources->diag;
	bool complete = diag_errors(diag) == 0;

	if (complete && work->threads && draft->record_count >= APART_RECORDS &&
	    draft_has_soa(draft))
		return check_beside_writing(work) == 0 && diag_errors(diag) == 0;
	zone_check(draft, work->item->path, complete);
	zone_bind_draft(&work->item->bounds, work->line->task->config, draft);
	return diag_errors(diag) == 0 && write_zone(work) == 0;
}

/* A copy for the item; a large segment itself, as it is: then something else is written to. */
static void give(struct zones_item *item, const struct zone_segment *segment,
		 struct image_writer *aside)
{
	item->segment_size = segment->size;
	if (segment->size < GIVEN_SIZE) {
		item->owned = mem_alloc(segment->size);
		memcpy(item->owned, segment, segment->size);
		item->segment = item->owned;
	} else {
		item->segment = segment;
		item->owned = image_writer_take_aside(aside, &item->mapped);
	}
}

static void keep_errors(struct zones_item *item, struct diag *diag)
{
	if (diag_errors(diag) + diag_warnings(diag) > 0)
		item->errors = diag;
	else
		diag_free(diag);
}

/* Of the item nothing is touched after this. */
static void finish(struct work *work, bool written)
{
	const struct zone_segment *segment = NULL;

	if (written)
		segment = image_writer_at(writer_of(work), struct zone_segment, work->segment_off);
	if (segment != NULL)
		check_serial(work->line->task, work->item, work->draft, segment);
	keep_errors(work->item, work->draft->sources->diag);
	if (work->turn) {
		work->item->segment_off = work->segment_off;
		zones_line_leave(work->line, work->item);
		return;
	}
	if (segment != NULL)
		give(work->item, segment, work->aside);
	if (work->aside->base != NULL)
		image_writer_clear_aside(work->aside);
	zones_line_put(work->line, work->item);
}

void zone_compile(struct zones_line *line, struct zones_item *item, struct image_writer *aside,
		  bool threads)
{
	struct master_sources sources = { .diag = diag_new(), .threads = threads };
	struct zone_draft draft = { .origin = item->origin, .sources = &sources };
	struct work work = {
		.line = line, .item = item, .draft = &draft, .aside = aside, .threads = threads
	};
	bool written;

	draft_start(&draft);
	zone_read(&draft, item->path, threads);
	master_sources_let_go(&sources);
	written = check_and_write(&work);
	item->source_id = sources.id;
	item->warnings = diag_warnings(sources.diag); /* of its text, whatever was served before */
	finish(&work, written);
	draft_free(&draft);
	master_sources_free(&sources);
}
