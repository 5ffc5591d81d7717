/* verdict.h - what results in a row mean. Pure: no clock, no I/O.
 *
 * A check's verdict is one signed integer (as HAProxy counts rise and fall):
 *
 *    fall ... 1    up; this many failures in a row make it down
 *       0          no result yet
 *   -1 ... -rise   down; this many successes in a row make it up */
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

/* The status of a node that is `now`: of its checks, `down` are down and `pending` have no
 * verdict. One that is down decides; up takes all of them; without checks nothing is known. */
enum node_status verdict_node(enum node_status now, uint32_t checks, uint32_t pending,
			      uint32_t down);

#endif
