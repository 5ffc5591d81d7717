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

#ifdef __SSE2__
#include <emmintrin.h>
#endif

struct name_key {
	uint8_t wire[DNS_NAME_MAX + 1 + NAME_ROOM]; /* lower case, then NAME_ROOM zeros */
	uint8_t len;                                /* root's octet included */
	uint8_t labels;                             /* without the root's */
	uint8_t start[DNS_LABELS_MAX + 1]; /* of each label in wire; start[labels]: root's */
};

/* Reads an uncompressed name of any case from the front of `wire`. Returns its length, root's
 * octet included; 0: not a name (name_length's reasons), and the key is then undefined. */
size_t name_key_read(struct name_key *key, const uint8_t *wire, size_t size);

/* Finds the labels: all of that but the octets in lower case. */
static inline size_t name_key_labels(struct name_key *key, const uint8_t *wire, size_t size)
{
	size_t end = size < DNS_NAME_MAX ? size : DNS_NAME_MAX, pos = 0;
	unsigned labels = 0;

	for (; pos < end; labels++) {
		uint8_t len = wire[pos];

		key->start[labels] = (uint8_t)pos;
		if (len - 1U >= DNS_LABEL_MAX) /* the root's, or too long */
			break;
		pos += 1U + len;
	}
	if (pos >= end || wire[pos] != 0)
		return 0;
	key->len = (uint8_t)(pos + 1);
	key->labels = (uint8_t)labels;
	return pos + 1;
}

/* Letters from 'A' to 'Z' get bit 5. Length octets are below 'A', so a whole name can be treated
 * alike. */
#ifdef __SSE2__

/* 'A' to 'Z', and nothing else, become the 26 largest signed octets. */
static inline void name_lower_16(uint8_t *to, const uint8_t *from)
{
	__m128i octets = _mm_loadu_si128((const __m128i *)(const void *)from);
	__m128i moved = _mm_add_epi8(octets, _mm_set1_epi8(0x7f - 'Z'));
	__m128i letters = _mm_cmpgt_epi8(moved, _mm_set1_epi8(0x7f - 26));
	__m128i bits = _mm_and_si128(letters, _mm_set1_epi8(0x20));

	_mm_storeu_si128((__m128i *)(void *)to, _mm_or_si128(octets, bits));
}

#else

#define NAME_OCTETS(c) (UINT64_C(0x0101010101010101) * (c))

/* Sums stay inside their octet, for each is at most 0x7f + 0x3f. */
static inline uint64_t name_lower_word(uint64_t word)
{
	uint64_t low = word & NAME_OCTETS(0x7f);
	uint64_t from_a = low + NAME_OCTETS(0x80 - 'A');
	uint64_t past_z = low + NAME_OCTETS(0x7f - 'Z');

	return word | ((from_a ^ past_z) & ~word & NAME_OCTETS(0x80)) >> 2;
}

static inline void name_lower_16(uint8_t *to, const uint8_t *from)
{
	for (size_t i = 0; i < 16; i += sizeof(uint64_t)) {
		uint64_t word = name_lower_word(name_word(from + i));

		memcpy(to + i, &word, sizeof(word));
	}
}

#endif

/* As name_key_read, where NAME_ROOM octets behind `size` are readable. */
static inline size_t name_key_read_roomy(struct name_key *key, const uint8_t *wire, size_t size)
{
	size_t len = name_key_labels(key, wire, size);

	for (size_t i = 0; i < len; i += NAME_ROOM)
		name_lower_16(key->wire + i, wire + i);
	memset(key->wire + len, 0, NAME_ROOM);
	return len;
}

/* The octets of the suffix that has `labels` labels, and their number. */
static inline const uint8_t *name_key_suffix(const struct name_key *key, unsigned labels,
					     size_t *len)
{
	unsigned start = key->start[key->labels - labels];

	*len = key->len - start;
	return key->wire + start;
}

#endif
