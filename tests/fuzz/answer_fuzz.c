/* answer() under hostile bytes: no report of a sanitizer, and every reply is one that a stranger's
 * parser takes. With clang and --enable-fuzzing a libFuzzer target; else a program that throws a
 * number of random and mutated messages at it, the same ones in every run. */
#include <ldns/ldns.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cursor.h"
#include "base/hash.h"
#include "tests/unit/serve/fixture.h"

#define LDNS_EVERY 8 /* replies that ldns reads; each takes it longer than us to answer */

#define TEXT_RECORD(c) \
	"t TXT " c     \
	"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\n"

static const struct fixture_zone zones[] = {
	{ "z.zone",
	  "$TTL 60\n@ SOA n h 1 1 1 1 1\n@ NS n\n@ MX 1 n\n@ MX 2 *.w\nn A 192.0.2.1\nn AAAA ::1\n"
	  "vpn POOL edge\nhere POOL edge/tokyo\nloose POOL loose\nplain POOL plain\n"
	  "*.w POOL sticky\n*.m MX 5 n\n*.c CNAME c\nc CNAME vpn\nd DNAME w\nr DNAME x.r\nl CNAME m\nm CNAME l\n"
	  "a.b.c.d.e TXT deep\ncut NS ns.cut\ncut NS n\nns.cut A 192.0.2.2\n" TEXT_RECORD("a")
		  TEXT_RECORD("b") TEXT_RECORD("c") TEXT_RECORD("d") TEXT_RECORD("e")
			  TEXT_RECORD("f") },
	{ "cut.z.zone", "$TTL 60\n@ SOA n h 1 1 1 1 1\n@ NS n\nn A 192.0.2.1\nx CNAME vpn.z.\n" },
};

static struct fixture fixture;

static void fail(const char *what)
{
	(void)fprintf(stderr, "answer_fuzz: %s\n", what);
	abort();
}

static void check_reply(const uint8_t *message, const uint8_t *reply, size_t len, size_t limit,
			bool read_it)
{
	ldns_pkt *pkt = NULL;

	if (len < DNS_HEADER_SIZE || len > limit)
		fail("a reply of a size that must not be");
	if (memcmp(message, reply, 2) != 0 || (reply[2] & 0x80) == 0)
		fail("a reply that is none to this message");
	if (!read_it)
		return;
	if (ldns_wire2pkt(&pkt, reply, len) != LDNS_STATUS_OK)
		fail("a reply that ldns cannot read");
	ldns_pkt_free(pkt);
}

/* The first octet tells what kind of client it is. The message is copied to memory of exactly its
 * size, so that a step beyond is seen. */
static void answer_bytes(const uint8_t *data, size_t size, bool read_it)
{
	static uint8_t reply[DNS_MESSAGE_MAX];
	struct client client = { .address = { { 192, 0, 2, 1 }, IP_V4 } };
	size_t limit, len;
	uint8_t *message;

	if (size == 0)
		return;
	client.tcp = data[0] & 1;
	client.random = data[0] * UINT64_C(0x9e3779b97f4a7c15);
	if (data[0] & 2)
		client.address = (struct ip_address){ { 0x20, 1, 0xd, 0xb8 }, IP_V6 };
	limit = client.tcp ? DNS_MESSAGE_MAX : 1232;
	message = malloc(size);
	if (message == NULL)
		fail("no memory");
	memcpy(message, data + 1, size - 1);
	len = answer(data[0] == 0xff ? NULL : &fixture.world, &client, message, size - 1, reply,
		     limit, &fixture.counters);
	if (len > 0)
		check_reply(message, reply, len, limit, read_it);
	free(message);
}

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
	fixture_open(&fixture, zones, sizeof(zones) / sizeof(zones[0]), NULL);
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	answer_bytes(data, size, true);
	return 0;
}

#ifndef SIGNPOST_LIBFUZZER

#define MESSAGES     3000000
#define MESSAGE_SIZE 600 /* of a mutated one, at most */

