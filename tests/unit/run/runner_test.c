/* Real commands by a real signpost-run, which is beside this program. */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "probe/runner.h"
#include "tests/unit/run/run_test.h"

#define PATIENCE_MS 20000
#define MANY        100

static struct ev_loop *loop;
static struct runner *runner;
static ev_timer tick;

struct told {
	int count;
	struct run_outcome outcome;
	char output[RUN_OUTPUT_MAX + 1], errors[RUN_ERRORS_MAX + 1];
};

static struct told told;

static void on_tick(struct ev_loop *l, ev_timer *timer, int events)
{
	(void)l;
	(void)timer;
	(void)events;
}

static void open_all(void)
{
	loop = ev_default_loop(0);
	ev_timer_init(&tick, on_tick, 0.005, 0.005);
	ev_timer_start(loop, &tick);
	runner = runner_open(loop);
}

static void close_all(void)
{
	runner_close(runner);
	ev_timer_stop(loop, &tick);
	ev_loop_destroy(loop);
}

static void on_done(void *context, const struct run_outcome *outcome)
{
	struct told *out = context;

	out->count++;
	out->outcome = *outcome;
	memcpy(out->output, outcome->output, outcome->output_len + 1);
	memcpy(out->errors, outcome->errors, outcome->errors_len + 1);
}

static struct run_job *run_in(enum run_class class, const char *script, uint32_t timeout_ms)
{
	const char *const words[] = { "/bin/sh", "-c", script, NULL };
	const char *const variables[] = { "PATH=/usr/bin:/bin", NULL };
	struct err err;
	struct run_job *job = runner_run(runner, class, words, variables, timeout_ms, on_done,
					 &told, &err);

	ck_assert_msg(job != NULL, "%s", err.text);
	return job;
}

static void wait_for(int count)
{
	uint64_t until_ms = clock_mono_ms() + PATIENCE_MS;

	while (told.count < count) {
		ck_assert_msg(clock_mono_ms() < until_ms, "%d of %d are told", told.count, count);
		(void)ev_run(loop, EVRUN_ONCE);
	}
}

static void run(const char *script, uint32_t timeout_ms)
{
	int before = told.count;

	(void)run_in(RUN_PROBES, script, timeout_ms);
	wait_for(before + 1);
}

/* true: within our patience nobody has this pid any more. */
static bool is_gone(pid_t pid)
{
	uint64_t until_ms = clock_mono_ms() + PATIENCE_MS;

	ck_assert_int_gt(pid, 1);
	while (kill(pid, 0) == 0 && clock_mono_ms() < until_ms)
		(void)usleep(1000);
	return errno == ESRCH;
}

static pid_t helper_pid(void)
{
	char path[64];
	FILE *children;
	int pid = 0;

	(void)snprintf(path, sizeof(path), "/proc/self/task/%d/children", (int)getpid());
	children = fopen(path, "re");
	ck_assert_ptr_nonnull(children);
	ck_assert_int_eq(fscanf(children, "%d", &pid), 1);
	(void)fclose(children);
	return pid;
}

START_TEST(command_tells_its_status_and_what_it_said)
{
	open_all();
	run("echo first; echo second; echo wrong >&2; exit 3", PATIENCE_MS);
	ck_assert_int_eq(told.outcome.end, RUN_EXITED);
	ck_assert_int_eq(told.outcome.status, 3);
	ck_assert_str_eq(told.output, "first\nsecond\n");
	ck_assert_str_eq(told.errors, "wrong\n");
	run("sleep 0.2", PATIENCE_MS);
	ck_assert_uint_ge(told.outcome.took_us, 200000);
	run("kill -USR1 $$", PATIENCE_MS);
	ck_assert_int_eq(told.outcome.end, RUN_SIGNALLED);
	ck_assert_int_eq(told.outcome.status, SIGUSR1);
	close_all();
}
END_TEST

