#include "probe/noise.h"

#include <assert.h>
#include <sodium.h>
#include <stdbool.h>
#include <string.h>

#include <openssl/core_names.h>
#include <openssl/evp.h>

#include "base/mem.h"

#define HASH_SIZE NOISE_KEY_SIZE
#define TAG_SIZE  crypto_aead_chacha20poly1305_ietf_ABYTES

/* Where things are in messages; numbers in them are little-endian. */
#define TYPE_SIZE 4 /* the type, and three zeros */

#define INITIATION_INDEX     4
#define INITIATION_EPHEMERAL 8
#define INITIATION_STATIC    40
#define INITIATION_TIMESTAMP 88
#define INITIATION_MAC1      116
#define INITIATION_MAC2      132

#define RESPONSE_RECEIVER  8
#define RESPONSE_EPHEMERAL 12
#define RESPONSE_EMPTY     44
#define RESPONSE_MAC1      60

#define REPLY_RECEIVER 4
#define REPLY_NONCE    8
#define REPLY_COOKIE   32

static const uint8_t initiation_type[TYPE_SIZE] = { 1 }, response_type[TYPE_SIZE] = { 2 },
		     reply_type[TYPE_SIZE] = { 3 };

struct noise {
	EVP_MD *md;
	EVP_MD_CTX *digest;
	EVP_MAC *mac_type, *hmac_type;
	EVP_MAC_CTX *mac, *hmac;
};

/* --- primitives ---------------------------------------------------------------------------- */

/* What was fetched can fail for want of memory alone, which ends the process, as in base/mem.h. */
#define sure(call) assert((call) == 1)

static void hash_two(struct noise *noise, uint8_t out[HASH_SIZE], const void *a, size_t a_len,
		     const void *b, size_t b_len)
{
	sure(EVP_DigestInit_ex2(noise->digest, noise->md, NULL));
	sure(EVP_DigestUpdate(noise->digest, a, a_len));
	sure(EVP_DigestUpdate(noise->digest, b, b_len));
	sure(EVP_DigestFinal_ex(noise->digest, out, NULL));
}

static void mix_hash(struct noise *noise, uint8_t hash[HASH_SIZE], const void *data, size_t len)
{
	hash_two(noise, hash, hash, HASH_SIZE, data, len);
}

/* Keyed BLAKE2s with an output of 16 octets; its length is part of what is hashed. */
static void keyed_mac(struct noise *noise, const uint8_t *key, size_t key_len, const void *data,
		      size_t len, uint8_t out[NOISE_MAC_SIZE])
{
	size_t size = NOISE_MAC_SIZE;
	const OSSL_PARAM params[] = { OSSL_PARAM_construct_size_t(OSSL_MAC_PARAM_SIZE, &size),
				      OSSL_PARAM_construct_end() };

	sure(EVP_MAC_init(noise->mac, key, key_len, params));
	sure(EVP_MAC_update(noise->mac, data, len));
	sure(EVP_MAC_final(noise->mac, out, &size, NOISE_MAC_SIZE));
}

static void hmac(struct noise *noise, const uint8_t key[HASH_SIZE], const void *data, size_t len,
		 uint8_t out[HASH_SIZE])
{
	size_t size;

	sure(EVP_MAC_init(noise->hmac, key, HASH_SIZE, NULL));
	sure(EVP_MAC_update(noise->hmac, data, len));
	sure(EVP_MAC_final(noise->hmac, out, &size, HASH_SIZE));
}

/* The paper's KDFn: the chaining key becomes the first output, `second` and `third` (NULL: not
 * wanted) get the others. */
static void mix_key(struct noise *noise, uint8_t chain[HASH_SIZE], const void *input, size_t len,
		    uint8_t *second, uint8_t *third)
{
	uint8_t secret[HASH_SIZE], block[HASH_SIZE + 1] = { 1 };

	hmac(noise, chain, input, len, secret);
	hmac(noise, secret, block, 1, chain);
	memcpy(block, chain, HASH_SIZE);
	block[HASH_SIZE] = 2;
	if (second != NULL) {
		hmac(noise, secret, block, sizeof(block), second);
		memcpy(block, second, HASH_SIZE);
		block[HASH_SIZE] = 3;
	}
	if (third != NULL)
		hmac(noise, secret, block, sizeof(block), third);
	sodium_memzero(secret, sizeof(secret));
	sodium_memzero(block, sizeof(block));
}

