/* loadgen.c - asks a DNS server over UDP as fast as it answers, and says how fast that was.
 *
 * A closed loop on one thread: at most `window` queries are under way, so nothing is lost in a
 * full socket buffer and the server sets the pace. Queries are made beforehand. With -S each
 * comes from a random address (the machine must hold all of them, see `run`), with -E each
 * carries a random Client Subnet. Ends after -t seconds or -c queries. Prints one JSON object. */
#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/cursor.h"
#include "base/mem.h"
#include "base/netprefix.h"
#include "wire/name.h"

#define QUERY_MAX    320
#define REPLY_MAX    4096
#define BATCH        32
#define IDS          65536U
#define POOL         65536U
#define TIMEOUT_US   250000U
#define LATENCY_MAX  65536U /* us; longer ones are counted as this */
#define BUFFER_BYTES (8 << 20)
#define EDNS_SIZE    1232
#define OPTION_ECS   8

struct options {
	struct ip_address server;
	uint16_t port, type;
	double seconds;
	uint64_t count; /* 0: seconds decide */
	uint32_t window;
	const char *name, *names, *sources, *subnets;
};

struct query {
	uint16_t len;
	struct in_addr source; /* any: 0 */
	uint8_t bytes[QUERY_MAX];
};

/* A query under way; its id is its number modulo IDS. */
struct flight {
	uint64_t sent_us;
	bool waiting;
};

struct results {
	uint64_t sent, answered, lost, strange, with_answer, truncated, reply_bytes;
	uint64_t rcodes[16];
	uint32_t latency[LATENCY_MAX];
	uint64_t started_us, ended_us;
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

static uint64_t next_random(struct load *load)
{
	load->random++;
	return hash_word(load->random);
}

/* --- what to ask -------------------------------------------------------------------------------- */

struct lines {
	char **items;
	size_t count, cap;
};

static struct lines read_lines(const char *path)
{
	struct lines lines = { 0 };
	char buffer[1100];
	FILE *file = fopen(path, "r");

	if (file == NULL)
		die(path, strerror(errno));
	while (fgets(buffer, sizeof(buffer), file) != NULL) {
		buffer[strcspn(buffer, " \t\r\n/")] = '\0';
		if (buffer[0] != '\0')
			array_add(lines.items, lines.count, lines.cap) = mem_copy_text(buffer);
	}
	(void)fclose(file);
	if (lines.count == 0)
		die(path, "no lines");
	return lines;
}

static void free_lines(struct lines *lines)
{
	for (size_t i = 0; i < lines->count; i++)
		free(lines->items[i]);
	free(lines->items);
}

static const char *pick(struct load *load, const struct lines *lines)
{
	return lines->items[next_random(load) % lines->count];
}

static void put_opt(struct writer *out, const struct in_addr *subnet)
{
	put_u8(out, 0); /* the root */
	put_u16(out, TYPE_OPT);
	put_u16(out, EDNS_SIZE);
	put_u32(out, 0);
	put_u16(out, 4 + 4 + 3);
	put_u16(out, OPTION_ECS);
	put_u16(out, 4 + 3);
	put_u16(out, 1); /* IPv4 (RFC 7871, 6) */
	put_u8(out, 24);
	put_u8(out, 0);
	put_bytes(out, subnet, 3);
}

static void make_query(struct query *query, const char *text, uint16_t type,
		       const struct in_addr *subnet)
{
	struct writer out = { .data = query->bytes, .size = sizeof(query->bytes) };
	const char *reason = "too long";
	struct name name;

	if (!name_parse(text, strlen(text), NULL, &name, &reason))
		die(text, reason);
	put_u32(&out, 0); /* id, flags */
	put_u16(&out, 1);
	put_u32(&out, 0);
	put_u16(&out, subnet != NULL);
	put_bytes(&out, name.wire, name.len);
	put_u16(&out, type);
	put_u16(&out, CLASS_IN);
	if (subnet != NULL)
		put_opt(&out, subnet);
	if (out.full)
		die(text, reason);
	query->len = (uint16_t)out.pos;
}

static struct in_addr parse_ipv4(const char *text)
{
	struct in_addr address;

