/* openvpn_packet.h - the two packets of OpenVPN that a probe needs: a client's hard reset, and the
 * server's answer to it. Pure; libcrypto's digests and ciphers inside.
 *
 * The layout is that of OpenVPN 2.6, sources src/openvpn/ssl_pkt.c and tls_crypt.c:
 *
 *    plain      op(1) session(8) acks(1 + 4n [+ 8]) packet-id(4)
 *    tls-auth   op session HMAC replay-id(4) time(4) acks packet-id
 *    tls-crypt  op session replay-id time tag(32) AES-256-CTR(acks packet-id)
 *
 * tls-crypt-v2 is tls-crypt with the client's own key, which stands behind the request, wrapped. */
#ifndef PROBE_OPENVPN_PACKET_H
#define PROBE_OPENVPN_PACKET_H

#include "image/openvpn_key.h"
#include "image/probe_openvpn.h"

#define OPENVPN_SESSION_SIZE 8
#define OPENVPN_REQUEST_MAX  (128 + OPENVPN_WRAPPED_MAX)

/* How packets of one server are protected; `key` is the caller's. */
struct openvpn_wrap {
	enum openvpn_mode mode;
	enum openvpn_direction direction;
	enum openvpn_digest digest;
	const struct openvpn_key *key; /* OPENVPN_PLAIN: NULL */
};

/* A hard reset for a new session. Its length; 0: libcrypto failed. */
size_t openvpn_request(const struct openvpn_wrap *wrap, const uint8_t session[OPENVPN_SESSION_SIZE],
		       uint32_t unix_s, uint8_t out[OPENVPN_REQUEST_MAX]);

/* Is this the server's answer to a hard reset, proven by its key where it has one? NULL, and for
 * which session; else why not. */
const char *openvpn_reply(const struct openvpn_wrap *wrap, const uint8_t *packet, size_t len,
			  uint8_t session[OPENVPN_SESSION_SIZE]);

#endif
