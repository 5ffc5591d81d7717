/* tcp.c - TCP connect: the node is well when the handshake completes.
 *
 * The connection is closed in the ordinary way. A reset (SO_LINGER of 0 s) would leave no
 * TIME_WAIT here, but shows up in servers as a client's error, once an interval and in every
 * log. TIME_WAIT costs us about 250 bytes for a minute (2,000 probes a second: 30 MB of kernel
 * memory, and beyond net.ipv4.tcp_max_tw_buckets the kernel just ends it earlier) and no
 * shortage of ports: they are counted by destination, and one destination is probed at most
 * once an interval. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/mem.h"
#include "probe/kind.h"

struct tcp {
	struct kind kind; /* first: a struct kind * is a struct tcp * */
	struct ev_loop *loop;
};

struct tcp_own {
	ev_io io;
};

static const char connected[] = "connected";

static void tcp_on_writable(struct ev_loop *loop, ev_io *io, int events)
{
	struct probe *probe = io->data;
	int error = kind_connected(io->fd);

	(void)events;
	ev_io_stop(loop, io);
	(void)close(io->fd);
	evidence_note(probe->evidence, "SYN answered: %s",
		      error == 0 ? connected : strerrordesc_np(error));
	if (error != 0)
		kind_failed(probe, error);
	else
		kind_done(probe, PROBE_SUCCESS, connected);
}

static void tcp_start(struct kind *kind, struct probe *probe)
{
	struct tcp *tcp = (struct tcp *)kind;
	struct tcp_own *own = probe->own;
	int fd = kind_socket(probe, SOCK_STREAM);

	if (fd < 0) {
		kind_failed(probe, errno);
		return;
	}
	evidence_note(probe->evidence, "sent a TCP SYN");
	kind_watch(tcp->loop, &own->io, tcp_on_writable, fd, EV_WRITE, probe);
}

static void tcp_cancel(struct kind *kind, struct probe *probe)
{
	struct tcp *tcp = (struct tcp *)kind;
	struct tcp_own *own = probe->own;

	ev_io_stop(tcp->loop, &own->io);
	(void)close(own->io.fd);
}

static void tcp_close(struct kind *kind)
{
	free(kind);
}

struct kind *kind_tcp_open(const struct kind_tools *tools)
{
	struct tcp *tcp = mem_alloc(sizeof(*tcp));

	tcp->kind = (struct kind){ .name = "tcp",
				   .own_size = sizeof(struct tcp_own),
				   .has_descriptor = true,
				   .start = tcp_start,
				   .cancel = tcp_cancel,
				   .close = tcp_close };
	tcp->loop = tools->loop;
	return &tcp->kind;
}
