/* quick_more.h - answers of the quick path (quick.h) that have more than one block: a CNAME and what
 * its target has; an RRset and the addresses of the names in it. What does not fit is answer()'s, for
 * it knows what to leave out. Pure. */
#ifndef SERVE_QUICK_MORE_H
#define SERVE_QUICK_MORE_H

#include "serve/quick_write.h"

/* An answer being written: what stands behind its question. */
struct quick_message {
	uint8_t *reply;
	size_t pos, room; /* room: up to there, for all but the OPT record */
};

/* Where the name that stands there begins; in front of it may be pointers. */
static inline size_t quick_name_place(const struct quick_message *m, size_t place)
{
	while (m->reply[place] >= 0xc0)
		place = load_u16(m->reply + place) & DNS_POINTER_MAX;
	return place;
}

/* `room` is 0 where there is none. */
static QUICK_INLINE void quick_begin(struct quick_message *m, const struct quick *quick,
				     const struct quick_query *q, size_t name_len)
{
	size_t limit = quick_limit(quick, q);
	size_t opt = q->opt != 0 ? (size_t)EDNS_OPT_SIZE + q->options : 0;
	const struct batch_query *query = q->query;

	m->reply = query->reply;
	m->pos = DNS_HEADER_SIZE + 4 + name_len;
	if (limit > query->size - QUICK_SLACK)
		limit = query->size - QUICK_SLACK;
	m->room = limit < opt ? 0 : limit - opt;
	quick_put_question(m->reply, query->message, m->pos, RCODE_NOERROR, q->opt != 0);
}

/* The first block, whose owner is the question's name. */
static QUICK_INLINE bool quick_put_first(struct quick_message *m, const struct rrset_block *block)
{
	size_t base = rrset_canonical_base(block), at = m->pos;

	if (base > at || block->wire_len + at > m->room)
		return false;
	quick_copy_block(m->reply + at, block->wire, block->wire_len);
	if (base != at)
		quick_move_below_owner(m->reply + at, block, at - base);
	m->pos += block->wire_len;
	return true;
}

/* Another one, whose owner stands at `place`. No name in its RDATA may be a pointer. */
static QUICK_INLINE bool quick_put_next(struct quick_message *m, const struct rrset_block *block,
					size_t place)
{
	const uint16_t *fixups = rrset_fixups(block);
	uint8_t *wire = m->reply + m->pos;

	if (block->fixup_count != block->rr_count || block->wire_len + m->pos > m->room ||
	    place > DNS_POINTER_MAX)
		return false;
	quick_copy_block(wire, block->wire, block->wire_len);
	for (unsigned i = 0; i < block->rr_count; i++)
		store_u16(wire + fixups[i], (uint16_t)(0xc000 | place));
	m->pos += block->wire_len;
	return true;
}

/* `additional`: records there, but for the OPT record. */
static QUICK_INLINE void quick_end(const struct quick_message *m, struct quick *quick,
				   const struct quick_query *q, unsigned answers,
				   unsigned additional, uint8_t scope)
{
	uint64_t opt = quick->opt;

	store_u16(m->reply + 6, (uint16_t)answers);
	store_u16(m->reply + 10, (uint16_t)(additional + (q->opt != 0)));
	q->query->reply_len = m->pos;
	quick->answered++;
	if (q->opt == 0)
		return;
	q->query->reply_len += EDNS_OPT_SIZE + (size_t)q->options;
	quick_put_opt(quick, q, m->reply + m->pos, opt, scope);
}

/* --- a CNAME ---------------------------------------------------------------------------------- */

/* q->alias, and its target's RRset or what a pool answers there. */
static QUICK_INLINE bool quick_put_alias(struct quick *quick, const struct quick_query *q,
					 const struct rrset_block *block, uint8_t scope)
{
	struct quick_message m;
	size_t target;

	quick_begin(&m, quick, q, q->alias_len);
	target = m.pos + 12;
	if (!quick_put_first(&m, q->alias) ||
	    !quick_put_next(&m, block, quick_name_place(&m, target)))
		return false;
	quick_end(&m, quick, q, q->alias->rr_count + (unsigned)block->rr_count, 0, scope);
	return true;
}

/* --- addresses of targets --------------------------------------------------------------------- */

/* Those of one node, owned by the name at `place`. Steered ones are answer()'s, and those whose name
 * stands out of a pointer's reach. */
static QUICK_INLINE bool quick_put_addresses(struct quick_message *m,
					     const struct zone_segment *segment,
					     const struct zone_node *node, size_t place,
					     unsigned *count)
{
	const struct zone_rrset *rrset = node->rrsets, *end = rrset + node->rrset_count;
	const struct rrset_block *a = NULL, *aaaa = NULL;

	if ((node->pool_types & (pool_type_bit(TYPE_A) | pool_type_bit(TYPE_AAAA))) != 0 ||
	    place > DNS_POINTER_MAX)
		return false;
	for (; rrset < end; rrset++) {
		if (rrset->type == TYPE_A)
			a = zone_at(segment, struct rrset_block, rrset->block_off);
		else if (rrset->type == TYPE_AAAA)
			aaaa = zone_at(segment, struct rrset_block, rrset->block_off);
	}
	place = quick_name_place(m, place);
	if ((a != NULL && !quick_put_next(m, a, place)) ||
	    (aaaa != NULL && !quick_put_next(m, aaaa, place)))
		return false;
	*count += (a != NULL ? a->rr_count : 0U) + (aaaa != NULL ? aaaa->rr_count : 0U);
	return true;
}

/* So many targets, each once. */
#define QUICK_EXTRAS_MAX 8

static inline bool quick_named_before(const struct rrset_extra *extras, unsigned i)
{
	for (unsigned j = 0; j < i; j++) {
		if (extras[j].node == extras[i].node)
			return true;
	}
	return false;
}

/* An RRset in whose RDATA are names of the zone (NS, MX, SRV). */
static QUICK_SELDOM bool quick_put_with_extras(struct quick *quick, const struct quick_query *q)
{
	const struct rrset_block *block = q->block;
	const struct rrset_extra *extras = rrset_extras(block);
	struct quick_message m;
	unsigned additional = 0;
	size_t at;

	if (block->extra_count > QUICK_EXTRAS_MAX || block->type == TYPE_SVCB ||
	    block->type == TYPE_HTTPS)
		return false;
	quick_begin(&m, quick, q, q->name.len);
	at = m.pos;
	if (!quick_put_first(&m, block))
		return false;
	for (unsigned i = 0; i < block->extra_count; i++) {
		const struct zone_node *node = zone_at(q->segment, struct zone_node,
						       extras[i].node);

		if (!quick_named_before(extras, i) &&
		    !quick_put_addresses(&m, q->segment, node, at + extras[i].name_pos,
					 &additional))
			return false;
	}
	quick_end(&m, quick, q, block->rr_count, additional, 0);
	return true;
}

#endif
