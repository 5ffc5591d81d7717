/* shares.h - who gets which part of a client class, from the images alone. */
#ifndef TESTS_SHARES_H
#define TESTS_SHARES_H

#include "image/geo.h"
#include "image/steering.h"

/* Which part of some clients' answers has this node as its first one. */
struct steering_share {
	uint32_t pool;
	uint32_t node; /* of the pool; its node_count: what stands in for all nodes */
	double share;
};

/* Zero-initialise; steering_shares_free. Each (pool, node) once, in the order in which they were
 * met; all shares together are what was asked for. */
struct steering_shares {
	struct steering_share *list;
	uint32_t count, cap;
};

/* Adds the shares of the clients of a class who ask for a pool, `share` being all of them. */
void steering_shares_add(struct steering_shares *shares, const struct image *steering,
			 const struct image *geo, uint32_t pool, uint32_t class_id, double share);
/* The same for a record, which may be bound to one site. */
void steering_shares_add_record(struct steering_shares *shares, const struct image *steering,
				const struct image *geo, uint32_t record, uint32_t class_id,
				double share);
void steering_shares_free(struct steering_shares *shares);

#endif
