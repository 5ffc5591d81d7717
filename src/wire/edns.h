/* edns.h - the OPT record (RFC 6891) and its options, read and written.
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
#define EDNS_OPT_SIZE     11  /* of an OPT record without options */
#define EDNS_OPTION_SIZE  4   /* of an option without data */

enum edns_option {
	EDNS_NSID = 3,           /* RFC 5001 */
	EDNS_CLIENT_SUBNET = 8,  /* RFC 7871 */
	EDNS_COOKIE = 10,        /* RFC 7873 */
	EDNS_TCP_KEEPALIVE = 11, /* RFC 7828 */
	EDNS_ERROR = 15,         /* RFC 8914 */
};

/* Sets of options: those that the caller knows (others are skipped, whatever they hold), those that
 * a query has, those that an answer gets. */
enum edns_set {
	EDNS_HAS_NSID = 1,
	EDNS_HAS_CLIENT_SUBNET = 2,
	EDNS_HAS_COOKIE = 4,
	EDNS_HAS_TCP_KEEPALIVE = 8,
	EDNS_HAS_ALL = 15,
};

/* RFC 7873, 4: a client cookie, alone or with a server cookie of 8 to 32 octets. */
#define COOKIE_CLIENT_SIZE 8
#define COOKIE_SIZE_MIN    16
#define COOKIE_SIZE_MAX    40

static inline bool cookie_is_sized(size_t len)
{
	return len == COOKIE_CLIENT_SIZE || (len >= COOKIE_SIZE_MIN && len <= COOKIE_SIZE_MAX);
}

/* What an Extended DNS Error says (RFC 8914, 5.2). */
enum edns_error {
	EDNS_ERROR_NONE = -1,
	EDNS_ERROR_OTHER = 0,
	EDNS_ERROR_NOT_READY = 14,
	EDNS_ERROR_PROHIBITED = 18,
	EDNS_ERROR_NOT_AUTHORITATIVE = 20,
	EDNS_ERROR_NOT_SUPPORTED = 21,
};

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
	uint8_t has; /* enum edns_set; the members below are undefined without their bit */
	bool dnssec_ok;
	uint8_t cookie_len; /* COOKIE_CLIENT_SIZE, or COOKIE_SIZE_MIN and more */
	struct ecs ecs;
	uint8_t cookie[COOKIE_SIZE_MAX];
};

/* From the OPT record's class, TTL and RDATA; `known` is a set. A higher version's RDATA is not
 * read. After FORMERR *out has no options. */
enum rcode edns_read(struct edns *out, uint16_t class, uint32_t ttl, const uint8_t *rdata,
		     size_t rdata_len, unsigned known);

/* The OPT record of an answer. */
struct edns_reply {
	const struct edns *query;
	uint16_t udp_size; /* ours */
	uint8_t scope;     /* of Client Subnet, where the query has it: then so has the answer */
	uint8_t has;       /* enum edns_set without Client Subnet; see `scope` */
	int16_t error;     /* enum edns_error */
	uint16_t keepalive_100ms; /* RFC 7828, 3.1: in units of 100 ms */
	uint8_t cookie_len, nsid_len;
	const uint8_t *cookie, *nsid;
	const char *error_text; /* NULL: none */
};

/* edns_size, of the less frequent options. */
size_t edns_size_others(const struct edns_reply *reply);

/* Octets of what belongs into the answer: all but NSID and the error. Known before the answer's
 * sections are. */
static inline size_t edns_size(const struct edns_reply *reply)
{
	size_t size = EDNS_OPT_SIZE;

	if ((reply->query->has & EDNS_HAS_CLIENT_SUBNET) != 0)
		size += EDNS_OPTION_SIZE + 4U + reply->query->ecs.address_len;
	return reply->has == 0 ? size : size + edns_size_others(reply);
}

/* Writes the record into out[room], room being edns_size(reply) at least, and returns its length.
 * NSID goes into what room is left, then the error and its text. */
size_t edns_write(uint8_t *out, size_t room, const struct edns_reply *reply, enum rcode rcode);

/* The address of an option whose source is not 0. */
static inline void ecs_address(const struct ecs *ecs, struct ip_address *out)
{
	memcpy(out->bytes, ecs->address, sizeof(ecs->address));
	out->family = ecs->family == ECS_IPV4 ? IP_V4 : IP_V6;
}

#endif
