/* loadgen.c - asks a DNS server over UDP as fast as it answers, or at a rate, and says how it went.
 *
 * A closed loop on one thread: at most `window` queries are under way, so nothing is lost in a
 * full socket buffer and the server sets the pace. With -r queries leave at a fixed rate instead,
 * as long as the window has room. Queries are made beforehand. Neighbours of one length and source
 * are handed to the kernel as one datagram that it cuts (UDP_SEGMENT), up to -g of them: else the
 * generator would be slower than the fastest servers. With -S queries come from random addresses
 * (the machine must hold all of them, see `run`), -g neighbours from the same one; with -E each
 * carries a random Client Subnet. What is sent in the first -W seconds is not counted. Ends after
 * -t seconds or -c queries, then waits for what is under way: a query without a reply is `lost`,
 * a reply that found the own receive buffer full is `dropped`. Prints one JSON object.
 *
 * For latencies: -q puts it before all others on its processor (SCHED_FIFO) and keeps its memory
 * (mlockall); -H prints their histogram, so that several runs can be joined; and with -r, which
 * never sleeps, it tells how long it was kept from looking for replies (`stalls`: how often for
 * more than 50 us, `stalled_us`: in all). -O writes the queries to a file, as bench-images reads
 * them, and sends none. */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/sock_diag.h>
#include <netinet/udp.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/cursor.h"
#include "base/hash.h"
#include "base/mem.h"
#include "base/netprefix.h"
#include "tests/bench/questions.h"
#include "wire/name.h"

#define REPLY_MAX    4096
#define BATCH        64
#define IDS          65536U
#define POOL         65536U
#define TIMEOUT_NS   1000000000U
#define SPIN         64 /* looks for replies in vain before it sleeps */
#define STEPS        64 /* of the latencies' histogram, in each power of two: 1.6 % */
#define BUFFER_BYTES (8 << 20)
#define STALL_NS     50000U

struct options {
	struct ip_address server;
	uint16_t port, type;
	double seconds, warm_up;
	double rate;    /* 0: as fast as the window lets it */
	uint64_t count; /* 0: seconds decide */
	uint32_t window, segments;
	bool edns, dnssec_ok;
	bool quiet, histogram;
	const char *name, *names, *sources, *subnets, *out;
};

struct query {
	uint16_t len;
	struct in_addr source; /* any: 0 */
	uint8_t bytes[QUESTION_MAX];
};

/* A query under way; its id is its number modulo IDS. */
struct flight {
	uint64_t sent_ns;
	bool waiting;
};

struct results {
	uint64_t sent, answered, lost, strange, with_answer, truncated, reply_bytes;
	uint64_t rcodes[16];
	uint64_t latency[64 * STEPS];
	uint64_t answered_ever; /* with those of the warm-up */
	uint64_t started_ns, ended_ns;
	uint64_t stalls, stalled_ns;
};

struct load {
	struct options options;
	struct query *queries;
	uint32_t query_count;
	int socket;
	struct sockaddr_in server;
	uint64_t random;
	/* Flights are numbered from 0; those from tail up to head may be under way. */
	uint64_t head, tail;
	uint32_t under_way;
	struct flight flights[IDS];
	struct results results;
};

static _Noreturn void die(const char *what, const char *why)
{
	(void)fprintf(stderr, "loadgen: %s: %s\n", what, why);
	exit(1);
}

static uint64_t now(void)
{
	struct timespec time;

	(void)clock_gettime(CLOCK_MONOTONIC, &time);
	return (uint64_t)time.tv_sec * 1000000000U + (uint64_t)time.tv_nsec;
}

static uint64_t next_random(struct load *load)
{
	load->random++;
	return hash_word(load->random);
}

/* --- what to ask -------------------------------------------------------------------------------- */

static const char *pick(struct load *load, const struct lines *lines)
{
	return lines->items[next_random(load) % lines->count];
}

