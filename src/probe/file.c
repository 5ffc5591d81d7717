/* file.c - a small file that another tool writes says how the node is, in the words of agents
 * (probe/agent_line.h) or as a number, which is its load. What it does not say is as usual: unlike
 * an agent's line, a file is always there as a whole.
 *
 * It is read at each turn, beside the loop (probe/file_read.h). */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "base/mem.h"
#include "image/probe_file.h"
#include "probe/agent_line.h"
#include "probe/file_read.h"
#include "probe/kind.h"
#include "probe/placeholders.h"

struct file {
	struct kind kind; /* first: a struct kind * is a struct file * */
	struct file_reader *reader;
};

/* A version of the file, and how old it was when it was seen first: from then on clocks that are
 * set change nothing. */
struct file_own {
	struct timespec written;
	ino_t number;
	off_t size;
	uint64_t age_ms, seen_ms;
	bool seen;
	struct file_read *reading; /* NULL: none */
};

static void end_stale(struct probe *probe, const char *why)
{
	const struct file_settings *settings = probe->settings;

	kind_done(probe, settings->stale == STALE_FAILURE ? PROBE_FAILURE : PROBE_NOT_MADE, why);
}

static uint64_t age_ms(struct file_own *own, const struct stat *st)
{
	uint64_t now_ms = clock_mono_ms(), unix_ms = clock_unix_ms();
	uint64_t written_ms = (uint64_t)st->st_mtim.tv_sec * 1000 +
			      (uint64_t)st->st_mtim.tv_nsec / 1000000;

	if (!own->seen || own->number != st->st_ino || own->size != st->st_size ||
	    own->written.tv_sec != st->st_mtim.tv_sec ||
	    own->written.tv_nsec != st->st_mtim.tv_nsec) {
		*own = (struct file_own){ .written = st->st_mtim,
					  .number = st->st_ino,
					  .size = st->st_size,
					  .seen_ms = now_ms,
					  .seen = true };
		own->age_ms = unix_ms > written_ms ? unix_ms - written_ms : 0;
	}
	return own->age_ms + (now_ms - own->seen_ms);
}

/* A number alone is a load. */
static bool parse(const char *text, size_t len, struct agent_line *out)
{
	size_t end = 0;

	*out = (struct agent_line){ 0 };
	while (end < len && text[end] != '\r' && text[end] != '\n')
		end++;
	while (end > 0 && text[end - 1] == ' ')
		end--;
	if (end > 0 && text[end - 1] != '%' && agent_load_parse(text, end, &out->load)) {
		out->has_load = true;
		out->says = true;
		return true;
	}
	return agent_line_parse(text, len, true, out) && out->says;
}

static void take_text(struct probe *probe, const char *text, size_t len)
{
	struct agent_said said = { .wish = WISH_READY };
	struct agent_line line;
	char why[PROBE_WHY_SIZE];
	struct probe_result result;

	evidence_octets(probe->evidence, text, len, "read %zu octets", len);
	if (!parse(text, len, &line)) {
		kind_done(probe, PROBE_NOT_MADE,
			  agent_line_silence(&line, "the file is empty", why));
		return;
	}
	agent_said_take(&said, &line);
	result = agent_said_result(&said, &line, why);
	if (!result.has_weight) {
		result.has_weight = true;
		result.weight_percent = 100;
	}
	probe->done(probe, &result);
}

static void look(struct probe *probe, const struct file_text *file)
{
	const struct file_settings *settings = probe->settings;
	uint64_t age = age_ms(probe->own, &file->st);
	char why[PROBE_WHY_SIZE];

	evidence_note(probe->evidence, "written %llu ms ago", (unsigned long long)age);
	if (age <= settings->max_age_ms) {
		take_text(probe, file->text, file->len);
		return;
	}
	(void)snprintf(why, sizeof(why), "not written for %llu s", (unsigned long long)age / 1000);
	end_stale(probe, why);
}

static void has_read(void *context, const struct file_text *file)
{
	struct probe *probe = context;
	struct file_own *own = probe->own;

	own->reading = NULL;
	if (file->error != 0)
		evidence_note(probe->evidence, "it cannot be read: %s",
			      strerrordesc_np(file->error));
	if (file->is_file)
		look(probe, file);
	else if (file->error == 0)
		end_stale(probe, "it is no file");
	else if (kind_outcome(file->error) == PROBE_NOT_MADE)
		kind_done(probe, PROBE_NOT_MADE, strerrordesc_np(file->error));
	else
		end_stale(probe, strerrordesc_np(file->error));
}

static void file_start(struct kind *kind, struct probe *probe)
{
	struct file *file = (struct file *)kind;
	const struct file_settings *settings = probe->settings;
	struct file_own *own = probe->own;
	struct buf path = { 0 };

	placeholders_fill(probe_text(settings, settings->path), probe, &path);
	buf_append(&path, "", 1);
	evidence_note(probe->evidence, "the file is %s", (const char *)path.data);
	if (file_read_hangs(file->reader, (const char *)path.data)) {
		end_stale(probe, FILE_READ_HANGS);
	} else {
		own->reading = file_read_start(file->reader, (const char *)path.data,
					       AGENT_LINE_MAX, has_read, probe);
		if (own->reading == NULL)
			kind_done(probe, PROBE_NOT_MADE, "no thread to read files");
	}
	buf_free(&path);
}

static void file_cancel(struct kind *kind, struct probe *probe)
{
	struct file_own *own = probe->own;

	(void)kind;
	file_read_cancel(own->reading, false);
	own->reading = NULL;
}

static void file_expire(struct kind *kind, struct probe *probe, struct probe_result *result)
{
	const struct file_settings *settings = probe->settings;
	struct file_own *own = probe->own;
	bool hangs = file_read_has_begun(own->reading);

	(void)kind;
	result->why = hangs ? FILE_READ_HANGS : FILE_READ_WAITS;
	if (!hangs || settings->stale == STALE_NOT_MADE)
		result->outcome = PROBE_NOT_MADE;
	file_read_cancel(own->reading, hangs);
	own->reading = NULL;
}

static void file_close(struct kind *kind)
{
	struct file *file = (struct file *)kind;

	file_reader_close(file->reader);
	free(file);
}

struct kind *kind_file_open(const struct kind_tools *tools)
{
	struct file *file = mem_alloc(sizeof(*file));

	file->kind = (struct kind){ .name = "file",
				    .own_size = sizeof(struct file_own),
				    .start = file_start,
				    .cancel = file_cancel,
				    .expire = file_expire,
				    .close = file_close };
	file->reader = file_reader_open(tools->loop);
	return &file->kind;
}
