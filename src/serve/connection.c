#include "serve/connection.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/cursor.h"
#include "base/mem.h"
#include "serve/count.h"
#include "serve/worlds.h"

/* What has come of a query is kept in the connection itself up to here: queries with padding
 * (RFC 8467, 4.1) have 128 octets, hardly any has more than 256. */
#define REST_SIZE 512

/* As much of a struct sockaddr_storage as is used. */
union address {
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;
};

struct connection {
	ev_io io;
	struct candidate candidate;
	struct connections *all;
	struct connection *next_unused;
	struct client client;
	union address from;
	uint64_t opened_ms;
	uint64_t active_ms;             /* when a query was answered, or an answer got on */
	struct connection_space *space; /* NULL: there is no more than `rest` to keep */
	size_t have;              /* octets that came and are not answered: in space->in, or rest */
	size_t out_len, out_sent; /* of space->out: what the peer has not taken is between */
	bool expired;             /* past its lifetime: takes no more queries */
	bool ended;               /* all was said; what still comes is passed over */
	uint8_t rest[REST_SIZE];
};

static struct connection *connection_of(struct candidate *candidate)
{
	return (struct connection *)(void *)((uint8_t *)candidate -
					     offsetof(struct connection, candidate));
}

static void touch(struct connection *c)
{
	c->active_ms = c->all->now_ms;
	eviction_touch(&c->all->eviction, &c->candidate);
}

/* --- closing ---------------------------------------------------------------------------------- */

static void give_space_back(struct connection *c)
{
	if (c->space == NULL)
		return;
	c->all->space_of[c->space - c->all->spaces] = NULL;
	c->candidate.network->spaces--;
	c->space = NULL;
}

/* Counted before the peer can see it. */
static void close_connection(struct connection *c)
{
	struct connections *all = c->all;

	ev_io_stop(all->loop, &c->io);
	give_space_back(c);
	eviction_remove(&all->eviction, &c->candidate);
	c->next_unused = all->unused;
	all->unused = c;
	counter_set(&all->thread->counters->connections_open, all->eviction.count);
	(void)close(c->io.fd);
}

static void wait_for(struct connection *c, int events)
{
	if ((c->io.events & (EV_READ | EV_WRITE)) == events)
		return;
	ev_io_stop(c->all->loop, &c->io);
	ev_io_set(&c->io, c->io.fd, events);
	ev_io_start(c->all->loop, &c->io);
}

/* Not close(2) at once: where queries came that were not read, that sends RST, and the peer loses
 * answers that are still under way. So it is told that this side has ended, and ends its own;
 * what it says until then is passed over. A peer that does not is closed when it is idle. */
static void end_connection(struct connection *c)
{
	(void)shutdown(c->io.fd, SHUT_WR);
	c->ended = true;
	c->have = 0;
	give_space_back(c);
	wait_for(c, EV_READ);
}

/* --- buffers ---------------------------------------------------------------------------------- */

static bool goes_before(const struct connection *a, const struct connection *b)
{
	unsigned spaces_a = a->candidate.network->spaces, spaces_b = b->candidate.network->spaces;

	return spaces_a > spaces_b ||
	       (spaces_a == spaces_b && a->candidate.activity < b->candidate.activity);
}

/* Who has one and is to give it back. */
static struct connection *choose_holder(const struct connections *all)
{
	struct connection *chosen = all->space_of[0];

	for (unsigned i = 1; i < CONNECTION_SPACES; i++) {
		if (goes_before(all->space_of[i], chosen))
			chosen = all->space_of[i];
	}
	return chosen;
}

static bool find_space(const struct connections *all, unsigned *out)
{
	for (*out = 0; *out < CONNECTION_SPACES; ++*out) {
		if (all->space_of[*out] == NULL)
			return true;
	}
	return false;
}