static void make_queries(struct load *load)
{
	const struct options *o = &load->options;
	const char *networks = o->sources != NULL ? o->sources : o->subnets;
	struct lines names = { 0 }, nets = { 0 };

	if (o->names != NULL)
		names = lines_read(o->names);
	if (networks != NULL)
		nets = lines_read(networks);
	load->query_count = o->names != NULL || networks != NULL ? POOL : BATCH;
	load->queries = mem_array(load->query_count, sizeof(*load->queries));
	for (uint32_t i = 0; i < load->query_count; i++) {
		struct query *query = &load->queries[i];
		struct in_addr net = { 0 };
		struct question question = { .type = o->type,
					     .edns = o->edns,
					     .dnssec_ok = o->dnssec_ok };

		if (networks != NULL)
			net = question_network(pick(load, &nets));
		question.name = o->names != NULL ? pick(load, &names) : o->name;
		question.subnet = o->subnets != NULL ? &net : NULL;
		query->len = question_write(query->bytes, &question);
		if (o->sources != NULL && i % o->segments != 0)
			query->source = query[-1].source;
		else if (o->sources != NULL) /* some host of the network */
			query->source.s_addr = net.s_addr |
					       htonl((uint32_t)(1 + next_random(load) % 250));
	}
	lines_free(&names);
	lines_free(&nets);
}

/* As bench-images reads them: of each its source (4 octets), its length (2, network order), itself. */
static void write_queries(const struct load *load)
{
	const struct in_addr any = { htonl(INADDR_LOOPBACK) };
	FILE *file = fopen(load->options.out, "wb");
	bool good = file != NULL;

	for (uint32_t i = 0; good && i < load->query_count; i++) {
		const struct query *query = &load->queries[i];
		const struct in_addr *source = query->source.s_addr != 0 ? &query->source : &any;
		uint8_t len[2];

		store_u16(len, query->len);
		good = fwrite(source, sizeof(*source), 1, file) == 1 &&
		       fwrite(len, sizeof(len), 1, file) == 1 &&
		       fwrite(query->bytes, query->len, 1, file) == 1;
	}
	if (!good || fclose(file) != 0)
		die(load->options.out, strerror(errno));
}

/* --- sending -------------------------------------------------------------------------------------- */

union control {
	struct cmsghdr header;
	char bytes[CMSG_SPACE(sizeof(struct in_pktinfo)) + CMSG_SPACE(sizeof(uint16_t))];
};

static void add_control(struct msghdr *message, union control *control, int level, int type,
			const void *value, size_t len)
{
	struct cmsghdr *header = (void *)(control->bytes + message->msg_controllen);

	header->cmsg_level = level;
	header->cmsg_type = type;
	header->cmsg_len = CMSG_LEN(len);
	memcpy(CMSG_DATA(header), value, len);
	message->msg_control = control;
	message->msg_controllen += CMSG_SPACE(len);
}

/* How many queries may be sent now. */
static unsigned room(const struct load *load, uint64_t now_ns)
{
	uint64_t wanted = load->options.window - load->under_way;
	uint64_t ids = IDS - (load->head - load->tail);

	wanted = wanted < ids ? wanted : ids;
	wanted = wanted < BATCH ? wanted : BATCH;
	if (load->options.count > 0 && load->options.count - load->results.sent < wanted)
		wanted = load->options.count - load->results.sent;
	if (load->options.rate > 0) {
		double due = (double)(now_ns - load->results.started_ns) * load->options.rate / 1e9;

		due -= (double)load->results.sent;
		wanted = due < (double)wanted ? (uint64_t)(due > 0 ? due : 0) : wanted;
	}
	return (unsigned)wanted;
}

/* How many from the first on may go as one message: of one length, from one source. */
static unsigned run_of_equals(const struct load *load, unsigned first, unsigned count)
{
	const struct query *q = &load->queries[(load->head + first) % load->query_count];
	unsigned n = 1;

	while (first + n < count && n < load->options.segments) {
		const struct query *next =
			&load->queries[(load->head + first + n) % load->query_count];

		if (next->len != q->len || next->source.s_addr != q->source.s_addr)
			break;
		n++;
	}
	return n;
}

static void make_message(struct load *load, struct msghdr *message, struct iovec *parts,
			 union control *control, unsigned first, unsigned n)
{
	const struct query *q = &load->queries[(load->head + first) % load->query_count];
	struct in_pktinfo info = { .ipi_spec_dst = q->source };

	for (unsigned i = 0; i < n; i++) {
		uint64_t number = load->head + first + i;
		struct query *query = &load->queries[number % load->query_count];

		store_u16(query->bytes, (uint16_t)number);
		parts[i] = (struct iovec){ query->bytes, query->len };
	}
	*message = (struct msghdr){ .msg_iov = parts, .msg_iovlen = n };
	if (q->source.s_addr != 0) {
		message->msg_name = &load->server;
		message->msg_namelen = sizeof(load->server);
		add_control(message, control, IPPROTO_IP, IP_PKTINFO, &info, sizeof(info));
	}
	if (n > 1)
		add_control(message, control, IPPROTO_UDP, UDP_SEGMENT, &q->len, sizeof(q->len));
}

