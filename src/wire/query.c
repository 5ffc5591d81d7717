#include "wire/query.h"

#include "base/cursor.h"

#define COMPRESSION 0xc0U

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

static enum rcode read_opt(struct query *out, struct reader *r, bool root_owner, bool want_ecs)
{
	uint16_t class = get_u16(r);
	uint32_t ttl = get_u32(r);
	uint16_t len = get_u16(r);
	const uint8_t *rdata = get_bytes(r, len);

	if (rdata == NULL)
		return RCODE_FORMERR;
	if (out->has_edns) { /* RFC 6891, 6.1.1 */
		out->edns.has_ecs = false;
		return RCODE_FORMERR;
	}
	out->has_edns = true;
	if (!root_owner) {
		(void)edns_read(&out->edns, class, ttl & 0xffff, rdata, 0, false);
		return RCODE_FORMERR;
	}
	return edns_read(&out->edns, class, ttl, rdata, len, want_ecs);
}

/* All records behind the question: only OPT is looked at, and only the additional section may
 * hold it. A BADVERS is kept, so that a second OPT is still found. */
static enum rcode read_records(struct query *out, struct reader *r, unsigned before,
			       unsigned additional, bool want_ecs)
{
	enum rcode result = RCODE_NOERROR;

	for (unsigned i = 0; i < before + additional; i++) {
		size_t start = r->pos;
		uint16_t type;

		skip_name(r);
		type = get_u16(r);
		if (type == TYPE_OPT && i >= before) {
			enum rcode rcode = read_opt(out, r, r->pos - start == 3, want_ecs);

			if (rcode == RCODE_FORMERR)
				return rcode;
			result = rcode;
			continue;
		}
		(void)get_bytes(r, 6); /* class and TTL */
		(void)get_bytes(r, get_u16(r));
		if (r->bad || type == TYPE_OPT)
			return RCODE_FORMERR;
	}
	return result;
}

static bool read_question(struct query *out, struct reader *r)
{
	size_t len = name_key_read(&out->name, r->data + r->pos, r->size - r->pos);

	if (len == 0)
		return false;
	r->pos += len;
	out->type = get_u16(r);
	out->class = get_u16(r);
	return !r->bad;
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
