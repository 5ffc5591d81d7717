/* quick_read.h - what the quick path (quick.h) takes of a query: its name, its type, its OPT record
 * and who asks. Also what a query is on its way through the steps. Pure. */
#ifndef SERVE_QUICK_READ_H
#define SERVE_QUICK_READ_H

#include <endian.h>
#include <string.h>

#include "base/cursor.h"
#include "image/geo.h"
#include "serve/batch.h"
#include "serve/cookies.h"
#include "wire/edns.h"
#include "wire/query.h"

/* Both ways through a batch (datagrams, connections) have a copy of each step. */
#define QUICK_INLINE inline __attribute__((always_inline))

/* What is asked for more seldom is out of the others' way. */
#define QUICK_SELDOM __attribute__((noinline, unused))

/* What the queries of a batch have in common, and what they came to. */
struct quick {
	const struct world *world;
	struct class_counters *classes;
	uint64_t opt; /* the first word of the OPT record of an answer, as it stands there */
	uint32_t limit_min, limit_max; /* octets of an answer: where no more is allowed, at most */
	uint32_t amplification;
	uint32_t unix_s;
	bool ecs, cookies; /* options that are known; others are skipped */
	uint64_t answered, nxdomain, steered, with_ecs;
};

enum quick_kind {
	QUICK_STATIC,
	QUICK_STEERED,
	QUICK_NODATA,
	QUICK_NXDOMAIN,
	QUICK_NOT,
	QUICK_ALIAS,
	QUICK_ALIAS_STEERED
};

/* A query on its way, step by step. */
struct quick_query {
	struct batch_query *query;
	/* quick_read's: */
	uint16_t type;
	uint16_t opt;         /* where the query's OPT record begins; 0: it has none */
	uint16_t ecs, cookie; /* where these options begin; 0: it has none */
	uint16_t options;     /* octets of all options in the OPT record of the answer */
	/* quick_find_zone's: */
	uint32_t zone;
	const struct zone_segment *segment;
	uint64_t hash;                    /* of the name within the zone */
	const struct zone_bucket *bucket; /* that it leads to */
	/* quick_find_node's: NULL, or perhaps the name's */
	const struct zone_node *node;
	/* quick_find_block's: */
	enum quick_kind kind;
	union {
		const struct rrset_block *block;
		struct quick_steered *steered; /* where the name is */
	};
	/* Where it is one of the last two: the CNAME, and the length of the question's name, for all else
	 * is its target's. */
	const struct rrset_block *alias;
	size_t alias_len;
	struct name_key name;
};

/* What is shorter than a cache line, but may lie across two. */
static inline void quick_prefetch(const void *first, size_t last)
{
	__builtin_prefetch(first);
	__builtin_prefetch((const uint8_t *)first + last);
}

static inline uint64_t quick_load(const uint8_t *p)
{
	uint64_t word;

	memcpy(&word, p, sizeof(word));
	return word;
}

static inline void quick_store(uint8_t *p, uint64_t word)
{
	memcpy(p, &word, sizeof(word));
}

/* --- the query -------------------------------------------------------------------------------- */

/* Of an option, as edns.c has it: is it a Client Subnet without a mistake? `size`: with its head. */
static QUICK_INLINE bool quick_is_ecs(const uint8_t *option, unsigned size)
{
	uint64_t head = be64toh(quick_load(option)); /* code, length, family, source, scope */
	unsigned source = (uint8_t)(head >> 8), family = (uint16_t)(head >> 16);
	unsigned octets = (source + 7) / 8;

	return head >> 32 == ((uint64_t)EDNS_CLIENT_SUBNET << 16 | (4 + octets)) &&
	       size == 8 + octets && (uint8_t)head == 0 &&
	       (family == ECS_IPV4 ? source <= 32 : family == ECS_IPV6 && source <= 128) &&
	       (option[7 + octets] & ((1U << (octets * 8 - source)) - 1)) == 0;
}

/* Options that go with each other: Client Subnet, COOKIE, once each, without a mistake. */
static QUICK_SELDOM bool quick_read_options(const struct quick *quick, struct quick_query *q,
					    size_t at, size_t end)
{
	const uint8_t *message = q->query->message;

	while (at + EDNS_OPTION_SIZE <= end) {
		unsigned code = load_u16(message + at), len = load_u16(message + at + 2);
		unsigned size = EDNS_OPTION_SIZE + len;

		if (size > end - at)
			return false;
		if (code == EDNS_CLIENT_SUBNET && quick->ecs) {
			if (q->ecs != 0 || !quick_is_ecs(message + at, size))
				return false;
			q->ecs = (uint16_t)at;
			q->options = (uint16_t)(q->options + size);
		} else if (code == EDNS_COOKIE && quick->cookies) {
			if (q->cookie != 0 || !cookie_is_sized(len))
				return false;
			q->cookie = (uint16_t)at;
			q->options = (uint16_t)(q->options + EDNS_OPTION_SIZE + COOKIE_ANSWER_SIZE);
		} else if (code != EDNS_CLIENT_SUBNET && code != EDNS_COOKIE) {
			return false;
		}
		at += size;
	}
	return at == end;
}

