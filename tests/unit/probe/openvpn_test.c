/* Probes of kind openvpn beside a server that answers as the test says. */
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/cursor.h"
#include "image/probe_openvpn.h"
#include "tests/unit/probe/lab.h"
#include "tests/unit/probe/probe_test.h"

#define PORT    20194
#define ADDRESS "127.93.13.1"

/* With time enough for a server that is this test. */
static const struct plan_probe openvpn = {
	.kind = PROBE_OPENVPN, .interval_ms = 3000, .timeout_ms = 3000, .fall = 1, .rise = 1
};
static const struct openvpn_settings by_udp = { .transport = OPENVPN_UDP };
static const struct openvpn_settings by_tcp = { .transport = OPENVPN_TCP };

static int udp_server(void)
{
	struct ip_address ip;
	struct sockaddr_storage at;
	socklen_t size;
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	ck_assert(ip_parse(ADDRESS, &ip));
	size = ip_to_sockaddr(&ip, PORT, &at);
	ck_assert_int_eq(bind(fd, (struct sockaddr *)&at, size), 0);
	return fd;
}

static void open_lab_of(struct lab *lab, struct plan_probe probe,
			const struct openvpn_settings *settings)
{
	const struct sketch_node nodes[] = {
		{ "edge",
		  "a",
		  { { ADDRESS, sketch_with(probe, settings, sizeof(*settings)), PORT } } },
	};

	lab_open(lab, -1, -1);
	lab_apply(lab, nodes, 1, NULL);
}

static void open_lab(struct lab *lab, const struct openvpn_settings *settings)
{
	open_lab_of(lab, openvpn, settings);
}

/* The server's answer to this request. */
static size_t answer(const uint8_t *request, uint8_t reply[26])
{
	struct writer w = { .data = reply, .size = 26 };

	put_u8(&w, 8 << 3);
	put_bytes(&w, "serverid", 8);
	put_u8(&w, 1);
	put_u32(&w, 0);
	put_bytes(&w, request + 1, 8);
	put_u32(&w, 0);
	return w.pos;
}

/* The next request; false: none within the time. */
static bool next_request(struct lab *lab, int server, int ms, uint8_t request[64],
			 struct sockaddr_in *from)
{
	uint64_t until_ms = clock_mono_ms() + (uint64_t)ms;
	socklen_t size = sizeof(*from);

	while (recvfrom(server, request, 64, 0, (struct sockaddr *)from, &size) != 14) {
		if (clock_mono_ms() > until_ms)
			return false;
		lab_run_ms(lab, 5);
	}
	return true;
}

static void send_to(int server, const void *data, size_t len, const struct sockaddr_in *to)
{
	ck_assert_int_eq(sendto(server, data, len, 0, (const struct sockaddr *)to, sizeof(*to)),
			 (ssize_t)len);
}

START_TEST(hard_reset_that_is_answered_is_a_success)
{
	uint8_t request[64], reply[26];
	struct sockaddr_in from;
	int server = udp_server();
	struct lab lab;

	open_lab(&lab, &by_udp);
	ck_assert(next_request(&lab, server, 5000, request, &from));
	send_to(server, reply, answer(request, reply), &from);
	ck_assert(lab_reaches(&lab, 0, NODE_UP));
	ck_assert_str_eq(prober_state(lab.prober, 0)->reason,
			 "openvpn " ADDRESS ":20194: hard reset answered");
	lab_close(&lab);
	(void)close(server);
}
END_TEST

START_TEST(lost_request_is_sent_again_for_another_session_and_an_old_answer_counts)
{
	uint8_t first[64], second[64], reply[26];
	struct sockaddr_in from, again;
	int server = udp_server();
	struct lab lab;

	open_lab(&lab, &by_udp);
	ck_assert(next_request(&lab, server, 5000, first, &from));
	ck_assert(next_request(&lab, server, 5000, second, &again));
	ck_assert_int_eq(from.sin_port, again.sin_port);
	ck_assert_mem_ne(first, second, 9);
	send_to(server, reply, answer(first, reply), &from);
	ck_assert(lab_reaches(&lab, 0, NODE_UP));
	lab_close(&lab);
	(void)close(server);
}
END_TEST

