/* quick.h - the common query, answered in a straight line: an RRset or a POOL record of the zone, at
 * the name itself, or the SOA, for there is none or no such name.
 *
 * Two implementations, one truth: whatever one of the steps declines is answer()'s, and what
 * they take gets the octets and the counts that answer() would give (tests/fuzz/batch_fuzz.c). Here
 * are no sections, no truncation, no errors; so nothing is kept for them.
 *
 * In inline functions, for batch.c: they are steps of one loop. Pure. */
#ifndef SERVE_QUICK_H
#define SERVE_QUICK_H

#include <endian.h>
#include <string.h>

#include "base/cursor.h"
#include "serve/batch.h"
#include "serve/choose_inline.h"
#include "serve/count.h"
#include "serve/lookup.h"
#include "serve/message.h"
#include "wire/edns.h"
#include "wire/query.h"

/* Answers are written in words: so much room behind them may be written to. */
#define QUICK_SLACK 32

/* Both ways through a batch (datagrams, connections) have a copy of each step. */
#define QUICK_INLINE inline __attribute__((always_inline))

/* What is shorter than a cache line, but may lie across two. */
static inline void quick_prefetch(const void *first, size_t last)
{
	__builtin_prefetch(first);
	__builtin_prefetch((const uint8_t *)first + last);
}

/* What the queries of a batch have in common, and what they came to. */
struct quick {
	const struct world *world;
	struct class_counters *classes;
	uint64_t opt; /* the first word of the OPT record of an answer, as it stands there */
	uint32_t limit_min, limit_max; /* octets of an answer: where no more is allowed, at most */
	uint32_t amplification;
	bool ecs;
	uint64_t answered, nxdomain, steered, with_ecs;
};

enum quick_kind { QUICK_STATIC, QUICK_STEERED, QUICK_NODATA, QUICK_NXDOMAIN, QUICK_NOT };

/* A query on its way, step by step. */
struct quick_query {
	struct batch_query *query;
	/* quick_read's: */
	uint16_t type;
	uint16_t opt; /* where the query's OPT record begins; 0: it has none */
	uint16_t ecs; /* octets of its one option, Client Subnet; 0: it has none */
	/* quick_find_zone's: */
	uint32_t zone;
	const struct zone_segment *segment;
	uint64_t hash;                    /* of the name within the zone */
	const struct zone_bucket *bucket; /* that it leads to */
	/* quick_find_node's: NULL, or perhaps the name's */
	const struct zone_node *node;
	/* quick_find_block's: */
	enum quick_kind kind;
	const struct rrset_block *block; /* undefined where the name is steered */
	/* ... and where it is steered, undefined else: */
	const struct steering_record *record;
	struct geo_address address; /* the client's, of Client Subnet or not */
	bool from_ecs;
	struct name_key name;
};

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

/* The one option of an OPT record, as edns.c has it: is it a Client Subnet without a mistake? */
static QUICK_INLINE bool quick_read_ecs(const uint8_t *rdata, unsigned rdata_len)
{
	uint64_t head = be64toh(quick_load(rdata)); /* code, length, family, source, scope */
	unsigned source = (uint8_t)(head >> 8), family = (uint16_t)(head >> 16);
	unsigned octets = (source + 7) / 8;

	return head >> 32 == ((uint64_t)EDNS_CLIENT_SUBNET << 16 | (4 + octets)) &&
	       rdata_len == 8 + octets && (uint8_t)head == 0 &&
	       (family == ECS_IPV4 ? source <= 32 : family == ECS_IPV6 && source <= 128) &&
	       (rdata[7 + octets] & ((1U << (octets * 8 - source)) - 1)) == 0;
}

/* Its owner is the root, its version 0; it has no option, or Client Subnet alone. */
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
	if (!quick->ecs || rdata_len > room - EDNS_OPT_SIZE ||
	    !quick_read_ecs(opt + EDNS_OPT_SIZE, rdata_len))
		return false;
	q->ecs = (uint16_t)rdata_len;
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
	q->opt = q->ecs = 0;
	if (has == counts)
		return quick_is_ordinary(q->type);
	q->opt = (uint16_t)pos;
	return quick_read_opt(quick, q, message + pos, len - pos) && quick_is_ordinary(q->type);
}