static unsigned send_batch(struct load *load, uint64_t now_ns)
{
	static struct mmsghdr messages[BATCH];
	static struct iovec parts[BATCH];
	static union control controls[BATCH];
	unsigned sizes[BATCH], count = room(load, now_ns), made = 0, queries = 0;
	int sent;

	for (unsigned i = 0; i < count; i += sizes[made++]) {
		sizes[made] = run_of_equals(load, i, count);
		make_message(load, &messages[made].msg_hdr, parts + i, &controls[made], i,
			     sizes[made]);
	}
	if (count == 0)
		return 0;
	sent = sendmmsg(load->socket, messages, made, 0);
	if (sent < 0 && errno != EAGAIN && errno != ENOBUFS && errno != ECONNREFUSED)
		die("sendmmsg", strerror(errno));
	for (int i = 0; i < sent; i++)
		queries += sizes[i];
	for (unsigned i = 0; i < queries; i++)
		load->flights[load->head++ % IDS] = (struct flight){ now_ns, true };
	load->under_way += queries;
	load->results.sent += queries;
	return queries;
}

/* --- receiving ------------------------------------------------------------------------------------- */

static unsigned latency_slot(uint64_t ns)
{
	unsigned power = ns < STEPS ? 0 : 58 - (unsigned)__builtin_clzll(ns); /* 2^6 is STEPS */

	return ns < STEPS ? (unsigned)ns : power * STEPS + (unsigned)(ns >> (power - 1)) % STEPS;
}

static double slot_us(unsigned slot)
{
	unsigned power = slot / STEPS;

	return power == 0 ? slot / 1e3
			  : (double)((uint64_t)(STEPS + slot % STEPS) << (power - 1)) / 1e3;
}

static void take_reply(struct load *load, const uint8_t *reply, size_t len, uint64_t now_ns)
{
	struct results *results = &load->results;
	struct flight *flight;

	if (len < DNS_HEADER_SIZE || (reply[2] & 0x80) == 0 ||
	    !load->flights[load_u16(reply)].waiting) {
		results->strange++;
		return;
	}
	flight = &load->flights[load_u16(reply)];
	flight->waiting = false;
	load->under_way--;
	results->answered_ever++;
	if (flight->sent_ns < results->started_ns)
		return; /* of the warm-up */
	results->latency[latency_slot(now_ns - flight->sent_ns)]++;
	results->answered++;
	results->reply_bytes += len;
	results->rcodes[reply[3] & 15]++;
	results->truncated += (reply[2] & 2) != 0;
	results->with_answer += load_u16(reply + 6) > 0;
}

static unsigned receive_batch(struct load *load)
{
	static uint8_t replies[BATCH][REPLY_MAX];
	static struct mmsghdr messages[BATCH];
	static struct iovec parts[BATCH];
	uint64_t now_ns;
	int count;

	for (unsigned i = 0; i < BATCH && messages[i].msg_hdr.msg_iov == NULL; i++) {
		parts[i] = (struct iovec){ replies[i], REPLY_MAX };
		messages[i].msg_hdr = (struct msghdr){ .msg_iov = &parts[i], .msg_iovlen = 1 };
	}
	count = recvmmsg(load->socket, messages, BATCH, MSG_DONTWAIT, NULL);
	now_ns = now();
	for (int i = 0; i < count; i++)
		take_reply(load, replies[i], messages[i].msg_len, now_ns);
	return count > 0 ? (unsigned)count : 0;
}

/* Gives up on what was sent too long ago. */
static void expire(struct load *load, uint64_t now_ns)
{
	while (load->tail < load->head) {
		struct flight *flight = &load->flights[load->tail % IDS];

		if (flight->waiting && now_ns - flight->sent_ns < TIMEOUT_NS)
			return;
		if (flight->waiting) {
			flight->waiting = false;
			load->under_way--;
			load->results.lost += flight->sent_ns >= load->results.started_ns;
		}
		load->tail++;
	}
}

/* From now on it counts. */
static void begin(struct load *load, uint64_t now_ns)
{
	load->results = (struct results){ .answered_ever = load->results.answered_ever,
					  .started_ns = now_ns };
}

static bool is_over(const struct load *load, uint64_t now_ns)
{
	if (load->options.count > 0 && load->results.sent >= load->options.count)
		return true;
	return (double)(now_ns - load->results.started_ns) >= load->options.seconds * 1e9;
}

