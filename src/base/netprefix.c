#include "base/netprefix.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

bool ip_parse(const char *text, struct ip_address *out)
{
	struct ip_address address = { .family = IP_V4 };

	if (inet_pton(AF_INET, text, address.bytes) != 1) {
		address.family = IP_V6;
		if (inet_pton(AF_INET6, text, address.bytes) != 1)
			return false;
	}
	*out = address;
	return true;
}

const char *ip_format(const struct ip_address *address, char text[IP_TEXT_SIZE])
{
	int af = address->family == IP_V4 ? AF_INET : AF_INET6;

	if (inet_ntop(af, address->bytes, text, IP_TEXT_SIZE) == NULL)
		text[0] = '\0';
	return text;
}

void ip_mask(uint8_t bytes[16], unsigned len)
{
	unsigned whole = len / 8;

	if (whole >= 16)
		return;
	bytes[whole] &= (uint8_t)(0xff00U >> (len % 8));
	memset(bytes + whole + 1, 0, 15 - whole);
}

/* Decimal digits only, no sign, no leading zero: "/024" is a typing error, not a length. */
static bool parse_number(const char *text, unsigned max, unsigned *out)
{
	unsigned value = 0;

	if (text[0] == '\0' || (text[0] == '0' && text[1] != '\0'))
		return false;
	for (; *text != '\0'; text++) {
		if (*text < '0' || *text > '9')
			return false;
		value = value * 10 + (unsigned)(*text - '0');
		if (value > max)
			return false;
	}
	*out = value;
	return true;
}

bool ip_prefix_parse(const char *text, struct ip_prefix *out, bool *host_bits)
{
	char copy[IP_PREFIX_SIZE];
	struct ip_prefix prefix;
	struct ip_address masked;
	unsigned len;
	char *slash;

	if (host_bits != NULL)
		*host_bits = false;
	if (strlen(text) >= sizeof(copy))
		return false;
	strcpy(copy, text);
	slash = strchr(copy, '/');
	if (slash != NULL)
		*slash = '\0';
	if (!ip_parse(copy, &prefix.address))
		return false;
	len = ip_bits(prefix.address.family);
	if (slash != NULL && !parse_number(slash + 1, len, &len))
		return false;
	prefix.len = (uint8_t)len;
	masked = prefix.address;
	ip_mask(masked.bytes, len);
	if (memcmp(masked.bytes, prefix.address.bytes, sizeof(masked.bytes)) != 0) {
		if (host_bits != NULL)
			*host_bits = true;
		return false;
	}
	*out = prefix;
	return true;
}

const char *ip_prefix_format(const struct ip_prefix *prefix, char text[IP_PREFIX_SIZE])
{
	char address[IP_TEXT_SIZE];

	(void)snprintf(text, IP_PREFIX_SIZE, "%s/%u", ip_format(&prefix->address, address),
		       prefix->len);
	return text;
}

bool ip_prefix_contains(const struct ip_prefix *prefix, const struct ip_address *address)
{
	uint8_t masked[16];

	if (prefix->address.family != address->family)
		return false;
	memcpy(masked, address->bytes, sizeof(masked));
	ip_mask(masked, prefix->len);
	return memcmp(masked, prefix->address.bytes, sizeof(masked)) == 0;
}

bool ip_endpoint_parse(const char *text, uint16_t default_port, struct ip_address *address,
		       uint16_t *port)
{
	char copy[IP_ENDPOINT_SIZE + 2];
	unsigned value = default_port;
	char *colon = NULL;
	char *host = copy;

	if (strlen(text) >= sizeof(copy))
		return false;
	strcpy(copy, text);
	if (copy[0] == '[') {
		char *end = strchr(copy, ']');

		if (end == NULL || (end[1] != '\0' && end[1] != ':'))
			return false;
		*end = '\0';
		host = copy + 1;
		colon = end[1] == ':' ? end + 1 : NULL;
	} else if (strchr(copy, ':') == strrchr(copy, ':')) {
		colon = strchr(copy, ':');
	}
	if (colon != NULL) {
		*colon = '\0';
		if (!parse_number(colon + 1, 65535, &value) || value == 0)
			return false;
	}
	if (!ip_parse(host, address) || (copy[0] == '[' && address->family != IP_V6))
		return false;
	*port = (uint16_t)value;
	return true;
}

const char *ip_endpoint_format(const struct ip_address *address, uint16_t port,
			       char text[IP_ENDPOINT_SIZE])
{
	char host[IP_TEXT_SIZE];

	(void)snprintf(text, IP_ENDPOINT_SIZE, address->family == IP_V4 ? "%s:%u" : "[%s]:%u",
		       ip_format(address, host), port);
	return text;
}

socklen_t ip_to_sockaddr(const struct ip_address *address, uint16_t port,
			 struct sockaddr_storage *out)
{
	memset(out, 0, sizeof(*out));
	if (address->family == IP_V4) {
		struct sockaddr_in *in = (struct sockaddr_in *)out;

		in->sin_family = AF_INET;
		in->sin_port = htons(port);
		memcpy(&in->sin_addr, address->bytes, 4);
		return sizeof(*in);
	}
	struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)out;

	in6->sin6_family = AF_INET6;
	in6->sin6_port = htons(port);
	memcpy(&in6->sin6_addr, address->bytes, 16);
	return sizeof(*in6);
}

void ip_from_sockaddr(const struct sockaddr_storage *from, struct ip_address *address,
		      uint16_t *port)
{
	uint16_t port_be;

	memset(address, 0, sizeof(*address));
	if (from->ss_family == AF_INET) {
		const struct sockaddr_in *in = (const struct sockaddr_in *)from;

		address->family = IP_V4;
		memcpy(address->bytes, &in->sin_addr, 4);
		port_be = in->sin_port;
	} else {
		const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)from;

		address->family = IP_V6;
		memcpy(address->bytes, &in6->sin6_addr, 16);
		port_be = in6->sin6_port;
	}
	if (port != NULL)
		*port = ntohs(port_be);
}
