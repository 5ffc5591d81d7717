/* edns.h - the OPT record (RFC 6891) and its Client Subnet option (RFC 7871), read and written.
 *
 * Pure. Options that are not known are skipped; what is known and malformed is FORMERR. */
#ifndef WIRE_EDNS_H
#define WIRE_EDNS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/netprefix.h"
#include "wire/types.h"

#define EDNS_UDP_SIZE_MIN 512 /* a smaller size counts as this one (RFC 6891, 6.2.3) */
#define EDNS_SIZE_MAX     (11 + 4 + 4 + 16) /* of the OPT record that edns_write writes */

enum edns_option { EDNS_CLIENT_SUBNET = 8 };

/* Address families of the option (IANA's address family numbers). */
enum ecs_family { ECS_NONE = 0, ECS_IPV4 = 1, ECS_IPV6 = 2 };

struct ecs {
	uint16_t family;     /* enum ecs_family */
	uint8_t source;      /* prefix length that the query gave */
	uint8_t address_len; /* octets: (source + 7) / 8 */
	uint8_t address[16]; /* bits after `source` are zero */
};

struct edns {
	uint16_t udp_size; /* at least EDNS_UDP_SIZE_MIN */
	uint8_t version;
	bool dnssec_ok;
	bool has_ecs;
	struct ecs ecs;
};

/* From the OPT record's class, TTL and RDATA. `want_ecs` false: that option is one that is not
 * known. A higher version's RDATA is not read. */
enum rcode edns_read(struct edns *out, uint16_t class, uint32_t ttl, const uint8_t *rdata,
		     size_t rdata_len, bool want_ecs);

/* Size of the OPT record that answers `query`. */
static inline size_t edns_size(const struct edns *query)
{
	return 11 + (query->has_ecs ? 8U + query->ecs.address_len : 0U);
}

/* Writes edns_size(query) octets: our version (0) and UDP size, the upper bits of `rcode`, the
 * query's DO bit and, where the query had it, its Client Subnet with our scope. */
void edns_write(uint8_t *out, const struct edns *query, enum rcode rcode, uint16_t udp_size,
		uint8_t scope);

/* The network of an option whose source is not 0. */
static inline void ecs_network(const struct ecs *ecs, struct ip_prefix *out)
{
	memcpy(out->address.bytes, ecs->address, sizeof(ecs->address));
	out->address.family = ecs->family == ECS_IPV4 ? IP_V4 : IP_V6;
	out->len = ecs->source;
}

#endif
