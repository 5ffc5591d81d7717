/* What one answer costs: nanoseconds for each kind of question. Instructions:
 *   valgrind --tool=callgrind --toggle-collect=answer ./bench-answer N 1000   (N: the question)
 *   valgrind --tool=callgrind --toggle-collect=batch_answer ./bench-answer N 64000 batch
 * What memory costs, with so many names in a zone, each as likely to be asked for:
 *   ./bench-answer names 1000000 ROUNDS [batch] */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/hash.h"
#include "base/mem.h"
#include "serve/batch.h"
#include "tests/unit/serve/fixture.h"

#define ROUNDS 2000000

static const struct fixture_zone zones[] = {
	{ "example.net.zone",
	  "$TTL 3600\n@ SOA ns1 h 1 7200 900 1209600 60\n@ NS ns1\n@ NS ns2\nns1 A 192.0.2.53\n"
	  "ns2 A 198.51.100.53\nvpn 30 POOL edge\nsticky 30 POOL sticky\nwww A 192.0.2.1\n"
	  "*.wild 30 POOL edge\n*.static A 192.0.2.1\nalias CNAME vpn\ncut NS ns.cut\nns.cut A 192.0.2.2\n"
	  "a.b.c.d.e.f TXT deep\n" },
};

static const struct dns_settings settings = { .udp_size_max = 1232,
					      .ecs = 1,
					      .cookies = 1,
					      .cookie_secret_count = 1,
					      .tcp_idle_ms = 10000,
					      .tcp_lifetime_ms = 1800000,
					      .tcp_connections = 1000 };

/* Options COOKIE as resolvers send them: the first time, and then with what the server made of it for
 * 192.0.2.1 in the second 0, which is always in here (RFC 9018, 4). */
#define CLIENT_COOKIE "\0\12\0\10abcdefgh", .options_len = 12
#define OUR_COOKIE \
	"\0\12\0\30abcdefgh\1\0\0\0\0\0\0\0\xaa\x96\x93\x03\x9e\xde\xb0\x6a", .options_len = 28

static const struct question questions[] = {
	ASK("vpn.example.net.", "A", .ecs = "192.0.2.0/24"),
	ASK("vpn.example.net.", "AAAA", .ecs = "2001:db8::/56"),
	ASK("sticky.example.net.", "A"),
	ASK("vpn.example.net.", "A", .edns_size = 1232),
	ASK("www.example.net.", "A"),
	ASK("www.example.net.", "A", .edns_size = 1232),
	ASK("example.net.", "NS"),
	ASK("x.wild.example.net.", "A", .ecs = "192.0.2.0/24"),
	ASK("alias.example.net.", "A", .ecs = "192.0.2.0/24"),
	ASK("none.example.net.", "A"),
	ASK("none.b.c.d.e.f.example.net.", "A"),
	ASK("x.cut.example.net.", "A"),
	ASK("example.org.", "A"),
	ASK("www.example.net.", "A", .options = CLIENT_COOKIE),
	ASK("www.example.net.", "A", .options = OUR_COOKIE),
	ASK("vpn.example.net.", "A", .ecs = "192.0.2.0/24", .options = OUR_COOKIE),
	ASK("x.static.example.net.", "A"),
};
#define QUESTIONS (sizeof(questions) / sizeof(questions[0]))

static struct fixture fixture;

static uint8_t message[FIXTURE_MESSAGE_SIZE + BATCH_READABLE], reply[BATCH_MAX][4096 + 64];

/* Returns the answer's length. */
static size_t run_single(size_t len, unsigned long rounds)
{
	struct client client = { .address = { { 192, 0, 2, 1 }, IP_V4 } };
	size_t reply_len = 0;

	for (unsigned long i = 0; i < rounds; i++) {
		client.random = hash_word(i);
		reply_len = answer(&fixture.world, &client, message, len, reply[0], 4096,
				   &fixture.counters);
	}
	return reply_len;
}

/* The same, by BATCH_MAX at once. */
static size_t run_batch(size_t len, unsigned long rounds)
{
	struct batch_query queries[BATCH_MAX];
	struct sockaddr_storage from;
	struct ip_address address = { { 192, 0, 2, 1 }, IP_V4 };

	(void)ip_to_sockaddr(&address, 5353, &from);
	for (unsigned i = 0; i < BATCH_MAX; i++)
		queries[i] = (struct batch_query){ message, len, reply[i], 4096, &from, 0, 0 };
	for (unsigned long done = 0; done < rounds; done += BATCH_MAX) {
		for (unsigned i = 0; i < BATCH_MAX; i++)
			queries[i].random = done + i;
		batch_answer(&fixture.world, queries, BATCH_MAX, 0, NULL, &fixture.counters);
	}
	return queries[0].reply_len;
}

