/* signpost-dns as a process: this test is its supervisor, on a channel, with sockets on loopback.
 * What is answered is answer_test's matter; here it is that it arrives. */
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/channel.h"
#include "base/cursor.h"
#include "base/mem.h"
#include "serve/tcp.h"
#include "tests/unit/network.h"
#include "tests/unit/run.h"
#include "tests/unit/serve/fixture.h"

#define PROGRAM         "./signpost-dns"
#define THREADS         8
#define PATIENCE        10000 /* ms */
#define CONNECTIONS_MAX 1000
#define ROOT_NAME       "here.z."

static const struct fixture_zone zones[] = {
	{ "z.zone", "$TTL 60\n@ SOA n h 1 1 1 1 1\n@ NS n\nn A 192.0.2.1\n"
		    "here POOL edge\nbig TXT \"0123456789012345678901234567890123456789\"\n" },
};

/* Nobody is idle for too long, however long a test takes: unless the test brings another limit. */
static const struct dns_settings patient = { .udp_size_max = 1232,
					     .ecs = 1,
					     .tcp_idle_ms = 600000,
					     .tcp_lifetime_ms = 1800000,
					     .tcp_connections = CONNECTIONS_MAX };

static struct fixture fixture;
static struct {
	pid_t pid;
	int channel;
	uint16_t udp_port, tcp_port;
	struct counters *counters; /* the first of a struct counters_page */
} server;

/* --- the supervisor's part -------------------------------------------------------------------- */

static void tell(enum handover_type type, uint32_t protocol, uint32_t worker, const int *fds,
		 size_t fd_count)
{
	static struct handover message;
	struct err err;

	message = (struct handover){
		.type = type, .protocol = protocol, .worker = worker, .fd_count = (uint32_t)fd_count
	};
	ck_assert_msg(
		channel_send(server.channel, &message, sizeof(message), fds, fd_count, &err) == 0,
		"%s", err.text);
}

static const struct handover *hear(void)
{
	static struct handover message;
	struct pollfd poll_fd = { .fd = server.channel, .events = POLLIN };
	int fds[CHANNEL_FDS_MAX];
	size_t fd_count;
	struct err err;

	ck_assert_int_eq(poll(&poll_fd, 1, PATIENCE), 1);
	ck_assert_int_eq(
		channel_receive(server.channel, &message, sizeof(message), fds, &fd_count, &err),
		sizeof(message));
	ck_assert_uint_eq(fd_count, 0);
	return &message;
}

static uint16_t give_listener(int type, in_addr_t address)
{
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(address) };
	socklen_t len = sizeof(at);
	int fd = socket(AF_INET, type | (type == SOCK_STREAM ? SOCK_NONBLOCK : 0), 0);
	int on = 1;

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(bind(fd, (const struct sockaddr *)&at, sizeof(at)), 0);
	ck_assert_int_eq(getsockname(fd, (struct sockaddr *)&at, &len), 0);
	if (type == SOCK_STREAM)
		ck_assert_int_eq(listen(fd, 2000), 0);
	else
		ck_assert_int_eq(setsockopt(fd, IPPROTO_IP, IP_PKTINFO, &on, sizeof(on)), 0);
	tell(HANDOVER_LISTENER, type == SOCK_STREAM ? HANDOVER_TCP : HANDOVER_UDP, 0, &fd, 1);
	(void)close(fd);
	return ntohs(at.sin_port);
}

static void give_counters(void)
{
	size_t size = sizeof(struct counters_page);
	int fd = memfd_create("counters", MFD_CLOEXEC);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(ftruncate(fd, (off_t)size), 0);
	server.counters = mmap(NULL, size, PROT_READ, MAP_SHARED, fd, 0);
	ck_assert_ptr_ne(server.counters, MAP_FAILED);
	tell(HANDOVER_COUNTERS, 0, THREADS, &fd, 1);
	(void)close(fd);
}

static void become_server(int channel) __attribute__((noreturn));
static void become_server(int channel)
{
	char name[] = "signpost-dns", level[] = "--log-level", error[] = "error";
	char *argv[] = { name, level, error, NULL };

	if (channel == 3 || dup2(channel, 3) == 3)
		(void)fcntl(3, F_SETFD, 0);
	(void)close_range(4, ~0U, 0);
	(void)execv(PROGRAM, argv);
	_exit(127);
}

