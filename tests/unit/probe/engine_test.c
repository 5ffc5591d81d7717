#include <dirent.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/netprefix.h"
#include "probe/engine.h"
#include "tests/unit/probe/lab.h"
#include "tests/unit/probe/probe_test.h"

#define PORT 20193

static const struct check_key base_key = { .kind = PROBE_TCP,
					   .family = IP_V4,
					   .port = PORT,
					   .address = { 127, 93, 9, 1 },
					   .interval_ms = 400,
					   .timeout_ms = 100,
					   .fall = 1,
					   .rise = 1 };

static int results;

static void count_result(struct check *check, int32_t before, const struct probe_result *result)
{
	(void)result;
	(void)check;
	(void)before;
	results++;
}

static void open_engine(struct engine *engine, struct ev_loop *loop, uint32_t descriptors)
{
	const struct kind_tools tools = { .loop = loop, .icmp_v4 = -1, .icmp_v6 = -1 };

	engine_open(engine, &tools, descriptors, count_result);
}

static ev_timer tick;
static int ticks; /* a clock that stands still whenever this process does */

static void on_tick(struct ev_loop *loop, ev_timer *timer, int events)
{
	(void)loop;
	(void)timer;
	(void)events;
	ticks++;
}

static struct ev_loop *open_loop(void)
{
	struct ev_loop *loop = ev_loop_new(EVFLAG_AUTO);

	ev_timer_init(&tick, on_tick, LAB_TICK_MS / 1e3, LAB_TICK_MS / 1e3);
	ev_timer_start(loop, &tick);
	return loop;
}

/* So long by the ticks. */
static void run_ms(struct ev_loop *loop, int ms)
{
	int until = ticks + (ms + LAB_TICK_MS - 1) / LAB_TICK_MS;

	while (ticks < until)
		(void)ev_run(loop, EVRUN_ONCE);
}

static void close_loop(struct ev_loop *loop)
{
	ev_timer_stop(loop, &tick);
	ev_loop_destroy(loop);
}

static int open_descriptors(void)
{
	DIR *dir = opendir("/proc/self/fd");
	int count = 0;

	while (readdir(dir) != NULL)
		count++;
	(void)closedir(dir);
	return count;
}

START_TEST(probes_beyond_the_descriptors_wait_their_turn_and_none_is_dropped)
{
	struct ev_loop *loop = open_loop();
	int listener = listen_on("127.93.9.1", PORT, 0);
	int fillers[FILLERS];
	struct check *checks[40];
	struct engine engine;
	int at_rest, peak = 0;

	fill_backlog(listener, "127.93.9.1", PORT, fillers);
	open_engine(&engine, loop, 4);
	(void)ev_run(loop, EVRUN_NOWAIT); /* the loop has its descriptors */
	at_rest = open_descriptors();
	for (uint32_t i = 0; i < 40; i++) {
		struct check_key key = base_key;

		key.interval_ms = 10000;
		key.fall = i + 1; /* all different */
		checks[i] = check_begin(&engine, &key, NULL, 0);
	}
	/* 40 timeouts of 100 ms, four at a time: a second */
	for (int i = 0; i < 500 && results < 40; i++) {
		int now = open_descriptors();

		peak = now > peak ? now : peak;
		run_ms(loop, 10);
	}
	ck_assert_int_eq(results, 40);
	ck_assert_int_eq(peak - at_rest, 4);
	ck_assert_uint_eq(engine.counters.queued, 36);
	ck_assert_uint_eq(engine.counters.failures, 40);
	ck_assert_uint_eq(engine.descriptors, 4);
	for (int i = 0; i < 40; i++)
		check_end(checks[i]);
	engine_close(&engine);
	for (int i = 0; i < FILLERS; i++)
		(void)close(fillers[i]);
	(void)close(listener);
	close_loop(loop);
}
END_TEST