/* --- the name --------------------------------------------------------------------------------- */

/* Its bucket is on its way then. */
static QUICK_INLINE bool quick_find_zone(const struct quick *quick, struct quick_query *q)
{
	const struct image *zones = &quick->world->zones;

	q->zone = lookup_zone(zones, &q->name, q->type);
	if (q->zone == ZONES_NONE)
		return false;
	q->segment = zones_segment(zones, q->zone);
	q->hash = lookup_hash(q->segment, &q->name);
	q->bucket = zone_bucket(q->segment, q->hash);
	__builtin_prefetch(q->bucket);
	return true;
}

/* Whose tag is the name's: it is not looked at before it is here. */
static QUICK_INLINE void quick_find_node(struct quick_query *q)
{
	q->node = zone_bucket_guess(q->segment, q->bucket, q->hash);
	if (q->node != NULL)
		quick_prefetch(q->node, 60);
}

static QUICK_INLINE const struct zone_node *quick_node(const struct quick_query *q)
{
	if (q->node != NULL && lookup_is_node(q->segment, q->node, &q->name))
		return q->node;
	return zone_find_hashed(q->segment, q->hash, q->name.wire, q->name.len);
}

/* There is nothing of the type, or no such name: the SOA says so. But there may be something else, or
 * a wildcard. */
static __attribute__((noinline, unused)) enum quick_kind quick_find_nothing(
	struct quick_query *q, const struct zone_node *node)
{
	struct lookup found = { .segment = q->segment };

	q->block = zone_at(q->segment, struct rrset_block, q->segment->soa_block);
	if (node != NULL)
		return (node->flags & ZONE_NODE_CNAME) != 0 ? QUICK_NOT : QUICK_NODATA;
	lookup_missing(&found, &q->name);
	if (found.cut != NULL || found.node != NULL ||
	    zone_rrset(q->segment, found.encloser, TYPE_DNAME) != NULL)
		return QUICK_NOT;
	return QUICK_NXDOMAIN;
}

/* --- who asks for a steered name --------------------------------------------------------------- */

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
	const uint8_t *ecs = q->query->message + q->opt + EDNS_OPT_SIZE + EDNS_OPTION_SIZE;
	size_t octets = q->ecs - 8U;
	uint64_t high;

	if (q->ecs == 0 || ecs[2] == 0)
		return false;
	high = be64toh(quick_load_some(ecs + 4, octets));
	*out = ecs[1] == ECS_IPV4
		       ? geo_address_v4((uint32_t)(high >> 32))
		       : geo_address_v6(
				 high,
				 octets <= 8 ? 0 : be64toh(quick_load_some(ecs + 12, octets - 8)));
	return true;
}

static QUICK_INLINE struct geo_address quick_source(const struct sockaddr_storage *from)
{
	const struct sockaddr_in *v4 = (const struct sockaddr_in *)(const void *)from;
	const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)(const void *)from;

	return from->ss_family == AF_INET
		       ? geo_address_v4(ntohl(v4->sin_addr.s_addr))
		       : geo_address_v6(geo_load_word(v6->sin6_addr.s6_addr),
					geo_load_word(v6->sin6_addr.s6_addr + 8));
}

/* Where the lookups for this client begin is on its way then. */
static QUICK_INLINE void quick_find_client(const struct quick *quick, struct quick_query *q)
{
	const struct world *world = quick->world;

	q->record = steering_record(&world->steering,
				    zones_entry(&world->zones, q->zone)->pool_record_base +
					    zone_node_pool_record(q->node) - 1);
	quick_prefetch(q->record, sizeof(*q->record) - 1);
	q->from_ecs = quick_ecs_address(q, &q->address);
	if (!q->from_ecs)
		q->address = quick_source(q->query->from);
	geo_prefetch(&world->geo, &q->address);
}

/* --- what is at the name ----------------------------------------------------------------------- */