/* One turn of a loop that never sleeps took so long. */
static void note_stall(struct load *load, uint64_t turn_ns)
{
	if (load->options.rate == 0 || turn_ns < STALL_NS)
		return;
	load->results.stalls++;
	load->results.stalled_ns += turn_ns;
}

static void run(struct load *load)
{
	struct pollfd ready = { .fd = load->socket, .events = POLLIN };
	uint64_t now_ns = now(), warm_ns = now_ns + (uint64_t)(load->options.warm_up * 1e9);
	unsigned idle = 0;

	begin(load, now_ns);
	while (!is_over(load, now_ns)) {
		uint64_t before_ns = now_ns;
		unsigned moved = send_batch(load, now_ns);

		moved += receive_batch(load);
		now_ns = now();
		note_stall(load, now_ns - before_ns);
		expire(load, now_ns);
		if (warm_ns != 0 && now_ns >= warm_ns) {
			begin(load, now_ns);
			warm_ns = 0;
		}
		idle = moved > 0 ? 0 : idle + 1;
		if (idle > SPIN && load->options.rate == 0)
			(void)poll(&ready, 1, 1);
	}
	load->results.ended_ns = now();
	while (load->under_way > 0) { /* what is still under way counts, too; not its time */
		if (receive_batch(load) == 0)
			(void)poll(&ready, 1, 1);
		expire(load, now());
	}
}

/* --- from the command line to the report ------------------------------------------------------------- */

