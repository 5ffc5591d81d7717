#include "serve/tcp.h"

#include <errno.h>
#include <ev.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "base/log.h"
#include "base/mem.h"
#include "serve/connection.h"
#include "serve/thread.h"
#include "serve/worlds.h"

#define ACCEPTS_A_TURN 16

struct tcp {
	struct server_thread thread;
	struct ev_loop *loop;
	struct connections connections;
	ev_timer tick;
	ev_io *listeners;
	size_t count;
	unsigned connections_max;
};

/* --- listeners -------------------------------------------------------------------------------- */

/* What the kernel keeps of a connection is bounded here, for it would keep megabytes: answers that
 * are not sent yet, and queries that are not read. */
#define KERNEL_OUT (16 << 10)
#define KERNEL_IN  (64 << 10) /* the kernel doubles it, for its own bookkeeping */
#define FAST_OPEN  128        /* handshakes under way that brought a query */

/* Connections inherit all of these. */
static int prepare_listener(int fd, struct err *err)
{
	static const struct {
		int level, name, value;
	} options[] = {
		{ IPPROTO_TCP, TCP_NODELAY, 1 },
		{ IPPROTO_TCP, TCP_NOTSENT_LOWAT, KERNEL_OUT },
		{ SOL_SOCKET, SO_RCVBUF, KERNEL_IN },
	};
	int waiting = FAST_OPEN;

	for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++) {
		if (setsockopt(fd, options[i].level, options[i].name, &options[i].value,
			       sizeof(options[i].value)) != 0)
			return err_set(err, "TCP socket options: %s", strerror(errno));
	}
	/* RFC 7766, 9: queries may come twice. The host may have it switched off. */
	(void)setsockopt(fd, IPPROTO_TCP, TCP_FASTOPEN, &waiting, sizeof(waiting));
	return 0;
}

static void listen_again(struct tcp *tcp)
{
	for (size_t i = 0; i < tcp->count; i++)
		ev_io_start(tcp->loop, &tcp->listeners[i]);
}

/* No descriptors or no memory: somebody makes room; where there is nobody, the next tick tries
 * again, or this thread would turn in circles. */
static void make_room(struct tcp *tcp)
{
	if (connections_evict(&tcp->connections))
		return;
	for (size_t i = 0; i < tcp->count; i++)
		ev_io_stop(tcp->loop, &tcp->listeners[i]);
}

static void on_accept(struct ev_loop *loop, ev_io *io, int events)
{
	struct tcp *tcp = ev_userdata(loop);

	(void)events;
	for (unsigned i = 0; i < ACCEPTS_A_TURN; i++) {
		struct sockaddr_storage from;
		socklen_t len = sizeof(from);
		int fd = accept4(io->fd, (struct sockaddr *)&from, &len,
				 SOCK_NONBLOCK | SOCK_CLOEXEC);

		if (fd >= 0) {
			connection_open(&tcp->connections, fd, &from);
			continue;
		}
		if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM)
			make_room(tcp);
		return;
	}
}

static void on_tick(struct ev_loop *loop, ev_timer *timer, int events)
{
	struct tcp *tcp = ev_userdata(loop);

	(void)events;
	timer->repeat = connections_tick(&tcp->connections);
	ev_timer_again(loop, timer);
	listen_again(tcp);
}

/* The loop releases what it holds while it waits for events. */
static void before_wait(struct ev_loop *loop) EV_NOEXCEPT
{
	(void)loop;
	worlds_offline();
}

static void after_wait(struct ev_loop *loop) EV_NOEXCEPT
{
	struct tcp *tcp = ev_userdata(loop);

	worlds_online();
	connections_wake(&tcp->connections);
}

static void *serve(void *object)
{
	struct tcp *tcp = object;

	worlds_thread_start();
	connections_open(&tcp->connections, tcp->connections_max, &tcp->thread, tcp->loop);
	ev_timer_init(&tcp->tick, on_tick, 0., 1.);
	ev_timer_start(tcp->loop, &tcp->tick);
	ev_set_loop_release_cb(tcp->loop, before_wait, after_wait);
	(void)ev_run(tcp->loop, 0);
	return NULL;
}

int tcp_start(const int *listeners, size_t count, unsigned number, unsigned connections_max,
	      const struct thread_counters *counters, struct err *err)
{
	struct tcp *tcp = mem_alloc(sizeof(*tcp));

	tcp->loop = ev_loop_new(EVFLAG_AUTO);
	if (tcp->loop == NULL)
		return err_set(err, "TCP: no event loop: %s", strerror(errno));
	ev_set_userdata(tcp->loop, tcp);
	tcp->thread.counters = counters->counters;
	tcp->thread.classes = counters->classes;
	(void)snprintf(tcp->thread.name, sizeof(tcp->thread.name), "dns-tcp-%u", number);
	tcp->connections_max = connections_max;
	tcp->listeners = mem_array(count, sizeof(tcp->listeners[0]));
	tcp->count = count;
	for (size_t i = 0; i < count; i++) {
		if (prepare_listener(listeners[i], err) != 0)
			return -1;
		ev_io_init(&tcp->listeners[i], on_accept, listeners[i], EV_READ);
	}
	listen_again(tcp);
	return server_thread_start(&tcp->thread, serve, tcp, err);
}