static QUICK_INLINE enum quick_kind quick_block(const struct quick *quick, struct quick_query *q)
{
	const struct zone_node *node = quick_node(q);

	if (node == NULL)
		return quick_find_nothing(q, NULL);
	if (zone_node_cut(node) != 0)
		return QUICK_NOT;
	q->node = node;
	if ((node->pool_types & pool_type_bit(q->type)) != 0) {
		quick_find_client(quick, q);
		return QUICK_STEERED;
	}
	q->block = zone_rrset_inline(q->segment, node, q->type);
	if (q->block == NULL)
		return quick_find_nothing(q, node);
	quick_prefetch(q->block, 28);
	return QUICK_STATIC;
}

static QUICK_INLINE void quick_find_block(const struct quick *quick, struct quick_query *q)
{
	q->kind = quick_block(quick, q);
}

/* --- the answer ------------------------------------------------------------------------------- */

static QUICK_INLINE void quick_count_steered(struct quick *quick, uint32_t class_id)
{
	quick->steered++;
	if (quick->classes != NULL && class_id != GEO_CLASS_NONE)
		class_counters_add(quick->classes, &quick->world->geo, (uint16_t)class_id);
}

/* How long the answer may be: answer.c's reply_limit. */
static QUICK_INLINE size_t quick_limit(const struct quick *quick, const struct quick_query *q)
{
	size_t limit = quick->limit_min;

	if (q->opt != 0) {
		size_t size = load_u16(q->query->message + q->opt + 3);

		limit = size > limit ? size : limit;
	}
	if (limit > quick->limit_max)
		limit = quick->limit_max;
	if (quick->amplification > 0 && limit > quick->amplification * q->query->len)
		limit = quick->amplification * q->query->len;
	return limit;
}

/* Header and question: the query's own up to its type, but for flags and counts. `counts`: of the
 * three other sections, as they follow each other there. */
static QUICK_INLINE void quick_put_question(uint8_t *reply, const uint8_t *message, size_t len,
					    enum rcode rcode, uint64_t counts)
{
	const uint32_t kept = htobe32(0xffff0000 | HEADER_RD);
	uint32_t id_flags;

	for (size_t i = 8; i < len; i += 16)
		memcpy(reply + i, message + i, 16);
	memcpy(&id_flags, message, sizeof(id_flags));
	id_flags = (id_flags & kept) | htobe32(HEADER_QR | HEADER_AA | (uint32_t)rcode);
	memcpy(reply, &id_flags, sizeof(id_flags));
	quick_store(reply + 4, htobe64(UINT64_C(1) << 48 | counts));
}

/* Words that begin in a block can be read (image/rrset.h). */
static QUICK_INLINE void quick_copy_block(uint8_t *to, const uint8_t *from, size_t len)
{
	if (len > 64) {
		memcpy(to, from, len);
		return;
	}
	quick_store(to, quick_load(from));
	quick_store(to + 8, quick_load(from + 8)); /* a record has 11 octets and more */
	for (size_t i = 16; i < len; i += 8)
		quick_store(to + i, quick_load(from + i));
}

/* Its one option is the query's, with our scope. */
static QUICK_INLINE void quick_put_opt(uint8_t *out, uint64_t first, const uint8_t *opt, size_t ecs,
				       uint8_t scope)
{
	const uint64_t dnssec_ok = htobe64(0x80);

	quick_store(out, first | (quick_load(opt) & dnssec_ok));
	out[8] = 0;
	store_u16(out + 9, (uint16_t)ecs);
	if (ecs == 0)
		return;
	for (size_t i = 0; i < 24; i += 8)
		quick_store(out + EDNS_OPT_SIZE + i, quick_load(opt + EDNS_OPT_SIZE + i));
	out[EDNS_OPT_SIZE + 7] = scope;
}

/* A block of an ancestor of the name, behind a question for the name: both its place and the owner's
 * are `skip` octets behind the canonical ones, so each pointer goes as far. */
static QUICK_INLINE void quick_move_pointers(uint8_t *wire, const struct rrset_block *block,
					     size_t skip)
{
	const uint16_t *fixups = rrset_fixups(block);

	for (unsigned i = 0; i < block->fixup_count; i++)
		store_u16(wire + fixups[i], (uint16_t)(load_u16(wire + fixups[i]) + skip));
}

