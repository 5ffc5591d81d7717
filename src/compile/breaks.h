/* breaks.h - a list of break points (image/breakpoints.h) in the making: its starts are packed as they
 * come, its values can still be changed. */
#ifndef COMPILE_BREAKS_H
#define COMPILE_BREAKS_H

#include "base/mem.h"
#include "image/breakpoints.h"

/* Zero-initialise, set the family; breaks_free when done. */
struct breaks {
	uint8_t family;
	uint32_t count, value_cap, head_count, head_cap;
	struct break_head *heads;
	struct buf starts;
	address_bits last; /* start of the last one */
	uint32_t *value;
};

/* From `start` (above all starts before) on `value` holds; neighbours with one value are one. */
void breaks_add(struct breaks *breaks, address_bits start, uint32_t value);
void breaks_free(struct breaks *breaks);
/* Each value becomes to[value]; no two become the same. */
void breaks_renumber(struct breaks *breaks, const uint32_t *to);
/* Appends the list to a locations image. */
void breaks_write(struct breaks *breaks, struct image_writer *writer, struct break_list *out);

struct breaks_cursor breaks_cursor(const struct breaks *breaks);

#endif