/* udp: one more socket of that kind; -1: none. */
static void start_server(bool with_world, int udp)
{
	const struct fixture_options options = { .dns = &patient };
	int ends[2];

	fixture_open(&fixture, zones, 1, &options);
	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends), 0);
	server.pid = fork();
	ck_assert_int_ge(server.pid, 0);
	if (server.pid == 0)
		become_server(ends[1]);
	(void)close(ends[1]);
	server.channel = ends[0];
	server.udp_port = give_listener(SOCK_DGRAM, INADDR_ANY);
	server.tcp_port = give_listener(SOCK_STREAM, INADDR_LOOPBACK);
	if (udp >= 0)
		tell(HANDOVER_LISTENER, HANDOVER_UDP, 0, &udp, 1);
	give_counters();
	if (with_world) {
		tell(HANDOVER_WORLD, 0, 0, fixture.fds, 3);
		ck_assert_uint_eq(hear()->type, HANDOVER_READY);
	}
	tell(HANDOVER_START, 0, 1, NULL, 0);
}

static void setup(void)
{
	start_server(true, -1);
}

/* It ends by itself, and well, when its supervisor is gone. */
static void teardown(void)
{
	int status;

	(void)close(server.channel);
	ck_assert_int_eq(waitpid(server.pid, &status, 0), server.pid);
	ck_assert_msg(WIFEXITED(status) && WEXITSTATUS(status) == 0, "status %x", (unsigned)status);
	(void)munmap(server.counters, sizeof(struct counters_page));
	fixture_close(&fixture);
}

/* --- clients ---------------------------------------------------------------------------------- */

static int client_from(in_addr_t source, int type, in_addr_t address)
{
	struct sockaddr_in from = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(source) };
	struct sockaddr_in to = { .sin_family = AF_INET,
				  .sin_addr.s_addr = htonl(address),
				  .sin_port = htons(type == SOCK_STREAM ? server.tcp_port
									: server.udp_port) };
	struct timeval patience = { .tv_sec = PATIENCE / 1000 };
	int fd = socket(AF_INET, type, 0);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)), 0);
	ck_assert_int_eq(bind(fd, (const struct sockaddr *)&from, sizeof(from)), 0);
	ck_assert_int_eq(connect(fd, (const struct sockaddr *)&to, sizeof(to)), 0);
	return fd;
}

static int client_socket(int type, in_addr_t address)
{
	return client_from(INADDR_ANY, type, address);
}

/* A query with an id, behind its length. */
static size_t tcp_query(uint8_t *out, uint16_t id, const struct question *q)
{
	uint8_t *message = mem_alloc(FIXTURE_MESSAGE_SIZE);
	size_t len = question_write(q, message);

	store_u16(out, (uint16_t)len);
	memcpy(out + 2, message, len);
	store_u16(out + 2, id);
	free(message);
	return 2 + len;
}

/* A socket with a time limit is interrupted where the process is stopped for a while. */
static ssize_t receive(int fd, void *out, size_t size)
{
	return TEMP_FAILURE_RETRY(recv(fd, out, size, 0));
}

static void read_exactly(int fd, uint8_t *out, size_t len)
{
	while (len > 0) {
		ssize_t n = receive(fd, out, len);

		ck_assert_msg(n > 0, "read: %s", n == 0 ? "closed" : strerror(errno));
		out += n;
		len -= (size_t)n;
	}
}

/* Returns the answer's length. */
static size_t read_answer(int fd, uint8_t *out)
{
	uint8_t len[2];

	read_exactly(fd, len, 2);
	read_exactly(fd, out, load_u16(len));
	return load_u16(len);
}

static bool is_closed(int fd)
{
	uint8_t octet;
	ssize_t n = receive(fd, &octet, 1);

	return n == 0 || (n < 0 && errno == ECONNRESET);
}

static size_t ask_udp(in_addr_t address, uint8_t reply[1232])
{
	static const struct question q = ASK(ROOT_NAME, "A");
	uint8_t query[512];
	size_t len = tcp_query(query, 7, &q) - 2;
	int fd = client_socket(SOCK_DGRAM, address);
	ssize_t n;

	ck_assert_int_eq(send(fd, query + 2, len, 0), (ssize_t)len);
	n = receive(fd, reply, 1232);
	ck_assert_msg(n > 0, "recv: %s", strerror(errno));
	ck_assert_uint_eq(load_u16(reply), 7);
	(void)close(fd);
	return (size_t)n;
}

