#include "ctl/rdata_text.h"

#include <string.h>

#include "base/cursor.h"
#include "base/netprefix.h"
#include "wire/name.h"

/* The names of these types are never compressed (RFC 2782; RFC 9460, 2.2). */
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

bool rdata_text_srv(struct buf *line, const uint8_t *rdata, size_t len)
{
	struct reader r = { .data = rdata, .size = len };

	for (unsigned i = 0; i < 3; i++)
		buf_format(line, "%u ", get_u16(&r));
	return !r.bad && add_name(line, &r) && r.pos == len;
}

/* A character-string's octets, in a list within quotes (RFC 9460, A.1). */
static void add_value(struct buf *line, const uint8_t *value, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		if (value[i] == '"' || value[i] == '\\' || value[i] == ',')
			buf_format(line, "\\%c", value[i]);
		else if (value[i] < 0x21 || value[i] > 0x7e)
			buf_format(line, "\\%03u", value[i]);
		else
			buf_format(line, "%c", value[i]);
	}
}

static bool add_alpn(struct buf *line, const uint8_t *value, size_t len)
{
	buf_format(line, "alpn=\"");
	for (size_t at = 0; at < len; at += 1U + value[at]) {
		if (value[at] > len - at - 1)
			return false;
		buf_format(line, "%s", at > 0 ? "," : "");
		add_value(line, value + at + 1, value[at]);
	}
	buf_format(line, "\"");
	return true;
}

static bool add_hint(struct buf *line, uint8_t family, const uint8_t *value, size_t len)
{
	struct ip_address address = { .family = family };
	size_t octets = ip_bits(family) / 8;
	char text[IP_TEXT_SIZE];

	buf_format(line, "ipv%uhint=", family == IP_V4 ? 4 : 6);
	for (size_t at = 0; at + octets <= len; at += octets) {
		memcpy(address.bytes, value + at, octets);
		buf_format(line, "%s%s", at > 0 ? "," : "", ip_format(&address, text));
	}
	return len % octets == 0;
}

static bool add_param(struct buf *line, uint16_t key, const uint8_t *value, uint16_t len)
{
	buf_format(line, " ");
	switch (key) {
	case 1: return add_alpn(line, value, len);
	case 3: buf_format(line, "port=%u", len == 2 ? load_u16(value) : 0U); return len == 2;
	case 4: return add_hint(line, IP_V4, value, len);
	case 6: return add_hint(line, IP_V6, value, len);
	default: /* RFC 9460, 2.1 */
		buf_format(line, "key%u=\"", key);
		add_value(line, value, len);
		buf_format(line, "\"");
		return true;
	}
}

bool rdata_text_svcb(struct buf *line, const uint8_t *rdata, size_t len)
{
	struct reader r = { .data = rdata, .size = len };

	buf_format(line, "%u ", get_u16(&r));
	if (r.bad || !add_name(line, &r))
		return false;
	while (r.pos < len) {
		uint16_t key = get_u16(&r), size = get_u16(&r);
		const uint8_t *value = get_bytes(&r, size);

		if (r.bad || value == NULL || !add_param(line, key, value, size))
			return false;
	}
	return true;
}
