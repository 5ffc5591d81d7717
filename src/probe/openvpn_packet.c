#include "probe/openvpn_packet.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdbool.h>
#include <string.h>

#include "base/cursor.h"

/* Opcode << 3 | key id 0. */
#define CLIENT_V2 (7 << 3)
#define SERVER_V2 (8 << 3)
#define CLIENT_V3 (10 << 3) /* tls-crypt-v2 */

#define REPLAY_ID 1
/* Says that a wrapped key may be asked for later: only so does a server answer without keeping
 * state (EARLY_NEG_START in OpenVPN's session_id.h). */
#define REPLAY_ID_V2 0x0f000001

#define TAG_SIZE   32 /* of tls-crypt */
#define IV_SIZE    16
#define CIPHER_KEY 32
#define OPENED_MAX 512 /* of what is behind the wrapping; the answer has 22 octets, or 28 */

/* --- keys ---------------------------------------------------------------------------------- */

enum way { SENT, RECEIVED };

/* Which half of the key: in tls-crypt clients send with the second one; in tls-auth, who has
 * direction 1 does, and without a direction both use the first. */
static const uint8_t *half(const struct openvpn_wrap *wrap, enum way way)
{
	unsigned slot = way == SENT ? 1 : 0;

	if (wrap->mode == OPENVPN_TLS_AUTH && wrap->direction != OPENVPN_DIRECTION_1)
		slot = wrap->direction == OPENVPN_DIRECTION_NONE || way == SENT ? 0 : 1;
	return wrap->key->key + slot * 128;
}

static const uint8_t *hmac_key(const struct openvpn_wrap *wrap, enum way way)
{
	return half(wrap, way) + 64;
}

static const EVP_MD *auth_digest(const struct openvpn_wrap *wrap)
{
	switch (wrap->digest) {
	case OPENVPN_SHA1: return EVP_sha1();
	case OPENVPN_SHA256: return EVP_sha256();
	default: return EVP_sha512();
	}
}

/* --- tls-auth ------------------------------------------------------------------------------ */

/* Over the packet with replay-id and time moved to the front. */
static bool auth_hmac(const struct openvpn_wrap *wrap, enum way way, const uint8_t *replay,
		      const uint8_t *head, const uint8_t *rest, size_t rest_len,
		      uint8_t out[EVP_MAX_MD_SIZE])
{
	const EVP_MD *digest = auth_digest(wrap);
	uint8_t data[8 + 9 + OPENED_MAX];
	struct writer w = { .data = data, .size = sizeof(data) };
	unsigned len;

	put_bytes(&w, replay, 8);
	put_bytes(&w, head, 1 + OPENVPN_SESSION_SIZE);
	put_bytes(&w, rest, rest_len);
	return !w.full && HMAC(digest, hmac_key(wrap, way), EVP_MD_get_size(digest), data, w.pos,
			       out, &len) != NULL;
}

/* --- tls-crypt ----------------------------------------------------------------------------- */

static bool crypt_tag(const struct openvpn_wrap *wrap, enum way way, const uint8_t *head,
		      const uint8_t *plain, size_t plain_len, uint8_t tag[TAG_SIZE])
{
	uint8_t data[9 + 8 + OPENED_MAX];
	struct writer w = { .data = data, .size = sizeof(data) };
	unsigned len;

	put_bytes(&w, head, 9 + 8);
	put_bytes(&w, plain, plain_len);
	return !w.full &&
	       HMAC(EVP_sha256(), hmac_key(wrap, way), TAG_SIZE, data, w.pos, tag, &len) != NULL;
}

/* AES-256-CTR: the same in both directions. */
static bool crypt_apply(const struct openvpn_wrap *wrap, enum way way, const uint8_t tag[TAG_SIZE],
			const uint8_t *in, size_t len, uint8_t *out)
{
	EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
	int done = 0;
	bool right = ctx != NULL &&
		     EVP_EncryptInit_ex(ctx, EVP_aes_256_ctr(), NULL, half(wrap, way), tag) == 1 &&
		     EVP_EncryptUpdate(ctx, out, &done, in, (int)len) == 1 && done == (int)len;

	EVP_CIPHER_CTX_free(ctx);
	return right;
}

/* --- the request --------------------------------------------------------------------------- */

/* What all wrappings protect: no acknowledgement, packet id 0. */
static const uint8_t request_rest[] = { 0, 0, 0, 0, 0 };

static bool put_auth(const struct openvpn_wrap *wrap, struct writer *w, const uint8_t replay[8])
{
	uint8_t hmac[EVP_MAX_MD_SIZE];

	if (!auth_hmac(wrap, SENT, replay, w->data, request_rest, sizeof(request_rest), hmac))
		return false;
	put_bytes(w, hmac, (size_t)EVP_MD_get_size(auth_digest(wrap)));
	put_bytes(w, replay, 8);
	put_bytes(w, request_rest, sizeof(request_rest));
	return true;
}

static bool put_crypt(const struct openvpn_wrap *wrap, struct writer *w, const uint8_t replay[8])
{
	uint8_t tag[TAG_SIZE], hidden[sizeof(request_rest)];

	put_bytes(w, replay, 8);
	if (!crypt_tag(wrap, SENT, w->data, request_rest, sizeof(request_rest), tag) ||
	    !crypt_apply(wrap, SENT, tag, request_rest, sizeof(request_rest), hidden))
		return false;
	put_bytes(w, tag, sizeof(tag));
	put_bytes(w, hidden, sizeof(hidden));
	put_bytes(w, wrap->key->wrapped, wrap->key->wrapped_len);
	return true;
}

