#include "compile/master_rules.h"

#include <ctype.h>
#include <ldns/ldns.h>
#include <string.h>

#include "base/cursor.h"
#include "compile/master_field.h"
#include "compile/master_svcb.h"
#include "compile/master_word.h"
#include "wire/types.h"

/* --- digests ---------------------------------------------------------------------------------- */

/* The length that belongs to a number; 0: the number is not known, so any length. */
struct length {
	uint8_t number, octets;
};

static const struct length ds_lengths[] = { { 1, 20 }, { 2, 32 }, { 3, 32 }, { 4, 48 } };
static const struct length sshfp_lengths[] = { { 1, 20 }, { 2, 32 } };
static const struct length zonemd_lengths[] = { { 1, 48 }, { 2, 64 } };

static bool has_length(const struct length *rows, size_t count, uint8_t number, size_t octets)
{
	for (size_t i = 0; i < count; i++) {
		if (rows[i].number == number)
			return rows[i].octets == octets;
	}
	return true;
}

#define HAS_LENGTH(rows, number, octets) \
	has_length(rows, sizeof(rows) / sizeof((rows)[0]), number, octets)

static bool check_ds(const uint8_t *data, size_t len, const char **reason)
{
	*reason = "the digest has not the length of its type (SHA-1: 20 octets, SHA-256: 32, "
		  "SHA-384: 48)";
	return HAS_LENGTH(ds_lengths, data[3], len - 4);
}

static bool check_sshfp(const uint8_t *data, size_t len, const char **reason)
{
	*reason = "the fingerprint has not the length of its type (SHA-1: 20 octets, SHA-256: 32)";
	return HAS_LENGTH(sshfp_lengths, data[1], len - 2);
}

static bool check_zonemd(const uint8_t *data, size_t len, const char **reason)
{
	*reason = "the digest has not the length of its algorithm (SHA-384: 48 octets, SHA-512: "
		  "64; RFC 8976, section 2.2)";
	return len - 6 >= 12 && HAS_LENGTH(zonemd_lengths, data[5], len - 6);
}

/* --- text ------------------------------------------------------------------------------------- */

/* RFC 1183, 3.1: a country's code and the rest, digits all. */
static bool check_x25(const uint8_t *data, size_t len, const char **reason)
{
	*reason = "an X.25 address has four digits at least, and digits only";
	for (size_t i = 1; i < len; i++) {
		if (!isdigit(data[i]))
			return false;
	}
	return len > 4;
}

/* RFC 3402, 3.2: delimiter, expression, delimiter, replacement, delimiter, flags. */
static bool is_substitution(const uint8_t *text, size_t len)
{
	unsigned delimiters = 0;

	if (isdigit(*text) || *text == '\\' || *text == 'i' || *text == '\0')
		return false;
	for (size_t i = 0; i < len; i++) {
		if (text[i] == '\\')
			i++;
		else if (text[i] == *text)
			delimiters++;
		else if (delimiters == 3 && text[i] != 'i')
			return false;
	}
	return delimiters == 3;
}

static bool check_naptr(const uint8_t *data, size_t len, const char **reason)
{
	size_t at = 4;

	at += 1U + data[at]; /* flags */
	at += 1U + data[at]; /* services */
	(void)len;
	*reason = "the expression is written like !from!to! (RFC 3402, section 3.2)";
	return data[at] == 0 || is_substitution(data + at + 1, data[at]);
}

/* --- SVCB and HTTPS (RFC 9460) ------------------------------------------------------------------ */

/* The value of a parameter, NULL: it is not there. */
static const uint8_t *find_param(const uint8_t *params, size_t len, unsigned key, size_t *value_len)
{
	for (size_t at = 0; at + 4 <= len; at += 4U + *value_len) {
		*value_len = load_u16(params + at + 2);
		if (load_u16(params + at) == key)
			return params + at + 4;
	}
	return NULL;
}

/* Section 8. */
static bool check_mandatory(const uint8_t *params, size_t len)
{
	size_t size, other;
	const uint8_t *keys = find_param(params, len, SVC_MANDATORY, &size);
	unsigned last = SVC_MANDATORY; /* which must not name itself */

	if (keys == NULL)
		return true;
	for (size_t i = 0; i + 2 <= size; i += 2) {
		unsigned key = load_u16(keys + i);

		if (key <= last || find_param(params, len, key, &other) == NULL)
			return false;
		last = key;
	}
	return size >= 2;
}

static bool check_order(const uint8_t *params, size_t len)
{
	unsigned last = 0;

	for (size_t at = 0; at + 4 <= len; at += 4U + load_u16(params + at + 2)) {
		if (at > 0 && load_u16(params + at) <= last)
			return false;
		last = load_u16(params + at);
	}
	return true;
}

