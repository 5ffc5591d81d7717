/* numbering.h - equal things get one number: 0, 1, 2, ... in order of first appearance.
 *
 * Locations, texts, preferences and classes are all made few this way. Numbers depend on the order
 * of adding alone, so the same input gives the same image. Zero-initialise; free when done. */
#ifndef COMPILE_NUMBERING_H
#define COMPILE_NUMBERING_H

#include <stdbool.h>
#include <stdint.h>

#include "base/mem.h"

struct numbering {
	struct buf bytes;  /* all items, one behind the other */
	uint64_t *offsets; /* of each item in bytes */
	/* With its hash, so that most others are told from an item without looking at it. */
	struct numbering_slot {
		uint32_t hash, number; /* number + 1; 0: free */
	} * slots;
	uint32_t count, cap, slot_count;
};

/* Makes room for so many items of this size together, where it is known that many will come. */
void numbering_reserve(struct numbering *numbering, uint32_t count, size_t size);

/* The number of these bytes. Items have the alignment of their size only if all sizes are equal. */
uint32_t numbering_add(struct numbering *numbering, const void *item, size_t size);
/* The same without adding; UINT32_MAX: they have none. */
uint32_t numbering_find(const struct numbering *numbering, const void *item, size_t size);

/* These bytes are numbered soon: where they would stand is fetched meanwhile. */
void numbering_prefetch(const struct numbering *numbering, const void *item, size_t size);

static inline const void *numbering_item(const struct numbering *numbering, uint32_t number)
{
	return numbering->bytes.data + numbering->offsets[number];
}

static inline size_t numbering_size(const struct numbering *numbering, uint32_t number)
{
	uint64_t end = number + 1 < numbering->count ? numbering->offsets[number + 1]
						     : numbering->bytes.len;

	return (size_t)(end - numbering->offsets[number]);
}

void numbering_free(struct numbering *numbering);

/* Remembers a number for a 64-bit key: what was worked out once is not worked out again. */
struct memo {
	struct memo_entry {
		uint64_t key;
		uint32_t value;
		uint32_t used;
	} * entries;
	uint32_t count, slot_count;
};

/* The value of the key. *found false: it is new, and the caller is to fill in what is pointed to
 * before the next call. */
uint32_t *memo_find(struct memo *memo, uint64_t key, bool *found);
/* The same without adding; NULL: it has none. */
const uint32_t *memo_get(const struct memo *memo, uint64_t key);
/* The key is asked for soon: its place is fetched meanwhile. */
void memo_prefetch(const struct memo *memo, uint64_t key);
void memo_free(struct memo *memo);

#endif