START_TEST(queued_checks_go_on_when_those_before_them_are_ended)
{
	struct ev_loop *loop = open_loop();
	int listener = listen_on("127.93.9.1", PORT, 0);
	int fillers[FILLERS];
	struct check *first, *second;
	struct check_key key = base_key;
	struct engine engine;

	fill_backlog(listener, "127.93.9.1", PORT, fillers);
	open_engine(&engine, loop, 1);
	key.timeout_ms = key.interval_ms = 60000;
	first = check_begin(&engine, &key, NULL, 0);
	key.fall = 2;
	second = check_begin(&engine, &key, NULL, 1000);
	while (second->phase == CHECK_WAITING)
		(void)ev_run(loop, EVRUN_ONCE);
	ck_assert_int_eq(second->phase, CHECK_QUEUED);
	check_end(first);
	engine_continue(&engine);
	ck_assert_int_eq(second->phase, CHECK_RUNNING);
	check_end(second);
	ck_assert_uint_eq(engine.descriptors, 1);
	engine_close(&engine);
	for (int i = 0; i < FILLERS; i++)
		(void)close(fillers[i]);
	(void)close(listener);
	close_loop(loop);
}
END_TEST

/* Each has started, and none waits for a turn of its own since it was late for one. */
static bool all_have_their_places(struct check *const *checks, int count)
{
	for (int i = 0; i < count; i++) {
		if (checks[i]->started_us == 0 || checks[i]->passed_over)
			return false;
	}
	return true;
}

/* How many have a place between the two times: what made them late has given some of them others. */
static uint64_t places_between(const uint64_t *places_us, int count, uint64_t from_us,
			       uint64_t until_us, uint64_t interval_us)
{
	uint64_t found = 0;

	for (int i = 0; i < count; i++)
		found += (until_us - places_us[i]) % interval_us <= until_us - from_us;
	return found;
}

START_TEST(blocked_loop_is_not_followed_by_a_storm)
{
	struct ev_loop *loop = open_loop();
	int listener = listen_on("0.0.0.0", PORT, 1000);
	struct check *checks[200];
	struct engine engine;
	uint64_t before, began_us, passed_over, left_out = 0;
	uint64_t places_us[200];
	ev_timer interval;

	open_engine(&engine, loop, 1000);
	began_us = clock_mono_us();
	for (uint32_t i = 0; i < 200; i++) {
		struct check_key key = base_key;
		uint64_t place_us = began_us + 1000000 + i * 5000; /* however long this takes */

		key.address[3] = (uint8_t)(i + 1); /* each address may have so many a second */
		key.interval_ms = 1000;
		checks[i] = check_begin(&engine, &key, NULL, place_us - clock_mono_us());
	}
	while (!all_have_their_places(checks, 200))
		(void)ev_run(loop, EVRUN_ONCE);
	for (int i = 0; i < 200; i++)
		places_us[i] = checks[i]->due_us -
			       1000000; /* of the last turn, or the one before */
	(void)usleep(2500000);
	before = engine.counters.started;
	began_us = clock_mono_us();
	ev_now_update(loop);
	ev_timer_init(&interval, on_tick, 1.05, 0.0);
	ev_timer_start(loop, &interval);
	run_ms(loop, 50);
	/* all 200 are overdue; those of an eighth of an interval and of the 50 ms may start */
	ck_assert_uint_le(
		engine.counters.started - before,
		places_between(places_us, 200, began_us - 125000, clock_mono_us(), 1000000));
	passed_over = engine.counters.passed_over;
	ck_assert_uint_ge(passed_over, 120);
	while (ev_is_active(
		&interval)) /* what is due before it comes before it, if both are late */
		(void)ev_run(loop, EVRUN_ONCE);
	for (int i = 0; i < 200; i++) {
		left_out += checks[i]->started_us < began_us;
		ck_assert_int_gt(checks[i]->verdict, 0);
		check_end(checks[i]);
	}
	/* within one interval: all but whom the machine has made late for their places again */
	ck_assert_uint_le(left_out, engine.counters.passed_over - passed_over);
	engine_close(&engine);
	(void)close(listener);
	close_loop(loop);
}
END_TEST

