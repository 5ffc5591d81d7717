/* diag.h - mistakes in what operators write: all of them at once, each with its place.
 *
 *   zones/edge.pool.yaml:17:25: error: "203.0.113.300" is neither an IPv4 nor an IPv6 address
 *         tyo-2: { address: 203.0.113.300, weight: 50 }
 *                           ^~~~~~~~~~~~~
 *
 * Collected in order of discovery, printed sorted by file, line and column. */
#ifndef CONF_DIAG_H
#define CONF_DIAG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "base/nearest.h"

enum diag_severity { DIAG_ERROR, DIAG_WARNING };

/* A place in a file; line and column count from 1, 0: not known (then it is not printed). */
struct place {
	const char *file;
	unsigned line, column;
	unsigned len; /* octets of the offending text, for the underline; 0: one caret */
};

struct diag;

struct diag *diag_new(void); /* the caller's */
void diag_free(struct diag *diag);

/* Makes a file's text known, so that lines of it can be shown by whoever has only a place. The
 * text stays the caller's and must live until the last diag_add or diag_join for this file. */
void diag_set_source(struct diag *diag, const char *file, const char *text, size_t size);

/* `source` is the whole line (len octets, no newline; NULL: taken from diag_set_source's text,
 * else not shown; of no octets: it has a secret in it, and is shown with no other mistake either); it is
 * copied. After DIAG_PER_FILE errors in one file the rest of that file's is only counted. */
#define DIAG_PER_FILE 20
void diag_add(struct diag *diag, enum diag_severity severity, const struct place *place,
	      const char *source, size_t source_len, const char *format, ...)
	__attribute__((format(printf, 6, 7)));

/* Adds what was gathered apart, in a thread, as if it had been added here: lines that were not known
 * there are shown, and of a file that is full now no more errors are taken. What does not fit stays
 * in `other`, which is only to be freed. */
void diag_join(struct diag *diag, struct diag *other);

unsigned diag_errors(const struct diag *diag);
unsigned diag_warnings(const struct diag *diag);
/* true: this file has so many errors that reading on helps nobody. */
bool diag_file_is_full(const struct diag *diag, const char *file);

void diag_print(const struct diag *diag, FILE *out);

/* For "did you mean"; NULL: none is near. */
static inline const char *diag_nearest(const char *text, const char *const *candidates,
				       size_t count)
{
	return nearest_word(text, candidates, count);
}

#endif
