#include "image/openvpn_key.h"

#include <stdbool.h>
#include <string.h>

#include "base/cursor.h"

#define STATIC_NAME "OpenVPN Static key V1"
#define V2_NAME     "OpenVPN tls-crypt-v2 client key"

static const char not_static[] = "is no static key of OpenVPN (a line \"-----BEGIN " STATIC_NAME
				 "-----\", 512 hexadecimal "
				 "digits, \"-----END " STATIC_NAME "-----\")";
static const char not_v2[] = "is no client key of tls-crypt-v2 (a line \"-----BEGIN " V2_NAME
			     "-----\", a key in base64, "
			     "\"-----END " V2_NAME "-----\")";
static const char is_server_key[] =
	"is a server's key of tls-crypt-v2: a client's key is needed, as made by \"openvpn "
	"--tls-crypt-v2 SERVER-KEY --genkey tls-crypt-v2-client FILE\"";

/* What stands between the two lines, or NULL. */
static const char *find_body(const char *text, size_t len, const char *begin, const char *end,
			     size_t *body_len)
{
	const char *from = memmem(text, len, begin, strlen(begin));
	const char *to;

	if (from == NULL)
		return NULL;
	from += strlen(begin);
	to = memmem(from, len - (size_t)(from - text), end, strlen(end));
	if (to == NULL)
		return NULL;
	*body_len = (size_t)(to - from);
	return from;
}

static bool is_space(char c)
{
	return c == '\n' || c == '\r' || c == ' ' || c == '\t';
}

/* The value of a digit, or -1. */
static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* RFC 4648, section 4. */
static int base64_digit(char c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	return c == '+' ? 62 : c == '/' ? 63 : -1;
}

/* Digits of `bits` bits as octets; how many of these, or 0 where there is anything else. */
static size_t decode(const char *body, size_t len, int (*digit)(char), unsigned bits,
		     struct writer *out)
{
	uint32_t pending = 0;
	unsigned have = 0;

	for (size_t i = 0; i < len && body[i] != '='; i++) {
		int value = digit(body[i]);

		if (is_space(body[i]))
			continue;
		if (value < 0)
			return 0;
		pending = (pending << bits | (uint32_t)value) & 0xffff;
		have += bits;
		if (have >= 8) {
			have -= 8;
			put_u8(out, (uint8_t)(pending >> have));
		}
	}
	return out->full ? 0 : out->pos;
}

const char *openvpn_key_static(const char *text, size_t len, struct openvpn_key *out)
{
	struct writer w = { .data = out->key, .size = sizeof(out->key) };
	size_t body_len;
	const char *body = find_body(text, len, "-----BEGIN " STATIC_NAME "-----",
				     "-----END " STATIC_NAME "-----", &body_len);

	out->wrapped_len = 0;
	if (body != NULL && decode(body, body_len, hex_digit, 4, &w) == OPENVPN_KEY_SIZE)
		return NULL;
	explicit_bzero(out, sizeof(*out));
	return not_static;
}

const char *openvpn_key_v2(const char *text, size_t len, struct openvpn_key *out)
{
	uint8_t both[OPENVPN_KEY_SIZE + OPENVPN_WRAPPED_MAX];
	struct writer w = { .data = both, .size = sizeof(both) };
	const char *wrong = not_v2;
	size_t body_len, size = 0;
	const char *body = find_body(text, len, "-----BEGIN " V2_NAME "-----",
				     "-----END " V2_NAME "-----", &body_len);

	if (body != NULL)
		size = decode(body, body_len, base64_digit, 6, &w);
	if (size >= OPENVPN_KEY_SIZE + OPENVPN_WRAPPED_LEAST &&
	    load_u16(both + size - 2) == size - OPENVPN_KEY_SIZE) {
		out->wrapped_len = size - OPENVPN_KEY_SIZE;
		memcpy(out->key, both, sizeof(out->key));
		memcpy(out->wrapped, both + OPENVPN_KEY_SIZE, out->wrapped_len);
		wrong = NULL;
	} else {
		explicit_bzero(out, sizeof(*out));
		if (memmem(text, len, "tls-crypt-v2 server key", 23) != NULL)
			wrong = is_server_key;
	}
	explicit_bzero(both, sizeof(both));
	return wrong;
}
