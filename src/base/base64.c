#include "base/base64.h"

#include <string.h>

static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

void base64_encode(const void *octets, size_t size, char *text)
{
	const uint8_t *from = octets;

	for (size_t i = 0; i < size; i += 3) {
		size_t left = size - i;
		uint32_t bits = (uint32_t)from[i] << 16;

		if (left > 1)
			bits |= (uint32_t)from[i + 1] << 8;
		if (left > 2)
			bits |= from[i + 2];
		*text++ = digits[bits >> 18];
		*text++ = digits[bits >> 12 & 63];
		*text++ = left > 1 ? digits[bits >> 6 & 63] : '=';
		*text++ = left > 2 ? digits[bits & 63] : '=';
	}
	*text = '\0';
}

/* All ones where first <= c <= last, else zero. */
static uint32_t within(uint32_t c, uint32_t first, uint32_t last)
{
	return (first - 1 - c) >> 31 & (c - last - 1) >> 31 ? UINT32_MAX : 0;
}

/* Its value; 64: it is no digit. */
static uint32_t value_of(char digit)
{
	uint32_t c = (uint8_t)digit;

	return (within(c, 'A', 'Z') & (c - 'A')) | (within(c, 'a', 'z') & (c - 'a' + 26)) |
	       (within(c, '0', '9') & (c - '0' + 52)) | (within(c, '+', '+') & 62) |
	       (within(c, '/', '/') & 63) |
	       (~(within(c, 'A', 'Z') | within(c, 'a', 'z') | within(c, '0', '9') |
		  within(c, '+', '+') | within(c, '/', '/')) &
		64);
}

bool base64_decode(const char *text, size_t len, void *octets, size_t size)
{
	size_t padding = (3 - size % 3) % 3;
	uint8_t *out = octets;
	uint32_t wrong = 0, bits = 0, count = 0;

	if (len != BASE64_SIZE(size) - 1)
		return false;
	for (size_t i = 0; i < len - padding; i++) {
		uint32_t value = value_of(text[i]);

		wrong |= value & 64;
		bits = bits << 6 | (value & 63);
		count += 6;
		if (count >= 8) {
			count -= 8;
			*out++ = (uint8_t)(bits >> count);
		}
	}
	for (size_t i = len - padding; i < len; i++)
		wrong |= text[i] != '=';
	return wrong == 0 && (bits & ((1U << count) - 1)) == 0;
}

static bool is_space(char c)
{
	return c != '\0' && strchr(" \t\r\n", c) != NULL;
}

bool base64_decode_line(const char *text, size_t len, void *octets, size_t size)
{
	while (len > 0 && is_space(text[len - 1]))
		len--;
	while (len > 0 && is_space(text[0])) {
		text++;
		len--;
	}
	return base64_decode(text, len, octets, size);
}
