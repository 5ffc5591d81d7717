/* words.h - names hashed and compared 16 octets at a time.
 *
 * What is hashed or compared are `len` octets of a name in lower case that begin and end where a
 * label does: a whole name, or the labels in front of an ancestor. Whole words are read: NAME_ROOM
 * octets behind the last one must be readable for name_head, name_hash and
 * name_same; what is there does not count.
 *
 * The hash is a folded multiplication (64 by 64 to 128 bits, the halves XORed) for each 16 octets,
 * as in wyhash (Wang, Barrios Romero, Lemire, Jin: Modern Non-Cryptographic Hash Function and
 * Pseudorandom Generator). Its upper half says where in a table; the lower one is for comparison.
 *
 * Its weakness is a factor that is 0. The constants, digits of pi, have an octet that is a capital
 * letter, which names in lower case have not: so no name makes a factor 0 in its first 16 octets,
 * nor the first factor of the others. The hash has no secret, for images and their ids follow from
 * the files alone. It needs none: whoever asks chooses names to look for, but what is in a table,
 * and so how far one looks, are owner names that stand in zone files; and a zone where a lookup
 * would pass many full buckets, which only names that were made for it can bring about, is not
 * compiled (ZONE_BUCKETS_MAX in image/zones.h). */
#ifndef WIRE_WORDS_H
#define WIRE_WORDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define NAME_ROOM 16U

#define NAME_HASH_A UINT64_C(0x082efa98ec4e6c89)
#define NAME_HASH_B UINT64_C(0x452821e638d01377)

/* From name_word_masks[NAME_ROOM - n]: a mask of the first n of 16 octets. */
extern const uint8_t name_word_masks[2 * NAME_ROOM];

static inline uint64_t name_word(const uint8_t *p)
{
	uint64_t word;

	memcpy(&word, p, sizeof(word));
	return word;
}

/* Is there a capital letter among these octets? Of each octet without its top bit, adding brings the
 * top bit about from 'A' on, and from behind 'Z' on. */
static inline bool name_word_has_capital(uint64_t word)
{
	const uint64_t each = UINT64_C(0x0101010101010101);
	uint64_t low = word & each * 0x7f;
	uint64_t from = low + each * (0x80 - 'A'), behind = low + each * (0x7f - 'Z');

	return (from & ~behind & ~word & each * 0x80) != 0;
}

/* The product from four of halves, for machines that cannot do better. */
static inline uint64_t name_fold_halves(uint64_t a, uint64_t b)
{
	uint64_t low = (a & UINT32_MAX) * (b & UINT32_MAX);
	uint64_t left = (a >> 32) * (b & UINT32_MAX), right = (a & UINT32_MAX) * (b >> 32);
	uint64_t middle = (low >> 32) + (left & UINT32_MAX) + (right & UINT32_MAX);
	uint64_t high = (a >> 32) * (b >> 32) + (left >> 32) + (right >> 32) + (middle >> 32);

	return ((middle << 32) | (low & UINT32_MAX)) ^ high;
}

static inline uint64_t name_fold(uint64_t a, uint64_t b)
{
#ifdef __SIZEOF_INT128__
	__extension__ unsigned __int128 product = (unsigned __int128)a * b;

	return (uint64_t)product ^ (uint64_t)(product >> 64);
#else
	return name_fold_halves(a, b);
#endif
}

/* The first NAME_ROOM octets, which are all that most names have; 0 behind the name, as the masks
 * say. */
struct name_head {
	uint64_t first, second;
	uint64_t first_mask, second_mask;
};

static inline struct name_head name_head(const uint8_t *name, size_t len)
{
	const uint8_t *mask = name_word_masks + NAME_ROOM - (len < NAME_ROOM ? len : NAME_ROOM);
	struct name_head head = { .first_mask = name_word(mask),
				  .second_mask = name_word(mask + 8) };

	head.first = name_word(name) & head.first_mask;
	head.second = name_word(name + 8) & head.second_mask;
	return head;
}

/* The hash of a name that has no more. */
static inline uint64_t name_hash_short(uint64_t first, uint64_t second)
{
	return name_fold(first ^ NAME_HASH_A, second ^ NAME_HASH_B);
}

/* Has another name, of which as much can be read, the same octets? */
static inline bool name_head_same(const struct name_head *head, const uint8_t *other)
{
	return (name_word(other) & head->first_mask) == head->first &&
	       (name_word(other + 8) & head->second_mask) == head->second;
}

uint64_t name_hash(const uint8_t *name, size_t len);

/* The same, without a call for most. */
static inline uint64_t name_hash_inline(const uint8_t *name, size_t len)
{
	struct name_head head;

	if (len > NAME_ROOM)
		return name_hash(name, len);
	head = name_head(name, len);
	return name_hash_short(head.first, head.second);
}

bool name_same(const uint8_t *a, const uint8_t *b, size_t len);

/* As name_hash, but reads only the `len` octets. */
uint64_t name_hash_tight(const uint8_t *name, size_t len);

#endif
