#include "wire/query.h"

#include "base/cursor.h"

#define COMPRESSION       0xc0U
#define RECORD_FIXED_SIZE 10 /* type, class, TTL and length of RDATA */

/* Passes over a name of a record that does not matter to us; pointers are not followed. */
static void skip_name(struct reader *r)
{
	for (;;) {
		uint8_t len = get_u8(r);

		if (len == 0)
			return; /* the root, or the end of the message: r->bad tells */
		if (len >= COMPRESSION) {
			(void)get_u8(r);
			return;
		}
		if (len > DNS_LABEL_MAX) {
			r->bad = true;
			return;
		}
		(void)get_bytes(r, len);
	}
}

/* `fixed`: type, class, TTL and length of RDATA. */
static enum rcode read_opt(struct query *out, const uint8_t *fixed, const uint8_t *rdata,
			   bool root_owner, bool want_ecs)
{
	uint16_t class = load_u16(fixed + 2);
	uint32_t ttl = load_u32(fixed + 4);

	if (out->has_edns) { /* RFC 6891, 6.1.1 */
		out->edns.has_ecs = false;
		return RCODE_FORMERR;
	}
	out->has_edns = true;
	if (!root_owner) {
		(void)edns_read(&out->edns, class, ttl & 0xffff, rdata, 0, false);
		return RCODE_FORMERR;
	}
	return edns_read(&out->edns, class, ttl, rdata, load_u16(fixed + 8), want_ecs);
}

/* All records behind the question: only OPT is looked at, and only the additional section may
 * hold it. A BADVERS is kept, so that a second OPT is still found. */
static enum rcode read_records(struct query *out, struct reader *r, unsigned before,
			       unsigned additional, bool want_ecs)
{
	enum rcode result = RCODE_NOERROR;

	for (unsigned i = 0; i < before + additional; i++) {
		size_t start = r->pos;
		const uint8_t *fixed, *rdata = NULL;
		enum rcode rcode;

		skip_name(r);
		fixed = get_bytes(r, RECORD_FIXED_SIZE);
		if (fixed != NULL)
			rdata = get_bytes(r, load_u16(fixed + 8));
		if (rdata == NULL)
			return RCODE_FORMERR;
		if (load_u16(fixed) != TYPE_OPT)
			continue;
		if (i < before)
			return RCODE_FORMERR;
		rcode = read_opt(out, fixed, rdata, fixed == r->data + start + 1, want_ecs);
		if (rcode == RCODE_FORMERR)
			return rcode;
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

static enum rcode read_body(struct query *out, const uint8_t *message, size_t len, bool want_ecs)
{
	struct reader r = { .data = message, .size = len, .pos = DNS_HEADER_SIZE };
	unsigned before = (unsigned)load_u16(message + 6) + load_u16(message + 8);
	unsigned additional = load_u16(message + 10);

	if (load_u16(message + 4) != 1 || !read_question(out, &r))
		return RCODE_FORMERR;
	out->question_len = (uint16_t)(r.pos - DNS_HEADER_SIZE);
	if (before + additional == 0)
		return RCODE_NOERROR;
	return read_records(out, &r, before, additional, want_ecs);
}

enum rcode query_read(struct query *out, const uint8_t *message, size_t len, bool want_ecs)
{
	enum rcode rcode;

	out->flags = load_u16(message + 2);
	out->question_len = 0;
	out->has_edns = false;
	rcode = read_body(out, message, len, want_ecs);
	/* What other operations' messages look like inside is not ours to judge. */
	return HEADER_OPCODE(out->flags) == OPCODE_QUERY ? rcode : RCODE_NOTIMP;
}
