/* cookies.h - server cookies (RFC 7873) as all servers make them that share a secret (RFC 9018).
 *
 * Pure: the second is an argument. Any thread. */
#ifndef SERVE_COOKIES_H
#define SERVE_COOKIES_H

#include "base/netprefix.h"
#include "image/settings.h"
#include "wire/edns.h"

#define COOKIE_ANSWER_SIZE 24 /* client cookie and server cookie of version 1 (RFC 9018, 4) */

#define COOKIE_RENEWED_AFTER_S 1800 /* RFC 9018, 4.3 */
#define COOKIE_VALID_FOR_S     3600
#define COOKIE_AHEAD_S         300

enum cookie_verdict {
	COOKIE_NEW,     /* a client cookie alone */
	COOKIE_INVALID, /* nobody's that we know, or too old */
	COOKIE_VALID,   /* the client got it from one of us: it is where it says */
};

/* Judges a query's cookie, and makes the one that goes back: the same where it is valid and young,
 * else a new one. There is a secret (settings->cookie_secret_count > 0). `len` is one that a query's
 * can have (cookie_is_sized). now_s: unix time. */
enum cookie_verdict cookie_answer(const struct dns_settings *settings, const uint8_t *cookie,
				  size_t len, const struct ip_address *client, uint32_t now_s,
				  uint8_t out[COOKIE_ANSWER_SIZE]);

#endif