/* Writes the answer, if it fits. false: it is answer()'s. `kind` is a constant. */
static QUICK_INLINE bool quick_put(struct quick *quick, const struct quick_query *q,
				   enum quick_kind kind, const struct rrset_block *block,
				   uint8_t scope)
{
	const bool positive = kind <= QUICK_STEERED;
	struct batch_query *query = q->query;
	const uint8_t *message = query->message;
	uint8_t *reply = query->reply;
	size_t skip = positive ? 0 : (size_t)q->name.len - q->segment->origin_len;
	size_t pos = DNS_HEADER_SIZE + 4 + (size_t)q->name.len, opt = q->opt, ecs = q->ecs;
	size_t block_end = pos + block->wire_len, end = block_end;
	uint64_t first = quick->opt;

	if (opt != 0)
		end += EDNS_OPT_SIZE + ecs;
	if (rrset_canonical_base(block) + skip != pos || end > quick_limit(quick, q) ||
	    end + QUICK_SLACK > query->size)
		return false;
	query->reply_len = end;
	quick->answered++;
	quick_put_question(reply, message, pos,
			   kind == QUICK_NXDOMAIN ? RCODE_NXDOMAIN : RCODE_NOERROR,
			   (uint64_t)block->rr_count << (positive ? 32 : 16) | (opt != 0));
	quick_copy_block(reply + pos, block->wire, block_end - pos);
	if (!positive)
		quick_move_pointers(reply + pos, block, skip);
	if (opt != 0) {
		quick->with_ecs += ecs != 0;
		quick_put_opt(reply + block_end, first, message + opt, ecs, scope);
	}
	return true;
}

static __attribute__((noinline, unused)) bool quick_put_nodata(struct quick *quick,
							       const struct quick_query *q)
{
	return quick_put(quick, q, QUICK_NODATA,
			 zone_at(q->segment, struct rrset_block, q->segment->soa_block), 0);
}

static __attribute__((noinline, unused)) bool quick_put_nothing(struct quick *quick,
								const struct quick_query *q)
{
	if (q->kind == QUICK_NODATA)
		return quick_put_nodata(quick, q);
	if (!quick_put(quick, q, QUICK_NXDOMAIN, q->block, 0))
		return false;
	quick->nxdomain++;
	return true;
}

/* --- steered names ---------------------------------------------------------------------------- */

/* Those with other records to go with them, in whatever order, are answer()'s. */
static QUICK_INLINE bool quick_is_plain(const struct quick *quick, const struct rrset_block *block,
					uint32_t pool)
{
	return block->extra_count == 0 &&
	       (block->rr_count == 1 ||
		steering_pool(&quick->world->steering, pool)->shuffled == 0);
}

static QUICK_INLINE bool quick_put_steered(struct quick *quick, const struct quick_query *q)
{
	const struct world *world = quick->world;
	const struct rrset_block *block;
	struct chosen chosen;

	choose_inline(&chosen, world, q->record, &q->address, q->from_ecs, q->query->random);
	block = steering_answer(&world->steering, q->record, chosen.answers_off, chosen.choice,
				steering_column(q->type));
	if (block == NULL)
		return (q->record->lacks & pool_type_bit(q->type)) != 0 &&
		       chosen.applied <= APPLIED_DRAINING && quick_put_nodata(quick, q);
	if (!quick_is_plain(quick, block, chosen.pool) ||
	    !quick_put(quick, q, QUICK_STEERED, block, q->from_ecs ? chosen.scope : 0))
		return false;
	quick_count_steered(quick, chosen.class_id);
	return true;
}

/* false: it is answer()'s. */
static QUICK_INLINE bool quick_write(struct quick *quick, const struct quick_query *q)
{
	if (q->kind == QUICK_STATIC)
		return q->block->extra_count == 0 && quick_put(quick, q, QUICK_STATIC, q->block, 0);
	if (q->kind == QUICK_STEERED)
		return quick_put_steered(quick, q);
	return q->kind != QUICK_NOT && quick_put_nothing(quick, q);
}

#endif