START_TEST(program_that_is_none_tells_why)
{
	static const struct {
		const char *path;
		int error;
	} rows[] = { { "/nowhere/at/all", ENOENT }, { "/etc/passwd", EACCES }, { "/etc", EACCES } };

	open_all();
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const char *const words[] = { rows[i].path, NULL };
		struct err err;
		char text[RUN_END_SIZE];

		ck_assert_ptr_nonnull(runner_run(runner, RUN_PROBES, words, words + 1, 1000,
						 on_done, &told, &err));
		wait_for((int)i + 1);
		ck_assert_int_eq(told.outcome.end, RUN_NOT_STARTED);
		ck_assert_int_eq(told.outcome.status, rows[i].error);
		ck_assert_ptr_nonnull(strstr(runner_end_text(&told.outcome, text),
					     strerrordesc_np(rows[i].error)));
	}
	close_all();
}
END_TEST

START_TEST(hung_command_that_ignores_signals_is_killed_with_all_of_its_group)
{
	uint32_t timeout_ms = 150;
	pid_t child;

	open_all();
	do { /* until it had the time to say something */
		timeout_ms *= 2;
		ck_assert_uint_lt(timeout_ms, PATIENCE_MS);
		run("trap '' TERM INT HUP; sleep 1000 & echo $!; while :; do sleep 1; done",
		    timeout_ms);
		ck_assert_int_eq(told.outcome.end, RUN_TIMEOUT);
		ck_assert_uint_ge(told.outcome.took_us, timeout_ms * 1000);
	} while (told.output[0] == '\0');
	child = (pid_t)strtol(told.output, NULL, 10);
	ck_assert(is_gone(child));
	close_all();
}
END_TEST

START_TEST(what_a_command_leaves_behind_is_killed_when_it_ends)
{
	pid_t child;

	open_all();
	run("sleep 1000 & echo $!", PATIENCE_MS);
	ck_assert_int_eq(told.outcome.end, RUN_EXITED);
	ck_assert_uint_lt(told.outcome.took_us, 10000000); /* its output is not waited for */
	child = (pid_t)strtol(told.output, NULL, 10);
	ck_assert(is_gone(child));
	close_all();
}
END_TEST

START_TEST(flood_is_cut_and_ended)
{
	open_all();
	run("echo begin; head -c 100000 /dev/zero; head -c 100000 /dev/zero >&2; exit 1",
	    PATIENCE_MS);
	ck_assert_int_eq(told.outcome.end, RUN_EXITED);
	ck_assert_uint_eq(told.outcome.output_len, RUN_OUTPUT_MAX);
	ck_assert_uint_eq(told.outcome.errors_len, RUN_ERRORS_MAX);
	ck_assert_str_eq(told.output, "begin\n"); /* and NULs */
	run("yes", PATIENCE_MS);
	ck_assert_int_eq(told.outcome.end, RUN_FLOOD);
	close_all();
}
END_TEST

START_TEST(more_commands_than_may_run_wait_for_each_other)
{
	struct run_job *jobs[MANY];
	int started = 0;

	open_all();
	for (int i = 0; i < MANY; i++)
		jobs[i] = run_in(RUN_PROBES, "sleep 0.05", PATIENCE_MS);
	for (int i = 0; i < MANY; i++)
		started += runner_has_started(jobs[i]);
	ck_assert_int_eq(started, RUN_PROBES_MAX);
	wait_for(MANY);
	ck_assert_int_eq(told.count, MANY);
	ck_assert_int_eq(told.outcome.end, RUN_EXITED);
	close_all();
}
END_TEST

START_TEST(hooks_that_hang_keep_no_probe_waiting)
{
	open_all();
	for (int i = 0; i < MANY; i++)
		(void)run_in(RUN_HOOKS, "sleep 1000", PATIENCE_MS);
	run("exit 2", PATIENCE_MS);
	ck_assert_int_eq(told.count, 1);
	ck_assert_int_eq(told.outcome.status, 2);
	close_all();
}
END_TEST