START_TEST(what_is_no_answer_is_passed_over)
{
	uint8_t request[64], reply[26];
	struct sockaddr_in from;
	int server = udp_server();
	struct lab lab;

	open_lab(&lab, &by_udp);
	ck_assert(next_request(&lab, server, 5000, request, &from));
	send_to(server, "", 0, &from);
	send_to(server, "HTTP/1.1 400 Bad Request", 24, &from);
	request[1] ^= 1; /* another session */
	send_to(server, reply, answer(request, reply), &from);
	lab_run_ms(&lab, 20);
	ck_assert_int_eq(prober_state(lab.prober, 0)->status, NODE_UNKNOWN);
	request[1] ^= 1;
	send_to(server, reply, answer(request, reply), &from);
	ck_assert(lab_reaches(&lab, 0, NODE_UP));
	lab_close(&lab);
	(void)close(server);
}
END_TEST

START_TEST(flood_of_what_is_no_answer_is_read_little_by_little)
{
	uint8_t request[64], reply[26];
	struct sockaddr_in from;
	int server = udp_server();
	struct lab lab;

	open_lab(&lab, &by_udp);
	ck_assert(next_request(&lab, server, 5000, request, &from));
	for (int i = 0; i < 100; i++)
		send_to(server, "no", 2, &from);
	send_to(server, reply, answer(request, reply), &from);
	for (int i = 0; i < 3; i++)
		(void)ev_run(lab.loop, EVRUN_NOWAIT); /* others have their turn between */
	ck_assert_int_eq(prober_state(lab.prober, 0)->status, NODE_UNKNOWN);
	ck_assert(lab_reaches(&lab, 0, NODE_UP));
	lab_close(&lab);
	(void)close(server);
}
END_TEST

START_TEST(silence_and_wrong_answers_are_told_apart)
{
	struct plan_probe brief = openvpn;
	uint8_t request[64], reply[26];
	struct sockaddr_in from;
	int server = udp_server();
	struct lab lab;

	open_lab(&lab, &by_udp);
	ck_assert(next_request(&lab, server, 5000, request, &from));
	request[1] ^= 1;
	send_to(server, reply, answer(request, reply), &from);
	ck_assert(lab_reaches(&lab, 0, NODE_DOWN));
	ck_assert_str_eq(prober_state(lab.prober, 0)->reason,
			 "openvpn " ADDRESS
			 ":20194: timeout; what came: it is for no session of ours");
	lab_close(&lab);
	brief.timeout_ms = 600;
	open_lab_of(&lab, brief, &by_udp);
	ck_assert(lab_reaches(&lab, 0, NODE_DOWN));
	ck_assert_str_eq(prober_state(lab.prober, 0)->reason, "openvpn " ADDRESS ":20194: timeout");
	lab_close(&lab);
	(void)close(server);
}
END_TEST

START_TEST(closed_port_is_told_at_once_by_tcp)
{
	struct plan_probe rare = openvpn;
	struct lab lab;

	rare.interval_ms = 60000; /* nothing makes it late for its turn */
	open_lab_of(&lab, rare, &by_tcp);
	ck_assert(lab_reaches(&lab, 0, NODE_DOWN));
	ck_assert_str_eq(prober_state(lab.prober, 0)->reason,
			 "openvpn " ADDRESS ":20194: connection refused");
	ck_assert_int_lt(lab.ticks, 500 / LAB_TICK_MS); /* no timeout was waited for */
	lab_close(&lab);
}
END_TEST

/* --- TCP ----------------------------------------------------------------------------------- */

static int next_connection(struct lab *lab, int listener)
{
	uint64_t until_ms = clock_mono_ms() + LAB_PATIENCE_MS;
	int fd;

	while ((fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) < 0) {
		ck_assert_uint_lt(clock_mono_ms(), until_ms);
		lab_run_ms(lab, 5);
	}
	return fd;
}

