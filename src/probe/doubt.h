/* doubt.h - is it them or is it us? When many targets fail at once, verdicts wait until it is known
 * whether references answer: addresses that have nothing to do with the nodes.
 *
 * IPv4 and IPv6 are doubted apart, for one path may be broken while the other is well. Targets are
 * the addresses of the family that are probed for health: a source of load that is gone from all
 * nodes says nothing of the network, and takes nobody down. A watch counts, from the last time that
 * all was clear, the targets that fail though they were not down, and those that answer. From
 * DOUBT_MIN that fail on, or all where there are fewer, references are to be tested, and no check goes
 * down before one of them has answered a test that began after its first failure; nor does one that
 * has no verdict yet, however few fail. When none answers, and at least the share of all that fail,
 * the family is frozen: no result of its targets counts, and what came of failures since all was clear
 * is forgotten, until a reference answers, or most targets do. A check without an address waits where
 * any family is in doubt, and is frozen where all are. Pure: no clock, no I/O. One thread. */
#ifndef PROBE_DOUBT_H
#define PROBE_DOUBT_H

#include <stdbool.h>
#include <stdint.h>

#include "probe/flap.h"

#define DOUBT_MIN 3

/* Of one family. */
struct doubt {
	uint32_t share_percent; /* 0: there are no references, and nothing is ever held */
	uint32_t targets;       /* that there are; 0: the family is not in use */
	uint64_t watch;         /* its number */
	uint32_t failing, fine; /* targets */
	uint64_t cleared_us;    /* checks that failed first before this may go down */
	uint64_t clears;        /* how often that was; what was so before stays so */
	bool wanted;            /* references are to be tested */
	bool frozen;
	/* How many tests in a row went unanswered while too few targets failed to freeze. */
	uint32_t unsure;
};

enum doubt_family { DOUBT_V4, DOUBT_V6, DOUBT_FAMILIES };

struct doubts {
	struct doubt of[DOUBT_FAMILIES];
	uint64_t clears; /* of any family: for checks without an address */
};

/* Of each target and each check; zero-initialise. */
struct doubt_target {
	uint64_t watch;
	uint32_t failing; /* its checks */
	bool fine;
};

struct doubt_check {
	uint64_t watch; /* that it is counted in */
	bool counted;   /* among its target's failing ones */
	bool held;      /* it would be down, and waits */
	bool in_row;    /* its last result was a failure; since_us: when that row began */
	uint64_t since_us;
	uint64_t clears;   /* that `saved` is of */
	struct flap saved; /* as it was when all was clear last, or before the row of failures */
};

/* All that was counted is forgotten; what is frozen stays so. */
void doubt_restart(struct doubt *doubt);

/* One result of a check, whose probe began at started_us, before it is counted. false: it does not
 * count. */
bool doubt_sees(struct doubt *doubt, struct doubt_target *target, struct doubt_check *check,
		const struct flap *flap, bool success, uint64_t started_us);

/* Must the check wait that is about to go down, its verdict being that of `flap`? If it need not,
 * references are tested all the same: that they answer makes sure of it. */
bool doubt_holds(struct doubt *doubt, struct doubt_check *check, const struct flap *flap);

/* The same for a check without an address. */
bool doubts_see(const struct doubts *doubts, struct doubt_check *check, const struct flap *flap,
		bool success, uint64_t started_us);
bool doubts_hold(struct doubts *doubts, struct doubt_check *check, const struct flap *flap);

/* All families that are in use, and there is one. */
bool doubts_frozen(const struct doubts *doubts);

enum doubt_change {
	DOUBT_SAME,
	DOUBT_CLEARED, /* whoever is held, and failed first before the test, goes down now */
	DOUBT_FROZEN,  /* doubt_restore is to be called for each check, then doubt_restart */
	DOUBT_THAWED,
};

/* A test of the references of a family, which began then, has ended. */
enum doubt_change doubts_tested(struct doubts *doubts, enum doubt_family family, uint64_t began_us,
				bool answered);

/* The check as it was before it began to fail, or when all was clear last (`clears` of the family, or
 * of all for one without an address); true: it was changed. */
bool doubt_restore(uint64_t clears, struct doubt_check *check, struct flap *flap);

#endif
