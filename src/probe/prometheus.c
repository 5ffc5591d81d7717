/* prometheus.c - scrapes an exporter of the node, and tells how much of it is in use.
 *
 * What the samples mean is in scrape.h, how they are written in exposition.h.
 *
 * Several loads of a node stand on one page. Sources that ask for the same, as often, share a scrape:
 * whoever has its turn first asks, and has the others' turns come at once, which find what was read
 * for them. So their turns stay together. A probe that somebody looks at asks by itself. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include "base/clock.h"
#include "base/mem.h"
#include "probe/kind.h"
#include "probe/scrape.h"
#include "probe/tls_files.h"
#include "probe/web.h"

struct prometheus {
	struct kind kind; /* first: a struct kind * is a struct prometheus * */
	struct web *web;
	LIST_HEAD(, prometheus_own) all; /* from prepare to release */
};

/* What a scrape says to one of them. */
struct finding {
	struct probe_result result;
	char why[PROBE_WHY_SIZE];
};

struct prometheus_own {
	LIST_ENTRY(prometheus_own) entry;
	struct prometheus *prometheus;
	struct probe *probe;
	bool prepared;
	struct web_exchange *exchange; /* NULL: none runs */
	bool waits;                    /* for the exchange of another one */
	bool awaited;                  /* by others: its exchange is theirs */
	struct finding found;          /* by another one, at this time */
	uint64_t found_ms;             /* 0: nothing */
	struct scrape_memory memory;
	SSL_CTX *tls;
	char *url;
};

/* --- what came back --------------------------------------------------------------------------- */

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

static void take_use(const struct scrape_use *use, struct finding *out)
{
	out->result.outcome = PROBE_SUCCESS;
	out->result.has_use = use->known;
	out->result.use = use->use;
	kind_reason(out->why, "a rate needs a second scrape");
	if (use->known)
		(void)snprintf(out->why, sizeof(out->why), "use %.1f %%: %.6g of %.6g",
			       use->use * 100, use->value, use->capacity);
}

static void judge(struct probe *probe, const struct web_answer *answer, struct finding *out)
{
	const struct prometheus_settings *settings = probe->settings;
	struct scrape_use use;
	struct err err;

	*out = (struct finding){ .result = { .outcome = PROBE_FAILURE, .rtt_us = answer->all_us } };
	if (answer->error != NULL) {
		out->result.outcome = answer->ours ? PROBE_NOT_MADE : PROBE_FAILURE;
		kind_reason(out->why, answer->error);
	} else if (answer->status != 200) {
		(void)snprintf(out->why, sizeof(out->why), "HTTP status %u", answer->status);
	} else if (answer->cut) {
		(void)snprintf(out->why, sizeof(out->why), "the answer has more than %u octets",
			       settings->body_max);
	} else if (read_body(probe, answer, &use, &err) != 0) {
		kind_reason(out->why, err.text);
	} else {
		take_use(&use, out);
	}
}

static void tell(struct probe *probe, const struct finding *found)
{
	struct probe_result result = found->result;

	result.why = found->why;
	evidence_note(probe->evidence, "%s", result.why);
	probe->done(probe, &result);
}

/* --- sharing ---------------------------------------------------------------------------------- */

static bool is_same_text(const void *a, struct probe_text of_a, const void *b,
			 struct probe_text of_b)
{
	return strcmp(probe_text(a, of_a), probe_text(b, of_b)) == 0;
}

static bool is_same_address(const struct ip_address *a, const struct ip_address *b)
{
	return a->family == b->family && memcmp(a->bytes, b->bytes, sizeof(a->bytes)) == 0;
}

/* Do both ask the same of the same, as often, and nobody looks? */
static bool is_alike(const struct prometheus_own *a, const struct prometheus_own *b)
{
	const struct prometheus_settings *x = a->probe->settings, *y = b->probe->settings;

	return a->probe->evidence == NULL && b->probe->evidence == NULL && b->prepared &&
	       strcmp(a->url, b->url) == 0 && x->verify == y->verify &&
	       x->body_max == y->body_max && x->ca_version == y->ca_version &&
	       is_same_text(x, x->ca, y, y->ca) &&
	       is_same_address(&a->probe->address, &b->probe->address) &&
	       is_same_address(&a->probe->source, &b->probe->source) &&
	       a->probe->interval_ms == b->probe->interval_ms &&
	       a->probe->timeout_ms == b->probe->timeout_ms;
}

