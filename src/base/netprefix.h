/* netprefix.h - IP addresses and networks, both families in one shape.
 *
 * An address is 16 bytes in network order; IPv4 uses the first four and leaves the rest zero. */
#ifndef BASE_NETPREFIX_H
#define BASE_NETPREFIX_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

enum ip_family { IP_V4 = 4, IP_V6 = 6 };

struct ip_address {
	uint8_t bytes[16];
	uint8_t family; /* enum ip_family */
};

struct ip_prefix {
	struct ip_address address; /* host bits are zero */
	uint8_t len;               /* 0..32 or 0..128 */
};

#define IP_TEXT_SIZE     INET6_ADDRSTRLEN
#define IP_PREFIX_SIZE   (IP_TEXT_SIZE + 4)
#define IP_ENDPOINT_SIZE (IP_TEXT_SIZE + 8)

static inline unsigned ip_bits(uint8_t family)
{
	return family == IP_V4 ? 32 : 128;
}

bool ip_parse(const char *text, struct ip_address *out); /* strict: as inet_pton(3) */
const char *ip_format(const struct ip_address *address, char text[IP_TEXT_SIZE]);

/* "192.0.2.0/24", or an address alone (its full length). false when it is neither, or when host
 * bits are set (*host_bits then tells, if not NULL). */
bool ip_prefix_parse(const char *text, struct ip_prefix *out, bool *host_bits);
const char *ip_prefix_format(const struct ip_prefix *prefix, char text[IP_PREFIX_SIZE]);
bool ip_prefix_contains(const struct ip_prefix *prefix, const struct ip_address *address);

/* Zeroes all bits of `bytes` after the first `len`. */
void ip_mask(uint8_t bytes[16], unsigned len);

/* "127.0.0.1:5300", "[::1]:5300", or an address alone (default_port).
 * false: not such a text. */
bool ip_endpoint_parse(const char *text, uint16_t default_port, struct ip_address *address,
		       uint16_t *port);
const char *ip_endpoint_format(const struct ip_address *address, uint16_t port,
			       char text[IP_ENDPOINT_SIZE]);

socklen_t ip_to_sockaddr(const struct ip_address *address, uint16_t port,
			 struct sockaddr_storage *out);
void ip_from_sockaddr(const struct sockaddr_storage *from, struct ip_address *address,
		      uint16_t *port); /* port may be NULL */

#endif
