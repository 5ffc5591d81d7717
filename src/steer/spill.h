/* spill.h - which part of its clients a site keeps, by how much of its capacity is in use.
 *
 * A site begins to spill over when its use reaches the high mark, and ends when it is back at the
 * low mark. While it spills it keeps a part that falls in a straight line with its use: all at the
 * low mark, a quarter at the high mark, and never less than a hundredth. Sessions last for hours
 * beyond the answers that began them, so use follows slowly what is kept; where the line meets what
 * the clients bring, use stands still, and that is between the marks as long as they bring
 * less than four times the high mark. No oscillation: what is kept follows use at once, and
 * nothing is summed up over time.
 *
 * Pure: who calls says how old each report is. */
#ifndef STEER_SPILL_H
#define STEER_SPILL_H

#include <stdbool.h>
#include <stdint.h>

#define SPILL_KEEP_ALL 65535U

struct spill_node {
	bool healthy;  /* gets clients */
	bool reported; /* has ever told its load */
	uint32_t capacity;
	double load;     /* part of its capacity; may be above 1 */
	uint64_t age_ms; /* of that report */
};

struct spill_marks {
	uint8_t high, low; /* percent, low below high; high 0: it never spills over */
	uint32_t load_age_ms;
};

/* Zero-initialise; kept from one update to the next. */
struct spill_site {
	bool spilling;
	bool known;    /* results: is there a fresh report? */
	uint16_t keep; /* of SPILL_KEEP_ALL */
	double use;    /* part of the capacity of its healthy nodes */
};

/* A node that is down counts with its last report as long as that is fresh: its clients are on
 * their way to the rest of the site. A healthy node without a fresh report counts as if it had the
 * mean load of those with one. Without any, or with no healthy node, the site keeps all. */
void spill_update(struct spill_site *site, const struct spill_marks *marks,
		  const struct spill_node *nodes, uint32_t node_count);

#endif
