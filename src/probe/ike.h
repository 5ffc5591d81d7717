/* ike.h - the first message of IKEv2, and what may come back: bytes alone, no socket, no dice.
 *
 * IKE_SA_INIT of RFC 7296. It goes no further, so nothing has to be computed: nobody ever finds out
 * that the public value and the nonce are random octets. What comes back is not authenticated; who
 * has not seen the request would have to guess the 64 bits of its SPI. */
#ifndef PROBE_IKE_H
#define PROBE_IKE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "image/probe_ikev2.h"

#define IKE_SPI_SIZE    8
#define IKE_NONCE_SIZE  32
#define IKE_VALUE_MAX   512 /* octets of a public value */
#define IKE_COOKIE_MAX  64  /* RFC 7296, 2.6 */
#define IKE_REQUEST_MAX 1024

/* Notify message types. */
enum ike_notify {
	IKE_NO_PROPOSAL_CHOSEN = 14,
	IKE_INVALID_KE_PAYLOAD = 17,
	IKE_COOKIE = 16390,
	IKE_REDIRECT_SUPPORTED = 16406, /* RFC 5685 */
	IKE_REDIRECT = 16407,
};

/* All that is random. Of the SPI not all octets are zero. */
struct ike_fresh {
	uint8_t spi[IKE_SPI_SIZE], nonce[IKE_NONCE_SIZE], value[IKE_VALUE_MAX];
};

struct ike_cookie {
	size_t len; /* 0: there is none */
	uint8_t octets[IKE_COOKIE_MAX];
};

/* The same bytes for the same arguments: as what is sent again must be. Returns their number. */
size_t ike_request(const struct ikev2_settings *settings, const struct ike_fresh *fresh,
		   const struct ike_cookie *cookie, uint8_t out[IKE_REQUEST_MAX]);

enum ike_answer {
	IKE_NO_ANSWER, /* something else */
	IKE_ACCEPTED,  /* it chose a proposal, and waits for us to go on */
	IKE_NOTIFIED,  /* what `notify` says */
};

struct ike_reply {
	uint16_t notify; /* the first error; else IKE_COOKIE or IKE_REDIRECT; 0: none of them */
	uint16_t group;  /* that IKE_INVALID_KE_PAYLOAD asks for; 0: it does not say */
	struct ike_cookie cookie;
	const char *why; /* it is no answer */
};

enum ike_answer ike_read(const struct ikev2_settings *settings, const uint8_t spi[IKE_SPI_SIZE],
			 const uint8_t *message, size_t len, struct ike_reply *out);

/* "NO_PROPOSAL_CHOSEN"; NULL: RFC 7296 has none of this number. */
const char *ike_notify_name(uint16_t notify);

#endif
