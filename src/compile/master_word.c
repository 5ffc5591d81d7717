#include "compile/master_word.h"

#include <ctype.h>

#define SHOWN_MAX 60

int master_token_shown(const struct master_token *token)
{
	return token->len < SHOWN_MAX ? (int)token->len : SHOWN_MAX;
}

bool master_number_parse(const char *text, size_t len, uint64_t max, uint64_t *value)
{
	*value = 0;
	if (len == 0 || len > 20)
		return false;
	for (size_t i = 0; i < len; i++) {
		if (text[i] < '0' || text[i] > '9' || *value > max)
			return false;
		*value = *value * 10 + (uint64_t)(text[i] - '0');
	}
	return *value <= max;
}

static uint64_t unit_seconds(char unit)
{
	switch (tolower((unsigned char)unit)) {
	case 's': return 1;
	case 'm': return 60;
	case 'h': return 3600;
	case 'd': return 86400;
	case 'w': return 604800;
	default: return 0;
	}
}

bool master_ttl_parse(const char *text, size_t len, uint32_t *ttl_s)
{
	uint64_t sum = 0, number;
	size_t digits;

	if (master_number_parse(text, len, UINT32_MAX, &number)) {
		*ttl_s = (uint32_t)number;
		return true;
	}
	for (; len > 0; text += digits + 1, len -= digits + 1) {
		digits = 0;
		while (digits < len && text[digits] >= '0' && text[digits] <= '9')
			digits++;
		if (digits == len || !master_number_parse(text, digits, UINT32_MAX, &number) ||
		    unit_seconds(text[digits]) == 0)
			return false;
		sum += number * unit_seconds(text[digits]);
		if (sum > UINT32_MAX)
			return false;
	}
	*ttl_s = (uint32_t)sum;
	return true;
}
