/* Probes of several steps, at servers that go on while this process stands still, and at those that do not.
 *
 * Server and probe are driven by the test, turn by turn: that time goes by is pretended, or this process
 * is stopped for it. */
#include <errno.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/cursor.h"
#include "image/probe_agent.h"
#include "image/probe_dns.h"
#include "image/probe_http.h"
#include "image/probe_ikev2.h"
#include "image/probe_openvpn.h"
#include "image/probe_prometheus.h"
#include "image/probe_tls.h"
#include "probe/engine.h"
#include "probe/web.h"
#include "tests/unit/probe/lab.h"
#include "tests/unit/probe/probe_test.h"

#define ADDRESS    "127.93.26.1"
#define PORT       20200
#define TIMEOUT_US (10 * UINT64_C(1000000)) /* nothing but what is pretended takes so long */

static struct bench {
	struct ev_loop *loop;
	struct web *web;
	struct engine engine;
	struct check *check, *other; /* other: NULL, or one that runs beside it */
	struct evidence evidence;
	int listener, results;
	enum probe_outcome outcome;
	char why[PROBE_WHY_SIZE];
	uint32_t rtt_us; /* as told with the result */
} bench;

/* --- time ---------------------------------------------------------------------------------- */

static void take_turns(int count)
{
	while (count-- > 0)
		(void)ev_run(bench.loop, EVRUN_NOWAIT);
}

static void make_late(struct check *check, uint64_t us)
{
	check->started_us -= us;
	check->end_us -= us;
	ev_timer_stop(bench.loop, &check->timer);
	ev_timer_set(&check->timer, 0., 0.);
	ev_timer_start(bench.loop, &check->timer);
}

/* For longer than the timeout; the looks that a probe has then are over with this, too. */
static void stand_still(void)
{
	uint64_t us = TIMEOUT_US + TIMEOUT_US / 5;

	make_late(bench.check, us);
	if (bench.other != NULL)
		make_late(bench.other, us);
	bench.engine.standstill.due_us -= us;
	take_turns(50);
}

/* The probe's; -1: it has none. */
static int find_socket(void)
{
	for (int fd = 0; fd < 64; fd++) {
		struct sockaddr_in at = { 0 };
		socklen_t size = sizeof(at);

		if (getsockname(fd, (struct sockaddr *)&at, &size) == 0 &&
		    at.sin_family == AF_INET && at.sin_port != 0 && ntohs(at.sin_port) != PORT)
			return fd;
	}
	return -1;
}

static void wait_for(int fd, short event)
{
	struct pollfd due = { .fd = fd, .events = event };

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(poll(&due, 1, LAB_PATIENCE_MS), 1);
}

/* The same, and what comes meanwhile has come, however late the kernel brings it. */
static void stand_still_until(short event)
{
	wait_for(find_socket(), event);
	stand_still();
}

/* The same, without pretence. */
static void be_stopped(useconds_t us)
{
	pid_t pid = fork();

	if (pid == 0) {
		(void)kill(getppid(), SIGSTOP);
		(void)usleep(us);
		(void)kill(getppid(), SIGCONT);
		_exit(0);
	}
	ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
}

/* --- the bench ----------------------------------------------------------------------------- */

static void take_result(struct check *check, int32_t before, const struct probe_result *result)
{
	(void)before;
	bench.results++;
	bench.outcome = result->outcome;
	bench.rtt_us = result->rtt_us;
	(void)snprintf(bench.why, sizeof(bench.why), "%s", check->why);
}

static void open_bench(int type)
{
	bench = (struct bench){ .loop = ev_loop_new(EVFLAG_AUTO) };
	bench.web = web_open(bench.loop);
	engine_open(&bench.engine,
		    &(struct kind_tools){
			    .loop = bench.loop, .icmp_v4 = -1, .icmp_v6 = -1, .web = bench.web },
		    10, take_result);
	if (type == SOCK_STREAM) {
		bench.listener = listen_on(ADDRESS, PORT, 16);
	} else {
		struct sockaddr_storage at;
		struct ip_address ip;
		socklen_t size;

		ck_assert(ip_parse(ADDRESS, &ip));
		size = ip_to_sockaddr(&ip, PORT, &at);
		bench.listener = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
		ck_assert_int_eq(bind(bench.listener, (struct sockaddr *)&at, size), 0);
	}
}

