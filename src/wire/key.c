#include "wire/key.h"

#include <string.h>

static __attribute__((noinline)) void copy_short(uint8_t *to, const uint8_t *from, size_t len)
{
	uint8_t octets[NAME_ROOM] = { 0 };

	memcpy(octets, from, len);
	name_lower_16(to, octets);
}

/* The last 16 octets are those that end where reading has to end, though some were done before.
 * What is copied behind the name does not matter. */
static inline void copy_lower(uint8_t *to, const uint8_t *from, size_t len, size_t size)
{
	if (size < NAME_ROOM) {
		copy_short(to, from, len);
		return;
	}
	for (size_t i = 0; i < len; i += NAME_ROOM) {
		size_t at = i < size - NAME_ROOM ? i : size - NAME_ROOM;

		name_lower_16(to + at, from + at);
	}
}

size_t name_key_read(struct name_key *key, const uint8_t *wire, size_t size)
{
	size_t len = name_key_labels(key, wire, size);

	if (len > 0) {
		copy_lower(key->wire, wire, len, size);
		memset(key->wire + len, 0, NAME_ROOM);
	}
	return len;
}
