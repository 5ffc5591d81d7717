#include "wire/tsig.h"

#include "base/cursor.h"
#include "wire/name.h"

#define TIMES_SIZE 8 /* 48 bits of time, 16 of fudge */
#define FIXED_SIZE 10
#define BADKEY     17

/* A name that may be compressed. Pointers lead back, each before the labels that led to it, and
 * not into the header: so this ends (RFC 9267, 2). Returns its length; 0: it is none. */
static size_t expand_name(uint8_t out[DNS_NAME_MAX], const uint8_t *message, const uint8_t *name)
{
	size_t len = 0;
	const uint8_t *start = name,
		      *end = NULL; /* of what follows a pointer: its start was read */

	for (;;) {
		uint8_t label = *name;

		if (label >= DNS_POINTER) {
			const uint8_t *target = message + (load_u16(name) & DNS_POINTER_MAX);

			if (target < message + DNS_HEADER_SIZE || target >= start)
				return 0;
			end = start;
			name = start = target;
			continue;
		}
		if (label > DNS_LABEL_MAX || len + 1 + label > DNS_NAME_MAX ||
		    (end != NULL && name + 1 + label > end))
			return 0;
		memcpy(out + len, name, 1U + label);
		len += 1U + label;
		name += 1U + label;
		if (label == 0)
			return len;
	}
}

/* RFC 8945, 4.2: algorithm's name, time signed, fudge, MAC with its length, original id, error,
 * other data with its length. */
static bool read_rdata(struct tsig *out, const uint8_t *rdata, size_t rdata_len)
{
	struct reader r = { .data = rdata, .size = rdata_len };

	out->algorithm = rdata;
	out->algorithm_len = (uint8_t)name_length(rdata, rdata_len);
	if (out->algorithm_len == 0)
		return false;
	r.pos = out->algorithm_len;
	out->times = get_bytes(&r, TIMES_SIZE);
	(void)get_bytes(&r, get_u16(&r));
	out->original_id = get_bytes(&r, 2);
	(void)get_u16(&r); /* the error: none in a query */
	(void)get_bytes(&r, get_u16(&r));
	return !r.bad && r.pos == r.size;
}

bool tsig_read(struct tsig *out, const uint8_t *message, const uint8_t *owner, const uint8_t *fixed)
{
	if (load_u16(fixed + 2) != CLASS_ANY || load_u32(fixed + 4) != 0)
		return false;
	out->key_len = (uint8_t)expand_name(out->key, message, owner);
	return out->key_len > 0 && read_rdata(out, fixed + FIXED_SIZE, load_u16(fixed + 8));
}

static size_t rdata_size(const struct tsig *query)
{
	return query->algorithm_len + TIMES_SIZE + 2U + 2 + 2 + 2;
}

size_t tsig_size(const struct tsig *query)
{
	return query->key_len + FIXED_SIZE + rdata_size(query);
}

void tsig_write_badkey(uint8_t *out, const struct tsig *query)
{
	struct writer w = { .data = out, .size = tsig_size(query) };

	put_bytes(&w, query->key, query->key_len);
	put_u16(&w, TYPE_TSIG);
	put_u16(&w, CLASS_ANY);
	put_u32(&w, 0);
	put_u16(&w, (uint16_t)rdata_size(query));
	put_bytes(&w, query->algorithm, query->algorithm_len);
	put_bytes(&w, query->times, TIMES_SIZE);
	put_u16(&w, 0); /* no MAC */
	put_bytes(&w, query->original_id, 2);
	put_u16(&w, BADKEY);
	put_u16(&w, 0); /* no other data */
}
