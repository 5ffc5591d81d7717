/* key.h - a name made ready for lookups: lower case, and where each label starts.
 *
 * One pass over the name finds and checks its labels, a second one makes it lower case, 16 octets
 * at a time. Hashes are taken of what is looked for only (words.h): of the suffixes that can be a
 * zone's origin, and of what is in front of it. On the caller's stack; only what the name needs is
 * ever written. */
#ifndef WIRE_KEY_H
#define WIRE_KEY_H

#include <stddef.h>
#include <stdint.h>

#include "wire/types.h"
#include "wire/words.h"

struct name_key {
	uint8_t wire[DNS_NAME_MAX + 1 + NAME_ROOM]; /* lower case */
	uint8_t len;                                /* root's octet included */
	uint8_t labels;                             /* without the root's */
	uint8_t start[DNS_LABELS_MAX + 1]; /* of each label in wire; start[labels]: root's */
};

/* Reads an uncompressed name of any case from the front of `wire`. Returns its length, root's
 * octet included; 0: not a name (name_length's reasons), and the key is then undefined. */
size_t name_key_read(struct name_key *key, const uint8_t *wire, size_t size);

/* The octets of the suffix that has `labels` labels, and their number. */
static inline const uint8_t *name_key_suffix(const struct name_key *key, unsigned labels,
					     size_t *len)
{
	unsigned start = key->start[key->labels - labels];

	*len = key->len - start;
	return key->wire + start;
}

#endif