static struct check *begin(enum probe_kind kind, const void *settings, size_t len,
			   uint32_t timeout_ms)
{
	const struct check_key key = { .kind = (uint8_t)kind,
				       .family = IP_V4,
				       .address = { 127, 93, 26, 1 },
				       .port = PORT,
				       .interval_ms = 60000,
				       .timeout_ms = timeout_ms,
				       .fall = 1,
				       .rise = 1,
				       .settings_len = (uint32_t)len };

	return check_begin(&bench.engine, &key, settings, 0);
}

/* It has asked for a connection, and has not looked for one. */
static void begin_and_wait(enum probe_kind kind, const void *settings, size_t len)
{
	bench.check = begin(kind, settings, len, TIMEOUT_US / 1000);
	bench.check->probe.evidence = &bench.evidence;
	while (find_socket() < 0)
		take_turns(1);
}

static int take_connection(void)
{
	const struct timeval patience = { .tv_sec = LAB_PATIENCE_MS / 1000 };
	int fd, on = 1;

	wait_for(bench.listener, POLLIN);
	fd = accept4(bench.listener, NULL, NULL, SOCK_CLOEXEC);
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)), 0);
	ck_assert_int_eq(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)), 0);
	return fd;
}

static void close_bench(void)
{
	check_end(bench.check);
	if (bench.other != NULL)
		check_end(bench.other);
	ck_assert_uint_eq(bench.engine.standstill.watchers, 0);
	engine_close(&bench.engine);
	web_close(bench.web);
	evidence_free(&bench.evidence);
	(void)close(bench.listener);
	ev_loop_destroy(bench.loop);
}

/* --- what servers do ----------------------------------------------------------------------- */

static size_t hear(int fd, uint8_t *data, size_t size)
{
	ssize_t n = recv(fd, data, size, 0);

	ck_assert_int_gt(n, 0);
	return (size_t)n;
}

/* That comes while we stand still. */
static void say(int fd, const void *data, size_t len)
{
	ck_assert_int_eq(bench.results, 0);
	ck_assert_int_eq(send(fd, data, len, MSG_NOSIGNAL), (ssize_t)len);
	stand_still_until(POLLIN);
}

static void say_text(int fd, const char *text)
{
	say(fd, text, strlen(text));
}

static void serve_agent(int fd)
{
	say_text(fd, "up");
	say_text(fd, " 75%\n");
}

static void serve_management(int fd)
{
	uint8_t asked[64];

	say_text(fd, ">INFO:a server\r\n");
	(void)hear(fd, asked, sizeof(asked));
	say_text(fd, "SUCCESS: ncli");
	say_text(fd, "ents=3,bytesin=1,bytesout=2\r\n");
}

static void serve_dns(int fd)
{
	uint8_t query[512];
	size_t len = hear(fd, query, sizeof(query));

	query[4] |= 0x80; /* a response */
	say(fd, query, 2);
	say(fd, query + 2, len - 2);
}

static void serve_openvpn(int fd)
{
	uint8_t request[64], reply[2 + 26];
	struct writer w = { .data = reply, .size = sizeof(reply) };

	(void)hear(fd, request, sizeof(request));
	put_u16(&w, 26);
	put_u8(&w, 8 << 3);
	put_bytes(&w, "serverid", 8);
	put_u8(&w, 1);
	put_u32(&w, 0);
	put_bytes(&w, request + 2 + 1, 8);
	put_u32(&w, 0);
	say(fd, reply, 1);
	say(fd, reply + 1, w.pos - 1);
}

static void serve_http(int fd, const char *page)
{
	uint8_t request[1024];
	char length[64];

	(void)hear(fd, request, sizeof(request));
	(void)snprintf(length, sizeof(length), "Content-Length: %zu\r\n\r\n", strlen(page));
	say_text(fd, "HTTP/1.1 200 OK\r\n");
	say_text(fd, length);
	say(fd, page, 2);
	say_text(fd, page + 2);
}

static void serve_plain_http(int fd)
{
	serve_http(fd, "well");
}

static SSL_CTX *make_server(void)
{
	SSL_CTX *context = SSL_CTX_new(TLS_server_method());
	EVP_PKEY *key = EVP_EC_gen("P-256");
	X509 *certificate = X509_new();

	ck_assert_int_eq(X509_set_version(certificate, 2), 1);
	ck_assert_ptr_nonnull(X509_gmtime_adj(X509_getm_notBefore(certificate), -1000));
	ck_assert_ptr_nonnull(X509_gmtime_adj(X509_getm_notAfter(certificate), 1000000));
	ck_assert_int_eq(X509_set_pubkey(certificate, key), 1);
	ck_assert_int_gt(X509_sign(certificate, key, EVP_sha256()), 0);
	ck_assert_int_eq(SSL_CTX_use_certificate(context, certificate), 1);
	ck_assert_int_eq(SSL_CTX_use_PrivateKey(context, key), 1);
	X509_free(certificate);
	EVP_PKEY_free(key);
	return context;
}

