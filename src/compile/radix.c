#include "compile/radix.h"

#include <string.h>

#define DIGIT_BITS 11U
#define DIGITS     (1U << DIGIT_BITS)

static unsigned digit(uint64_t key, unsigned shift)
{
	return (unsigned)(key >> shift) & (DIGITS - 1);
}

static void sort_digit(const struct radix_item *from, struct radix_item *to, uint32_t count,
		       unsigned shift)
{
	uint32_t starts[DIGITS] = { 0 };
	uint32_t start = 0;

	for (uint32_t i = 0; i < count; i++)
		starts[digit(from[i].key, shift)]++;
	for (unsigned d = 0; d < DIGITS; d++) {
		uint32_t of_digit = starts[d];

		starts[d] = start;
		start += of_digit;
	}
	for (uint32_t i = 0; i < count; i++)
		to[starts[digit(from[i].key, shift)]++] = from[i];
}

/* Digits that all keys share are passed over. */
void radix_sort(struct radix_item *items, struct radix_item *spare, uint32_t count)
{
	struct radix_item *from = items, *to = spare;
	uint64_t differ = 0;

	for (uint32_t i = 1; i < count; i++)
		differ |= items[i].key ^ items[0].key;
	for (unsigned shift = 0; shift < 64; shift += DIGIT_BITS) {
		struct radix_item *sorted = to;

		if (digit(differ, shift) == 0)
			continue;
		sort_digit(from, to, count, shift);
		to = from;
		from = sorted;
	}
	if (from != items)
		memcpy(items, from, count * sizeof(*items));
}
