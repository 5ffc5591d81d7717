#include "compile/master_svcb.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <ldns/ldns.h>
#include <stdlib.h>
#include <string.h>

#include "base/cursor.h"
#include "compile/master_field.h"
#include "compile/master_word.h"

#define ITEM_MAX 255

static const char *const key_names[] = {
	[SVC_MANDATORY] = "mandatory",
	[SVC_ALPN] = "alpn",
	[SVC_NO_DEFAULT_ALPN] = "no-default-alpn",
	[SVC_PORT] = "port",
	[SVC_IPV4HINT] = "ipv4hint",
	[SVC_ECH] = "ech",
	[SVC_IPV6HINT] = "ipv6hint",
	[SVC_DOHPATH] = "dohpath",
};

#define KEY_NAMES (sizeof(key_names) / sizeof(key_names[0]))

/* One parameter on its way from its word to the wire. */
struct param {
	uint16_t key;
	bool numbered;    /* written key123: the value is the wire's, whatever the key means */
	bool has_value;   /* there is an equals sign */
	struct buf value; /* its text without escapes, then its wire form */
};

/* --- keys --------------------------------------------------------------------------------------- */

/* key123, without zeros before. */
static bool parse_number(const char *text, size_t len, uint16_t *key)
{
	uint64_t number;

	if (len < 4 || memcmp(text, "key", 3) != 0 || (text[3] == '0' && len > 4) ||
	    !master_number_parse(text + 3, len - 3, UINT16_MAX, &number))
		return false;
	*key = (uint16_t)number;
	return true;
}

static bool parse_key(const char *text, size_t len, uint16_t *key, bool *numbered)
{
	for (size_t i = 0; i < KEY_NAMES; i++) {
		if (strlen(key_names[i]) == len && memcmp(key_names[i], text, len) == 0) {
			*key = (uint16_t)i;
			*numbered = false;
			return true;
		}
	}
	*numbered = true;
	return parse_number(text, len, key);
}

/* --- values ------------------------------------------------------------------------------------- */

/* RFC 1035, 5.1: \ddd and \c. false: an escape that is none. */
static bool unescape(struct buf *out, const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		uint8_t octet = (uint8_t)text[i];
		uint64_t number;

		if (octet == '\\' && i + 1 < len && isdigit((unsigned char)text[i + 1])) {
			if (i + 3 >= len || !master_number_parse(text + i + 1, 3, 255, &number))
				return false;
			octet = (uint8_t)number;
			i += 3;
		} else if (octet == '\\') {
			if (++i == len)
				return false;
			octet = (uint8_t)text[i];
		}
		buf_append(out, &octet, 1);
	}
	return true;
}

typedef bool put_item_fn(struct buf *out, const char *item, size_t len);

/* RFC 9460, appendix A.1: items between commas; "\," and "\\" are octets of an item. */
static bool put_list(struct buf *out, const struct buf *text, put_item_fn *put)
{
	const char *from = (const char *)text->data;
	char item[ITEM_MAX + 1];
	size_t len = 0;

	for (size_t i = 0; i <= text->len; i++) {
		if (i == text->len || from[i] == ',') {
			item[len] = '\0';
			if (len == 0 || !put(out, item, len))
				return false;
			len = 0;
			continue;
		}
		if (from[i] == '\\' && ++i == text->len)
			return false;
		if (len == ITEM_MAX)
			return false;
		item[len++] = from[i];
	}
	return true;
}

static bool put_alpn(struct buf *out, const char *item, size_t len)
{
	buf_append(out, &(uint8_t){ (uint8_t)len }, 1);
	buf_append(out, item, len);
	return true;
}

static bool put_key(struct buf *out, const char *item, size_t len)
{
	uint8_t wire[2];
	uint16_t key;
	bool numbered;

	if (!parse_key(item, len, &key, &numbered))
		return false;
	store_u16(wire, key);
	buf_append(out, wire, sizeof(wire));
	return true;
}

static bool put_ipv4(struct buf *out, const char *item, size_t len)
{
	uint8_t wire[4];

	if (strlen(item) != len || inet_pton(AF_INET, item, wire) != 1)
		return false;
	buf_append(out, wire, sizeof(wire));
	return true;
}

static bool put_ipv6(struct buf *out, const char *item, size_t len)
{
	uint8_t wire[16];

	if (strlen(item) != len || inet_pton(AF_INET6, item, wire) != 1)
		return false;
	buf_append(out, wire, sizeof(wire));
	return true;
}

