#include "image/breakpoints.h"

void cursor_jump(struct breaks_cursor *cursor, uint32_t block)
{
	const struct break_head *head = &cursor->heads[block];

	cursor->at = block * BREAKS_BLOCK;
	cursor->start = cursor->next = bits_of_v6(head->start);
	cursor->start_at = cursor->starts + head->starts_at;
	cursor->value_at = cursor->values + head->values_at;
	cursor_read(cursor);
}

void breaks_cursor_begin(struct breaks_cursor *cursor)
{
	if (cursor->count > 0)
		cursor_jump(cursor, 0);
}

struct breaks_cursor breaks_cursor_in(const struct image *image, const struct break_list *list)
{
	struct breaks_cursor cursor = {
		.heads = image_at(image, struct break_head, list->heads_off),
		.starts = image_at(image, uint8_t, list->starts_off),
		.values = image_at(image, uint8_t, list->values_off),
		.count = list->count,
	};

	breaks_cursor_begin(&cursor);
	return cursor;
}

static bool begins_by(const struct breaks_cursor *cursor, uint32_t block, address_bits at)
{
	return block < break_blocks(cursor->count) && bits_of_v6(cursor->heads[block].start) <= at;
}

/* The last block that begins at or before the address (galloping search; Bentley and Yao, 1976). */
static uint32_t find_block(const struct breaks_cursor *cursor, address_bits at)
{
	uint32_t block = cursor->at / BREAKS_BLOCK, step = 1;

	for (; begins_by(cursor, block + step, at); step *= 2)
		block += step;
	for (; step > 0; step /= 2)
		if (begins_by(cursor, block + step, at))
			block += step;
	return block;
}

void cursor_seek(struct breaks_cursor *cursor, address_bits at)
{
	address_bits next;
	uint32_t block;

	if (!cursor_next(cursor, &next) || next > at)
		return;
	block = find_block(cursor, at);
	if (block > cursor->at / BREAKS_BLOCK)
		cursor_jump(cursor, block);
	while (cursor_next(cursor, &next) && next <= at)
		cursor_step(cursor);
}

/* --- verifying ----------------------------------------------------------------------------- */

struct check {
	const struct break_list *list;
	const struct break_head *heads;
	bool is_v4;
	uint32_t limit;
	const char *name;
	struct err *err;
};

/* Does the block begin where the one before has ended? A head may say anything. */
static bool fits(const struct check *c, const struct breaks_cursor *cursor)
{
	const struct break_head *head = &c->heads[cursor->at / BREAKS_BLOCK];

	return cursor->at % BREAKS_BLOCK != 0 ||
	       ((uint64_t)(cursor->start_at - cursor->starts) == head->starts_at &&
		(uint64_t)(cursor->value_at - cursor->values) == head->values_at);
}

static bool is_inside(const struct check *c, const struct breaks_cursor *cursor)
{
	return cursor->start_at <= cursor->starts + c->list->starts_size &&
	       cursor->value_at <= cursor->values + c->list->values_size;
}

static bool is_address(const struct check *c, address_bits start)
{
	return !c->is_v4 || start << 32 == 0;
}

/* Steps as every reader does, so that none can come to what was not seen here. */
static int verify_all(const struct check *c, struct breaks_cursor *cursor)
{
	cursor->start_at = cursor->starts;
	cursor->value_at = cursor->values;
	if (bits_of_v6(c->heads[0].start) != 0)
		return err_set(c->err, "locations image: %s: does not start at zero", c->name);
	for (; cursor->at < cursor->count; cursor->at++) {
		if (!fits(c, cursor))
			return err_set(c->err, "locations image: %s: block of break point %u", c->name,
				       cursor->at);
		cursor_read(cursor);
		if (!is_inside(c, cursor))
			return err_set(c->err, "locations image: %s: break point %u is cut", c->name,
				       cursor->at);
		if (cursor->value >= c->limit)
			return err_set(c->err, "locations image: %s: break point %u has value %u",
				       c->name, cursor->at, cursor->value);
		if (cursor->at + 1 == cursor->count)
			continue;
		if (cursor->next <= cursor->start || !is_address(c, cursor->next))
			return err_set(c->err,
				       "locations image: %s: break point %u is out of order",
				       c->name, cursor->at + 1);
		cursor->start = cursor->next;
	}
	return 0;
}

int breaks_verify(const struct image *image, const struct break_list *list, bool is_v4,
		  uint32_t limit, const char *name, struct err *err)
{
	struct check c = { list, NULL, is_v4, limit, name, err };
	struct breaks_cursor cursor = { .count = list->count };

	if (list->count == 0 ||
	    !image_holds(image, list->heads_off, break_blocks(list->count),
			 sizeof(struct break_head), 8) ||
	    list->starts_size > image->size || list->values_size > image->size ||
	    !image_holds(image, list->starts_off, list->starts_size + BREAKS_ROOM, 1, 1) ||
	    !image_holds(image, list->values_off, list->values_size + BREAKS_ROOM, 1, 1))
		return err_set(err, "locations image: %s: break points do not lie inside", name);
	c.heads = cursor.heads = image_at(image, struct break_head, list->heads_off);
	cursor.starts = image_at(image, uint8_t, list->starts_off);
	cursor.values = image_at(image, uint8_t, list->values_off);
	return verify_all(&c, &cursor);
}
