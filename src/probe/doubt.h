/* doubt.h - is it them or is it us? When many targets fail at once, verdicts wait until it is known
 * whether references answer: addresses that have nothing to do with the nodes.
 *
 * Targets are the addresses that are probed. A watch counts, from the last time that all was clear,
 * the targets that fail though they were up, and those that answer. From DOUBT_MIN that fail on,
 * references are to be tested, and no check goes down before one of them has answered a test that
 * began after its first failure. When none does, and at least the share of all that fail, statuses
 * are frozen: no result counts, and what was counted in the watch is forgotten, until a reference
 * answers, or most targets do. Pure: no clock, no I/O. One thread. */
#ifndef PROBE_DOUBT_H
#define PROBE_DOUBT_H

#include <stdbool.h>
#include <stdint.h>

#include "probe/flap.h"

#define DOUBT_MIN 3

struct doubt {
	uint32_t share_percent; /* 0: there are no references, and nothing is ever held */
	uint64_t watch;         /* its number */
	uint32_t failing, fine; /* targets */
	uint64_t cleared_us;    /* checks that failed first before this may go down */
	bool wanted;            /* references are to be tested */
	bool frozen;
	/* How many tests in a row went unanswered while too few targets failed to freeze. */
	uint32_t unsure;
};

/* Of each target and each check; zero-initialise. */
struct doubt_target {
	uint64_t watch;
	uint32_t failing; /* its checks */
	bool fine;
};

struct doubt_check {
	uint64_t watch; /* that it is counted in, and that `saved` is of */
	bool counted;   /* among its target's failing ones */
	bool held;      /* it would be down, and waits */
	bool in_row;    /* its last result was a failure; since_us: when that row began */
	uint64_t since_us;
	struct flap saved; /* as it was when the watch came to it */
};

/* All that was counted is forgotten; what is frozen stays so. */
void doubt_restart(struct doubt *doubt);

/* One result of a check, whose probe began at started_us, before it is counted. `target` may be NULL
 * (it has no address). false: it does not count. */
bool doubt_sees(struct doubt *doubt, struct doubt_target *target, struct doubt_check *check,
		const struct flap *flap, bool success, uint64_t started_us);

/* Must the check wait that is about to go down? */
bool doubt_holds(struct doubt *doubt, struct doubt_check *check);

enum doubt_change {
	DOUBT_SAME,
	DOUBT_CLEARED, /* whoever is held, and failed first before the test, goes down now */
	DOUBT_FROZEN,  /* doubt_restore is to be called for each check, then doubt_restart */
	DOUBT_THAWED,
};

/* A test of the references that began then has ended. */
enum doubt_change doubt_tested(struct doubt *doubt, uint64_t began_us, bool answered);

/* The check as it was before the watch; true: it was changed. */
bool doubt_restore(const struct doubt *doubt, struct doubt_check *check, struct flap *flap);

#endif
