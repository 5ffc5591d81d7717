#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "probe/web.h"
#include "tests/unit/probe/lab.h"
#include "tests/unit/probe/probe_test.h"

#define HERE "127.93.7.5"
#define PORT 20195
#define URL  "http://vpn.example.net:20195/health?from=probe"

/* A server on the same loop: reads until the request ends, says its text, and closes. */
struct server {
	struct ev_loop *loop;
	ev_io listener, connection;
	char heard[4096];
	size_t heard_len;
	const char *answer; /* NULL: it says nothing, and holds the connection */
	size_t repeat;      /* the answer's last octet, so often more */
	int accepted;
	bool resets; /* connections as soon as they are there */
};

/* What came of a request. */
struct outcome {
	struct web_answer answer;
	char error[256], body[256];
	int count;
};

static void say(struct server *server, int fd)
{
	char filler[1024];
	size_t left = server->repeat;

	ck_assert(write(fd, server->answer, strlen(server->answer)) >= 0);
	memset(filler, 'x', sizeof(filler));
	while (left > 0) {
		ssize_t n = send(fd, filler, left < sizeof(filler) ? left : sizeof(filler),
				 MSG_NOSIGNAL);

		if (n <= 0)
			break;
		left -= (size_t)n;
	}
}

static void on_request(struct ev_loop *loop, ev_io *io, int events)
{
	struct server *server = io->data;
	size_t room = sizeof(server->heard) - 1 - server->heard_len;
	ssize_t n = read(io->fd, server->heard + server->heard_len, room);

	(void)events;
	if (n > 0)
		server->heard_len += (size_t)n;
	server->heard[server->heard_len] = '\0';
	if (n > 0 && (server->answer == NULL || strstr(server->heard, "\r\n\r\n") == NULL))
		return;
	if (n > 0)
		say(server, io->fd);
	ev_io_stop(loop, io);
	(void)close(io->fd);
}

static void reset(int fd)
{
	const struct linger at_once = { .l_onoff = 1 };

	ck_assert_int_eq(setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once)), 0);
	ck_assert_int_eq(close(fd), 0);
}

static void on_connection(struct ev_loop *loop, ev_io *io, int events)
{
	struct server *server = io->data;
	int fd = accept(io->fd, NULL, NULL);

	(void)events;
	ck_assert_int_ge(fd, 0);
	server->accepted++;
	if (server->resets) {
		reset(fd);
		return;
	}
	server->heard_len = 0;
	ev_io_stop(loop, &server->connection);
	ev_io_init(&server->connection, on_request, fd, EV_READ);
	server->connection.data = server;
	ev_io_start(loop, &server->connection);
}

static void server_open(struct server *server, struct ev_loop *loop, const char *at,
			const char *answer)
{
	*server = (struct server){ .loop = loop, .answer = answer };
	ev_io_init(&server->listener, on_connection, listen_on(at, PORT, 16), EV_READ);
	server->listener.data = server;
	ev_io_start(loop, &server->listener);
}

static void server_close(struct server *server)
{
	if (ev_is_active(&server->connection))
		(void)close(server->connection.fd);
	ev_io_stop(server->loop, &server->connection);
	ev_io_stop(server->loop, &server->listener);
	(void)close(server->listener.fd);
}

static void take(void *context, const struct web_answer *answer)
{
	struct outcome *outcome = context;

	outcome->count++;
	outcome->answer = *answer;
	(void)snprintf(outcome->error, sizeof(outcome->error), "%s",
		       answer->error != NULL ? answer->error : "");
	(void)snprintf(outcome->body, sizeof(outcome->body), "%s", answer->body);
	ck_assert_uint_eq(strlen(answer->body), answer->body_len);
}

static struct web_request request_to(const char *address, struct outcome *outcome)
{
	struct web_request request = { .url = URL, .keep = 200, .done = take, .context = outcome };

	memset(outcome, 0, sizeof(*outcome));
	ck_assert(ip_parse(address, &request.address));
	return request;
}

static void wait_for(struct ev_loop *loop, const struct outcome *outcome)
{
	while (outcome->count == 0)
		(void)ev_run(loop, EVRUN_ONCE);
	ck_assert_int_eq(outcome->count, 1);
}