START_TEST(queue_has_an_end)
{
	const char *const words[] = { "/bin/sleep", "1000", NULL };
	int taken = 0;
	struct err err;

	open_all();
	while (runner_run(runner, RUN_HOOKS, words, words + 2, 1000, on_done, &told, &err) != NULL)
		taken++;
	ck_assert_int_eq(taken, RUN_QUEUE_MAX + RUN_HOOKS_MAX);
	ck_assert_ptr_nonnull(strstr(err.text, "wait already"));
	close_all();
}
END_TEST

START_TEST(cancelled_commands_are_killed_and_not_told)
{
	char path[] = "/tmp/signpost-run-test-XXXXXX";
	char script[128];
	int file = mkstemp(path);
	struct run_job *running, *waiting = NULL;
	uint64_t until_ms = clock_mono_ms() + PATIENCE_MS;
	char pid[16] = "";

	ck_assert_int_ge(file, 0);
	open_all();
	(void)snprintf(script, sizeof(script), "echo $$ >%s; exec sleep 1000", path);
	running = run_in(RUN_HOOKS, script, PATIENCE_MS);
	for (int i = 0; i < RUN_HOOKS_MAX; i++)
		waiting = run_in(RUN_HOOKS, "sleep 1000", PATIENCE_MS);
	ck_assert(!runner_has_started(waiting));
	while (pread(file, pid, sizeof(pid) - 1, 0) < 2 && clock_mono_ms() < until_ms)
		(void)ev_run(loop, EVRUN_ONCE);
	runner_cancel(runner, waiting);
	runner_cancel(runner, running);
	ck_assert(is_gone((pid_t)strtol(pid, NULL, 10)));
	run("exit 0", PATIENCE_MS);
	ck_assert_int_eq(told.count, 1);
	(void)close(file);
	(void)unlink(path);
	close_all();
}
END_TEST

START_TEST(helper_that_dies_loses_what_it_runs_and_is_started_again)
{
	char text[RUN_END_SIZE];
	pid_t helper;
	int rounds = getenv("SIGNPOST_RUN_KILLS") != NULL ? 100 : 3;

	open_all();
	for (int i = 0; i < rounds; i++) {
		helper = helper_pid();
		(void)run_in(RUN_PROBES, "exec sleep 1000", PATIENCE_MS);
		ck_assert_int_eq(kill(helper, i % 2 == 0 ? SIGKILL : SIGTERM), 0);
		wait_for(2 * i + 1);
		ck_assert_int_eq(told.outcome.end, RUN_LOST);
		ck_assert_str_eq(runner_end_text(&told.outcome, text),
				 "lost, for signpost-run ended");
		(void)run_in(RUN_PROBES, "exit 4", PATIENCE_MS); /* waits for the next one */
		wait_for(2 * i + 2);
		ck_assert_int_eq(told.outcome.status, 4);
		ck_assert_int_ne(helper_pid(), helper);
	}
	close_all();
}
END_TEST

START_TEST(commands_die_with_their_helper_and_with_their_runner)
{
	char path[] = "/tmp/signpost-run-test-XXXXXX";
	char script[128], pid[16] = "";
	int file = mkstemp(path);

	ck_assert_int_ge(file, 0);
	open_all();
	(void)snprintf(script, sizeof(script), "echo $$ >%s; exec sleep 1000", path);
	for (int i = 0; i < 2; i++) {
		uint64_t until_ms = clock_mono_ms() + PATIENCE_MS;

		ck_assert_int_eq(ftruncate(file, 0), 0);
		(void)run_in(RUN_PROBES, script, PATIENCE_MS);
		while (pread(file, pid, sizeof(pid) - 1, 0) < 2 && clock_mono_ms() < until_ms)
			(void)ev_run(loop, EVRUN_ONCE);
		if (i == 0)
			ck_assert_int_eq(kill(helper_pid(), SIGKILL), 0);
		else
			close_all();
		ck_assert(is_gone((pid_t)strtol(pid, NULL, 10)));
	}
	(void)close(file);
	(void)unlink(path);
}
END_TEST