static bool waits(const SSL *ssl, int n)
{
	return SSL_get_error(ssl, n) == SSL_ERROR_WANT_READ;
}

/* With a standstill before each time that the server goes on. */
static void serve_tls(int fd, const char *page)
{
	SSL_CTX *context = make_server();
	SSL *ssl = SSL_new(context);
	const struct timeval none = { .tv_usec = 1000 };
	uint64_t said = 0;
	char heard[1024];
	int n;

	ck_assert_int_eq(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &none, sizeof(none)), 0);
	ck_assert_int_eq(SSL_set_fd(ssl, fd), 1);
	while ((n = SSL_accept(ssl)) != 1) {
		ck_assert(waits(ssl, n));
		ck_assert_int_eq(bench.results, 0);
		if (BIO_number_written(SSL_get_wbio(ssl)) == said)
			continue;
		said = BIO_number_written(SSL_get_wbio(ssl));
		stand_still_until(POLLIN);
	}
	stand_still_until(POLLIN); /* with the handshake it has sent tickets */
	while (bench.results == 0) {
		n = SSL_read(ssl, heard, sizeof(heard));
		if (n > 0 && page != NULL)
			ck_assert_int_gt(SSL_write(ssl, page, (int)strlen(page)), 0);
		else if (!waits(ssl, n))
			(void)SSL_shutdown(ssl);
		else
			continue;
		stand_still_until(POLLIN);
	}
	SSL_free(ssl);
	SSL_CTX_free(context);
	ERR_clear_error();
}

static void serve_handshake(int fd)
{
	serve_tls(fd, NULL);
}

static void serve_https(int fd)
{
	serve_tls(fd, "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nwell");
}

/* --- kinds --------------------------------------------------------------------------------- */

static const struct agent_settings agent = { .max_age_ms = 60000, .unreachable = AGENT_FAILURE };
static const struct openvpn_management_settings management = { .capacity = 10 };
static const struct openvpn_settings openvpn = { .transport = OPENVPN_TCP };
static const struct tls_settings handshake = { .verify = 0 };
static const struct {
	struct http_settings settings;
	char method[4], path[2];
} http = { .settings = { .method = { sizeof(http.settings), 3 },
			 .path = { sizeof(http.settings) + 4, 1 },
			 .body_max = 100,
			 .range_count = 1,
			 .ranges = { { 200, 200 } } },
	   .method = "GET",
	   .path = "/" };
/* With a name of its root alone. */
static const struct {
	struct dns_probe_settings settings;
	uint8_t question[8];
} dns = { .settings = { .question = { sizeof(dns.settings), 5 }, .rcodes = 1, .tcp = 1 },
	  .question = { 0, 0, 6, 0, 1 } };

static const struct {
	enum probe_kind kind;
	const void *settings;
	size_t len;
	void (*serve)(int fd);
	const char *why;
} rows[] = {
	{ PROBE_AGENT, &agent, sizeof(agent), serve_agent, "" },
	{ PROBE_OPENVPN_MANAGEMENT, &management, sizeof(management), serve_management,
	  "3 of 10 clients" },
	{ PROBE_DNS, &dns, sizeof(dns), serve_dns, "" },
	{ PROBE_OPENVPN, &openvpn, sizeof(openvpn), serve_openvpn, "hard reset answered" },
	{ PROBE_HTTP, &http, sizeof(http), serve_plain_http, "HTTP status 200" },
	{ PROBE_HTTPS, &http, sizeof(http), serve_https, "HTTP status 200" },
	{ PROBE_TLS, &handshake, sizeof(handshake), serve_handshake,
	  "handshake complete, TLSv1.3" },
};

START_TEST(server_that_goes_on_while_we_stand_still_has_answered_in_time)
{
	int fd;

	open_bench(SOCK_STREAM);
	begin_and_wait(rows[_i].kind, rows[_i].settings, rows[_i].len);
	stand_still_until(POLLOUT); /* there is a connection */
	fd = take_connection();
	rows[_i].serve(fd);
	ck_assert_int_eq(bench.results, 1);
	ck_assert_msg(bench.outcome == PROBE_SUCCESS, "%s", bench.why);
	ck_assert_ptr_nonnull(strstr(bench.why, rows[_i].why));
	close_bench();
	(void)close(fd);
}
END_TEST