	if (inet_pton(AF_INET, text, &address) != 1)
		die(text, "not an IPv4 network");
	return address;
}

static void make_queries(struct load *load)
{
	const struct options *o = &load->options;
	const char *networks = o->sources != NULL ? o->sources : o->subnets;
	struct lines names = { 0 }, nets = { 0 };

	if (o->names != NULL)
		names = read_lines(o->names);
	if (networks != NULL)
		nets = read_lines(networks);
	load->query_count = o->names != NULL || networks != NULL ? POOL : BATCH;
	load->queries = mem_array(load->query_count, sizeof(*load->queries));
	for (uint32_t i = 0; i < load->query_count; i++) {
		struct query *query = &load->queries[i];
		struct in_addr net = { 0 };

		if (networks != NULL)
			net = parse_ipv4(pick(load, &nets));
		make_query(query, o->names != NULL ? pick(load, &names) : o->name, o->type,
			   o->subnets != NULL ? &net : NULL);
		if (o->sources != NULL) /* some host of the network */
			query->source.s_addr = net.s_addr |
					       htonl((uint32_t)(1 + next_random(load) % 250));
	}
	free_lines(&names);
	free_lines(&nets);
}

/* --- sending -------------------------------------------------------------------------------------- */

union control {
	struct cmsghdr header;
	char bytes[CMSG_SPACE(sizeof(struct in_pktinfo))];
};

static void set_source(struct msghdr *message, union control *control, struct in_addr source)
{
	struct in_pktinfo info = { .ipi_spec_dst = source };

	memset(control, 0, sizeof(*control));
	control->header.cmsg_level = IPPROTO_IP;
	control->header.cmsg_type = IP_PKTINFO;
	control->header.cmsg_len = CMSG_LEN(sizeof(info));
	memcpy(CMSG_DATA(&control->header), &info, sizeof(info));
	message->msg_control = control;
	message->msg_controllen = sizeof(*control);
}

/* How many queries may be sent now. */
static unsigned room(const struct load *load)
{
	uint64_t wanted = load->options.window - load->under_way;
	uint64_t ids = IDS - (load->head - load->tail);

	wanted = wanted < ids ? wanted : ids;
	wanted = wanted < BATCH ? wanted : BATCH;
	if (load->options.count > 0 && load->options.count - load->results.sent < wanted)
		wanted = load->options.count - load->results.sent;
	return (unsigned)wanted;
}

static unsigned send_batch(struct load *load, uint64_t now_us)
{
	static struct mmsghdr messages[BATCH];
	static struct iovec parts[BATCH];
	static union control controls[BATCH];
	unsigned count = room(load);
	int sent;

	for (unsigned i = 0; i < count; i++) {
		struct query *query = &load->queries[(load->head + i) % load->query_count];
		struct msghdr *message = &messages[i].msg_hdr;

		store_u16(query->bytes, (uint16_t)(load->head + i));
		parts[i] = (struct iovec){ query->bytes, query->len };
		*message = (struct msghdr){ .msg_name = &load->server,
					    .msg_namelen = sizeof(load->server),
					    .msg_iov = &parts[i],
					    .msg_iovlen = 1 };
		if (query->source.s_addr != 0)
			set_source(message, &controls[i], query->source);
	}
	if (count == 0)
		return 0;
	sent = sendmmsg(load->socket, messages, count, 0);
	if (sent < 0 && errno != EAGAIN && errno != ENOBUFS && errno != ECONNREFUSED)
		die("sendmmsg", strerror(errno));
	for (int i = 0; i < sent; i++)
		load->flights[load->head++ % IDS] = (struct flight){ now_us, true };
	if (sent <= 0)
		return 0;
	load->under_way += (unsigned)sent;
	load->results.sent += (unsigned)sent;
	return (unsigned)sent;
}

/* --- receiving ------------------------------------------------------------------------------------- */

static void take_reply(struct load *load, const uint8_t *reply, size_t len, uint64_t now_us)
{
	struct results *results = &load->results;
	struct flight *flight;
	uint64_t took_us;

	if (len < DNS_HEADER_SIZE || (reply[2] & 0x80) == 0 ||
	    !load->flights[load_u16(reply)].waiting) {
		results->strange++;
		return;
	}
	flight = &load->flights[load_u16(reply)];
	flight->waiting = false;
	load->under_way--;
	took_us = now_us - flight->sent_us;
	results->latency[took_us < LATENCY_MAX ? took_us : LATENCY_MAX - 1]++;
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
	uint64_t now_us;
	int count;

	for (unsigned i = 0; i < BATCH; i++) {
		parts[i] = (struct iovec){ replies[i], REPLY_MAX };
		messages[i].msg_hdr = (struct msghdr){ .msg_iov = &parts[i], .msg_iovlen = 1 };
	}
	count = recvmmsg(load->socket, messages, BATCH, MSG_DONTWAIT, NULL);
	now_us = clock_mono_us();
	for (int i = 0; i < count; i++)
		take_reply(load, replies[i], messages[i].msg_len, now_us);
	return count > 0 ? (unsigned)count : 0;
}

/* Gives up on what was sent too long ago. */
static void expire(struct load *load, uint64_t now_us)
{
	while (load->tail < load->head) {
		struct flight *flight = &load->flights[load->tail % IDS];

		if (flight->waiting && now_us - flight->sent_us < TIMEOUT_US)
			return;
		if (flight->waiting) {
			flight->waiting = false;
			load->under_way--;
			load->results.lost++;
		}
		load->tail++;
	}
}

static bool is_over(const struct load *load, uint64_t now_us)
{
	if (load->options.count > 0 && load->results.sent >= load->options.count)
		return true;
	return (double)(now_us - load->results.started_us) >= load->options.seconds * 1e6;
}

static void run(struct load *load)
{
	struct pollfd ready = { .fd = load->socket, .events = POLLIN };
	uint64_t now_us = clock_mono_us();

	load->results.started_us = now_us;
	while (!is_over(load, now_us)) {
		unsigned moved = send_batch(load, now_us);

		moved += receive_batch(load);
		now_us = clock_mono_us();
		expire(load, now_us);
		if (moved == 0)
			(void)poll(&ready, 1, 1);
	}
	load->results.ended_us = clock_mono_us();
	while (load->under_way > 0) { /* what is still under way counts, too; not its time */
		if (receive_batch(load) == 0)
			(void)poll(&ready, 1, 1);
		expire(load, clock_mono_us());
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
	/* As much as is allowed; the window is small. */
	(void)setsockopt(load->socket, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
	(void)setsockopt(load->socket, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
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

	(void)printf("{\"seconds\": %.4f, \"sent\": %llu, \"answered\": %llu, \"lost\": %llu, "
		     "\"strange\": %llu, \"per_second\": %.0f, ",
		     seconds, (unsigned long long)r->sent, (unsigned long long)r->answered,
		     (unsigned long long)r->lost, (unsigned long long)r->strange,
		     (double)r->answered / seconds);
	(void)printf("\"reply_octets\": %.1f, \"with_answer\": %.4f, \"truncated\": %llu, ",
		     (double)r->reply_bytes / answered, (double)r->with_answer / answered,
		     (unsigned long long)r->truncated);
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
	(void)fprintf(stderr, "usage: loadgen -s ADDRESS -p PORT [-t SECONDS] [-c COUNT] "
			      "[-w WINDOW] [-T TYPE]\n"
			      "       -n NAME | -f FILE-OF-NAMES "
			      "[-S FILE-OF-NETWORKS | -E FILE-OF-NETWORKS]\n"
			      "networks: IPv4, /24, one a line; -S: asked from, -E: as ECS\n");
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
	static struct load load = {
		.options = { .port = 53, .type = TYPE_A, .seconds = 3, .window = 192 }
	};
	struct options *o = &load.options;
	int option;

	while ((option = getopt(argc, argv, "s:p:t:c:w:T:n:f:S:E:")) != -1)
		set_option(o, option, optarg);
	if (o->server.family == 0 || (o->name == NULL) == (o->names == NULL) || o->window == 0 ||
	    o->window > IDS / 2 || o->seconds <= 0 || o->seconds > 600)
		usage();
	make_queries(&load);
	open_socket(&load);
	run(&load);
	report(&load.results);
	free(load.queries);
	(void)close(load.socket);
	return 0;
}
