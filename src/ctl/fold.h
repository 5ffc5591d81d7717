/* fold.h - clients that are alike for one pool, together: a cell for each country and preference.
 *
 * A class is what all pools together prefer, and there are tens of thousands; one pool tells few of
 * them apart. Where a pool may lead its clients to others the classes stay apart. Pure. */
#ifndef CTL_FOLD_H
#define CTL_FOLD_H

#include "ctl/space.h"
#include "image/plan.h"

/* Where a pool is found, before and after. */
struct fold_side {
	const struct image *geo, *plan;
	uint32_t pool; /* PLAN_NONE: it is not there */
};

/* What space_free frees. A cell's classes are each one of those that are alike. */
struct space fold_space(const struct space *space, const struct fold_side sides[2]);

#endif