static void take_space(struct connection *c)
{
	struct connections *all = c->all;
	unsigned number;

	if (!find_space(all, &number)) {
		close_connection(choose_holder(all));
		counter_add(&all->thread->counters->connections_evicted, 1);
		(void)find_space(all, &number);
	}
	all->space_of[number] = c;
	c->candidate.network->spaces++;
	c->space = &all->spaces[number];
}

/* From the shared buffer, for the next one's turn comes. */
static void keep(struct connection *c)
{
	const struct connection_space *shared = c->all->shared;

	if (c->space != NULL)
		return;
	take_space(c);
	memcpy(c->space->in, shared->in, c->have);
	memcpy(c->space->out + c->out_sent, shared->out + c->out_sent, c->out_len - c->out_sent);
}

/* --- out -------------------------------------------------------------------------------------- */

/* Sends what there is, as far as the peer takes it. false: the connection is broken. */
static bool send_out(struct connection *c, const struct connection_space *space)
{
	ssize_t n;

	do {
		n = send(c->io.fd, space->out + c->out_sent, c->out_len - c->out_sent,
			 MSG_NOSIGNAL);
	} while (n < 0 && errno == EINTR);
	if (n < 0)
		return errno == EAGAIN || errno == EWOULDBLOCK;
	c->out_sent += (size_t)n;
	if (c->out_sent == c->out_len)
		c->out_sent = c->out_len = 0;
	return true;
}

/* --- in --------------------------------------------------------------------------------------- */

/* Octets of the query that is there, with its length field; 0: it has not come to its end. */
static size_t whole_query(const uint8_t *in, size_t have)
{
	size_t len;

	if (have < 2)
		return 0;
	len = 2U + load_u16(in);
	return have < len ? 0 : len;
}

/* What a client is told of its idle timeout, in units of 100 ms (RFC 7828, 3.1). 0 asks it to close
 * when it has its answers (3.3.2): when seven of eight connections that may be are there, before
 * others have to be closed for them. */
static uint16_t keepalive(const struct connections *all)
{
	uint64_t units = all->limits.idle_ms / 100;

	if (all->eviction.count >= all->limits.connections - all->limits.connections / 8)
		return 0;
	return units < UINT16_MAX ? (uint16_t)units : UINT16_MAX;
}

/* Finds whole queries from `pos` on. Returns their number. */
static unsigned find_queries(struct connection *c, const struct connection_space *space, size_t pos,
			     struct batch_query queries[BATCH_MAX])
{
	struct server_thread *thread = c->all->thread;
	unsigned count;

	for (count = 0; count < BATCH_MAX; count++) {
		size_t len = whole_query(space->in + pos, c->have - pos);

		if (len == 0)
			break;
		queries[count].message = space->in + pos + 2;
		queries[count].len = len - 2;
		queries[count].from = (const struct sockaddr_storage *)(const void *)&c->from;
		queries[count].random = server_thread_counter(thread);
		pos += len;
	}
	return count;
}

/* Behind the answers that there are. Returns how many octets of `in` are done with. */
static size_t answer_batch(struct connection *c, struct connection_space *space,
			   struct batch_query *queries, unsigned count)
{
	struct server_thread *thread = c->all->thread;
	struct batch_stream stream = { .client = &c->client,
				       .out = space->out,
				       .enough = CONNECTION_OUT_BATCH,
				       .len = c->out_len };

	count = batch_answer_stream(worlds_current(), queries, count, &stream, thread->counters);
	c->out_len = stream.len;
	counter_add(&thread->counters->answers_tcp, stream.answers);
	return (size_t)(queries[count - 1].message + queries[count - 1].len - space->in);
}

/* Answers whole queries from `pos` on, until there are no more, or answers enough to be sent. Returns
 * where it has come to. What gets no answer is no activity, so nobody keeps a connection with it. */
static size_t answer_queries(struct connection *c, struct connection_space *space, size_t pos)
{
	struct batch_query queries[BATCH_MAX];
	unsigned count;

	do {
		count = find_queries(c, space, pos, queries);
		if (count > 0)
			pos = answer_batch(c, space, queries, count);
	} while (count == BATCH_MAX && c->out_len <= CONNECTION_OUT_BATCH);
	if (c->out_len > 0)
		touch(c);
	return pos;
}