/* The timer of its end comes before what was said, as it does where the loop was interrupted. */
START_TEST(answer_counts_where_a_standstill_ends_as_the_time_does)
{
	int fd;

	open_bench(SOCK_STREAM);
	begin_and_wait(PROBE_AGENT, &agent, sizeof(agent));
	fd = take_connection();
	take_turns(10);
	ck_assert_int_eq(send(fd, "up\n", 3, MSG_NOSIGNAL), 3);
	wait_for(find_socket(), POLLIN);
	bench.engine.standstill.due_us -= TIMEOUT_US / 2;
	bench.check->end_us = clock_mono_us() - 1;
	ev_invoke(bench.loop, &bench.check->timer, EV_TIMER);
	take_turns(10);
	ck_assert_int_eq(bench.results, 1);
	ck_assert_msg(bench.outcome == PROBE_SUCCESS, "%s", bench.why);
	close_bench();
	(void)close(fd);
}
END_TEST

START_TEST(server_that_says_nothing_more_while_we_stand_still_is_late)
{
	int fd;

	open_bench(SOCK_STREAM);
	begin_and_wait(PROBE_TLS, &handshake, sizeof(handshake));
	stand_still_until(POLLOUT);
	fd = take_connection();
	ck_assert_int_eq(bench.results, 0);
	stand_still();
	ck_assert_int_eq(bench.results, 1);
	ck_assert_str_eq(bench.why, "timeout in the handshake");
	close_bench();
	(void)close(fd);
}
END_TEST

/* It says a little each time. */
START_TEST(probe_ends_though_we_stand_still_at_every_step)
{
	int fd, steps = 0;

	open_bench(SOCK_STREAM);
	begin_and_wait(PROBE_AGENT, &agent, sizeof(agent));
	stand_still_until(POLLOUT);
	fd = take_connection();
	while (bench.results == 0) {
		ck_assert_int_lt(steps++, 30);
		say_text(fd, "u");
	}
	ck_assert_int_ge(steps, 10);
	ck_assert_str_eq(bench.why, "timeout");
	close_bench();
	(void)close(fd);
}
END_TEST

/* The machine may make us stand still as well: not for longer than we say. */
START_TEST(steps_in_time_leave_the_end_where_it_is)
{
	uint64_t late_us;
	int fd;

	open_bench(SOCK_STREAM);
	begin_and_wait(PROBE_AGENT, &agent, sizeof(agent));
	take_turns(10);
	fd = take_connection();
	for (int i = 0; i < 20; i++) {
		ck_assert_int_eq(send(fd, "u", 1, MSG_NOSIGNAL), 1);
		(void)usleep(STANDSTILL_MIN_US / 10);
		take_turns(10);
	}
	late_us = bench.engine.standstill.all_us;
	ck_assert_int_eq(bench.check->phase, CHECK_RUNNING);
	ck_assert_uint_ge(bench.check->end_us, bench.check->started_us + TIMEOUT_US);
	ck_assert_uint_le(bench.check->end_us, bench.check->started_us + TIMEOUT_US + late_us);
	close_bench();
	(void)close(fd);
}
END_TEST

/* Nobody has moved a clock here. */
START_TEST(handshake_goes_on_after_this_process_was_stopped)
{
	int fd;

	open_bench(SOCK_STREAM);
	bench.check = begin(PROBE_TLS, &handshake, sizeof(handshake), 2000);
	while (find_socket() < 0)
		take_turns(1);
	be_stopped(2500000);
	take_turns(50);
	ck_assert_int_eq(bench.results, 0);
	ck_assert_uint_le(bench.check->end_us, clock_mono_us() + 2000000);
	bench.check->end_us += TIMEOUT_US; /* for what comes now, whatever else the machine does */
	fd = take_connection();
	serve_handshake(fd);
	ck_assert_msg(bench.outcome == PROBE_SUCCESS, "%s", bench.why);
	ck_assert_uint_eq(bench.check->rtt_us, 0); /* it is not known */
	ck_assert_uint_eq(bench.rtt_us, 0);
	ck_assert_uint_gt(bench.check->due_us, clock_mono_us() + 50000000); /* its next turn */
	close_bench();
	(void)close(fd);
}
END_TEST

