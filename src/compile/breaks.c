#include "compile/breaks.h"

#include <stdlib.h>

void breaks_add(struct breaks *breaks, address_bits start, uint32_t value)
{
	uint32_t values = breaks->count;

	if (breaks->count > 0 && breaks->value[breaks->count - 1] == value)
		return;
	if (breaks->family == IP_V4)
		array_add(breaks->start4, breaks->count,
			  breaks->start_cap) = (uint32_t)(start >> 96);
	else
		array_add(breaks->start6, breaks->count, breaks->start_cap) =
			(struct ip6_words){ (uint64_t)(start >> 64), (uint64_t)start };
	array_add(breaks->value, values, breaks->value_cap) = value;
}

void breaks_free(struct breaks *breaks)
{
	free(breaks->start4);
	free(breaks->start6);
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
	return (struct breaks_cursor){ .family = breaks->family,
				       .start4 = breaks->start4,
				       .start6 = breaks->start6,
				       .values = breaks->value,
				       .count = breaks->count };
}

struct breaks_cursor breaks_cursor_in(const struct image *locations,
				      const struct location_breaks *breaks, int family)
{
	if (family == 0)
		return (struct breaks_cursor){
			.family = IP_V4,
			.start4 = image_at(locations, uint32_t, breaks->v4_start_off),
			.values = image_at(locations, uint32_t, breaks->v4_value_off),
			.count = breaks->v4_count,
		};
	return (struct breaks_cursor){
		.family = IP_V6,
		.start6 = image_at(locations, struct ip6_words, breaks->v6_start_off),
		.values = image_at(locations, uint32_t, breaks->v6_value_off),
		.count = breaks->v6_count,
	};
}

void breaks_write(const struct breaks *breaks, struct image_writer *writer,
		  struct location_breaks *out)
{
	size_t count = breaks->count;
	uint64_t values;

	if (breaks->family == IP_V4)
		out->v4_start_off = image_writer_append(writer, breaks->start4, count * 4, 64);
	else
		out->v6_start_off = image_writer_append(writer, breaks->start6, count * 16, 64);
	values = image_writer_append(writer, breaks->value, count * 4, 64);
	*(breaks->family == IP_V4 ? &out->v4_value_off : &out->v6_value_off) = values;
	*(breaks->family == IP_V4 ? &out->v4_count : &out->v6_count) = breaks->count;
}
