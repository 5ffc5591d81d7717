/* source.h - one file that an operator wrote, read whole and known to be text. */
#ifndef CONF_SOURCE_H
#define CONF_SOURCE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "base/mem.h"
#include "conf/diag.h"

#define SOURCE_SIZE_MAX ((size_t)64 << 20)
#define SOURCE_LINE_MAX ((size_t)64 << 10)

struct source {
	const char *file; /* for messages */
	const char *text; /* NUL-terminated, in the arena */
	size_t size;
};

/* Reads `file`, or where fd is not -1 what that descriptor holds (it stays the caller's). Only a
 * regular file of UTF-8 text with lines of a sensible length passes: whatever else lies around is
 * refused here, with one mistake, before a parser wonders at it. false: it is in diag. */
bool source_read(struct source *out, const char *file, int fd, struct arena *arena,
		 struct diag *diag);

/* Is all of this UTF-8 (RFC 3629) without control characters but tabs? For lines that others
 * read. */
bool source_is_text(const char *text, size_t len);

/* For files that others open: 0 when it is a regular file, or a link to one. A FIFO or a device
 * would be waited for, or never end. */
int source_is_file(const char *file, struct err *err);

/* The place of `len` octets from octet `pos` on (cut at the end of the line). */
struct place source_place(const struct source *source, size_t pos, size_t len);

/* The same for places that are asked for in (nearly) ascending order: lines are counted once.
 * Zero-initialise all but the source. */
struct source_walk {
	const struct source *source;
	size_t pos, line_start;
	unsigned lines; /* ends of lines before pos */
};
struct place source_walk_place(struct source_walk *walk, size_t pos, size_t len);

#endif
