#include "compile/master_rdata.h"

#include <ctype.h>
#include <ldns/ldns.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define RDATA_MAX      65535
#define SHOWN_MAX      60    /* octets of an offending token in a message */
#define TEXT_FIELD_MAX 65000 /* octets of text that ldns' converters of several words can hold */

static bool bad_field(struct master_rdata *rdata, size_t index, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

static bool bad_field(struct master_rdata *rdata, size_t index, const char *format, ...)
{
	va_list args;

	rdata->bad = index;
	va_start(args, format);
	(void)vsnprintf(rdata->message, sizeof(rdata->message), format, args);
	va_end(args);
	return false;
}

/* For "%.*s". */
static int shown(const struct master_token *token)
{
	return token->len < SHOWN_MAX ? (int)token->len : SHOWN_MAX;
}

static const char *type_name(uint16_t type, char text[16])
{
	const ldns_rr_descriptor *row = ldns_rr_descript(type);

	if (row != NULL && row->_type == type && type != 0)
		return row->_name;
	(void)snprintf(text, 16, "TYPE%u", type);
	return text;
}

/* --- words ------------------------------------------------------------------------------------ */

/* A NUL-terminated copy of `len` octets; its storage is scratch. */
static const char *copy_text(struct buf *scratch, const char *text, size_t len)
{
	scratch->len = 0;
	buf_append(scratch, text, len);
	buf_append(scratch, "", 1);
	return (const char *)scratch->data;
}

static bool number_parse(const char *text, size_t len, uint64_t max, uint64_t *value)
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

uint16_t master_type_parse(const struct master_token *token)
{
	char name[32];
	uint64_t number;

	if (token->len >= sizeof(name) || token->quoted)
		return 0;
	memcpy(name, token->text, token->len);
	name[token->len] = '\0';
	if (strncasecmp(name, "TYPE", 4) == 0)
		return number_parse(name + 4, token->len - 4U, UINT16_MAX, &number)
			       ? (uint16_t)number
			       : 0;
	return (uint16_t)ldns_get_rr_type_by_name(name);
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

	if (number_parse(text, len, UINT32_MAX, &number)) {
		*ttl_s = (uint32_t)number;
		return true;
	}
	for (; len > 0; text += digits + 1, len -= digits + 1) {
		digits = 0;
		while (digits < len && text[digits] >= '0' && text[digits] <= '9')
			digits++;
		if (digits == len || !number_parse(text, digits, UINT32_MAX, &number) ||
		    unit_seconds(text[digits]) == 0)
			return false;
		sum += number * unit_seconds(text[digits]);
		if (sum > UINT32_MAX)
			return false;
	}
	*ttl_s = (uint32_t)sum;
	return true;
}

/* --- one field, one token --------------------------------------------------------------------- */

static bool put_number(struct master_rdata *rdata, size_t index, unsigned octets)
{
	const struct master_token *token = &rdata->tokens[index];
	uint64_t max = (UINT64_C(1) << 8 * octets) - 1, value;
	uint8_t wire[4];

	if (!number_parse(token->text, token->len, max, &value))
		return bad_field(rdata, index, "\"%.*s\" is not a number from 0 to %llu",
				 shown(token), token->text, (unsigned long long)max);
	for (unsigned i = 0; i < octets; i++)
		wire[i] = (uint8_t)(value >> 8 * (octets - 1 - i));
	buf_append(rdata->out, wire, octets);
	return true;
}

static bool put_period(struct master_rdata *rdata, size_t index)
{
	const struct master_token *token = &rdata->tokens[index];
	uint32_t seconds;
	uint8_t wire[4];

	if (!master_ttl_parse(token->text, token->len, &seconds))
		return bad_field(rdata, index,
				 "\"%.*s\" is not a time in seconds (or like 1h30m, 2d, 1w)",
				 shown(token), token->text);
	ldns_write_uint32(wire, seconds);
	buf_append(rdata->out, wire, sizeof(wire));
	return true;
}

/* ldns keeps the case of names in RDATA, name_parse says best what is wrong with one. */
static bool put_name(struct master_rdata *rdata, size_t index)
{
	const struct master_token *token = &rdata->tokens[index];
	const char *text, *reason = "not a name";
	struct name lower;
	ldns_rdf *rdf = NULL;

	if (!name_parse(token->text, token->len, rdata->origin, &lower, &reason))
		return bad_field(rdata, index, "\"%.*s\" is not a domain name: %s", shown(token),
				 token->text, reason);
	if (token->len == 1 && *token->text == '@') {
		buf_append(rdata->out, lower.wire, lower.len);
		return true;
	}
	text = copy_text(rdata->text, token->text, token->len);
	if (ldns_str2rdf_dname(&rdf, text) != LDNS_STATUS_OK)
		return bad_field(rdata, index, "\"%.*s\" is not a domain name", shown(token),
				 token->text);
	if (ldns_dname_str_absolute(text)) {
		buf_append(rdata->out, ldns_rdf_data(rdf), ldns_rdf_size(rdf));
	} else { /* without the root's octet; name_parse has found that both together fit */
		buf_append(rdata->out, ldns_rdf_data(rdf), ldns_rdf_size(rdf) - 1);
		buf_append(rdata->out, rdata->origin->wire, rdata->origin->len);
	}
	ldns_rdf_deep_free(rdf);
	return true;
}

/* What a field wants, for "is not ...". */
static const char *field_noun(ldns_rdf_type field)
{
	static const struct {
		ldns_rdf_type field;
		const char *noun;
	} rows[] = {
		{ LDNS_RDF_TYPE_A, "an IPv4 address" },
		{ LDNS_RDF_TYPE_AAAA, "an IPv6 address" },
		{ LDNS_RDF_TYPE_STR, "a string of at most 255 octets" },
		{ LDNS_RDF_TYPE_LONG_STR, "a string" },
		{ LDNS_RDF_TYPE_APL, "an address prefix like 1:192.0.2.0/24" },
		{ LDNS_RDF_TYPE_B32_EXT, "base32hex" },
		{ LDNS_RDF_TYPE_NSEC3_NEXT_OWNER, "base32hex" },
		{ LDNS_RDF_TYPE_B64, "base64" },
		{ LDNS_RDF_TYPE_HEX, "an even number of hexadecimal digits" },
		{ LDNS_RDF_TYPE_NSEC3_SALT, "a salt in hexadecimal digits, or -" },
		{ LDNS_RDF_TYPE_NSEC, "a list of types" },
		{ LDNS_RDF_TYPE_TYPE, "a type" },
		{ LDNS_RDF_TYPE_CLASS, "a class" },
		{ LDNS_RDF_TYPE_CERT_ALG, "a certificate type" },
		{ LDNS_RDF_TYPE_ALG, "a DNSSEC algorithm" },
		{ LDNS_RDF_TYPE_TIME, "a time like 20261231235959" },
		{ LDNS_RDF_TYPE_LOC, "a location like 51 30 12.7 N 0 7 39.6 W 10m" },
		{ LDNS_RDF_TYPE_WKS, "a protocol and its services" },
		{ LDNS_RDF_TYPE_IPSECKEY, "precedence, gateway type, algorithm, gateway and key" },
		{ LDNS_RDF_TYPE_HIP, "an algorithm, a HIT and a key" },
		{ LDNS_RDF_TYPE_ILNP64, "four groups of hexadecimal digits like 2001:db8:0:1" },
		{ LDNS_RDF_TYPE_EUI48, "an EUI-48 like 00-00-5e-00-53-2a" },
		{ LDNS_RDF_TYPE_EUI64, "an EUI-64 like 00-00-5e-ef-10-00-00-2a" },
		{ LDNS_RDF_TYPE_TAG, "a tag of letters and digits" },
		{ LDNS_RDF_TYPE_SVCPARAMS, "a list of service parameters like alpn=h2 port=443" },
		{ LDNS_RDF_TYPE_AMTRELAY, "precedence, discovery, relay type and relay" },
		{ LDNS_RDF_TYPE_DNAME, "a domain name" },
		{ LDNS_RDF_TYPE_INT8, "a number" },
		{ LDNS_RDF_TYPE_INT16, "a number" },
		{ LDNS_RDF_TYPE_INT32, "a number" },
		{ LDNS_RDF_TYPE_PERIOD, "a time in seconds" },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (rows[i].field == field)
			return rows[i].noun;
	}
	return "valid here";
}

static bool put_converted(struct master_rdata *rdata, size_t index, ldns_rdf_type field,
			  const char *text)
{
	const struct master_token *token = &rdata->tokens[index];
	ldns_rdf *rdf = ldns_rdf_new_frm_str(field, text);

	if (rdf == NULL)
		return bad_field(rdata, index, "\"%.*s\" is not %s", shown(token), token->text,
				 field_noun(field));
	buf_append(rdata->out, ldns_rdf_data(rdf), ldns_rdf_size(rdf));
	ldns_rdf_deep_free(rdf);
	return true;
}

/* Fields that hold a mnemonic or its number: octets of the number, 0: another field. ldns takes
 * any number there. */
static unsigned mnemonic_octets(ldns_rdf_type field)
{
	switch (field) {
	case LDNS_RDF_TYPE_ALG:
	case LDNS_RDF_TYPE_CERTIFICATE_USAGE:
	case LDNS_RDF_TYPE_SELECTOR:
	case LDNS_RDF_TYPE_MATCHING_TYPE: return 1;
	case LDNS_RDF_TYPE_CERT_ALG: return 2;
	default: return 0;
	}
}

static bool put_token(struct master_rdata *rdata, size_t index, ldns_rdf_type field)
{
	const struct master_token *token = &rdata->tokens[index];

	if (mnemonic_octets(field) != 0 && token->len > 0 && isdigit((unsigned char)*token->text))
		return put_number(rdata, index, mnemonic_octets(field));
	switch (field) {
	case LDNS_RDF_TYPE_INT8: return put_number(rdata, index, 1);
	case LDNS_RDF_TYPE_INT16: return put_number(rdata, index, 2);
	case LDNS_RDF_TYPE_INT32: return put_number(rdata, index, 4);
	case LDNS_RDF_TYPE_PERIOD: return put_period(rdata, index);
	case LDNS_RDF_TYPE_DNAME: return put_name(rdata, index);
	case LDNS_RDF_TYPE_TYPE:
		if (master_type_parse(token) == 0)
			return bad_field(rdata, index, "unknown type \"%.*s\"", shown(token),
					 token->text);
		break;
	default: break;
	}
	return put_converted(rdata, index, field, copy_text(rdata->text, token->text, token->len));
}

/* --- one field, several tokens ------------------------------------------------------------------ */

/* These take all that follows when they are the last field (RFC 1035 lets nobody put blanks into
 * a field; base64 and the like do it all the same). HIP, in ldns, is one field of three words. */
static size_t field_tokens(ldns_rdf_type field, bool last, size_t left)
{
	switch (field) {
	case LDNS_RDF_TYPE_HIP: return left < 3 ? left : 3;
	case LDNS_RDF_TYPE_B64:
	case LDNS_RDF_TYPE_HEX:
	case LDNS_RDF_TYPE_NSEC:
	case LDNS_RDF_TYPE_LOC:
	case LDNS_RDF_TYPE_WKS:
	case LDNS_RDF_TYPE_IPSECKEY:
	case LDNS_RDF_TYPE_AMTRELAY:
	case LDNS_RDF_TYPE_SVCPARAMS: return last ? left : 1;
	default: return 1;
	}
}

static bool is_hex(const struct master_token *token)
{
	for (uint32_t i = 0; i < token->len; i++) {
		if (!isxdigit((unsigned char)token->text[i]))
			return false;
	}
	return true;
}

static bool is_base64(const struct master_token *token)
{
	for (uint32_t i = 0; i < token->len; i++) {
		if (!isalnum((unsigned char)token->text[i]) &&
		    strchr("+/=-", token->text[i]) == NULL)
			return false;
	}
	return true;
}

/* The token that is wrong by itself; `end`: none. */
static size_t find_bad_token(const struct master_rdata *rdata, size_t index, size_t end,
			     ldns_rdf_type field)
{
	for (; index < end; index++) {
		const struct master_token *token = &rdata->tokens[index];

		if (field == LDNS_RDF_TYPE_HEX && !is_hex(token))
			break;
		if (field == LDNS_RDF_TYPE_B64 && !is_base64(token))
			break;
		if (field == LDNS_RDF_TYPE_NSEC && master_type_parse(token) == 0)
			break;
	}
	return index;
}

static void append_token(struct master_rdata *rdata, size_t index, char separator)
{
	const struct master_token *token = &rdata->tokens[index];

	if (separator != '\0')
		buf_append(rdata->text, &separator, 1);
	if (token->quoted)
		buf_append(rdata->text, "\"", 1);
	buf_append(rdata->text, token->text, token->len);
	if (token->quoted)
		buf_append(rdata->text, "\"", 1);
}

/* ldns takes the names inside these fields as absolute: complete them. */
static bool append_gateway(struct master_rdata *rdata, size_t index)
{
	const struct master_token *token = &rdata->tokens[index];
	char text[NAME_TEXT_SIZE];
	const char *reason = "";
	struct name name;

	if (!name_parse(token->text, token->len, rdata->origin, &name, &reason))
		return bad_field(rdata, index, "\"%.*s\" is not a domain name: %s", shown(token),
				 token->text, reason);
	buf_append(rdata->text, " ", 1);
	(void)name_format(name.wire, text);
	buf_append(rdata->text, text, strlen(text));
	return true;
}

/* IPSECKEY (RFC 4025): precedence, gateway type, algorithm, gateway; AMTRELAY (RFC 8777):
 * precedence, discovery, type, relay. Type 3: a domain name. */
static bool is_gateway_name(const struct master_rdata *rdata, size_t index, ldns_rdf_type field)
{
	size_t type = field == LDNS_RDF_TYPE_IPSECKEY ? 1 : 2;

	if (index != 3 || (field != LDNS_RDF_TYPE_IPSECKEY && field != LDNS_RDF_TYPE_AMTRELAY))
		return false;
	return rdata->tokens[type].len == 1 && *rdata->tokens[type].text == '3';
}

static bool put_tokens(struct master_rdata *rdata, size_t index, size_t end, ldns_rdf_type field)
{
	bool joined = field == LDNS_RDF_TYPE_HEX || field == LDNS_RDF_TYPE_B64;
	size_t bad = find_bad_token(rdata, index, end, field);

	if (bad < end)
		return bad_field(rdata, bad, "\"%.*s\" is not %s", shown(&rdata->tokens[bad]),
				 rdata->tokens[bad].text,
				 field == LDNS_RDF_TYPE_NSEC ? "a type" : field_noun(field));
	rdata->text->len = 0;
	for (size_t i = index; i < end; i++) {
		if (!is_gateway_name(rdata, i, field))
			append_token(rdata, i, i == index || joined ? '\0' : ' ');
		else if (!append_gateway(rdata, i))
			return false;
	}
	if (rdata->text->len > (joined ? 2 * RDATA_MAX : TEXT_FIELD_MAX))
		return bad_field(rdata, index, "more text than RDATA can hold");
	if (field == LDNS_RDF_TYPE_HEX && rdata->text->len % 2 != 0)
		return bad_field(rdata, end - 1, "an odd number of hexadecimal digits");
	buf_append(rdata->text, "", 1);
	return put_converted(rdata, index, field, (const char *)rdata->text->data);
}

/* --- RFC 3597, 5: \# length hex ... ------------------------------------------------------------- */

static bool is_generic(const struct master_rdata *rdata)
{
	return rdata->count > 0 && !rdata->tokens[0].quoted && rdata->tokens[0].len == 2 &&
	       memcmp(rdata->tokens[0].text, "\\#", 2) == 0;
}

/* Is this what a record of a known type holds? ldns reads it, and what it read must be the same
 * octets again: so nothing is left over, and no name is compressed. */
static bool is_valid_wire(uint16_t type, const uint8_t *data, size_t len)
{
	const ldns_rr_descriptor *row = ldns_rr_descript(type);
	uint8_t *wire = mem_alloc(len + 2);
	ldns_rr *rr = ldns_rr_new();
	size_t pos = 0, same = 0;
	bool valid;

	ldns_write_uint16(wire, (uint16_t)len);
	if (len > 0)
		memcpy(wire + 2, data, len);
	ldns_rr_set_type(rr, type);
	valid = ldns_wire2rdf(rr, wire, len + 2, &pos) == LDNS_STATUS_OK;
	for (size_t i = 0; valid && i < ldns_rr_rd_count(rr); i++) {
		const ldns_rdf *rdf = ldns_rr_rdf(rr, i);

		if (ldns_rdf_size(rdf) > len - same ||
		    memcmp(wire + 2 + same, ldns_rdf_data(rdf), ldns_rdf_size(rdf)) != 0)
			valid = false;
		else
			same += ldns_rdf_size(rdf);
	}
	valid = valid && same == len && ldns_rr_rd_count(rr) >= ldns_rr_descriptor_minimum(row);
	ldns_rr_free(rr);
	free(wire);
	return valid;
}

static void put_hex(struct master_rdata *rdata)
{
	unsigned value = 0;
	bool high = true;

	for (size_t i = 2; i < rdata->count; i++) {
		for (uint32_t k = 0; k < rdata->tokens[i].len; k++) {
			value = value << 4 |
				(unsigned)ldns_hexdigit_to_int(rdata->tokens[i].text[k]);
			if (!high)
				buf_append(rdata->out, &(uint8_t){ (uint8_t)value }, 1);
			high = !high;
		}
	}
}

static bool parse_generic(struct master_rdata *rdata, bool known)
{
	size_t digits = 0, start = rdata->out->len, bad;
	uint64_t len;

	if (rdata->count < 2)
		return bad_field(rdata, rdata->count,
				 "after \\# the length of the RDATA is missing");
	if (!number_parse(rdata->tokens[1].text, rdata->tokens[1].len, RDATA_MAX, &len))
		return bad_field(rdata, 1, "\"%.*s\" is not a length from 0 to 65535",
				 shown(&rdata->tokens[1]), rdata->tokens[1].text);
	bad = find_bad_token(rdata, 2, rdata->count, LDNS_RDF_TYPE_HEX);
	if (bad < rdata->count)
		return bad_field(rdata, bad, "\"%.*s\" is not hexadecimal",
				 shown(&rdata->tokens[bad]), rdata->tokens[bad].text);
	for (size_t i = 2; i < rdata->count; i++)
		digits += rdata->tokens[i].len;
	if (digits != 2 * len)
		return bad_field(rdata, 1, "the length is %llu octets, but %zu digits follow",
				 (unsigned long long)len, digits);
	put_hex(rdata);
	if (known && !is_valid_wire(rdata->type, rdata->out->data + start, (size_t)len))
		return bad_field(rdata, 0, "these octets are not the RDATA of this type");
	return true;
}

/* --- all fields ------------------------------------------------------------------------------- */

static bool parse_fields(struct master_rdata *rdata, const ldns_rr_descriptor *row)
{
	size_t min = ldns_rr_descriptor_minimum(row), max = ldns_rr_descriptor_maximum(row);
	size_t index = 0, field = 0;
	char name[16];

	for (; field < max && index < rdata->count; field++) {
		ldns_rdf_type kind = ldns_rr_descriptor_field_type(row, field);
		size_t used = field_tokens(kind, field == max - 1, rdata->count - index);
		bool ok = used == 1 && kind != LDNS_RDF_TYPE_B64 && kind != LDNS_RDF_TYPE_HEX &&
					  kind != LDNS_RDF_TYPE_NSEC
				  ? put_token(rdata, index, kind)
				  : put_tokens(rdata, index, index + used, kind);

		if (!ok)
			return false;
		index += used;
	}
	if (index < rdata->count)
		return bad_field(rdata, index, "\"%.*s\" is more than %s records hold",
				 shown(&rdata->tokens[index]), rdata->tokens[index].text,
				 type_name(rdata->type, name));
	if (field < min)
		return bad_field(rdata, rdata->count, "%s records go on here: %s is missing",
				 type_name(rdata->type, name),
				 field_noun(ldns_rr_descriptor_field_type(row, field)));
	return true;
}

bool master_rdata_parse(struct master_rdata *rdata)
{
	const ldns_rr_descriptor *row = ldns_rr_descript(rdata->type);
	bool known = row != NULL && row->_type == rdata->type &&
		     ldns_rr_descriptor_field_type(row, 0) != LDNS_RDF_TYPE_UNKNOWN;
	size_t start = rdata->out->len;
	char name[16];

	if (is_generic(rdata)) {
		if (!parse_generic(rdata, known))
			return false;
	} else if (!known) {
		return bad_field(rdata, 0,
				 "%s records are written as \\# length hexadecimal (RFC 3597)",
				 type_name(rdata->type, name));
	} else if (!parse_fields(rdata, row)) {
		return false;
	}
	if (rdata->out->len - start > RDATA_MAX)
		return bad_field(rdata, 0, "more than 65535 octets of RDATA");
	return true;
}
