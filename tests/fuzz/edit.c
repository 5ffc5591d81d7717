#include "tests/fuzz/edit.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

struct edited {
	uint8_t *bytes;
	size_t size, fixed;
};

static void store(struct edited *edited, uint64_t at, const void *value, size_t size)
{
	if (at >= edited->fixed && at < edited->size && size <= edited->size - at)
		memcpy(edited->bytes + at, value, size);
}

static void add(struct edited *edited, uint64_t at, int32_t value, size_t size)
{
	uint32_t word = 0;

	if (at >= edited->size || size > edited->size - at)
		return;
	memcpy(&word, edited->bytes + at, size);
	word += (uint32_t)value;
	store(edited, at, &word, size);
}

static void copy_word(struct edited *edited, uint64_t at, uint32_t from)
{
	uint32_t word;

	if (edited->size < sizeof(word))
		return;
	memcpy(&word, edited->bytes + from % (edited->size - sizeof(word) + 1), sizeof(word));
	store(edited, at, &word, sizeof(word));
}

static void apply(struct edited *edited, const struct edit *edit, const struct edit_region *region)
{
	uint16_t place;
	int32_t value;
	int64_t wide;
	uint64_t at;

	memcpy(&place, edit->place, sizeof(place));
	memcpy(&value, edit->value, sizeof(value));
	wide = value;
	at = region->size <= UINT16_MAX ? place % (region->size ? region->size : 1)
					: place * (region->size / UINT16_MAX);
	at += region->offset;
	switch (edit->op % EDIT_OPS) {
	case EDIT_SET_U8: store(edited, at, edit->value, 1); break;
	case EDIT_SET_U16: store(edited, at & ~UINT64_C(1), edit->value, 2); break;
	case EDIT_SET_U32: store(edited, at & ~UINT64_C(3), edit->value, 4); break;
	case EDIT_SET_U64: store(edited, at & ~UINT64_C(7), &wide, 8); break;
	case EDIT_ADD_U16: add(edited, at & ~UINT64_C(1), value, 2); break;
	case EDIT_ADD_U32: add(edited, at & ~UINT64_C(3), value, 4); break;
	case EDIT_COPY_U32: copy_word(edited, at & ~UINT64_C(3), (uint32_t)value); break;
	case EDIT_COPY_WITHIN:
		if (region->size > 0)
			copy_word(edited, at & ~UINT64_C(3),
				  (uint32_t)(region->offset + (uint32_t)value % region->size));
		break;
	case EDIT_CUT:
		if ((uint32_t)value >= edited->fixed && (uint32_t)value < edited->size)
			edited->size = (uint32_t)value;
		break;
	default: break;
	}
}

size_t edit_bytes(uint8_t *copy, size_t size, size_t fixed, const struct edit_region *regions,
		  size_t count, const uint8_t *data, size_t data_size)
{
	struct edited edited = { copy, size, fixed };
	struct edit edit;

	for (size_t i = 0; i < EDITS_MAX && data_size - i * sizeof(edit) >= sizeof(edit); i++) {
		memcpy(&edit, data + i * sizeof(edit), sizeof(edit));
		apply(&edited, &edit, &regions[edit.region % count]);
	}
	return edited.size;
}

struct image edit_image(const struct image *from, const struct edit_region *regions, size_t count,
			const uint8_t *data, size_t size)
{
	uint8_t *copy = mem_alloc(from->size);
	struct image_header *header = (struct image_header *)(void *)copy;
	struct image image = { NULL, 0 };

	memcpy(copy, from->base, from->size);
	image.size = edit_bytes(copy, from->size, IMAGE_ROOT, regions, count, data, size);
	header->size = image.size;
	image.base = image.size == from->size ? copy : mem_resize(copy, image.size, 1);
	return image;
}

void edit_free(struct image *image)
{
	free((void *)(uintptr_t)image->base);
	*image = (struct image){ NULL, 0 };
}