static bool put_port(struct buf *out, const struct buf *text)
{
	uint8_t wire[2];
	uint64_t port;

	if (!master_number_parse((const char *)text->data, text->len, UINT16_MAX, &port))
		return false;
	store_u16(wire, (uint16_t)port);
	buf_append(out, wire, sizeof(wire));
	return true;
}

static bool put_base64(struct buf *out, struct buf *text)
{
	ldns_rdf *rdf;

	if (text->len == 0)
		return true;
	buf_append(text, "", 1);
	rdf = ldns_rdf_new_frm_str(LDNS_RDF_TYPE_B64, (const char *)text->data);
	if (rdf == NULL)
		return false;
	buf_append(out, ldns_rdf_data(rdf), ldns_rdf_size(rdf));
	ldns_rdf_deep_free(rdf);
	return true;
}

static int compare_keys(const void *a, const void *b)
{
	return memcmp(a, b, 2);
}

/* Its keys, in ascending order (section 8). */
static bool put_mandatory(struct buf *out, const struct buf *text)
{
	if (!put_list(out, text, put_key))
		return false;
	qsort(out->data, out->len / 2, 2, compare_keys);
	return true;
}

static bool put_value(struct buf *out, const struct param *param, struct buf *text)
{
	if (param->numbered || param->key == SVC_DOHPATH) {
		buf_append(out, text->data, text->len);
		return true;
	}
	switch (param->key) {
	case SVC_MANDATORY: return put_mandatory(out, text);
	case SVC_ALPN: return put_list(out, text, put_alpn);
	case SVC_NO_DEFAULT_ALPN: return !param->has_value;
	case SVC_PORT: return put_port(out, text);
	case SVC_IPV4HINT: return put_list(out, text, put_ipv4);
	case SVC_IPV6HINT: return put_list(out, text, put_ipv6);
	default: return put_base64(out, text);
	}
}

/* --- parameters ----------------------------------------------------------------------------------- */

/* The value behind the equals sign, without its quotes. */
static bool parse_value(struct param *param, const char *value, size_t len)
{
	struct buf text = { 0 };
	bool good;

	if (len >= 2 && *value == '"' && value[len - 1] == '"') {
		value++;
		len -= 2;
	}
	good = unescape(&text, value, len) && put_value(&param->value, param, &text);
	buf_free(&text);
	return good;
}

static bool parse_param(struct master_rdata *rdata, size_t index, struct param *param)
{
	const struct master_token *token = &rdata->tokens[index];
	const char *equals = memchr(token->text, '=', token->len);
	size_t key_len = equals != NULL ? (size_t)(equals - token->text) : token->len;
	const char *value = equals != NULL ? equals + 1 : token->text + token->len;

	if (token->quoted)
		return master_rdata_bad(rdata, index,
					"a service parameter is written key=\"value\": only its "
					"value may stand in quotes");
	if (!parse_key(token->text, key_len, &param->key, &param->numbered))
		return master_rdata_bad(
			rdata, index,
			"\"%.*s\" is not a service parameter: mandatory, alpn, "
			"no-default-alpn, port, ipv4hint, ech, ipv6hint, dohpath or, "
			"by number, key123",
			key_len < 60 ? (int)key_len : 60, token->text);
	param->has_value = equals != NULL;
	if (!parse_value(param, value, token->len - (size_t)(value - token->text)) ||
	    param->value.len > UINT16_MAX)
		return master_rdata_bad(rdata, index,
					"\"%.*s\" has not the value that belongs to it",
					master_token_shown(token), token->text);
	return true;
}

static int compare_params(const void *a, const void *b)
{
	return ((const struct param *)a)->key - ((const struct param *)b)->key;
}

static void put_params(struct buf *out, struct param *params, size_t count)
{
	if (count > 1)
		qsort(params, count, sizeof(*params), compare_params);
	for (size_t i = 0; i < count; i++) {
		uint8_t head[4];

		store_u16(head, params[i].key);
		store_u16(head + 2, (uint16_t)params[i].value.len);
		buf_append(out, head, sizeof(head));
		buf_append(out, params[i].value.data, params[i].value.len);
	}
}

bool master_svcb_put(struct master_rdata *rdata, size_t index, size_t end)
{
	struct param *params = mem_array(end - index, sizeof(*params));
	bool good = true;

	for (size_t i = index; good && i < end; i++)
		good = parse_param(rdata, i, &params[i - index]);
	if (good)
		put_params(rdata->out, params, end - index);
	for (size_t i = index; i < end; i++)
		buf_free(&params[i - index].value);
	free(params);
	return good;
}
