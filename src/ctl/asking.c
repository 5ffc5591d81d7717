#include "ctl/asking.h"

#include <stdio.h>
#include <string.h>

#include "base/cursor.h"
#include "base/mem.h"
#include "ctl/rdata_text.h"
#include "wire/edns.h"
#include "wire/query.h"

size_t asking_write(uint8_t out[ASKING_SIZE_MAX], const struct name *name, uint16_t type,
		    const struct ip_prefix *subnet)
{
	struct writer w = { .data = out, .size = ASKING_SIZE_MAX };
	uint16_t octets = subnet == NULL ? 0 : (uint16_t)((subnet->len + 7) / 8);

	put_u16(&w, 0); /* id */
	put_u16(&w, 0);
	put_u16(&w, 1);
	put_u32(&w, 0);
	put_u16(&w, 1);
	put_bytes(&w, name->wire, name->len);
	put_u16(&w, type);
	put_u16(&w, CLASS_IN);
	put_u8(&w, 0);
	put_u16(&w, TYPE_OPT);
	put_u16(&w, 4096);
	put_u32(&w, 0);
	put_u16(&w, subnet == NULL ? 0 : (uint16_t)(8 + octets));
	if (subnet != NULL) {
		put_u16(&w, EDNS_CLIENT_SUBNET);
		put_u16(&w, (uint16_t)(4 + octets));
		put_u16(&w, subnet->address.family == IP_V4 ? ECS_IPV4 : ECS_IPV6);
		put_u8(&w, subnet->len);
		put_u8(&w, 0);
		put_bytes(&w, subnet->address.bytes, octets);
	}
	return w.pos;
}

/* --- reading ---------------------------------------------------------------------------------- */

/* A name with compression pointers, each of which must point further to the front. */
static bool read_name(struct reader *r, struct name *out)
{
	struct reader at = *r;
	size_t limit = r->pos;
	bool jumped = false;

	*out = (struct name){ 0 };
	for (;;) {
		uint8_t len = get_u8(&at);
		const uint8_t *label;

		if (at.bad)
			return false;
		if (len >= 0xc0) {
			size_t target = (size_t)(len & 0x3f) << 8 | get_u8(&at);

			if (!jumped)
				r->pos = at.pos;
			jumped = true;
			if (at.bad || target >= limit)
				return false;
			limit = target;
			at.pos = target;
			continue;
		}
		label = get_bytes(&at, len);
		if (label == NULL || len > DNS_LABEL_MAX || out->len + 1U + len > DNS_NAME_MAX)
			return false;
		out->wire[out->len] = len;
		memcpy(out->wire + out->len + 1, label, len);
		out->len = (uint8_t)(out->len + 1 + len);
		if (len == 0)
			break;
		out->labels++;
	}
	if (!jumped)
		r->pos = at.pos;
	return true;
}

static bool add_rdata(struct buf *line, struct reader rdata, uint16_t type, struct name *target)
{
	char text[NAME_TEXT_SIZE > IP_TEXT_SIZE ? NAME_TEXT_SIZE : IP_TEXT_SIZE];
	struct ip_address address = { .family = type == TYPE_A ? IP_V4 : IP_V6 };
	size_t len = rdata.size - rdata.pos;

	switch (type) {
	case TYPE_A:
	case TYPE_AAAA:
		if (len != ip_bits(address.family) / 8)
			return false;
		memcpy(address.bytes, rdata.data + rdata.pos, len);
		buf_format(line, "%s %s", type == TYPE_A ? "A" : "AAAA", ip_format(&address, text));
		return true;
	case TYPE_CNAME:
		if (!read_name(&rdata, target))
			return false;
		buf_format(line, "CNAME %s", name_format(target->wire, text));
		return true;
	case TYPE_SRV:
		buf_format(line, "SRV ");
		return rdata_text_srv(line, rdata.data + rdata.pos, len);
	case TYPE_SVCB:
	case TYPE_HTTPS:
		buf_format(line, type == TYPE_SVCB ? "SVCB " : "HTTPS ");
		return rdata_text_svcb(line, rdata.data + rdata.pos, len);
	default: /* RFC 3597, 5 */
		buf_format(line, "TYPE%u \\# %zu ", type, len);
		for (size_t i = 0; i < len; i++)
			buf_format(line, "%02x", rdata.data[rdata.pos + i]);
		return true;
	}
}

