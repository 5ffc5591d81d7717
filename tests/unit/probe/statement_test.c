/* Kinds whose results are what somebody says: files, reports, agents. One probe at a time, without
 * an engine around it. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "image/probe_agent.h"
#include "image/probe_file.h"
#include "image/probe_openvpn.h"
#include "image/probe_push.h"
#include "probe/engine.h"
#include "probe/reports.h"
#include "tests/unit/probe/lab.h"
#include "tests/unit/probe/probe_test.h"

#define PATIENCE_MS 20000
#define HERE        "127.93.7.9"
#define PORT        20391

static struct ev_loop *loop;
static struct kind *kind;
static struct check check = { .phase = CHECK_RUNNING }; /* nobody hastens it */
static struct probe *const probe = &check.probe;
static struct probe_result told;
static char told_why[PROBE_WHY_SIZE];
static int told_count;

static void on_done(struct probe *of, const struct probe_result *result)
{
	(void)of;
	told = *result;
	(void)snprintf(told_why, sizeof(told_why), "%s", result->why);
	told_count++;
}

static void open_kind(kind_open_fn *open_it, const void *settings, struct reports *reports)
{
	const struct kind_tools tools = {
		.loop = loop, .icmp_v4 = -1, .icmp_v6 = -1, .reports = reports
	};

	kind = open_it(&tools);
	probe->settings = settings;
	probe->pool = "edge";
	probe->node = "fra-1";
	probe->own = kind->own_size > 0 ? calloc(1, kind->own_size) : NULL;
	probe->done = on_done;
}

static void close_kind(void)
{
	if (kind->release != NULL)
		kind->release(kind, probe);
	kind->close(kind);
	free(probe->own);
}

static void start(void)
{
	told_count = 0;
	kind->start(kind, probe);
}

static void start_and_wait(void)
{
	uint64_t until_ms = clock_mono_ms() + PATIENCE_MS;

	start();
	while (told_count == 0 && clock_mono_ms() < until_ms)
		(void)ev_run(loop, EVRUN_ONCE);
	ck_assert_int_eq(told_count, 1);
}

/* Settings as they lie in a plan: the struct, then its one text. */
struct with_text {
	union {
		struct file_settings file;
		struct agent_settings agent;
		struct openvpn_status_settings status;
	};
	char text[128];
};

static struct probe_text put_text(struct with_text *settings, const char *text)
{
	(void)snprintf(settings->text, sizeof(settings->text), "%s", text);
	return (struct probe_text){ offsetof(struct with_text, text), (uint32_t)strlen(text) };
}

/* --- file -------------------------------------------------------------------------------------- */

static char folder[] = "/tmp/signpost-statement-XXXXXX";
static char path[64];

static void write_file(const char *text, size_t len)
{
	FILE *file = fopen(path, "we");

	ck_assert_ptr_nonnull(file);
	ck_assert_uint_eq(fwrite(text, 1, len, file), len);
	ck_assert_int_eq(fclose(file), 0);
}

static void age_file(int seconds)
{
	struct timespec times[2];

	(void)clock_gettime(CLOCK_REALTIME, &times[1]);
	times[1].tv_sec -= seconds;
	times[0] = times[1];
	ck_assert_int_eq(utimensat(AT_FDCWD, path, times, 0), 0);
}

static void open_file(struct with_text *settings, uint32_t max_age_ms, enum stale_means stale)
{
	char pattern[64];

	ck_assert_ptr_nonnull(mkdtemp(folder));
	(void)snprintf(pattern, sizeof(pattern), "%s/{pool}-{node}", folder);
	(void)snprintf(path, sizeof(path), "%s/edge-fra-1", folder);
	settings->file = (struct file_settings){ .max_age_ms = max_age_ms, .stale = stale };
	settings->file.path = put_text(settings, pattern);
	loop = ev_loop_new(0);
	open_kind(kind_file_open, settings, NULL);
}

static void close_file(void)
{
	(void)unlink(path);
	(void)rmdir(folder);
	close_kind();
	ev_loop_destroy(loop);
}

