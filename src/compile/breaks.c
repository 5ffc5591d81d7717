#include "compile/breaks.h"

#include <stdlib.h>
#include <string.h>

/* --- packing ------------------------------------------------------------------------------- */

static struct ip6_words words_of(address_bits bits)
{
	return (struct ip6_words){ (uint64_t)(bits >> 64), (uint64_t)bits };
}

static uint8_t *put_number(uint8_t *at, address_bits number)
{
	for (; number >= 0x80U; number >>= 7)
		*at++ = (uint8_t)(0x80U | ((unsigned)number & 0x7fU));
	*at++ = (uint8_t)number;
	return at;
}

static unsigned zeros_behind(address_bits bits)
{
	uint64_t low = (uint64_t)bits;

	return low != 0 ? (unsigned)__builtin_ctzll(low)
			: 64 + (unsigned)__builtin_ctzll((uint64_t)(bits >> 64));
}

/* Not 0. */
static uint8_t *put_distance(uint8_t *at, address_bits distance)
{
	unsigned shift = zeros_behind(distance);
	address_bits half = distance >> shift >> 1;

	*at++ = (uint8_t)(shift | (half != 0 ? BREAKS_START_MORE : 0));
	return half != 0 ? put_number(at, half) : at;
}

static void make_room(struct buf *buf, size_t size)
{
	if (buf->cap - buf->len >= size)
		return;
	buf->cap = buf->cap != 0 ? 2 * buf->cap : 4096;
	buf->data = mem_resize(buf->data, buf->cap, 1);
}

static void add_start(struct breaks *breaks, address_bits start)
{
	struct buf *starts = &breaks->starts;

	make_room(starts, BREAKS_START_MAX + BREAKS_ROOM);
	if (breaks->count % BREAKS_BLOCK == 0)
		array_add(breaks->heads, breaks->head_count, breaks->head_cap) =
			(struct break_head){ .start = words_of(start), .starts_at = starts->len };
	else
		starts->len = (size_t)(put_distance(starts->data + starts->len,
						    start - breaks->last) -
				       starts->data);
	breaks->last = start;
}

void breaks_add(struct breaks *breaks, address_bits start, uint32_t value)
{
	if (breaks->count > 0 && breaks->value[breaks->count - 1] == value)
		return;
	add_start(breaks, start);
	array_add(breaks->value, breaks->count, breaks->value_cap) = value;
}

void breaks_free(struct breaks *breaks)
{
	free(breaks->heads);
	buf_free(&breaks->starts);
	free(breaks->value);
	*breaks = (struct breaks){ .family = breaks->family };
}

void breaks_renumber(struct breaks *breaks, const uint32_t *to)
{
	for (uint32_t i = 0; i < breaks->count; i++)
		breaks->value[i] = to[breaks->value[i]];
}

struct breaks_cursor breaks_cursor(const struct breaks *breaks)
{
	struct breaks_cursor cursor = { .heads = breaks->heads,
					.starts = breaks->starts.data,
					.values = breaks->starts.data, /* and nothing is read there */
					.plain = breaks->value,
					.count = breaks->count };

	breaks_cursor_begin(&cursor);
	return cursor;
}

/* --- writing ------------------------------------------------------------------------------- */

static uint64_t append_stream(struct image_writer *writer, const uint8_t *data, size_t size)
{
	uint64_t at = image_writer_reserve(writer, size + BREAKS_ROOM, 1);

	if (size > 0)
		memcpy(image_writer_at(writer, uint8_t, at), data, size);
	return at;
}

static void pack_values(struct breaks *breaks, struct buf *out)
{
	for (uint32_t i = 0; i < breaks->count; i++) {
		if (i % BREAKS_BLOCK == 0)
			breaks->heads[i / BREAKS_BLOCK].values_at = out->len;
		make_room(out, BREAKS_VALUE_MAX);
		out->len = (size_t)(put_number(out->data + out->len, breaks->value[i]) - out->data);
	}
}

void breaks_write(struct breaks *breaks, struct image_writer *writer, struct break_list *out)
{
	struct buf values = { 0 };

	pack_values(breaks, &values);
	*out = (struct break_list){ .starts_size = breaks->starts.len,
				    .values_size = values.len,
				    .count = breaks->count };
	out->heads_off = image_writer_append(writer, breaks->heads,
					     breaks->head_count * sizeof(*breaks->heads), 64);
	out->starts_off = append_stream(writer, breaks->starts.data, breaks->starts.len);
	out->values_off = append_stream(writer, values.data, values.len);
	buf_free(&values);
}