static void make(struct ev_loop *loop, struct web *web, const struct web_request *request)
{
	struct web_exchange *exchange;
	struct err err;

	ck_assert_msg(web_start(web, request, &exchange, &err) == 0, "%s", err.text);
	wait_for(loop, request->context);
}

static const char fine[] = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello";

START_TEST(answer_has_status_body_and_times)
{
	static const char *const headers[] = { "X-Probe: signpost", "User-Agent: other" };
	struct ev_loop *loop = ev_loop_new(EVFLAG_AUTO);
	struct web *web = web_open(loop);
	struct server server;
	struct outcome outcome;
	struct web_request request = request_to(HERE, &outcome);

	server_open(&server, loop, HERE, fine);
	request.headers = headers;
	request.header_count = 2;
	make(loop, web, &request);
	ck_assert_str_eq(outcome.error, "");
	ck_assert_uint_eq(outcome.answer.status, 200);
	ck_assert_str_eq(outcome.body, "hello");
	ck_assert(!outcome.answer.cut);
	ck_assert_uint_gt(outcome.answer.connected_us, 0);
	ck_assert_uint_ge(outcome.answer.first_octet_us, outcome.answer.connected_us);
	ck_assert_uint_ge(outcome.answer.all_us, outcome.answer.first_octet_us);
	ck_assert_ptr_eq(strstr(server.heard, "GET /health?from=probe HTTP/1.1\r\n"), server.heard);
	ck_assert_ptr_nonnull(strstr(server.heard, "Host: vpn.example.net:20195\r\n"));
	ck_assert_ptr_nonnull(strstr(server.heard, "X-Probe: signpost\r\n"));
	ck_assert_ptr_nonnull(strstr(server.heard, "User-Agent: other\r\n"));
	ck_assert_ptr_null(strstr(server.heard, "User-Agent: signpost"));
	server_close(&server);
	web_close(web);
	ev_loop_destroy(loop);
}
END_TEST

START_TEST(body_is_sent_with_its_method)
{
	struct ev_loop *loop = ev_loop_new(EVFLAG_AUTO);
	struct web *web = web_open(loop);
	struct server server;
	struct outcome outcome;
	struct web_request request = request_to("::1", &outcome);

	server_open(&server, loop, "::1", fine);
	request.body = "<init/>";
	request.body_len = 7;
	make(loop, web, &request);
	ck_assert_uint_eq(outcome.answer.status, 200);
	ck_assert_ptr_eq(strstr(server.heard, "POST /health"), server.heard);
	ck_assert_ptr_nonnull(strstr(server.heard, "Content-Length: 7\r\n"));
	ck_assert_ptr_nonnull(strstr(server.heard, "\r\n\r\n<init/>"));
	ck_assert_ptr_null(strstr(server.heard, "Expect"));

	request.method = "PUT";
	outcome.count = 0;
	make(loop, web, &request);
	ck_assert_ptr_eq(strstr(server.heard, "PUT /health"), server.heard);

	request = request_to("::1", &outcome);
	request.method = "HEAD";
	make(loop, web, &request);
	ck_assert_ptr_eq(strstr(server.heard, "HEAD /health"), server.heard);
	ck_assert_str_eq(outcome.error, "");
	ck_assert_uint_eq(outcome.answer.status, 200);
	server_close(&server);
	web_close(web);
	ev_loop_destroy(loop);
}
END_TEST

START_TEST(no_more_than_wanted_is_read)
{
	struct ev_loop *loop = ev_loop_new(EVFLAG_AUTO);
	struct web *web = web_open(loop);
	struct server server;
	struct outcome outcome;
	struct web_request request = request_to(HERE, &outcome);

	server_open(&server, loop, HERE,
		    "HTTP/1.1 503 Busy\r\nContent-Length: 100000000\r\n\r\nbusy: x");
	server.repeat = 20000;
	request.keep = 8;
	make(loop, web, &request);
	ck_assert_str_eq(outcome.error, "");
	ck_assert_uint_eq(outcome.answer.status, 503);
	ck_assert_str_eq(outcome.body, "busy: xx");
	ck_assert(outcome.answer.cut);

	server.answer = "HTTP/1.1 200 OK\r\nX-Long: ";
	server.repeat = 90000;
	outcome.count = 0;
	make(loop, web, &request);
	ck_assert_str_eq(outcome.error, "the connection ended within the header");
	ck_assert(!outcome.answer.ours);
	server.repeat = 200000;
	outcome.count = 0;
	make(loop, web, &request);
	ck_assert_str_eq(outcome.error, "the header of the answer has no end");
	ck_assert(!outcome.answer.ours);
	server_close(&server);
	web_close(web);
	ev_loop_destroy(loop);
}
END_TEST

