/* quick_write.h - an answer of the quick path (quick.h), written: header, question, one block of
 * records, OPT record. Pure. */
#ifndef SERVE_QUICK_WRITE_H
#define SERVE_QUICK_WRITE_H

#include "image/rrset.h"
#include "image/zones.h"
#include "serve/quick_read.h"
#include "wire/types.h"

/* Answers are written in words: so much room behind them may be written to. */
#define QUICK_SLACK 32

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

/* Client Subnet: the query's, with our scope. */
static QUICK_INLINE void quick_put_ecs(uint8_t *out, const uint8_t *ecs, uint8_t scope)
{
	for (size_t i = 0; i < 24; i += 8)
		quick_store(out + i, quick_load(ecs + i));
	out[7] = scope;
}

/* The cookie that goes back. Whether the query's was valid matters where the answer is longer than its
 * client may have without: then it is answer()'s. */
static QUICK_SELDOM void quick_put_cookie(const struct quick *quick, const struct quick_query *q,
					  uint8_t *out)
{
	const uint8_t *cookie = q->query->message + q->cookie;
	struct ip_address client;

	ip_from_sockaddr(q->query->from, &client, NULL);
	store_u16(out, EDNS_COOKIE);
	store_u16(out + 2, COOKIE_ANSWER_SIZE);
	(void)cookie_answer(world_settings(quick->world), cookie + EDNS_OPTION_SIZE,
			    load_u16(cookie + 2), &client, quick->unix_s, out + EDNS_OPTION_SIZE);
}

static QUICK_INLINE void quick_put_opt(struct quick *quick, const struct quick_query *q,
				       uint8_t *out, uint64_t first, uint8_t scope)
{
	const uint64_t dnssec_ok = htobe64(0x80);
	const uint8_t *message = q->query->message;

	quick_store(out, first | (quick_load(message + q->opt) & dnssec_ok));
	out[8] = 0;
	store_u16(out + 9, q->options);
	if (q->options == 0)
		return;
	if (q->ecs != 0) {
		quick_put_ecs(out + EDNS_OPT_SIZE, message + q->ecs, scope);
		quick->with_ecs++;
	}
	if (q->cookie != 0)
		quick_put_cookie(quick, q,
				 out + EDNS_OPT_SIZE + q->options - EDNS_OPTION_SIZE -
					 COOKIE_ANSWER_SIZE);
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

/* A wildcard's block, behind a question for a name that it speaks for: the owner is the question's
 * name, and what else is pointed to stands `skip` octets behind its canonical place. */
static QUICK_SELDOM void quick_move_below_owner(uint8_t *wire, const struct rrset_block *block,
						size_t skip)
{
	const uint16_t *fixups = rrset_fixups(block);

	if (block->fixup_count == block->rr_count) /* nothing but owners */
		return;
	for (unsigned i = 0; i < block->fixup_count; i++) {
		unsigned pointer = load_u16(wire + fixups[i]);

		if ((pointer & DNS_POINTER_MAX) != DNS_HEADER_SIZE)
			store_u16(wire + fixups[i], (uint16_t)(pointer + skip));
	}
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
	size_t pos = DNS_HEADER_SIZE + 4 + (size_t)q->name.len;
	size_t skip = pos - rrset_canonical_base(block);
	size_t block_end = pos + block->wire_len, end = block_end;
	uint64_t first = quick->opt;

	if (q->opt != 0)
		end += EDNS_OPT_SIZE + (size_t)q->options;
	if (rrset_canonical_base(block) > pos || end > quick_limit(quick, q) ||
	    end + QUICK_SLACK > query->size)
		return false;
	query->reply_len = end;
	quick->answered++;
	quick_put_question(reply, message, pos,
			   kind == QUICK_NXDOMAIN ? RCODE_NXDOMAIN : RCODE_NOERROR,
			   (uint64_t)block->rr_count << (positive ? 32 : 16) | (q->opt != 0));
	quick_copy_block(reply + pos, block->wire, block_end - pos);
	if (!positive)
		quick_move_pointers(reply + pos, block, skip);
	else if (skip != 0)
		quick_move_below_owner(reply + pos, block, skip);
	if (q->opt != 0)
		quick_put_opt(quick, q, reply + block_end, first, scope);
	return true;
}

#endif
