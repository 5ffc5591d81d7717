/* tally_parts.h - what the two halves of tally share: clients, and what they use. */
#ifndef CTL_TALLY_PARTS_H
#define CTL_TALLY_PARTS_H

#include "ctl/tally.h"

/* --- tally.c ------------------------------------------------------------------------------------ */

/* Where the clients of a cell are, by places: of[side][0] is a share of 1. */
void tally_spread(struct tally *tally, uint32_t pool, const struct space_cell *cell,
		  struct portions *out);

/* How much of a cell stays where it was. */
double tally_staying(const struct portions *portions);

bool tally_is_on(const struct tally *tally, uint32_t pool, enum side_number side);

/* --- tally_use.c: how much of its capacity each place uses ---------------------------------------- */

/* After all clients were counted. */
void tally_count_use(struct tally *tally, const struct folds *folds);

#endif