START_TEST(file_says_all_of_how_the_node_is)
{
	static const struct {
		const char *text;
		enum probe_outcome outcome;
		enum probe_wish wish;
		unsigned weight;
		double use; /* -1: none */
		const char *why;
	} rows[] = {
		{ "up\n", PROBE_SUCCESS, WISH_READY, 100, -1, "says up" },
		{ "up", PROBE_SUCCESS, WISH_READY, 100, -1, "says up" },
		{ "down # disk full\n", PROBE_FAILURE, WISH_READY, 100, -1,
		  "says down: disk full" },
		{ "50%\nmore", PROBE_SUCCESS, WISH_READY, 50, -1, "says up, 50%" },
		{ "drain\n", PROBE_SUCCESS, WISH_DRAIN, 100, -1, "says up, drain" },
		{ "up maint 5%\n", PROBE_SUCCESS, WISH_MAINT, 5, -1, "says up, 5%, maint" },
		{ "up\n", PROBE_SUCCESS, WISH_READY, 100, -1, "says up" }, /* nothing sticks */
		{ "0.75\n", PROBE_SUCCESS, WISH_READY, 100, 0.75, "says up" },
		{ "up load:80%\n", PROBE_SUCCESS, WISH_READY, 100, 0.8, "says up" },
		{ "", PROBE_NOT_MADE, WISH_NONE, 0, -1, "the file is empty" },
		{ "\n", PROBE_NOT_MADE, WISH_NONE, 0, -1, "the file is empty" },
		{ "nonsense\n", PROBE_NOT_MADE, WISH_NONE, 0, -1, "\"nonsense\" is no word" },
		{ "up nonsense\n", PROBE_WARNING, WISH_READY, 100, -1,
		  "says up; \"nonsense\" is no word" },
	};
	struct with_text settings;

	open_file(&settings, 60000, STALE_FAILURE);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		write_file(rows[i].text, strlen(rows[i].text));
		start_and_wait();
		ck_assert_int_eq(told_count, 1);
		ck_assert_str_eq(told_why, rows[i].why);
		ck_assert_int_eq(told.outcome, rows[i].outcome);
		ck_assert_int_eq(told.wish, rows[i].wish);
		ck_assert_uint_eq(told.weight_percent, rows[i].weight);
		ck_assert_int_eq(told.has_use, rows[i].use >= 0);
		if (told.has_use)
			ck_assert_double_eq_tol(told.use, rows[i].use, 1e-9);
	}
	close_file();
}
END_TEST

START_TEST(file_that_is_old_or_missing_is_what_the_pool_says)
{
	static const enum probe_outcome means[] = {
		[STALE_FAILURE] = PROBE_FAILURE, [STALE_NOT_MADE] = PROBE_NOT_MADE
	};
	struct with_text settings;

	open_file(&settings, 60000, STALE_FAILURE);
	for (int stale = STALE_FAILURE; stale <= STALE_NOT_MADE; stale++) {
		settings.file.stale = (uint32_t)stale;
		(void)unlink(path);
		start_and_wait();
		ck_assert_int_eq(told.outcome, means[stale]);
		ck_assert_str_eq(told_why, "No such file or directory");
		write_file("up\n", 3);
		start_and_wait();
		ck_assert_int_eq(told.outcome, PROBE_SUCCESS);
		age_file(90);
		start_and_wait();
		ck_assert_int_eq(told.outcome, means[stale]);
		ck_assert_ptr_nonnull(strstr(told_why, "not written for 9"));
		age_file(-3600); /* written in an hour, says its clock */
		start_and_wait();
		ck_assert_int_eq(told.outcome, PROBE_SUCCESS);
		(void)unlink(path);
		ck_assert_int_eq(mkdir(path, 0700), 0);
		start_and_wait();
		ck_assert_int_eq(told.outcome, means[stale]);
		ck_assert_str_eq(told_why, "it is no file");
		(void)rmdir(path);
		ck_assert_int_eq(mkfifo(path, 0600), 0); /* does not keep us waiting */
		start_and_wait();
		ck_assert_str_eq(told_why, "it is no file");
		ck_assert_int_eq(told.outcome, means[stale]);
	}
	close_file();
}
END_TEST