/* Each of the others that ask for this finds what it says to it, now or when its turn comes. */
static void share(struct prometheus *prometheus, const struct prometheus_own *own,
		  const struct web_answer *answer)
{
	struct prometheus_own *other;

	LIST_FOREACH(other, &prometheus->all, entry)
	{
		if (other == own || other->exchange != NULL || !is_alike(own, other))
			continue;
		judge(other->probe, answer, &other->found);
		other->found_ms = clock_mono_ms();
		if (!other->waits)
			kind_hasten(other->probe);
	}
	LIST_FOREACH(other, &prometheus->all, entry)
	{
		if (!other->waits || other->found_ms == 0)
			continue;
		other->waits = false;
		other->found_ms = 0;
		tell(other->probe, &other->found);
	}
}

static void went_on(void *context)
{
	struct probe *probe = context;
	struct prometheus_own *own = probe->own, *other;

	kind_went_on(probe);
	if (!own->awaited)
		return;
	LIST_FOREACH(other, &own->prometheus->all, entry)
	{
		if (other->waits && is_alike(own, other))
			kind_went_on(other->probe);
	}
}

static void answered(void *context, const struct web_answer *answer)
{
	struct probe *probe = context;
	struct prometheus_own *own = probe->own;
	struct finding found;

	own->exchange = NULL;
	judge(probe, answer, &found);
	if (probe->evidence == NULL)
		share(own->prometheus, own, answer);
	tell(probe, &found);
}

/* --- the request ------------------------------------------------------------------------------ */

static void ask(struct prometheus *prometheus, struct probe *probe)
{
	/* The classic text format, as Prometheus asks for it. */
	static const char *const headers[] = { "Accept: text/plain;version=0.0.4" };
	const struct prometheus_settings *settings = probe->settings;
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
					     .went_on = went_on,
					     .context = probe };
	struct err err;

	if (web_start(prometheus->web, &request, &own->exchange, &err) != 0)
		kind_done(probe, PROBE_NOT_MADE, err.text);
}

/* One that asks for the same, and has an exchange, or waits for one. NULL: none. */
static struct prometheus_own *find_alike(struct prometheus *prometheus,
					 const struct prometheus_own *own, bool waits)
{
	struct prometheus_own *other;

	LIST_FOREACH(other, &prometheus->all, entry)
	{
		if (other != own && (waits ? other->waits : other->exchange != NULL) &&
		    is_alike(own, other))
			return other;
	}
	return NULL;
}

static void prometheus_start(struct kind *kind, struct probe *probe)
{
	struct prometheus *prometheus = (struct prometheus *)kind;
	struct prometheus_own *own = probe->own, *asks = NULL;
	bool found = own->found_ms != 0 && clock_mono_ms() - own->found_ms <= probe->timeout_ms;

	own->found_ms = 0;
	own->awaited = false;
	if (probe->evidence == NULL && found) {
		tell(probe, &own->found);
		return;
	}
	if (probe->evidence == NULL)
		asks = find_alike(prometheus, own, false);
	if (asks != NULL)
		own->waits = asks->awaited = true;
	else
		ask(prometheus, probe);
}

/* Those that wait for it have time left, perhaps: one of them asks for all. */
static void prometheus_cancel(struct kind *kind, struct probe *probe)
{
	struct prometheus *prometheus = (struct prometheus *)kind;
	struct prometheus_own *own = probe->own, *heir;

	if (own->waits) {
		own->waits = false;
		return;
	}
	web_cancel(own->exchange);
	own->exchange = NULL;
	heir = find_alike(prometheus, own, true);
	if (heir == NULL)
		return;
	heir->waits = false;
	heir->awaited = true;
	ask(prometheus, heir->probe);
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
	struct prometheus *prometheus = (struct prometheus *)kind;
	struct prometheus_own *own = probe->own;
	const struct tls_files files = { .ca = probe_text(settings, settings->ca) };

	own->prometheus = prometheus;
	own->probe = probe;
	own->url = make_url(probe);
	LIST_INSERT_HEAD(&prometheus->all, own, entry);
	if (settings->ca.len > 0 && tls_files_read(&own->tls, &files, err) != 0)
		return -1;
	own->prepared = true;
	return 0;
}

static void prometheus_release(struct kind *kind, struct probe *probe)
{
	struct prometheus_own *own = probe->own;

	(void)kind;
	LIST_REMOVE(own, entry);
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
