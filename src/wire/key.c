#include "wire/key.h"

#include <string.h>

#define OCTETS(c) (UINT64_C(0x0101010101010101) * (c))

/* Eight octets at once: those from 'A' to 'Z' get bit 5. Length octets are below 'A', so a whole
 * name can be treated alike. Sums stay inside their octet, for each is at most 0x7f + 0x3f. */
static uint64_t lower_word(uint64_t word)
{
	uint64_t low = word & OCTETS(0x7f);
	uint64_t from_a = low + OCTETS(0x80 - 'A');
	uint64_t past_z = low + OCTETS(0x7f - 'Z');

	return word | ((from_a ^ past_z) & ~word & OCTETS(0x80)) >> 2;
}

/* Whole words, as far as `size` octets can be read; what is copied behind the name is never
 * looked at. */
static void copy_lower(uint8_t *to, const uint8_t *from, size_t len, size_t size)
{
	size_t i = 0;

	for (; i < len && size - i >= sizeof(uint64_t); i += sizeof(uint64_t)) {
		uint64_t word;

		memcpy(&word, from + i, sizeof(word));
		word = lower_word(word);
		memcpy(to + i, &word, sizeof(word));
	}
	for (; i < len; i++)
		to[i] = name_lower(from[i]);
}

static size_t find_labels(struct name_key *key, const uint8_t *wire, size_t size)
{
	size_t pos = 0;
	unsigned labels = 0;

	while (pos < size && pos < DNS_NAME_MAX) {
		uint8_t len = wire[pos];

		key->start[labels] = (uint8_t)pos;
		if (len == 0) {
			key->labels = (uint8_t)labels;
			return pos + 1;
		}
		if (len > DNS_LABEL_MAX)
			return 0;
		labels++;
		pos += 1U + len;
	}
	return 0;
}

size_t name_key_read(struct name_key *key, const uint8_t *wire, size_t size)
{
	size_t len = find_labels(key, wire, size);
	uint64_t hash = NAME_HASH_ROOT;

	if (len == 0)
		return 0;
	key->len = (uint8_t)len;
	copy_lower(key->wire, wire, len, size);
	key->hash[key->labels] = hash;
	for (unsigned i = key->labels; i-- > 0;) {
		const uint8_t *label = key->wire + key->start[i];

		hash = name_hash_label(hash, label + 1, *label);
		key->hash[i] = hash;
	}
	return len;
}
