/* What a probe of kind udp takes for the answer. */
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "image/probe_udp.h"
#include "tests/unit/probe/lab.h"
#include "tests/unit/probe/probe_test.h"

#define ADDRESS     "127.93.24.1"
#define PORT        20198
#define PATIENCE_MS 10000 /* for a server that is this test */

struct told {
	struct udp_settings settings;
	char send[8], expect[8];
};

static struct bench {
	struct lab lab;
	struct told told;
	ev_io server;
	uint8_t heard[64];
	ssize_t heard_len;
	const char *answers[2]; /* one datagram each; NULL: none */
	size_t lens[2];
} bench;

static void on_request(struct ev_loop *loop, ev_io *io, int events)
{
	struct sockaddr_storage from;
	socklen_t size = sizeof(from);

	(void)loop;
	(void)events;
	bench.heard_len = recvfrom(io->fd, bench.heard, sizeof(bench.heard), 0,
				   (struct sockaddr *)&from, &size);
	for (int i = 0; i < 2 && bench.answers[i] != NULL; i++)
		ck_assert_int_eq(sendto(io->fd, bench.answers[i], bench.lens[i], 0,
					(struct sockaddr *)&from, size),
				 (ssize_t)bench.lens[i]);
}

static struct probe_text put_text(char field[8], const void *octets, size_t len)
{
	memcpy(field, octets, len);
	return (struct probe_text){ (uint32_t)(field - (char *)&bench.told), (uint32_t)len };
}

/* expect_len 0: any answer will do. */
static void open_bench(const void *expect, size_t expect_len, bool anywhere, uint32_t timeout_ms)
{
	const struct plan_probe probe = { .kind = PROBE_UDP,
					  .interval_ms = timeout_ms,
					  .timeout_ms = timeout_ms,
					  .fall = 1,
					  .rise = 1 };
	struct sockaddr_storage at;
	struct ip_address ip;
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	bench = (struct bench){ .told.settings.anywhere = anywhere };
	bench.told.settings.send = put_text(bench.told.send, "a\0b", 3);
	if (expect_len > 0)
		bench.told.settings.expect = put_text(bench.told.expect, expect, expect_len);
	ck_assert(ip_parse(ADDRESS, &ip));
	ck_assert_int_eq(bind(fd, (struct sockaddr *)&at, ip_to_sockaddr(&ip, PORT, &at)), 0);
	lab_open(&bench.lab, -1, -1);
	ev_io_init(&bench.server, on_request, fd, EV_READ);
	ev_io_start(bench.lab.loop, &bench.server);
	lab_apply(&bench.lab,
		  &(struct sketch_node){
			  "edge",
			  "a",
			  { { ADDRESS, sketch_with(probe, &bench.told, sizeof(bench.told)),
			      PORT } } },
		  1, NULL);
}

static void answer_with(int which, const char *octets, size_t len)
{
	bench.answers[which] = octets;
	bench.lens[which] = len;
}

static void close_bench(void)
{
	ev_io_stop(bench.lab.loop, &bench.server);
	(void)close(bench.server.fd);
	lab_close(&bench.lab);
}

static const struct {
	const char *expect;
	size_t expect_len;
	bool anywhere;
	const char *answer; /* NULL: none comes */
	size_t len;
	enum node_status becomes;
	const char *why;
} rows[] = {
	{ "pong", 4, false, "pong", 4, NODE_UP, "answered" },
	{ "pong", 4, false, "pong and more", 13, NODE_UP, "answered" },
	{ "pong", 4, false, "pon", 3, NODE_DOWN, "answered, but with other octets than expected" },
	{ "pong", 4, false, " pong", 5, NODE_DOWN,
	  "answered, but with other octets than expected" },
	{ "pong", 4, true, " pong", 5, NODE_UP, "answered" },
	{ "pong", 4, true, "po\0ng", 5, NODE_DOWN,
	  "answered, but with other octets than expected" },
	{ "\0\xff", 2, false, "\0\xff", 2, NODE_UP, "answered" },
	{ "\0\xff", 2, true, "\xff\0\xff", 3, NODE_UP, "answered" },
	{ "\0\xff", 2, false, "", 0, NODE_DOWN, "answered, but with other octets than expected" },
	{ NULL, 0, false, "x", 1, NODE_UP, "answered" },
	{ NULL, 0, false, "", 0, NODE_UP, "answered" },
	{ NULL, 0, false, NULL, 0, NODE_DOWN, "timeout" },
};

/* Where this process stood still until the time of a probe was over, its answer came too late, and the
 * next one's tells. */
static const char *reason_of_an_answer(void)
{
	const char *reason = prober_state(bench.lab.prober, 0)->reason;

	for (int i = 0; i < 20 && strstr(reason, ": timeout") != NULL; i++)
		ck_assert(lab_is_checked(&bench.lab, 0));
	return reason;
}

START_TEST(answer_has_to_have_what_is_expected_where_it_is_expected)
{
	const char *is;
	char reason[128];

	open_bench(rows[_i].expect, rows[_i].expect_len, rows[_i].anywhere,
		   rows[_i].becomes == NODE_UP ? PATIENCE_MS : 400);
	answer_with(0, rows[_i].answer, rows[_i].len);
	ck_assert(lab_reaches(&bench.lab, 0, rows[_i].becomes));
	(void)snprintf(reason, sizeof(reason), "udp " ADDRESS ":20198: %s", rows[_i].why);
	is = rows[_i].answer != NULL ? reason_of_an_answer()
				     : prober_state(bench.lab.prober, 0)->reason;
	ck_assert_str_eq(is, reason);
	ck_assert_int_eq(bench.lab.change_count, 1);
	ck_assert_int_eq(bench.heard_len, 3);
	ck_assert_mem_eq(bench.heard, "a\0b", 3);
	close_bench();
}
END_TEST

START_TEST(other_answers_are_passed_over)
{
	open_bench("pong", 4, false, PATIENCE_MS);
	answer_with(0, "gnop", 4);
	answer_with(1, "pong", 4);
	ck_assert(lab_reaches(&bench.lab, 0, NODE_UP));
	ck_assert_int_eq(bench.lab.change_count, 1);
	close_bench();
}
END_TEST

void add_udp_tests(Suite *suite)
{
	TCase *tests = tcase_create("udp");

	tcase_add_loop_test(tests, answer_has_to_have_what_is_expected_where_it_is_expected, 0,
			    sizeof(rows) / sizeof(rows[0]));
	tcase_add_test(tests, other_answers_are_passed_over);
	suite_add_tcase(suite, tests);
}