static bool read_record(struct reader *r, json_t *records, struct name *final)
{
	struct name owner;
	char text[NAME_TEXT_SIZE];
	struct buf line = { 0 };
	struct reader rdata;
	uint16_t type, rdata_len;
	uint32_t ttl_s;
	bool fine;

	if (!read_name(r, &owner))
		return false;
	type = get_u16(r);
	(void)get_u16(r);
	ttl_s = get_u32(r);
	rdata_len = get_u16(r);
	rdata = (struct reader){ .data = r->data, .size = r->pos + rdata_len, .pos = r->pos };
	if (get_bytes(r, rdata_len) == NULL)
		return false;
	buf_format(&line, "%s %u IN ", name_format(owner.wire, text), ttl_s);
	fine = add_rdata(&line, rdata, type, final);
	if (fine)
		json_array_append_new(records, json_stringn((const char *)line.data, line.len));
	buf_free(&line);
	return fine;
}

/* The scope in an OPT record's options; -1: there is none. */
static int find_scope(struct reader options)
{
	while (options.pos < options.size && !options.bad) {
		uint16_t code = get_u16(&options), len = get_u16(&options);
		const uint8_t *data = get_bytes(&options, len);

		if (code == EDNS_CLIENT_SUBNET && data != NULL && len >= 4)
			return data[3];
	}
	return -1;
}

/* Steps over one record; its scope where it is an OPT record with one, else -1. */
static int skip_record(struct reader *r)
{
	struct name owner;
	uint16_t type, rdata_len;
	size_t start;

	if (!read_name(r, &owner)) {
		r->bad = true;
		return -1;
	}
	type = get_u16(r);
	(void)get_u16(r);
	(void)get_u32(r);
	rdata_len = get_u16(r);
	start = r->pos;
	if (get_bytes(r, rdata_len) == NULL || type != TYPE_OPT)
		return -1;
	return find_scope(
		(struct reader){ .data = r->data, .size = start + rdata_len, .pos = start });
}

static const char *rcode_name(unsigned rcode, char text[16])
{
	static const char *const names[] = { "NOERROR",  "FORMERR", "SERVFAIL",
					     "NXDOMAIN", "NOTIMP",  "REFUSED" };

	if (rcode < sizeof(names) / sizeof(names[0]))
		return names[rcode];
	(void)snprintf(text, 16, "RCODE%u", rcode);
	return text;
}

json_t *asking_read(const uint8_t *message, size_t len, struct name *final)
{
	struct reader r = { .data = message, .size = len };
	json_t *records = json_array(), *told;
	unsigned answers, others;
	uint16_t flags;
	char text[16];
	int scope = -1;

	(void)get_u16(&r);
	flags = get_u16(&r);
	(void)get_u16(&r);
	answers = get_u16(&r);
	others = get_u16(&r);
	others += get_u16(&r);
	if (r.bad || !read_name(&r, final) || get_bytes(&r, 4) == NULL)
		goto damaged;
	for (unsigned i = 0; i < answers; i++) {
		if (!read_record(&r, records, final))
			goto damaged;
	}
	for (unsigned i = 0; i < others; i++) {
		int found = skip_record(&r);

		scope = found >= 0 ? found : scope;
	}
	if (r.bad)
		goto damaged;
	told = json_pack("{s:s, s:b, s:o}", "rcode", rcode_name(flags & 15, text), "authoritative",
			 (flags & HEADER_AA) != 0, "records", records);
	if (scope >= 0)
		json_object_set_new(told, "scope", json_integer(scope));
	return told;
damaged:
	json_decref(records);
	return NULL;
}
