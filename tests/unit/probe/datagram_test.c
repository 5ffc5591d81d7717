/* What all kinds that send datagrams have in common: forged errors of the network, an answer that comes
 * when another question has been asked since. Kind wireguard, whose answers only a server can make, is
 * in wireguard_test.c. */
#include <netinet/in.h>
#include <netinet/ip_icmp.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/cursor.h"
#include "image/probe_dns.h"
#include "image/probe_ikev2.h"
#include "image/probe_openvpn.h"
#include "image/probe_udp.h"
#include "tests/unit/probe/datagram.h"
#include "tests/unit/probe/lab.h"
#include "tests/unit/probe/probe_test.h"

#define ADDRESS "127.93.22.1"
#define PORT    20196
#define PATIENT 5000 /* ms: an interval with time enough for a server that is this test */

static const struct {
	struct udp_settings settings;
	char send[5], expect[5];
} ping = {
	.settings = { .send = { sizeof(struct udp_settings), 4 },
		      .expect = { sizeof(struct udp_settings) + 5, 4 } },
	.send = "ping",
	.expect = "pong",
};
static const struct {
	struct dns_probe_settings settings;
	char question[15];
} query = {
	.settings = { .question = { sizeof(struct dns_probe_settings), 15 }, .rcodes = 1 },
	.question = "\1a\7example\0\0\1\0", /* and the NUL's place is the last octet's */
};
static const struct ikev2_settings ike = { .mode = IKE_LIVENESS, .attempts = 3 };
static const struct openvpn_settings openvpn = { .transport = OPENVPN_UDP };

/* The right answer to a request. */
static size_t answer_udp(const uint8_t *request, struct writer *w)
{
	(void)request;
	put_bytes(w, "pong", 4);
	return w->pos;
}

static size_t answer_dns(const uint8_t *request, struct writer *w)
{
	put_bytes(w, request, 2);
	put_u16(w, 0x8400);
	put_bytes(w, request + 4, 8 + 15);
	return w->pos;
}

static size_t answer_ike(const uint8_t *request, struct writer *w)
{
	put_bytes(w, request, 8);
	put_u32(w, 0);
	put_u32(w, 0);
	put_u32(w, 0x29202220); /* a notify payload; version 2.0, IKE_SA_INIT, a response */
	put_u32(w, 0);
	put_u32(w, 36);
	put_u32(w, 8);
	put_u32(w, 14); /* NO_PROPOSAL_CHOSEN */
	return w->pos;
}

static size_t answer_openvpn(const uint8_t *request, struct writer *w)
{
	put_u8(w, 8 << 3);
	put_bytes(w, "serverid", 8);
	put_u8(w, 1);
	put_u32(w, 0);
	put_bytes(w, request + 1, 8);
	put_u32(w, 0);
	return w->pos;
}

static const struct row {
	const char *name;
	enum probe_kind kind;
	const void *settings;
	uint32_t size;
	size_t (*answer)(const uint8_t *request, struct writer *w);
	const char *why; /* of a success */
} rows[] = {
	{ "udp", PROBE_UDP, &ping, sizeof(ping), answer_udp, "answered" },
	{ "dns", PROBE_DNS, &query, sizeof(query), answer_dns, "NOERROR, 0 records" },
	{ "ikev2", PROBE_IKEV2, &ike, sizeof(ike), answer_ike, "NO_PROPOSAL_CHOSEN" },
	{ "openvpn", PROBE_OPENVPN, &openvpn, sizeof(openvpn), answer_openvpn,
	  "hard reset answered" },
};
#define ROWS ((int)(sizeof(rows) / sizeof(rows[0])))

static int open_server(void)
{
	struct ip_address ip;
	struct sockaddr_storage at;
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	ck_assert(ip_parse(ADDRESS, &ip));
	ck_assert_int_eq(bind(fd, (struct sockaddr *)&at, ip_to_sockaddr(&ip, PORT, &at)), 0);
	return fd;
}

/* `interval_ms` tells rounds of settings apart. */
static void apply(struct lab *lab, const struct row *row, uint32_t interval_ms)
{
	const struct plan_probe probe = { .kind = (uint8_t)row->kind,
					  .interval_ms = interval_ms,
					  .timeout_ms = interval_ms - 100,
					  .fall = 1,
					  .rise = 1 };
	const struct sketch_node nodes[] = {
		{ "edge",
		  "a",
		  { { ADDRESS, sketch_with(probe, row->settings, row->size), PORT } } },
	};

	lab_apply(lab, nodes, 1, NULL);
}

struct request {
	uint8_t octets[1024];
	struct sockaddr_in from;
};

static void next_request(struct lab *lab, int server, struct request *request)
{
	uint64_t until_ms = clock_mono_ms() + LAB_PATIENCE_MS;
	socklen_t size = sizeof(request->from);

	while (recvfrom(server, request->octets, sizeof(request->octets), 0,
			(struct sockaddr *)&request->from, &size) < 0) {
		ck_assert_uint_lt(clock_mono_ms(), until_ms);
		lab_run_ms(lab, 5);
	}
}

