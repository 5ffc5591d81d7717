/* radix.h - sorting millions of numbers by a key of 64 bits, stably, digit by digit (Knuth, The Art
 * of Computer Programming 3, 5.2.5). */
#ifndef COMPILE_RADIX_H
#define COMPILE_RADIX_H

#include <stdint.h>

struct radix_item {
	uint64_t key;
	uint32_t number; /* the caller's: what the key is of */
};

/* `spare` has room for as many. */
void radix_sort(struct radix_item *items, struct radix_item *spare, uint32_t count);

#endif
