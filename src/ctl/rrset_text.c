#include "ctl/rrset_text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cursor.h"
#include "base/netprefix.h"
#include "ctl/rdata_text.h"
#include "image/rdata_names.h"
#include "wire/name.h"

#define RR_FIXED 12 /* octets of an RR in a block before its RDATA */

enum { TYPE_CAA = 257 }; /* RFC 8659 */

/* --- plain RDATA ------------------------------------------------------------------------------- */

/* Appends the name at `pos` of the wire, pointers followed; returns what is behind it. */
static size_t expand_name(struct buf *out, const struct rrset_block *block, const uint8_t *owner,
			  size_t pos)
{
	size_t base = rrset_canonical_base(block), behind = 0;
	const uint8_t *wire = block->wire;

	while (wire[pos] != 0) {
		size_t target;

		if (wire[pos] < DNS_POINTER) {
			buf_append(out, wire + pos, 1U + wire[pos]);
			pos += 1U + wire[pos];
			continue;
		}
		target = load_u16(wire + pos) & DNS_POINTER_MAX;
		behind = behind == 0 ? pos + 2 : behind;
		if (target < base) {
			const uint8_t *suffix = owner + (target - DNS_HEADER_SIZE);

			buf_append(out, suffix, block->owner_len - (target - DNS_HEADER_SIZE));
			return behind;
		}
		pos = target - base;
	}
	buf_append(out, wire + pos, 1);
	return behind == 0 ? pos + 1 : behind;
}

static struct plain_rdata expand(const struct rrset_block *block, const uint8_t *owner, size_t pos,
				 size_t end)
{
	const struct rdata_names *names = rdata_names_find(block->type);
	struct buf out = { 0 };

	if (names != NULL && names->compressible) {
		buf_append(&out, block->wire + pos, names->before);
		pos += names->before;
		for (unsigned i = 0; i < names->count; i++)
			pos = expand_name(&out, block, owner, pos);
	}
	buf_append(&out, block->wire + pos, end - pos);
	return (struct plain_rdata){ out.data, out.len };
}

int plain_rdata_compare(const struct plain_rdata *a, const struct plain_rdata *b)
{
	size_t len = a->len < b->len ? a->len : b->len;
	int order = len == 0 ? 0 : memcmp(a->data, b->data, len);

	return order != 0 ? order : (a->len > b->len) - (a->len < b->len);
}

static int compare(const void *a, const void *b)
{
	return plain_rdata_compare(a, b);
}

void rrset_plain(struct rrset_plain *out, const struct rrset_block *block, const uint8_t *owner)
{
	size_t pos = 0;

	*out = (struct rrset_plain){ mem_array(block->rr_count + 1U, sizeof(*out->items)), 0 };
	while (pos < block->wire_len) {
		size_t len = load_u16(block->wire + pos + RR_FIXED - 2);

		out->items[out->count++] = expand(block, owner, pos + RR_FIXED,
						  pos + RR_FIXED + len);
		pos += RR_FIXED + len;
	}
	qsort(out->items, out->count, sizeof(*out->items), compare);
}

void rrset_plain_free(struct rrset_plain *plain)
{
	for (size_t i = 0; i < plain->count; i++)
		free(plain->items[i].data);
	free(plain->items);
}

/* --- text -------------------------------------------------------------------------------------- */

const char *type_text(uint16_t type, char text[TYPE_TEXT_SIZE])
{
	static const struct {
		uint16_t type;
		const char *name;
	} rows[] = {
		{ TYPE_A, "A" },         { TYPE_NS, "NS" },     { TYPE_CNAME, "CNAME" },
		{ TYPE_SOA, "SOA" },     { TYPE_PTR, "PTR" },   { TYPE_MX, "MX" },
		{ TYPE_TXT, "TXT" },     { TYPE_AAAA, "AAAA" }, { TYPE_SRV, "SRV" },
		{ TYPE_DNAME, "DNAME" }, { TYPE_DS, "DS" },     { TYPE_RRSIG, "RRSIG" },
		{ TYPE_NSEC, "NSEC" },   { TYPE_SVCB, "SVCB" }, { TYPE_HTTPS, "HTTPS" },
		{ TYPE_SPF, "SPF" },     { TYPE_CAA, "CAA" },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (rows[i].type == type)
			return rows[i].name;
	}
	(void)snprintf(text, TYPE_TEXT_SIZE, "TYPE%u", type);
	return text;
}

