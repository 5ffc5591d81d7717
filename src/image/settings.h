/* settings.h - what the server file says of the answers themselves.
 *
 * Made by signpost-compile, kept in the plan image, and handed to the data plane in the steering
 * image's root by control, which adds cookie secrets where the operator gave none. */
#ifndef IMAGE_SETTINGS_H
#define IMAGE_SETTINGS_H

#include <stdbool.h>
#include <stdint.h>

#define SETTINGS_TEXT_MAX  255 /* octets of a character-string (RFC 1035, 3.3) */
#define COOKIE_SECRET_SIZE 16  /* octets: a key of SipHash-2-4 (RFC 9018, 4.4) */
#define COOKIE_SECRETS_MAX 8

/* What the server says of itself. */
struct settings_text {
	uint8_t len; /* 0: it says nothing */
	uint8_t octets[SETTINGS_TEXT_MAX];
};

struct dns_settings {
	uint16_t udp_size_max;  /* octets of the largest UDP answer, and what our OPT says */
	uint16_t amplification; /* a UDP answer to a client without a valid server cookie has at
                                   most this many times the octets of its query; 0: no rule */
	uint8_t ecs;            /* 1: accept EDNS Client Subnet (RFC 7871) */
	uint8_t cookies;        /* 1: answer with DNS cookies (RFC 7873) */
	uint16_t cookie_secret_count; /* 0 in a plan: control makes them; 0 in a steering image:
                                         cookies are not answered */
	uint32_t tcp_idle_ms;         /* a connection without progress is closed after this */
	uint32_t tcp_lifetime_ms;     /* and after this in any case */
	uint32_t tcp_connections;     /* of a worker */
	uint32_t reserved;            /* no padding in what holds it: images are compared */
	/* The first makes cookies, all of them are accepted (RFC 9018, 5). */
	uint8_t cookie_secrets[COOKIE_SECRETS_MAX][COOKIE_SECRET_SIZE];
	struct settings_text version;  /* version.bind, version.server */
	struct settings_text identity; /* id.server, hostname.bind (RFC 4892) */
	struct settings_text nsid;     /* RFC 5001 */
};

_Static_assert(sizeof(struct dns_settings) % 8 == 0, "as large as it says");

#define DNS_UDP_SIZE_LOWEST      512
#define DNS_UDP_SIZE_HIGHEST     4096
#define DNS_AMPLIFICATION_LOWEST 2 /* an error with a new cookie is no longer than that */
#define DNS_TCP_CONNECTIONS_MAX  10000

static inline bool dns_settings_valid(const struct dns_settings *s)
{
	return s->udp_size_max >= DNS_UDP_SIZE_LOWEST && s->udp_size_max <= DNS_UDP_SIZE_HIGHEST &&
	       s->amplification != 1 && s->ecs <= 1 && s->cookies <= 1 &&
	       s->cookie_secret_count <= COOKIE_SECRETS_MAX && s->tcp_idle_ms > 0 &&
	       s->tcp_lifetime_ms > 0 && s->tcp_connections > 0 &&
	       s->tcp_connections <= DNS_TCP_CONNECTIONS_MAX;
}

#endif