START_TEST(address_of_many_checks_has_so_many_a_second_and_none_is_left_out)
{
	struct ev_loop *loop = open_loop();
	int listener = listen_on("127.93.9.1", PORT, 1000);
	struct check *checks[60], *other;
	struct engine engine;
	struct check_key key = base_key;
	uint64_t before_us, took_us;

	results = 0;
	open_engine(&engine, loop, 1000);
	key.interval_ms = 60000;
	before_us = clock_mono_us();
	for (uint32_t i = 0; i < 60; i++) {
		key.fall = i + 1;
		checks[i] = check_begin(&engine, &key, NULL, 0);
	}
	ck_assert_uint_eq(engine.targets.count, 1);
	ck_assert_uint_eq(checks[0]->target->uses, 60);
	key.address[3] = 2; /* another address does not notice */
	other = check_begin(&engine, &key, NULL, 0);
	took_us = clock_mono_us();
	(void)ev_run(loop, EVRUN_NOWAIT); /* the turn of all of them */
	took_us = clock_mono_us() - took_us;
	ck_assert_uint_le(engine.counters.paced, 50);
	ck_assert_uint_ge(engine.counters.paced, 50 - took_us / 20000); /* the turn after 20 ms */
	while (other->checked_unix_ms == 0)
		(void)ev_run(loop, EVRUN_ONCE);
	ck_assert_uint_le(engine.counters.started, 12 + (clock_mono_us() - before_us) / 20000);
	while (results < 61)
		(void)ev_run(loop, EVRUN_ONCE);
	ck_assert_uint_ge(clock_mono_us() - before_us,
			  50 * 20000); /* ten at once, then 50 a second */
	ck_assert_uint_eq(engine.counters.passed_over, 0);
	for (int i = 0; i < 60; i++)
		check_end(checks[i]);
	check_end(other);
	ck_assert_uint_eq(engine.targets.count, 0);
	engine_close(&engine);
	(void)close(listener);
	close_loop(loop);
}
END_TEST

static int told;
static struct probe_result told_result;
static char told_why[PROBE_WHY_SIZE];

static void on_ended(struct check *check, const struct probe_result *result)
{
	told++;
	told_result = *result;
	(void)snprintf(told_why, sizeof(told_why), "%s", result->why);
	ck_assert_ptr_eq(check->context, &told);
	check_end(check);
}

START_TEST(check_that_is_made_once_tells_each_step_and_is_no_result)
{
	struct ev_loop *loop = open_loop();
	int listener = listen_on("127.93.9.1", PORT, 0);
	struct evidence evidence = { 0 };
	int fillers[FILLERS];
	struct check_key key = base_key;
	struct engine engine;

	results = told = 0;
	open_engine(&engine, loop, 10);
	(void)check_begin_once(&engine, &key, NULL, &evidence, on_ended, &told);
	while (told < 1)
		(void)ev_run(loop, EVRUN_ONCE);
	ck_assert_int_eq(told_result.outcome, PROBE_SUCCESS);
	ck_assert_str_eq(told_why, "connected");
	ck_assert_uint_eq(evidence.count, 2);
	ck_assert_str_eq(evidence.steps[0].text, "sent a TCP SYN");
	evidence_free(&evidence);
	evidence_note(&evidence, "a node says %s",
		      "\033[2J\r\n\x7f\xc2\x9b"
		      "2Jé");
	ck_assert_str_eq(evidence.steps[0].text, "a node says ?[2J?????2Jé");
	evidence_free(&evidence);
	fill_backlog(listener, "127.93.9.1", PORT, fillers);
	(void)check_begin_once(&engine, &key, NULL, &evidence, on_ended, &told);
	while (told < 2)
		(void)ev_run(loop, EVRUN_ONCE);
	ck_assert_int_eq(told_result.outcome, PROBE_FAILURE);
	ck_assert_str_eq(told_why, "timeout");
	ck_assert_str_eq(evidence.steps[1].text, "no answer that counts within 100 ms: given up");
	ck_assert_uint_ge(evidence.steps[1].at_us, 100000);
	ck_assert_int_eq(results, 0);
	ck_assert_uint_eq(engine.descriptors, 10);
	evidence_free(&evidence);
	engine_close(&engine);
	for (int i = 0; i < FILLERS; i++)
		(void)close(fillers[i]);
	(void)close(listener);
	close_loop(loop);
}
END_TEST