/* It is counted when it was done. */
static void wait_for(const uint64_t *counter, uint64_t value)
{
	for (unsigned i = 0; i < PATIENCE && __atomic_load_n(counter, __ATOMIC_RELAXED) != value;
	     i++)
		(void)usleep(1000);
	ck_assert_uint_eq(__atomic_load_n(counter, __ATOMIC_RELAXED), value);
}

static void bring(const struct dns_settings *limits)
{
	const struct fixture_options options = { .dns = limits };
	int steering = fixture_steering(&fixture, &options);

	tell(HANDOVER_STEERING, 0, 0, &steering, 1);
	ck_assert_uint_eq(hear()->type, HANDOVER_READY);
	(void)close(steering);
}

/* --- worlds ----------------------------------------------------------------------------------- */

START_TEST(without_a_world_it_says_servfail_and_with_one_it_answers)
{
	uint8_t reply[1232];

	(void)ask_udp(INADDR_LOOPBACK, reply);
	ck_assert_uint_eq(reply[3] & 15, RCODE_SERVFAIL);
	tell(HANDOVER_WORLD, 0, 0, fixture.fds, 3);
	ck_assert_uint_eq(hear()->type, HANDOVER_READY);
	(void)ask_udp(INADDR_LOOPBACK, reply);
	ck_assert_uint_eq(reply[3] & 15, RCODE_NOERROR);
	ck_assert_uint_eq(load_u16(reply + 6), 1);
}
END_TEST

START_TEST(a_steering_image_changes_answers_at_once)
{
	struct fixture_options options = { .generation = 100 };
	int steering = fixture_steering(&fixture, &options);
	const struct handover *message;
	struct image image;
	uint8_t reply[1232];
	struct err err;
	size_t len;

	len = ask_udp(INADDR_LOOPBACK, reply);
	ck_assert_uint_lt(reply[len - 1], 100);
	ck_assert_int_eq(image_open(&image, steering, IMAGE_STEERING, &err), 0);
	tell(HANDOVER_STEERING, 0, 0, &steering, 1);
	message = hear();
	ck_assert_uint_eq(message->type, HANDOVER_READY);
	ck_assert(message->world == image_header(&image)->id);
	len = ask_udp(INADDR_LOOPBACK, reply);
	ck_assert_uint_ge(reply[len - 1], 100);
	image_close(&image);
	(void)close(steering);
}
END_TEST

START_TEST(what_does_not_fit_is_refused_and_the_old_world_goes_on)
{
	static const struct fixture_zone other[] = {
		{ "y.zone", "$TTL 60\n@ SOA n h 1 1 1 1 1\n@ NS n\nn A 192.0.2.1\n" }
	};
	struct fixture foreign;
	const struct handover *message;
	uint8_t reply[1232];

	fixture_open(&foreign, other, 1, NULL);
	tell(HANDOVER_STEERING, 0, 0, &foreign.fds[2], 1);
	message = hear();
	ck_assert_uint_eq(message->type, HANDOVER_REFUSED);
	ck_assert_ptr_nonnull(strstr(message->text, "other zones or geo"));
	tell(HANDOVER_WORLD, 0, 0, foreign.fds, 2);
	message = hear();
	ck_assert_uint_eq(message->type, HANDOVER_REFUSED);
	ck_assert_ptr_nonnull(strstr(message->text, "2 images"));
	(void)ask_udp(INADDR_LOOPBACK, reply);
	ck_assert_uint_eq(load_u16(reply + 6), 1);
	fixture_close(&foreign);
}
END_TEST

/* --- UDP -------------------------------------------------------------------------------------- */

/* The client's socket is connected, so only an answer from the address that was asked arrives. */
START_TEST(answers_leave_from_the_address_that_was_asked)
{
	uint8_t reply[1232];

	for (in_addr_t last = 1; last < 4; last++)
		(void)ask_udp((127U << 24) + last, reply);
	ck_assert_uint_eq(server.counters[0].queries_udp, 3);
	ck_assert_uint_eq(server.counters[0].steered, 3);
}
END_TEST

