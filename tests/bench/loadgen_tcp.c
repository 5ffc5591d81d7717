/* loadgen_tcp.c - asks a DNS server over TCP, pipelined, as fast as it answers, and says how fast
 * that was.
 *
 * A closed loop on one thread over -C connections, each with at most -w queries from the oldest
 * that is not answered to the newest, so that the server sets the pace. The stream of queries is
 * made beforehand, each behind its length: what is sent at once is one piece of it, so a send costs
 * the same however many they are. Answers may come in any order; of each the id and the QR bit are
 * checked, and that lengths frame what comes. A connection that the server ends, or by which
 * nothing came for a second, is replaced; what was under way there is lost. With -E each query
 * carries a random Client Subnet. Ends after -t seconds, or -c queries if that is sooner. Prints
 * one JSON object; "busy" is the share of the time in which this program itself had a processor:
 * where it is well below 1 the server was the limit. */
#include <errno.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/cursor.h"
#include "base/hash.h"
#include "base/mem.h"
#include "base/netprefix.h"
#include "tests/bench/questions.h"

#define IDS             65536U /* queries of the stream where they differ; each has its place as id */
#define IDS_ONE         4096U /* ... where they are the same */
#define WINDOW_MAX      2048U
#define CONNECTIONS_MAX 1024U
#define IN_SIZE         (256U << 10)
#define TIMEOUT_US      1000000U
#define LATENCY_MAX     65536U /* us; longer ones are counted as this */

struct options {
	struct ip_address server;
	uint16_t port, type;
	double seconds;
	uint64_t count; /* 0: seconds decide */
	uint32_t window, connections;
	const char *name, *names, *subnets;
};

/* Under way: its id is its number modulo the queries of the stream. */
struct flight {
	uint64_t sent_us;
	bool waiting;
};

struct connection {
	int fd;
	bool wants_to_write;
	uint64_t head, tail; /* numbers: of the next query, of the oldest that is not answered */
	size_t pos, owed;    /* octets: where in the stream, and how many of it are to be sent */
	uint64_t heard_us;
	struct flight *flights; /* [number % ring] */
	uint8_t *in;
	size_t have;
};

struct results {
	uint64_t sent, answered, lost, strange, with_answer, truncated, reply_bytes, connects;
	uint64_t rcodes[16];
	uint32_t latency[LATENCY_MAX];
	uint64_t started_us, ended_us;
	double busy_s;
};

struct load {
	struct options options;
	uint8_t *stream;  /* of `queries` queries */
	size_t *offset;   /* [queries + 1] */
	uint32_t queries; /* a power of two */
	uint32_t ring;    /* likewise, and at least the window */
	uint64_t random;
	int epoll;
	struct connection *connections;
	struct results results;
};

static uint64_t next_random(struct load *load)
{
	load->random++;
	return hash_word(load->random);
}

/* --- what to ask ------------------------------------------------------------------------------ */

static const char *pick(struct load *load, const struct lines *lines)
{
	return lines->items[next_random(load) % lines->count];
}

static size_t append_query(uint8_t *at, uint16_t id, const struct question *question)
{
	uint16_t len = question_write(at + 2, question);

	store_u16(at, len);
	store_u16(at + 2, id);
	return 2U + len;
}

static void make_stream(struct load *load)
{
	const struct options *o = &load->options;
	struct lines names = { 0 }, nets = { 0 };

	if (o->names != NULL)
		names = lines_read(o->names);
	if (o->subnets != NULL)
		nets = lines_read(o->subnets);
	load->queries = o->names != NULL || o->subnets != NULL ? IDS : IDS_ONE;
	load->stream = mem_array(load->queries, 2 + QUESTION_MAX);
	load->offset = mem_array(load->queries + 1, sizeof(*load->offset));
	for (uint32_t i = 0; i < load->queries; i++) {
		struct in_addr net = { 0 };
		struct question question = { .name = o->name, .type = o->type };

		if (o->names != NULL)
			question.name = pick(load, &names);
		if (o->subnets != NULL) {
			net = question_network(pick(load, &nets));
			question.subnet = &net;
		}
		load->offset[i + 1] = load->offset[i] + append_query(load->stream + load->offset[i],
								     (uint16_t)i, &question);
	}
	lines_free(&names);
	lines_free(&nets);
}

/* --- connections ------------------------------------------------------------------------------ */