/* Who asks for it would wait for an interval. */
START_TEST(check_that_is_made_once_leaves_no_turn_out)
{
	struct ev_loop *loop = open_loop();
	int listener = listen_on("127.93.9.1", PORT, 16);
	struct check_key key = base_key;
	struct engine engine;
	struct check *check;

	told = 0;
	open_engine(&engine, loop, 10);
	key.interval_ms = 60000;
	check = check_begin_once(&engine, &key, NULL, NULL, on_ended, &told);
	check->due_us -= 10000000; /* so late it is, at least */
	while (told < 1)
		(void)ev_run(loop, EVRUN_ONCE);
	ck_assert_uint_eq(engine.counters.passed_over, 0);
	ck_assert_int_eq(told_result.outcome, PROBE_SUCCESS);
	engine_close(&engine);
	(void)close(listener);
	close_loop(loop);
}
END_TEST

START_TEST(loop_that_is_always_late_still_makes_every_check)
{
	struct ev_loop *loop = open_loop();
	int listener = listen_on("127.93.9.1", PORT, 1000);
	struct check_key key = base_key;
	struct engine engine;
	struct check *check;

	open_engine(&engine, loop, 1000);
	key.interval_ms = key.timeout_ms = 100;
	check = check_begin(&engine, &key, NULL, 0);
	for (int i = 0; i < 12; i++) {
		(void)usleep(250000); /* more than an interval and the tolerance */
		(void)ev_run(loop, EVRUN_NOWAIT);
	}
	ck_assert_uint_ge(engine.counters.started, 3);
	check_end(check);
	engine_close(&engine);
	(void)close(listener);
	close_loop(loop);
}
END_TEST

START_TEST(answer_that_came_while_the_loop_was_busy_is_no_timeout)
{
	struct ev_loop *loop = open_loop();
	int listener = listen_on("127.93.9.1", PORT, 16);
	struct check_key key = base_key;
	struct engine engine;
	struct check *check;

	results = 0;
	open_engine(&engine, loop, 10);
	key.interval_ms = 60000; /* nothing makes it late for its turn */
	check = check_begin(&engine, &key, NULL, 0);
	(void)ev_run(loop, EVRUN_NOWAIT); /* starts it */
	ck_assert_int_eq(check->phase, CHECK_RUNNING);
	(void)usleep(300000); /* three timeouts */
	(void)ev_run(loop, EVRUN_NOWAIT);
	ck_assert_int_eq(results, 1);
	ck_assert_int_gt(check->verdict, 0);
	ck_assert_uint_eq(check->rtt_us, 0); /* when it came is not known */
	check_end(check);
	engine_close(&engine);
	(void)close(listener);
	close_loop(loop);
}
END_TEST

/* More than the loop is told of at once. */
START_TEST(answers_that_came_while_the_loop_was_busy_are_no_timeouts_however_many)
{
	struct ev_loop *loop = open_loop();
	int listener = listen_on("0.0.0.0", PORT, 1000);
	struct check *checks[250];
	struct engine engine;

	results = 0;
	open_engine(&engine, loop, 1000);
	for (uint32_t i = 0; i < 250; i++) {
		struct check_key key = base_key;

		key.address[3] = (uint8_t)(i + 1);
		key.interval_ms = 60000;
		checks[i] = check_begin(&engine, &key, NULL, 0);
	}
	while (engine.counters.started < 250)
		(void)ev_run(loop, EVRUN_NOWAIT);
	(void)usleep(300000); /* three timeouts */
	while (results < 250)
		(void)ev_run(loop, EVRUN_ONCE);
	ck_assert_uint_eq(engine.counters.failures, 0);
	for (int i = 0; i < 250; i++)
		check_end(checks[i]);
	engine_close(&engine);
	(void)close(listener);
	close_loop(loop);
}
END_TEST

