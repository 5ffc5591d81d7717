#include "serve/connection.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/cursor.h"
#include "base/mem.h"
#include "serve/count.h"
#include "serve/tcp.h"
#include "serve/worlds.h"

struct connection {
	ev_io io;
	struct connections *all;
	struct connection *newer, *older; /* older is also the list of unused ones */
	ev_tstamp active;                 /* when a query was whole, or an answer got on */
	struct client client;
	uint8_t *pending; /* answers that the peer has not taken; NULL: none */
	size_t pending_len, pending_sent;
	size_t skip; /* octets still to come of a query that is answered already */
	bool ended;  /* the peer will send no more */
	size_t have; /* octets in `in` */
	uint8_t in[CONNECTION_IN_SIZE];
};

/* --- the list, by activity -------------------------------------------------------------------- */

static void list_remove(struct connection *c)
{
	struct connections *all = c->all;

	*(c->newer != NULL ? &c->newer->older : &all->newest) = c->older;
	*(c->older != NULL ? &c->older->newer : &all->oldest) = c->newer;
}

static void list_add_newest(struct connection *c)
{
	struct connections *all = c->all;

	c->active = ev_now(all->loop);
	c->newer = NULL;
	c->older = all->newest;
	*(c->older != NULL ? &c->older->newer : &all->oldest) = c;
	all->newest = c;
}

static void touch(struct connection *c)
{
	list_remove(c);
	list_add_newest(c);
}

/* --- buffers ---------------------------------------------------------------------------------- */

static uint8_t *take_out_buffer(struct connections *all)
{
	if (all->out_buffer_count > 0)
		return all->out_buffers[--all->out_buffer_count];
	return mem_alloc(CONNECTION_OUT_SIZE);
}

static void drop_pending(struct connection *c)
{
	struct connections *all = c->all;

	if (c->pending != NULL && all->out_buffer_count < OUT_BUFFERS_KEPT)
		all->out_buffers[all->out_buffer_count++] = c->pending;
	else
		free(c->pending);
	c->pending = NULL;
}

/* --- opening and closing ---------------------------------------------------------------------- */

static void close_connection(struct connection *c)
{
	struct connections *all = c->all;

	ev_io_stop(all->loop, &c->io);
	(void)close(c->io.fd);
	list_remove(c);
	drop_pending(c);
	c->older = all->unused;
	all->unused = c;
}

static void wait_for(struct connection *c, int events)
{
	if ((c->io.events & (EV_READ | EV_WRITE)) == events)
		return;
	ev_io_stop(c->all->loop, &c->io);
	ev_io_set(&c->io, c->io.fd, events);
	ev_io_start(c->all->loop, &c->io);
}

bool connections_close_oldest(struct connections *all)
{
	if (all->oldest == NULL)
		return false;
	close_connection(all->oldest);
	return true;
}

void connections_close_idle(struct connections *all, ev_tstamp timeout_s)
{
	while (all->oldest != NULL && ev_now(all->loop) - all->oldest->active > timeout_s)
		close_connection(all->oldest);
}

/* --- out -------------------------------------------------------------------------------------- */

/* false: the connection is broken. */
static bool send_some(const struct connection *c, const uint8_t *data, size_t len, size_t *sent)
{
	ssize_t n;

	do {
		n = send(c->io.fd, data, len, MSG_NOSIGNAL);
	} while (n < 0 && errno == EINTR);
	*sent = n > 0 ? (size_t)n : 0;
	return n >= 0 || errno == EAGAIN || errno == EWOULDBLOCK;
}

/* Sends what was collected; what the peer does not take now is kept, and then it is not read from
 * until it does. false: the connection is broken. */
static bool send_collected(struct connection *c, size_t len)
{
	const uint8_t *out = c->all->out;
	size_t sent;

	if (!send_some(c, out, len, &sent))
		return false;
	if (sent == len)
		return true;
	c->pending = take_out_buffer(c->all);
	c->pending_len = len - sent;
	c->pending_sent = 0;
	memcpy(c->pending, out + sent, len - sent);
	wait_for(c, EV_WRITE);
	return true;
}

/* --- in --------------------------------------------------------------------------------------- */

/* Octets of the query at `pos`, its length field included, as many as are looked at; 0: it is not
 * there yet. *rest: how many more it has. */
