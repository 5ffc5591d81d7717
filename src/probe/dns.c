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
#include "probe/dns_judge.h"
#include "wire/types.h"

struct dns {
	struct kind kind; /* first: a struct kind * is a struct dns * */
	struct ev_loop *loop;
};

struct dns_own {
	struct dns *dns;
	ev_io io;
	uint16_t id;
	struct buf heard; /* by TCP: so far, the two octets of its length among it */
	int said;         /* by the network, of datagrams */
};

static void end(struct dns_own *own)
{
	ev_io_stop(own->dns->loop, &own->io);
	(void)close(own->io.fd);
	buf_free(&own->heard);
}

static void fail(struct probe *probe, int error)
{
	end(probe->own);
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
	end(own);
	evidence_note(probe->evidence, "%s", why);
	kind_done(probe, outcome, why);
	return true;
}

/* --- UDP ----------------------------------------------------------------------------------- */

#define DATAGRAMS_AT_ONCE 16

static void on_datagrams(struct probe *probe)
{
	struct dns_own *own = probe->own;
	uint8_t message[4096]; /* without EDNS there are 512 octets at most (RFC 1035, 4.2.1) */

	for (int i = 0; i < DATAGRAMS_AT_ONCE; i++) {
		ssize_t n = recv(own->io.fd, message, sizeof(message), 0);

		if (n < 0)
			kind_hear(probe, errno, &own->said);
		if (n < 0 || take(probe, message, (size_t)n))
			return;
	}
}

/* --- TCP ----------------------------------------------------------------------------------- */

/* How many octets there are of a message and the length before it, as far as that is known. */
static size_t wanted(const struct buf *heard)
{
	return heard->len < 2 ? 2 : 2 + (size_t)load_u16(heard->data);
}

static void on_stream(struct probe *probe)
{
	struct dns_own *own = probe->own;
	uint8_t part[4096];
	size_t room = wanted(&own->heard) - own->heard.len;
	ssize_t n = recv(own->io.fd, part, room < sizeof(part) ? room : sizeof(part), 0);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n < 0) {
		fail(probe, errno);
		return;
	}
	buf_append(&own->heard, part, (size_t)n);
	if (n > 0 && own->heard.len < wanted(&own->heard))
		return;
	if (n > 0 && take(probe, own->heard.data + 2, own->heard.len - 2))
		return;
	end(own);
	kind_done(probe, PROBE_FAILURE,
		  n > 0 ? "the answer is to another question" : "the connection was closed");
}

/* --- both ---------------------------------------------------------------------------------- */

static void on_readable(struct ev_loop *loop, ev_io *io, int events)
{
	struct probe *probe = io->data;
	const struct dns_probe_settings *settings = probe->settings;

	(void)loop;
	(void)events;
	if (settings->tcp != 0)
		on_stream(probe);
	else
		on_datagrams(probe);
}

/* At once by UDP; when the connection is there by TCP, whose buffer is empty then. */
static void ask(struct probe *probe)
{
	struct dns_own *own = probe->own;
	const struct dns_probe_settings *settings = probe->settings;
	uint8_t query[2 + DNS_QUERY_SIZE];
	size_t len = dns_make_query(settings, own->id, query + 2);
	int error = 0;

	store_u16(query, (uint16_t)len);
	if (settings->tcp == 0)
		error = kind_send(probe, own->io.fd, query + 2, len, &own->said);
	else if (send(own->io.fd, query, 2 + len, MSG_NOSIGNAL) < 0)
		error = errno;
	if (error != 0) {
		fail(probe, error);
		return;
	}
	evidence_octets(probe->evidence, query + 2, len, "sent a query of %zu octets", len);
	ev_io_stop(own->dns->loop, &own->io);
	ev_io_init(&own->io, on_readable, own->io.fd, EV_READ);
	ev_set_priority(&own->io, KIND_IO_PRIORITY);
	own->io.data = probe;
	ev_io_start(own->dns->loop, &own->io);
}

static void on_connected(struct ev_loop *loop, ev_io *io, int events)
{
	struct probe *probe = io->data;
	int error = 0;
	socklen_t size = sizeof(error);

	(void)loop;
	(void)events;
	if (getsockopt(io->fd, SOL_SOCKET, SO_ERROR, &error, &size) != 0)
		error = errno;
	if (error != 0)
		fail(probe, error);
	else
		ask(probe);
}

static void dns_start(struct kind *kind, struct probe *probe)
{
	struct dns *dns = (struct dns *)kind;
	const struct dns_probe_settings *settings = probe->settings;
	struct dns_own *own = probe->own;
	int fd = kind_socket(probe, settings->tcp != 0 ? SOCK_STREAM : SOCK_DGRAM);

	own->dns = dns;
	own->said = 0;
	if (fd < 0) {
		kind_failed(probe, errno);
		return;
	}
	if (getrandom(&own->id, sizeof(own->id), GRND_NONBLOCK) != (ssize_t)sizeof(own->id)) {
		(void)close(fd);
		kind_done(probe, PROBE_NOT_MADE, "no random number");
		return;
	}
	ev_io_init(&own->io, on_connected, fd, EV_WRITE);
	ev_set_priority(&own->io, KIND_IO_PRIORITY);
	own->io.data = probe;
	if (settings->tcp != 0)
		ev_io_start(dns->loop, &own->io);
	else
		ask(probe);
}

static void dns_cancel(struct kind *kind, struct probe *probe)
{
	(void)kind;
	end(probe->own);
}

static void dns_expire(struct kind *kind, struct probe *probe, struct probe_result *result)
{
	const struct dns_own *own = probe->own;

	kind_give_up(own->said, result);
	dns_cancel(kind, probe);
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
