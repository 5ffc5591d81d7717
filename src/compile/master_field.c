#include "compile/master_field.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/cursor.h"
#include "compile/master_svcb.h"
#include "compile/master_type.h"
#include "compile/master_word.h"

#define RDATA_MAX      65535
#define TEXT_FIELD_MAX 65000 /* octets of text that ldns' converters of several words can hold */

/* A NUL-terminated copy of `len` octets; its storage is scratch. */
static const char *copy_text(struct buf *scratch, const char *text, size_t len)
{
	scratch->len = 0;
	buf_append(scratch, text, len);
	buf_append(scratch, "", 1);
	return (const char *)scratch->data;
}

/* --- one field, one token --------------------------------------------------------------------- */

static bool put_number(struct master_rdata *rdata, size_t index, unsigned octets)
{
	const struct master_token *token = &rdata->tokens[index];
	uint64_t max = (UINT64_C(1) << 8 * octets) - 1, value;
	uint8_t wire[4];

	if (!master_number_parse(token->text, token->len, max, &value))
		return master_rdata_bad(rdata, index, "\"%.*s\" is not a number from 0 to %llu",
					master_token_shown(token), token->text,
					(unsigned long long)max);
	for (unsigned i = 0; i < octets; i++)
		wire[i] = (uint8_t)(value >> 8 * (octets - 1 - i));
	buf_append(rdata->out, wire, octets);
	return true;
}

static bool put_type(struct master_rdata *rdata, size_t index)
{
	const struct master_token *token = &rdata->tokens[index];
	uint8_t wire[2];

	store_u16(wire, master_type_parse(token));
	if (load_u16(wire) == 0)
		return master_rdata_bad(rdata, index, "unknown type \"%.*s\"",
					master_token_shown(token), token->text);
	buf_append(rdata->out, wire, sizeof(wire));
	return true;
}

static bool put_period(struct master_rdata *rdata, size_t index)
{
	const struct master_token *token = &rdata->tokens[index];
	uint32_t seconds;
	uint8_t wire[4];

	if (!master_ttl_parse(token->text, token->len, &seconds))
		return master_rdata_bad(rdata, index,
					"\"%.*s\" is not a time in seconds (or like 1h30m, 2d, 1w)",
					master_token_shown(token), token->text);
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
		return master_rdata_bad(rdata, index, "\"%.*s\" is not a domain name: %s",
					master_token_shown(token), token->text, reason);
	if (token->len == 1 && *token->text == '@') {
		buf_append(rdata->out, lower.wire, lower.len);
		return true;
	}
	text = copy_text(rdata->text, token->text, token->len);
	if (ldns_str2rdf_dname(&rdf, text) != LDNS_STATUS_OK)
		return master_rdata_bad(rdata, index, "\"%.*s\" is not a domain name",
					master_token_shown(token), token->text);
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
const char *master_field_noun(ldns_rdf_type field)
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

/* ldns takes any degree and any prefix length. */
static bool in_range(ldns_rdf_type field, const ldns_rdf *rdf)
{
	const uint8_t *data = ldns_rdf_data(rdf);

	switch (field) {
	case LDNS_RDF_TYPE_LOC: { /* RFC 1876, 2: thousandths of a second from the middle */
		int64_t latitude = (int64_t)load_u32(data + 4) - INT64_C(0x80000000);
		int64_t longitude = (int64_t)load_u32(data + 8) - INT64_C(0x80000000);

		return llabs(latitude) <= INT64_C(90) * 3600000 &&
		       llabs(longitude) <= INT64_C(180) * 3600000;
	}
	case LDNS_RDF_TYPE_APL: /* RFC 3123, 4 */
		return data[2] <= (load_u16(data) == 1 ? 32 : 128);
	default: return true;
	}
}

static bool put_converted(struct master_rdata *rdata, size_t index, ldns_rdf_type field,
			  const char *text)
{
	const struct master_token *token = &rdata->tokens[index];
	ldns_rdf *rdf = ldns_rdf_new_frm_str(field, text);

	if (rdf == NULL || !in_range(field, rdf)) {
		ldns_rdf_deep_free(rdf); /* NULL is fine */
		return master_rdata_bad(rdata, index, "\"%.*s\" is not %s",
					master_token_shown(token), token->text,
					master_field_noun(field));
	}
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
	case LDNS_RDF_TYPE_TYPE: return put_type(rdata, index);
	default: break;
	}
	return put_converted(rdata, index, field, copy_text(rdata->text, token->text, token->len));
}

/* --- one field, several tokens ------------------------------------------------------------------ */

/* These take all that follows when they are the last field (RFC 1035 lets nobody put blanks into
 * a field; base64 and the like do it all the same). HIP, in ldns, is one field of three words. */
