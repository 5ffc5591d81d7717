/* diff_moves.h - one steered name, two worlds: of some clients, which part is answered otherwise.
 *
 * For each class of clients and each value that the hash of a client network may have. Tables are
 * laid over each other slot by slot, so the parts are exact; where splits or other pools come in,
 * SAMPLES values of the hash are followed. Pure. */
#ifndef CTL_DIFF_MOVES_H
#define CTL_DIFF_MOVES_H

#include "ctl/diff_parts.h"
#include "image/steering.h"

enum { BEFORE, AFTER, SIDES };

struct move {
	uint32_t from, to; /* spots */
	double share;
};

struct moves {
	struct move *items;
	size_t count, cap;
};

/* One side of a steered name. */
struct view {
	const struct diff_side *side;
	const struct steering_record *record;
	const uint32_t *spots; /* diff_spots: of this side */
};

struct comparison {
	struct view views[SIDES];
	struct pairs *pairs; /* by the preference before, hashed: what was compared already */
};

/* The views must outlive it. */
void comparison_open(struct comparison *comparison, const struct view views[SIDES]);
void comparison_close(struct comparison *comparison);

/* Of the clients of these classes, before and after. Valid until the next call; `scratch` is the
 * caller's, to be kept between calls and its items freed. */
const struct moves *comparison_moves(struct comparison *comparison, const uint32_t classes[SIDES],
				     struct moves *scratch);

void moves_add(struct moves *moves, uint32_t from, uint32_t to, double share);

#endif
