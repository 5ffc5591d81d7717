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

static const char connected[] = "connected";

enum probe_outcome kind_outcome(int error)
{
	switch (error) {
	case EMFILE:
	case ENFILE:
	case ENOBUFS:
	case ENOMEM:
	case EAGAIN: return PROBE_NOT_MADE;
	default: return PROBE_FAILURE;
	}
}

static void tcp_failed(struct probe *probe, int error)
{
	probe->done(probe, kind_outcome(error), strerrordesc_np(error));
}

static void tcp_on_writable(struct ev_loop *loop, ev_io *io, int events)
{
	struct probe *probe = io->data;
	int error = 0;
	socklen_t size = sizeof(error);

	(void)events;
	if (getsockopt(io->fd, SOL_SOCKET, SO_ERROR, &error, &size) != 0)
		error = errno;
	ev_io_stop(loop, io);
	(void)close(io->fd);
	if (error != 0)
		tcp_failed(probe, error);
	else
		probe->done(probe, PROBE_SUCCESS, connected);
}

static void tcp_start(struct kind *kind, struct probe *probe)
{
	struct tcp *tcp = (struct tcp *)kind;
	struct sockaddr_storage to;
	socklen_t size = ip_to_sockaddr(&probe->address, probe->port, &to);
	int fd = socket(to.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	int error;

	if (fd < 0) {
		tcp_failed(probe, errno);
		return;
	}
	if (connect(fd, (struct sockaddr *)&to, size) == 0) {
		(void)close(fd);
		probe->done(probe, PROBE_SUCCESS, connected);
		return;
	}
	error = errno;
	if (error != EINPROGRESS) {
		(void)close(fd);
		tcp_failed(probe, error);
		return;
	}
	ev_io_init(&probe->tcp.io, tcp_on_writable, fd, EV_WRITE);
	ev_set_priority(&probe->tcp.io, KIND_IO_PRIORITY);
	probe->tcp.io.data = probe;
	ev_io_start(tcp->loop, &probe->tcp.io);
}

static void tcp_cancel(struct kind *kind, struct probe *probe)
{
	struct tcp *tcp = (struct tcp *)kind;

	ev_io_stop(tcp->loop, &probe->tcp.io);
	(void)close(probe->tcp.io.fd);
}

static void tcp_close(struct kind *kind)
{
	free(kind);
}

struct kind *kind_tcp_open(struct ev_loop *loop)
{
	struct tcp *tcp = mem_alloc(sizeof(*tcp));

	tcp->kind = (struct kind){ .name = "tcp",
				   .has_descriptor = true,
				   .start = tcp_start,
				   .cancel = tcp_cancel,
				   .close = tcp_close };
	tcp->loop = loop;
	return &tcp->kind;
}
