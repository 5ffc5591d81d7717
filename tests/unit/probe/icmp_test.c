#include <fcntl.h>
#include <netinet/icmp6.h>
#include <netinet/ip_icmp.h>
#undef rr_type /* a field of router renumbering there, an enum of ours */
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/cursor.h"
#include "image/probe_icmp.h"
#include "tests/unit/network.h"
#include "tests/unit/probe/lab.h"
#include "tests/unit/probe/probe_test.h"

static const struct plan_probe icmp = {
	.kind = PROBE_ICMP, .interval_ms = 200, .timeout_ms = 150, .fall = 2, .rise = 1
};

static const struct icmp_settings without_limits = { .window = 10 };

/* A probe without limits. */
static struct plan_probe each_echo(void)
{
	return sketch_with(icmp, &without_limits, sizeof(without_limits));
}

static bool write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	bool done = fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text);

	if (fd >= 0)
		(void)close(fd);
	return done;
}

static int open_raw(int family)
{
	int protocol = family == AF_INET ? IPPROTO_ICMP : IPPROTO_ICMPV6;

	return socket(family, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, protocol);
}

static void expect_both_families_up(int v4, int v6)
{
	const struct sketch_node nodes[] = {
		{ "edge", "v4", { { "127.93.11.1", each_echo(), 0 } } },
		{ "edge", "v6", { { "::1", each_echo(), 0 } } },
	};
	struct lab lab;

	lab_open(&lab, v4, v6);
	lab_apply(&lab, nodes, 2, NULL);
	for (uint32_t i = 0; i < 2; i++) {
		ck_assert(lab_reaches(&lab, i, NODE_UP));
		while (prober_state(lab.prober, i)->rtt_us == 0) /* it was only seen too late */
			ck_assert(lab_is_checked(&lab, i));
		ck_assert_uint_le(prober_state(lab.prober, i)->rtt_us, 150000);
	}
	ck_assert_str_eq(prober_state(lab.prober, 0)->reason, "icmp 127.93.11.1: echo reply");
	ck_assert_str_eq(prober_state(lab.prober, 1)->reason, "icmp ::1: echo reply");
	ck_assert(lab_is_checked(&lab, 0));
	ck_assert(lab_is_checked(&lab, 1));
	lab_close(&lab);
}

START_TEST(raw_sockets_measure_both_families)
{
	int v4, v6;

	if (!own_network()) /* where ping sockets are closed, as by the kernel's default */
		return;
	ck_assert(write_file("/proc/sys/net/ipv4/ping_group_range", "1 0"));
	v4 = open_raw(AF_INET);
	v6 = open_raw(AF_INET6);
	ck_assert_int_ge(v4, 0);
	ck_assert_int_ge(v6, 0);
	expect_both_families_up(v4, v6);
	ck_assert_int_eq(fcntl(v4, F_GETFD), FD_CLOEXEC); /* still open: they are the caller's */
	(void)close(v4);
	(void)close(v6);
}
END_TEST

START_TEST(ping_sockets_measure_both_families_where_they_are_allowed)
{
	if (!own_network())
		return;
	ck_assert(write_file("/proc/sys/net/ipv4/ping_group_range", "0 0"));
	expect_both_families_up(-1, -1);
}
END_TEST

START_TEST(without_any_socket_nothing_is_said_of_the_node)
{
	const struct sketch_node nodes[] = { { "edge", "a", { { "127.0.0.1", each_echo(), 0 } } } };
	struct lab lab;

	if (!own_network())
		return;
	ck_assert(write_file("/proc/sys/net/ipv4/ping_group_range", "1 0"));
	lab_open(&lab, -1, -1);
	lab_apply(&lab, nodes, 1, NULL);
	lab_run_ms(&lab, 300);
	ck_assert_int_eq(prober_state(lab.prober, 0)->status, NODE_UNKNOWN);
	lab_close(&lab);
}
END_TEST

START_TEST(node_that_does_not_answer_or_cannot_be_reached_is_down)
{
	const struct sketch_node nodes[] = {
		{ "edge", "silent", { { "127.0.0.1", each_echo(), 0 } } },
		{ "edge", "silent6", { { "::1", each_echo(), 0 } } },
		{ "edge",
		  "nowhere",
		  { { "192.0.2.1", each_echo(), 0 } } }, /* no route in this network */
		{ "edge", "nowhere6", { { "2001:db8::1", each_echo(), 0 } } },
	};
	int v4, v6;
	struct lab lab;

	if (!own_network())
		return;
	ck_assert(write_file("/proc/sys/net/ipv4/icmp_echo_ignore_all", "1"));
	ck_assert(write_file("/proc/sys/net/ipv6/icmp/echo_ignore_all", "1"));
	v4 = open_raw(AF_INET);
	v6 = open_raw(AF_INET6);
	lab_open(&lab, v4, v6);
	lab_apply(&lab, nodes, 4, NULL);
	for (uint32_t i = 0; i < 4; i++)
		ck_assert(lab_reaches(&lab, i, NODE_DOWN));
	ck_assert_str_eq(prober_state(lab.prober, 0)->reason, "icmp 127.0.0.1: timeout");
	ck_assert_str_eq(prober_state(lab.prober, 1)->reason, "icmp ::1: timeout");
	ck_assert_str_eq(prober_state(lab.prober, 2)->reason,
			 "icmp 192.0.2.1: network is unreachable");
	ck_assert_str_eq(prober_state(lab.prober, 3)->reason,
			 "icmp 2001:db8::1: network is unreachable");
	lab_close(&lab);
	(void)close(v4);
	(void)close(v6);
}
END_TEST