/* --- a cookie ------------------------------------------------------------------------------ */

/* An answer with one notification, and four octets of it. */
static void notify(uint8_t *request, uint16_t type, const struct sockaddr_in *to)
{
	uint8_t reply[28 + 12];
	struct writer w = { .data = reply, .size = sizeof(reply) };

	put_bytes(&w, request, 8);
	put_u32(&w, 0);
	put_u32(&w, 0);
	put_u32(&w, 41U << 24 | 0x20U << 16 | 34 << 8 | 0x20); /* a response to IKE_SA_INIT */
	put_u32(&w, 0);
	put_u32(&w, sizeof(reply));
	put_u32(&w, 12); /* the last payload, of so many octets */
	put_u32(&w, type);
	put_u32(&w, 0x01020304);
	ck_assert_int_eq(
		sendto(bench.listener, reply, w.pos, 0, (const struct sockaddr *)to, sizeof(*to)),
		(ssize_t)w.pos);
	stand_still_until(POLLIN);
}

START_TEST(cookie_that_came_while_we_stood_still_is_sent_back_and_has_its_time)
{
	static const struct ikev2_settings ikev2 = { .mode = IKE_CONFIG,
						     .attempts = 1,
						     .encryption = 20,
						     .key_bits = 256,
						     .prf = 5,
						     .group = 31 };
	struct sockaddr_in from;
	socklen_t size = sizeof(from);
	uint8_t request[1024];
	ssize_t first, second;

	open_bench(SOCK_DGRAM);
	begin_and_wait(PROBE_IKEV2, &ikev2, sizeof(ikev2));
	first = recvfrom(bench.listener, request, sizeof(request), 0, (struct sockaddr *)&from,
			 &size);
	notify(request, 16390, &from);
	ck_assert_int_eq(bench.results, 0);
	wait_for(bench.listener, POLLIN);
	second = recv(bench.listener, request, sizeof(request), 0);
	ck_assert_int_eq(second, first + 8 + 4); /* with the cookie */
	notify(request, 14, &from);              /* NO_PROPOSAL_CHOSEN */
	ck_assert_int_eq(bench.results, 1);
	ck_assert_ptr_null(strstr(bench.why, "cookie"));
	close_bench();
}
END_TEST

/* --- one for several ----------------------------------------------------------------------- */

START_TEST(who_waits_for_the_scrape_of_another_has_as_much_time)
{
	static const struct {
		struct prometheus_settings settings;
		char path[16], metric[16];
	} load = { .settings = { .capacity = 100,
				 .body_max = 1000,
				 .path = { sizeof(load.settings), 8 },
				 .metric = { sizeof(load.settings) + 16, 4 } },
		   .path = "/metrics",
		   .metric = "well" };
	int fd;

	open_bench(SOCK_STREAM);
	bench.check = begin(PROBE_PROMETHEUS, &load, sizeof(load), TIMEOUT_US / 1000);
	bench.other = begin(PROBE_PROMETHEUS, &load, sizeof(load), TIMEOUT_US / 1000);
	while (find_socket() < 0)
		take_turns(1);
	stand_still_until(POLLOUT);
	fd = take_connection();
	serve_http(fd, "well 5\n");
	ck_assert_int_eq(bench.results, 2);
	ck_assert_msg(bench.outcome == PROBE_SUCCESS, "%s", bench.why);
	ck_assert_int_eq(count_accepted(bench.listener), 0);
	close_bench();
	(void)close(fd);
}
END_TEST

void add_standstill_tests(Suite *suite)
{
	TCase *tests = tcase_create("standstill");

	tcase_add_loop_test(tests, server_that_goes_on_while_we_stand_still_has_answered_in_time, 0,
			    sizeof(rows) / sizeof(rows[0]));
	tcase_add_test(tests, answer_counts_where_a_standstill_ends_as_the_time_does);
	tcase_add_test(tests, server_that_says_nothing_more_while_we_stand_still_is_late);
	tcase_add_test(tests, probe_ends_though_we_stand_still_at_every_step);
	tcase_add_test(tests, steps_in_time_leave_the_end_where_it_is);
	tcase_add_test(tests, handshake_goes_on_after_this_process_was_stopped);
	tcase_add_test(tests, cookie_that_came_while_we_stood_still_is_sent_back_and_has_its_time);
	tcase_add_test(tests, who_waits_for_the_scrape_of_another_has_as_much_time);
	suite_add_tcase(suite, tests);
}