START_TEST(redirects_and_other_protocols_are_answers_like_others)
{
	struct ev_loop *loop = ev_loop_new(EVFLAG_AUTO);
	struct web *web = web_open(loop);
	struct server server;
	struct outcome outcome;
	struct web_request request = request_to(HERE, &outcome);

	server_open(&server, loop, HERE,
		    "HTTP/1.1 302 Found\r\nLocation: http://127.93.7.6/\r\n\r\n");
	make(loop, web, &request);
	ck_assert_uint_eq(outcome.answer.status, 302);
	ck_assert_int_eq(server.accepted, 1);
	server.answer = "SSH-2.0-OpenSSH_9.2\r\n";
	outcome.count = 0;
	make(loop, web, &request);
	ck_assert_str_ne(outcome.error, "");
	ck_assert(!outcome.answer.ours);
	server_close(&server);
	web_close(web);
	ev_loop_destroy(loop);
}
END_TEST

START_TEST(errors_are_in_words_and_say_whose_they_are)
{
	struct ev_loop *loop = ev_loop_new(EVFLAG_AUTO);
	struct web *web = web_open(loop);
	struct server server;
	struct outcome outcome;
	struct web_request request = request_to(HERE, &outcome);
	struct web_exchange *exchange;
	struct rlimit limit, none;
	struct err err;
	uint64_t began_ms;

	make(loop, web, &request);
	ck_assert_str_eq(outcome.error, "Connection refused");
	ck_assert(!outcome.answer.ours);

	ck_assert(ip_parse("192.0.2.1", &request.source));
	outcome.count = 0;
	make(loop, web, &request);
	ck_assert_str_eq(outcome.error, "Cannot assign requested address");
	ck_assert(outcome.answer.ours);

	server_open(&server, loop, HERE, NULL);
	request.source.family = 0;
	request.timeout_ms = 60;
	outcome.count = 0;
	began_ms = clock_mono_ms();
	make(loop, web, &request);
	ck_assert_str_eq(outcome.error, "timeout");
	ck_assert_uint_ge(clock_mono_ms() - began_ms, 59);
	ck_assert(!outcome.answer.ours);
	server_close(&server);
	request.timeout_ms = 0;

	ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &limit), 0);
	none = (struct rlimit){ .rlim_cur = 3, .rlim_max = limit.rlim_max };
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &none), 0);
	outcome.count = 0;
	make(loop, web, &request);
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
	ck_assert_str_eq(outcome.error, "Too many open files");
	ck_assert(outcome.answer.ours);

	request.address.family = 0;
	ck_assert_int_eq(web_start(web, &request, &exchange, &err), -1);
	ck_assert_str_eq(err.text, "\"" URL "\" has no address, and names are not looked up");
	request.url = "ftp://127.0.0.1/";
	outcome.count = 0;
	make(loop, web, &request);
	ck_assert_str_ne(outcome.error, "");
	web_close(web);
	ev_loop_destroy(loop);
}
END_TEST

/* libcurl tells the first of them in half a sentence about getpeername(). */
START_TEST(connections_that_break_are_told_in_plain_words)
{
	static const struct {
		const char *answer, *error;
	} rows[] = {
		{ "", "the connection was closed without an answer" },
		{ "SSH-2.0-OpenSSH_9.2\r\n", "the answer is not HTTP" },
		{ "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhello",
		  "the connection ended within the body" },
		{ "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nhello\r\n",
		  "the body of the answer is malformed" },
	};
	struct ev_loop *loop = ev_loop_new(EVFLAG_AUTO);
	struct web *web = web_open(loop);
	struct server server;
	struct outcome outcome;
	struct web_request request = request_to(HERE, &outcome);

	server_open(&server, loop, HERE, NULL);
	server.resets = true;
	make(loop, web, &request);
	ck_assert_str_eq(outcome.error, "connection reset");
	request.url = "https://vpn.example.net:20195/";
	outcome.count = 0;
	make(loop, web, &request);
	ck_assert_str_eq(outcome.error, "connection reset");
	server.resets = false;
	request.url = URL;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		server.answer = rows[i].answer;
		outcome.count = 0;
		make(loop, web, &request);
		ck_assert_str_eq(outcome.error, rows[i].error);
		ck_assert(!outcome.answer.ours);
	}
	server_close(&server);
	web_close(web);
	ev_loop_destroy(loop);
}
END_TEST