/* Its owner is the root, its version 0; it has no option, or Client Subnet alone, or what
 * quick_read_options takes. */
static QUICK_INLINE bool quick_read_opt(const struct quick *quick, struct quick_query *q,
					const uint8_t *opt, size_t room)
{
	uint64_t head = be64toh(
		quick_load(opt)); /* owner, type, class, and all but 8 bits of TTL */
	unsigned rdata_len;

	if (room < EDNS_OPT_SIZE || head >> 40 != TYPE_OPT || (uint8_t)(head >> 8) != 0)
		return false;
	rdata_len = load_u16(opt + 9);
	if (rdata_len == 0)
		return true;
	if (rdata_len > room - EDNS_OPT_SIZE)
		return false;
	if (!quick->ecs || !quick_is_ecs(opt + EDNS_OPT_SIZE, rdata_len))
		return quick_read_options(quick, q, q->opt + EDNS_OPT_SIZE,
					  q->opt + EDNS_OPT_SIZE + rdata_len);
	q->ecs = (uint16_t)(q->opt + EDNS_OPT_SIZE);
	q->options = (uint16_t)rdata_len;
	return true;
}

/* Types that stand for data, of the name's own zone. */
static QUICK_INLINE bool quick_is_ordinary(unsigned type)
{
	const uint64_t others = UINT64_C(1) << TYPE_OPT | UINT64_C(1) << TYPE_DS;

	if (type < 64)
		return (others >> type & 1) == 0;
	return type < 249 ? type != TYPE_NXNAME : type > TYPE_ANY;
}

static QUICK_INLINE bool quick_read(const struct quick *quick, struct quick_query *q)
{
	const uint64_t counts = htobe64(UINT64_C(1) << 48), one_more = htobe64(1);
	const uint8_t *message = q->query->message;
	size_t len = q->query->len, pos;
	uint64_t has;

	if (len < DNS_HEADER_SIZE + 5 || (message[2] & (HEADER_QR | HEADER_OPCODE_MASK) >> 8) != 0)
		return false;
	has = quick_load(message + 4);
	if ((has & ~one_more) != counts)
		return false;
	pos = name_key_read_roomy(&q->name, message + DNS_HEADER_SIZE, len - DNS_HEADER_SIZE);
	if (pos == 0)
		return false;
	pos += DNS_HEADER_SIZE + 4;
	if (pos > len || load_u16(message + pos - 2) != CLASS_IN)
		return false;
	q->type = load_u16(message + pos - 4);
	q->opt = q->ecs = q->cookie = q->options = 0;
	if (has == counts)
		return quick_is_ordinary(q->type);
	q->opt = (uint16_t)pos;
	return quick_read_opt(quick, q, message + pos, len - pos) && quick_is_ordinary(q->type);
}

/* --- who asks ---------------------------------------------------------------------------------- */

/* Its first `count` octets of eight; the others become zero. */
static inline uint64_t quick_load_some(const uint8_t *p, size_t count)
{
	if (count >= sizeof(uint64_t))
		return quick_load(p);
	return quick_load(p) & ~htobe64(UINT64_MAX >> (8 * count));
}

/* The network in Client Subnet; false: it is of no use, for its source is 0. */
static QUICK_INLINE bool quick_ecs_address(const struct quick_query *q, struct geo_address *out)
{
	const uint8_t *ecs = q->query->message + q->ecs + EDNS_OPTION_SIZE;
	size_t octets;
	uint64_t high;

	if (q->ecs == 0 || ecs[2] == 0)
		return false;
	octets = (ecs[2] + 7U) / 8U;
	if (ecs[1] == ECS_IPV4) {
		high = be64toh(quick_load(ecs + 4)) & UINT64_MAX << (64 - 8 * octets);
		geo_address_v4(out, (uint32_t)(high >> 32));
	} else {
		high = be64toh(quick_load_some(ecs + 4, octets));
		geo_address_v6(out, high,
			       octets <= 8 ? 0 : be64toh(quick_load_some(ecs + 12, octets - 8)));
	}
	return true;
}

static QUICK_INLINE void quick_source(const struct sockaddr_storage *from, struct geo_address *out)
{
	const struct sockaddr_in *v4 = (const struct sockaddr_in *)(const void *)from;
	const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)(const void *)from;

	if (from->ss_family == AF_INET)
		geo_address_v4(out, ntohl(v4->sin_addr.s_addr));
	else
		geo_address_v6(out, geo_load_word(v6->sin6_addr.s6_addr),
			       geo_load_word(v6->sin6_addr.s6_addr + 8));
}

#endif
