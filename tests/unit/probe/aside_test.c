/* Work that hangs beside the loop, and how old a report is. */
#include "probe/aside.h"

#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "probe/status_age.h"
#include "tests/unit/probe/probe_test.h"

#define PATIENCE_MS 20000
#define THREADS     2

static struct ev_loop *loop;
static struct aside *aside;
static ev_timer tick;
static int block[2], dropped[2]; /* pipes: one that is waited for, and what was dropped */
static int done_count;

static void on_tick(struct ev_loop *of, ev_timer *timer, int events)
{
	(void)of;
	(void)timer;
	(void)events;
}

static void begin(void)
{
	loop = ev_loop_new(0);
	ev_timer_init(&tick, on_tick, 0.005, 0.005);
	ev_timer_start(loop, &tick);
	aside = aside_open(loop, THREADS);
	done_count = 0;
	ck_assert_int_eq(pipe(block), 0);
	ck_assert_int_eq(pipe(dropped), 0);
}

static void end(void)
{
	ev_loop_destroy(loop);
	for (int i = 0; i < 2; i++) {
		(void)close(block[i]);
		(void)close(dropped[i]);
	}
}

static void hang(void *data)
{
	(void)!read(block[0], data, 1);
}

static void work_at_once(void *data)
{
	*(char *)data = 'w';
}

static void done(void *data)
{
	(void)data;
	done_count++;
}

static void drop(void *data)
{
	free(data);
	(void)!write(dropped[1], "d", 1);
}

static const struct aside_work hanging = { hang, done, drop };
static const struct aside_work quick = { work_at_once, done, drop };

static struct aside_job *ask(const struct aside_work *work)
{
	struct aside_job *job = aside_do(aside, work, calloc(1, 1));

	ck_assert_ptr_nonnull(job);
	return job;
}

static void wait_done(int count)
{
	uint64_t until_ms = clock_mono_ms() + PATIENCE_MS;

	while (done_count < count && clock_mono_ms() < until_ms)
		(void)ev_run(loop, EVRUN_ONCE);
	ck_assert_int_eq(done_count, count);
}

static void wait_begun(struct aside_job *job)
{
	uint64_t until_ms = clock_mono_ms() + PATIENCE_MS;

	while (!aside_has_begun(job) && clock_mono_ms() < until_ms)
		(void)usleep(1000);
	ck_assert(aside_has_begun(job));
}

/* Each is dropped once, which the pipe waits for. */
static void expect_dropped(int count)
{
	char octet;

	for (int i = 0; i < count; i++)
		ck_assert_int_eq(read(dropped[0], &octet, 1), 1);
}

START_TEST(what_hangs_keeps_a_thread_and_no_more)
{
	begin();
	wait_begun(ask(&hanging));
	for (int i = 1; i <= 20; i++) {
		(void)ask(&quick);
		(void)ask(&quick);
		wait_done(2 * i);
	}
	expect_dropped(40);
	ck_assert_int_eq(write(block[1], "x", 1), 1);
	wait_done(41);
	aside_close(aside);
	end();
}
END_TEST

START_TEST(what_waits_for_all_that_hangs_can_be_taken_back)
{
	struct aside_job *jobs[THREADS], *waiting;

	begin();
	for (int i = 0; i < THREADS; i++)
		jobs[i] = ask(&hanging);
	for (int i = 0; i < THREADS; i++)
		wait_begun(jobs[i]);
	waiting = ask(&quick);
	ck_assert(!aside_has_begun(waiting));
	ck_assert(aside_cancel(waiting));
	expect_dropped(1);
	ck_assert(!aside_cancel(jobs[0])); /* that goes on */
	(void)ask(&quick);
	ck_assert_int_eq(write(block[1], "xx", 2), 2);
	wait_done(3);
	expect_dropped(3);
	aside_close(aside);
	end();
}
END_TEST

START_TEST(end_waits_for_nothing_that_hangs_and_all_is_dropped_all_the_same)
{
	struct aside_job *jobs[THREADS];

	begin();
	for (int i = 0; i < THREADS; i++)
		jobs[i] = ask(&hanging);
	for (int i = 0; i < THREADS; i++)
		wait_begun(jobs[i]);
	(void)ask(&quick);
	aside_close(aside);
	expect_dropped(1); /* what waited */
	ck_assert_int_eq(write(block[1], "xx", 2), 2);
	expect_dropped(THREADS);
	ck_assert_int_eq(done_count, 0);
	end();
}
END_TEST

/* --- how old a report is ----------------------------------------------------------------------- */

#define DAY_MS UINT64_C(86400000)
#define NOW_MS (UINT64_C(20000) * DAY_MS)

/* A server writes each minute, and is looked at each 10 s; after ten minutes its and our clock are set by
 * so much; after twenty it dies. */
static void check_step(int64_t step_ms)
{
	struct status_age age = { 0 };

	for (uint64_t at_ms = 0; at_ms < 1800000; at_ms += 10000) {
		uint64_t written_at_ms = (at_ms < 1200000 ? at_ms : 1200000 - 1) / 60000 * 60000;
		uint64_t stepped = written_at_ms >= 600000 ? (uint64_t)step_ms : 0;
		uint64_t unix_ms = NOW_MS + at_ms + (at_ms >= 600000 ? (uint64_t)step_ms : 0);
		uint64_t is_ms = status_age_take(&age, written_at_ms,
						 NOW_MS + written_at_ms + stepped, unix_ms,
						 5000 + at_ms);

		ck_assert_uint_le(is_ms, at_ms - written_at_ms);
		ck_assert_uint_ge(is_ms + 10000, at_ms - written_at_ms);
	}
}

START_TEST(clocks_that_are_set_make_no_report_old_or_new)
{
	check_step(0);
	check_step((int64_t)DAY_MS);
	check_step(-(int64_t)DAY_MS);
}
END_TEST

START_TEST(first_report_is_as_old_as_it_says_and_none_is_younger_than_nothing)
{
	struct status_age age = { 0 };

	ck_assert_uint_eq(status_age_take(&age, 1, NOW_MS - DAY_MS, NOW_MS, 7000), DAY_MS);
	ck_assert_uint_eq(status_age_take(&age, 1, NOW_MS - DAY_MS, NOW_MS, 8000), DAY_MS + 1000);
	age = (struct status_age){ 0 };
	ck_assert_uint_eq(status_age_take(&age, 1, NOW_MS + DAY_MS, NOW_MS, 7000), 0);
	ck_assert_uint_eq(status_age_take(&age, 1, NOW_MS + DAY_MS, NOW_MS, 67000), 60000);
}
END_TEST

void add_aside_tests(Suite *suite)
{
	suite_case(suite, "aside", what_hangs_keeps_a_thread_and_no_more,
		   what_waits_for_all_that_hangs_can_be_taken_back,
		   end_waits_for_nothing_that_hangs_and_all_is_dropped_all_the_same,
		   clocks_that_are_set_make_no_report_old_or_new,
		   first_report_is_as_old_as_it_says_and_none_is_younger_than_nothing);
}
