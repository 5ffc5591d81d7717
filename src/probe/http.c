/* http.c - kinds http and https: a request to the node itself, and what its answer has to be. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "image/probe_http.h"
#include "probe/http_judge.h"
#include "probe/kind.h"
#include "probe/secret.h"
#include "probe/tls_files.h"
#include "probe/web.h"

#define HEADER_VALUE_SIZE 8192 /* servers take no longer ones */

struct http {
	struct kind kind; /* first: a struct kind * is a struct http * */
	bool secure;
	struct web *web;
	struct tls_contexts contexts;
};

struct http_own {
	struct web_exchange *exchange; /* while it runs */
	SSL_CTX *tls;
	char **headers; /* "Name: value", with the secrets */
	size_t header_count, header_cap;
	const char **secrets; /* those of the values that are */
	size_t secret_count, secret_cap;
};

/* --- headers ------------------------------------------------------------------------------- */

/* The value is what the file has, without the end of its line. */
static int add_header_of_file(struct http_own *own, const char *name, const char *path,
			      struct err *err)
{
	char value[HEADER_VALUE_SIZE], *line;
	size_t len;

	if (secret_read(path, value, sizeof(value), &len, err) != 0)
		return -1;
	value[strcspn(value, "\r\n")] = '\0';
	line = mem_format("%s: %s", name, value);
	array_add(own->headers, own->header_count, own->header_cap) = line;
	array_add(own->secrets, own->secret_count, own->secret_cap) = line + strlen(name) +
								      strlen(": ");
	secret_wipe(value, sizeof(value));
	return 0;
}

static int read_headers(struct http_own *own, const struct http_settings *settings, struct err *err)
{
	const char *at = probe_text(settings, settings->headers);
	const char *end = at + settings->headers.len;

	if (settings->headers.offset == 0)
		return 0;
	while (at < end) {
		const char *name = at;
		const char *value = name + strlen(name) + 1;
		const char *path = value + strlen(value) + 1;
		const char *version = path + strlen(path) + 1;

		at = version + strlen(version) + 1;
		if (path[0] == '\0')
			array_add(own->headers, own->header_count,
				  own->header_cap) = mem_format("%s: %s", name, value);
		else if (add_header_of_file(own, name, path, err) != 0)
			return -1;
	}
	return 0;
}

static void free_headers(struct http_own *own)
{
	for (size_t i = 0; i < own->header_count; i++) {
		secret_wipe(own->headers[i], strlen(own->headers[i]));
		free(own->headers[i]);
	}
	free(own->headers);
	free(own->secrets);
}

/* --- before the first, and after the last -------------------------------------------------- */

static int http_prepare(struct kind *kind, struct probe *probe, struct err *err)
{
	struct http *http = (struct http *)kind;
	const struct http_settings *settings = probe->settings;
	struct http_own *own = probe->own;
	const struct tls_files files = {
		.ca = probe_text(settings, settings->ca),
		.certificate = probe_text(settings, settings->certificate),
		.key = probe_text(settings, settings->key),
		.ca_version = settings->ca_version,
		.certificate_version = settings->certificate_version,
		.key_version = settings->key_version,
	};

	if (read_headers(own, settings, err) != 0)
		return -1;
	return http->secure ? tls_context_take(&http->contexts, &files, &own->tls, err) : 0;
}

static void http_release(struct kind *kind, struct probe *probe)
{
	struct http *http = (struct http *)kind;
	struct http_own *own = probe->own;

	tls_context_give_back(&http->contexts, own->tls);
	free_headers(own);
}

/* --- a probe ------------------------------------------------------------------------------- */

static void http_answered(void *context, const struct web_answer *answer)
{
	struct probe *probe = context;
	struct http_own *own = probe->own;
	char why[PROBE_WHY_SIZE];
	struct probe_result result = { .why = why, .rtt_us = answer->all_us };

	own->exchange = NULL;
	result.outcome = http_judge(probe->settings, answer, why);
	evidence_note(probe->evidence, "%s", why);
	probe->done(probe, &result);
}

static void http_went_on(void *context)
{
	kind_went_on(context);
}

static char *url_of(const struct http *http, const struct probe *probe)
{
	const struct http_settings *settings = probe->settings;
	const char *host = probe_text(settings, settings->host);
	const char *scheme = http->secure ? "https" : "http";
	char address[IP_ENDPOINT_SIZE];

	if (host[0] != '\0')
		return mem_format("%s://%s:%u%s", scheme, host, probe->port,
				  probe_text(settings, settings->path));
	return mem_format("%s://%s%s", scheme,
			  ip_endpoint_format(&probe->address, probe->port, address),
			  probe_text(settings, settings->path));
}

static void http_start(struct kind *kind, struct probe *probe)
{
	struct http *http = (struct http *)kind;
	const struct http_settings *settings = probe->settings;
	struct http_own *own = probe->own;
	char *url = url_of(http, probe);
	const struct web_request request = {
		.method = probe_text(settings, settings->method),
		.url = url,
		.address = probe->address,
		.source = probe->source,
		.headers = (const char *const *)own->headers,
		.header_count = own->header_count,
		.body = settings->body.offset != 0 ? probe_text(settings, settings->body) : NULL,
		.body_len = settings->body.len,
		.keep = settings->body_max,
		.tls = own->tls,
		.unverified = settings->verify == 0,
		.evidence = probe->evidence,
		.done = http_answered,
		.went_on = http_went_on,
		.context = probe,
	};
	struct err err;

	/* Servers that are looked into may well say what they were asked. */
	for (size_t i = 0; i < own->secret_count; i++)
		evidence_hide_line(probe->evidence, own->secrets[i]);
	evidence_note(probe->evidence, "%s %s", request.method, url);
	if (web_start(http->web, &request, &own->exchange, &err) != 0)
		kind_done(probe, PROBE_NOT_MADE, err.text);
	free(url);
}

static void http_cancel(struct kind *kind, struct probe *probe)
{
	struct http_own *own = probe->own;

	(void)kind;
	web_cancel(own->exchange);
	own->exchange = NULL;
}

static void http_close(struct kind *kind)
{
	free(kind);
}

static struct kind *open_kind(const struct kind_tools *tools, const char *name, bool secure)
{
	struct http *http = mem_alloc(sizeof(*http));

	http->kind = (struct kind){ .name = name,
				    .own_size = sizeof(struct http_own),
				    .has_descriptor = true,
				    .prepare = http_prepare,
				    .release = http_release,
				    .start = http_start,
				    .cancel = http_cancel,
				    .close = http_close };
	http->secure = secure;
	http->web = tools->web;
	return &http->kind;
}

struct kind *kind_http_open(const struct kind_tools *tools)
{
	return open_kind(tools, "http", false);
}

struct kind *kind_https_open(const struct kind_tools *tools)
{
	return open_kind(tools, "https", true);
}
