/* verdict.h - what results in a row mean, and what checks mean for their node. Pure: no clock, no
 * I/O.
 *
 * A check's verdict is one signed integer (as HAProxy counts rise and fall):
 *
 *    fall ... 1    up; this many failures in a row make it down
 *       0          no result yet
 *   -1 ... -rise   down; this many successes in a row make it up
 *
 * A node's addresses of each family are judged apart: a probe is up for a family when all its
 * checks that judge this family are, and the family is up when `require` of the probes that judge
 * it are. A family that no check judges is as the other one is. */
#ifndef PROBE_VERDICT_H
#define PROBE_VERDICT_H

#include <stdbool.h>
#include <stdint.h>

#include "probe/prober.h"

/* The verdict after one more result; fall and rise are at least 1. */
int32_t verdict_step(int32_t verdict, bool success, uint32_t fall, uint32_t rise);

/* Within how long a check that has failed, but is up, can be down: each failure to come takes an
 * interval at most, the last one its timeout besides. 0: it has not failed, or is not up. */
uint32_t verdict_within_ms(int32_t verdict, uint32_t fall, uint32_t interval_ms,
			   uint32_t timeout_ms);

/* What one check says of its node. Those of one probe stand side by side. */
struct verdict_vote {
	uint32_t probe;
	uint8_t judges; /* as in struct plan_check */
	bool warned;    /* it is up, but something calls for attention */
	int32_t verdict;
	uint32_t within_ms; /* verdict_within_ms */
};

struct verdict_votes {
	const struct verdict_vote *list;
	uint32_t count;
	uint32_t require; /* how many probes must be up; 0, or more than there are: all */
	uint8_t families; /* that the node has: bits of enum node_family */
};

/* Bits of enum node_family, all within what the node has. In neither: up. */
struct verdict_families {
	uint8_t down, pending; /* pending: there is no verdict yet */
};

struct verdict_families verdict_families(const struct verdict_votes *votes);

/* The status of a node that is `now` with *down of its families down, and which are down from here
 * on. It is down when all its families are; one that is pending stays as it was, and a node of
 * which nothing is known stays so until a family is up or all are down. Without checks nothing is
 * known. */
enum node_status verdict_node(enum node_status now, const struct verdict_votes *votes,
			      uint8_t *down);

/* Within how long one of the families that are not `down` yet can be; 0: nothing hints at it. */
uint32_t verdict_soonest_ms(const struct verdict_votes *votes, uint8_t down);

/* Which vote is the reason for what the node is: one that is down of a family that is down; else
 * any that is down; else one that warned. count: there is none. */
uint32_t verdict_cause(const struct verdict_votes *votes, uint8_t down);

#endif