size_t openvpn_request(const struct openvpn_wrap *wrap, const uint8_t session[OPENVPN_SESSION_SIZE],
		       uint32_t unix_s, uint8_t out[OPENVPN_REQUEST_MAX])
{
	struct writer w = { .data = out, .size = OPENVPN_REQUEST_MAX };
	bool v2 = wrap->mode == OPENVPN_TLS_CRYPT_V2;
	uint8_t replay[8];
	bool right = true;

	store_u32(replay, v2 ? REPLAY_ID_V2 : REPLAY_ID);
	store_u32(replay + 4, unix_s);
	put_u8(&w, v2 ? CLIENT_V3 : CLIENT_V2);
	put_bytes(&w, session, OPENVPN_SESSION_SIZE);
	if (wrap->mode == OPENVPN_PLAIN)
		put_bytes(&w, request_rest, sizeof(request_rest));
	else if (wrap->mode == OPENVPN_TLS_AUTH)
		right = put_auth(wrap, &w, replay);
	else
		right = put_crypt(wrap, &w, replay);
	return right && !w.full ? w.pos : 0;
}

/* --- the reply ----------------------------------------------------------------------------- */

/* What is protected: in `opened`, with its length; NULL, or what is wrong. */
static const char *open_plain(const struct openvpn_wrap *wrap, struct reader *r, uint8_t *opened,
			      size_t *len)
{
	(void)wrap;
	*len = r->size - r->pos;
	if (*len > OPENED_MAX)
		return "too long";
	memcpy(opened, get_bytes(r, *len), *len);
	return NULL;
}

static const char *open_auth(const struct openvpn_wrap *wrap, struct reader *r, uint8_t *opened,
			     size_t *len)
{
	size_t hmac_len = (size_t)EVP_MD_get_size(auth_digest(wrap));
	const uint8_t *hmac = get_bytes(r, hmac_len);
	const uint8_t *replay = get_bytes(r, 8);
	uint8_t wanted[EVP_MAX_MD_SIZE];
	const char *wrong;

	if (replay == NULL)
		return "too short for tls-auth";
	wrong = open_plain(wrap, r, opened, len);
	if (wrong != NULL)
		return wrong;
	if (!auth_hmac(wrap, RECEIVED, replay, r->data, opened, *len, wanted) ||
	    CRYPTO_memcmp(hmac, wanted, hmac_len) != 0)
		return "its HMAC is not of this key";
	return NULL;
}

static const char *open_crypt(const struct openvpn_wrap *wrap, struct reader *r, uint8_t *opened,
			      size_t *len)
{
	const uint8_t *tag, *hidden;
	uint8_t wanted[TAG_SIZE];

	(void)get_bytes(r, 8); /* replay-id and time: the tag is over them */
	tag = get_bytes(r, TAG_SIZE);
	if (tag == NULL)
		return "too short for tls-crypt";
	*len = r->size - r->pos;
	if (*len > OPENED_MAX)
		return "too long";
	hidden = get_bytes(r, *len);
	if (!crypt_apply(wrap, RECEIVED, tag, hidden, *len, opened) ||
	    !crypt_tag(wrap, RECEIVED, r->data, opened, *len, wanted) ||
	    CRYPTO_memcmp(tag, wanted, TAG_SIZE) != 0)
		return "its tag is not of this key";
	return NULL;
}

/* It has to acknowledge packet 0 of our session; what follows its packet id is for later versions. */
static const char *read_opened(const uint8_t *opened, size_t len,
			       uint8_t session[OPENVPN_SESSION_SIZE])
{
	struct reader r = { .data = opened, .size = len };
	uint8_t acks = get_u8(&r);
	bool acked = false;
	const uint8_t *remote;

	for (uint8_t i = 0; i < acks; i++)
		acked = (get_u32(&r) == 0 && !r.bad) || acked;
	remote = get_bytes(&r, acks > 0 ? OPENVPN_SESSION_SIZE : 0);
	(void)get_u32(&r);
	if (r.bad)
		return "cut short";
	if (!acked)
		return "it acknowledges nothing of ours";
	memcpy(session, remote, OPENVPN_SESSION_SIZE);
	return NULL;
}

const char *openvpn_reply(const struct openvpn_wrap *wrap, const uint8_t *packet, size_t len,
			  uint8_t session[OPENVPN_SESSION_SIZE])
{
	struct reader r = { .data = packet, .size = len };
	uint8_t opened[OPENED_MAX];
	size_t opened_len = 0;
	const char *wrong;

	if (get_u8(&r) != SERVER_V2)
		return "no hard reset of a server";
	if (get_bytes(&r, OPENVPN_SESSION_SIZE) == NULL)
		return "cut short";
	if (wrap->mode == OPENVPN_PLAIN)
		wrong = open_plain(wrap, &r, opened, &opened_len);
	else if (wrap->mode == OPENVPN_TLS_AUTH)
		wrong = open_auth(wrap, &r, opened, &opened_len);
	else
		wrong = open_crypt(wrap, &r, opened, &opened_len);
	return wrong != NULL ? wrong : read_opened(opened, opened_len, session);
}
