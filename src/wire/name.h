/* name.h - domain names in wire form (RFC 1035, 3.1): labels with a length octet, root last.
 *
 * Stored names are lower case and uncompressed. Bytes in, bytes out; no allocation. For hashing and
 * comparing names in whole words see words.h. */
#ifndef WIRE_NAME_H
#define WIRE_NAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "wire/types.h"

#define NAME_TEXT_SIZE 1025 /* every octet as \ddd, dots, NUL */

struct name {
	uint8_t wire[DNS_NAME_MAX];
	uint8_t len;    /* root's octet included: 1..255 */
	uint8_t labels; /* without the root's */
};

/* Length of a valid uncompressed wire name at `wire`, root's octet included; 0 when it does not
 * end within `size`, is longer than 255 octets, or has a label over 63. */
size_t name_length(const uint8_t *wire, size_t size);
uint8_t name_labels(const uint8_t *wire);

/* Text (RFC 1035, 5.1: \. and \ddd) to lower-case wire form. A name without a dot at its end is
 * completed by `origin`, or by the root where origin is NULL. false: what is wrong is in *reason,
 * a literal for a message ("a label has more than 63 octets"). */
bool name_parse(const char *text, size_t len, const struct name *origin, struct name *out,
		const char **reason);

/* "vpn.example.net." */
const char *name_format(const uint8_t *wire, char text[NAME_TEXT_SIZE]);

/* Both in wire form; letters compare without case. */
bool name_equal(const uint8_t *a, const uint8_t *b);

/* true when `name` is `ancestor` or below it. Both lower case. */
bool name_is_under(const uint8_t *name, size_t name_len, const uint8_t *ancestor,
		   size_t ancestor_len);

static inline uint8_t name_lower(uint8_t c)
{
	return c >= 'A' && c <= 'Z' ? (uint8_t)(c + 32) : c;
}

#endif