static const struct question seeds[] = {
	ASK("z.", "SOA"),
	ASK("vpn.z.", "A", .ecs = "192.0.2.0/24"),
	ASK("vpn.z.", "AAAA", .ecs = "2001:db8::/48"),
	ASK("here.z.", "A", .ecs = "0.0.0.0/0"),
	ASK("loose.z.", "A", .edns_size = 4096),
	ASK("plain.z.", "AAAA", .dnssec_ok = true),
	ASK("a.w.z.", "A", .ecs = "64:ff9b::c000:200/120"),
	ASK("b.m.z.", "MX"),
	ASK("x.c.z.", "A", .ecs = "10.0.0.0/8"),
	ASK("l.z.", "A"),
	ASK("a.d.z.", "A", .ecs = "10.0.0.0/8"),
	ASK("a.r.z.", "A"),
	ASK("b.c.d.e.z.", "TXT"),
	ASK("none.b.c.d.e.z.", "TXT"),
	ASK("x.cut.z.", "A"),
	ASK("cut.z.", "DS"),
	ASK("t.z.", "TXT"),
	ASK("z.", "ANY"),
};
#define SEEDS (sizeof(seeds) / sizeof(seeds[0]))

static uint8_t seed[SEEDS][FIXTURE_MESSAGE_SIZE];
static size_t seed_len[SEEDS];
static uint64_t state = 1;

static uint32_t random_below(size_t count)
{
	state += UINT64_C(0x9e3779b97f4a7c15);
	return hash_below(hash_word(state), (uint32_t)count);
}

/* One octet changed, to anything or to something that matters in a message. */
static void change_octet(uint8_t *data, size_t len)
{
	static const uint8_t telling[] = {
		0, 1, 2, 0x3f, 0x40, 0x7f, 0x80, 0xc0, 0xff, 8, 41, 255
	};
	size_t at = random_below(len);

	data[at] = random_below(2) ? (uint8_t)random_below(256)
				   : telling[random_below(sizeof(telling))];
}

/* Returns the new length, at least 1. */
static size_t mutate(uint8_t *data, size_t len)
{
	unsigned other = random_below(SEEDS);
	size_t at = random_below(len), from;

	switch (random_below(6)) {
	case 0: return at + 1; /* cut */
	case 1: /* an octet more */ memmove(data + at + 1, data + at, len - at); return len + 1;
	case 2: /* an octet less */
		memmove(data + at, data + at + 1, len - at - 1);
		return len > 1 ? len - 1 : len;
	case 3: /* another message's end */
		from = random_below(seed_len[other]);
		memcpy(data + len, seed[other] + from, seed_len[other] - from);
		return len + seed_len[other] - from;
	default: change_octet(data, len); return len;
	}
}

static size_t make_message(uint8_t data[MESSAGE_SIZE])
{
	unsigned s = random_below(SEEDS);
	size_t len = seed_len[s];

	if (random_below(8) == 0) {
		len = 1 + random_below(80);
		for (size_t i = 0; i < len; i++)
			data[i] = (uint8_t)random_below(256);
		return len;
	}
	memcpy(data, seed[s], len);
	for (unsigned m = random_below(4); m > 0 && len < MESSAGE_SIZE / 2; m--)
		len = mutate(data, len);
	return len;
}

static int report(unsigned long count)
{
	const struct counters *c = &fixture.counters;

	(void)printf("%lu messages, %llu dropped: %llu without error, %llu steered, %llu FORMERR\n",
		     count, (unsigned long long)c->dropped, (unsigned long long)c->noerror,
		     (unsigned long long)c->steered, (unsigned long long)c->formerr);
	/* messages that all fail early would test nothing */
	return c->steered > count / 50 && c->formerr > count / 50 ? EXIT_SUCCESS : EXIT_FAILURE;
}

int main(int argc, char **argv)
{
	unsigned long count = argc > 1 ? strtoul(argv[1], NULL, 10) : MESSAGES;

	(void)LLVMFuzzerInitialize(NULL, NULL);
	for (unsigned s = 0; s < SEEDS; s++)
		seed_len[s] = question_write(&seeds[s], seed[s]);
	for (unsigned long i = 0; i < count; i++) {
		uint8_t data[1 + MESSAGE_SIZE];
		size_t len = make_message(data + 1);

		data[0] = (uint8_t)random_below(256);
		answer_bytes(data, 1 + len, i % LDNS_EVERY == 0);
	}
	fixture_close(&fixture);
	return report(count);
}

#endif