/* 127.0.0.1 is of the class of all that lies outside 192.0.0.0/8. */
START_TEST(steered_answers_are_counted_by_the_client_s_class)
{
	const struct counters_page *page = (const void *)server.counters;
	const struct class_counters *classes = &page->classes[0];
	uint8_t reply[1232];
	uint32_t sum = 0;

	(void)ask_udp(INADDR_LOOPBACK, reply);
	(void)ask_udp(INADDR_LOOPBACK, reply);
	for (unsigned c = 0; c < GEO_CLASSES_MAX; c++)
		sum += classes->steered[c];
	ck_assert_uint_eq(classes->geo_id, image_header(&fixture.world.geo)->id);
	ck_assert_uint_eq(classes->steered[0], 2);
	ck_assert_uint_eq(sum, 2);
}
END_TEST

START_TEST(stumps_and_long_datagrams_hurt_nobody)
{
	static uint8_t noise[60000];
	uint8_t reply[1232];
	int fd = client_socket(SOCK_DGRAM, INADDR_LOOPBACK);

	for (size_t len = 0; len < 12; len++)
		ck_assert_int_eq(send(fd, noise, len, 0), (ssize_t)len);
	ck_assert_int_eq(send(fd, noise, sizeof(noise), 0), sizeof(noise));
	ck_assert_int_eq(receive(fd, reply, sizeof(reply)), 12);
	ck_assert_uint_eq(reply[3], RCODE_FORMERR);
	(void)close(fd);
	(void)ask_udp(INADDR_LOOPBACK, reply);
	ck_assert_uint_eq(server.counters[0].dropped, 12);
}
END_TEST

/* Stopped while they come, the server finds them all at once. Each client has a question of its own,
 * and every other message is an answer, which gets none. */
START_TEST(a_batch_may_hold_what_is_not_answered)
{
	static const struct question questions[] = { ASK(ROOT_NAME, "A"), ASK("big.z.", "TXT"),
						     ASK("none.z.", "A") };
	size_t lens[3] = { 0 };
	int fds[3];

	for (unsigned c = 0; c < 3; c++)
		fds[c] = client_from((127U << 24) + 1 + c, SOCK_DGRAM, INADDR_LOOPBACK);
	for (uint16_t round = 0; round < 4; round++) {
		ck_assert_int_eq(kill(server.pid, SIGSTOP), 0);
		for (uint16_t i = 0; i < 60; i++) {
			uint8_t query[512];
			size_t len = tcp_query(query, i, &questions[i % 3]) - 2;

			query[2 + 2] |= i % 2 == round % 2 ? 0x80 : 0; /* QR */
			ck_assert_int_eq(send(fds[i % 3], query + 2, len, 0), (ssize_t)len);
		}
		ck_assert_int_eq(kill(server.pid, SIGCONT), 0);
		for (uint16_t i = 0; i < 60; i++) {
			uint8_t reply[1232];
			ssize_t n;

			if (i % 2 == round % 2)
				continue;
			n = receive(fds[i % 3], reply, sizeof(reply));
			ck_assert_msg(n > 0, "recv: %s", strerror(errno));
			ck_assert_uint_eq(load_u16(reply), i);
			if (lens[i % 3] == 0)
				lens[i % 3] = (size_t)n;
			ck_assert_uint_eq((size_t)n, lens[i % 3]);
		}
	}
	ck_assert(lens[0] != lens[1] && lens[1] != lens[2] && lens[2] != lens[0]);
	wait_for(&server.counters[0].dropped, 120); /* the last one is behind the last answer */
	for (unsigned c = 0; c < 3; c++)
		(void)close(fds[c]);
}
END_TEST

/* Its queue: in place of the network's, which no test can fill. Nobody takes the answers. */
static int full_queue;

static void setup_with_full_queue(void)
{
	struct timeval patience = { .tv_sec = PATIENCE / 1000 };
	int ends[2];

	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_DGRAM, 0, ends), 0);
	full_queue = ends[0];
	ck_assert_int_eq(
		setsockopt(full_queue, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience)), 0);
	start_server(true, ends[1]);
	(void)close(ends[1]);
}

START_TEST(answers_that_cannot_be_sent_hold_up_neither_queries_nor_worlds)
{
	static const struct question q = ASK(ROOT_NAME, "A");
	struct fixture_options options = { .generation = 100 };
	int steering = fixture_steering(&fixture, &options);
	uint8_t query[512];
	size_t len = tcp_query(query, 7, &q) - 2;

	for (unsigned i = 0; i < 2000; i++)
		ck_assert_int_eq(TEMP_FAILURE_RETRY(send(full_queue, query + 2, len, 0)),
				 (ssize_t)len);
	tell(HANDOVER_STEERING, 0, 0, &steering, 1);
	ck_assert_uint_eq(hear()->type, HANDOVER_READY);
	(void)close(full_queue);
	(void)close(steering);
}
END_TEST

