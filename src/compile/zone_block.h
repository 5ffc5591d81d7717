/* zone_block.h - an owner's RRset in a draft as a block of the zones image (image/rrset.h).
 *
 * Where a node will be is known only when it is written: in extras, places of owners in the draft
 * stand for their nodes. */
#ifndef COMPILE_ZONE_BLOCK_H
#define COMPILE_ZONE_BLOCK_H

#include "compile/zone_draft.h"
#include "image/rrset_build.h"

/* Zero-initialise, but for the draft. */
struct zone_blocks {
	const struct zone_draft *draft;
	struct buf block;           /* the one made last */
	struct rrset_rdata *rdatas; /* of one RRset */
	uint32_t *extras;
	size_t cap;
};

void zone_blocks_free(struct zone_blocks *blocks);

/* Mostly an RRset has records without names in RDATA, and few: the octets that its block takes, as
 * zone_block_put writes it; 0: it has others, or more. */
size_t zone_block_size(const struct zone_blocks *blocks, const struct draft_rrset *rrset);
/* `out`: so many octets, 4-byte aligned. */
void zone_block_put(const struct zone_blocks *blocks, uint8_t *out, const struct draft_owner *owner,
		    const struct draft_rrset *rrset);

/* Any, with a TTL of its own, into blocks->block. -1: it is too large, which has been reported. */
int zone_block_build(struct zone_blocks *blocks, const struct draft_owner *owner,
		     const struct draft_rrset *rrset, uint32_t ttl_s);

#endif