static void open_socket(struct load *load)
{
	struct sockaddr_in any = { .sin_family = AF_INET };
	int size = BUFFER_BYTES;

	load->server.sin_family = AF_INET;
	load->server.sin_port = htons(load->options.port);
	memcpy(&load->server.sin_addr, load->options.server.bytes, 4);
	load->socket = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (load->socket < 0 || bind(load->socket, (struct sockaddr *)&any, sizeof(any)) != 0)
		die("socket", strerror(errno));
	if (load->options.sources == NULL &&
	    connect(load->socket, (struct sockaddr *)&load->server, sizeof(load->server)) != 0)
		die("connect", strerror(errno));
	/* As much as is allowed; the window is small. */
	if (setsockopt(load->socket, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size)) != 0)
		(void)setsockopt(load->socket, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
	if (setsockopt(load->socket, SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof(size)) != 0)
		(void)setsockopt(load->socket, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
}

/* Before whatever else the machine has to do here, and without a page that has to be fetched. */
static void be_first(void)
{
	const struct sched_param first = { .sched_priority = 1 };

	if (mlockall(MCL_CURRENT | MCL_FUTURE) != 0)
		die("mlockall", strerror(errno));
	if (sched_setscheduler(0, SCHED_FIFO, &first) != 0)
		die("SCHED_FIFO", strerror(errno));
}

/* Replies that came while the receive buffer was full. */
static uint32_t dropped(int fd)
{
	uint32_t info[SK_MEMINFO_VARS] = { 0 };
	socklen_t len = sizeof(info);

	if (getsockopt(fd, SOL_SOCKET, SO_MEMINFO, info, &len) != 0)
		die("SO_MEMINFO", strerror(errno));
	return info[SK_MEMINFO_DROPS];
}

static double percentile_us(const struct results *results, double share)
{
	double wanted = (double)results->answered * share;
	uint64_t seen = 0;

	for (unsigned i = 0; i < 64 * STEPS; i++) {
		seen += results->latency[i];
		if ((double)seen > wanted)
			return slot_us(i);
	}
	return 0;
}

/* Of each slot that has any: microseconds and how many. */
static void print_histogram(const struct results *results)
{
	bool first = true;

	(void)printf("\"histogram\": [");
	for (unsigned i = 0; i < 64 * STEPS; i++) {
		if (results->latency[i] == 0)
			continue;
		(void)printf("%s[%.3f, %llu]", first ? "" : ", ", slot_us(i),
			     (unsigned long long)results->latency[i]);
		first = false;
	}
	(void)printf("], ");
}

static void report(const struct results *r, const struct options *options, uint32_t drops)
{
	double seconds = (double)(r->ended_ns - r->started_ns) / 1e9;
	double answered = r->answered > 0 ? (double)r->answered : 1;

	(void)printf(
		"{\"seconds\": %.4f, \"sent\": %llu, \"answered\": %llu, \"answered_ever\": %llu, "
		"\"lost\": %llu, \"dropped\": %u, \"strange\": %llu, \"per_second\": %.0f, ",
		seconds, (unsigned long long)r->sent, (unsigned long long)r->answered,
		(unsigned long long)r->answered_ever, (unsigned long long)r->lost, drops,
		(unsigned long long)r->strange, (double)r->answered / seconds);
	(void)printf("\"reply_octets\": %.1f, \"with_answer\": %.4f, \"truncated\": %llu, ",
		     (double)r->reply_bytes / answered, (double)r->with_answer / answered,
		     (unsigned long long)r->truncated);
	if (options->histogram)
		print_histogram(r);
	if (options->rate > 0)
		(void)printf("\"stalls\": %llu, \"stalled_us\": %.0f, ",
			     (unsigned long long)r->stalls, (double)r->stalled_ns / 1e3);
	(void)printf("\"p50_us\": %.1f, \"p99_us\": %.1f, \"p999_us\": %.1f, \"rcodes\": {",
		     percentile_us(r, 0.5), percentile_us(r, 0.99), percentile_us(r, 0.999));
	for (unsigned i = 0, found = 0; i < 16; i++)
		if (r->rcodes[i] > 0)
			(void)printf("%s\"%u\": %llu", found++ > 0 ? ", " : "", i,
				     (unsigned long long)r->rcodes[i]);
	(void)printf("}}\n");
}

static _Noreturn void usage(void)
{
	(void)fprintf(stderr, "usage: loadgen -s ADDRESS -p PORT [-t SECONDS] [-c COUNT] "
			      "[-W SECONDS] [-r RATE]\n"
			      "       [-w WINDOW] [-g SEGMENTS] [-T TYPE] [-e] [-d]\n"
			      "       -n NAME | -f FILE-OF-NAMES "
			      "[-S FILE-OF-NETWORKS | -E FILE-OF-NETWORKS]\n"
			      "networks: IPv4, /24, one a line; -S: asked from, -E: as ECS\n"
			      "-e: with EDNS; -d: and DO; -q: before all others on its processor; "
			      "-H: with a histogram\n"
			      "-O FILE: write the queries there instead, for bench-images\n");
	exit(2);
}

static void set_option(struct options *o, int option, const char *value)
{
	switch (option) {
	case 's':
		if (!ip_parse(value, &o->server) || o->server.family != IP_V4)
			usage();
		break;
	case 'p': o->port = (uint16_t)strtoul(value, NULL, 10); break;
	case 't': o->seconds = strtod(value, NULL); break;
	case 'c': o->count = strtoull(value, NULL, 10); break;
	case 'W': o->warm_up = strtod(value, NULL); break;
	case 'r': o->rate = strtod(value, NULL); break;
	case 'g': o->segments = (uint32_t)strtoul(value, NULL, 10); break;
	case 'e': o->edns = true; break;
	case 'd': o->dnssec_ok = true; break;
	case 'q': o->quiet = true; break;
	case 'H': o->histogram = true; break;
	case 'O': o->out = value; break;
	case 'w': o->window = (uint32_t)strtoul(value, NULL, 10); break;
	case 'T': o->type = (uint16_t)strtoul(value, NULL, 10); break;
	case 'n': o->name = value; break;
	case 'f': o->names = value; break;
	case 'S': o->sources = value; break;
	case 'E': o->subnets = value; break;
	default: usage();
	}
}

int main(int argc, char **argv)
{
	static struct load load = { .options = { .port = 53,
						 .type = TYPE_A,
						 .seconds = 3,
						 .window = 192,
						 .segments = 1 } };
	struct options *o = &load.options;
	int option;

	while ((option = getopt(argc, argv, "s:p:t:c:w:W:r:g:edqHT:n:f:S:E:O:")) != -1)
		set_option(o, option, optarg);
	if ((o->server.family == 0 && o->out == NULL) || (o->name == NULL) == (o->names == NULL) ||
	    o->window == 0 || o->window > IDS / 2 || o->seconds <= 0 || o->seconds > 600 ||
	    o->segments == 0 || o->segments > BATCH || !(o->rate >= 0) || !(o->warm_up >= 0))
		usage();
	make_queries(&load);
	if (o->out != NULL) {
		write_queries(&load);
		return 0;
	}
	open_socket(&load);
	if (o->quiet)
		be_first();
	run(&load);
	report(&load.results, o, dropped(load.socket));
	free(load.queries);
	(void)close(load.socket);
	return 0;
}
