/* file.c - a small file that another tool writes says how the node is, in the words of agents
 * (probe/agent_line.h) or as a number, which is its load. What it does not say is as usual: unlike
 * an agent's line, a file is always there as a whole.
 *
 * It is read at each turn, without waiting: it has to be on a local disk. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "image/probe_file.h"
#include "probe/agent_line.h"
#include "probe/kind.h"
#include "probe/placeholders.h"

/* A version of the file, and how old it was when it was seen first: from then on clocks that are
 * set change nothing. */
struct file_own {
	struct timespec written;
	ino_t number;
	off_t size;
	uint64_t age_ms, seen_ms;
	bool seen;
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
		*own = (struct file_own){ st->st_mtim, st->st_ino, st->st_size, 0, now_ms, true };
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

/* Its descriptor is open. */
static void look(struct probe *probe, int fd)
{
	const struct file_settings *settings = probe->settings;
	char text[AGENT_LINE_MAX], why[PROBE_WHY_SIZE];
	struct stat st;
	uint64_t age;
	ssize_t n;

	if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode)) {
		end_stale(probe, "it is no file");
		return;
	}
	age = age_ms(probe->own, &st);
	evidence_note(probe->evidence, "written %llu ms ago", (unsigned long long)age);
	if (age > settings->max_age_ms) {
		(void)snprintf(why, sizeof(why), "not written for %llu s",
			       (unsigned long long)age / 1000);
		end_stale(probe, why);
		return;
	}
	n = read(fd, text, sizeof(text));
	if (n < 0)
		end_stale(probe, strerrordesc_np(errno));
	else
		take_text(probe, text, (size_t)n);
}

static void file_start(struct kind *kind, struct probe *probe)
{
	const struct file_settings *settings = probe->settings;
	struct buf path = { 0 };
	int fd, error;

	(void)kind;
	placeholders_fill(probe_text(settings, settings->path), probe, &path);
	buf_append(&path, "", 1);
	fd = open((const char *)path.data, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	error = errno;
	evidence_note(probe->evidence, "%s: %s", (const char *)path.data,
		      fd >= 0 ? "open" : strerrordesc_np(error));
	buf_free(&path);
	if (fd >= 0) {
		look(probe, fd);
		(void)close(fd);
	} else if (kind_outcome(error) == PROBE_NOT_MADE) {
		kind_done(probe, PROBE_NOT_MADE, strerrordesc_np(error));
	} else {
		end_stale(probe, strerrordesc_np(error));
	}
}

/* Nothing runs after start. */
static void file_cancel(struct kind *kind, struct probe *probe)
{
	(void)kind;
	(void)probe;
}

static void file_close(struct kind *kind)
{
	free(kind);
}

struct kind *kind_file_open(const struct kind_tools *tools)
{
	struct kind *kind = mem_alloc(sizeof(*kind));

	(void)tools;
	*kind = (struct kind){ .name = "file",
			       .own_size = sizeof(struct file_own),
			       .start = file_start,
			       .cancel = file_cancel,
			       .close = file_close };
	return kind;
}
