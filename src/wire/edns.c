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

/* A Client Subnet that comes twice is refused: which of two networks an answer is for must not be
 * a matter of opinion between us and the resolver that caches it. */
static enum rcode read_subnet(struct edns *out, const uint8_t *data, size_t len)
{
	if ((out->has & EDNS_HAS_CLIENT_SUBNET) != 0)
		return RCODE_FORMERR;
	out->has |= EDNS_HAS_CLIENT_SUBNET;
	return read_ecs(&out->ecs, data, len);
}

/* RFC 7873, 5.2: of several only the first counts; 5.2.2: lengths that are neither a client cookie
 * nor one with a server cookie are FORMERR. */
static enum rcode read_cookie(struct edns *out, const uint8_t *data, size_t len)
{
	if ((out->has & EDNS_HAS_COOKIE) != 0)
		return RCODE_NOERROR;
	if (!cookie_is_sized(len))
		return RCODE_FORMERR;
	out->has |= EDNS_HAS_COOKIE;
	out->cookie_len = (uint8_t)len;
	memcpy(out->cookie, data, len);
	return RCODE_NOERROR;
}

static enum rcode read_option(struct edns *out, unsigned code, const uint8_t *data, size_t len,
			      unsigned known)
{
	if (code == EDNS_CLIENT_SUBNET && (known & EDNS_HAS_CLIENT_SUBNET) != 0)
		return read_subnet(out, data, len);
	if (code == EDNS_COOKIE && (known & EDNS_HAS_COOKIE) != 0)
		return read_cookie(out, data, len);
	if (code == EDNS_NSID) /* data is ignored (RFC 5001, 2.2) */
		out->has |= (uint8_t)(known & EDNS_HAS_NSID);
	if (code == EDNS_TCP_KEEPALIVE && (known & EDNS_HAS_TCP_KEEPALIVE) != 0) {
		if (len != 0) /* a query has no TIMEOUT (RFC 7828, 3.2.1) */
			return RCODE_FORMERR;
		out->has |= EDNS_HAS_TCP_KEEPALIVE;
	}
	return RCODE_NOERROR;
}

static enum rcode read_options(struct edns *out, const uint8_t *rdata, size_t rdata_len,
			       unsigned known)
{
	struct reader r = { .data = rdata, .size = rdata_len };

	while (r.pos < r.size) {
		const uint8_t *head = get_bytes(&r, EDNS_OPTION_SIZE), *data = NULL;

		if (head != NULL)
			data = get_bytes(&r, load_u16(head + 2));
		if (data == NULL || read_option(out, load_u16(head), data, load_u16(head + 2),
						known) != RCODE_NOERROR) {
			out->has = 0;
			return RCODE_FORMERR;
		}
	}
	return RCODE_NOERROR;
}

enum rcode edns_read(struct edns *out, uint16_t class, uint32_t ttl, const uint8_t *rdata,
		     size_t rdata_len, unsigned known)
{
	out->udp_size = class < EDNS_UDP_SIZE_MIN ? EDNS_UDP_SIZE_MIN : class;
	out->version = (uint8_t)(ttl >> 16);
	out->dnssec_ok = (ttl & OPT_DNSSEC_OK) != 0;
	out->has = 0;
	if (out->version > 0)
		return RCODE_BADVERS;
	return rdata_len == 0 ? RCODE_NOERROR : read_options(out, rdata, rdata_len, known);
}

/* --- writing ---------------------------------------------------------------------------------- */

static uint8_t *put_option(uint8_t *out, enum edns_option code, size_t len)
{
	store_u16(out, (uint16_t)code);
	store_u16(out + 2, (uint16_t)len);
	return out + EDNS_OPTION_SIZE;
}

static uint8_t *put_ecs(uint8_t *out, const struct ecs *ecs, uint8_t scope)
{
	out = put_option(out, EDNS_CLIENT_SUBNET, 4U + ecs->address_len);
	store_u16(out, ecs->family);
	out[2] = ecs->source;
	out[3] = scope;
	memcpy(out + 4, ecs->address, ecs->address_len);
	return out + 4 + ecs->address_len;
}

static uint8_t *put_data(uint8_t *out, enum edns_option code, const void *data, size_t len)
{
	out = put_option(out, code, len);
	memcpy(out, data, len);
	return out + len;
}

/* RFC 8914, 2: INFO-CODE, and text that need not be there. */
static uint8_t *put_error(uint8_t *out, size_t room, const struct edns_reply *reply)
{
	size_t text_len = reply->error_text == NULL ? 0 : strlen(reply->error_text);

	if (room < EDNS_OPTION_SIZE + 2)
		return out;
	if (room < EDNS_OPTION_SIZE + 2 + text_len)
		text_len = 0;
	out = put_option(out, EDNS_ERROR, 2 + text_len);
	store_u16(out, (uint16_t)reply->error);
	if (text_len > 0)
		memcpy(out + 2, reply->error_text, text_len);
	return out + 2 + text_len;
}

size_t edns_size_others(const struct edns_reply *reply)
{
	size_t size = 0;

	if ((reply->has & EDNS_HAS_COOKIE) != 0)
		size += EDNS_OPTION_SIZE + (size_t)reply->cookie_len;
	if ((reply->has & EDNS_HAS_TCP_KEEPALIVE) != 0)
		size += EDNS_OPTION_SIZE + 2;
	return size;
}

static __attribute__((noinline)) uint8_t *put_others(uint8_t *out, const uint8_t *end,
						     const struct edns_reply *reply)
{
	if ((reply->has & EDNS_HAS_COOKIE) != 0)
		out = put_data(out, EDNS_COOKIE, reply->cookie, reply->cookie_len);
	if ((reply->has & EDNS_HAS_TCP_KEEPALIVE) != 0) {
		out = put_option(out, EDNS_TCP_KEEPALIVE, 2);
		store_u16(out, reply->keepalive_100ms);
		out += 2;
	}
	if ((reply->has & EDNS_HAS_NSID) != 0 &&
	    EDNS_OPTION_SIZE + (size_t)reply->nsid_len <= (size_t)(end - out))
		out = put_data(out, EDNS_NSID, reply->nsid, reply->nsid_len);
	if (reply->error != EDNS_ERROR_NONE)
		out = put_error(out, (size_t)(end - out), reply);
	return out;
}

size_t edns_write(uint8_t *out, size_t room, const struct edns_reply *reply, enum rcode rcode)
{
	uint8_t *at = out + EDNS_OPT_SIZE;

	out[0] = 0; /* the root's name */
	store_u16(out + 1, TYPE_OPT);
	store_u16(out + 3, reply->udp_size);
	out[5] = (uint8_t)((unsigned)rcode >> 4);
	out[6] = 0; /* version */
	store_u16(out + 7, reply->query->dnssec_ok ? OPT_DNSSEC_OK : 0);
	if ((reply->query->has & EDNS_HAS_CLIENT_SUBNET) != 0)
		at = put_ecs(at, &reply->query->ecs, reply->scope);
	if (reply->has != 0 || reply->error != EDNS_ERROR_NONE)
		at = put_others(at, out + room, reply);
	store_u16(out + 9, (uint16_t)(at - out - EDNS_OPT_SIZE));
	return (size_t)(at - out);
}