/* Keeps what has to be kept, and waits: for the peer to take its answers, for the next turn where
 * there are more queries (the socket can be written to at once), or for more to come. */
static void settle(struct connection *c, const struct connection_space *space)
{
	bool more = c->out_len > 0 || whole_query(space->in, c->have) > 0;

	if (more || c->have > sizeof(c->rest)) {
		keep(c);
	} else {
		if (c->have > 0)
			memcpy(c->rest, space->in, c->have);
		give_space_back(c);
	}
	wait_for(c, more ? EV_WRITE : EV_READ);
}

/* One turn: until there is no whole query left, the peer has to take answers first, or it has got
 * CONNECTION_TURN_OUT octets. Each answer is complete when it is begun, so they go out in the
 * order of their queries (RFC 7766, 6.2.1.1 and 7), as many as were made with one call, each
 * behind its length (8). */
static void advance(struct connection *c, struct connection_space *space)
{
	size_t pos = 0, given = 0;

	c->client.unix_s = c->all->unix_s;
	c->client.classes = c->all->thread->classes;
	c->client.tcp_keepalive = keepalive(c->all);
	do {
		pos = answer_queries(c, space, pos);
		given += c->out_len;
		if (c->out_len > 0 && !send_out(c, space)) {
			close_connection(c);
			return;
		}
	} while (c->out_len == 0 && given < CONNECTION_TURN_OUT &&
		 whole_query(space->in + pos, c->have - pos) > 0);
	c->have -= pos;
	if (c->have > 0)
		memmove(space->in, space->in + pos, c->have);
	settle(c, space);
}

/* false: it is closed. */
static bool receive(struct connection *c, uint8_t *in, size_t size, size_t *len)
{
	ssize_t n = recv(c->io.fd, in, size, 0);

	*len = n > 0 ? (size_t)n : 0;
	if (n > 0 || (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR)))
		return true;
	close_connection(c); /* the peer has said all, and has all its answers; or it is broken */
	return false;
}

/* There is room for more: what fills it is a whole query, and those were taken. */
static void on_readable(struct connection *c)
{
	struct connection_space *space = c->space != NULL ? c->space : c->all->shared;
	size_t room = sizeof(space->in) - c->have, len;

	if (c->ended) {
		(void)receive(c, space->in, sizeof(space->in), &len);
		return;
	}
	if (c->space == NULL && c->have > 0)
		memcpy(space->in, c->rest, c->have);
	if (!receive(c, space->in + c->have, room < CONNECTION_TURN_IN ? room : CONNECTION_TURN_IN,
		     &len))
		return;
	c->have += len;
	advance(c, space);
}

/* Octets that the peer has to take. */
static size_t pending(const struct connection *c)
{
	return c->out_len - c->out_sent;
}

/* Past its lifetime nobody gets more time for taking a little, or an octet now and then would keep
 * connection and buffer for days. */
