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

struct breaks_cursor breaks_cursor(const struct breaks *breaks)
{
	return (struct breaks_cursor){ .family = breaks->family,
				       .start4 = breaks->start4,
				       .start6 = breaks->start6,
				       .values = breaks->value,
				       .count = breaks->count };
}