/* --- limits -------------------------------------------------------------------------------- */

START_TEST(window_judges_where_there_are_limits)
{
	static const struct icmp_settings limits = { .window = 10, .loss_max_percent = 50 };
	const struct plan_probe often = {
		.kind = PROBE_ICMP, .interval_ms = 100, .timeout_ms = 80, .fall = 1, .rise = 1
	};
	const struct sketch_node nodes[] = {
		{ "edge",
		  "each",
		  { { "127.93.11.1", sketch_with(often, &without_limits, sizeof(without_limits)),
		      0 } } },
		{ "edge",
		  "window",
		  { { "127.93.11.1", sketch_with(often, &limits, sizeof(limits)), 0 } } },
	};
	uint32_t lost = 0, of = 0;
	struct lab lab;

	if (!own_network())
		return;
	ck_assert(write_file("/proc/sys/net/ipv4/ping_group_range", "0 0"));
	lab_open(&lab, -1, -1);
	lab_apply(&lab, nodes, 2, NULL);
	for (int i = 0; i < 10; i++)
		ck_assert(lab_is_checked(&lab, 1));
	ck_assert(write_file("/proc/sys/net/ipv4/icmp_echo_ignore_all", "1"));
	ck_assert(lab_reaches(&lab, 0, NODE_DOWN));
	ck_assert_str_eq(prober_state(lab.prober, 0)->reason, "icmp 127.93.11.1: timeout");
	ck_assert_int_eq(prober_state(lab.prober, 1)->status, NODE_UP);
	ck_assert(lab_reaches(&lab, 1, NODE_DOWN));
	ck_assert_int_eq(sscanf(prober_state(lab.prober, 1)->reason,
				"icmp 127.93.11.1: %u of %u echoes lost, more than 50%%", &lost,
				&of),
			 2);
	ck_assert_uint_eq(lost, 6);
	ck_assert_uint_eq(of, 10);
	lab_close(&lab);
}
END_TEST

/* --- sources ------------------------------------------------------------------------------- */

static struct plan_probe from_source(const char *text)
{
	struct plan_probe probe = each_echo();
	struct ip_address source;

	ck_assert(ip_parse(text, &source));
	*(source.family == IP_V4 ? &probe.source_v4 : &probe.source_v6) = source;
	return probe;
}

/* Who the next echo request that the tap sees comes from. */
static void expect_request_from(struct lab *lab, int tap, const char *source)
{
	uint64_t until_ms = clock_mono_ms() + LAB_PATIENCE_MS;
	uint8_t packet[256];
	uint8_t wanted[4];
	struct ip_address ip;

	ck_assert(ip_parse(source, &ip));
	memcpy(wanted, ip.bytes, sizeof(wanted));
	while (recv(tap, packet, sizeof(packet), MSG_DONTWAIT) < 20 + 8 ||
	       packet[20] != ICMP_ECHO) {
		ck_assert_uint_lt(clock_mono_ms(), until_ms);
		lab_run_ms(lab, 5);
	}
	ck_assert_mem_eq(packet + 12, wanted, sizeof(wanted));
}

static void expect_source_to_be_used(int v4, int v6)
{
	const struct sketch_node nodes[] = {
		{ "edge", "v4", { { "127.93.11.1", from_source("127.93.11.77"), 0 } } },
		{ "edge", "v6", { { "::1", from_source("::1"), 0 } } },
		{ "edge", "foreign", { { "127.93.11.1", from_source("192.0.2.9"), 0 } } },
		{ "edge", "foreign6", { { "::1", from_source("2001:db8::9"), 0 } } },
	};
	int tap = open_raw(AF_INET);
	struct lab lab;

	lab_open(&lab, v4, v6);
	lab_apply(&lab, nodes, 4, NULL);
	expect_request_from(&lab, tap, "127.93.11.77");
	ck_assert(lab_reaches(&lab, 0, NODE_UP));
	ck_assert(lab_reaches(&lab, 1, NODE_UP));
	lab_run_ms(&lab, 300);
	ck_assert_int_eq(prober_state(lab.prober, 2)->status, NODE_UNKNOWN); /* our lack */
	ck_assert_int_eq(prober_state(lab.prober, 3)->status, NODE_UNKNOWN);
	lab_close(&lab);
	(void)close(tap);
}

START_TEST(echo_requests_come_from_the_source_that_was_named)
{
	int v4, v6;

	if (!own_network())
		return;
	ck_assert(write_file("/proc/sys/net/ipv4/ping_group_range", "0 0"));
	expect_source_to_be_used(-1, -1);
	ck_assert(write_file("/proc/sys/net/ipv4/ping_group_range", "1 0"));
	v4 = open_raw(AF_INET);
	v6 = open_raw(AF_INET6);
	expect_source_to_be_used(v4, v6);
	(void)close(v4);
	(void)close(v6);
}
END_TEST

