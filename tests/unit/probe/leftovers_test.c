/* What a helper that died has left behind, in a session of its own. */
#include "probe/leftovers.h"

#include <fcntl.h>
#include <stdbool.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "tests/unit/probe/probe_test.h"

#define PATIENCE_MS 20000

static ev_timer tick;

static void on_tick(struct ev_loop *of, ev_timer *timer, int events)
{
	(void)of;
	(void)timer;
	(void)events;
}

/* A session whose leader has ended, and one process in it that holds the other end of *alive. */
static pid_t leave_behind(int *alive)
{
	int ends[2];
	pid_t leader;

	ck_assert_int_eq(pipe(ends), 0);
	leader = fork();
	ck_assert_int_ge(leader, 0);
	if (leader == 0) {
		(void)setsid();
		if (fork() != 0)
			_exit(0);
		(void)alarm(60); /* should it be left after all */
		for (;;)
			(void)pause();
	}
	ck_assert_int_eq(waitpid(leader, NULL, 0), leader);
	(void)close(ends[1]);
	ck_assert_int_eq(fcntl(ends[0], F_SETFL, O_NONBLOCK), 0);
	*alive = ends[0];
	return leader;
}

static bool is_gone(int alive)
{
	char octet;

	return read(alive, &octet, 1) == 0;
}

static struct ev_loop *open_loop(void)
{
	struct ev_loop *loop = ev_loop_new(0);

	ev_timer_init(&tick, on_tick, 0.005, 0.005);
	ev_timer_start(loop, &tick);
	return loop;
}

static void wait_gone(struct ev_loop *loop, int alive)
{
	uint64_t until_ms = clock_mono_ms() + PATIENCE_MS;

	while (!is_gone(alive)) {
		ck_assert_uint_lt(clock_mono_ms(), until_ms);
		(void)ev_run(loop, EVRUN_ONCE);
	}
}

/* As many descriptors as there are. */
static void set_descriptors(rlim_t count)
{
	struct rlimit limit;

	ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &limit), 0);
	limit.rlim_cur = count;
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
}

START_TEST(what_is_left_of_a_session_is_killed)
{
	struct ev_loop *loop = open_loop();
	struct leftovers *leftovers = leftovers_open(loop);
	int alive;
	pid_t session = leave_behind(&alive);

	ck_assert(!is_gone(alive));
	leftovers_kill(leftovers, session);
	wait_gone(loop, alive);
	leftovers_close(leftovers);
	ev_loop_destroy(loop);
	(void)close(alive);
}
END_TEST

START_TEST(what_is_left_is_killed_as_soon_as_there_are_descriptors_to_look_for_it)
{
	struct ev_loop *loop = open_loop();
	struct leftovers *leftovers = leftovers_open(loop);
	struct rlimit before;
	int alive, next;
	pid_t session = leave_behind(&alive);

	ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &before), 0);
	ev_run(loop, EVRUN_ONCE);                 /* which may need one itself */
	for (rlim_t left = 0; left < 3; left++) { /* for none; for /proc; and for one in it */
		next = dup(alive);
		ck_assert_int_ge(next, 0);
		(void)close(next);
		set_descriptors((rlim_t)next + left);
		leftovers_kill(leftovers, session);
		for (int i = 0; i < 20; i++)
			(void)ev_run(loop, EVRUN_ONCE);
		ck_assert(!is_gone(alive));
		set_descriptors(before.rlim_cur);
	}
	wait_gone(loop, alive);
	leftovers_close(leftovers);
	ev_loop_destroy(loop);
	(void)close(alive);
}
END_TEST

void add_leftovers_tests(Suite *suite)
{
	suite_case(suite, "leftovers", what_is_left_of_a_session_is_killed,
		   what_is_left_is_killed_as_soon_as_there_are_descriptors_to_look_for_it);
}
