/* Options of probes of kinds http and https. */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/mem.h"
#include "conf/probe_kinds.h"
#include "conf/probe_tls.h"
#include "image/probe_http.h"

struct http_options {
	struct tls_options tls; /* first; of https alone */
	const char *host, *path;
	uint8_t method;
	const char *body, *expect_body;
	struct http_range ranges[HTTP_RANGES_MAX];
	uint8_t range_count;
	uint32_t body_max;
	const char *headers; /* as in the settings */
	size_t headers_len;
};

static const char *const methods[] = { "GET", "HEAD", "POST", "PUT", "OPTIONS", NULL };

enum method { GET, HEAD, POST, PUT, OPTIONS };

static void read_host(struct conf *conf, const struct yaml_node *value, void *out)
{
	(void)read_host_name(conf, value, &((struct http_options *)out)->host);
}

static void read_http_path(struct conf *conf, const struct yaml_node *value, void *out)
{
	struct http_options *options = out;
	const char *text;

	if (!conf_expect(conf, value, YAML_SCALAR, "a path that begins with /"))
		return;
	text = value->text;
	for (size_t i = 0; text[i] != '\0'; i++) {
		if (!isgraph((unsigned char)text[i]) || text[i] == '#')
			text = "";
	}
	if (text[0] != '/')
		conf_error(conf, &value->place,
			   "\"%.100s\" is not a path that begins with / (blanks, # and what is not "
			   "ASCII are written as %%20)",
			   value->text);
	else
		options->path = text;
}

/* --- status codes -------------------------------------------------------------------------- */

/* "200", "200-399". */
static bool parse_range(const char *text, struct http_range *out)
{
	size_t len = strlen(text);

	for (size_t i = 0; i < len; i++) {
		if (i == 3 ? text[i] != '-' : !isdigit((unsigned char)text[i]))
			return false;
	}
	if (len != 3 && len != 7)
		return false;
	out->low = (uint16_t)strtoul(text, NULL, 10);
	out->high = len == 7 ? (uint16_t)strtoul(text + 4, NULL, 10) : out->low;
	return out->low >= 100 && out->low <= out->high && out->high <= 599;
}

static void read_status(struct conf *conf, const struct yaml_node *item, void *context)
{
	struct http_options *options = context;
	struct http_range range;

	if (!parse_range(item->text, &range))
		conf_error(conf, &item->place,
			   "\"%.100s\" is not a status code from 100 to 599, or a range of them "
			   "like 200-399",
			   item->text);
	else if (options->range_count == HTTP_RANGES_MAX)
		conf_error(conf, &item->place, "there are more than %d status codes or ranges",
			   HTTP_RANGES_MAX);
	else
		options->ranges[options->range_count++] = range;
}

static void read_statuses(struct conf *conf, const struct yaml_node *value, void *out)
{
	((struct http_options *)out)->range_count = 0; /* those by default are others */
	items_read(conf, value, "a status code, a range of them, or a list", read_status, out);
}

/* --- headers ------------------------------------------------------------------------------- */

/* RFC 9110, section 5.6.2. */
static bool is_token(const char *text)
{
	if (*text == '\0')
		return false;
	for (; *text != '\0'; text++) {
		if (!isalnum((unsigned char)*text) && strchr("!#$%&'*+-.^_`|~", *text) == NULL)
			return false;
	}
	return true;
}

/* RFC 9110, section 5.5; without blanks at either end, and not empty. */
static bool is_header_value(const char *text, size_t len)
{
	if (len == 0 || isspace((unsigned char)text[0]) || isspace((unsigned char)text[len - 1]))
		return false;
	for (size_t i = 0; i < len; i++) {
		if (((unsigned char)text[i] < ' ' && text[i] != '\t') || text[i] == 0x7f)
			return false;
	}
	return true;
}

static const char *check_header_file(const char *text, size_t len, void *context)
{
	(void)context;
	while (len > 0 && (text[len - 1] == '\n' || text[len - 1] == '\r'))
		len--;
	return is_header_value(text, len) ? NULL : "is not one line that can be a header's value";
}

/* Those that are the probe's to make. */
static bool is_reserved(const char *name)
{
	return strcasecmp(name, "Content-Length") == 0 ||
	       strcasecmp(name, "Transfer-Encoding") == 0;
}

static bool check_header_name(struct conf *conf, const struct yaml_node *key)
{
	if (!is_token(key->text))
		conf_error(conf, &key->place, "\"%.100s\" is not the name of a header", key->text);
	else if (strcasecmp(key->text, "Host") == 0)
		conf_error(conf, &key->place, "the Host header is what option \"host\" says");
	else if (is_reserved(key->text))
		conf_error(conf, &key->place, "the probe makes the header %s itself", key->text);
	else
		return true;
	return false;
}

static void put_part(struct buf *headers, const char *text)
{
	buf_append(headers, text, strlen(text) + 1);
}

static void read_header(struct conf *conf, const struct yaml_node *value, struct buf *headers)
{
	static const struct secret_rule rule = { .check = check_header_file };
	struct secret_path file = { 0 };

	if (!check_header_name(conf, value->key) ||
	    !conf_expect(conf, value, YAML_SCALAR, "a header's value, or file: and its path"))
		return;
	if (strncmp(value->text, "file:", 5) == 0) {
		if (!secret_path_read(conf, value, &rule, &file))
			return;
	} else if (!is_header_value(value->text, strlen(value->text))) {
		conf_error_unseen(
			conf, &value->place,
			"this cannot be a header's value: control characters have no place "
			"in it, nor blanks at its ends");
		return;
	}
	put_part(headers, value->key->text);
	put_part(headers, file.path != NULL ? "" : value->text);
	put_part(headers, file.path != NULL ? file.path : "");
	put_part(headers, file.path != NULL
				  ? conf_text(conf, "%llx", (unsigned long long)file.version)
				  : "");
}

