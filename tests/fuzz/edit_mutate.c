/* Mutations of lists of edits: an octet changed at random is mostly another edit that is refused at
 * once. Whole edits that are added, moved and exchanged, at places where numbers stand, with numbers
 * that mean something to an image, get further; what several of them change together, further yet. */
#include <string.h>

#include "tests/fuzz/edit.h"

static uint64_t state;

static size_t below(size_t count)
{
	return fuzz_below(&state, count);
}

/* --- one edit ------------------------------------------------------------------------------- */

static uint8_t any_op(void)
{
	static const uint8_t often[] = { EDIT_SET_U32,     EDIT_SET_U32,    EDIT_SET_U32,
					 EDIT_SET_U16,     EDIT_SET_U8,     EDIT_ADD_U32,
					 EDIT_COPY_WITHIN, EDIT_COPY_WITHIN };
	size_t n = below(sizeof(often) + 1);

	return n < sizeof(often) ? often[n] : (uint8_t)below(EDIT_OPS);
}

/* Structs have their telling fields early, and arrays their first items. */
static uint16_t any_place(void)
{
	static const uint32_t reach[] = { 64, 256, 4096, UINT16_MAX + 1 };

	return (uint16_t)(below(reach[below(4)]) & ~(below(2) == 0 ? 3U : 0U));
}

/* Numbers of things and of octets, none, and what is just beyond. */
static int32_t any_value(void)
{
	switch (below(8)) {
	case 0: return -1;
	case 1: return (int32_t)below(UINT32_MAX);
	case 2: return (int32_t)(UINT32_C(1) << below(32));
	case 3: return (int32_t)below(UINT16_MAX + 2);
	case 4: return (int32_t)(4 * below(256));
	default: return (int32_t)below(9);
	}
}

static void set_place(struct edit *edit, uint16_t place)
{
	memcpy(edit->place, &place, sizeof(place));
}

static void set_value(struct edit *edit, int32_t value)
{
	memcpy(edit->value, &value, sizeof(value));
}

/* To the next number, or to the same field of an item near by. */
static void step_place(struct edit *edit)
{
	uint16_t place;

	memcpy(&place, edit->place, sizeof(place));
	set_place(edit, (uint16_t)(place + 4 * (below(2) == 0 ? below(33) - 16 : 1)));
}

static void step_value(struct edit *edit)
{
	uint32_t value;

	memcpy(&value, edit->value, sizeof(value));
	set_value(edit, (int32_t)(value + (uint32_t)below(9) - 4));
}

static struct edit any_edit(void)
{
	struct edit edit = { .op = any_op(), .region = (uint8_t)below(256) };

	set_place(&edit, any_place());
	set_value(&edit, any_value());
	return edit;
}

static void change(struct edit *edit)
{
	switch (below(6)) {
	case 0: edit->op = any_op(); break;
	case 1: edit->region = (uint8_t)below(256); break;
	case 2: set_place(edit, any_place()); break;
	case 3: step_place(edit); break;
	case 4: set_value(edit, any_value()); break;
	default: step_value(edit); break;
	}
}

/* --- the list ------------------------------------------------------------------------------- */

/* Between any two; returns the new number of them. Where there is no room the last one goes. */
static size_t insert(struct edit *edits, size_t count, size_t max, const struct edit *edit)
{
	size_t at = below(count + 1);

	if (count == max)
		count--;
	if (at > count)
		at = count;
	memmove(edits + at + 1, edits + at, (count - at) * sizeof(*edits));
	edits[at] = *edit;
	return count + 1;
}

/* Near one that is there: what belongs together is changed together. */
static struct edit like(const struct edit *edits, size_t count)
{
	struct edit edit = edits[below(count)];

	change(&edit);
	return edit;
}

static size_t mutate(struct edit *edits, size_t count, size_t max)
{
	struct edit edit = any_edit();
	size_t at = count > 0 ? below(count) : 0;

	if (count == 0)
		return insert(edits, 0, max, &edit);
	switch (below(8)) {
	case 0:
	case 1: return insert(edits, count, max, &edit);
	case 2:
	case 3: edit = like(edits, count); return insert(edits, count, max, &edit);
	case 4:
		memmove(edits + at, edits + at + 1, (count - at - 1) * sizeof(*edits));
		return count - 1;
	default: change(&edits[at]); return count;
	}
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned seed)
{
	struct edit edits[EDITS_MAX];
	size_t max = max_size / sizeof(edits[0]), count = size / sizeof(edits[0]);

	state = seed;
	if (max > EDITS_MAX)
		max = EDITS_MAX;
	if (max == 0 || below(2) == 0)
		return LLVMFuzzerMutate(data, size, max_size);
	if (count > max)
		count = max;
	memcpy(edits, data, count * sizeof(edits[0]));
	count = mutate(edits, count, max);
	memcpy(data, edits, count * sizeof(edits[0]));
	return count * sizeof(edits[0]);
}

/* The first ones of one list, and the last ones of another. */
size_t LLVMFuzzerCustomCrossOver(const uint8_t *data1, size_t size1, const uint8_t *data2,
				 size_t size2, uint8_t *out, size_t max_size, unsigned seed)
{
	size_t edit = sizeof(struct edit), max = max_size / edit;
	size_t from1 = size1 / edit, from2 = size2 / edit, kept, more;

	state = seed;
	kept = below(from1 + 1);
	more = below(from2 + 1);
	if (kept > max)
		kept = max;
	if (more > max - kept)
		more = max - kept;
	if (kept > 0)
		memcpy(out, data1, kept * edit);
	if (more > 0)
		memcpy(out + kept * edit, data2 + (from2 - more) * edit, more * edit);
	return (kept + more) * edit;
}