size_t master_field_tokens(ldns_rdf_type field, bool last, size_t left)
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
size_t master_field_find_bad(const struct master_rdata *rdata, size_t index, size_t end,
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

/* RFC 8777, 4.3: precedence, discovery, type of relay, relay. (ldns leaks a relay's name.) */
static bool put_amtrelay(struct master_rdata *rdata, size_t index, size_t end)
{
	static const ldns_rdf_type relays[] = { LDNS_RDF_TYPE_NONE, LDNS_RDF_TYPE_A,
						LDNS_RDF_TYPE_AAAA, LDNS_RDF_TYPE_DNAME };
	const struct master_token *tokens = &rdata->tokens[index];
	uint64_t discovery, type;

	if (end - index != 4)
		return master_rdata_bad(rdata, index,
					"AMTRELAY records hold precedence, discovery, type of "
					"relay and relay");
	if (!put_number(rdata, index, 1))
		return false;
	if (!master_number_parse(tokens[1].text, tokens[1].len, 1, &discovery))
		return master_rdata_bad(rdata, index + 1, "discovery is 0 or 1");
	if (!master_number_parse(tokens[2].text, tokens[2].len, 3, &type))
		return master_rdata_bad(rdata, index + 2, "the type of relay is 0 to 3");
	buf_append(rdata->out, &(uint8_t){ (uint8_t)(discovery << 7 | type) }, 1);
	if (type != 0)
		return put_token(rdata, index + 3, relays[type]);
	return (tokens[3].len == 1 && *tokens[3].text == '.') ||
	       master_rdata_bad(rdata, index + 3, "no relay is written as a dot");
}

/* ldns takes the name inside this field as absolute: complete it. */
static bool append_gateway(struct master_rdata *rdata, size_t index)
{
	const struct master_token *token = &rdata->tokens[index];
	char text[NAME_TEXT_SIZE];
	const char *reason = "";
	struct name name;

	if (!name_parse(token->text, token->len, rdata->origin, &name, &reason))
		return master_rdata_bad(rdata, index, "\"%.*s\" is not a domain name: %s",
					master_token_shown(token), token->text, reason);
	buf_append(rdata->text, " ", 1);
	(void)name_format(name.wire, text);
	buf_append(rdata->text, text, strlen(text));
	return true;
}

/* IPSECKEY (RFC 4025): precedence, gateway type, algorithm, gateway. Type 3: a domain name. */
static bool is_gateway_name(const struct master_rdata *rdata, size_t index, ldns_rdf_type field)
{
	return index == 3 && field == LDNS_RDF_TYPE_IPSECKEY && rdata->tokens[1].len == 1 &&
	       *rdata->tokens[1].text == '3';
}

static bool put_tokens(struct master_rdata *rdata, size_t index, size_t end, ldns_rdf_type field)
{
	bool joined = field == LDNS_RDF_TYPE_HEX || field == LDNS_RDF_TYPE_B64;
	size_t bad = master_field_find_bad(rdata, index, end, field);

	if (bad < end)
		return master_rdata_bad(
			rdata, bad, "\"%.*s\" is not %s", master_token_shown(&rdata->tokens[bad]),
			rdata->tokens[bad].text,
			field == LDNS_RDF_TYPE_NSEC ? "a type" : master_field_noun(field));
	rdata->text->len = 0;
	for (size_t i = index; i < end; i++) {
		if (field == LDNS_RDF_TYPE_NSEC)
			buf_format(rdata->text, i == index ? "TYPE%u" : " TYPE%u",
				   master_type_parse(&rdata->tokens[i]));
		else if (!is_gateway_name(rdata, i, field))
			append_token(rdata, i, i == index || joined ? '\0' : ' ');
		else if (!append_gateway(rdata, i))
			return false;
	}
	if (rdata->text->len > (joined ? 2 * RDATA_MAX : TEXT_FIELD_MAX))
		return master_rdata_bad(rdata, index, "more text than RDATA can hold");
	if (field == LDNS_RDF_TYPE_HEX && rdata->text->len % 2 != 0)
		return master_rdata_bad(rdata, end - 1, "an odd number of hexadecimal digits");
	buf_append(rdata->text, "", 1);
	return put_converted(rdata, index, field, (const char *)rdata->text->data);
}

bool master_field_put(struct master_rdata *rdata, size_t index, size_t end, ldns_rdf_type field)
{
	bool checked = field == LDNS_RDF_TYPE_B64 || field == LDNS_RDF_TYPE_HEX ||
		       field == LDNS_RDF_TYPE_NSEC;

	if (field == LDNS_RDF_TYPE_SVCPARAMS)
		return master_svcb_put(rdata, index, end);
	if (field == LDNS_RDF_TYPE_AMTRELAY)
		return put_amtrelay(rdata, index, end);
	if (end - index == 1 && !checked)
		return put_token(rdata, index, field);
	return put_tokens(rdata, index, end, field);
}
