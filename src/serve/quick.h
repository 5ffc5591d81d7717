/* quick.h - the common query, answered in a straight line: an RRset or a POOL record of the zone, at
 * the name itself.
 *
 * Two implementations, one truth: whatever quick_read or quick_put declines is answer()'s, and what
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
#include "serve/choose.h"
#include "serve/count.h"
#include "serve/lookup.h"
#include "serve/message.h"
#include "wire/edns.h"
#include "wire/query.h"

/* Answers are written in words: so much room behind them may be written to. */
#define QUICK_SLACK 32

/* What the queries of a batch have in common, and what they came to. */
struct quick {
	const struct world *world;
	struct class_counters *classes;
	uint64_t opt; /* the first word of the OPT record of an answer, as it stands there */
	uint32_t udp_size_max, amplification;
	bool ecs;
	uint64_t answered, steered, with_ecs;
};

/* A query that quick_read took. */
struct quick_query {
	const struct zone_segment *segment;
	uint32_t zone;
	uint16_t type;
	uint16_t opt; /* where the query's OPT record begins; 0: it has none */
	uint16_t ecs; /* octets of its one option, Client Subnet; 0: it has none */
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
static inline bool quick_read_ecs(const uint8_t *rdata, unsigned rdata_len)
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
static inline bool quick_read_opt(const struct quick *quick, struct quick_query *q,
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
static inline bool quick_is_ordinary(uint16_t type)
{
	return type < 249 ? type != TYPE_OPT && type != TYPE_DS && type != TYPE_NXNAME
			  : type > TYPE_ANY;
}

static inline bool quick_read(const struct quick *quick, struct quick_query *q,
			      const uint8_t *message, size_t len)
{
	const uint64_t counts = htobe64(UINT64_C(1) << 48), one_more = htobe64(1);
	uint64_t has;
	size_t pos;

	if (len < DNS_HEADER_SIZE + 5 || (message[2] & (HEADER_QR | HEADER_OPCODE_MASK) >> 8) != 0)
		return false;
	has = quick_load(message + 4);
	if ((has & ~one_more) != counts)
		return false;
	pos = name_key_read(&q->name, message + DNS_HEADER_SIZE, len - DNS_HEADER_SIZE);
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

/* --- the answer ------------------------------------------------------------------------------- */

static inline void quick_count_steered(struct quick *quick, uint32_t class_id)
{
	quick->steered++;
	if (quick->classes != NULL && class_id != GEO_CLASS_NONE)
		class_counters_add(quick->classes, &quick->world->geo, (uint16_t)class_id);
}

/* How long the answer may be: answer.c's reply_limit. */
static inline size_t quick_limit(const struct quick *quick, const struct quick_query *q,
				 const struct batch_query *query)
{
	size_t limit = EDNS_UDP_SIZE_MIN;

	if (q->opt != 0 && load_u16(query->message + q->opt + 3) > EDNS_UDP_SIZE_MIN)
		limit = load_u16(query->message + q->opt + 3);
	if (limit > quick->udp_size_max)
		limit = quick->udp_size_max;
	if (quick->amplification > 0 && limit > quick->amplification * query->len)
		limit = quick->amplification * query->len;
	return limit;
}

/* Header and question: the query's own up to its type, but for flags and counts. */
static inline void quick_put_question(const struct quick_query *q, const struct batch_query *query,
				      size_t len, uint16_t answers)
{
	const uint32_t kept = htobe32(0xffff0000 | HEADER_RD), set = htobe32(HEADER_QR | HEADER_AA);
	uint32_t id_flags;

	for (size_t i = 8; i < len; i += 16)
		memcpy(query->reply + i, query->message + i, 16);
	memcpy(&id_flags, query->message, sizeof(id_flags));
	id_flags = (id_flags & kept) | set;
	memcpy(query->reply, &id_flags, sizeof(id_flags));
	quick_store(query->reply + 4,
		    htobe64(UINT64_C(1) << 48 | (uint64_t)answers << 32 | (q->opt != 0)));
}

/* Blocks and their wires begin at multiples of 8 octets, so a word of one is on its page. */
static inline void quick_copy_block(uint8_t *to, const struct rrset_block *block)
{
	const uint8_t *from = block->wire;
	size_t len = block->wire_len;

	if (len > 64) {
		memcpy(to, from, len);
		return;
	}
	for (size_t i = 0; i < len; i += 8)
		quick_store(to + i, quick_load(from + i));
}

/* Its one option is the query's, with our scope. Returns its length. */
static inline size_t quick_put_opt(const struct quick *quick, const struct quick_query *q,
				   const struct batch_query *query, uint8_t *out, uint8_t scope)
{
	const uint8_t *opt = query->message + q->opt;
	const uint64_t dnssec_ok = htobe64(0x80);

	quick_store(out, quick->opt | (quick_load(opt) & dnssec_ok));
	out[8] = 0;
	store_u16(out + 9, q->ecs);
	if (q->ecs == 0)
		return EDNS_OPT_SIZE;
	for (size_t i = 0; i < 24; i += 8)
		quick_store(out + EDNS_OPT_SIZE + i, quick_load(opt + EDNS_OPT_SIZE + i));
	out[EDNS_OPT_SIZE + 7] = scope;
	return EDNS_OPT_SIZE + (size_t)q->ecs;
}

/* Does the whole answer fit? Then it is written, and its RRset begins at *block_at. Returns its
 * length, or 0. */
static inline size_t quick_put(struct quick *quick, const struct quick_query *q,
			       const struct batch_query *query, const struct rrset_block *block,
			       uint8_t scope)
{
	size_t pos = DNS_HEADER_SIZE + 4 + (size_t)q->name.len;
	size_t end = pos + block->wire_len + (q->opt != 0 ? EDNS_OPT_SIZE + (size_t)q->ecs : 0);

	if (rrset_canonical_base(block) != pos || end > quick_limit(quick, q, query) ||
	    end + QUICK_SLACK > query->size)
		return 0;
	quick_put_question(q, query, pos, block->rr_count);
	quick_copy_block(query->reply + pos, block);
	if (q->opt != 0)
		(void)quick_put_opt(quick, q, query, query->reply + pos + block->wire_len, scope);
	quick->answered++;
	quick->with_ecs += q->ecs != 0;
	return end;
}

/* --- steered names ---------------------------------------------------------------------------- */

/* Its first `count` octets of eight; the others become zero. */
static inline uint64_t quick_load_some(const uint8_t *p, size_t count)
{
	if (count >= sizeof(uint64_t))
		return quick_load(p);
	return quick_load(p) & ~htobe64(UINT64_MAX >> (8 * count));
}

/* The network in Client Subnet; false: it is of no use, for its source is 0. */
static inline bool quick_ecs_address(const struct quick_query *q, const struct batch_query *query,
				     struct ip_address *out)
{
	const uint8_t *ecs = query->message + q->opt + EDNS_OPT_SIZE + EDNS_OPTION_SIZE;
	size_t octets = q->ecs - 8U;

	if (q->ecs == 0 || ecs[2] == 0)
		return false;
	quick_store(out->bytes, quick_load_some(ecs + 4, octets));
	quick_store(out->bytes + 8, octets <= 8 ? 0 : quick_load_some(ecs + 12, octets - 8));
	out->family = ecs[1] == ECS_IPV4 ? IP_V4 : IP_V6;
	return true;
}

/* Those with other records to go with them, in whatever order, are answer()'s. */
static inline bool quick_is_plain(const struct quick *quick, const struct rrset_block *block,
				  uint32_t pool)
{
	return block->extra_count == 0 &&
	       (block->rr_count == 1 ||
		steering_pool(&quick->world->steering, pool)->shuffled == 0);
}

static inline size_t quick_put_steered(struct quick *quick, const struct quick_query *q,
				       const struct batch_query *query,
				       const struct zone_node *node)
{
	const struct world *world = quick->world;
	const struct steering_record *record = steering_record(
		&world->steering,
		zones_entry(&world->zones, q->zone)->pool_record_base + node->pool_record - 1);
	const struct rrset_block *block;
	struct ip_address address;
	struct chosen chosen;
	bool from_ecs = quick_ecs_address(q, query, &address);
	size_t len;

	if (!from_ecs)
		ip_from_sockaddr(query->from, &address, NULL);
	choose(&chosen, world, record, &address, from_ecs, hash_word(query->random));
	block = steering_answer(&world->steering, record, chosen.answers_off, chosen.choice,
				steering_column(q->type));
	if (block == NULL || !quick_is_plain(quick, block, chosen.pool))
		return 0;
	len = quick_put(quick, q, query, block, from_ecs ? chosen.scope : 0);
	if (len > 0)
		quick_count_steered(quick, chosen.class_id);
	return len;
}

/* --- the name --------------------------------------------------------------------------------- */

/* Returns the answer's length; 0: it is answer()'s. */
static inline size_t quick_answer(struct quick *quick, const struct quick_query *q,
				  const struct batch_query *query)
{
	const struct zone_segment *segment = q->segment;
	const struct zone_node *node = zone_find_hashed(
		segment, name_hash(q->name.wire, q->name.len - segment->origin_len), q->name.wire,
		q->name.len);
	const struct rrset_block *block;

	if (node == NULL || node->cut != 0)
		return 0;
	if ((node->pool_types & pool_type_bit(q->type)) != 0)
		return quick_put_steered(quick, q, query, node);
	block = zone_rrset_inline(segment, node, q->type);
	if (block == NULL || block->extra_count > 0)
		return 0;
	return quick_put(quick, q, query, block, 0);
}

#endif
