#include "wire/name.h"

#include <stdio.h>
#include <string.h>

size_t name_length(const uint8_t *wire, size_t size)
{
	size_t pos = 0;

	while (pos < size && pos < DNS_NAME_MAX) {
		uint8_t len = wire[pos];

		if (len == 0)
			return pos + 1;
		if (len > DNS_LABEL_MAX)
			return 0;
		pos += 1U + len;
	}
	return 0;
}

uint8_t name_labels(const uint8_t *wire)
{
	uint8_t labels = 0;

	for (; *wire != 0; wire += 1 + *wire)
		labels++;
	return labels;
}

/* One character of a label, escapes resolved. Returns what it consumed of `text`, 0: bad escape. */
static size_t take_octet(const char *text, size_t len, uint8_t *out)
{
	unsigned value = 0;

	if (text[0] != '\\') {
		*out = (uint8_t)text[0];
		return 1;
	}
	if (len < 2)
		return 0;
	if (text[1] < '0' || text[1] > '9') {
		*out = (uint8_t)text[1];
		return 2;
	}
	if (len < 4)
		return 0;
	for (unsigned i = 1; i < 4; i++) {
		if (text[i] < '0' || text[i] > '9')
			return 0;
		value = value * 10 + (unsigned)(text[i] - '0');
	}
	*out = (uint8_t)value;
	return value > 255 ? 0 : 4;
}

static bool label_end(struct name *name, size_t start, const char **reason)
{
	size_t len = name->len - start - 1;

	if (len == 0) {
		*reason = "a label is empty";
		return false;
	}
	if (len > DNS_LABEL_MAX) {
		*reason = "a label has more than 63 octets";
		return false;
	}
	name->wire[start] = (uint8_t)len;
	name->labels++;
	return true;
}

static bool complete(struct name *name, const struct name *origin, const char **reason)
{
	static const struct name root = { .wire = { 0 }, .len = 1 };

	if (origin == NULL)
		origin = &root;
	if (name->len + origin->len > DNS_NAME_MAX) {
		*reason = "the name has more than 255 octets";
		return false;
	}
	memcpy(name->wire + name->len, origin->wire, origin->len);
	name->len = (uint8_t)(name->len + origin->len);
	name->labels = (uint8_t)(name->labels + origin->labels);
	return true;
}

bool name_parse(const char *text, size_t len, const struct name *origin, struct name *out,
		const char **reason)
{
	struct name name = { .len = 0 };
	size_t start = 0; /* of the label being read: its length octet */
	size_t pos = 0;

	if (len == 0) {
		*reason = "the name is empty";
		return false;
	}
	if (len == 1 && text[0] == '@' && origin != NULL) {
		*out = *origin;
		return true;
	}
	if (len == 1 && text[0] == '.') {
		*out = (struct name){ .len = 1 };
		return true;
	}
	name.len = 1;
	while (pos < len) {
		uint8_t octet;
		size_t used;

		if (text[pos] == '.') {
			if (!label_end(&name, start, reason))
				return false;
			pos++;
			if (pos == len) {
				*out = name;
				return complete(out, NULL, reason);
			}
			start = name.len;
			used = 0;
			octet = 0;
		} else {
			used = take_octet(text + pos, len - pos, &octet);
			if (used == 0) {
				*reason = "a bad \\ escape in the name";
				return false;
			}
			pos += used;
			octet = name_lower(octet);
		}
		if (name.len >= DNS_NAME_MAX) {
			*reason = "the name has more than 255 octets";
			return false;
		}
		name.wire[name.len++] = octet;
	}
	if (!label_end(&name, start, reason))
		return false;
	*out = name;
	return complete(out, origin, reason);
}

const char *name_format(const uint8_t *wire, char text[NAME_TEXT_SIZE])
{
	char *p = text;

	if (*wire == 0)
		*p++ = '.';
	while (*wire != 0) {
		uint8_t len = *wire++;

		for (; len > 0; len--, wire++) {
			if (*wire <= ' ' || *wire > '~') {
				p += snprintf(p, 5, "\\%03u", *wire);
				continue;
			}
			if (strchr(".\\\"();@$", *wire) != NULL)
				*p++ = '\\';
			*p++ = (char)*wire;
		}
		*p++ = '.';
	}
	*p = '\0';
	return text;
}

bool name_equal(const uint8_t *a, const uint8_t *b)
{
	for (;;) {
		uint8_t len = *a;

		if (len != *b)
			return false;
		if (len == 0)
			return true;
		for (unsigned i = 1; i <= len; i++) {
			if (name_lower(a[i]) != name_lower(b[i]))
				return false;
		}
		a += 1 + len;
		b += 1 + len;
	}
}

bool name_is_under(const uint8_t *name, size_t name_len, const uint8_t *ancestor,
		   size_t ancestor_len)
{
	if (name_len < ancestor_len)
		return false;
	while (name_len > ancestor_len) {
		name_len -= 1U + *name;
		name += 1 + *name;
	}
	return name_len == ancestor_len && memcmp(name, ancestor, ancestor_len) == 0;
}
