/* breakpoints.h - what holds for which addresses, as an ascending list of break points, packed.
 *
 * The value of a break point holds from its start up to the next one's start; the first start is the
 * zero address. Both families are handled as 128-bit numbers: an IPv4 address is the upper 32 bits, so
 * that prefix lengths count alike in both.
 *
 * Break points come in blocks of BREAKS_BLOCK, each with a head that has the start of its first one.
 * The start of every other is written as the distance from the one before, which is an odd number
 * shifted to the left, since networks end where few bits are set:
 *
 *   octet    bits 0 to 6: the shift; bit 7: the odd number is not 1
 *   octets   where it is not: half of it, in groups of 7 bits, the least first, bit 7: there is more
 *
 * Values are in groups of 7 bits, too, in a stream of their own. So a network of a city database takes
 * 4 octets, not 8 (IPv4) or 20 (IPv6). */
#ifndef IMAGE_BREAKPOINTS_H
#define IMAGE_BREAKPOINTS_H

#include "base/netprefix.h"
#include "image/image.h"

typedef unsigned __int128 address_bits;

/* An IPv6 address as two machine words. */
struct ip6_words {
	uint64_t high, low;
};

static inline address_bits bits_of_v4(uint32_t address)
{
	return (address_bits)address << 96;
}

static inline address_bits bits_of_v6(struct ip6_words words)
{
	return (address_bits)words.high << 64 | words.low;
}

#define BREAKS_BLOCK      128U
#define BREAKS_START_MAX  20U /* octets of a distance */
#define BREAKS_VALUE_MAX  5U  /* octets of a value */
#define BREAKS_ROOM       32U /* octets behind a stream that can be read */
#define BREAKS_START_MORE 0x80U

struct break_head {
	struct ip6_words start;
	uint64_t starts_at, values_at; /* octets of the streams: where the block goes on */
};

/* The list of one family in an image. */
struct break_list {
	uint64_t heads_off;  /* struct break_head[break_blocks(count)] */
	uint64_t starts_off; /* starts_size octets, and BREAKS_ROOM more */
	uint64_t values_off; /* values_size octets, and BREAKS_ROOM more */
	uint64_t starts_size, values_size;
	uint32_t count; /* 0: there is no list */
	uint32_t reserved;
};

static inline uint32_t break_blocks(uint32_t count)
{
	return count / BREAKS_BLOCK + (count % BREAKS_BLOCK != 0);
}

/* Reads a list from its start on. */
struct breaks_cursor {
	const struct break_head *heads;
	const uint8_t *starts, *values; /* the streams */
	const uint32_t *plain; /* of a list that is in the making: its values; NULL: in the stream */
	uint32_t count, at;    /* at: of the break point in force */
	uint32_t value;
	address_bits start, next; /* of the one in force, and of the one behind it, if there is one */
	const uint8_t *start_at, *value_at; /* what is to be read next */
};

/* family: IP_V4 or IP_V6 is of the list; the image has been verified. */
struct breaks_cursor breaks_cursor_in(const struct image *image, const struct break_list *list);
/* To the first break point of a list of which all else is set. */
void breaks_cursor_begin(struct breaks_cursor *cursor);

/* Does the list lie in the image, is it in order, and is each value below the limit? An IPv4 list has
 * no start between two addresses. */
int breaks_verify(const struct image *image, const struct break_list *list, bool is_v4,
		  uint32_t limit, const char *name, struct err *err);

/* No more than so many octets, whatever they are. */
static inline address_bits breaks_read_number(const uint8_t **at, unsigned max)
{
	address_bits number = 0;
	unsigned i = 0;

	do
		number |= (address_bits)(**at & 0x7fU) << (7 * i);
	while ((*(*at)++ & 0x80U) != 0 && ++i < max);
	return number;
}

static inline address_bits breaks_read_distance(const uint8_t **at)
{
	unsigned octet = *(*at)++;
	address_bits odd = 1;

	if ((octet & BREAKS_START_MORE) != 0)
		odd |= breaks_read_number(at, BREAKS_START_MAX - 1) << 1;
	return odd << (octet & 0x7fU);
}

static inline uint32_t breaks_read_value(const uint8_t **at)
{
	uint32_t octet = *(*at)++, number = octet & 0x7fU;

	for (unsigned i = 1; (octet & 0x80U) != 0 && i < BREAKS_VALUE_MAX; i++) {
		octet = *(*at)++;
		number |= (octet & 0x7fU) << (7 * i);
	}
	return number;
}

static inline uint32_t cursor_value(const struct breaks_cursor *cursor)
{
	return cursor->value;
}

/* false: the value in force holds to the end; else *next is where it ends. */
static inline bool cursor_next(const struct breaks_cursor *cursor, address_bits *next)
{
	if (cursor->at + 1 >= cursor->count)
		return false;
	*next = cursor->next;
	return true;
}

/* Reads the value of the break point in force, and where the next one starts. */
static inline void cursor_read(struct breaks_cursor *cursor)
{
	uint32_t behind = cursor->at + 1;

	cursor->value = cursor->plain != NULL ? cursor->plain[cursor->at]
					      : breaks_read_value(&cursor->value_at);
	if (behind >= cursor->count)
		return;
	if (behind % BREAKS_BLOCK == 0)
		cursor->next = bits_of_v6(cursor->heads[behind / BREAKS_BLOCK].start);
	else
		cursor->next += breaks_read_distance(&cursor->start_at);
}

/* To the next break point; the last one stays in force. */
static inline void cursor_step(struct breaks_cursor *cursor)
{
	if (cursor->at + 1 >= cursor->count)
		return;
	cursor->at++;
	cursor->start = cursor->next;
	cursor_read(cursor);
}

/* To the first break point of a block. */
void cursor_jump(struct breaks_cursor *cursor, uint32_t block);

/* Moves on to the break point in force at an address, which is none before. Near ones are found
 * quickest. */
void cursor_seek(struct breaks_cursor *cursor, address_bits at);

#endif
