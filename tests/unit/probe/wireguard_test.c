/* What a probe of kind wireguard sends, and when. Who listens here is no WireGuard: its answers are
 * tried in noise_test.c, and with a real server in tests/system. */
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <linux/sockios.h>

#include "base/clock.h"
#include "image/probe_wireguard.h"
#include "probe/kind.h"
#include "probe/noise.h"
#include "probe/turns.h"
#include "tests/unit/probe/datagram.h"
#include "tests/unit/probe/noise_vectors.h"
#include "tests/unit/probe/probe_test.h"

#define HERE     "127.93.21.1"
#define PORT     20193
#define SENT_MAX 16

/* The octets 1 to 32. */
#define KEY "AQIDBAUGBwgJCgsMDQ4PEBESExQVFhcYGRobHB0eHyA=\n"

static struct bench {
	struct ev_loop *loop;
	struct kind *kind;
	int listener;
	ev_io io;
	struct {
		uint64_t at_us;
		uint8_t octets[200];
		ssize_t len;
		struct sockaddr_in from;
	} sent[SENT_MAX];
	size_t sent_count;
	uint8_t answer[64]; /* to the first */
	size_t answer_len;
	bool answers_wrongly; /* each, with a response that does not open */
	size_t done;
	struct probe_result result;
	char why[PROBE_WHY_SIZE];
} bench;

static void read_hex(const char *hex, uint8_t key[WIREGUARD_KEY_SIZE])
{
	for (size_t i = 0; i < WIREGUARD_KEY_SIZE; i++) {
		unsigned octet;

		ck_assert_int_eq(sscanf(&hex[2 * i], "%2x", &octet), 1);
		key[i] = (uint8_t)octet;
	}
}

static char key_path[] = "/tmp/signpost-key-XXXXXX";

/* To this initiation, with the first MAC that anybody can make who knows our public key. */
static void make_wrong_response(const uint8_t *initiation, uint8_t response[92])
{
	uint8_t own_public[NOISE_KEY_SIZE], key[32];
	size_t size = 16;
	const OSSL_PARAM params[] = { OSSL_PARAM_construct_size_t(OSSL_MAC_PARAM_SIZE, &size),
				      OSSL_PARAM_construct_end() };
	EVP_MAC *mac = EVP_MAC_fetch(NULL, "BLAKE2SMAC", NULL);
	EVP_MAC_CTX *context = EVP_MAC_CTX_new(mac);
	EVP_MD_CTX *digest = EVP_MD_CTX_new();

	read_hex(OWN_PUBLIC, own_public);
	ck_assert_int_eq(EVP_DigestInit(digest, EVP_blake2s256()), 1);
	ck_assert_int_eq(EVP_DigestUpdate(digest, "mac1----", 8), 1);
	ck_assert_int_eq(EVP_DigestUpdate(digest, own_public, sizeof(own_public)), 1);
	ck_assert_int_eq(EVP_DigestFinal(digest, key, NULL), 1);
	memset(response, 0, 92);
	response[0] = 2;
	memcpy(response + 8, initiation + 4, 4);
	response[12] = 9; /* a point of many */
	ck_assert_int_eq(EVP_MAC_init(context, key, sizeof(key), params), 1);
	ck_assert_int_eq(EVP_MAC_update(context, response, 60), 1);
	ck_assert_int_eq(EVP_MAC_final(context, response + 60, &size, 16), 1);
	EVP_MD_CTX_free(digest);
	EVP_MAC_CTX_free(context);
	EVP_MAC_free(mac);
}

/* When the datagram that was read last came to the socket, which over a loopback is when it was sent.
 * When it is read is another matter, on a busy machine. */
static uint64_t received_us(int fd)
{
	struct timespec at;

	ck_assert_int_eq(ioctl(fd, SIOCGSTAMPNS, &at), 0);
	return (uint64_t)at.tv_sec * 1000000 + (uint64_t)at.tv_nsec / 1000;
}

