/* prometheus.c - scrapes an exporter of the node, and tells how much of it is in use.
 *
 * One GET a probe. What the samples mean is in scrape.h, how they are written in exposition.h. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "probe/kind.h"
#include "probe/scrape.h"
#include "probe/tls_files.h"
#include "probe/web.h"

struct prometheus {
	struct kind kind; /* first: a struct kind * is a struct prometheus * */
	struct web *web;
};

struct prometheus_own {
	struct web_exchange *exchange; /* NULL: none runs */
	struct scrape_memory memory;
	SSL_CTX *tls;
	char *url;
};

/* --- what came back --------------------------------------------------------------------------- */

static void fail(struct probe *probe, const char *why)
{
	kind_done(probe, PROBE_FAILURE, why);
}

static void tell(struct probe *probe, const struct scrape_use *use)
{
	struct probe_result result = { .outcome = PROBE_SUCCESS,
				       .has_use = use->known,
				       .use = use->use };
	char why[PROBE_WHY_SIZE] = "a rate needs a second scrape";

	if (use->known)
		(void)snprintf(why, sizeof(why), "use %.1f %%: %.6g of %.6g", use->use * 100,
			       use->value, use->capacity);
	evidence_note(probe->evidence, "%s", why);
	result.why = why;
	probe->done(probe, &result);
}

static int read_body(struct probe *probe, const struct web_answer *answer, struct scrape_use *use,
		     struct err *err)
{
	struct prometheus_own *own = probe->own;
	struct exposition exposition;
	struct scrape scrape;
	int rc = -1;

	scrape_open(&scrape, probe->settings);
	exposition_open(&exposition, scrape_sample, &scrape);
	if (exposition_feed(&exposition, answer->body, answer->body_len, err) == 0 &&
	    exposition_end(&exposition, err) == 0)
		rc = scrape_finish(&scrape, &own->memory, clock_mono_us(), use, err);
	evidence_note(probe->evidence, "lines read: %u", exposition.lines);
	exposition_close(&exposition);
	scrape_close(&scrape);
	return rc;
}

static void judge(struct probe *probe, const struct web_answer *answer)
{
	const struct prometheus_settings *settings = probe->settings;
	struct scrape_use use;
	struct err err;
	char why[PROBE_WHY_SIZE];

	if (answer->status != 200) {
		(void)snprintf(why, sizeof(why), "HTTP status %u", answer->status);
		fail(probe, why);
	} else if (answer->cut) {
		(void)snprintf(why, sizeof(why), "the answer has more than %u octets",
			       settings->body_max);
		fail(probe, why);
	} else if (read_body(probe, answer, &use, &err) != 0) {
		evidence_note(probe->evidence, "%s", err.text);
		fail(probe, err.text);
	} else {
		tell(probe, &use);
	}
}

static void answered(void *context, const struct web_answer *answer)
{
	struct probe *probe = context;
	struct prometheus_own *own = probe->own;

	own->exchange = NULL;
	if (answer->error != NULL)
		kind_done(probe, answer->ours ? PROBE_NOT_MADE : PROBE_FAILURE, answer->error);
	else
		judge(probe, answer);
}

/* --- the request ------------------------------------------------------------------------------ */

static void prometheus_start(struct kind *kind, struct probe *probe)
{
	/* The classic text format, as Prometheus asks for it. */
	static const char *const headers[] = { "Accept: text/plain;version=0.0.4" };
	const struct prometheus_settings *settings = probe->settings;
	struct prometheus *prometheus = (struct prometheus *)kind;
	struct prometheus_own *own = probe->own;
	const struct web_request request = { .url = own->url,
					     .address = probe->address,
					     .source = probe->source,
					     .headers = headers,
					     .header_count = 1,
					     .keep = settings->body_max,
					     .tls = own->tls,
					     .unverified = settings->verify == 0,
					     .evidence = probe->evidence,
					     .done = answered,
					     .context = probe };
	struct err err;

	if (web_start(prometheus->web, &request, &own->exchange, &err) != 0)
		kind_done(probe, PROBE_NOT_MADE, err.text);
}

static void prometheus_cancel(struct kind *kind, struct probe *probe)
{
	struct prometheus_own *own = probe->own;

	(void)kind;
	web_cancel(own->exchange);
	own->exchange = NULL;
}

/* --- life ------------------------------------------------------------------------------------- */

static char *make_url(const struct probe *probe)
{
	const struct prometheus_settings *settings = probe->settings;
	const char *scheme = settings->https != 0 ? "https" : "http";
	const char *host = probe_text(settings, settings->host);
	const char *path = probe_text(settings, settings->path);
	char endpoint[IP_ENDPOINT_SIZE];

	if (host[0] != '\0')
		return mem_format("%s://%s:%u%s", scheme, host, probe->port, path);
	return mem_format("%s://%s%s", scheme,
			  ip_endpoint_format(&probe->address, probe->port, endpoint), path);
}

static int prometheus_prepare(struct kind *kind, struct probe *probe, struct err *err)
{
	const struct prometheus_settings *settings = probe->settings;
	struct prometheus_own *own = probe->own;
	const struct tls_files files = { .ca = probe_text(settings, settings->ca) };

	(void)kind;
	own->url = make_url(probe);
	return settings->ca.len == 0 ? 0 : tls_files_read(&own->tls, &files, err);
}

static void prometheus_release(struct kind *kind, struct probe *probe)
{
	struct prometheus_own *own = probe->own;

	(void)kind;
	scrape_forget(&own->memory);
	SSL_CTX_free(own->tls);
	free(own->url);
}

static void prometheus_close(struct kind *kind)
{
	free(kind);
}

struct kind *kind_prometheus_open(const struct kind_tools *tools)
{
	struct prometheus *prometheus = mem_alloc(sizeof(*prometheus));

	prometheus->kind = (struct kind){ .name = "prometheus",
					  .own_size = sizeof(struct prometheus_own),
					  .has_descriptor = true,
					  .prepare = prometheus_prepare,
					  .release = prometheus_release,
					  .start = prometheus_start,
					  .cancel = prometheus_cancel,
					  .close = prometheus_close };
	prometheus->web = tools->web;
	return &prometheus->kind;
}
