/* edit.h - an image with some of its bytes changed, as a list of edits says.
 *
 * An input of a target for images is such a list: eight octets an edit. So inputs are small, every
 * one of them hits something, and they go on to mean the same when a layout gets a field more. */
#ifndef TESTS_FUZZ_EDIT_H
#define TESTS_FUZZ_EDIT_H

#include "image/image.h"
#include "tests/fuzz/fuzz.h"

#define EDITS_MAX 32 /* more of them are not looked at */

/* As it stands in the input, but for the numbers' byte order, which is the machine's own. */
struct edit {
	uint8_t op;     /* enum edit_op, modulo their number */
	uint8_t region; /* modulo their number */
	uint8_t place[2];
	uint8_t value[4];
};

enum edit_op {
	EDIT_SET_U8,
	EDIT_SET_U16,
	EDIT_SET_U32,
	EDIT_SET_U64, /* the value, with its sign */
	EDIT_ADD_U16,
	EDIT_ADD_U32,
	EDIT_COPY_U32,    /* from the place in the image that the value names */
	EDIT_CUT,         /* the whole, at the value */
	EDIT_COPY_WITHIN, /* as COPY_U32, from the place in the region */
	EDIT_OPS
};

/* A part of an image that edits are aimed at: big arrays must not draw them all. */
struct edit_region {
	uint64_t offset, size;
};

/* A copy of `from` in memory of exactly its size, edited. The header goes on to fit: what it says
 * has been checked before a verification begins. To be freed by edit_free. */
struct image edit_image(const struct image *from, const struct edit_region *regions, size_t count,
			const uint8_t *data, size_t size);
void edit_free(struct image *image);

/* The same for any bytes: edits `copy` in place; returns the new size. */
size_t edit_bytes(uint8_t *copy, size_t size, size_t fixed, const struct edit_region *regions,
		  size_t count, const uint8_t *data, size_t data_size);

#endif
