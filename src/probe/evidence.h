/* evidence.h - the steps of one probe, for people: what was sent, what came back, and when.
 *
 * Where nobody looks (evidence is NULL) nothing is written, and nothing is formatted. Secrets never
 * go in: keys, passwords, and texts of files that hold them. Where the other side may say them again,
 * they are to be hidden. */
#ifndef PROBE_EVIDENCE_H
#define PROBE_EVIDENCE_H

#include <stddef.h>
#include <stdint.h>

#define EVIDENCE_STEPS_MAX 64

struct evidence_step {
	uint64_t at_us; /* since the probe began */
	char *text;     /* "sent 148 octets: handshake initiation, sender index 0x11223344" */
	char *octets;   /* the same in hexadecimal, at most 512 octets of it; NULL: none */
};

struct evidence_secret {
	uint8_t *octets;
	size_t len;
};

/* Zero-initialise; single thread. */
struct evidence {
	uint64_t began_us; /* monotonic */
	struct evidence_step steps[EVIDENCE_STEPS_MAX];
	size_t count, left_out;
	struct evidence_secret *secrets;
	size_t secret_count, secret_cap;
};

/* From here on "[hidden]" stands for these octets, wherever they would be told; an empty secret is
 * none. NULL is fine. */
void evidence_hide(struct evidence *evidence, const void *octets, size_t len);
/* The same of a line's words but the first, which may be said by themselves ("Bearer WORD"), and of the
 * whole line. */
void evidence_hide_line(struct evidence *evidence, const char *line);

/* One step more. NULL is fine, and does nothing. */
void evidence_note(struct evidence *evidence, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
/* The same, with the octets that were sent or received. */
void evidence_octets(struct evidence *evidence, const void *octets, size_t len, const char *format,
		     ...) __attribute__((format(printf, 4, 5)));
/* Texts of nodes are read in terminals: what would control these becomes '?'. */
void evidence_tame(char *text);

void evidence_free(struct evidence *evidence);

#endif
