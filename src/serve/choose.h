/* choose.h - which answer set a client network gets: the steering lookups, step by step.
 *
 * Pure, like answer.h. Every step is kept in the result, so that `explain` shows what happened. */
#ifndef SERVE_CHOOSE_H
#define SERVE_CHOOSE_H

#include "base/netprefix.h"
#include "image/world.h"

struct client_network {
	struct ip_prefix
		network; /* from ECS (its source prefix), else the source address in full */
	bool from_ecs;
};

struct choice {
	struct geo_match match; /* class and map prefix */
	uint32_t pool, pref;
	uint32_t table, slot;
	uint16_t choice; /* the node's number in its pool */
	bool hashed;     /* the hash of the client network decided among several */
	bool random;     /* ... or fresh bits did (persistence none) */
	uint8_t scope;   /* ECS scope prefix length: for how large a network this holds */
};

void choose(struct choice *out, const struct world *world, uint32_t record,
	    const struct client_network *client, uint64_t random);

#endif
