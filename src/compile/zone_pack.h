/* zone_pack.h - records written down as they stand in a draft: by whoever reads them, in any thread,
 * while another one puts what was written before into the draft, where it is not copied again.
 *
 * Each owner name is written once for all records of it that follow each other in a file. */
#ifndef COMPILE_ZONE_PACK_H
#define COMPILE_ZONE_PACK_H

#include "compile/zone_draft.h"

/* One thread's. Nothing of the draft is looked at once it has started: what another thread changes
 * there is not far from what it does not. */
struct zone_packer {
	struct name origin;
	struct stretch_part part;
	struct name latest; /* owner; len 0: there is none yet */
	uint16_t source;    /* of its last record */
	uint32_t apex;      /* its place */
};

void zone_packer_start(struct zone_packer *packer, const struct zone_draft *draft);

/* false: a POOL record, or one outside of the zone, of which nothing is written. */
bool zone_pack(struct zone_packer *packer, const struct master_record *record,
	       struct draft_item *item);

#endif
