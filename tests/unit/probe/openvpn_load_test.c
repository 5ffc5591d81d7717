#include "probe/openvpn_load.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "image/probe_openvpn.h"
#include "tests/unit/probe/lab.h"
#include "tests/unit/probe/probe_test.h"

/* --- load-stats ---------------------------------------------------------------------------- */

static const struct {
	const char *line;
	bool right;
	uint32_t clients;
} lines[] = {
	{ "SUCCESS: nclients=1,bytesin=2331,bytesout=4840", true, 1 },
	{ "SUCCESS: nclients=4294967295", true, UINT32_MAX },
	{ "SUCCESS: nclients=4294967296", false, 0 },
	{ "SUCCESS: nclients=,bytesin=1", false, 0 },
	{ "SUCCESS: nclients=-1,bytesin=1", false, 0 },
	{ "SUCCESS: nclients=99999999999999999999", false, 0 },
	{ "SUCCESS: pid=12", false, 0 },
	{ "ERROR: unknown command", false, 0 },
	{ "", false, 0 },
};

START_TEST(number_of_clients_is_read_or_refused)
{
	uint32_t clients = 0;

	ck_assert(openvpn_load_stats(lines[_i].line, strlen(lines[_i].line), &clients) ==
		  lines[_i].right);
	ck_assert_uint_eq(clients, lines[_i].clients);
}
END_TEST

/* --- status files -------------------------------------------------------------------------- */

/* As OpenVPN 2.6.14 writes them, with two clients, one that is about to log in, and addresses and
 * names of ours. */
#define V1_HEAD "OpenVPN CLIENT LIST\nUpdated,2026-11-22 14:22:34\n"
#define V1_REST                                                                \
	"Common Name,Real Address,Bytes Received,Bytes Sent,Connected Since\n" \
	"alice,192.0.2.1:51000,2331,4840,2026-11-22 14:20:01\n"                \
	"UNDEF,192.0.2.2:51001,0,0,2026-11-22 14:22:33\n"                      \
	"bob,192.0.2.3:51002,5,6,2026-11-22 14:22:01\n"                        \
	"ROUTING TABLE\nVirtual Address,Common Name,Real Address,Last Ref\n"   \
	"10.96.1.2,alice,192.0.2.1:51000,2026-11-22 14:22:30\nGLOBAL STATS\n"  \
	"Max bcast/mcast queue length,0\n"

#define V2                                                                                  \
	"TITLE,OpenVPN 2.6.14\nTIME,2026-11-22 14:22:34,1795357354\n"                       \
	"HEADER,CLIENT_LIST,Common Name,Real Address,Virtual Address\n"                     \
	"CLIENT_LIST,alice,192.0.2.1:51000,10.96.1.2\nCLIENT_LIST,UNDEF,192.0.2.2:51001,\n" \
	"CLIENT_LIST,bob,192.0.2.3:51002,10.96.1.3\n"                                       \
	"HEADER,ROUTING_TABLE,Virtual Address,Common Name\nROUTING_TABLE,10.96.1.2,alice\n" \
	"GLOBAL_STATS,Max bcast/mcast queue length,0\n"

#define V3                                                                                  \
	"TITLE\tOpenVPN 2.6.14\nTIME\t2026-11-22 14:22:34\t1795357354\n"                    \
	"HEADER\tCLIENT_LIST\tReal Address\tCommon Name\n"                                  \
	"CLIENT_LIST\t192.0.2.1:51000\tSmith, Alice\nCLIENT_LIST\t192.0.2.2:51001\tUNDEF\n" \
	"CLIENT_LIST\t192.0.2.3:51002\tbob\nHEADER\tROUTING_TABLE\tCommon Name\n"           \
	"ROUTING_TABLE\tbob\n"

static const struct {
	const char *text;
	const char *wrong; /* NULL: nothing */
	unsigned version;
	uint32_t clients;
	uint64_t unix_s;
} files[] = {
	{ V1_HEAD V1_REST "END\n", NULL, 1, 2, 0 },
	{ V2 "END\n", NULL, 2, 2, 1795357354 },
	{ V3 "END\n", NULL, 3, 2, 1795357354 },
	{ V3 "END", NULL, 3, 2, 1795357354 },
	{ "TITLE,OpenVPN 2.6.14\r\nTIME,now,5\r\nCLIENT_LIST,x\r\nEND\r\n", NULL, 2, 1, 5 },
	{ V1_HEAD V1_REST, "its end is missing: it is being written", 0, 0, 0 },
	{ V2, "its end is missing: it is being written", 0, 0, 0 },
	{ V3, "its end is missing: it is being written", 0, 0, 0 },
	{ "TITLE,x\nCLIENT_LIST,a\nEND\n", "it does not say when it was written", 0, 0, 0 },
	{ "TITLE,x\nTIME,now,soon\nEND\n", "it does not say when it was written", 0, 0, 0 },
	{ "OpenVPN CLIENT LIST\n" V1_REST "END\n", "it does not say when it was written", 0, 0, 0 },
	{ "OpenVPN STATISTICS\nUpdated,now\nTUN/TAP read bytes,0\nEND\n",
	  "it is no status of an OpenVPN server", 0, 0, 0 }, /* a client's */
	{ "", "it is no status of an OpenVPN server", 0, 0, 0 },
};