START_TEST(lateness_is_counted_to_a_quarter)
{
	struct ev_loop *loop = open_loop();
	int listener = listen_on("0.0.0.0", PORT, 1000);
	struct check *checks[20];
	struct engine engine;

	open_engine(&engine, loop, 1000);
	ck_assert_uint_eq(engine_late_us(&engine.counters, .99), 0); /* nothing has started */
	for (uint32_t i = 0; i < 20; i++) {
		struct check_key key = base_key;

		key.address[3] = (uint8_t)(i + 1);
		key.interval_ms = 60000;
		checks[i] = check_begin(&engine, &key, NULL, 0);
		checks[i]->due_us -= i < 10 ? 5000000 : 1000000; /* so late they are, at least */
	}
	while (engine.counters.started < 20)
		(void)ev_run(loop, EVRUN_ONCE);
	ck_assert_uint_ge(engine_late_us(&engine.counters, .5), 1000000);
	ck_assert_uint_ge(engine_late_us(&engine.counters, .99), 5000000);
	ck_assert_uint_le(engine_late_us(&engine.counters, .99),
			  engine.counters.late_max_us + engine.counters.late_max_us / 4);
	ck_assert_uint_lt(engine_late_us(&engine.counters, .5),
			  engine_late_us(&engine.counters, .6));
	for (int i = 0; i < 20; i++)
		check_end(checks[i]);
	engine_close(&engine);
	(void)close(listener);
	close_loop(loop);
}
END_TEST

/* Thirty of one address; the last twenty wait for their places, and lose them while we sleep. */
START_TEST(pace_of_an_address_holds_after_a_suspension)
{
	struct ev_loop *loop = open_loop();
	int listener = listen_on("0.0.0.0", PORT, 1000);
	struct check *checks[30];
	struct engine engine;
	uint64_t before, since_us;

	open_engine(&engine, loop, 1000);
	for (uint32_t i = 0; i < 30; i++) {
		struct check_key key = base_key;

		key.interval_ms = 60000;
		key.timeout_ms = 1000 + i;
		checks[i] = check_begin(&engine, &key, NULL, 0);
	}
	while (engine.counters.paced < 20)
		(void)ev_run(loop, EVRUN_ONCE);
	before = engine.counters.started;
	(void)usleep(800000);
	since_us = clock_mono_us();
	(void)ev_run(loop, EVRUN_ONCE);
	ck_assert_uint_le(engine.counters.started - before,
			  10 + (clock_mono_us() - since_us) / 20000);
	while (engine.counters.started < 30)
		(void)ev_run(loop, EVRUN_ONCE);
	for (int i = 0; i < 30; i++)
		check_end(checks[i]);
	engine_close(&engine);
	(void)close(listener);
	close_loop(loop);
}
END_TEST

static int running_at_once, overlaps;

static void never_start(struct kind *kind, struct probe *probe)
{
	(void)kind;
	(void)probe;
	overlaps += running_at_once++ > 0;
}

static void never_cancel(struct kind *kind, struct probe *probe)
{
	(void)kind;
	(void)probe;
	running_at_once--;
}

START_TEST(check_never_overlaps_itself)
{
	struct kind never = { .name = "never", .start = never_start, .cancel = never_cancel };
	struct ev_loop *loop = open_loop();
	struct check_key key = base_key;
	struct engine engine;
	struct kind *tcp;
	struct check *check;

	results = 0;
	open_engine(&engine, loop, 10);
	tcp = engine.kinds[PROBE_TCP];
	engine.kinds[PROBE_TCP] = &never;
	key.interval_ms = key.timeout_ms = 50;
	key.jitter_percent = 100; /* most turns come while the last is not over */
	check = check_begin(&engine, &key, NULL, 0);
	run_ms(loop, 600);
	ck_assert_int_ge(results, 4);
	ck_assert_int_eq(overlaps, 0);
	check_end(check);
	ck_assert_int_eq(running_at_once, 0);
	engine.kinds[PROBE_TCP] = tcp;
	engine_close(&engine);
	close_loop(loop);
}
END_TEST

void add_engine_tests(Suite *suite)
{
	suite_case(suite, "engine",
		   probes_beyond_the_descriptors_wait_their_turn_and_none_is_dropped,
		   queued_checks_go_on_when_those_before_them_are_ended,
		   blocked_loop_is_not_followed_by_a_storm,
		   address_of_many_checks_has_so_many_a_second_and_none_is_left_out,
		   check_that_is_made_once_tells_each_step_and_is_no_result,
		   check_that_is_made_once_leaves_no_turn_out,
		   loop_that_is_always_late_still_makes_every_check,
		   answer_that_came_while_the_loop_was_busy_is_no_timeout,
		   answers_that_came_while_the_loop_was_busy_are_no_timeouts_however_many,
		   check_never_overlaps_itself, lateness_is_counted_to_a_quarter,
		   pace_of_an_address_holds_after_a_suspension);
}
