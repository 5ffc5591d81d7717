/* master_source.h - the texts that a zone is read from: its file and what that includes, with
 * the places in them, mistakes at those places, and the hash of all text.
 *
 * Texts are there until the zone is compiled, so a place is a few octets, and a record can be shown
 * to its author long after it was read. One thread adds, several may report (to diags of theirs). */
#ifndef COMPILE_MASTER_SOURCE_H
#define COMPILE_MASTER_SOURCE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>
#include <time.h>

#include "base/err.h"
#include "conf/diag.h"

/* To be raised whenever the same text is compiled to other bytes: segments of older programs are
 * then not taken over. */
#define COMPILER_GENERATION 5

#define SOURCE_ROOM 64U /* octets behind a text that can be read: 0 */

struct master_source {
	char *path, *text;
	uint32_t size;
	dev_t device; /* device and inode tell that two paths are one file */
	ino_t inode;
	struct timespec modified;
	bool let_go; /* see master_sources_let_go; text may be gone since */
	bool gone;   /* it is; under a lock of its own */
};

struct master_sources {
	struct master_source *items; /* does not move when one is added */
	size_t count;
	struct diag *diag;
	bool threads; /* may a large text be read by two? */
	uint64_t id;  /* hash of all texts read so far, in order; never 0 once there is one */
};

/* Where some text stands: `source` is the index of its file. */
struct master_place {
	uint32_t offset, line;
	uint16_t source;
	uint16_t len; /* of the text, for the underline */
};

/* Reads a whole file and appends it. -1: it cannot be read. */
int master_sources_add(struct master_sources *sources, const char *path, struct err *err);

/* Makes of the id before the file that with it, as appending it would do; nothing is kept. */
int master_source_hash(const char *path, uint64_t *id);
void master_sources_free(struct master_sources *sources);

/* Nothing is read any more: gives the memory of large texts back, for what is made of them. If
 * something is to be said of one all the same, it is read again; what has changed since is not shown. */
void master_sources_let_go(const struct master_sources *sources);

void master_report(const struct master_sources *sources, enum diag_severity severity,
		   const struct master_place *place, const char *format, ...)
	__attribute__((format(printf, 4, 5)));

/* A mistake of the file as a whole. */
void master_report_file(const struct master_sources *sources, const char *path, const char *format,
			...) __attribute__((format(printf, 3, 4)));

#endif