static const uint8_t zero_nonce[crypto_aead_chacha20poly1305_ietf_NPUBBYTES];

/* Encrypts for this key's one message, and mixes what came out into the hash. */
static void seal(struct noise *noise, const uint8_t key[HASH_SIZE], uint8_t hash[HASH_SIZE],
		 const void *plain, size_t len, uint8_t *out)
{
	(void)crypto_aead_chacha20poly1305_ietf_encrypt(out, NULL, plain, len, hash, HASH_SIZE,
							NULL, zero_nonce, key);
	mix_hash(noise, hash, out, len + TAG_SIZE);
}

/* A point of few is made by those who want to fool us: the result is no secret then. */
static bool exchange(uint8_t out[NOISE_KEY_SIZE], const uint8_t private_key[NOISE_KEY_SIZE],
		     const uint8_t public_key[NOISE_KEY_SIZE])
{
	return crypto_scalarmult_curve25519(out, private_key, public_key) == 0;
}

/* --- opening ------------------------------------------------------------------------------- */

void noise_close(struct noise *noise)
{
	if (noise == NULL)
		return;
	EVP_MAC_CTX_free(noise->hmac);
	EVP_MAC_CTX_free(noise->mac);
	EVP_MAC_free(noise->hmac_type);
	EVP_MAC_free(noise->mac_type);
	EVP_MD_CTX_free(noise->digest);
	EVP_MD_free(noise->md);
	free(noise);
}

static bool set_digest(EVP_MAC_CTX *context)
{
	char name[] = "BLAKE2S-256";
	const OSSL_PARAM params[] = { OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, name,
								       0),
				      OSSL_PARAM_construct_end() };

	return EVP_MAC_CTX_set_params(context, params) == 1;
}

int noise_open(struct noise **out, struct err *err)
{
	struct noise *noise = mem_alloc(sizeof(*noise));

	noise->md = EVP_MD_fetch(NULL, "BLAKE2S-256", NULL);
	noise->digest = EVP_MD_CTX_new();
	noise->mac_type = EVP_MAC_fetch(NULL, "BLAKE2SMAC", NULL);
	noise->hmac_type = EVP_MAC_fetch(NULL, "HMAC", NULL);
	if (noise->mac_type != NULL)
		noise->mac = EVP_MAC_CTX_new(noise->mac_type);
	if (noise->hmac_type != NULL)
		noise->hmac = EVP_MAC_CTX_new(noise->hmac_type);
	if (sodium_init() < 0 || noise->md == NULL || noise->digest == NULL || noise->mac == NULL ||
	    noise->hmac == NULL || !set_digest(noise->hmac)) {
		noise_close(noise);
		return err_set(err, "this machine's OpenSSL has no BLAKE2s");
	}
	*out = noise;
	return 0;
}

static void label_key(struct noise *noise, const char *label,
		      const uint8_t public_key[NOISE_KEY_SIZE], uint8_t out[HASH_SIZE])
{
	hash_two(noise, out, label, strlen(label), public_key, NOISE_KEY_SIZE);
}

int noise_peer_init(struct noise *noise, struct noise_peer *peer,
		    const uint8_t own_private[NOISE_KEY_SIZE],
		    const uint8_t server_public[NOISE_KEY_SIZE], const uint8_t *preshared,
		    struct err *err)
{
	static const char construction[] = "Noise_IKpsk2_25519_ChaChaPoly_BLAKE2s";
	static const char identifier[] = "WireGuard v1 zx2c4 Jason@zx2c4.com";