static uint64_t unix_us(void)
{
	struct timespec now;

	ck_assert_int_eq(clock_gettime(CLOCK_REALTIME, &now), 0);
	return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

static void on_datagram(struct ev_loop *loop, ev_io *io, int events)
{
	struct sockaddr_in from;
	socklen_t size = sizeof(from);
	uint8_t response[92];

	(void)loop;
	(void)events;
	ck_assert_uint_lt(bench.sent_count, SENT_MAX);
	bench.sent[bench.sent_count].len = recvfrom(io->fd, bench.sent[bench.sent_count].octets,
						    200, 0, (struct sockaddr *)&from, &size);
	bench.sent[bench.sent_count].from = from;
	bench.sent[bench.sent_count].at_us = received_us(io->fd);
	if (bench.answers_wrongly) {
		make_wrong_response(bench.sent[bench.sent_count].octets, response);
		ck_assert_int_gt(sendto(io->fd, response, sizeof(response), 0,
					(struct sockaddr *)&from, size),
				 0);
	}
	if (bench.sent_count++ == 0 && bench.answer_len > 0)
		ck_assert_int_gt(sendto(io->fd, bench.answer, bench.answer_len, 0,
					(struct sockaddr *)&from, size),
				 0);
}

static void on_done(struct probe *probe, const struct probe_result *result)
{
	(void)probe;
	bench.done++;
	bench.result = *result;
	(void)snprintf(bench.why, sizeof(bench.why), "%s", result->why);
}

/* The kernel begins to write down when datagrams come a while after it was asked to; until then it
 * tells when they were read. */
static void wait_for_stamps(int fd, const struct sockaddr_storage *name, socklen_t size)
{
	uint64_t before_us;
	char octet = 0;

	do {
		ck_assert_int_eq(sendto(fd, &octet, 1, 0, (const struct sockaddr *)name, size), 1);
		before_us = unix_us();
		(void)usleep(1000);
		ck_assert_int_eq(recv(fd, &octet, 1, 0), 1);
	} while (received_us(fd) > before_us);
}

static void listen_at(const char *text)
{
	struct sockaddr_storage name;
	struct ip_address address;
	socklen_t size;

	ck_assert(ip_parse(text, &address));
	size = ip_to_sockaddr(&address, PORT, &name);
	ck_assert_int_eq(bind(bench.listener, (struct sockaddr *)&name, size), 0);
	wait_for_stamps(bench.listener, &name, size);
	ev_io_start(bench.loop, &bench.io);
}

static void open_bench(bool listens)
{
	const struct kind_tools tools = { .icmp_v4 = -1, .icmp_v6 = -1, .loop = ev_loop_new(0) };
	struct timespec first;
	int fd;

	bench = (struct bench){ .loop = tools.loop, .kind = kind_wireguard_open(&tools) };
	(void)strcpy(key_path + sizeof(key_path) - 7, "XXXXXX");
	fd = mkstemp(key_path);
	ck_assert_int_eq(write(fd, KEY, strlen(KEY)), (ssize_t)strlen(KEY));
	(void)close(fd);
	bench.listener = socket(AF_INET, SOCK_DGRAM, 0);
	(void)ioctl(bench.listener, SIOCGSTAMPNS, &first); /* from now on there are times */
	ev_io_init(&bench.io, on_datagram, bench.listener, EV_READ);
	if (listens)
		listen_at(HERE);
}

static void close_bench(void)
{
	bench.kind->close(bench.kind);
	ev_io_stop(bench.loop, &bench.io);
	(void)close(bench.listener);
	ev_loop_destroy(bench.loop);
	(void)unlink(key_path);
}

static void open_probe_to(struct probe *probe, const char *address, uint32_t timeout_ms,
			  uint32_t attempts)
{
	struct {
		struct wireguard_settings settings;
		char path[64];
	} *all = calloc(1, sizeof(*all));
	struct err err;

	all->settings.private_key.offset = offsetof(typeof(*all), path);
	all->settings.private_key.len = (uint32_t)strlen(key_path);
	(void)strcpy(all->path, key_path);
	all->settings.attempts = attempts;
	read_hex(SERVER_PUBLIC, all->settings.public_key);
	*probe = (struct probe){ .port = PORT,
				 .timeout_ms = timeout_ms,
				 .settings = all,
				 .own = calloc(1, bench.kind->own_size),
				 .done = on_done };
	ck_assert(ip_parse(address, &probe->address));
	ck_assert_int_eq(bench.kind->prepare(bench.kind, probe, &err), 0);
}

static void open_probe(struct probe *probe, uint32_t timeout_ms, uint32_t attempts)
{
	open_probe_to(probe, HERE, timeout_ms, attempts);
}

static void close_probe(struct probe *probe)
{
	bench.kind->release(bench.kind, probe);
	free(probe->own);
	free((void *)(uintptr_t)probe->settings);
}

/* Until so many initiations have come; the timeout of the test itself is there for want of them. */
static void run_until_sent(size_t count)
{
	while (bench.sent_count < count)
		(void)ev_run(bench.loop, EVRUN_ONCE);
}

/* What has come by now is read. */
static void turn(void)
{
	for (int i = 0; i < 8; i++)
		(void)ev_run(bench.loop, EVRUN_NOWAIT);
}

START_TEST(initiations_are_repeated_but_never_the_same)
{
	struct probe_result result = { .outcome = PROBE_FAILURE, .why = "timeout" };
	struct probe probe;

	open_bench(true);
	open_probe(&probe, 900, 3);
	bench.kind->start(bench.kind, &probe);
	run_until_sent(3);
	ck_assert_uint_eq(bench.done, 0);
	for (size_t i = 0; i < 3; i++) {
		ck_assert_int_eq(bench.sent[i].len, 148);
		if (i > 0) {
			ck_assert_uint_ge(bench.sent[i].at_us - bench.sent[i - 1].at_us, 290000);
			/* index, ephemeral key, static key, timestamp: all look new */
			ck_assert_mem_ne(bench.sent[i].octets + 4, bench.sent[i - 1].octets + 4, 4);
			ck_assert_mem_ne(bench.sent[i].octets + 8, bench.sent[i - 1].octets + 8,
					 32);
			ck_assert_mem_ne(bench.sent[i].octets + 40, bench.sent[i - 1].octets + 40,
					 48);
			ck_assert_mem_ne(bench.sent[i].octets + 88, bench.sent[i - 1].octets + 88,
					 28);
		}
	}
	bench.kind->expire(bench.kind, &probe, &result);
	ck_assert_int_eq(result.outcome, PROBE_FAILURE);
	ck_assert_str_eq(result.why, "timeout");
	close_probe(&probe);
	close_bench();
}
END_TEST

START_TEST(attempts_are_a_quarter_of_a_second_apart_at_least)
{
	struct probe probe;

	open_bench(true);
	open_probe(&probe, 100, 5);
	bench.kind->start(bench.kind, &probe);
	run_until_sent(2);
	bench.kind->cancel(bench.kind, &probe);
	for (size_t i = 1; i < bench.sent_count; i++)
		ck_assert_uint_ge(bench.sent[i].at_us - bench.sent[i - 1].at_us, 240000);
	close_probe(&probe);
	close_bench();
}
END_TEST

START_TEST(probes_with_one_key_keep_apart)
{
	struct probe probes[4];

	open_bench(true);
	for (int i = 0; i < 4; i++)
		open_probe(&probes[i], 200, 1);
	for (int i = 0; i < 4; i++)
		bench.kind->start(bench.kind, &probes[i]);
	run_until_sent(4);
	for (size_t i = 1; i < 4; i++)
		ck_assert_uint_ge(bench.sent[i].at_us - bench.sent[i - 1].at_us, 20000);
	for (int i = 0; i < 4; i++) {
		bench.kind->cancel(bench.kind, &probes[i]);
		close_probe(&probes[i]);
	}
	close_bench();
}
END_TEST

/* Which of the probes below sent the i-th datagram: each has a source of its own. */
static int sender(size_t i)
{
	return (int)(ntohl(bench.sent[i].from.sin_addr.s_addr) & 0xff) - 10;
}

/* Of many servers with one key each has its own turns, whose addresses all share. */
START_TEST(probes_of_one_node_keep_apart_where_many_nodes_have_its_key)
{
	struct probe probes[12];
	uint64_t last_us = 0;
	int of_one = 0, of_others = 0;

	open_bench(false);
	listen_at("0.0.0.0");
	for (int i = 0; i < 12; i++) {
		char address[32];

		(void)snprintf(address, sizeof(address), "127.93.21.%d", 10 + i);
		open_probe_to(&probes[i], address, 200, 1);
		probes[i].source = probes[i].address;
		probes[i].home = probes[i < 3 ? 0 : i].address;
	}
	for (int i = 0; i < 12; i++)
		bench.kind->start(bench.kind, &probes[i]);
	for (int i = 0; i < SENT_MAX; i++)
		(void)ev_run(bench.loop, EVRUN_NOWAIT);
	for (size_t i = 0; i < bench.sent_count; i++)
		of_others += sender(i) >= 3;
	ck_assert_int_eq(of_others, 9); /* who waited for nobody */
	run_until_sent(12);
	for (size_t i = 0; i < 12; i++) {
		if (sender(i) >= 3)
			continue;
		ck_assert_uint_ge(bench.sent[i].at_us - last_us, 20000);
		last_us = bench.sent[i].at_us;
		of_one++;
	}
	ck_assert_int_eq(of_one, 3);
	for (int i = 0; i < 12; i++) {
		bench.kind->cancel(bench.kind, &probes[i]);
		close_probe(&probes[i]);
	}
	close_bench();
}
END_TEST

START_TEST(garbage_is_ignored_and_the_probe_goes_on)
{
	struct probe probe;

	open_bench(true);
	bench.answer_len = 64;
	bench.answer[0] = 3;
	open_probe(&probe, 600, 2);
	bench.kind->start(bench.kind, &probe);
	run_until_sent(2); /* the first has been answered */
	ck_assert_uint_eq(bench.done, 0);
	bench.kind->cancel(bench.kind, &probe);
	close_probe(&probe);
	close_bench();
}
END_TEST

/* The network's word may be forged: the next attempts are made, and reach who listens by then. */
START_TEST(port_that_nobody_listens_on_is_the_reason_but_ends_nothing)
{
	struct probe_result result = { .outcome = PROBE_FAILURE, .why = "timeout" };
	struct probe probe;

	open_bench(false);
	open_probe(&probe, 1500, 5);
	bench.kind->start(bench.kind, &probe);
	turn();
	ck_assert_uint_eq(bench.done, 0);
	listen_at(HERE);
	run_until_sent(1);
	ck_assert_uint_eq(bench.done, 0);
	bench.kind->expire(bench.kind, &probe, &result);
	ck_assert_int_eq(result.outcome, PROBE_FAILURE);
	ck_assert_str_eq(result.why, "Connection refused");
	close_probe(&probe);
	close_bench();
}
END_TEST

START_TEST(forged_error_ends_nothing)
{
	struct probe probe;

	open_bench(true);
	open_probe(&probe, 600, 2);
	bench.kind->start(bench.kind, &probe);
	run_until_sent(1);
	if (forge_unreachable(&bench.sent[0].from, HERE, PORT))
		turn();
	ck_assert_uint_eq(bench.done, 0);
	run_until_sent(2);
	ck_assert_uint_eq(bench.done, 0);
	bench.kind->cancel(bench.kind, &probe);
	close_probe(&probe);
	close_bench();
}
END_TEST

/* Made by who has seen the initiation, and knows our public key: the server's own may still come. */
START_TEST(response_that_does_not_open_is_the_reason_but_ends_nothing)
{
	struct probe_result result = { .outcome = PROBE_FAILURE, .why = "timeout" };
	struct probe probe;

	open_bench(true);
	open_probe(&probe, 600, 2);
	bench.answers_wrongly = true;
	bench.kind->start(bench.kind, &probe);
	run_until_sent(2);
	turn();
	ck_assert_uint_eq(bench.done, 0);
	bench.kind->expire(bench.kind, &probe, &result);
	ck_assert_int_eq(result.outcome, PROBE_FAILURE);
	ck_assert_str_eq(result.why, "preshared key or identity does not match");
	close_probe(&probe);
	close_bench();
}
END_TEST

/* What was never sent says nothing of the node. */
START_TEST(probe_whose_turn_does_not_come_is_not_made)
{
	struct probe_result result = { .outcome = PROBE_FAILURE, .why = "timeout" };
	struct probe probes[2];
	uint64_t began_us;

	open_bench(true);
	for (int i = 0; i < 2; i++)
		open_probe(&probes[i], 200, 1);
	do { /* again where the process stood still until it was the other one's turn */
		began_us = clock_mono_us();
		for (int i = 0; i < 2; i++)
			bench.kind->start(bench.kind, &probes[i]);
		bench.kind->expire(bench.kind, &probes[1], &result);
		bench.kind->cancel(bench.kind, &probes[0]);
	} while (clock_mono_us() - began_us >= 25000);
	ck_assert_int_eq(result.outcome, PROBE_NOT_MADE);
	for (int i = 0; i < 2; i++)
		close_probe(&probes[i]);
	close_bench();
}
END_TEST

START_TEST(key_that_is_not_there_is_told)
{
	struct probe probe;
	struct err err;

	open_bench(false);
	open_probe(&probe, 200, 1);
	bench.kind->release(bench.kind, &probe);
	memset(probe.own, 0, bench.kind->own_size);
	ck_assert_int_eq(truncate(key_path, 5), 0);
	ck_assert_int_eq(bench.kind->prepare(bench.kind, &probe, &err), -1);
	ck_assert_ptr_nonnull(strstr(err.text, ": holds no key of 32 octets in base64"));
	close_probe(&probe);
	close_bench();
}
END_TEST

START_TEST(turns_are_shared_by_those_who_name_the_same)
{
	struct turns *turns = turns_open();
	struct turn *one = turn_join(turns, "a", 1), *same = turn_join(turns, "a", 1);
	struct turn *other = turn_join(turns, "b", 1);

	ck_assert_ptr_eq(one, same);
	ck_assert_ptr_ne(one, other);
	ck_assert_uint_eq(one->users, 2);
	turn_leave(turns, one);
	turn_leave(turns, NULL);
	ck_assert_uint_eq(same->users, 1);
	turn_leave(turns, same);
	turn_leave(turns, other);
	turns_close(turns);
}
END_TEST

void add_wireguard_tests(Suite *suite)
{
	suite_case(suite, "wireguard", initiations_are_repeated_but_never_the_same,
		   attempts_are_a_quarter_of_a_second_apart_at_least,
		   probes_with_one_key_keep_apart,
		   probes_of_one_node_keep_apart_where_many_nodes_have_its_key,
		   garbage_is_ignored_and_the_probe_goes_on,
		   port_that_nobody_listens_on_is_the_reason_but_ends_nothing,
		   forged_error_ends_nothing,
		   response_that_does_not_open_is_the_reason_but_ends_nothing,
		   probe_whose_turn_does_not_come_is_not_made, key_that_is_not_there_is_told,
		   turns_are_shared_by_those_who_name_the_same);
}
