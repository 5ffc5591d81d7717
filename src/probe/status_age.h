/* status_age.h - how old a report is that says itself when it was written, by a clock that may be wrong,
 * or be set, as may ours. Pure: times are arguments.
 *
 * A report whose time is not that of the one before has been written since that was looked at: no clock
 * makes it older. From when it is seen first it grows old by the steady clock, whatever others do. Only
 * the first report of all is as old as the clocks say. */
#ifndef PROBE_STATUS_AGE_H
#define PROBE_STATUS_AGE_H

#include <stdbool.h>
#include <stdint.h>

struct status_age {
	bool has_seen;
	uint64_t version;         /* of the report that was seen last */
	uint64_t age_ms, seen_ms; /* how old it was, and when, when it was seen first */
	uint64_t looked_ms;       /* last */
};

/* `version`: equal only for what was written once. `written_ms` since 1970, by the writer's clock,
 * `unix_ms` by ours. Returns its age in milliseconds. */
uint64_t status_age_take(struct status_age *age, uint64_t version, uint64_t written_ms,
			 uint64_t unix_ms, uint64_t mono_ms);

#endif