START_TEST(status_files_are_read_or_refused)
{
	struct openvpn_status status;
	const char *wrong = openvpn_status_read(files[_i].text, strlen(files[_i].text), &status);

	if (files[_i].wrong != NULL) {
		ck_assert_str_eq(wrong, files[_i].wrong);
		return;
	}
	ck_assert_ptr_null(wrong);
	ck_assert_uint_eq(status.version, files[_i].version);
	ck_assert_uint_eq(status.clients, files[_i].clients);
	ck_assert_uint_eq(status.unix_s, files[_i].unix_s);
}
END_TEST

/* --- the management interface -------------------------------------------------------------- */

#define PORT    20195
#define ADDRESS "127.93.14.1"

static const struct openvpn_management_settings fifty = { .capacity = 50 };

static void open_lab(struct lab *lab)
{
	const struct plan_probe probe = { .kind = PROBE_OPENVPN_MANAGEMENT,
					  .interval_ms = 10000,
					  .timeout_ms = 10000,
					  .fall = 1,
					  .rise = 1 };
	const struct sketch_node nodes[] = {
		{ "edge", "a", { { ADDRESS, sketch_with(probe, &fifty, sizeof(fifty)), PORT } } },
	};

	lab_open(lab, -1, -1);
	lab_apply(lab, nodes, 1, NULL);
}

static int next_connection(struct lab *lab, int listener)
{
	uint64_t until_ms = clock_mono_ms() + 20000;
	int fd;

	while ((fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) < 0) {
		ck_assert_uint_lt(clock_mono_ms(), until_ms);
		lab_run_ms(lab, 5);
	}
	return fd;
}

static void say(int fd, const char *text)
{
	ck_assert_int_eq(send(fd, text, strlen(text), MSG_NOSIGNAL), (ssize_t)strlen(text));
}

static void expect(struct lab *lab, int fd, const char *wanted)
{
	uint64_t until_ms = clock_mono_ms() + 20000;
	char got[64] = "";

	while (recv(fd, got, sizeof(got) - 1, 0) < 0) {
		ck_assert_uint_lt(clock_mono_ms(), until_ms);
		lab_run_ms(lab, 5);
	}
	ck_assert_str_eq(got, wanted);
}

START_TEST(number_of_clients_is_asked_for_and_events_are_passed_over)
{
	int listener = listen_on(ADDRESS, PORT, 8);
	struct lab lab;
	int fd;

	open_lab(&lab);
	fd = next_connection(&lab, listener);
	say(fd, ">INFO:OpenVPN Management Interface Version 5 -- type 'help' for more ");
	lab_run_ms(&lab, 10);
	say(fd, "info\r\n");
	expect(&lab, fd, "load-stats\n");
	say(fd, ">CLIENT:ESTABLISHED,0\r\nSUCCESS: ncli");
	lab_run_ms(&lab, 10);
	say(fd, "ents=12,bytesin=1,bytesout=2\r\n");
	expect(&lab, fd, ""); /* closed */
	ck_assert(lab_reaches(&lab, 0, NODE_UP));
	ck_assert_str_eq(prober_state(lab.prober, 0)->reason,
			 "openvpn-management " ADDRESS ":20195: 12 of 50 clients");
	(void)close(fd);
	lab_close(&lab);
	(void)close(listener);
}
END_TEST

static const struct {
	const char *says, *why;
} refusals[] = {
	{ "ENTER PASSWORD:", "it wants a password" },
	{ ">INFO:hello\r\nERROR: unknown command\r\n", "it answers with an error" },
	{ "SSH-2.0-OpenSSH_9.2\r\n", "what answers is no management interface of OpenVPN" },
	{ "SUCCESS: nclients=1\r\nSUCCESS: nclients=1\r\n", "no greeting" },
};

START_TEST(what_is_no_answer_is_told)
{
	int listener = listen_on(ADDRESS, PORT, 8);
	struct lab lab;
	int fd;

	open_lab(&lab);
	fd = next_connection(&lab, listener);
	say(fd, refusals[_i].says);
	ck_assert(lab_reaches(&lab, 0, NODE_DOWN));
	ck_assert_msg(strstr(prober_state(lab.prober, 0)->reason, refusals[_i].why) != NULL, "%s",
		      prober_state(lab.prober, 0)->reason);
	(void)close(fd);
	lab_close(&lab);
	(void)close(listener);
}
END_TEST

START_TEST(line_that_never_ends_is_no_answer)
{
	int listener = listen_on(ADDRESS, PORT, 8);
	char endless[4096];
	struct lab lab;
	int fd;

	memset(endless, 'x', sizeof(endless) - 1);
	endless[sizeof(endless) - 1] = '\0';
	open_lab(&lab);
	fd = next_connection(&lab, listener);
	say(fd, endless);
	ck_assert(lab_reaches(&lab, 0, NODE_DOWN));
	ck_assert_ptr_nonnull(strstr(prober_state(lab.prober, 0)->reason,
				     "what answers is no management interface of OpenVPN"));
	(void)close(fd);
	lab_close(&lab);
	(void)close(listener);
}
END_TEST

void add_openvpn_load_tests(Suite *suite)
{
	TCase *tables = tcase_create("openvpn load");

	tcase_add_loop_test(tables, number_of_clients_is_read_or_refused, 0,
			    sizeof(lines) / sizeof(lines[0]));
	tcase_add_loop_test(tables, status_files_are_read_or_refused, 0,
			    sizeof(files) / sizeof(files[0]));
	tcase_add_loop_test(tables, what_is_no_answer_is_told, 0,
			    sizeof(refusals) / sizeof(refusals[0]));
	suite_add_tcase(suite, tables);
	suite_case(suite, "openvpn management",
		   number_of_clients_is_asked_for_and_events_are_passed_over,
		   line_that_never_ends_is_no_answer);
}
