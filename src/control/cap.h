/* cap.h - how many nodes of a pool probes may take out (max-automatic-down, freeze). Pure.
 *
 * A prober that is cut off sees everything down. So where more than the given percentage of a pool
 * is down there is an alarm, and with `freeze` those that went down later than the first ones
 * that may be are held in: answered as if they were up. All of that follows from the nodes' status
 * and its age, so that a restart changes nothing. Nodes that operators took out do not count. */
#ifndef CONTROL_CAP_H
#define CONTROL_CAP_H

#include <stdbool.h>
#include <stdint.h>

struct cap_node {
	bool counted; /* no operator took it out */
	bool down;
	bool held;              /* result */
	uint64_t since_unix_ms; /* of this status */
};

struct cap {
	uint32_t counted, down, limit, held; /* nodes; limit: that many may be down */
	uint8_t percent;                     /* that the limit is */
	bool over;                           /* there is an alarm */
	uint64_t since_unix_ms;              /* of the alarm */
};

/* `before`: the last one of this pool. An alarm ends when one node fewer is down than would begin
 * it, or none; under another percentage it is judged anew. */
struct cap cap_judge(uint8_t percent, bool freeze, struct cap_node *nodes, uint32_t count,
		     const struct cap *before);

#endif