/* --- TCP -------------------------------------------------------------------------------------- */

static const struct question tcp_question = ASK(ROOT_NAME, "A");

START_TEST(queries_of_one_segment_are_answered_in_order)
{
	uint8_t out[2000], reply[1232];
	size_t len = 0;
	int fd = client_socket(SOCK_STREAM, INADDR_LOOPBACK);

	for (uint16_t id = 0; id < 30; id++)
		len += tcp_query(out + len, id, &tcp_question);
	ck_assert_int_eq(write(fd, out, len), (ssize_t)len);
	for (uint16_t id = 0; id < 30; id++) {
		(void)read_answer(fd, reply);
		ck_assert_uint_eq(load_u16(reply), id);
		ck_assert_uint_eq(load_u16(reply + 6), 1);
	}
	(void)close(fd);
}
END_TEST

START_TEST(a_query_may_come_octet_by_octet)
{
	uint8_t out[200], reply[1232];
	size_t len = tcp_query(out, 5, &tcp_question);
	int fd = client_socket(SOCK_STREAM, INADDR_LOOPBACK);

	for (size_t i = 0; i < len; i++) {
		ck_assert_int_eq(write(fd, out + i, 1), 1);
		(void)usleep(500);
	}
	(void)read_answer(fd, reply);
	ck_assert_uint_eq(load_u16(reply), 5);
	(void)close(fd);
}
END_TEST

START_TEST(a_peer_that_has_said_all_gets_its_answers_and_the_end)
{
	uint8_t out[200], reply[1232];
	size_t len = tcp_query(out, 5, &tcp_question);
	int fd = client_socket(SOCK_STREAM, INADDR_LOOPBACK);

	ck_assert_int_eq(write(fd, out, len), (ssize_t)len);
	ck_assert_int_eq(shutdown(fd, SHUT_WR), 0);
	(void)read_answer(fd, reply);
	ck_assert_uint_eq(load_u16(reply), 5);
	ck_assert(is_closed(fd));
	(void)close(fd);
}
END_TEST

START_TEST(the_longest_message_is_formerr_and_the_next_query_is_answered)
{
	static uint8_t out[2 + 65535 + 200];
	uint8_t reply[1232];
	size_t len;
	int fd = client_socket(SOCK_STREAM, INADDR_LOOPBACK);

	memset(out, 0x41, sizeof(out));
	memcpy(out,
	       "\xff\xff"
	       "ID\0\0\0\1\0\1\0\0\0\0",
	       14);
	len = 65537 + tcp_query(out + 65537, 9, &tcp_question);
	for (size_t pos = 0; pos < len;) {
		ssize_t n = write(fd, out + pos, len - pos);

		ck_assert_int_gt(n, 0);
		pos += (size_t)n;
	}
	(void)read_answer(fd, reply);
	ck_assert_mem_eq(reply, "ID", 2);
	ck_assert_uint_eq(reply[3] & 15, RCODE_FORMERR);
	(void)read_answer(fd, reply);
	ck_assert_uint_eq(load_u16(reply), 9);
	(void)close(fd);
}
END_TEST

/* The peer writes and does not read until the server stops reading; then it reads all. */
START_TEST(a_peer_that_does_not_read_is_not_read_from)
{
	uint8_t query[200], reply[1232];
	size_t len = tcp_query(query, 0, &tcp_question);
	size_t written = 0, answers = 0;
	int fd = client_socket(SOCK_STREAM, INADDR_LOOPBACK);
	struct pollfd writable = { .fd = fd, .events = POLLOUT };

	ck_assert_int_eq(fcntl(fd, F_SETFL, O_NONBLOCK), 0);
	while (poll(&writable, 1, 500) == 1) {
		size_t at = written % len;
		ssize_t n = write(fd, query + at, len - at);

		if (n > 0)
			written += (size_t)n;
		ck_assert_uint_lt(written, 100U << 20); /* it would read for ever */
	}
	ck_assert_int_eq(fcntl(fd, F_SETFL, 0), 0);
	for (; answers < written / len; answers++)
		ck_assert_uint_eq(read_answer(fd, reply), len - 2 + 16);
	ck_assert_int_gt(write(fd, query + written % len, len - written % len), 0);
	(void)read_answer(fd, reply);
	(void)close(fd);
}
END_TEST

