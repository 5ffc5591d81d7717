/* rrset.h - one RRset as a block of wire bytes, ready to be copied into an answer.
 *
 *   +--------+------------------------------+-----------+----------+
 *   | header | wire: RR RR RR ...           | fixups u16| extras   |
 *   +--------+------------------------------+-----------+----------+
 *
 * The wire bytes are those of the canonical place: directly behind the question of a query for
 * the block's own owner name. There the question's name stands at offset 12, so each RR begins
 * with the pointer c0 0c, and names in RDATA (of the types that RFC 1035 defines; RFC 3597,
 * section 4) are compressed against the owner name's suffixes or against earlier RDATA of the
 * block. Copied to its canonical place a block needs no change; anywhere else, each compression
 * pointer is listed in `fixups` and is moved:
 *
 *   a pointer below the canonical base points into the owner name, `target - 12` octets into it:
 *   it becomes the place of that suffix of the owner name in the message at hand;
 *   any other points into the block: it moves by as much as the block did.
 *
 * Where the owner is a wildcard, no name in RDATA points to the owner's "*" label: the pointer
 * would follow the name that was asked for. Names behind wire[RRSET_TARGET_MAX] are not pointed
 * to, so a block may stand anywhere in a message up to octet RRSET_PLACE_MAX and its pointers
 * still have 14 bits.
 *
 * Used by zones images and by steering images (answer sets) alike. Blocks are 4-byte aligned at
 * least; those of steering images 8-byte, and in zones images other things follow (zones.h): words
 * may be read that begin within a block's wire. */
#ifndef IMAGE_RRSET_H
#define IMAGE_RRSET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "wire/types.h"

/* Octets of wire: what a message over TCP can hold beside header, question and OPT. With an owner
 * name of 99 octets that is a TXT record of 255 full strings. */
#define RRSET_OPT_ROOM 128
#define RRSET_WIRE_MAX (DNS_MESSAGE_MAX - DNS_HEADER_SIZE - 4 - RRSET_OPT_ROOM)

static inline size_t rrset_wire_max(size_t owner_len)
{
	return RRSET_WIRE_MAX - owner_len;
}

#define RRSET_TARGET_MAX 0x1fff
#define RRSET_PLACE_MAX  (DNS_POINTER_MAX - RRSET_TARGET_MAX)

struct rrset_block {
	uint16_t type;
	uint16_t rr_count;
	uint32_t ttl_s; /* of each record; RRSIG: the smallest, each has its own (RFC 4034, 3) */
	uint16_t owner_len;   /* of the owner name in wire form */
	uint16_t fixup_count; /* ascending */
	uint16_t extra_count;
	uint16_t wire_len;
	uint8_t wire[];
};

/* A name in RDATA whose addresses belong into the additional section (NS, MX, SRV, SVCB). */
struct rrset_extra {
	uint16_t name_pos; /* in wire: where the target's name stands */
	uint16_t reserved;
	uint32_t node; /* zones image: offset in the zone's segment of the target's node;
                          steering image: enum steering_target */
};

static inline size_t rrset_canonical_base(const struct rrset_block *block)
{
	return DNS_HEADER_SIZE + (size_t)block->owner_len + 4;
}

static inline const uint16_t *rrset_fixups(const struct rrset_block *block)
{
	return (const uint16_t *)(const void *)(block->wire + ((block->wire_len + 1U) & ~1U));
}

static inline const struct rrset_extra *rrset_extras(const struct rrset_block *block)
{
	const uint8_t *end = (const uint8_t *)(rrset_fixups(block) + block->fixup_count);

	return (const struct rrset_extra *)(const void *)(end + ((uintptr_t)end & 2));
}

/* Bytes of the whole block (its start is 4-byte aligned). */
static inline size_t rrset_block_size(const struct rrset_block *block)
{
	const uint8_t *end = (const uint8_t *)(rrset_extras(block) + block->extra_count);

	return (size_t)(end - (const uint8_t *)block);
}

/* Is there, in the `room` octets at `block` (4-byte aligned), a whole block: RR boundaries that
 * tile the wire, names that end, each pointer listed and each listed one a pointer to a label of
 * the owner name or of an earlier name of the block? `owner` in lower-case wire form; NULL where
 * it is not known: then owner_len alone bounds the pointers into it. Extras' nodes are the
 * caller's to check. false: *reason is a literal. Safe on any bytes. */
bool rrset_verify(const struct rrset_block *block, size_t room, const uint8_t *owner,
		  const char **reason);

#endif
