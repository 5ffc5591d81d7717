/* settle.h - which part of its clients each site would keep, once what is supposed has settled.
 *
 * Sites spill over by how much of them is used (steer/spill.h), and what they spill changes how much
 * is used. In operation that goes on until the two agree. Here it goes round by round: steering is
 * compiled with what sites keep, which gives new uses. Each site goes a part of the way to its own:
 * half of that part once it has to turn round, a little more as long as it need not (as in Rprop,
 * Riedmiller and Braun 1993). So it comes to rest where keep and use agree.
 * A site that began to spill goes on doing so, for at the low mark, where it would end, it keeps all.
 * Pure. */
#ifndef CTL_SETTLE_H
#define CTL_SETTLE_H

#include "ctl/tally.h"
#include "steer/spill.h"

#define SETTLE_ROUNDS_MAX 40

struct settling {
	const struct image *plan;
	/* Of each plan_pool_site. */
	struct spill_site *sites;
	double *use, *step, *way; /* in the capacity's unit; part of the way; last way gone */
	uint16_t *keep;           /* for steer_compile */
};

/* `told`: what control says of the sites, in the order of the plan (NULL: of another plan). */
void settle_start(struct settling *settling, const struct image *plan,
		  const struct supposed_node *nodes, const json_t *told);
void settle_end(struct settling *settling);

/* From what came of the last round. true: uses are others than thought, it takes another round. */
bool settle_on(struct settling *settling, const struct tally *tally);

#endif
