/* zone_service.h - SRV, HTTPS and SVCB of POOL records: which target name they have, and whether
 * zone and pool say all that they need.
 *
 * A node's own `host` is its target. Nodes without one share a target: the record's owner name
 * without its leading underscore labels (RFC 8552), where the same pool must answer addresses. */
#ifndef COMPILE_ZONE_SERVICE_H
#define COMPILE_ZONE_SERVICE_H

#include "compile/zone_check.h"

/* A POOL record, of a draft or of a segment. */
struct service_record {
	const uint8_t *owner; /* lower-case wire form */
	const char *pool, *site;
	uint32_t ttl_s;
	uint8_t types; /* bits of enum pool_type */
};

/* The records of a zone, by name: *out is the POOL record that speaks for it, its own one or a
 * wildcard's. false: there is none. */
struct service_zone {
	bool (*find)(const void *zone, const uint8_t *name, size_t len, struct service_record *out);
	const void *zone;
};

enum service_problem {
	SERVICE_FINE,
	SERVICE_NO_PORT,   /* SRV, and `node` has no port */
	SERVICE_NO_TARGET, /* `node` has no host, and there is no target to share */
	SERVICE_STEERED, /* the host of `node` is a POOL record's: it has other nodes' addresses */
	SERVICE_PORTS,   /* no mistake, but a doubtful wish: `node` and `other` share a target and
                              have different ports */
};

struct service {
	enum service_problem problem;
	const struct config_node *node, *other;
	/* The shared target: where it begins in the owner name, its POOL record's types (addresses
	 * only; 0: there is none) and TTL. */
	uint8_t target_skip, target_types;
	uint32_t target_ttl_s;
};

/* How many octets of labels that begin with "_" an owner name starts with. */
size_t service_target_skip(const uint8_t *owner);

/* Of a record of the zone whose pool and site are known. Of a pool with mistakes nothing is said:
 * what seems to be missing may be one of them. */
void service_check(struct service *out, const struct config *config,
		   const struct pool_choice *choice, const struct service_record *record,
		   const struct service_zone *zone);

/* Reports the problem, if there is one. */
void service_report(const struct zone_draft *draft, const struct config *config,
		    const struct draft_pool *pool, const struct pool_choice *choice,
		    const struct service *service);

#endif