/* Items of 1 to 255 octets, each behind its length, and nothing else. */
static bool is_list(const uint8_t *value, size_t len)
{
	size_t at = 0;

	while (at < len && value[at] != 0)
		at += 1U + value[at];
	return at == len;
}

static bool has_form(unsigned key, const uint8_t *value, size_t len)
{
	switch (key) {
	case SVC_ALPN: return is_list(value, len);
	case SVC_NO_DEFAULT_ALPN: return len == 0;
	case SVC_PORT: return len == 2;
	case SVC_IPV4HINT: return len > 0 && len % 4 == 0;
	case SVC_IPV6HINT: return len > 0 && len % 16 == 0;
	default: return true;
	}
}

static bool check_svcb(const uint8_t *data, size_t len, const char **reason)
{
	size_t start = 2 + name_length(data + 2, len - 2), size;
	const uint8_t *params = data + start;

	len -= start;
	*reason = "a service parameter is given twice, or they are not in order (RFC 9460, "
		  "section 2.2)";
	if (!check_order(params, len))
		return false;
	*reason = "mandatory lists keys that the record has, each once, and not itself (RFC 9460, "
		  "section 8)";
	if (!check_mandatory(params, len))
		return false;
	*reason = "alpn has no value (RFC 9460, section 7.1)";
	if (find_param(params, len, SVC_ALPN, &size) != NULL && size == 0)
		return false;
	*reason = "no-default-alpn stands without alpn (RFC 9460, section 7.1.1)";
	if (find_param(params, len, SVC_NO_DEFAULT_ALPN, &size) != NULL &&
	    find_param(params, len, SVC_ALPN, &size) == NULL)
		return false;
	*reason = "a service parameter has a value of the wrong form (RFC 9460, section 7)";
	for (size_t at = 0; at + 4 <= len; at += 4U + load_u16(params + at + 2)) {
		if (!has_form(load_u16(params + at), params + at + 4, load_u16(params + at + 2)))
			return false;
	}
	return true;
}

/* --- LOC (RFC 1876, 3) and URI ------------------------------------------------------------------ */

static bool is_direction(const struct master_token *token, const char *letters)
{
	return token->len == 1 && strchr(letters, toupper((unsigned char)*token->text)) != NULL;
}

/* "d [m [s[.f]]] {N|S}" at *index, which then is behind it. */
static bool check_angle(struct master_rdata *rdata, size_t *index, const char *letters)
{
	size_t first = *index;

	while (*index < rdata->count && !is_direction(&rdata->tokens[*index], letters)) {
		const struct master_token *token = &rdata->tokens[*index];
		uint64_t number;
		size_t digits = 0;

		while (digits < token->len && isdigit((unsigned char)token->text[digits]))
			digits++;
		if (*index - first > 2 ||
		    !master_number_parse(token->text, digits, *index == first ? 180 : 59, &number))
			return master_rdata_bad(rdata, *index,
						"\"%.*s\" is not part of an angle like 51 30 12.7",
						master_token_shown(token), token->text);
		++*index;
	}
	++*index;
	return true;
}

static bool check_loc_words(struct master_rdata *rdata)
{
	size_t index = 0;

	if (!check_angle(rdata, &index, "NS") || !check_angle(rdata, &index, "EW"))
		return false;
	if (index >= rdata->count)
		return master_rdata_bad(rdata, rdata->count,
					"LOC records go on here: the altitude is missing");
	return true;
}

/* RFC 7553, 4.4: "enclosed in double-quote characters"; without them what follows a semicolon
 * would be a comment. */
static bool check_uri_words(struct master_rdata *rdata)
{
	if (rdata->count == 3 && !rdata->tokens[2].quoted)
		return master_rdata_bad(rdata, 2, "a URI stands in quotes (RFC 7553, section 4.4)");
	return true;
}

/* --- all types --------------------------------------------------------------------------------- */

bool master_rules_words(struct master_rdata *rdata)
{
	switch (rdata->type) {
	case LDNS_RR_TYPE_LOC: return check_loc_words(rdata);
	case LDNS_RR_TYPE_URI: return check_uri_words(rdata);
	default: return true;
	}
}

bool master_rules_data(uint16_t type, const uint8_t *data, size_t len, const char **reason)
{
	switch (type) {
	case TYPE_DS:
	case LDNS_RR_TYPE_CDS:
	case LDNS_RR_TYPE_DLV: return check_ds(data, len, reason);
	case LDNS_RR_TYPE_SSHFP: return check_sshfp(data, len, reason);
	case LDNS_RR_TYPE_ZONEMD: return check_zonemd(data, len, reason);
	case LDNS_RR_TYPE_X25: return check_x25(data, len, reason);
	case LDNS_RR_TYPE_NAPTR: return check_naptr(data, len, reason);
	case TYPE_SVCB:
	case TYPE_HTTPS: return check_svcb(data, len, reason);
	default: return true;
	}
}