static void run(const struct question *q, unsigned long rounds, bool batch)
{
	size_t len = question_write(q, message), reply_len;
	uint64_t start = clock_mono_us();

	reply_len = (batch ? run_batch : run_single)(len, rounds);
	(void)printf("%-28s %-5s %-16s %-6s %5.0f ns, %zu octets\n", q->name, q->type,
		     q->ecs != NULL      ? q->ecs
		     : q->edns_size != 0 ? "EDNS"
					 : "",
		     q->options != NULL ? "cookie" : "",
		     (double)(clock_mono_us() - start) * 1000 / (double)rounds, reply_len);
}

/* --- a zone of many names --------------------------------------------------------------------- */

#define NAME_DIGITS 7

static void open_names(unsigned long names)
{
	struct buf text = { 0 };
	struct fixture_zone zone = { .file = "example.net.zone" };

	buf_format(&text, "$TTL 3600\n@ SOA ns1 h 1 7200 900 1209600 60\n@ NS n0000000\n");
	for (unsigned long i = 0; i < names; i++)
		buf_format(&text, "n%0*lx A 192.0.2.1\n", NAME_DIGITS, i);
	buf_append(&text, "", 1);
	zone.text = (const char *)text.data;
	fixture_open(&fixture, &zone, 1, NULL);
	buf_free(&text);
}

static void put_number(uint8_t *query, uint32_t number)
{
	for (unsigned i = 0; i < NAME_DIGITS; i++)
		query[DNS_HEADER_SIZE + 2 + i] =
			(uint8_t) "0123456789abcdef"[number >> (4 * (NAME_DIGITS - 1 - i)) & 15];
}

static void run_names(unsigned long names, unsigned long rounds, bool batch)
{
	static uint8_t slots[BATCH_MAX][512];
	const struct question q = ASK("n0000000.example.net.", "A");
	struct batch_query queries[BATCH_MAX];
	struct sockaddr_storage from = { .ss_family = AF_INET };
	size_t len = question_write(&q, message);
	uint64_t start;

	open_names(names);
	for (unsigned i = 0; i < BATCH_MAX; i++) {
		memcpy(slots[i], message, len);
		queries[i] = (struct batch_query){ slots[i], len, reply[i], 4096, &from, 0, 0 };
	}
	start = clock_cpu_us();
	for (unsigned long done = 0; done < rounds; done += BATCH_MAX) {
		for (unsigned i = 0; i < BATCH_MAX; i++)
			put_number(slots[i], hash_below(hash_word(done + i), (uint32_t)names));
		for (unsigned i = 0; i < BATCH_MAX; i += batch ? BATCH_MAX : 1)
			batch_answer(&fixture.world, queries + i, batch ? BATCH_MAX : 1, 0, NULL,
				     &fixture.counters);
	}
	(void)printf("%lu names, %s %.1f ns, %lu answered\n", names,
		     batch ? "in batches:" : "one by one:",
		     (double)(clock_cpu_us() - start) * 1000 / (double)rounds,
		     (unsigned long)fixture.counters.noerror);
	fixture_close(&fixture);
}

int main(int argc, char **argv)
{
	const struct fixture_options options = { .dns = &settings };
	unsigned long only = argc > 1 ? strtoul(argv[1], NULL, 10) : QUESTIONS;
	unsigned long rounds = argc > 2 ? strtoul(argv[2], NULL, 10) : ROUNDS;
	bool batch = strcmp(argv[argc - 1], "batch") == 0;

	if (argc > 3 && strcmp(argv[1], "names") == 0) {
		run_names(strtoul(argv[2], NULL, 10), strtoul(argv[3], NULL, 10), batch);
		return EXIT_SUCCESS;
	}
	fixture_open(&fixture, zones, 1, &options);
	for (unsigned long i = 0; i < QUESTIONS; i++) {
		if (only >= QUESTIONS || only == i)
			run(&questions[i], rounds, batch);
	}
	fixture_close(&fixture);
	return EXIT_SUCCESS;
}