static void on_writable(struct connection *c)
{
	size_t before = pending(c);

	if (c->out_len > 0 && !send_out(c, c->space)) {
		close_connection(c);
		return;
	}
	if (pending(c) < before && (!c->expired || pending(c) == 0))
		touch(c);
	if (c->out_len > 0)
		return;
	if (c->expired)
		end_connection(c);
	else
		advance(c, c->space);
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

/* --- limits ----------------------------------------------------------------------------------- */

bool connections_evict(struct connections *all)
{
	struct candidate *chosen = eviction_choose(&all->eviction);

	if (chosen == NULL)
		return false;
	counter_add(&all->thread->counters->connections_evicted, 1);
	close_connection(connection_of(chosen));
	return true;
}

/* NULL: nobody is. */
static struct connection *longest_idle(const struct connections *all)
{
	struct candidate *oldest = all->eviction.by_activity.oldest;

	if (oldest == NULL || all->now_ms - connection_of(oldest)->active_ms <= all->limits.idle_ms)
		return NULL;
	return connection_of(oldest);
}

/* Where this thread stood still, a query may have come in time, or an answer got on, of which the
 * loop is still to tell: so each is heard first. One that is past its lifetime has been counted. */
static void close_idle(struct connections *all)
{
	struct connection *c;

	while ((c = longest_idle(all)) != NULL) {
		on_event(all->loop, &c->io, c->io.events);
		if (longest_idle(all) != c)
			continue;
		counter_add(&all->thread->counters->connections_timed_out, !c->expired);
		close_connection(c);
	}
}

/* Answers that are still pending are sent first. */
static void end_old(struct connections *all, uint64_t now_ms)
{
	struct candidate *oldest;

	while ((oldest = all->eviction.by_age.oldest) != NULL &&
	       now_ms - connection_of(oldest)->opened_ms > all->limits.lifetime_ms) {
		struct connection *c = connection_of(oldest);

		eviction_forget_age(&all->eviction, oldest);
		counter_add(&all->thread->counters->connections_timed_out, 1);
		c->expired = true;
		if (c->out_len == 0)
			end_connection(c);
	}
}

static void read_limits(struct connections *all)
{
	const struct dns_settings *settings = world_settings(worlds_current());

	all->limits.idle_ms = settings->tcp_idle_ms;
	all->limits.lifetime_ms = settings->tcp_lifetime_ms;
	all->limits.connections = settings->tcp_connections < all->max ? settings->tcp_connections
								       : all->max;
}

ev_tstamp connections_tick(struct connections *all)
{
	read_limits(all);
	close_idle(all);
	end_old(all, all->now_ms);
	while (all->eviction.count > all->limits.connections)
		(void)connections_evict(all);
	return all->limits.idle_ms < 4000 ? (ev_tstamp)all->limits.idle_ms / 4000. : 1.;
}

/* --- all of them ------------------------------------------------------------------------------ */

void connections_wake(struct connections *all)
{
	all->now_ms = clock_mono_ms();
	all->unix_s = clock_unix_s();
}

/* One more than there may be: it is there before another one has to go. */
void connections_open(struct connections *all, unsigned max, struct server_thread *thread,
		      struct ev_loop *loop)
{
	*all = (struct connections){ .thread = thread, .loop = loop, .max = max };
	all->all = mem_array((size_t)max + 1, sizeof(*all->all));
	all->shared = mem_alloc(sizeof(*all->shared));
	all->spaces = mem_array(CONNECTION_SPACES, sizeof(*all->spaces));
	eviction_open(&all->eviction, max + 1, server_thread_random(thread));
	counter_set(&thread->counters->connections_open, 0); /* of a process that is gone */
	read_limits(all);
	connections_wake(all);
}

static struct connection *take_unused(struct connections *all)
{
	struct connection *c = all->unused;

	if (c == NULL)
		return &all->all[all->used++];
	all->unused = c->next_unused;
	return c;
}

void connection_open(struct connections *all, int fd, const struct sockaddr_storage *from)
{
	struct connection *c = take_unused(all);

	read_limits(all);
	memset(c, 0, offsetof(struct connection, rest));
	c->all = all;
	c->client.tcp = c->client.tells_keepalive = true;
	ip_from_sockaddr(from, &c->client.address, NULL);
	memcpy(&c->from, from, sizeof(c->from));
	c->opened_ms = c->active_ms = all->now_ms;
	ev_io_init(&c->io, on_event, fd, EV_READ);
	ev_io_start(all->loop, &c->io);
	eviction_add(&all->eviction, &c->candidate, &c->client.address);
	if (all->eviction.count > all->limits.connections)
		(void)connections_evict(all);
	counter_add(&all->thread->counters->connections, 1);
	counter_set(&all->thread->counters->connections_open, all->eviction.count);
}