START_TEST(address_of_the_url_is_used_where_there_is_no_other)
{
	struct ev_loop *loop = ev_loop_new(EVFLAG_AUTO);
	struct web *web = web_open(loop);
	struct server server;
	struct outcome outcome;
	struct web_request request = request_to(HERE, &outcome);

	server_open(&server, loop, "::1", fine);
	request.address.family = 0;
	request.url = "http://[::1]:20195/";
	make(loop, web, &request);
	ck_assert_uint_eq(outcome.answer.status, 200);
	ck_assert_ptr_nonnull(strstr(server.heard, "Host: [::1]:20195\r\n"));
	server_close(&server);
	web_close(web);
	ev_loop_destroy(loop);
}
END_TEST

START_TEST(what_is_cancelled_or_closed_is_heard_of_no_more)
{
	struct ev_loop *loop = ev_loop_new(EVFLAG_AUTO);
	struct web *web = web_open(loop);
	struct server server;
	struct outcome cancelled, other, left;
	struct web_request request = request_to(HERE, &cancelled);
	struct web_exchange *exchange;
	struct err err;
	int before, after;

	server_open(&server, loop, HERE, fine);
	before = dup(0);
	(void)close(before);
	ck_assert_int_eq(web_start(web, &request, &exchange, &err), 0);
	(void)ev_run(loop, EVRUN_NOWAIT);
	web_cancel(exchange);
	request = request_to(HERE, &other);
	make(loop, web, &request);
	ck_assert_int_eq(cancelled.count, 0);
	ck_assert_int_eq(other.count, 1);
	request = request_to(HERE, &left);
	ck_assert_int_eq(web_start(web, &request, &exchange, &err), 0);
	(void)ev_run(loop, EVRUN_NOWAIT);
	web_close(web);
	(void)ev_run(loop, EVRUN_NOWAIT);
	ck_assert_int_eq(left.count, 0);
	server_close(&server);
	ev_loop_destroy(loop);
	after = dup(0);
	(void)close(after);
	ck_assert_int_le(after, before);
}
END_TEST

START_TEST(evidence_tells_the_steps_but_no_values_of_headers)
{
	static const char *const headers[] = { "Authorization: Bearer c2VjcmV0" };
	struct ev_loop *loop = ev_loop_new(EVFLAG_AUTO);
	struct web *web = web_open(loop);
	struct server server;
	struct outcome outcome;
	struct evidence evidence = { .began_us = clock_mono_us() };
	struct web_request request = request_to(HERE, &outcome);
	static const char *const wanted[] = { "sent a TCP SYN", "connected from ",
					      "sent the request", "received \"HTTP/1.1 200 OK\"",
					      "received 5 octets of body" };
	size_t found = 0;

	server_open(&server, loop, HERE, fine);
	request.evidence = &evidence;
	request.headers = headers;
	request.header_count = 1;
	make(loop, web, &request);
	for (size_t i = 0; i < evidence.count; i++) {
		const char *text = evidence.steps[i].text;

		ck_assert_ptr_null(strstr(text, "c2VjcmV0"));
		found += found < 5 && strncmp(text, wanted[found], strlen(wanted[found])) == 0;
	}
	ck_assert_uint_eq(found, 5);
	ck_assert_ptr_nonnull(strstr(server.heard, "Bearer c2VjcmV0"));
	evidence_free(&evidence);
	server_close(&server);
	web_close(web);
	ev_loop_destroy(loop);
}
END_TEST

void add_web_tests(Suite *suite)
{
	suite_case(suite, "web", answer_has_status_body_and_times, body_is_sent_with_its_method,
		   no_more_than_wanted_is_read,
		   redirects_and_other_protocols_are_answers_like_others,
		   errors_are_in_words_and_say_whose_they_are,
		   connections_that_break_are_told_in_plain_words,
		   address_of_the_url_is_used_where_there_is_no_other,
		   what_is_cancelled_or_closed_is_heard_of_no_more,
		   evidence_tells_the_steps_but_no_values_of_headers);
}