/* Runs it until it has written so many pids to the file, one a line. */
static void read_pids(int file, const char *script, size_t count, pid_t *pids)
{
	uint64_t until_ms = clock_mono_ms() + PATIENCE_MS;
	char text[128] = "";
	char *at = text;
	size_t lines = 0;

	(void)run_in(RUN_PROBES, script, PATIENCE_MS);
	while (lines < count && clock_mono_ms() < until_ms) {
		(void)ev_run(loop, EVRUN_ONCE);
		ck_assert_int_ge(pread(file, text, sizeof(text) - 1, 0), 0);
		lines = 0;
		for (const char *c = text; *c != '\0'; c++)
			lines += *c == '\n';
	}
	for (size_t i = 0; i < count; i++)
		pids[i] = (pid_t)strtol(at, &at, 10);
}

/* Its own children, the last of which is in a group of its own. */
START_TEST(children_of_commands_die_with_a_helper_that_is_killed)
{
	char path[] = "/tmp/signpost-run-test-XXXXXX";
	char script[256];
	pid_t pids[3] = { 0 };
	int file = mkstemp(path);

	ck_assert_int_ge(file, 0);
	(void)snprintf(script, sizeof(script),
		       "exec bash -c 'sleep 1000 & echo $! >>%s; (trap \"\" TERM; sleep 1001) & "
		       "echo $! >>%s; set -m; sleep 1002 & echo $! >>%s; wait'",
		       path, path, path);
	for (int i = 0; i < 2; i++) {
		ck_assert_int_eq(ftruncate(file, 0), 0);
		open_all();
		read_pids(file, script, 3, pids);
		ck_assert_int_eq(kill(helper_pid(), i == 0 ? SIGKILL : SIGSTOP), 0);
		if (i == 1)
			close_all();
		for (int p = 0; p < 3; p++) {
			uint64_t until_ms = clock_mono_ms() + PATIENCE_MS;

			while (i == 0 && kill(pids[p], 0) == 0 && clock_mono_ms() < until_ms)
				(void)ev_run(loop, EVRUN_ONCE);
			ck_assert_msg(is_gone(pids[p]), "process %d, round %d", p, i);
		}
		if (i == 0)
			close_all();
	}
	(void)close(file);
	(void)unlink(path);
}
END_TEST

START_TEST(helper_that_is_stopped_does_not_hold_up_the_end)
{
	uint64_t start_ms;

	open_all();
	ck_assert_int_eq(kill(helper_pid(), SIGSTOP), 0);
	start_ms = clock_mono_ms();
	close_all();
	ck_assert_uint_lt(clock_mono_ms() - start_ms, PATIENCE_MS / 2);
}
END_TEST

START_TEST(helper_that_is_stopped_is_known_for_it_and_replaced)
{
	pid_t helper;

	open_all();
	run("exit 0", PATIENCE_MS);
	ck_assert(runner_answers(runner));
	helper = helper_pid();
	ck_assert_int_eq(kill(helper, SIGSTOP), 0);
	(void)run_in(RUN_PROBES, "exit 0", PATIENCE_MS);
	while (runner_answers(runner))
		(void)ev_run(loop, EVRUN_ONCE);
	ck_assert_int_eq(told.count, 1);
	wait_for(2);
	ck_assert_int_eq(told.outcome.end, RUN_LOST);
	run("exit 4", PATIENCE_MS);
	ck_assert_int_eq(told.outcome.status, 4);
	ck_assert_int_ne(helper_pid(), helper);
	close_all();
}
END_TEST