	*peer = (struct noise_peer){ 0 };
	memcpy(peer->own_private, own_private, NOISE_KEY_SIZE);
	memcpy(peer->server_public, server_public, NOISE_KEY_SIZE);
	if (preshared != NULL)
		memcpy(peer->preshared, preshared, NOISE_KEY_SIZE);
	if (crypto_scalarmult_curve25519_base(peer->own_public, own_private) != 0 ||
	    !exchange(peer->shared, own_private, server_public))
		return err_set(err, "no server can have this public key");
	hash_two(noise, peer->chain, construction, strlen(construction), NULL, 0);
	hash_two(noise, peer->hash, peer->chain, HASH_SIZE, identifier, strlen(identifier));
	mix_hash(noise, peer->hash, server_public, NOISE_KEY_SIZE);
	label_key(noise, "mac1----", server_public, peer->mac1_key);
	label_key(noise, "mac1----", peer->own_public, peer->own_mac1_key);
	label_key(noise, "cookie--", server_public, peer->cookie_key);
	return 0;
}

/* --- the initiation ------------------------------------------------------------------------ */

static void add_macs(struct noise *noise, const struct noise_peer *peer, const uint8_t *cookie,
		     struct noise_handshake *handshake, uint8_t message[NOISE_INITIATION_SIZE])
{
	keyed_mac(noise, peer->mac1_key, HASH_SIZE, message, INITIATION_MAC1,
		  message + INITIATION_MAC1);
	memcpy(handshake->mac1, message + INITIATION_MAC1, NOISE_MAC_SIZE);
	if (cookie != NULL)
		keyed_mac(noise, cookie, NOISE_COOKIE_SIZE, message, INITIATION_MAC2,
			  message + INITIATION_MAC2);
}

void noise_initiate(struct noise *noise, const struct noise_peer *peer,
		    const struct noise_fresh *fresh, const uint8_t *cookie,
		    struct noise_handshake *handshake, uint8_t message[NOISE_INITIATION_SIZE])
{
	uint8_t secret[NOISE_KEY_SIZE], key[HASH_SIZE];
	uint8_t *ephemeral = message + INITIATION_EPHEMERAL;

	memset(message, 0, NOISE_INITIATION_SIZE);
	memcpy(message, initiation_type, TYPE_SIZE);
	memcpy(message + INITIATION_INDEX, fresh->index, NOISE_INDEX_SIZE);
	memcpy(handshake->index, fresh->index, NOISE_INDEX_SIZE);
	memcpy(handshake->ephemeral, fresh->ephemeral, NOISE_KEY_SIZE);
	memcpy(handshake->chain, peer->chain, HASH_SIZE);
	memcpy(handshake->hash, peer->hash, HASH_SIZE);
	(void)crypto_scalarmult_curve25519_base(ephemeral, fresh->ephemeral);
	mix_hash(noise, handshake->hash, ephemeral, NOISE_KEY_SIZE);
	mix_key(noise, handshake->chain, ephemeral, NOISE_KEY_SIZE, NULL, NULL);
	/* It went well in noise_peer_init: of a point of few it would not have. */
	(void)exchange(secret, fresh->ephemeral, peer->server_public);
	mix_key(noise, handshake->chain, secret, sizeof(secret), key, NULL);
	seal(noise, key, handshake->hash, peer->own_public, NOISE_KEY_SIZE,
	     message + INITIATION_STATIC);
	mix_key(noise, handshake->chain, peer->shared, sizeof(peer->shared), key, NULL);
	seal(noise, key, handshake->hash, fresh->timestamp, NOISE_TIMESTAMP_SIZE,
	     message + INITIATION_TIMESTAMP);
	add_macs(noise, peer, cookie, handshake, message);
	sodium_memzero(secret, sizeof(secret));
	sodium_memzero(key, sizeof(key));
}

/* --- what comes back ----------------------------------------------------------------------- */

static enum noise_answer ignored(const char **why, const char *text)
{
	*why = text;
	return NOISE_NONE;
}

