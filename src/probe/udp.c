/* udp.c - kind udp: octets are sent, and an answer that has other octets in it comes back.
 *
 * What is not the answer is passed over, as it may be an older one; the time then ends the probe. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/mem.h"
#include "image/probe_udp.h"
#include "probe/kind.h"

struct udp {
	struct kind kind; /* first: a struct kind * is a struct udp * */
	struct ev_loop *loop;
};

struct udp_own {
	struct udp *udp;
	ev_io io;
	bool other; /* an answer came, but not the expected one */
	int said;   /* by the network */
};

static void end(struct udp_own *own)
{
	ev_io_stop(own->udp->loop, &own->io);
	(void)close(own->io.fd);
}

static bool is_expected(const struct udp_settings *settings, const uint8_t *data, size_t len)
{
	const char *expect = probe_text(settings, settings->expect);

	if (len < settings->expect.len)
		return false;
	if (settings->anywhere != 0)
		return memmem(data, len, expect, settings->expect.len) != NULL;
	return memcmp(data, expect, settings->expect.len) == 0;
}

/* false: nothing waits to be read, or the probe has ended. */
static bool receive(struct probe *probe)
{
	struct udp_own *own = probe->own;
	uint8_t data[4096]; /* what is longer is cut */
	ssize_t n = recv(own->io.fd, data, sizeof(data), 0);

	if (n < 0) {
		kind_hear(probe, errno, &own->said);
		return false;
	}
	evidence_octets(probe->evidence, data, (size_t)n, "received %zd octets", n);
	if (!is_expected(probe->settings, data, (size_t)n)) {
		evidence_note(probe->evidence, "they are not what is expected");
		own->other = true;
		return true;
	}
	end(own);
	kind_done(probe, PROBE_SUCCESS, "answered");
	return false;
}

#define DATAGRAMS_AT_ONCE 16

static void udp_on_readable(struct ev_loop *loop, ev_io *io, int events)
{
	struct probe *probe = io->data;

	(void)loop;
	(void)events;
	for (int i = 0; i < DATAGRAMS_AT_ONCE && receive(probe); i++) {}
}

static void udp_start(struct kind *kind, struct probe *probe)
{
	struct udp *udp = (struct udp *)kind;
	const struct udp_settings *settings = probe->settings;
	const char *send_this = probe_text(settings, settings->send);
	struct udp_own *own = probe->own;
	int fd = kind_socket(probe, SOCK_DGRAM);
	int error;

	own->udp = udp;
	own->other = false;
	own->said = 0;
	if (fd < 0) {
		kind_failed(probe, errno);
		return;
	}
	ev_io_init(&own->io, udp_on_readable, fd, EV_READ);
	ev_set_priority(&own->io, KIND_IO_PRIORITY);
	own->io.data = probe;
	error = kind_send(probe, fd, send_this, settings->send.len, &own->said);
	if (error != 0) {
		(void)close(fd);
		kind_failed(probe, error);
		return;
	}
	evidence_octets(probe->evidence, send_this, settings->send.len, "sent %u octets",
			settings->send.len);
	ev_io_start(udp->loop, &own->io);
}

static void udp_cancel(struct kind *kind, struct probe *probe)
{
	(void)kind;
	end(probe->own);
}

static void udp_expire(struct kind *kind, struct probe *probe, struct probe_result *result)
{
	const struct udp_own *own = probe->own;

	kind_give_up(own->said, result);
	if (own->other)
		result->why = "answered, but with other octets than expected";
	udp_cancel(kind, probe);
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
