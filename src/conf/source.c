#include "conf/source.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static bool complain(const struct source *source, struct diag *diag, const char *what,
		     const char *why)
{
	struct place place = { .file = source->file };

	diag_add(diag, DIAG_ERROR, &place, NULL, 0, "%s%s", what, why);
	return false;
}

static bool read_all(int fd, char *text, size_t *size)
{
	size_t len = 0;

	while (len < *size) {
		ssize_t n = pread(fd, text + len, *size - len, (off_t)len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return false;
		if (n == 0)
			break; /* it became shorter meanwhile */
		len += (size_t)n;
	}
	*size = len;
	return true;
}

static bool load(struct source *source, int fd, struct arena *arena, struct diag *diag)
{
	struct stat st;
	char *text;

	if (fstat(fd, &st) != 0)
		return complain(source, diag, "cannot be read: ", strerror(errno));
	if (!S_ISREG(st.st_mode))
		return complain(source, diag, "cannot be read: it is not a file", "");
	if ((uintmax_t)st.st_size > SOURCE_SIZE_MAX)
		return complain(source, diag, "is larger than 64 MiB", "");
	source->size = (size_t)st.st_size;
	text = arena_alloc(arena, source->size + 1);
	if (!read_all(fd, text, &source->size))
		return complain(source, diag, "cannot be read: ", strerror(errno));
	source->text = text;
	return true;
}

/* Length of the UTF-8 sequence at s (RFC 3629, 4), 0: there is none. */
static size_t utf8_length(const unsigned char *s, size_t len)
{
	size_t n = s[0] < 0x80 ? 1 : s[0] < 0xe0 ? 2 : s[0] < 0xf0 ? 3 : 4;

	if (n > len || (s[0] >= 0x80 && s[0] < 0xc2) || s[0] > 0xf4)
		return 0;
	for (size_t i = 1; i < n; i++) {
		if ((s[i] & 0xc0) != 0x80)
			return 0;
	}
	if ((s[0] == 0xe0 && s[1] < 0xa0) || (s[0] == 0xed && s[1] >= 0xa0) ||
	    (s[0] == 0xf0 && s[1] < 0x90) || (s[0] == 0xf4 && s[1] >= 0x90))
		return 0;
	return n;
}

static bool is_control(unsigned char c)
{
	return (c < ' ' && c != '\t' && c != '\n' && c != '\r') || c == 0x7f;
}

bool source_is_text(const char *text, size_t len)
{
	const unsigned char *s = (const unsigned char *)text;

	for (size_t pos = 0, n; pos < len; pos += n) {
		n = utf8_length(s + pos, len - pos);
		if (n == 0 || is_control(s[pos]))
			return false;
	}
	return true;
}

static bool check_text(const struct source *source, struct diag *diag)
{
	const unsigned char *text = (const unsigned char *)source->text;
	size_t line = 0;

	for (size_t pos = 0; pos < source->size;) {
		size_t n = utf8_length(text + pos, source->size - pos);
		struct place place;

		if (n == 0 || is_control(text[pos]) || pos - line > SOURCE_LINE_MAX) {
			place = source_place(source, pos, 1);
			if (n != 0 && !is_control(text[pos]))
				diag_add(diag, DIAG_ERROR, &place, NULL, 0,
					 "this line is longer than 64 KiB");
			else
				diag_add(diag, DIAG_ERROR, &place, NULL, 0,
					 "octet 0x%02x has no place in UTF-8 text: this is not a "
					 "text file",
					 text[pos]);
			return false;
		}
		if (text[pos] == '\n')
			line = pos + 1;
		pos += n;
	}
	return true;
}

bool source_read(struct source *out, const char *file, int fd, struct arena *arena,
		 struct diag *diag)
{
	/* O_NONBLOCK: a FIFO in the folder must not stop us before we see that it is one. */
	int own = fd >= 0 ? -1 : open(file, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	bool ok;

	*out = (struct source){ .file = file };
	if (fd < 0 && own < 0)
		return complain(out, diag, "cannot be read: ", strerror(errno));
	ok = load(out, fd >= 0 ? fd : own, arena, diag);
	if (own >= 0)
		(void)close(own);
	if (!ok)
		return false;
	diag_set_source(diag, file, out->text, out->size);
	return check_text(out, diag);
}

int source_is_file(const char *file, struct err *err)
{
	struct stat st;

	if (stat(file, &st) != 0)
		return err_set(err, "%s", strerror(errno));
	return S_ISREG(st.st_mode) ? 0 : err_set(err, "it is not a file");
}

struct place source_walk_place(struct source_walk *walk, size_t pos, size_t len)
{
	const struct source *source = walk->source;
	const char *found;
	struct place place = { .file = source->file };

	if (pos > source->size)
		pos = source->size;
	if (pos < walk->pos)
		*walk = (struct source_walk){ .source = source };
	while ((found = memchr(source->text + walk->pos, '\n', pos - walk->pos)) != NULL) {
		walk->pos = walk->line_start = (size_t)(found - source->text) + 1;
		walk->lines++;
	}
	walk->pos = pos;
	if (len > source->size - pos)
		len = source->size - pos;
	found = memchr(source->text + pos, '\n', len);
	place.line = walk->lines + 1;
	place.column = (unsigned)(pos - walk->line_start) + 1;
	place.len = (unsigned)(found != NULL ? (size_t)(found - source->text) - pos : len);
	return place;
}

struct place source_place(const struct source *source, size_t pos, size_t len)
{
	struct source_walk walk = { .source = source };

	return source_walk_place(&walk, pos, len);
}
