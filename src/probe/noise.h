/* noise.h - the initiator's half of a WireGuard handshake, as bytes: no sockets, no clock, no dice.
 *
 * Noise_IKpsk2_25519_ChaChaPoly_BLAKE2s as in "WireGuard: Next Generation Kernel Network Tunnel"
 * (Donenfeld, NDSS 2017), 5.4.2 to 5.4.7. A response that opens proves that the server holds its
 * private key, knows ours as a peer's, and has the same preshared key. Curve and ciphers are
 * libsodium's, BLAKE2s is OpenSSL's. One thread. */
#ifndef PROBE_NOISE_H
#define PROBE_NOISE_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

#define NOISE_KEY_SIZE        32
#define NOISE_INDEX_SIZE      4
#define NOISE_TIMESTAMP_SIZE  12
#define NOISE_MAC_SIZE        16
#define NOISE_COOKIE_SIZE     16
#define NOISE_INITIATION_SIZE 148
#define NOISE_RESPONSE_SIZE   92
#define NOISE_REPLY_SIZE      64

/* Primitives, fetched once: that is most of the cost of using them. */
struct noise;

int noise_open(struct noise **out, struct err *err);
void noise_close(struct noise *noise); /* NULL is fine */

/* Who we are to a server, and what can be computed before the first handshake. Holds secrets. */
struct noise_peer {
	uint8_t own_private[NOISE_KEY_SIZE], own_public[NOISE_KEY_SIZE];
	uint8_t server_public[NOISE_KEY_SIZE];
	uint8_t preshared[NOISE_KEY_SIZE]; /* zeros: none */
	uint8_t shared[NOISE_KEY_SIZE];    /* the secret of both static keys */
	uint8_t chain[NOISE_KEY_SIZE], hash[NOISE_KEY_SIZE];
	uint8_t mac1_key[NOISE_KEY_SIZE], own_mac1_key[NOISE_KEY_SIZE], cookie_key[NOISE_KEY_SIZE];
};

/* preshared NULL: none. -1: no server can have this public key. */
int noise_peer_init(struct noise *noise, struct noise_peer *peer,
		    const uint8_t own_private[NOISE_KEY_SIZE],
		    const uint8_t server_public[NOISE_KEY_SIZE], const uint8_t *preshared,
		    struct err *err);

/* One initiation that was sent, until it is answered. Holds secrets. */
struct noise_handshake {
	uint8_t ephemeral[NOISE_KEY_SIZE];
	uint8_t chain[NOISE_KEY_SIZE], hash[NOISE_KEY_SIZE];
	uint8_t index[NOISE_INDEX_SIZE];
	uint8_t mac1[NOISE_MAC_SIZE];
};

/* What is new in each initiation: both random, and later than any timestamp before. */
struct noise_fresh {
	uint8_t ephemeral[NOISE_KEY_SIZE]; /* a private key */
	uint8_t index[NOISE_INDEX_SIZE];
	uint8_t timestamp[NOISE_TIMESTAMP_SIZE]; /* TAI64N */
};

/* cookie: of a cookie reply to the same socket; NULL: none. */
void noise_initiate(struct noise *noise, const struct noise_peer *peer,
		    const struct noise_fresh *fresh, const uint8_t *cookie,
		    struct noise_handshake *handshake, uint8_t message[NOISE_INITIATION_SIZE]);

enum noise_answer {
	NOISE_NONE,     /* nothing that answers this initiation */
	NOISE_RESPONSE, /* it opened */
	NOISE_MISMATCH, /* a response to it that does not open: other preshared keys, or the server is
			   another one than it says */
	NOISE_COOKIE,   /* the server is under load, and asks for this cookie */
};

/* What a datagram is to an initiation; `why` then says what is wrong with it, or NULL. */
enum noise_answer noise_read(struct noise *noise, const struct noise_peer *peer,
			     const struct noise_handshake *handshake, const uint8_t *message,
			     size_t len, uint8_t cookie[NOISE_COOKIE_SIZE], const char **why);

#endif
