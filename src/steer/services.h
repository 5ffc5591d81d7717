/* services.h - SRV, HTTPS and SVCB records of one node, from the plan (RFC 2782, RFC 9460). */
#ifndef STEER_SERVICES_H
#define STEER_SERVICES_H

#include "base/mem.h"
#include "image/plan.h"
#include "image/steering.h"

/* Who serves: a node, or the addresses that stand in for all nodes. */
struct service_node {
	const struct plan_node *node; /* NULL: the pool's fallback addresses */
	const struct plan_range *addresses;
};

/* Whose name the target is; 0: there is no target name, so there are no services. */
uint32_t service_target_of(const struct plan_record *record, const struct service_node *from);

/* Which addresses are found at the target (bits of enum pool_type), and how long they hold. */
uint8_t service_address_types(const struct plan_record *record, const struct service_node *from);
uint32_t service_address_ttl_s(const struct plan_record *record, const struct service_node *from);

/* Appends the block of a record's service type to `bytes`. *offset: where in `bytes`; 0: NODATA.
 * -1: it is too large. */
int service_build(struct buf *bytes, const struct image *plan, const struct plan_record *record,
		  const struct service_node *from, uint16_t type, ptrdiff_t *offset);

#endif