static void read_headers(struct conf *conf, const struct yaml_node *value, void *out)
{
	struct http_options *options = out;
	struct buf headers = { 0 };

	if (!conf_expect(conf, value, YAML_MAP, "a map of names and values"))
		return;
	yaml_foreach(item, value)
		read_header(conf, item, &headers);
	if (headers.len > 0)
		options->headers = arena_copy(conf->arena, headers.data, headers.len);
	options->headers_len = headers.len;
	buf_free(&headers);
}

/* --- the tables ---------------------------------------------------------------------------- */

static const struct option http_options[] = {
	{ "host", OPTION_OTHER, .read = read_host, .kind = "text", .accepts = "a host name",
	  .manual = "the name in the request (Host) and, with https, in the handshake (SNI) and "
		    "the certificate; by default the address" },
	{ "path", OPTION_OTHER, .read = read_http_path, .dflt = "/", .kind = "text",
	  .accepts = "a path that begins with /",
	  .manual = "what is asked for, with its query if there is one" },
	{ "method", OPTION_WORD, OPTION_FIELD(struct http_options, method), .words = methods,
	  .dflt = "GET", .manual = "how it is asked for" },
	{ "headers", OPTION_OTHER, .read = read_headers, .kind = "map",
	  .accepts = "a map of names and values",
	  .manual = "headers of the request; a value file:PATH is what that file holds" },
	{ "body", OPTION_TEXT, OPTION_FIELD(struct http_options, body), .accepts = "a text",
	  .manual = "the body of the request, with POST and PUT" },
	{ "expect-status", OPTION_OTHER, .read = read_statuses, .dflt = "200-399", .kind = "list",
	  .accepts = "a status code, a range of them, or a list",
	  .manual = "the status codes that are a success; redirects are not followed" },
	{ "expect-body", OPTION_TEXT, OPTION_FIELD(struct http_options, expect_body),
	  .accepts = "a text", .manual = "what has to be in the body of the answer" },
	{ "max-body", OPTION_NUMBER, OPTION_FIELD(struct http_options, body_max), .min = 1,
	  .max = HTTP_BODY_MAX_MAX, .counts = "octets", .dflt = "65536",
	  .manual = "so much of the body is read, and looked at" },
};

static const struct option_section http_section = {
	.name = "pool: probes[] of kinds http and https",
	.options = http_options,
	.count = OPTION_COUNT(http_options),
	.size = sizeof(struct http_options),
};

static void put_text(struct buf *settings, size_t field, const char *text)
{
	if (text != NULL)
		settings_put_text(settings, field, text, strlen(text));
}

static void put_settings(const struct http_options *options, struct buf *settings)
{
	const struct tls_options *tls = &options->tls;
	struct http_settings http = { .ca_version = tls->ca.version,
				      .certificate_version = tls->certificate.version,
				      .key_version = tls->key.version,
				      .body_max = options->body_max,
				      .warn_days = tls->warn_days,
				      .verify = tls->verify,
				      .range_count = options->range_count };

	memcpy(http.ranges, options->ranges, sizeof(http.ranges));
	buf_append(settings, &http, sizeof(http));
	put_text(settings, offsetof(struct http_settings, host), options->host);
	put_text(settings, offsetof(struct http_settings, path), options->path);
	put_text(settings, offsetof(struct http_settings, method), methods[options->method]);
	put_text(settings, offsetof(struct http_settings, body), options->body);
	put_text(settings, offsetof(struct http_settings, expect_body), options->expect_body);
	settings_put_text(settings, offsetof(struct http_settings, headers), options->headers,
			  options->headers_len);
	put_text(settings, offsetof(struct http_settings, ca), tls->ca.path);
	put_text(settings, offsetof(struct http_settings, certificate), tls->certificate.path);
	put_text(settings, offsetof(struct http_settings, key), tls->key.path);
}

static void settle_http(struct conf *conf, const struct yaml_node *item, struct config_probe *probe,
			const void *from, struct buf *settings)
{
	const struct http_options *options = from;
	const struct yaml_node *body = yaml_get(item, "body");
	const struct yaml_node *expected = yaml_get(item, "expect-body");

	if (body != NULL && options->method != POST && options->method != PUT)
		conf_error(conf, &body->key->place, "a body goes with method POST or PUT");
	if (expected != NULL && options->method == HEAD)
		conf_error(conf, &expected->key->place, "with method HEAD no body is answered");
	if (probe->kind == PROBE_HTTPS)
		tls_options_check(conf, item, &options->tls);
	put_settings(options, settings);
}

const struct probe_kind_row probe_http_row = { .kind = PROBE_HTTP,
					       .roles = PROBE_HEALTH,
					       .port = 80,
					       .section = &http_section,
					       .settle = settle_http };
const struct probe_kind_row probe_https_row = { .kind = PROBE_HTTPS,
						.roles = PROBE_HEALTH,
						.port = 443,
						.section = &http_section,
						.shared = &tls_files_section,
						.settle = settle_http };
