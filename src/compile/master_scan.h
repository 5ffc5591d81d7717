/* master_scan.h - words of a master file looked at 16 octets at a time.
 *
 * SCAN_ROOM octets behind whatever is scanned must be readable, and as many writable behind where
 * it is copied to. */
#ifndef COMPILE_MASTER_SCAN_H
#define COMPILE_MASTER_SCAN_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#ifdef __SSE2__
#include <emmintrin.h>
#endif

#define SCAN_ROOM 16U

/* Bit n: of the octet n. */
struct scan {
	unsigned special; /* it is no printable ASCII, or one of  " ( ) . ; \ !  */
	unsigned odd;     /* it is no letter, no digit and no hyphen */
};

/* Copies SCAN_ROOM octets, in lower case if that is wanted. */
static inline struct scan scan_copy(const char *from, uint8_t *to, bool lower)
{
#ifdef __SSE2__
	const __m128i hyphen = _mm_set1_epi8('-'), two = _mm_set1_epi8(1);
	__m128i text = _mm_loadu_si128((const __m128i *)(const void *)from);
	/* Signed: octets from 128 on are below all others. */
	__m128i capital = _mm_and_si128(_mm_cmpgt_epi8(text, _mm_set1_epi8('A' - 1)),
					_mm_cmplt_epi8(text, _mm_set1_epi8('Z' + 1)));
	__m128i small = _mm_or_si128(text, _mm_and_si128(capital, _mm_set1_epi8(0x20)));
	__m128i letter = _mm_and_si128(_mm_cmpgt_epi8(small, _mm_set1_epi8('a' - 1)),
				       _mm_cmplt_epi8(small, _mm_set1_epi8('z' + 1)));
	__m128i digit = _mm_and_si128(_mm_cmpgt_epi8(text, _mm_set1_epi8('0' - 1)),
				      _mm_cmplt_epi8(text, _mm_set1_epi8('9' + 1)));
	__m128i plain = _mm_or_si128(_mm_or_si128(letter, digit), _mm_cmpeq_epi8(text, hyphen));
	/* '(' and ')' differ in their last bit. */
	__m128i special = _mm_or_si128(
		_mm_or_si128(_mm_cmplt_epi8(text, _mm_set1_epi8('"' + 1)),
			     _mm_cmpeq_epi8(_mm_or_si128(text, two), _mm_set1_epi8(')'))),
		_mm_or_si128(_mm_or_si128(_mm_cmpeq_epi8(text, _mm_set1_epi8('.')),
					  _mm_cmpeq_epi8(text, _mm_set1_epi8(';'))),
			     _mm_cmpeq_epi8(text, _mm_set1_epi8('\\'))));

	_mm_storeu_si128((__m128i *)(void *)to, lower ? small : text);
	return (struct scan){ (unsigned)_mm_movemask_epi8(special),
			      (unsigned)_mm_movemask_epi8(plain) ^ 0xffffU };
#else
	struct scan scan = { 0, 0 };

	for (unsigned i = 0; i < SCAN_ROOM; i++) {
		uint8_t c = (uint8_t)from[i];
		uint8_t small = c >= 'A' && c <= 'Z' ? (uint8_t)(c | 0x20) : c;
		bool plain = (small >= 'a' && small <= 'z') || (c >= '0' && c <= '9') || c == '-';

		if (c <= '"' || c >= 128 || strchr("().;\\", c) != NULL)
			scan.special |= 1U << i;
		if (!plain)
			scan.odd |= 1U << i;
		to[i] = lower ? small : c;
	}
	return scan;
#endif
}

#endif