/* --- forged replies ------------------------------------------------------------------------ */

struct forgery {
	const char *what;
	const char *from;
	size_t spoilt; /* octet of the echo that is changed; SIZE_MAX: none */
	size_t cut;    /* octets that are left out at the end */
	bool believed;
};

static const struct forgery forgeries[] = {
	{ "true reply", "127.93.12.1", SIZE_MAX, 0, true },
	{ "another type", "127.93.12.1", 0, 0, false },
	{ "another code", "127.93.12.1", 1, 0, false },
	{ "another identifier", "127.93.12.1", 4, 0, false },
	{ "another sequence", "127.93.12.1", 7, 0, false },
	{ "first octet of the cookie", "127.93.12.1", 8, 0, false },
	{ "last octet of the cookie", "127.93.12.1", 23, 0, false },
	{ "cut", "127.93.12.1", SIZE_MAX, 1, false },
	{ "no cookie at all", "127.93.12.1", SIZE_MAX, 16, false },
	{ "another source", "127.93.12.9", SIZE_MAX, 0, false },
};

static uint16_t sum_of(const uint8_t *data, size_t size)
{
	uint32_t sum = 0;

	for (size_t i = 0; i < size; i++)
		sum += i % 2 == 0 ? (uint32_t)data[i] << 8 : data[i];
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)~sum;
}

static int open_forger(const char *from)
{
	struct ip_address ip;
	struct sockaddr_storage at;
	socklen_t size;
	int fd = open_raw(AF_INET);

	ck_assert(ip_parse(from, &ip));
	size = ip_to_sockaddr(&ip, 0, &at);
	ck_assert_int_eq(bind(fd, (struct sockaddr *)&at, size), 0);
	return fd;
}

/* Answers the echo requests that `tap` sees, not quite as it should. */
static void forge(int tap, int forger, const struct forgery *how)
{
	uint8_t packet[256];
	ssize_t n;

	while ((n = recv(tap, packet, sizeof(packet), MSG_DONTWAIT)) > 0) {
		uint8_t *echo = packet + 20;
		size_t size = (size_t)n - 20 - how->cut;
		struct sockaddr_in to = { .sin_family = AF_INET };

		if (echo[0] != ICMP_ECHO)
			continue;
		ck_assert_int_eq(n, 20 + 8 + 16);
		ck_assert_uint_eq(sum_of(echo, (size_t)n - 20), 0); /* ours was right */
		echo[0] = ICMP_ECHOREPLY;
		if (how->spoilt != SIZE_MAX)
			echo[how->spoilt] ^= 0x20;
		store_u16(echo + 2, 0);
		store_u16(echo + 2, sum_of(echo, size));
		to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
		ck_assert_int_eq(sendto(forger, echo, size, 0, (struct sockaddr *)&to, sizeof(to)),
				 (ssize_t)size);
	}
}

START_TEST(only_a_reply_with_all_its_marks_is_believed)
{
	const struct forgery *how = &forgeries[_i];
	const struct sketch_node nodes[] = {
		{ "edge", "a", { { "127.93.12.1", each_echo(), 0 } } }
	};
	enum node_status wanted = how->believed ? NODE_UP : NODE_DOWN;
	int v4, tap, forger;
	struct lab lab;

	if (!own_network())
		return;
	ck_assert(write_file("/proc/sys/net/ipv4/ping_group_range", "1 0"));
	ck_assert(write_file("/proc/sys/net/ipv4/icmp_echo_ignore_all", "1"));
	v4 = open_raw(AF_INET);
	tap = open_raw(AF_INET);
	forger = open_forger(how->from);
	lab_open(&lab, v4, -1);
	lab_apply(&lab, nodes, 1, NULL);
	/* A true reply may come too late for the first probes. */
	for (int i = 0; i < 1000 && prober_state(lab.prober, 0)->status != wanted; i++) {
		lab_run_ms(&lab, 5);
		forge(tap, forger, how);
		ck_assert(how->believed || prober_state(lab.prober, 0)->status != NODE_UP);
	}
	ck_assert_msg(prober_state(lab.prober, 0)->status == wanted, "%s", how->what);
	lab_close(&lab);
	(void)close(v4);
	(void)close(tap);
	(void)close(forger);
}
END_TEST

void add_icmp_tests(Suite *suite)
{
	TCase *replies = tcase_create("icmp replies");

	suite_case(suite, "icmp", raw_sockets_measure_both_families,
		   ping_sockets_measure_both_families_where_they_are_allowed,
		   without_any_socket_nothing_is_said_of_the_node,
		   node_that_does_not_answer_or_cannot_be_reached_is_down,
		   window_judges_where_there_are_limits,
		   echo_requests_come_from_the_source_that_was_named);
	tcase_add_loop_test(replies, only_a_reply_with_all_its_marks_is_believed, 0,
			    sizeof(forgeries) / sizeof(forgeries[0]));
	suite_add_tcase(suite, replies);
}