START_TEST(file_grows_old_by_the_steady_clock)
{
	struct with_text settings;

	open_file(&settings, PATIENCE_MS, STALE_FAILURE);
	write_file("up\n", 3);
	start_and_wait();
	ck_assert_int_eq(told.outcome, PROBE_SUCCESS);
	(void)usleep(150000);
	settings.file.max_age_ms = 100;
	start_and_wait();
	ck_assert_int_eq(told.outcome, PROBE_FAILURE);
	settings.file.max_age_ms = PATIENCE_MS;
	write_file("up\n", 3);
	start_and_wait();
	ck_assert_int_eq(told.outcome, PROBE_SUCCESS);
	close_file();
}
END_TEST

/* --- openvpn-status ---------------------------------------------------------------------------- */

static void open_status(struct with_text *settings, uint32_t max_age_ms)
{
	char pattern[64];

	ck_assert_ptr_nonnull(mkdtemp(folder));
	(void)snprintf(pattern, sizeof(pattern), "%s/{pool}-{node}", folder);
	(void)snprintf(path, sizeof(path), "%s/edge-fra-1", folder);
	settings->status = (struct openvpn_status_settings){ .max_age_ms = max_age_ms,
							     .capacity = 4 };
	settings->status.path = put_text(settings, pattern);
	loop = ev_loop_new(0);
	open_kind(kind_openvpn_status_open, settings, NULL);
}

/* By a clock that is so many seconds behind ours. */
static void write_status(int seconds)
{
	char text[128];
	int len = snprintf(text, sizeof(text),
			   "TITLE,OpenVPN\nTIME,words,%llu\nCLIENT_LIST,alice\nEND\n",
			   (unsigned long long)(clock_unix_ms() / 1000 - (uint64_t)seconds));

	write_file(text, (size_t)len);
}

START_TEST(status_is_as_old_as_it_says_and_then_by_the_steady_clock)
{
	struct with_text settings;

	open_status(&settings, PATIENCE_MS);
	write_status(90000);
	start_and_wait();
	ck_assert_int_eq(told.outcome, PROBE_FAILURE);
	ck_assert_ptr_nonnull(strstr(told_why, "written 9000"));
	write_status(90001 - 3600); /* meanwhile its clock was set: it has been written now */
	start_and_wait();
	ck_assert_int_eq(told.outcome, PROBE_SUCCESS);
	ck_assert_str_eq(told_why, "1 of 4 clients");
	write_status(-90000); /* in a day, says its clock, which does not keep it fresh */
	start_and_wait();
	ck_assert_int_eq(told.outcome, PROBE_SUCCESS);
	(void)usleep(150000);
	settings.status.max_age_ms = 100;
	age_file(0); /* copied, say */
	start_and_wait();
	ck_assert_int_eq(told.outcome, PROBE_FAILURE);
	close_file();
}
END_TEST

START_TEST(status_that_is_no_file_does_not_keep_us_waiting)
{
	struct with_text settings;

	open_status(&settings, 1000);
	ck_assert_int_eq(mkfifo(path, 0600), 0);
	start_and_wait();
	ck_assert_int_eq(told.outcome, PROBE_FAILURE);
	ck_assert_str_eq(told_why, "it is no file");
	(void)unlink(path);
	start_and_wait();
	ck_assert_str_eq(told_why, "No such file or directory");
	kind->start(kind, probe); /* and one that is given up is told no more */
	kind->cancel(kind, probe);
	ck_assert_int_eq(told_count, 1);
	close_file();
}
END_TEST

/* --- push -------------------------------------------------------------------------------------- */

/* Reported so long ago. */
static unsigned report(struct reports *reports, enum probe_outcome outcome, uint64_t age_ms,
		       uint64_t for_ms)
{
	struct report said = { outcome, clock_mono_ms() - age_ms, for_ms, "said so" };

	return report_take(reports_of(reports, "edge", "fra-1"), &said);
}

