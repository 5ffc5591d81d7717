#include "wire/query.h"

#include "base/cursor.h"

#define RECORD_FIXED_SIZE 10 /* type, class, TTL and length of RDATA */

/* Passes over the labels of a name that begins at `start`, and does not matter to us. A pointer is
 * not followed; but it must lead to what is before this name and behind the header (RFC 9267, 2).
 * Returns where the name ends; 0: it is none. */
static __attribute__((noinline)) size_t skip_labels(const uint8_t *data, size_t size, size_t start)
{
	struct reader r = { .data = data, .size = size, .pos = start };

	for (;;) {
		uint8_t len = get_u8(&r);

		if (len == 0)
			return r.bad ? 0 : r.pos;
		if (len >= DNS_POINTER) {
			size_t target = (size_t)(len - DNS_POINTER) << 8 | get_u8(&r);

			return r.bad || target < DNS_HEADER_SIZE || target >= start ? 0 : r.pos;
		}
		(void)get_bytes(&r, len);
		if (len > DNS_LABEL_MAX || r.pos - start >= DNS_NAME_MAX)
			return 0;
	}
}

static void skip_name(struct reader *r)
{
	size_t end;

	if (r->pos < r->size && r->data[r->pos] == 0) {
		r->pos++; /* the root, as OPT has it */
		return;
	}
	end = skip_labels(r->data, r->size, r->pos);
	if (end == 0)
		r->bad = true;
	else
		r->pos = end;
}

/* A record that begins at `owner`. `fixed`: its type, class, TTL and length of RDATA. `whole`: its
 * RDATA is all there. Whatever is wrong with it, it is answered with another (RFC 6891, 7). */
static enum rcode read_opt(struct query *out, const uint8_t *owner, const uint8_t *fixed,
			   bool whole, unsigned known)
{
	uint16_t class = load_u16(fixed + 2);
	uint32_t ttl = load_u32(fixed + 4);

	if (out->has_edns) { /* RFC 6891, 6.1.1 */
		out->edns.has = 0;
		return RCODE_FORMERR;
	}
	out->has_edns = true;
	if (!whole || fixed != owner + 1) { /* not the root's */
		(void)edns_read(&out->edns, class, ttl & 0xffff, fixed, 0, 0);
		return RCODE_FORMERR;
	}
	return edns_read(&out->edns, class, ttl, fixed + RECORD_FIXED_SIZE, load_u16(fixed + 8),
			 known);
}

/* Of the others only TSIG is looked at. It is the last record of all, and no key is known here
 * (RFC 8945, 5.2 and 5.2.1). */
static __attribute__((noinline)) enum rcode read_other(struct query *out, const uint8_t *message,
						       const uint8_t *owner, const uint8_t *fixed,
						       bool last)
{
	if (load_u16(fixed) != TYPE_TSIG)
		return RCODE_NOERROR;
	return last && tsig_read(&out->tsig, message, owner, fixed) ? RCODE_NOTAUTH : RCODE_FORMERR;
}

/* Only the additional section may hold OPT and TSIG. FORMERR ends it; BADVERS goes before NOTAUTH,
 * and neither hides a FORMERR behind it. */
static enum rcode read_records(struct query *out, struct reader *r, unsigned before,
			       unsigned additional, unsigned known)
{
	enum rcode result = RCODE_NOERROR;
	unsigned count = before + additional;

	for (unsigned i = 0; i < count; i++) {
		const uint8_t *owner = r->data + r->pos, *fixed;
		enum rcode rcode;
		bool whole;

		skip_name(r);
		fixed = get_bytes(r, RECORD_FIXED_SIZE);
		if (fixed == NULL)
			return RCODE_FORMERR;
		whole = get_bytes(r, load_u16(fixed + 8)) != NULL;
		if (load_u16(fixed) == TYPE_OPT)
			rcode = read_opt(out, owner, fixed, whole && i >= before, known);
		else if (whole)
			rcode = read_other(out, r->data, owner, fixed,
					   i >= before && i + 1 == count);
		else
			rcode = RCODE_FORMERR;
		if (rcode == RCODE_FORMERR)
			return rcode;
		if (result == RCODE_NOERROR)
			result = rcode;
	}
	return result;
}

static bool read_question(struct query *out, struct reader *r)
{
	size_t len = name_key_read(&out->name, r->data + r->pos, r->size - r->pos);
	const uint8_t *fixed;

	if (len == 0)
		return false;
	r->pos += len;
	fixed = get_bytes(r, 4);
	if (fixed == NULL)
		return false;
	out->type = load_u16(fixed);
	out->class = load_u16(fixed + 2);
	return true;
}

/* None, or several (RFC 9619): of no use, but there may be an OPT record behind them. Returns where
 * they end; 0: nowhere. */
static __attribute__((noinline)) size_t skip_questions(const uint8_t *message, size_t len)
{
	struct reader r = { .data = message, .size = len, .pos = DNS_HEADER_SIZE };

	for (unsigned i = 0; i < load_u16(message + 4); i++) {
		skip_name(&r);
		if (get_bytes(&r, 4) == NULL)
			return 0;
	}
	return r.pos;
}

/* RFC 7873, 5.4: without a question a server cookie may be all that is asked for. */
static bool asks_for_cookie(const struct query *query)
{
	return query->has_edns && (query->edns.has & EDNS_HAS_COOKIE) != 0;
}

/* FORMERR, whatever version or key there is besides (RFC 9619, 4). */
static bool several_asked(const struct query *query, const uint8_t *message)
{
	return HEADER_OPCODE(query->flags) == OPCODE_QUERY && load_u16(message + 4) > 1;
}

static enum rcode read_body(struct query *out, const uint8_t *message, size_t len, unsigned known)
{
	struct reader r = { .data = message, .size = len, .pos = DNS_HEADER_SIZE };
	unsigned before = (unsigned)load_u16(message + 6) + load_u16(message + 8);
	unsigned additional = load_u16(message + 10);
	enum rcode result = RCODE_NOERROR;

	if (load_u16(message + 4) != 1) {
		result = RCODE_FORMERR;
		r.pos = skip_questions(message, len);
		if (r.pos == 0)
			return result;
	} else {
		if (!read_question(out, &r))
			return RCODE_FORMERR;
		out->question_len = (uint16_t)(r.pos - DNS_HEADER_SIZE);
	}
	if (before + additional > 0) {
		enum rcode rcode = read_records(out, &r, before, additional, known);

		if (rcode != RCODE_NOERROR)
			return several_asked(out, message) ? RCODE_FORMERR : rcode;
	}
	if (result == RCODE_FORMERR && load_u16(message + 4) == 0 && asks_for_cookie(out))
		return RCODE_NOERROR;
	return result;
}

enum rcode query_read(struct query *out, const uint8_t *message, size_t len, unsigned known)
{
	enum rcode rcode;

	out->flags = load_u16(message + 2);
	out->question_len = 0;
	out->has_edns = false;
	rcode = read_body(out, message, len, known);
	/* What other operations' messages look like inside is not ours to judge; but those of a
	 * version that we do not know, or that somebody has signed, are told so first (RFC 6891,
	 * 6.1.3; RFC 8945, 5.2.1). */
	if (HEADER_OPCODE(out->flags) != OPCODE_QUERY && rcode != RCODE_BADVERS &&
	    rcode != RCODE_NOTAUTH)
		rcode = RCODE_NOTIMP;
	return rcode;
}