static size_t whole_query(const struct connection *c, size_t pos, size_t *rest)
{
	size_t have = c->have - pos, len, seen;

	if (have < 2)
		return 0;
	len = 2U + load_u16(c->in + pos);
	seen = len < sizeof(c->in) ? len : sizeof(c->in);
	*rest = len - seen;
	return have < seen ? 0 : seen;
}

static size_t answer_query(struct connection *c, const uint8_t *query, size_t len, uint8_t *out)
{
	struct server_thread *thread = c->all->thread;
	size_t written;

	c->client.random = server_thread_random(thread);
	written = answer(worlds_current(), &c->client, query, len, out + 2, DNS_MESSAGE_MAX,
			 thread->counters);
	if (written == 0)
		return 0;
	store_u16(out, (uint16_t)written);
	counter_add(&thread->counters->answers_tcp, 1);
	return 2 + written;
}

/* Takes whole queries out of `in` and collects their answers. Returns how many octets these have;
 * *taken: how many queries there were. */
static size_t answer_queries(struct connection *c, unsigned *taken)
{
	size_t pos = 0, len = 0, seen;

	*taken = 0;
	while (len <= CONNECTION_OUT_BATCH && (seen = whole_query(c, pos, &c->skip)) > 0) {
		len += answer_query(c, c->in + pos + 2, seen - 2, c->all->out + len);
		pos += seen;
		++*taken;
	}
	c->have -= pos;
	memmove(c->in, c->in + pos, c->have);
	return len;
}

/* Goes on until there is no whole query left, or the peer has to take answers first. */
static void advance(struct connection *c)
{
	unsigned taken;

	while (c->pending == NULL) {
		size_t len = answer_queries(c, &taken);

		if (taken == 0)
			break;
		touch(c);
		if (len > 0 && !send_collected(c, len)) {
			close_connection(c);
			return;
		}
	}
	if (c->pending == NULL && c->ended)
		close_connection(c);
}

static void pass_over(struct connection *c)
{
	size_t count = c->skip < c->have ? c->skip : c->have;

	c->skip -= count;
	c->have -= count;
	memmove(c->in, c->in + count, c->have);
}

/* There is room in `in`: what fills it is a whole query, and those were taken. */
static void on_readable(struct connection *c)
{
	ssize_t n = recv(c->io.fd, c->in + c->have, sizeof(c->in) - c->have, 0);

	if (n < 0) {
		if (errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR)
			close_connection(c);
		return;
	}
	c->ended = n == 0;
	c->have += (size_t)n;
	if (c->skip > 0)
		pass_over(c);
	advance(c);
}

static void on_writable(struct connection *c)
{
	size_t sent;

	if (!send_some(c, c->pending + c->pending_sent, c->pending_len - c->pending_sent, &sent)) {
		close_connection(c);
		return;
	}
	c->pending_sent += sent;
	if (sent > 0)
		touch(c);
	if (c->pending_sent < c->pending_len)
		return;
	drop_pending(c);
	wait_for(c, EV_READ);
	advance(c);
}

static void on_event(struct ev_loop *loop, ev_io *io, int events)
{
	struct connection *c = (struct connection *)(void *)io; /* its first member */

	(void)loop;
	if ((events & EV_WRITE) != 0)
		on_writable(c);
	else
		on_readable(c);
}

/* --- all of them ------------------------------------------------------------------------------ */

void connections_open(struct connections *all, unsigned max, struct server_thread *thread,
		      struct ev_loop *loop)
{
	*all = (struct connections){ .thread = thread, .loop = loop };
	all->all = mem_array(max, sizeof(*all->all));
	all->out = mem_alloc(CONNECTION_OUT_SIZE);
	for (unsigned i = max; i-- > 0;) {
		all->all[i].older = all->unused;
		all->unused = &all->all[i];
	}
}

void connection_open(struct connections *all, int fd, const struct sockaddr_storage *from)
{
	struct connection *c;
	int on = 1;

	if (all->unused == NULL)
		(void)connections_close_oldest(all);
	c = all->unused;
	all->unused = c->older;
	c->all = all;
	c->pending = NULL;
	c->skip = c->have = 0;
	c->ended = false;
	c->client = (struct client){ .tcp = true };
	ip_from_sockaddr(from, &c->client.address, NULL);
	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	ev_io_init(&c->io, on_event, fd, EV_READ);
	ev_io_start(all->loop, &c->io);
	list_add_newest(c);
	counter_add(&all->thread->counters->connections, 1);
}