static void watch(struct load *load, struct connection *c, int operation)
{
	struct epoll_event event = { .events = EPOLLIN | (c->wants_to_write ? EPOLLOUT : 0),
				     .data.ptr = c };

	if (epoll_ctl(load->epoll, operation, c->fd, &event) != 0)
		question_die("epoll_ctl", strerror(errno));
}

static void open_connection(struct load *load, struct connection *c)
{
	struct sockaddr_storage server;
	socklen_t len = ip_to_sockaddr(&load->options.server, load->options.port, &server);
	int one = 1;

	c->fd = socket(server.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (c->fd < 0 || connect(c->fd, (struct sockaddr *)&server, len) != 0)
		question_die("connect", strerror(errno));
	(void)setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	c->wants_to_write = false;
	c->head = c->tail;
	c->pos = load->offset[c->head % load->queries];
	c->owed = c->have = 0;
	c->heard_us = clock_mono_us();
	load->results.connects++;
	watch(load, c, EPOLL_CTL_ADD);
}

static void open_connections(struct load *load)
{
	load->ring = 1;
	while (load->ring < load->options.window)
		load->ring *= 2;
	load->epoll = epoll_create1(EPOLL_CLOEXEC);
	load->connections = mem_array(load->options.connections, sizeof(*load->connections));
	for (uint32_t i = 0; i < load->options.connections; i++) {
		struct connection *c = &load->connections[i];

		c->tail = (uint64_t)load->queries * i / load->options.connections;
		c->flights = mem_array(load->ring, sizeof(*c->flights));
		c->in = mem_alloc(IN_SIZE);
		open_connection(load, c);
	}
}

/* The queries under way are lost. */
static void replace_connection(struct load *load, struct connection *c)
{
	for (; c->tail < c->head; c->tail++) {
		struct flight *flight = &c->flights[c->tail % load->ring];

		load->results.lost += flight->waiting;
		flight->waiting = false;
	}
	(void)close(c->fd);
	open_connection(load, c);
}

/* --- sending ---------------------------------------------------------------------------------- */

/* false: the connection is broken. */
static bool send_owed(struct load *load, struct connection *c)
{
	bool blocked = false;

	while (c->owed > 0 && !blocked) {
		size_t size = load->offset[load->queries] - c->pos;
		ssize_t n;

		size = c->owed < size ? c->owed : size;
		n = send(c->fd, load->stream + c->pos, size, MSG_DONTWAIT | MSG_NOSIGNAL);
		if (n < 0 && errno != EAGAIN)
			return false;
		blocked = n < (ssize_t)size;
		c->owed -= n > 0 ? (size_t)n : 0;
		c->pos += n > 0 ? (size_t)n : 0;
		if (c->pos == load->offset[load->queries])
			c->pos = 0;
	}
	if (blocked != c->wants_to_write) {
		c->wants_to_write = blocked;
		watch(load, c, EPOLL_CTL_MOD);
	}
	return true;
}

/* How many more queries may be under way now: none before half of the window is free. */
static uint64_t room(const struct load *load, const struct connection *c)
{
	uint64_t wanted = load->options.window - (c->head - c->tail);

	if (wanted < (load->options.window + 1) / 2)
		return 0;
	if (load->options.count > 0 && load->options.count - load->results.sent < wanted)
		wanted = load->options.count - load->results.sent;
	return wanted;
}

static bool ask_more(struct load *load, struct connection *c, uint64_t now_us)
{
	uint64_t more = room(load, c);

	if (c->head == c->tail) /* silence until now does not count */
		c->heard_us = now_us;
	for (uint64_t end = c->head + more; c->head < end; c->head++) {
		size_t i = c->head % load->queries;

		c->flights[c->head % load->ring] = (struct flight){ now_us, true };
		c->owed += load->offset[i + 1] - load->offset[i];
	}
	load->results.sent += more;
	return more == 0 || c->wants_to_write || send_owed(load, c);
}

/* --- receiving -------------------------------------------------------------------------------- */

static void take_answer(struct load *load, struct connection *c, const uint8_t *reply, size_t len,
			uint64_t now_us)
{
	struct results *results = &load->results;
	uint64_t number = c->tail + ((load_u16(reply) - c->tail) & (load->queries - 1));
	struct flight *flight = &c->flights[number & (load->ring - 1)];
	uint64_t took_us = now_us - flight->sent_us;

	if (load_u16(reply) >= load->queries || number >= c->head || !flight->waiting ||
	    (reply[2] & 0x80) == 0) {
		results->strange++;
		return;
	}
	flight->waiting = false;
	results->latency[took_us < LATENCY_MAX ? took_us : LATENCY_MAX - 1]++;
	results->answered++;
	results->reply_bytes += len;
	results->rcodes[reply[3] & 15]++;
	results->truncated += (reply[2] & 2) != 0;
	results->with_answer += load_u16(reply + 6) > 0;
	while (c->tail < c->head && !c->flights[c->tail & (load->ring - 1)].waiting)
		c->tail++;
}

/* Returns how many octets were whole messages; a length that no message has ends the framing,
 * for nobody knows what is behind. */
static size_t take_answers(struct load *load, struct connection *c, uint64_t now_us, bool *framed)
{
	size_t pos = 0;

	*framed = true;
	while (c->have - pos >= 2) {
		size_t len = load_u16(c->in + pos);

		if (len < DNS_HEADER_SIZE) {
			load->results.strange++;
			*framed = false;
			break;
		}
		if (c->have - pos - 2 < len)
			break;
		take_answer(load, c, c->in + pos + 2, len, now_us);
		pos += 2 + len;
	}
	return pos;
}

/* false: the connection has come to its end. */
static bool receive(struct load *load, struct connection *c, uint64_t *now_us)
{
	ssize_t n = recv(c->fd, c->in + c->have, IN_SIZE - c->have, MSG_DONTWAIT);
	size_t pos;
	bool framed;

	*now_us = clock_mono_us();
	if (n <= 0)
		return n < 0 && errno == EAGAIN;
	c->heard_us = *now_us;
	c->have += (size_t)n;
	pos = take_answers(load, c, *now_us, &framed);
	c->have -= pos;
	memmove(c->in, c->in + pos, c->have);
	load->results.ended_us = *now_us;
	return framed;
}

/* --- the loop --------------------------------------------------------------------------------- */

static bool is_over(const struct load *load, uint64_t now_us)
{
	if (load->options.count > 0 && load->results.sent >= load->options.count)
		return true;
	return (double)(now_us - load->results.started_us) >= load->options.seconds * 1e6;
}

static bool is_waiting(const struct load *load)
{
	for (uint32_t i = 0; i < load->options.connections; i++) {
		if (load->connections[i].tail < load->connections[i].head)
			return true;
	}
	return false;
}

static void replace_silent(struct load *load, uint64_t now_us)
{
	for (uint32_t i = 0; i < load->options.connections; i++) {
		struct connection *c = &load->connections[i];

		if (c->tail < c->head && now_us > c->heard_us + TIMEOUT_US)
			replace_connection(load, c);
	}
}

static void serve_events(struct load *load, uint64_t *now_us)
{
	struct epoll_event events[64];
	int count = epoll_wait(load->epoll, events, 64, 100);

	*now_us = clock_mono_us();
	for (int i = 0; i < count; i++) {
		struct connection *c = events[i].data.ptr;
		bool works = true;

		if ((events[i].events & (EPOLLIN | EPOLLHUP | EPOLLERR)) != 0)
			works = receive(load, c, now_us);
		if (works && (events[i].events & EPOLLOUT) != 0)
			works = send_owed(load, c);
		if (works && !is_over(load, *now_us))
			works = ask_more(load, c, *now_us);
		if (!works)
			replace_connection(load, c);
		if (!works && !is_over(load, *now_us))
			(void)ask_more(load, c, *now_us);
	}
}

/* What is under way at the end counts, and so does its time. */
static void run(struct load *load)
{
	uint64_t now_us = clock_mono_us(), checked_us = now_us;

	load->results.started_us = load->results.ended_us = now_us;
	for (uint32_t i = 0; i < load->options.connections; i++)
		(void)ask_more(load, &load->connections[i], now_us);
	while (!is_over(load, now_us) || is_waiting(load)) {
		serve_events(load, &now_us);
		if (now_us - checked_us > TIMEOUT_US / 10) {
			replace_silent(load, now_us);
			checked_us = now_us;
		}
	}
}

/* --- from the command line to the report ------------------------------------------------------ */

static double cpu_seconds(void)
{
	struct rusage used;

	(void)getrusage(RUSAGE_SELF, &used);
	return (double)(used.ru_utime.tv_sec + used.ru_stime.tv_sec) +
	       (double)(used.ru_utime.tv_usec + used.ru_stime.tv_usec) / 1e6;
}

static unsigned percentile(const struct results *results, double share)
{
	double wanted = (double)results->answered * share;
	uint64_t seen = 0;

	for (unsigned us = 0; us < LATENCY_MAX; us++) {
		seen += results->latency[us];
		if ((double)seen > wanted)
			return us;
	}
	return LATENCY_MAX;
}

static void report(const struct results *r)
{
	double seconds = (double)(r->ended_us - r->started_us) / 1e6;
	double answered = r->answered > 0 ? (double)r->answered : 1;

	seconds = seconds > 0 ? seconds : 1e-6;
	(void)printf("{\"seconds\": %.4f, \"sent\": %llu, \"answered\": %llu, \"lost\": %llu, "
		     "\"strange\": %llu, \"connects\": %llu, \"per_second\": %.0f, ",
		     seconds, (unsigned long long)r->sent, (unsigned long long)r->answered,
		     (unsigned long long)r->lost, (unsigned long long)r->strange,
		     (unsigned long long)r->connects, (double)r->answered / seconds);
	(void)printf("\"reply_octets\": %.1f, \"with_answer\": %.4f, \"truncated\": %llu, ",
		     (double)r->reply_bytes / answered, (double)r->with_answer / answered,
		     (unsigned long long)r->truncated);
	(void)printf("\"busy\": %.3f, \"generator_cpu_us\": %.3f, ", r->busy_s / seconds,
		     r->busy_s * 1e6 / answered);
	(void)printf("\"p50_us\": %u, \"p99_us\": %u, \"rcodes\": {", percentile(r, 0.5),
		     percentile(r, 0.99));
	for (unsigned i = 0, found = 0; i < 16; i++)
		if (r->rcodes[i] > 0)
			(void)printf("%s\"%u\": %llu", found++ > 0 ? ", " : "", i,
				     (unsigned long long)r->rcodes[i]);
	(void)printf("}}\n");
}

static _Noreturn void usage(void)
{
	(void)fprintf(stderr, "usage: loadgen-tcp -s ADDRESS -p PORT [-t SECONDS] [-c COUNT] "
			      "[-C CONNECTIONS]\n"
			      "       [-w QUERIES-UNDER-WAY-ON-EACH] [-T TYPE] "
			      "-n NAME | -f FILE-OF-NAMES [-E FILE-OF-NETWORKS]\n"
			      "networks: IPv4, /24, one a line, as ECS\n");
	exit(2);
}

static void set_option(struct options *o, int option, const char *value)
{
	switch (option) {
	case 's':
		if (!ip_parse(value, &o->server))
			usage();
		break;
	case 'p': o->port = (uint16_t)strtoul(value, NULL, 10); break;
	case 't': o->seconds = strtod(value, NULL); break;
	case 'c': o->count = strtoull(value, NULL, 10); break;
	case 'C': o->connections = (uint32_t)strtoul(value, NULL, 10); break;
	case 'w': o->window = (uint32_t)strtoul(value, NULL, 10); break;
	case 'T': o->type = (uint16_t)strtoul(value, NULL, 10); break;
	case 'n': o->name = value; break;
	case 'f': o->names = value; break;
	case 'E': o->subnets = value; break;
	default: usage();
	}
}

static void close_all(struct load *load)
{
	for (uint32_t i = 0; i < load->options.connections; i++) {
		(void)close(load->connections[i].fd);
		free(load->connections[i].flights);
		free(load->connections[i].in);
	}
	free(load->connections);
	free(load->stream);
	free(load->offset);
	(void)close(load->epoll);
}

int main(int argc, char **argv)
{
	static struct load load = { .options = { .port = 53,
						 .type = TYPE_A,
						 .seconds = 3,
						 .window = 256,
						 .connections = 8 } };
	struct options *o = &load.options;
	double before_s;
	int option;

	while ((option = getopt(argc, argv, "s:p:t:c:C:w:T:n:f:E:")) != -1)
		set_option(o, option, optarg);
	if (o->server.family == 0 || (o->name == NULL) == (o->names == NULL) || o->window == 0 ||
	    o->window > WINDOW_MAX || o->connections == 0 || o->connections > CONNECTIONS_MAX ||
	    !(o->seconds > 0 && o->seconds <= 600))
		usage();
	make_stream(&load);
	open_connections(&load);
	before_s = cpu_seconds();
	run(&load);
	load.results.busy_s = cpu_seconds() - before_s;
	report(&load.results);
	close_all(&load);
	return 0;
}