START_TEST(report_counts_until_it_is_too_old)
{
	const struct push_settings settings = { .max_age_ms = 60000, .stale = STALE_FAILURE };
	struct reports *reports = reports_new();

	open_kind(kind_push_open, &settings, reports);
	ck_assert_uint_eq(report(reports, PROBE_WARNING, 0, 0), 0); /* nobody looks yet */
	start();
	ck_assert_int_eq(told.outcome, PROBE_WARNING);
	ck_assert_str_eq(told_why, "said so");
	ck_assert_uint_eq(report(reports, PROBE_FAILURE, 0, 0), 1);
	start();
	ck_assert_int_eq(told.outcome, PROBE_FAILURE);
	ck_assert_uint_eq(report(reports, PROBE_SUCCESS, 0, PATIENCE_MS), 1);
	start();
	ck_assert_int_eq(told.outcome, PROBE_SUCCESS);
	ck_assert_uint_eq(report(reports, PROBE_SUCCESS, PATIENCE_MS + 1, PATIENCE_MS), 1);
	start();
	ck_assert_int_eq(told.outcome, PROBE_FAILURE);
	ck_assert_ptr_nonnull(strstr(told_why, "nothing was reported for 2"));
	close_kind();
	ck_assert_uint_eq(report(reports, PROBE_SUCCESS, 0, 0), 0); /* it has left */
	reports_free(reports);
}
END_TEST

START_TEST(first_report_is_waited_for_as_long_as_one_may_be_old)
{
	struct push_settings settings = { .max_age_ms = PATIENCE_MS, .stale = STALE_FAILURE };
	struct reports *reports = reports_new();

	open_kind(kind_push_open, &settings, reports);
	start();
	ck_assert_int_eq(told.outcome, PROBE_NOT_MADE);
	(void)usleep(150000);
	settings.max_age_ms = 100;
	start();
	ck_assert_int_eq(told.outcome, PROBE_FAILURE);
	ck_assert_str_eq(told_why, "nothing was reported yet");
	close_kind();
	reports_free(reports);
}
END_TEST

/* --- agent ------------------------------------------------------------------------------------- */

static int listener;
static ev_io incoming;
static const char *answer;
static char question[64];

static void on_incoming(struct ev_loop *of, ev_io *io, int events)
{
	int fd = accept(io->fd, NULL, NULL);
	ssize_t n;

	(void)of;
	(void)events;
	if (fd < 0)
		return;
	n = recv(fd, question, sizeof(question) - 1, answer == NULL ? 0 : MSG_DONTWAIT);
	question[n > 0 ? n : 0] = '\0';
	if (answer != NULL)
		(void)send(fd, answer, strlen(answer), MSG_NOSIGNAL);
	(void)close(fd);
}

static void open_agent(struct with_text *settings, const char *text, uint32_t max_age_ms)
{
	loop = ev_loop_new(0);
	settings->agent = (struct agent_settings){ .max_age_ms = max_age_ms };
	settings->agent.send = put_text(settings, text);
	ck_assert(ip_parse(HERE, &probe->address));
	probe->port = PORT;
	probe->timeout_ms = 1000;
	open_kind(kind_agent_open, settings, NULL);
}

static void agent_up(const char *line)
{
	answer = line;
	listener = listen_on(HERE, PORT, 16);
	ev_io_init(&incoming, on_incoming, listener, EV_READ);
	ev_io_start(loop, &incoming);
	start_and_wait();
	ev_io_stop(loop, &incoming);
	(void)close(listener);
}

static void close_agent(void)
{
	close_kind();
	ev_loop_destroy(loop);
}

