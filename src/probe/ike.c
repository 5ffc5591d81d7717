#include "probe/ike.h"

#include <string.h>

#include "base/cursor.h"

#define HEADER_SIZE    28
#define LENGTH_AT      24
#define MARKER_SIZE    4 /* RFC 3948, 2.2: on the port of ESP in UDP, this is no ESP */
#define VERSION        0x20
#define MAJOR          2
#define IKE_SA_INIT    34
#define FLAG_INITIATOR 0x08
#define FLAG_RESPONSE  0x20

enum payload { NONE = 0, SA = 33, KE = 34, NONCE = 40, NOTIFY = 41 };

enum transform { ENCRYPTION = 1, PRF = 2, INTEGRITY = 3, GROUP = 4 };

#define GROUP_MODP2048 14
#define GROUP_X25519   31

/* --- the request --------------------------------------------------------------------------- */

/* Octets of a public value of the group. */
static size_t value_size(uint16_t group)
{
	switch (group) {
	case GROUP_MODP2048: return 256;
	case 15: return 384;
	case 16: return 512;
	default: return 32; /* x25519 */
	}
}

/* Mode config is one question: would this group do, which the proposal does not have? It is answered
 * only by who has a configuration for us that takes the rest of the proposal. */
static uint16_t exchange_group(const struct ikev2_settings *settings)
{
	if (settings->mode == IKE_FULL)
		return settings->group;
	return settings->mode == IKE_CONFIG && settings->group == GROUP_X25519 ? GROUP_MODP2048
									       : GROUP_X25519;
}

/* Where its length has to be put once it is known. */
static uint8_t *begin_payload(struct writer *w, enum payload next)
{
	uint8_t *start = w->data + w->pos;

	put_u8(w, (uint8_t)next);
	put_u8(w, 0);
	put_u16(w, 0);
	return start;
}

static void end_payload(const struct writer *w, uint8_t *start)
{
	store_u16(start + 2, (uint16_t)(w->data + w->pos - start));
}

static void put_transform(struct writer *w, bool last, enum transform type, uint16_t id,
			  uint16_t key_bits)
{
	put_u8(w, last ? 0 : 3);
	put_u8(w, 0);
	put_u16(w, key_bits != 0 ? 12 : 8);
	put_u8(w, (uint8_t)type);
	put_u8(w, 0);
	put_u16(w, id);
	if (key_bits != 0) {
		put_u16(w, 0x8000 | 14); /* the attribute key length, of two octets */
		put_u16(w, key_bits);
	}
}

/* What nobody takes any more: DES, MD5. */
static const struct ikev2_settings hopeless = {
	.encryption = 2, .integrity = 1, .prf = 1, .group = GROUP_X25519
};

static void put_sa(struct writer *w, const struct ikev2_settings *settings)
{
	const struct ikev2_settings *s = settings->mode == IKE_LIVENESS ? &hopeless : settings;
	uint8_t *start = begin_payload(w, KE), *proposal = begin_payload(w, NONE);

	put_u8(w, 1); /* its number */
	put_u8(w, 1); /* of the protocol IKE */
	put_u8(w, 0);
	put_u8(w, s->integrity != 0 ? 4 : 3);
	put_transform(w, false, ENCRYPTION, s->encryption, s->key_bits);
	if (s->integrity != 0)
		put_transform(w, false, INTEGRITY, s->integrity, 0);
	put_transform(w, false, PRF, s->prf, 0);
	put_transform(w, true, GROUP, s->group, 0);
	end_payload(w, proposal);
	end_payload(w, start);
}

static void put_key_exchange(struct writer *w, const struct ikev2_settings *settings,
			     const struct ike_fresh *fresh)
{
	uint8_t *start = begin_payload(w, NONCE);
	uint16_t group = exchange_group(settings);

	put_u16(w, group);
	put_u16(w, 0);
	/* As a number it must be below the group's prime, which begins with 64 ones. */
	put_u8(w, group == GROUP_X25519 ? fresh->value[0] : fresh->value[0] & 0x7f);
	put_bytes(w, fresh->value + 1, value_size(group) - 1);
	end_payload(w, start);
}

static void put_notify(struct writer *w, enum payload next, enum ike_notify type, const void *data,
		       size_t len)
{
	uint8_t *start = begin_payload(w, next);

	put_u16(w, 0); /* of no protocol, and no SPI */
	put_u16(w, (uint16_t)type);
	put_bytes(w, data, len);
	end_payload(w, start);
}

static void put_header(struct writer *w, const struct ike_fresh *fresh, enum payload first)
{
	static const uint8_t nobody[IKE_SPI_SIZE];

	put_bytes(w, fresh->spi, IKE_SPI_SIZE);
	put_bytes(w, nobody, sizeof(nobody));
	put_u8(w, (uint8_t)first);
	put_u8(w, VERSION);
	put_u8(w, IKE_SA_INIT);
	put_u8(w, FLAG_INITIATOR);
	put_u32(w, 0); /* message ID */
	put_u32(w, 0); /* length */
}

size_t ike_request(const struct ikev2_settings *settings, const struct ike_fresh *fresh,
		   const struct ike_cookie *cookie, uint8_t out[IKE_REQUEST_MAX])
{
	struct writer w = { .data = out, .size = IKE_REQUEST_MAX };
	size_t marker = settings->marker ? MARKER_SIZE : 0;
	uint8_t *start;

	if (settings->marker)
		put_u32(&w, 0);
	put_header(&w, fresh, cookie->len > 0 ? NOTIFY : SA);
	if (cookie->len > 0)
		put_notify(&w, SA, IKE_COOKIE, cookie->octets, cookie->len);
	put_sa(&w, settings);
	put_key_exchange(&w, settings, fresh);
	start = begin_payload(&w, NOTIFY);
	put_bytes(&w, fresh->nonce, IKE_NONCE_SIZE);
	end_payload(&w, start);
	put_notify(&w, NONE, IKE_REDIRECT_SUPPORTED, "", 0);
	store_u32(out + marker + LENGTH_AT, (uint32_t)(w.pos - marker));
	return w.pos;
}

