#include "compile/master_source.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/hash.h"
#include "base/mem.h"

#define SOURCE_MAX     ((off_t)2 << 30)
#define SOURCES_MAX    1000
#define MESSAGE_SIZE   1600 /* a name alone may have 1024 octets */
#define LINE_SHOWN_MAX 4096
#define PIECE_SIZE     ((size_t)256 << 10)

static int read_all(int fd, char *text, size_t size)
{
	size_t pos = 0;

	while (pos < size) {
		ssize_t n = read(fd, text + pos, size - pos);

		if (n == 0)
			errno = EIO; /* it shrinks while it is read: somebody is writing it */
		if (n <= 0)
			return -1;
		pos += (size_t)n;
	}
	return 0;
}

/* The descriptor, or -1. */
static int open_source(const char *path, struct stat *st, struct err *err)
{
	/* O_NONBLOCK: a FIFO must not stop us before we see that it is one. */
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);

	if (fd >= 0 && fstat(fd, st) == 0 && S_ISREG(st->st_mode) && st->st_size <= SOURCE_MAX)
		return fd;
	if (fd < 0 || fstat(fd, st) != 0)
		(void)err_set(err, "%s", strerror(errno));
	else
		(void)err_set(err, S_ISREG(st->st_mode) ? "more than 2 GiB" : "not a regular file");
	if (fd >= 0)
		(void)close(fd);
	return -1;
}

static int load(struct master_source *source, const char *path, struct err *err)
{
	struct stat st;
	int fd = open_source(path, &st, err);
	int rc = -1;

	if (fd < 0)
		return -1;
	source->size = (uint32_t)st.st_size;
	source->device = st.st_dev;
	source->inode = st.st_ino;
	source->text = malloc((size_t)source->size + 1); /* not mem_alloc: no need to clear it */
	if (source->text == NULL || read_all(fd, source->text, source->size) != 0) {
		(void)err_set(err, "%s", strerror(errno));
		goto out;
	}
	source->text[source->size] = '\0';
	rc = 0;
out:
	(void)close(fd);
	return rc;
}

/* Of a text behind others. */
static uint64_t seed_of(uint64_t id)
{
	return hash_word(id + COMPILER_GENERATION);
}

static uint64_t id_of(uint64_t hash)
{
	return hash != 0 ? hash : 1;
}

/* The hash of all that is in a file, in pieces: to find that nothing has changed takes no memory. */
static int hash_all(int fd, off_t size, XXH3_state_t *state)
{
	char *piece = mem_alloc(PIECE_SIZE);
	ssize_t n = 1;

	for (; size > 0 && n > 0; size -= n) {
		n = read(fd, piece, PIECE_SIZE);
		if (n > 0)
			(void)XXH3_64bits_update(state, piece, (size_t)n);
	}
	free(piece);
	return size == 0 ? 0 : -1;
}

int master_source_hash(const char *path, uint64_t *id)
{
	XXH3_state_t *state;
	struct stat st;
	struct err err;
	int fd = open_source(path, &st, &err);
	int rc;

	if (fd < 0)
		return -1;
	state = aligned_alloc(_Alignof(XXH3_state_t), sizeof(*state));
	if (state == NULL)
		abort(); /* as base/mem.h */
	(void)XXH3_64bits_reset_withSeed(state, seed_of(*id));
	rc = hash_all(fd, st.st_size, state);
	*id = id_of(XXH3_64bits_digest(state));
	free(state);
	(void)close(fd);
	return rc;
}

int master_sources_add(struct master_sources *sources, const char *path, struct err *err)
{
	struct master_source source = { 0 };

	if (sources->count == SOURCES_MAX)
		return err_set(err, "more than %d files are included", SOURCES_MAX);
	if (load(&source, path, err) != 0) {
		free(source.text);
		return -1;
	}
	source.path = mem_copy_text(path);
	sources->id = id_of(hash_bytes(source.text, source.size, seed_of(sources->id)));
	if (sources->items == NULL)
		sources->items = mem_array(SOURCES_MAX, sizeof(*sources->items));
	sources->items[sources->count++] = source;
	return 0;
}

void master_sources_free(struct master_sources *sources)
{
	for (size_t i = 0; i < sources->count; i++) {
		free(sources->items[i].path);
		free(sources->items[i].text);
	}
	free(sources->items);
	sources->items = NULL;
	sources->count = 0;
}

/* The line around an offset. */
static const char *line_at(const struct master_source *source, uint32_t offset, size_t *len)
{
	const char *at = source->text + offset;
	const char *start = at, *end = at;

	while (start > source->text && start[-1] != '\n')
		start--;
	while (end < source->text + source->size && *end != '\n' && end - at < LINE_SHOWN_MAX)
		end++;
	if (end > start && end[-1] == '\r')
		end--;
	*len = (size_t)(end - start);
	return start;
}

void master_report(const struct master_sources *sources, enum diag_severity severity,
		   const struct master_place *place, const char *format, ...)
{
	const struct master_source *source = &sources->items[place->source];
	char message[MESSAGE_SIZE];
	struct place where = { .file = source->path, .line = place->line, .len = place->len };
	size_t len;
	const char *line = line_at(source, place->offset, &len);
	va_list args;

	where.column = (unsigned)(source->text + place->offset - line) + 1;
	va_start(args, format);
	(void)vsnprintf(message, sizeof(message), format, args);
	va_end(args);
	diag_add(sources->diag, severity, &where, line, len, "%s", message);
}

void master_report_file(const struct master_sources *sources, const char *path, const char *format,
			...)
{
	const struct place where = { .file = path };
	char message[MESSAGE_SIZE];
	va_list args;

	va_start(args, format);
	(void)vsnprintf(message, sizeof(message), format, args);
	va_end(args);
	diag_add(sources->diag, DIAG_ERROR, &where, NULL, 0, "%s", message);
}
