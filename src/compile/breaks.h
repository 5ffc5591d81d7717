/* breaks.h - what holds for which addresses, as an ascending list of break points.
 *
 * value[i] holds from start[i] up to start[i + 1]; start[0] is the zero address; neighbours have
 * different values. Both families are handled as 128-bit numbers: an IPv4 address is the upper 32
 * bits, so that prefix lengths and slots of the trie count alike in both. */
#ifndef COMPILE_BREAKS_H
#define COMPILE_BREAKS_H

#include "base/netprefix.h"
#include "compile/numbering.h"
#include "image/locations.h"

typedef unsigned __int128 address_bits;

static inline address_bits bits_of_v4(uint32_t address)
{
	return (address_bits)address << 96;
}

static inline address_bits bits_of_v6(struct ip6_words words)
{
	return (address_bits)words.high << 64 | words.low;
}

/* Zero-initialise, set the family; breaks_free when done. */
struct breaks {
	uint8_t family;
	uint32_t count, start_cap, value_cap;
	uint32_t *start4;         /* IPv4, host order */
	struct ip6_words *start6; /* IPv6 */
	uint32_t *value;
};

/* From `start` (above all starts before) on `value` holds. */
void breaks_add(struct breaks *breaks, address_bits start, uint32_t value);
void breaks_free(struct breaks *breaks);
/* Each value becomes to[value]; no two become the same. */
void breaks_renumber(struct breaks *breaks, const uint32_t *to);
/* Appends the list to a locations image. */
void breaks_write(const struct breaks *breaks, struct image_writer *writer,
		  struct location_breaks *out);

/* Reads a list that lies here or in a locations image. */
struct breaks_cursor {
	uint8_t family;
	const uint32_t *start4;
	const struct ip6_words *start6;
	const uint32_t *values;
	uint32_t count, at; /* at: of the break point in force */
};

struct breaks_cursor breaks_cursor(const struct breaks *breaks);
/* family: 0 IPv4, 1 IPv6 */
struct breaks_cursor breaks_cursor_in(const struct image *locations,
				      const struct location_breaks *breaks, int family);

static inline uint32_t cursor_value(const struct breaks_cursor *cursor)
{
	return cursor->values[cursor->at];
}

/* false: the value in force holds to the end; else *next is where it ends. */
static inline bool cursor_next(const struct breaks_cursor *cursor, address_bits *next)
{
	if (cursor->at + 1 >= cursor->count)
		return false;
	*next = cursor->family == IP_V4 ? bits_of_v4(cursor->start4[cursor->at + 1])
					: bits_of_v6(cursor->start6[cursor->at + 1]);
	return true;
}

/* Moves on to the break point in force at an address, which is none before. Near ones are found
 * quickest (galloping search; Bentley and Yao, 1976). */
static inline void cursor_seek(struct breaks_cursor *cursor, address_bits at)
{
	struct breaks_cursor probe = *cursor;
	address_bits next;
	uint32_t step = 1;

	while (cursor_next(&probe, &next) && next <= at) {
		cursor->at = probe.at + 1;
		probe.at = cursor->at + step;
		step *= 2;
	}
	for (; step > 0; step /= 2) {
		probe.at = cursor->at + step - 1;
		if (cursor_next(&probe, &next) && next <= at)
			cursor->at = probe.at + 1;
	}
}

#endif