START_TEST(one_connection_too_many_closes_the_one_idle_longest)
{
	static int fds[CONNECTIONS_MAX + 1];
	uint8_t out[200], reply[1232];
	size_t len = tcp_query(out, 1, &tcp_question);
	struct rlimit limit;

	ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &limit), 0);
	limit.rlim_cur = limit.rlim_max;
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
	for (unsigned i = 0; i < CONNECTIONS_MAX; i++)
		fds[i] = client_socket(SOCK_STREAM, INADDR_LOOPBACK);
	for (unsigned i = CONNECTIONS_MAX; i-- > 0;) { /* the last one is the idlest now */
		ck_assert_int_eq(write(fds[i], out, len), (ssize_t)len);
		(void)read_answer(fds[i], reply);
	}
	fds[CONNECTIONS_MAX] = client_socket(SOCK_STREAM, INADDR_LOOPBACK);
	ck_assert_int_eq(write(fds[CONNECTIONS_MAX], out, len), (ssize_t)len);
	(void)read_answer(fds[CONNECTIONS_MAX], reply);
	ck_assert(is_closed(fds[CONNECTIONS_MAX - 1]));
	ck_assert_int_eq(write(fds[0], out, len), (ssize_t)len);
	(void)read_answer(fds[0], reply);
	for (unsigned i = 0; i <= CONNECTIONS_MAX; i++)
		(void)close(fds[i]);
	ck_assert_uint_eq(server.counters[1].connections, CONNECTIONS_MAX + 1);
	ck_assert_uint_eq(server.counters[1].answers_tcp, CONNECTIONS_MAX + 2);
}
END_TEST

static void ask_tcp(int fd)
{
	uint8_t out[200], reply[1232];
	size_t len = tcp_query(out, 3, &tcp_question);

	ck_assert_int_eq(write(fd, out, len), (ssize_t)len);
	(void)read_answer(fd, reply);
	ck_assert_uint_eq(load_u16(reply), 3);
}

/* Only `brief` lets a connection that is slow to ask be idle for too long before it has asked. */
START_TEST(a_new_steering_image_brings_its_limits)
{
	static const struct dns_settings brief = { .udp_size_max = 1232,
						   .tcp_idle_ms = 300,
						   .tcp_lifetime_ms = 60000,
						   .tcp_connections = 2 };
	static const struct dns_settings few = { .udp_size_max = 1232,
						 .tcp_idle_ms = 60000,
						 .tcp_lifetime_ms = 60000,
						 .tcp_connections = 2 };
	int before = client_socket(SOCK_STREAM, INADDR_LOOPBACK), first, second, third;

	ask_tcp(before);
	bring(&brief);
	ck_assert(is_closed(before)); /* idle, by the new limit */
	bring(&few);
	first = client_socket(SOCK_STREAM, INADDR_LOOPBACK);
	ask_tcp(first);
	second = client_socket(SOCK_STREAM, INADDR_LOOPBACK);
	ask_tcp(second);
	third = client_socket(SOCK_STREAM, INADDR_LOOPBACK);
	ask_tcp(third);
	ck_assert(is_closed(first)); /* one too many */
	bring(&brief);
	ck_assert(is_closed(second));
	ck_assert(is_closed(third));
	wait_for(&server.counters[1].connections_open, 0);
	ck_assert_uint_eq(server.counters[1].connections_evicted, 1);
	wait_for(&server.counters[1].connections_timed_out, 3);
	(void)close(before);
	(void)close(first);
	(void)close(second);
	(void)close(third);
}
END_TEST

START_TEST(where_no_file_can_be_opened_somebody_makes_room)
{
	static const struct rlimit few = { .rlim_cur = 40, .rlim_max = 40 };
	int fds[60];

	ck_assert_int_eq(prlimit(server.pid, RLIMIT_NOFILE, &few, NULL), 0);
	for (unsigned i = 0; i < 60; i++) {
		fds[i] = client_socket(SOCK_STREAM, INADDR_LOOPBACK);
		ask_tcp(fds[i]);
	}
	ck_assert(is_closed(fds[0]));
	ask_tcp(fds[59]);
	ck_assert_uint_ge(server.counters[1].connections_evicted, 60 - 40);
	for (unsigned i = 0; i < 60; i++)
		(void)close(fds[i]);
}
END_TEST

