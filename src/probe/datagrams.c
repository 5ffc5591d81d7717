#include "probe/datagrams.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define AT_ONCE 16 /* others have their turn then */

#define US_PER_S 1e6

static void hear(struct datagrams *d, int error)
{
	if (error == EAGAIN || error == EINTR || kind_outcome(error) == PROBE_NOT_MADE)
		return;
	evidence_note(d->probe->evidence, "the network says: %s", strerrordesc_np(error));
	d->said = error;
}

static void on_readable(struct ev_loop *loop, ev_io *io, int events)
{
	struct datagrams *d = io->data;
	uint8_t data[DATAGRAM_MAX];

	(void)loop;
	(void)events;
	for (int i = 0; i < AT_ONCE; i++) {
		ssize_t n = recv(io->fd, data, sizeof(data), MSG_DONTWAIT);

		if (n < 0) {
			hear(d, errno);
			return;
		}
		if (d->take(d->probe, data, (size_t)n))
			return;
	}
}

static void on_timer(struct ev_loop *loop, ev_timer *timer, int events)
{
	struct datagrams *d = timer->data;

	(void)loop;
	(void)events;
	d->again(d->probe);
}

bool datagrams_open(struct datagrams *d, struct ev_loop *loop, struct probe *probe,
		    datagram_take_fn *take, datagram_again_fn *again)
{
	int fd = kind_socket(probe, SOCK_DGRAM);

	if (fd < 0) {
		kind_failed(probe, errno);
		return false;
	}
	*d = (struct datagrams){ .loop = loop, .probe = probe, .take = take, .again = again };
	ev_init(&d->timer, on_timer);
	d->timer.data = d;
	kind_watch(loop, &d->io, on_readable, fd, EV_READ, d);
	return true;
}

void datagrams_close(struct datagrams *d)
{
	ev_timer_stop(d->loop, &d->timer);
	ev_io_stop(d->loop, &d->io);
	(void)close(d->io.fd);
}

/* An error that waits on the socket is told instead of sending, and only once: what is told twice in a
 * row is of now. */
int datagrams_send(struct datagrams *d, const void *data, size_t len)
{
	int error = 0;

	for (int i = 0; i < 3; i++) {
		if (send(d->io.fd, data, len, MSG_NOSIGNAL | MSG_DONTWAIT) >= 0)
			return 0;
		if (errno != EINTR && errno == error)
			break;
		error = errno;
		hear(d, error);
	}
	return error;
}

void datagrams_again(struct datagrams *d, uint64_t delay_us)
{
	ev_now_update(d->loop);
	ev_timer_stop(d->loop, &d->timer);
	ev_timer_set(&d->timer, (double)delay_us / US_PER_S, 0.0);
	ev_timer_start(d->loop, &d->timer);
}

void datagrams_fail(struct datagrams *d, int error)
{
	struct probe *probe = d->probe;

	datagrams_close(d);
	evidence_note(probe->evidence, "the socket says: %s", strerrordesc_np(error));
	kind_failed(probe, error);
}

void datagrams_expire(struct datagrams *d, struct probe_result *result)
{
	datagrams_close(d);
	if (d->said != 0)
		result->why = strerrordesc_np(d->said);
}
