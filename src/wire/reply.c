#include "wire/reply.h"

#include <string.h>

#include "wire/name.h"
#include "wire/query.h"

const char *reply_read(struct reply *out, const uint8_t *message, size_t len, uint16_t id,
		       const uint8_t *question, size_t question_len)
{
	struct reader *r = &out->reader;
	size_t name_len = question_len - 4;
	uint16_t asked;

	*out = (struct reply){ .reader = { .data = message, .size = len } };
	if (len < DNS_HEADER_SIZE)
		return "shorter than a header";
	if (get_u16(r) != id)
		return "another id";
	out->flags = get_u16(r);
	out->rcode = out->flags & 15;
	asked = get_u16(r);
	out->left = get_u16(r);
	r->pos = DNS_HEADER_SIZE;
	if ((out->flags & HEADER_QR) == 0 || HEADER_OPCODE(out->flags) != OPCODE_QUERY)
		return "no answer to a query";
	/* RFC 1035, section 4.1.1: servers that make nothing of a message may leave its question
	 * out. */
	if (asked == 0 && out->rcode != RCODE_NOERROR && out->left == 0)
		return NULL;
	if (asked != 1 || len - r->pos < question_len ||
	    name_length(message + r->pos, len - r->pos) != name_len ||
	    !name_equal(message + r->pos, question) ||
	    memcmp(message + r->pos + name_len, question + name_len, 4) != 0)
		return "another question";
	r->pos += question_len;
	return NULL;
}

/* A name's labels up to its end, which is the root or a pointer. */
static void skip_name(struct reader *r)
{
	size_t start = r->pos;
	uint8_t len;

	while ((len = get_u8(r)) != 0 && !r->bad) {
		if (len >= DNS_POINTER) {
			(void)get_u8(r);
			return;
		}
		(void)get_bytes(r, len);
		if (len > DNS_LABEL_MAX || r->pos - start >= DNS_NAME_MAX)
			r->bad = true;
	}
}

bool reply_next(struct reply *reply, struct reply_record *out)
{
	struct reader *r = &reply->reader;

	if (reply->left == 0)
		return false;
	skip_name(r);
	out->type = get_u16(r);
	out->class = get_u16(r);
	out->ttl_s = get_u32(r);
	out->rdata_len = get_u16(r);
	out->rdata = get_bytes(r, out->rdata_len);
	reply->left--;
	return !r->bad;
}