static void answer(int server, const struct row *row, const struct request *request)
{
	uint8_t reply[64];
	struct writer w = { .data = reply, .size = sizeof(reply) };
	size_t len = row->answer(request->octets, &w);

	ck_assert_int_eq(sendto(server, reply, len, 0, (const struct sockaddr *)&request->from,
				sizeof(request->from)),
			 (ssize_t)len);
}

bool forge_unreachable(const struct sockaddr_in *prober, const char *server, uint16_t port)
{
	uint8_t message[8 + 20 + 8] = { ICMP_DEST_UNREACH, ICMP_PORT_UNREACH };
	struct writer w = { .data = message, .size = sizeof(message), .pos = 8 };
	struct ip_address ip;
	uint32_t sum = 0;
	int fd = socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_ICMP);

	if (fd < 0)
		return false;
	ck_assert(ip_parse(server, &ip));
	put_u16(&w, 0x4500);
	put_u16(&w, 28);
	put_u32(&w, 0);
	put_u16(&w, 64 << 8 | IPPROTO_UDP);
	put_u16(&w, 0);
	put_bytes(&w, &prober->sin_addr, 4);
	put_bytes(&w, ip.bytes, 4);
	put_u16(&w, ntohs(prober->sin_port));
	put_u16(&w, port);
	put_u32(&w, 8 << 16);
	for (size_t i = 0; i < sizeof(message); i += 2)
		sum += load_u16(message + i);
	sum = (sum & 0xffff) + (sum >> 16);
	store_u16(message + 2, (uint16_t) ~(sum + (sum >> 16)));
	ck_assert_int_eq(sendto(fd, message, sizeof(message), 0, (const struct sockaddr *)prober,
				sizeof(*prober)),
			 sizeof(message));
	(void)close(fd);
	return true;
}

START_TEST(forged_error_of_the_network_ends_no_probe)
{
	const struct row *row = &rows[_i];
	struct request request;
	char expected[128];
	int server = open_server();
	struct lab lab;

	lab_open(&lab, -1, -1);
	apply(&lab, row, PATIENT);
	next_request(&lab, server, &request);
	if (!forge_unreachable(&request.from, ADDRESS, PORT)) {
		lab_close(&lab);
		(void)close(server);
		return;
	}
	lab_run_ms(&lab, 20);
	ck_assert_int_eq(prober_state(lab.prober, 0)->status, NODE_UNKNOWN);
	answer(server, row, &request);
	ck_assert(lab_reaches(&lab, 0, NODE_UP));
	ck_assert_int_eq(lab.change_count, 1);
	(void)snprintf(expected, sizeof(expected), "%s " ADDRESS ":20196: %s", row->name, row->why);
	ck_assert_str_eq(prober_state(lab.prober, 0)->reason, expected);
	lab_close(&lab);
	(void)close(server);
}
END_TEST

START_TEST(error_of_the_network_is_the_reason_where_nothing_comes)
{
	const struct row *row = &rows[_i];
	uint64_t began_ms = clock_mono_ms();
	char expected[128];
	struct lab lab;

	lab_open(&lab, -1, -1);
	apply(&lab, row, 700);
	ck_assert(lab_reaches(&lab, 0, NODE_DOWN));
	ck_assert_uint_ge(clock_mono_ms() - began_ms, 590);
	(void)snprintf(expected, sizeof(expected), "%s " ADDRESS ":20196: connection refused",
		       row->name);
	ck_assert_str_eq(prober_state(lab.prober, 0)->reason, expected);
	lab_close(&lab);
}
END_TEST

/* The port of a probe that has ended: no other one shall be given it by chance. */
static int hold_port(const struct sockaddr_in *port)
{
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(bind(fd, (const struct sockaddr *)port, sizeof(*port)), 0);
	return fd;
}

/* A later probe has another socket, and other marks. */
START_TEST(answer_to_an_earlier_question_does_not_count)
{
	const struct row *row = &rows[_i];
	struct request before, after;
	int server = open_server(), held;
	struct lab lab;

	lab_open(&lab, -1, -1);
	apply(&lab, row, PATIENT);
	next_request(&lab, server, &before);
	apply(&lab, row, PATIENT + 1); /* ends the probe that waits for its answer */
	held = hold_port(&before.from);
	next_request(&lab, server, &after);
	ck_assert_int_ne(before.from.sin_port, after.from.sin_port);
	answer(server, row, &before);
	if (row->kind != PROBE_UDP) { /* which has no marks but the port */
		before.from = after.from;
		answer(server, row, &before);
	}
	lab_run_ms(&lab, 20);
	ck_assert_int_eq(prober_state(lab.prober, 0)->status, NODE_UNKNOWN);
	answer(server, row, &after);
	ck_assert(lab_reaches(&lab, 0, NODE_UP));
	lab_close(&lab);
	(void)close(held);
	(void)close(server);
}
END_TEST

void add_datagram_tests(Suite *suite)
{
	TCase *tests = tcase_create("datagram");

	tcase_add_loop_test(tests, forged_error_of_the_network_ends_no_probe, 0, ROWS);
	tcase_add_loop_test(tests, error_of_the_network_is_the_reason_where_nothing_comes, 0, ROWS);
	tcase_add_loop_test(tests, answer_to_an_earlier_question_does_not_count, 0, ROWS);
	suite_add_tcase(suite, tests);
}
