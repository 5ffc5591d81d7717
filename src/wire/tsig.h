/* tsig.h - the TSIG record (RFC 8945) of a query, and the one that refuses it.
 *
 * No process here holds a key, so whatever key a query was signed with, it is not known. Pure. */
#ifndef WIRE_TSIG_H
#define WIRE_TSIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "wire/types.h"

/* What the answer repeats. Pointers lead into the query's message. */
struct tsig {
	uint8_t key[DNS_NAME_MAX]; /* its name, uncompressed */
	uint8_t key_len;
	uint8_t algorithm_len;
	const uint8_t *algorithm; /* a name */
	const uint8_t *times;     /* time signed and fudge */
	const uint8_t *original_id;
};

/* A record of that type with its owner name at `owner`, its type at `fixed` and its RDATA behind
 * RDLENGTH, all of it within the message. false: it cannot be interpreted. */
bool tsig_read(struct tsig *out, const uint8_t *message, const uint8_t *owner,
	       const uint8_t *fixed);

/* Octets of the record that answers it. */
size_t tsig_size(const struct tsig *query);

/* Writes them: BADKEY, unsigned (RFC 8945, 5.2.1 and 5.3.2). */
void tsig_write_badkey(uint8_t *out, const struct tsig *query);

#endif
