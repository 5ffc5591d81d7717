/* openvpn_key.h - reads OpenVPN's files of keys: static keys (`openvpn --genkey secret`) and client
 * keys of tls-crypt-v2. Pure. */
#ifndef IMAGE_OPENVPN_KEY_H
#define IMAGE_OPENVPN_KEY_H

#include <stddef.h>
#include <stdint.h>

#define OPENVPN_KEY_SIZE      256
#define OPENVPN_WRAPPED_MAX   1024                        /* of what OpenVPN takes */
#define OPENVPN_WRAPPED_LEAST (32 + OPENVPN_KEY_SIZE + 2) /* tag, client key, length */

/* Two pairs of 64 octets for a cipher and 64 for an HMAC. A secret: to be wiped. */
struct openvpn_key {
	uint8_t key[OPENVPN_KEY_SIZE];
	/* tls-crypt-v2: the same, wrapped by the server for itself; it is sent to it. */
	uint8_t wrapped[OPENVPN_WRAPPED_MAX];
	size_t wrapped_len;
};

/* NULL, or what is wrong with the file, without a word of what is in it; then nothing of it is in
 * `out` either. `text` may hold NULs. */
const char *openvpn_key_static(const char *text, size_t len, struct openvpn_key *out);
const char *openvpn_key_v2(const char *text, size_t len, struct openvpn_key *out);

#endif
