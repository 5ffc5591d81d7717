#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "../run.h"
#include "base/clock.h"
#include "control/watch.h"
#include "control_test.h"

#define PATIENCE_S 20.

static char folder[64], list[96], other[96];
static struct ev_loop *loop;
static struct watch *watch;
static char told[96];
static size_t told_others, told_count;

static void changed(void *context, const char *path, size_t others)
{
	(void)context;
	(void)snprintf(told, sizeof(told), "%s", path);
	told_others = others;
	told_count++;
	ev_break(loop, EVBREAK_ALL);
}

static void put(const char *path, const char *text)
{
	FILE *file = fopen(path, "w");

	ck_assert_ptr_nonnull(file);
	(void)fputs(text, file);
	(void)fclose(file);
}

static void enough(struct ev_loop *l, struct ev_timer *timer, int events)
{
	(void)timer;
	(void)events;
	ev_break(l, EVBREAK_ALL);
}

/* Runs the loop until a change is told, or for so long. */
static bool wait_told(double seconds)
{
	struct ev_timer limit;
	size_t before = told_count;

	ev_timer_init(&limit, enough, seconds, 0.);
	ev_timer_start(loop, &limit);
	(void)ev_run(loop, 0);
	ev_timer_stop(loop, &limit);
	return told_count > before;
}

static void begin(void)
{
	const char *paths[] = { list, other };

	(void)snprintf(folder, sizeof(folder), "/tmp/test-watch-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(folder));
	(void)snprintf(list, sizeof(list), "%s/list.txt", folder);
	(void)snprintf(other, sizeof(other), "%s/other.txt", folder);
	put(list, "192.0.2.0/24\n");
	put(other, "1\n");
	loop = ev_loop_new(EVFLAG_AUTO);
	watch = watch_open(loop, changed, NULL);
	watch_files(watch, paths, 2, clock_unix_ms() + 10000);
}

static void end(void)
{
	watch_close(watch);
	ev_loop_destroy(loop);
	(void)unlink(list);
	(void)unlink(other);
	(void)rmdir(folder);
}

START_TEST(file_that_is_edited_replaced_or_removed_is_told_once_it_is_quiet)
{
	char temporary[112];

	ck_assert(!wait_told(1.5));
	put(list, "192.0.3.0/24\n"); /* of the same size */
	ck_assert(wait_told(PATIENCE_S));
	ck_assert_str_eq(told, list);
	ck_assert_uint_eq(told_others, 0);
	(void)snprintf(temporary, sizeof(temporary), "%s.new", list);
	put(temporary, "192.0.4.0/24\n");
	ck_assert_int_eq(rename(temporary, list), 0);
	ck_assert(wait_told(PATIENCE_S));
	ck_assert_int_eq(unlink(list), 0);
	put(other, "22\n");
	ck_assert(wait_told(PATIENCE_S));
	ck_assert_str_eq(told, list);
	ck_assert_uint_eq(told_others, 1); /* both at once */
	ck_assert(!wait_told(2.5));
	put(list, "192.0.2.0/24\n");
	ck_assert(wait_told(PATIENCE_S));
}
END_TEST

/* A look that is late comes shortly before the next one. */
START_TEST(file_is_quiet_for_a_second_however_soon_it_is_looked_at_again)
{
	uint64_t written_ms;

	ck_assert(!wait_told(1.2));
	(void)usleep(1700000); /* the loop stands still: the look that was due in between comes now */
	put(list, "192.0.3.0/2");
	written_ms = clock_mono_ms();
	ck_assert(wait_told(PATIENCE_S));
	ck_assert_uint_ge(clock_mono_ms(), written_ms + 900);
}
END_TEST

START_TEST(file_that_was_read_since_its_change_is_not_told)
{
	put(list, "192.0.3.0/24\n");
	watch_mark(watch);
	ck_assert(!wait_told(2.5));
}
END_TEST

START_TEST(new_file_that_was_written_after_it_may_have_been_read_is_told)
{
	const char *paths[] = { list };

	watch_files(watch, NULL, 0, 0);
	watch_files(watch, paths, 1, clock_unix_ms() - 60000);
	ck_assert(wait_told(PATIENCE_S));
	ck_assert(!wait_told(2.5));
}
END_TEST

void add_watch_cases(Suite *suite)
{
	TCase *tcase = tcase_create("watch");

	tcase_add_checked_fixture(tcase, begin, end);
	tcase_set_timeout(tcase, 60);
	tcase_add_test(tcase, file_that_is_edited_replaced_or_removed_is_told_once_it_is_quiet);
	tcase_add_test(tcase, file_is_quiet_for_a_second_however_soon_it_is_looked_at_again);
	tcase_add_test(tcase, file_that_was_read_since_its_change_is_not_told);
	tcase_add_test(tcase, new_file_that_was_written_after_it_may_have_been_read_is_told);
	suite_add_tcase(suite, tcase);
}