START_TEST(agent_that_is_away_changes_nothing_for_a_time)
{
	struct with_text settings;

	open_agent(&settings, "", PATIENCE_MS);
	start_and_wait();
	ck_assert_int_eq(told.outcome, PROBE_NOT_MADE); /* it was never heard of */
	ck_assert_str_eq(told_why, "Connection refused");
	agent_up("up 5% drain\n");
	ck_assert_int_eq(told.outcome, PROBE_SUCCESS);
	ck_assert_uint_eq(told.weight_percent, 5);
	start_and_wait();
	ck_assert_int_eq(told.outcome, PROBE_NOT_MADE);
	ck_assert(!told.has_weight);
	(void)usleep(150000);
	settings.agent.max_age_ms = 100;
	start_and_wait();
	ck_assert_int_eq(told.outcome, PROBE_WARNING);
	ck_assert(told.has_weight);
	ck_assert_uint_eq(told.weight_percent, 100);
	ck_assert_int_eq(told.wish, WISH_READY);
	agent_up("down #gone\n");
	(void)usleep(150000);
	start_and_wait();
	ck_assert_int_eq(told.outcome, PROBE_FAILURE); /* only "up" ends that */
	settings.agent.unreachable = AGENT_FAILURE;
	agent_up("up\n");
	ck_assert_int_eq(told.outcome, PROBE_SUCCESS);
	start_and_wait();
	ck_assert_int_eq(told.outcome, PROBE_FAILURE);
	close_agent();
}
END_TEST

START_TEST(agent_is_asked_with_the_names_that_it_knows)
{
	struct with_text settings;

	open_agent(&settings, "{pool}/{node} {address}:{port} {x}\n", 1000);
	answer = NULL; /* it waits for the question, and says nothing */
	agent_up(NULL);
	ck_assert_str_eq(question, "edge/fra-1 " HERE ":20391 {x}\n");
	ck_assert_int_eq(told.outcome, PROBE_NOT_MADE);
	ck_assert_str_eq(told_why, "says nothing");
	close_agent();
}
END_TEST

START_TEST(agent_that_says_nothing_understood_changes_nothing)
{
	static char endless[2 * 1024 + 1];
	static const struct {
		const char *line, *why;
	} rows[] = { { "75%", "its line has no end" },
		     { "\n", "says nothing" },
		     { "garbage words\n", "\"garbage\" is no word" },
		     { endless, "its line is too long" } };
	struct with_text settings;

	memset(endless, 'u', sizeof(endless) - 1);
	open_agent(&settings, "", 60000);
	agent_up("up 40%\n");
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		agent_up(rows[i].line);
		ck_assert_str_eq(told_why, rows[i].why);
		ck_assert_int_eq(told.outcome, PROBE_NOT_MADE);
	}
	agent_up("up\r\n");
	ck_assert_uint_eq(told.weight_percent, 40);
	close_agent();
}
END_TEST

START_TEST(agent_that_hangs_ends_with_its_time)
{
	struct probe_result result = { .outcome = PROBE_FAILURE, .why = "timeout" };
	struct with_text settings;
	int before = dup(0), after;

	(void)close(before);
	open_agent(&settings, "x", 1000);
	before = dup(0); /* the loop has its descriptors */
	(void)close(before);
	listener = listen_on(HERE, PORT, 16);
	start();
	ck_assert_int_eq(told_count, 0);
	kind->expire(kind, probe, &result);
	ck_assert_int_eq(result.outcome, PROBE_NOT_MADE);
	ck_assert_str_eq(result.why, "timeout");
	start();
	kind->cancel(kind, probe);
	ck_assert_int_eq(told_count, 0);
	(void)close(listener);
	after = dup(0);
	(void)close(after);
	ck_assert_int_eq(after, before);
	close_agent();
}
END_TEST

void add_statement_tests(Suite *suite)
{
	suite_case(suite, "file", file_says_all_of_how_the_node_is,
		   file_that_is_old_or_missing_is_what_the_pool_says,
		   file_grows_old_by_the_steady_clock);
	suite_case(suite, "openvpn-status",
		   status_is_as_old_as_it_says_and_then_by_the_steady_clock,
		   status_that_is_no_file_does_not_keep_us_waiting);
	suite_case(suite, "push", report_counts_until_it_is_too_old,
		   first_report_is_waited_for_as_long_as_one_may_be_old);
	suite_case(suite, "agent", agent_that_is_away_changes_nothing_for_a_time,
		   agent_is_asked_with_the_names_that_it_knows,
		   agent_that_says_nothing_understood_changes_nothing,
		   agent_that_hangs_ends_with_its_time);
}