/* Far more than there are buffers for, so each of them changes hands. */
START_TEST(long_queries_without_an_end_leave_room_for_one_that_has_one)
{
	static uint8_t out[2 + 40000];
	int fds[400], own = client_from(INADDR_LOOPBACK + 1, SOCK_STREAM, INADDR_LOOPBACK);
	uint8_t reply[1232];

	store_u16(out, 40000);
	ck_assert_int_eq(write(own, out, 20000), 20000);
	for (unsigned i = 0; i < 400; i++) {
		fds[i] = client_socket(SOCK_STREAM, INADDR_LOOPBACK);
		ck_assert_int_eq(write(fds[i], out, 1000), 1000);
	}
	wait_for(&server.counters[1].connections_evicted, 401 - 128);
	ck_assert_int_eq(write(own, out + 20000, 20002), 20002);
	ck_assert_uint_eq(read_answer(own, reply), 12); /* FORMERR: zeros */
	for (unsigned i = 0; i < 400; i++)
		(void)close(fds[i]);
	(void)close(own);
}
END_TEST

START_TEST(silence_ends_a_connection)
{
	static const struct dns_settings brief = { .udp_size_max = 1232,
						   .tcp_idle_ms = 3000,
						   .tcp_lifetime_ms = 60000,
						   .tcp_connections = 2 };
	static const uint8_t octet = 0x40; /* of a query that is long, and never whole */
	struct pollfd talking = { .events = POLLIN };
	int silent;

	bring(&brief);
	silent = client_socket(SOCK_STREAM, INADDR_LOOPBACK);
	talking.fd = client_socket(SOCK_STREAM, INADDR_LOOPBACK);
	/* octets that never make a query do not count */
	for (unsigned i = 0; i < 100 && poll(&talking, 1, 200) == 0; i++)
		(void)!send(talking.fd, &octet, 1, MSG_NOSIGNAL);
	ck_assert_int_ne(talking.revents, 0);
	ck_assert(is_closed(talking.fd));
	ck_assert(is_closed(silent));
	(void)close(silent);
	(void)close(talking.fd);
}
END_TEST

static void setup_without_world(void)
{
	start_server(false, -1);
}

int main(void)
{
	Suite *suite = suite_create("signpost-dns");
	TCase *before = tcase_create("before a world");
	TCase *full = tcase_create("a full queue");
	TCase *running = tcase_create("running");

	(void)own_network(); /* so that what the server counts is what comes from here */
	tcase_add_checked_fixture(before, setup_without_world, teardown);
	tcase_add_test(before, without_a_world_it_says_servfail_and_with_one_it_answers);
	suite_add_tcase(suite, before);
	tcase_add_checked_fixture(full, setup_with_full_queue, teardown);
	tcase_set_timeout(full, 60);
	tcase_add_test(full, answers_that_cannot_be_sent_hold_up_neither_queries_nor_worlds);
	suite_add_tcase(suite, full);
	tcase_add_checked_fixture(running, setup, teardown);
	tcase_set_timeout(running, 60);
	tcase_add_test(running, a_steering_image_changes_answers_at_once);
	tcase_add_test(running, what_does_not_fit_is_refused_and_the_old_world_goes_on);
	tcase_add_test(running, answers_leave_from_the_address_that_was_asked);
	tcase_add_test(running, steered_answers_are_counted_by_the_client_s_class);
	tcase_add_test(running, stumps_and_long_datagrams_hurt_nobody);
	tcase_add_test(running, a_batch_may_hold_what_is_not_answered);
	tcase_add_test(running, queries_of_one_segment_are_answered_in_order);
	tcase_add_test(running, a_query_may_come_octet_by_octet);
	tcase_add_test(running, a_peer_that_has_said_all_gets_its_answers_and_the_end);
	tcase_add_test(running, the_longest_message_is_formerr_and_the_next_query_is_answered);
	tcase_add_test(running, a_peer_that_does_not_read_is_not_read_from);
	tcase_add_test(running, one_connection_too_many_closes_the_one_idle_longest);
	tcase_add_test(running, a_new_steering_image_brings_its_limits);
	tcase_add_test(running, where_no_file_can_be_opened_somebody_makes_room);
	tcase_add_test(running, long_queries_without_an_end_leave_room_for_one_that_has_one);
	tcase_add_test(running, silence_ends_a_connection);
	suite_add_tcase(suite, running);
	return run_suite(suite);
}