static bool is_response_open(struct noise *noise, const struct noise_peer *peer,
			     const struct noise_handshake *handshake, const uint8_t *message)
{
	const uint8_t *ephemeral = message + RESPONSE_EPHEMERAL;
	uint8_t chain[HASH_SIZE], hash[HASH_SIZE], tau[HASH_SIZE], key[HASH_SIZE];
	uint8_t first[NOISE_KEY_SIZE], second[NOISE_KEY_SIZE];
	bool open = false;

	memcpy(chain, handshake->chain, HASH_SIZE);
	memcpy(hash, handshake->hash, HASH_SIZE);
	if (exchange(first, handshake->ephemeral, ephemeral) &&
	    exchange(second, peer->own_private, ephemeral)) {
		mix_hash(noise, hash, ephemeral, NOISE_KEY_SIZE);
		mix_key(noise, chain, ephemeral, NOISE_KEY_SIZE, NULL, NULL);
		mix_key(noise, chain, first, sizeof(first), NULL, NULL);
		mix_key(noise, chain, second, sizeof(second), NULL, NULL);
		mix_key(noise, chain, peer->preshared, sizeof(peer->preshared), tau, key);
		mix_hash(noise, hash, tau, sizeof(tau));
		open = crypto_aead_chacha20poly1305_ietf_decrypt(
			       NULL, NULL, NULL, message + RESPONSE_EMPTY, TAG_SIZE, hash,
			       sizeof(hash), zero_nonce, key) == 0;
	}
	sodium_memzero(chain, sizeof(chain));
	sodium_memzero(tau, sizeof(tau));
	sodium_memzero(key, sizeof(key));
	sodium_memzero(first, sizeof(first));
	sodium_memzero(second, sizeof(second));
	return open;
}

static enum noise_answer read_response(struct noise *noise, const struct noise_peer *peer,
				       const struct noise_handshake *handshake,
				       const uint8_t *message, const char **why)
{
	uint8_t mac1[NOISE_MAC_SIZE];

	if (memcmp(message + RESPONSE_RECEIVER, handshake->index, NOISE_INDEX_SIZE) != 0)
		return ignored(why, "a response to another initiation");
	keyed_mac(noise, peer->own_mac1_key, HASH_SIZE, message, RESPONSE_MAC1, mac1);
	if (sodium_memcmp(mac1, message + RESPONSE_MAC1, sizeof(mac1)) != 0)
		return ignored(why, "a response whose first MAC is wrong");
	return is_response_open(noise, peer, handshake, message) ? NOISE_RESPONSE : NOISE_MISMATCH;
}

static enum noise_answer read_cookie(const struct noise_peer *peer,
				     const struct noise_handshake *handshake,
				     const uint8_t *message, uint8_t cookie[NOISE_COOKIE_SIZE],
				     const char **why)
{
	if (memcmp(message + REPLY_RECEIVER, handshake->index, NOISE_INDEX_SIZE) != 0)
		return ignored(why, "a cookie reply to another initiation");
	if (crypto_aead_xchacha20poly1305_ietf_decrypt(
		    cookie, NULL, NULL, message + REPLY_COOKIE, NOISE_REPLY_SIZE - REPLY_COOKIE,
		    handshake->mac1, NOISE_MAC_SIZE, message + REPLY_NONCE, peer->cookie_key) != 0)
		return ignored(why, "a cookie reply that does not open");
	return NOISE_COOKIE;
}

enum noise_answer noise_read(struct noise *noise, const struct noise_peer *peer,
			     const struct noise_handshake *handshake, const uint8_t *message,
			     size_t len, uint8_t cookie[NOISE_COOKIE_SIZE], const char **why)
{
	*why = NULL;
	if (len == NOISE_RESPONSE_SIZE && memcmp(message, response_type, TYPE_SIZE) == 0)
		return read_response(noise, peer, handshake, message, why);
	if (len == NOISE_REPLY_SIZE && memcmp(message, reply_type, TYPE_SIZE) == 0)
		return read_cookie(peer, handshake, message, cookie, why);
	return ignored(why, "neither a handshake response nor a cookie reply");
}
