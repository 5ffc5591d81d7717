/* base64.h - octets as text and back (RFC 4648, section 4). */
#ifndef BASE_BASE64_H
#define BASE_BASE64_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define BASE64_SIZE(size) (((size) + 2) / 3 * 4 + 1) /* of the text, with its NUL */

void base64_encode(const void *octets, size_t size, char *text);

/* Exactly `size` octets, and nothing else: padded, without spaces, no bit set that says nothing. In a
 * time that does not depend on what they are: they may be a key. */
bool base64_decode(const char *text, size_t len, void *octets, size_t size);

/* The same of a text with white space around it, as files of one line are. */
bool base64_decode_line(const char *text, size_t len, void *octets, size_t size);

#endif
