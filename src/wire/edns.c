#include "wire/edns.h"

#include <string.h>

#include "base/cursor.h"

#define OPT_DNSSEC_OK 0x8000U

/* RFC 7871, 6:
 *                 +0 (MSB)                            +1 (LSB)
 *   0: |                          FAMILY                           |
 *   2: |     SOURCE PREFIX-LENGTH      |     SCOPE PREFIX-LENGTH   |
 *   4: |                        ADDRESS...                         |
 * Too few or too many octets of address, bits set after the source prefix, or a scope in a query
 * is FORMERR there; a family that we cannot read is treated alike, for no answer could echo a
 * scope for it. Family 0 with nothing in it says "do not use my address", as family 1 or 2 with
 * source 0 does (dig's +subnet=0). */
static enum rcode read_ecs(struct ecs *ecs, const uint8_t *data, size_t len)
{
	static const uint8_t bits_of_family[] = { 0, 32, 128 };
	unsigned spare;

	if (len < 4)
		return RCODE_FORMERR;
	ecs->family = load_u16(data);
	ecs->source = data[2];
	len -= 4;
	if (ecs->family > ECS_IPV6 || ecs->source > bits_of_family[ecs->family] || data[3] != 0 ||
	    len != (ecs->source + 7U) / 8U)
		return RCODE_FORMERR;
	spare = (unsigned)len * 8 - ecs->source;
	if (len > 0 && (data[4 + len - 1] & ((1U << spare) - 1)) != 0)
		return RCODE_FORMERR;
	ecs->address_len = (uint8_t)len;
	memset(ecs->address, 0, sizeof(ecs->address));
	memcpy(ecs->address, data + 4, len);
	return RCODE_NOERROR;
}

/* An option that comes twice is refused: which of two networks an answer is for must not be a
 * matter of opinion between us and the resolver that caches it. */
static enum rcode read_options(struct edns *out, const uint8_t *rdata, size_t rdata_len,
			       bool want_ecs)
{
	struct reader r = { .data = rdata, .size = rdata_len };

	while (r.pos < r.size) {
		const uint8_t *head = get_bytes(&r, 4), *data = NULL;
		uint16_t len;

		if (head != NULL)
			data = get_bytes(&r, load_u16(head + 2));
		if (data == NULL)
			return RCODE_FORMERR;
		len = load_u16(head + 2);
		if (load_u16(head) != EDNS_CLIENT_SUBNET || !want_ecs)
			continue;
		if (out->has_ecs || read_ecs(&out->ecs, data, len) != RCODE_NOERROR) {
			out->has_ecs = false;
			return RCODE_FORMERR;
		}
		out->has_ecs = true;
	}
	return RCODE_NOERROR;
}

enum rcode edns_read(struct edns *out, uint16_t class, uint32_t ttl, const uint8_t *rdata,
		     size_t rdata_len, bool want_ecs)
{
	out->udp_size = class < EDNS_UDP_SIZE_MIN ? EDNS_UDP_SIZE_MIN : class;
	out->version = (uint8_t)(ttl >> 16);
	out->dnssec_ok = (ttl & OPT_DNSSEC_OK) != 0;
	out->has_ecs = false;
	if (out->version > 0)
		return RCODE_BADVERS;
	return read_options(out, rdata, rdata_len, want_ecs);
}

void edns_write(uint8_t *out, const struct edns *query, enum rcode rcode, uint16_t udp_size,
		uint8_t scope)
{
	const struct ecs *ecs = &query->ecs;

	out[0] = 0; /* the root's name */
	store_u16(out + 1, TYPE_OPT);
	store_u16(out + 3, udp_size);
	out[5] = (uint8_t)((unsigned)rcode >> 4);
	out[6] = 0; /* version */
	store_u16(out + 7, query->dnssec_ok ? OPT_DNSSEC_OK : 0);
	store_u16(out + 9, (uint16_t)(edns_size(query) - 11));
	if (!query->has_ecs)
		return;
	store_u16(out + 11, EDNS_CLIENT_SUBNET);
	store_u16(out + 13, (uint16_t)(4 + ecs->address_len));
	store_u16(out + 15, ecs->family);
	out[17] = ecs->source;
	out[18] = scope;
	memcpy(out + 19, ecs->address, ecs->address_len);
}
