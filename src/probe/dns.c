/* dns.c - kind dns: a question to the node itself, by UDP or TCP, and what its answer has to be.
 *
 * By UDP, what is not the answer is passed over: whoever forges one has to guess port and id. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/cursor.h"
#include "base/mem.h"
#include "probe/datagrams.h"
#include "probe/dns_judge.h"
#include "wire/types.h"

struct dns {
	struct kind kind; /* first: a struct kind * is a struct dns * */
	struct ev_loop *loop;
};

struct dns_own {
	struct dns *dns;
	uint16_t id;
	struct datagrams datagrams; /* by UDP */
	ev_io io;                   /* by TCP */
	struct buf heard;           /* so far, the two octets of its length among it */
};

static bool by_tcp(const struct probe *probe)
{
	const struct dns_probe_settings *settings = probe->settings;

	return settings->tcp != 0;
}

static void end(struct probe *probe)
{
	struct dns_own *own = probe->own;

	if (!by_tcp(probe)) {
		datagrams_close(&own->datagrams);
		return;
	}
	ev_io_stop(own->dns->loop, &own->io);
	(void)close(own->io.fd);
	buf_free(&own->heard);
}

static void fail(struct probe *probe, int error)
{
	end(probe);
	evidence_note(probe->evidence, "%s", strerrordesc_np(error));
	kind_failed(probe, error);
}

/* true: that was the answer, and the probe has ended. */
static bool take(struct probe *probe, const uint8_t *message, size_t len)
{
	struct dns_own *own = probe->own;
	enum probe_outcome outcome;
	char why[PROBE_WHY_SIZE];

	evidence_octets(probe->evidence, message, len, "received %zu octets", len);
	if (!dns_judge(probe->settings, own->id, message, len, &outcome, why)) {
		evidence_note(probe->evidence, "not the answer: %s", why);
		return false;
	}
	end(probe);
	evidence_note(probe->evidence, "%s", why);
	kind_done(probe, outcome, why);
	return true;
}

/* The length of the query, which begins behind room for that. */
static size_t make_query(struct probe *probe, uint8_t query[2 + DNS_QUERY_SIZE])
{
	const struct dns_own *own = probe->own;
	size_t len = dns_make_query(probe->settings, own->id, query + 2);

	store_u16(query, (uint16_t)len);
	return len;
}

static void note_sent(const struct probe *probe, const uint8_t *query, size_t len)
{
	evidence_octets(probe->evidence, query + 2, len, "sent a query of %zu octets", len);
}

/* --- UDP ----------------------------------------------------------------------------------- */

static void start_udp(struct dns *dns, struct probe *probe)
{
	struct dns_own *own = probe->own;
	uint8_t query[2 + DNS_QUERY_SIZE];
	size_t len = make_query(probe, query);
	int error;

	if (!datagrams_open(&own->datagrams, dns->loop, probe, take, NULL))
		return;
	error = datagrams_send(&own->datagrams, query + 2, len);
	if (error != 0)
		datagrams_fail(&own->datagrams, error);
	else
		note_sent(probe, query, len);
}

/* --- TCP ----------------------------------------------------------------------------------- */

/* How many octets there are of a message and the length before it, as far as that is known. */
static size_t wanted(const struct buf *heard)
{
	return heard->len < 2 ? 2 : 2 + (size_t)load_u16(heard->data);
}

static void on_readable(struct ev_loop *loop, ev_io *io, int events)
{
	struct probe *probe = io->data;
	struct dns_own *own = probe->own;
	uint8_t part[4096];
	size_t room = wanted(&own->heard) - own->heard.len;
	ssize_t n = recv(own->io.fd, part, room < sizeof(part) ? room : sizeof(part), 0);

	(void)loop;
	(void)events;
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n < 0) {
		fail(probe, errno);
		return;
	}
	buf_append(&own->heard, part, (size_t)n);
	if (n > 0 && own->heard.len < wanted(&own->heard)) {
		kind_went_on(probe);
		return;
	}
	if (n > 0 && take(probe, own->heard.data + 2, own->heard.len - 2))
		return;
	end(probe);
	kind_done(probe, PROBE_FAILURE,
		  n > 0 ? "the answer is to another question" : "the connection was closed");
}

/* The connection is there, and its buffer empty. */
static void on_connected(struct ev_loop *loop, ev_io *io, int events)
{
	struct probe *probe = io->data;
	uint8_t query[2 + DNS_QUERY_SIZE];
	size_t len = make_query(probe, query);
	int error = kind_connected(io->fd);

	(void)events;
	if (error == 0 && send(io->fd, query, 2 + len, MSG_NOSIGNAL) < 0)
		error = errno;
	if (error != 0) {
		fail(probe, error);
		return;
	}
	note_sent(probe, query, len);
	ev_io_stop(loop, io);
	kind_watch(loop, io, on_readable, io->fd, EV_READ, probe);
	kind_went_on(probe);
}

static void start_tcp(struct dns *dns, struct probe *probe)
{
	struct dns_own *own = probe->own;
	int fd = kind_socket(probe, SOCK_STREAM);

	if (fd < 0)
		kind_failed(probe, errno);
	else
		kind_watch(dns->loop, &own->io, on_connected, fd, EV_WRITE, probe);
}

/* --- the kind ------------------------------------------------------------------------------ */

static void dns_start(struct kind *kind, struct probe *probe)
{
	struct dns *dns = (struct dns *)kind;
	struct dns_own *own = probe->own;

	own->dns = dns;
	if (getrandom(&own->id, sizeof(own->id), GRND_NONBLOCK) != (ssize_t)sizeof(own->id))
		kind_done(probe, PROBE_NOT_MADE, "no random number");
	else if (by_tcp(probe))
		start_tcp(dns, probe);
	else
		start_udp(dns, probe);
}

static void dns_cancel(struct kind *kind, struct probe *probe)
{
	(void)kind;
	end(probe);
}

static void dns_expire(struct kind *kind, struct probe *probe, struct probe_result *result)
{
	struct dns_own *own = probe->own;

	if (by_tcp(probe))
		dns_cancel(kind, probe);
	else
		datagrams_expire(&own->datagrams, result);
}

static void dns_close(struct kind *kind)
{
	free(kind);
}

struct kind *kind_dns_open(const struct kind_tools *tools)
{
	struct dns *dns = mem_alloc(sizeof(*dns));

	dns->kind = (struct kind){ .name = "dns",
				   .own_size = sizeof(struct dns_own),
				   .has_descriptor = true,
				   .start = dns_start,
				   .cancel = dns_cancel,
				   .expire = dns_expire,
				   .close = dns_close };
	dns->loop = tools->loop;
	return &dns->kind;
}
