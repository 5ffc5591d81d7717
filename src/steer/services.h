/* services.h - SRV, HTTPS and SVCB records of nodes, from the plan (RFC 2782, RFC 9460). */
#ifndef STEER_SERVICES_H
#define STEER_SERVICES_H

#include <stddef.h>

#include "base/mem.h"
#include "image/plan.h"
#include "image/steering.h"
#include "steer/steer.h"

#define SERVICE_NODES_MAX 16 /* in one answer */

/* Who serves: a node, or the addresses that stand in for all nodes. */
struct service_node {
	const struct plan_node *node; /* NULL: the pool's fallback addresses */
	const struct plan_range *addresses;
	uint32_t number;  /* of the node, in its pool */
	uint8_t families; /* whose addresses are told: bits of enum steer_family */
};

/* Nodes that are answered together. */
struct service_set {
	const struct image *plan;
	const struct plan_record *record;
	const struct plan_pool *pool;     /* of the nodes */
	const struct service_node *nodes; /* in order of preference */
	unsigned count;                   /* SERVICE_NODES_MAX at most */
	uint32_t ttl_s;
};

/* Whose name the target is; 0: there is no target name, so there are no services. */
uint32_t service_target_of(const struct plan_record *record, const struct service_node *from);

/* Which addresses are found at the target (bits of enum pool_type). */
uint8_t service_address_types(const struct plan_record *record, const struct service_node *from);

#define SERVICE_NODATA (-2)

/* Appends the block of a record's service type to `bytes`: a record for each node. *offset: where in
 * `bytes`, or SERVICE_NODATA. -1: it is too large. */
int service_build(struct buf *bytes, const struct service_set *set, uint16_t type,
		  ptrdiff_t *offset);

#endif
