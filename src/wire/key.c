#include "wire/key.h"

#include <string.h>

#ifdef __SSE2__
#include <emmintrin.h>
#endif

/* Letters from 'A' to 'Z' get bit 5. Length octets are below 'A', so a whole name can be treated
 * alike. */
#ifdef __SSE2__

/* 'A' to 'Z', and nothing else, become the 26 largest signed octets. */
static inline void lower_16(uint8_t *to, const uint8_t *from)
{
	__m128i octets = _mm_loadu_si128((const __m128i *)(const void *)from);
	__m128i moved = _mm_add_epi8(octets, _mm_set1_epi8(0x7f - 'Z'));
	__m128i letters = _mm_cmpgt_epi8(moved, _mm_set1_epi8(0x7f - 26));
	__m128i bits = _mm_and_si128(letters, _mm_set1_epi8(0x20));

	_mm_storeu_si128((__m128i *)(void *)to, _mm_or_si128(octets, bits));
}

#else

#define OCTETS(c) (UINT64_C(0x0101010101010101) * (c))

/* Sums stay inside their octet, for each is at most 0x7f + 0x3f. */
static inline uint64_t lower_word(uint64_t word)
{
	uint64_t low = word & OCTETS(0x7f);
	uint64_t from_a = low + OCTETS(0x80 - 'A');
	uint64_t past_z = low + OCTETS(0x7f - 'Z');

	return word | ((from_a ^ past_z) & ~word & OCTETS(0x80)) >> 2;
}

static inline void lower_16(uint8_t *to, const uint8_t *from)
{
	for (size_t i = 0; i < 16; i += sizeof(uint64_t)) {
		uint64_t word = lower_word(name_word(from + i));

		memcpy(to + i, &word, sizeof(word));
	}
}

#endif

static __attribute__((noinline)) void copy_short(uint8_t *to, const uint8_t *from, size_t len)
{
	uint8_t octets[NAME_ROOM] = { 0 };

	memcpy(octets, from, len);
	lower_16(to, octets);
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

		lower_16(to + at, from + at);
	}
}

size_t name_key_read(struct name_key *key, const uint8_t *wire, size_t size)
{
	size_t end = size < DNS_NAME_MAX ? size : DNS_NAME_MAX, pos = 0;
	unsigned labels = 0;

	for (; pos < end; labels++) {
		uint8_t len = wire[pos];

		key->start[labels] = (uint8_t)pos;
		if (len == 0)
			break;
		if (len > DNS_LABEL_MAX)
			return 0;
		pos += 1U + len;
	}
	if (pos >= end)
		return 0;
	key->len = (uint8_t)(pos + 1);
	key->labels = (uint8_t)labels;
	copy_lower(key->wire, wire, pos + 1, size);
	return pos + 1;
}