static bool add_address(struct buf *line, uint8_t family, struct reader *r)
{
	struct ip_address address = { .family = family };
	const uint8_t *bytes = get_bytes(r, ip_bits(family) / 8);
	char text[IP_TEXT_SIZE];

	if (bytes == NULL)
		return false;
	memcpy(address.bytes, bytes, ip_bits(family) / 8);
	buf_format(line, "%s", ip_format(&address, text));
	return true;
}

static bool add_name(struct buf *line, struct reader *r)
{
	char text[NAME_TEXT_SIZE];
	size_t len = name_length(r->data + r->pos, r->size - r->pos);

	if (len == 0)
		return false;
	buf_format(line, "%s", name_format(r->data + r->pos, text));
	r->pos += len;
	return true;
}

static void add_quoted(struct buf *line, const uint8_t *octets, size_t len)
{
	buf_format(line, "\"");
	for (size_t i = 0; i < len; i++) {
		if (octets[i] == '"' || octets[i] == '\\')
			buf_format(line, "\\%c", octets[i]);
		else if (octets[i] < 0x20 || octets[i] > 0x7e)
			buf_format(line, "\\%03u", octets[i]);
		else
			buf_format(line, "%c", octets[i]);
	}
	buf_format(line, "\"");
}

static bool add_strings(struct buf *line, struct reader *r)
{
	for (bool first = true; r->pos < r->size; first = false) {
		size_t len = get_u8(r);
		const uint8_t *octets = get_bytes(r, len);

		if (octets == NULL)
			return false;
		buf_format(line, "%s", first ? "" : " ");
		add_quoted(line, octets, len);
	}
	return true;
}

static bool add_soa(struct buf *line, struct reader *r)
{
	if (!add_name(line, r))
		return false;
	buf_format(line, " ");
	if (!add_name(line, r))
		return false;
	for (int i = 0; i < 5; i++)
		buf_format(line, " %u", get_u32(r));
	return true;
}

/* RFC 8659, 4.1.1: flags, tag, value. */
static bool add_caa(struct buf *line, struct reader *r)
{
	uint8_t flags = get_u8(r);
	size_t len = get_u8(r);
	const uint8_t *tag = get_bytes(r, len);

	if (tag == NULL)
		return false;
	buf_format(line, "%u %.*s ", flags, (int)len, (const char *)tag);
	add_quoted(line, r->data + r->pos, r->size - r->pos);
	r->pos = r->size;
	return true;
}

static bool add_known(struct buf *line, uint16_t type, struct reader *r)
{
	switch (type) {
	case TYPE_A: return add_address(line, IP_V4, r);
	case TYPE_AAAA: return add_address(line, IP_V6, r);
	case TYPE_NS:
	case TYPE_CNAME:
	case TYPE_PTR:
	case TYPE_DNAME: return add_name(line, r);
	case TYPE_MX: buf_format(line, "%u ", get_u16(r)); return add_name(line, r);
	case TYPE_SOA: return add_soa(line, r);
	case TYPE_TXT:
	case TYPE_SPF: return add_strings(line, r);
	case TYPE_CAA: return add_caa(line, r);
	case TYPE_SRV: r->pos = r->size; return rdata_text_srv(line, r->data, r->size);
	case TYPE_SVCB:
	case TYPE_HTTPS: r->pos = r->size; return rdata_text_svcb(line, r->data, r->size);
	default: return false;
	}
}

void rdata_text(struct buf *line, uint16_t type, const struct plain_rdata *rdata)
{
	struct reader r = { .data = rdata->data, .size = rdata->len };
	size_t start = line->len;

	if (add_known(line, type, &r) && !r.bad && r.pos == r.size)
		return;
	line->len = start;
	buf_format(line, "\\# %zu", rdata->len);
	for (size_t i = 0; i < rdata->len; i++)
		buf_format(line, "%s%02x", i == 0 ? " " : "", rdata->data[i]);
}
