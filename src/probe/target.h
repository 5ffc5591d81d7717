/* target.h - the addresses that are probed. Checks of one address share its target. */
#ifndef PROBE_TARGET_H
#define PROBE_TARGET_H

#include "base/netprefix.h"
#include "probe/doubt.h"

struct target {
	struct ip_address address;
	uint32_t uses;
	uint64_t paced_us; /* schedule_pace_us */
	struct doubt_target doubt;
	uint64_t counted; /* the prober's own */
};

/* All of an engine; zero-initialise. */
struct targets {
	void *tree;
	uint32_t count;
};

/* The target of this address; each target_have needs its target_drop. */
struct target *target_have(struct targets *targets, const struct ip_address *address);
void target_drop(struct targets *targets, struct target *target);

#endif