static void read_framed(struct lab *lab, int fd, uint8_t request[64])
{
	uint64_t until_ms = clock_mono_ms() + LAB_PATIENCE_MS;

	while (recv(fd, request, 64, MSG_PEEK) < 16) {
		ck_assert_uint_lt(clock_mono_ms(), until_ms);
		lab_run_ms(lab, 5);
	}
	ck_assert_int_eq(recv(fd, request, 64, 0), 16);
	ck_assert_uint_eq(load_u16(request), 14);
}

static void expect_closed(struct lab *lab, int fd)
{
	uint64_t until_ms = clock_mono_ms() + LAB_PATIENCE_MS;
	uint8_t more[64];

	while (recv(fd, more, sizeof(more), 0) != 0) {
		ck_assert_uint_lt(clock_mono_ms(), until_ms);
		lab_run_ms(lab, 5);
	}
	(void)close(fd);
}

START_TEST(answer_by_tcp_may_come_in_pieces_and_ends_the_connection)
{
	uint8_t request[64], reply[28];
	int listener = listen_on(ADDRESS, PORT, 8);
	struct lab lab;
	int fd;

	open_lab(&lab, &by_tcp);
	fd = next_connection(&lab, listener);
	read_framed(&lab, fd, request);
	store_u16(reply, (uint16_t)answer(request + 2, reply + 2));
	for (size_t i = 0; i < sizeof(reply); i++) {
		ck_assert_int_eq(prober_state(lab.prober, 0)->status, NODE_UNKNOWN);
		ck_assert_int_eq(send(fd, reply + i, 1, 0), 1);
		lab_run_ms(&lab, 2);
	}
	ck_assert(lab_reaches(&lab, 0, NODE_UP));
	expect_closed(&lab, fd);
	lab_close(&lab);
	(void)close(listener);
}
END_TEST

START_TEST(tcp_servers_that_are_no_openvpn_are_told)
{
	static const struct {
		const char *says;
		const char *why;
	} rows[] = {
		{ "SSH-2.0-OpenSSH_9.2\r\n", "what answers is no OpenVPN" },
		{ "", "closed without an answer, as where the key is wrong" },
	};
	int listener = listen_on(ADDRESS, PORT, 8);

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct lab lab;
		int fd;

		open_lab(&lab, &by_tcp);
		fd = next_connection(&lab, listener);
		ck_assert_int_eq(send(fd, rows[i].says, strlen(rows[i].says), MSG_NOSIGNAL),
				 (ssize_t)strlen(rows[i].says));
		(void)shutdown(fd, SHUT_WR);
		ck_assert(lab_reaches(&lab, 0, NODE_DOWN));
		ck_assert_ptr_nonnull(strstr(prober_state(lab.prober, 0)->reason, rows[i].why));
		(void)close(fd);
		lab_close(&lab);
	}
	(void)close(listener);
}
END_TEST

START_TEST(key_file_that_is_gone_says_nothing_of_the_node)
{
	struct {
		struct openvpn_settings settings;
		char path[24];
	} gone = { { .key_file = { sizeof(struct openvpn_settings), 10 },
		     .mode = OPENVPN_TLS_CRYPT },
		   "/nonexistent" };
	const struct sketch_node nodes[] = {
		{ "edge", "a", { { ADDRESS, sketch_with(openvpn, &gone, sizeof(gone)), PORT } } },
	};
	struct lab lab;

	lab_open(&lab, -1, -1);
	lab_apply(&lab, nodes, 1, NULL);
	lab_run_ms(&lab, 100);
	ck_assert_int_eq(prober_state(lab.prober, 0)->status, NODE_UNKNOWN);
	lab_close(&lab);
}
END_TEST

void add_openvpn_tests(Suite *suite)
{
	suite_case(suite, "openvpn", hard_reset_that_is_answered_is_a_success,
		   lost_request_is_sent_again_for_another_session_and_an_old_answer_counts,
		   what_is_no_answer_is_passed_over,
		   flood_of_what_is_no_answer_is_read_little_by_little,
		   silence_and_wrong_answers_are_told_apart, closed_port_is_told_at_once_by_tcp,
		   answer_by_tcp_may_come_in_pieces_and_ends_the_connection,
		   tcp_servers_that_are_no_openvpn_are_told,
		   key_file_that_is_gone_says_nothing_of_the_node);
}
