/* message.h - an answer being written: whole RRsets, copied from blocks into sections.
 *
 * A block (image/rrset.h) is the wire form of its RRset at one place, right behind its own name
 * as the question. There a copy is all; elsewhere its compression pointers are moved; where a
 * pointer cannot reach, its names are written out in full. Bytes only; no allocation. */
#ifndef SERVE_MESSAGE_H
#define SERVE_MESSAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "image/rrset.h"
#include "wire/types.h"

enum message_section { SECTION_ANSWER, SECTION_AUTHORITY, SECTION_ADDITIONAL, SECTIONS };

struct message {
	uint8_t *data;
	size_t pos;
	size_t limit;             /* room for the OPT record is kept behind it */
	size_t last;              /* where the last RRset begins; 0: not as its block has it */
	uint16_t count[SECTIONS]; /* records */
	bool truncated;           /* TC: something that the answer needs did not fit */
};

/* Whose RRset is being put: the name as it is to read in this message. It may be longer than the
 * block's own owner name, which is then a wildcard, and has all its labels but the "*" at its
 * end; names in RDATA are never compressed against the "*" (image/rrset.h). */
struct owner {
	const uint8_t *name; /* lower case, uncompressed */
	uint8_t len;
	uint16_t place; /* where the message has this name already; 0: nowhere */
};

/* message_put, away from the canonical place. */
bool message_put_moved(struct message *message, enum message_section section,
		       const struct rrset_block *block, const struct owner *owner);

/* Appends an RRset. false: it does not fit, and nothing was written. */
static inline bool message_put(struct message *message, enum message_section section,
			       const struct rrset_block *block, const struct owner *owner)
{
	if (message->pos != rrset_canonical_base(block) || owner->place != DNS_HEADER_SIZE)
		return message_put_moved(message, section, block, owner);
	if (message->limit - message->pos < block->wire_len)
		return false;
	memcpy(message->data + message->pos, block->wire, block->wire_len);
	message->last = message->pos;
	message->pos += block->wire_len;
	message->count[section] = (uint16_t)(message->count[section] + block->rr_count);
	return true;
}

/* Addresses beyond so many of one answer are not drawn among each other: clients try the first. */
#define MESSAGE_SHUFFLED_MAX 16

/* The RRset of addresses that was put last, with the same owner: now its records stand in random
 * order, each order as likely as any other. */
void message_shuffle(struct message *message, const struct rrset_block *block,
		     const struct owner *owner, uint64_t random);

/* Appends to the answer section a CNAME record that no image has. Behind the first `kept` octets of
 * its target the message has the rest already, at `place`; 0: nowhere. false: as message_put. */
bool message_put_cname(struct message *message, const struct owner *owner, uint32_t ttl_s,
		       const uint8_t *target, size_t target_len, size_t kept, uint16_t place);

/* Where the message has the suffix of `owner` that begins `skip` octets into it (the start of a
 * label). 0: nowhere. */
uint16_t message_suffix(const struct message *message, const struct owner *owner, size_t skip);

/* The name that stands at `pos` in a block's wire bytes, uncompressed, as it was written. Returns
 * its length; 0: more than out[DNS_NAME_MAX] holds. */
size_t block_name(const struct rrset_block *block, size_t pos, const struct owner *owner,
		  uint8_t out[DNS_NAME_MAX]);

#endif
