/* udp.c - kind udp: octets are sent, and an answer that has other octets in it comes back.
 *
 * What is not the answer is passed over, as it may be an older one; the time then ends the probe. */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "image/probe_udp.h"
#include "probe/datagrams.h"

struct udp {
	struct kind kind; /* first: a struct kind * is a struct udp * */
	struct ev_loop *loop;
};

struct udp_own {
	struct datagrams datagrams;
	bool other; /* an answer came, but not the expected one */
};

static bool is_expected(const struct udp_settings *settings, const uint8_t *data, size_t len)
{
	const char *expect = probe_text(settings, settings->expect);

	if (len < settings->expect.len)
		return false;
	if (settings->anywhere != 0)
		return memmem(data, len, expect, settings->expect.len) != NULL;
	return memcmp(data, expect, settings->expect.len) == 0;
}

static bool take(struct probe *probe, const uint8_t *data, size_t len)
{
	struct udp_own *own = probe->own;

	evidence_octets(probe->evidence, data, len, "received %zu octets", len);
	if (!is_expected(probe->settings, data, len)) {
		evidence_note(probe->evidence, "they are not what is expected");
		own->other = true;
		return false;
	}
	datagrams_close(&own->datagrams);
	kind_done(probe, PROBE_SUCCESS, "answered");
	return true;
}

static void udp_start(struct kind *kind, struct probe *probe)
{
	struct udp *udp = (struct udp *)kind;
	const struct udp_settings *settings = probe->settings;
	const char *send_this = probe_text(settings, settings->send);
	struct udp_own *own = probe->own;
	int error;

	own->other = false;
	if (!datagrams_open(&own->datagrams, udp->loop, probe, take, NULL))
		return;
	error = datagrams_send(&own->datagrams, send_this, settings->send.len);
	if (error != 0)
		datagrams_fail(&own->datagrams, error);
	else
		evidence_octets(probe->evidence, send_this, settings->send.len, "sent %u octets",
				settings->send.len);
}

static void udp_cancel(struct kind *kind, struct probe *probe)
{
	struct udp_own *own = probe->own;

	(void)kind;
	datagrams_close(&own->datagrams);
}

static void udp_expire(struct kind *kind, struct probe *probe, struct probe_result *result)
{
	struct udp_own *own = probe->own;

	(void)kind;
	datagrams_expire(&own->datagrams, result);
	if (own->other)
		result->why = "answered, but with other octets than expected";
}

static void udp_close(struct kind *kind)
{
	free(kind);
}

struct kind *kind_udp_open(const struct kind_tools *tools)
{
	struct udp *udp = mem_alloc(sizeof(*udp));

	udp->kind = (struct kind){ .name = "udp",
				   .own_size = sizeof(struct udp_own),
				   .has_descriptor = true,
				   .start = udp_start,
				   .cancel = udp_cancel,
				   .expire = udp_expire,
				   .close = udp_close };
	udp->loop = tools->loop;
	return &udp->kind;
}
