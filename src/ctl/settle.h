/* settle.h - which part of its clients each site would keep, once what is supposed has settled.
 *
 * Sites spill over by how much of them is used (steer/spill.h), and what they spill changes how much
 * is used. In operation that goes on until the two agree; here, round by round: steering is compiled
 * with what sites keep, which gives new uses, half of the way to which is gone. Pure. */
#ifndef CTL_SETTLE_H
#define CTL_SETTLE_H

#include "ctl/tally.h"
#include "steer/spill.h"

#define SETTLE_ROUNDS_MAX 24

struct settling {
	const struct image *plan;
	struct spill_site *sites; /* of each plan_pool_site */
	double *use;
	uint16_t *keep; /* for steer_compile */
};

/* `told`: what control says of the sites, in the order of the plan (NULL: of another plan). */
void settle_start(struct settling *settling, const struct image *plan,
		  const struct supposed_node *nodes, const json_t *told);
void settle_end(struct settling *settling);

/* From what came of the last round. true: sites keep other parts now, it takes another round. */
bool settle_on(struct settling *settling, const struct tally *tally);

#endif
