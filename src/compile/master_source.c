#include "compile/master_source.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/hash.h"
#include "base/mem.h"
#include "compile/beside.h"

#define SOURCE_MAX     ((off_t)2 << 30)
#define SOURCES_MAX    1000
#define MESSAGE_SIZE   1600 /* a name alone may have 1024 octets */
#define LINE_SHOWN_MAX 4096
#define PIECE_SIZE     ((size_t)256 << 10)
#define HUGE_PAGE      ((size_t)2 << 20)
#define LARGE_STEP     (2 * HUGE_PAGE)
#define LARGE_TEXT     ((size_t)1 << 20)

/* What stands from `from` on. */
static int read_part(int fd, char *text, size_t from, size_t size)
{
	size_t pos = 0;

	while (pos < size) {
		ssize_t n = pread(fd, text + pos, size - pos, (off_t)(from + pos));

		if (n == 0)
			errno = EIO; /* it shrinks while it is read: somebody is writing it */
		if (n <= 0)
			return -1;
		pos += (size_t)n;
	}
	return 0;
}

static int read_all(int fd, char *text, size_t size)
{
	return read_part(fd, text, 0, size);
}

/* What a thread reads of a file. */
struct part {
	int fd;
	char *text;
	size_t from, size;
	int error; /* errno; 0: it is read */
};

static void read_apart(void *context)
{
	struct part *part = context;

	part->error = read_part(part->fd, part->text, part->from, part->size) != 0 ? errno : 0;
}

/* The same by two threads: to have the memory takes longer than to copy the text into it. */
static int read_halves(int fd, char *text, size_t size)
{
	size_t half = size / 2;
	struct part rest = { .fd = fd, .text = text + half, .from = half, .size = size - half };
	struct beside beside;
	int rc;

	beside_start(&beside, read_apart, &rest);
	rc = read_part(fd, text, 0, half);
	beside_wait(&beside);
	if (rest.error == 0)
		return rc;
	errno = rest.error;
	return -1;
}

static int read_text(int fd, char *text, size_t size, bool threads)
{
	return threads && size >= HUGE_PAGE ? read_halves(fd, text, size)
					    : read_all(fd, text, size);
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

/* Not cleared. A large one is in huge pages, where the system has some: so it is there sooner. */
static char *text_new(size_t size)
{
	char *text;

	if (size < LARGE_TEXT)
		return malloc(size);
	text = aligned_alloc(HUGE_PAGE, (size + HUGE_PAGE - 1) & ~(HUGE_PAGE - 1));
	for (size_t at = 0; text != NULL && at < size; at += LARGE_STEP)
		mem_huge(text + at, size - at < LARGE_STEP ? size - at : LARGE_STEP);
	return text;
}

static int load(struct master_source *source, const char *path, bool threads, struct err *err)
{
	struct stat st;
	int fd = open_source(path, &st, err);
	int rc = -1;

	if (fd < 0)
		return -1;
	source->size = (uint32_t)st.st_size;
	source->device = st.st_dev;
	source->inode = st.st_ino;
	source->modified = st.st_mtim;
	source->text = text_new((size_t)source->size + SOURCE_ROOM);
	if (source->text == NULL || read_text(fd, source->text, source->size, threads) != 0) {
		(void)err_set(err, "%s", strerror(errno));
		goto out;
	}
	memset(source->text + source->size, 0, SOURCE_ROOM);
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
static int hash_pieces(int fd, off_t size, uint64_t seed, char *piece, uint64_t *hash)
{
	XXH3_state_t *state = aligned_alloc(_Alignof(XXH3_state_t), sizeof(*state));
	ssize_t n = 1;

	if (state == NULL)
		abort();       /* as base/mem.h */
	XXH3_INITSTATE(state); /* else what was there before may be taken for this seed's secret */
	(void)XXH3_64bits_reset_withSeed(state, seed);
	for (; size > 0 && n > 0; size -= n) {
		n = read(fd, piece, PIECE_SIZE);
		if (n > 0)
			(void)XXH3_64bits_update(state, piece, (size_t)n);
	}
	*hash = XXH3_64bits_digest(state);
	free(state);
	return size == 0 ? 0 : -1;
}

/* Most files are small: one piece, and no memory but what it takes. */
static int hash_all(int fd, off_t size, uint64_t seed, uint64_t *hash)
{
	bool small = size <= (off_t)PIECE_SIZE;
	char *piece = malloc(small ? (size_t)size + 1 : PIECE_SIZE);
	int rc;

	if (piece == NULL)
		abort(); /* as base/mem.h */
	if (small) {
		rc = read_all(fd, piece, (size_t)size);
		*hash = rc == 0 ? hash_bytes(piece, (size_t)size, seed) : 0;
	} else {
		rc = hash_pieces(fd, size, seed, piece, hash);
	}
	free(piece);
	return rc;
}

int master_source_hash(const char *path, uint64_t *id)
{
	uint64_t hash;
	struct stat st;
	struct err err;
	int fd = open_source(path, &st, &err);
	int rc;

	if (fd < 0)
		return -1;
	rc = hash_all(fd, st.st_size, seed_of(*id), &hash);
	*id = id_of(hash);
	(void)close(fd);
	return rc;
}

int master_sources_add(struct master_sources *sources, const char *path, struct err *err)
{
	struct master_source source = { 0 };

	if (sources->count == SOURCES_MAX)
		return err_set(err, "more than %d files are included", SOURCES_MAX);
	if (load(&source, path, sources->threads, err) != 0) {
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

static pthread_mutex_t gone_lock = PTHREAD_MUTEX_INITIALIZER;

void master_sources_let_go(const struct master_sources *sources)
{
	for (size_t i = 0; i < sources->count; i++) {
		struct master_source *source = &sources->items[i];

		if (source->size < LARGE_TEXT)
			continue;
		source->let_go = source->gone = true;
		(void)madvise(source->text, source->size, MADV_DONTNEED); /* zeros from now on */
	}
}

static bool is_unchanged(const struct master_source *source, const struct stat *st)
{
	return source->device == st->st_dev && source->inode == st->st_ino &&
	       source->size == st->st_size && source->modified.tv_sec == st->st_mtim.tv_sec &&
	       source->modified.tv_nsec == st->st_mtim.tv_nsec;
}

static bool read_again(const struct master_source *source)
{
	struct stat st;
	struct err err;
	int fd = open_source(source->path, &st, &err);
	bool good;

	if (fd < 0)
		return false;
	good = is_unchanged(source, &st) && read_all(fd, source->text, source->size) == 0;
	(void)close(fd);
	return good;
}

/* false: the text is not there any more. */
static bool has_text(struct master_source *source)
{
	bool there;

	if (!source->let_go)
		return true;
	(void)pthread_mutex_lock(&gone_lock);
	if (source->gone)
		source->gone = !read_again(source);
	there = !source->gone;
	(void)pthread_mutex_unlock(&gone_lock);
	return there;
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
	struct master_source *source = &sources->items[place->source];
	char message[MESSAGE_SIZE];
	struct place where = { .file = source->path, .line = place->line, .len = place->len };
	const char *line = NULL;
	size_t len = 0;
	va_list args;

	if (has_text(source)) {
		line = line_at(source, place->offset, &len);
		where.column = (unsigned)(source->text + place->offset - line) + 1;
	}
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