/* Our end of the channel to the helper. */
static int our_end(void)
{
	for (int fd = 3; fd < 100; fd++) {
		int type = 0;
		socklen_t len = sizeof(type);

		if (getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &len) == 0 && type == SOCK_SEQPACKET)
			return fd;
	}
	ck_abort_msg("there is none");
}

static void wait_for_answer(int channel)
{
	struct pollfd answer = { .fd = channel, .events = POLLIN };
	uint64_t until_ms = clock_mono_ms() + PATIENCE_MS;

	while (poll(&answer, 1, 100) != 1) /* a signal may end it */
		ck_assert_msg(clock_mono_ms() < until_ms, "the helper says nothing");
}

/* Whoever does not read its answers for a while finds them, and not a helper that has to be killed. */
START_TEST(helper_is_not_blamed_for_a_runner_that_was_busy)
{
	pid_t helper;

	open_all();
	(void)run_in(RUN_PROBES, "sleep 1000", 10 * PATIENCE_MS);
	run("exit 0", PATIENCE_MS);
	helper = helper_pid();
	for (int i = 0; i < 7; i++) {
		(void)run_in(RUN_PROBES, "exit 0", PATIENCE_MS);
		(void)usleep(600000);
		wait_for_answer(our_end());
		(void)ev_run(loop, EVRUN_ONCE);
		ck_assert(runner_answers(runner));
	}
	ck_assert_int_eq(helper_pid(), helper);
	close_all();
}
END_TEST

static int told_at_timeout;

static void note_told(struct ev_loop *l, ev_timer *timer, int events)
{
	(void)l;
	(void)timer;
	(void)events;
	told_at_timeout = told.count;
}

/* Both are there when we go on after we were stopped: as often as it takes to have them at once. */
START_TEST(what_has_ended_is_told_before_timers_that_ran_out_meanwhile)
{
	ev_timer timeout;
	int before, rounds = 0;

	open_all();
	ev_timer_init(&timeout, note_told, 0.01, 0.);
	do {
		before = told.count;
		told_at_timeout = -1;
		(void)run_in(RUN_PROBES, "exit 0", PATIENCE_MS);
		ev_timer_set(&timeout, 0.01, 0.);
		ev_timer_start(loop, &timeout);
		(void)usleep(100000U << rounds);
		(void)ev_run(loop, EVRUN_ONCE);
		if (told.count > before && told_at_timeout >= 0)
			break;
		ev_timer_stop(loop, &timeout);
		wait_for(before + 1);
	} while (++rounds < 7);
	ck_assert_int_eq(told_at_timeout, before + 1);
	close_all();
}
END_TEST

void add_runner_tests(Suite *suite)
{
	TCase *hung = tcase_create("hung");

	suite_case(suite, "runner", command_tells_its_status_and_what_it_said,
		   program_that_is_none_tells_why,
		   hung_command_that_ignores_signals_is_killed_with_all_of_its_group,
		   what_a_command_leaves_behind_is_killed_when_it_ends, flood_is_cut_and_ended,
		   more_commands_than_may_run_wait_for_each_other,
		   hooks_that_hang_keep_no_probe_waiting, queue_has_an_end,
		   cancelled_commands_are_killed_and_not_told,
		   helper_that_dies_loses_what_it_runs_and_is_started_again,
		   commands_die_with_their_helper_and_with_their_runner,
		   helper_that_is_stopped_does_not_hold_up_the_end);
	tcase_set_timeout(hung, PATIENCE_MS / 1000.);
	tcase_add_test(hung, helper_that_is_stopped_is_known_for_it_and_replaced);
	tcase_add_test(hung, helper_is_not_blamed_for_a_runner_that_was_busy);
	tcase_add_test(hung, what_has_ended_is_told_before_timers_that_ran_out_meanwhile);
	tcase_add_test(hung, children_of_commands_die_with_a_helper_that_is_killed);
	suite_add_tcase(suite, hung);
}