/* --- what comes back ----------------------------------------------------------------------- */

static const char *check_header(struct reader *r, const uint8_t spi[IKE_SPI_SIZE], size_t len,
				uint8_t *first, bool *has_spi)
{
	static const uint8_t nobody[IKE_SPI_SIZE];
	const uint8_t *ours = get_bytes(r, IKE_SPI_SIZE);
	const uint8_t *theirs = get_bytes(r, IKE_SPI_SIZE);
	uint8_t version, exchange, flags;
	uint32_t id, length;

	*first = get_u8(r);
	version = get_u8(r);
	exchange = get_u8(r);
	flags = get_u8(r);
	id = get_u32(r);
	length = get_u32(r);
	if (r->bad)
		return "too short for IKE";
	if (memcmp(ours, spi, IKE_SPI_SIZE) != 0)
		return "an answer to another SPI";
	if (version >> 4 != MAJOR)
		return "of another version of IKE";
	if (exchange != IKE_SA_INIT || id != 0 ||
	    (flags & (FLAG_INITIATOR | FLAG_RESPONSE)) != FLAG_RESPONSE)
		return "no response to IKE_SA_INIT";
	if (length != len)
		return "of another length than it says";
	*has_spi = memcmp(theirs, nobody, sizeof(nobody)) != 0;
	return NULL;
}

/* The first error decides; what is no error may stand before it. */
static void read_notify(const uint8_t *data, size_t len, struct ike_reply *out)
{
	struct reader r = { .data = data, .size = len };
	uint8_t spi_size;
	uint16_t type;
	size_t rest;

	(void)get_u8(&r); /* the protocol: servers differ in it */
	spi_size = get_u8(&r);
	type = get_u16(&r);
	(void)get_bytes(&r, spi_size);
	if (r.bad || (out->notify != 0 && out->notify < IKE_COOKIE))
		return;
	rest = len - 4 - spi_size;
	if (type == IKE_COOKIE && rest > 0 && rest <= IKE_COOKIE_MAX) {
		out->cookie.len = rest;
		memcpy(out->cookie.octets, data + len - rest, rest);
		out->notify = type;
	} else if (type == IKE_REDIRECT || (type != 0 && type < 16384)) {
		out->notify = type;
		if (type == IKE_INVALID_KE_PAYLOAD && rest == 2)
			out->group = get_u16(&r);
	}
}

/* false: they do not fit together. */
static bool read_payloads(struct reader *r, uint8_t type, bool *has_sa, bool *has_value,
			  struct ike_reply *out)
{
	while (type != NONE) {
		uint8_t next = get_u8(r);
		uint16_t length;
		const uint8_t *data;

		(void)get_u8(r);
		length = get_u16(r);
		if (r->bad || length < 4)
			return false;
		data = get_bytes(r, (size_t)length - 4);
		if (data == NULL)
			return false;
		*has_sa |= type == SA;
		*has_value |= type == KE;
		if (type == NOTIFY)
			read_notify(data, (size_t)length - 4, out);
		type = next;
	}
	return true;
}

enum ike_answer ike_read(const struct ikev2_settings *settings, const uint8_t spi[IKE_SPI_SIZE],
			 const uint8_t *message, size_t len, struct ike_reply *out)
{
	struct reader r = { .data = message, .size = len };
	size_t marker = settings->marker ? MARKER_SIZE : 0;
	bool has_spi = false, has_sa = false, has_value = false;
	uint8_t first = NONE;

	*out = (struct ike_reply){ 0 };
	if (settings->marker && get_u32(&r) != 0) {
		out->why = "not marked as IKE";
		return IKE_NO_ANSWER;
	}
	out->why = check_header(&r, spi, len - marker, &first, &has_spi);
	if (out->why == NULL && !read_payloads(&r, first, &has_sa, &has_value, out))
		out->why = "malformed";
	if (out->why != NULL)
		return IKE_NO_ANSWER;
	if (out->notify != 0)
		return IKE_NOTIFIED;
	if (has_spi && has_sa && has_value)
		return IKE_ACCEPTED;
	out->why = "neither an error nor a choice";
	return IKE_NO_ANSWER;
}

const char *ike_notify_name(uint16_t notify)
{
	/* RFC 7296, 3.10.1, of those that may answer IKE_SA_INIT. */
	switch (notify) {
	case 1: return "UNSUPPORTED_CRITICAL_PAYLOAD";
	case 4: return "INVALID_IKE_SPI";
	case 5: return "INVALID_MAJOR_VERSION";
	case 7: return "INVALID_SYNTAX";
	case 9: return "INVALID_MESSAGE_ID";
	case 11: return "INVALID_SPI";
	case IKE_NO_PROPOSAL_CHOSEN: return "NO_PROPOSAL_CHOSEN";
	case IKE_INVALID_KE_PAYLOAD: return "INVALID_KE_PAYLOAD";
	case 43: return "TEMPORARY_FAILURE";
	case IKE_COOKIE: return "COOKIE";
	case IKE_REDIRECT: return "REDIRECT";
	default: return NULL;
	}
}
