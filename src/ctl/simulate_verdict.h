/* simulate_verdict.h - does capacity hold, once what is supposed has come about? Pure.
 *
 * Judged is what the change does: a place fails that gets above its capacity through it, or is
 * above already and gets more. One that is above already and gets no more is *over*: worth a
 * warning, but no reason against the change. Whoever says that it holds must know: of each node
 * where clients come or go a load is needed. */
#ifndef CTL_SIMULATE_VERDICT_H
#define CTL_SIMULATE_VERDICT_H

#include "ctl/tally.h"

enum verdict {
	VERDICT_NONE,  /* nothing changes, and nothing is known; or it has no clients */
	VERDICT_HOLDS, /* worse from here on */
	VERDICT_OVER,
	VERDICT_UNKNOWN,
	VERDICT_FAILS
};

extern const char *const verdict_name[]; /* "none", "holds", "over", "unknown", "fails" */

enum verdict verdict_of_place(const struct place *place, enum measure demand);

/* What a pool's verdict stands on: its own places, and those that its clients get. Zero-initialise. */
struct verdict_sum {
	enum verdict worst;
	uint32_t takers, tellers; /* of places where clients come or go */
	bool reports;             /* some node of these places has reported within a day */
};

void verdict_add(struct verdict_sum *sum, const struct place *place, enum measure demand,
		 uint64_t now_unix_s);

#endif
