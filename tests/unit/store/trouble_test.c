/* trouble_test.c - disks and files that are not as they should be. */
#include <fcntl.h>
#include <glob.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "tests/unit/store/store_test.h"

static void path_in_home(char path[128], const char *name)
{
	(void)snprintf(path, 128, "%s/%s", home, name);
}

static void write_file(const char *name, const void *data, size_t size, off_t at)
{
	char path[128];
	int fd;

	path_in_home(path, name);
	fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(pwrite(fd, data, size, at), (ssize_t)size);
	(void)close(fd);
}

static int count_damaged(void)
{
	char pattern[128];
	glob_t found;
	int count;

	path_in_home(pattern, "signpost.db.damaged-*[0-9]");
	count = glob(pattern, 0, NULL, &found) == 0 ? (int)found.gl_pathc : 0;
	globfree(&found);
	return count;
}

static int rows_seen;

static void count_row(void *context, const struct store_status *row)
{
	(void)context;
	(void)row;
	rows_seen++;
}

static void expect_that_it_writes(struct store *store, const char *node)
{
	struct store_status row = make_status(node, "up", clock_unix_ms());
	char sql[128];

	store_transition(store, &row, &(struct store_before){ "down", "" });
	ck_assert(is_written(store));
	(void)snprintf(sql, sizeof(sql), "SELECT count(*) FROM transitions WHERE node = '%s'",
		       node);
	ck_assert_str_eq(ask(sql), "1");
}

START_TEST(file_that_is_no_database_is_moved_aside)
{
	char junk[8192];
	struct store_health health;
	struct store *store;
	struct err err;

	make_home();
	memset(junk, 'x', sizeof(junk));
	write_file("signpost.db", junk, sizeof(junk), 0);
	ck_assert_int_eq(store_open(&store, home, &kept_for_long, &err), 0);
	ck_assert_ptr_nonnull(strstr(err.text, "moved aside as "));
	ck_assert_ptr_nonnull(strstr(err.text, home));
	ck_assert_int_eq(count_damaged(), 1);
	store_health(store, &health);
	ck_assert_str_eq(health.error, "");
	ck_assert_int_eq(store_load(store, count_row, NULL, &err), 0);
	ck_assert_int_eq(rows_seen, 0);
	expect_that_it_writes(store, "edge/a");
	store_close(store);
	remove_home();
}
END_TEST

#define FIRST_PAGES 32 /* where the schema is: damage there shows when it is opened */

/* A database of many pages, closed, of which all but the first are then overwritten. */
static void make_damaged(void)
{
	struct store *store;
	char path[128];
	char junk[4096];
	struct stat st;
	struct err err;

	ck_assert_int_eq(store_open(&store, home, &kept_for_long, &err), 0);
	for (int i = 0; i < 2000; i++) {
		char name[32];

		(void)snprintf(name, sizeof(name), "edge/node-%d", i);
		struct store_status row = make_status(name, "up", clock_unix_ms());

		store_transition(store, &row, &(struct store_before){ "down", "" });
	}
	ck_assert(is_written(store));
	store_close(store);
	path_in_home(path, "signpost.db");
	ck_assert_int_eq(stat(path, &st), 0);
	ck_assert_int_gt(st.st_size, 2 * FIRST_PAGES * 4096);
	memset(junk, 0xa5, sizeof(junk));
	for (off_t at = FIRST_PAGES * 4096; at < st.st_size; at += 4096)
		write_file("signpost.db", junk, sizeof(junk), at);
}

START_TEST(damage_that_shows_when_it_is_read_gives_no_rows_and_a_new_database)
{
	struct store_health health;
	struct store *store;
	struct err err;
	FILE *holder;

	make_home();
	make_damaged();
	holder = lock_database(); /* or deleting what is too old may find it first */
	ck_assert_int_eq(store_open(&store, home, &kept_for_long, &err), 0);
	ck_assert_int_eq(store_load(store, count_row, NULL, &err), -1);
	ck_assert_ptr_nonnull(strstr(err.text, "malformed"));
	ck_assert_int_eq(rows_seen, 0);
	unlock_database(holder);
	for (int i = 0; i < 1000 && count_damaged() == 0; i++)
		(void)usleep(10000);
	ck_assert_int_eq(count_damaged(), 1);
	expect_that_it_writes(store, "edge/new");
	ck_assert(has_error(store, false));
	ck_assert_str_eq(ask("SELECT count(*) FROM node_status"), "1");
	store_health(store, &health);
	ck_assert_uint_gt(health.damaged_unix_ms, 0);
	ck_assert_ptr_nonnull(strstr(health.damaged_path, "/signpost.db.damaged-"));
	store_close(store);
	remove_home();
}
END_TEST

static void log_to_file(void)
{
	char path[128];

	path_in_home(path, "log");
	ck_assert_ptr_nonnull(freopen(path, "w", stderr));
}

static bool log_has(const char *text)
{
	char command[256];

	(void)snprintf(command, sizeof(command), "grep -q '%s' %s/log", text, home);
	return system(command) == 0;
}

START_TEST(damage_that_shows_when_it_is_written_loses_nothing_that_was_queued)
{
	struct store *store;
	struct err err;

	make_home();
	make_damaged();
	log_to_file();
	ck_assert_int_eq(store_open(&store, home, &kept_for_long, &err), 0);
	expect_that_it_writes(store, "edge/new");
	ck_assert_int_eq(count_damaged(), 1);
	ck_assert(has_error(store, false));
	store_close(store);
	ck_assert(log_has("database was damaged"));
	ck_assert_msg(!log_has("cannot be written"), "what was queued was written at once");
	remove_home();
}
END_TEST

START_TEST(database_of_a_newer_schema_is_left_alone)
{
	struct store_status row = make_status("edge/a", "up", clock_unix_ms());
	struct store_health health;
	struct store *store;
	struct err err;

	make_home();
	(void)ask("CREATE TABLE node_status (something TEXT); PRAGMA user_version = 99");
	ck_assert_int_eq(store_open(&store, home, &kept_for_long, &err), 0);
	ck_assert_ptr_nonnull(strstr(err.text, "its schema is 99, this program knows up to 6"));
	store_health(store, &health);
	ck_assert_ptr_nonnull(strstr(health.error, "its schema is 99"));
	ck_assert_int_eq(store_load(store, count_row, NULL, &err), -1);
	store_transition(store, &row, &(struct store_before){ "down", "" });
	(void)usleep(300000);
	store_health(store, &health);
	ck_assert_uint_eq(health.pending, 2);
	ck_assert_uint_eq(health.written, 0);
	store_close(store);
	ck_assert_int_eq(count_damaged(), 0);
	ck_assert_str_eq(ask("PRAGMA journal_mode; PRAGMA user_version; SELECT count(*) FROM "
			     "sqlite_schema"),
			 "delete\n99\n1");
	remove_home();
}
END_TEST

START_TEST(missing_directory_is_reported_and_writing_begins_when_it_is_there)
{
	struct store_status row = make_status("edge/a", "up", clock_unix_ms());
	struct store_health health;
	struct store *store;
	struct err err;

	make_home();
	ck_assert_int_eq(rmdir(home), 0);
	ck_assert_int_eq(store_open(&store, home, &kept_for_long, &err), 0);
	ck_assert_ptr_nonnull(strstr(err.text, "unable to open"));
	store_health(store, &health);
	ck_assert_ptr_nonnull(strstr(health.error, "unable to open"));
	ck_assert_int_eq(store_load(store, count_row, NULL, &err), -1);
	store_status(store, &row);
	ck_assert_int_eq(mkdir(home, 0755), 0);
	ck_assert(has_error(store, false));
	ck_assert(is_written(store));
	ck_assert_str_eq(ask("SELECT node FROM node_status"), "edge/a");
	store_close(store);
	remove_home();
}
END_TEST

START_TEST(database_that_was_removed_while_it_runs_is_made_anew)
{
	struct store *store;
	struct err err;
	char path[128];

	make_home();
	ck_assert_int_eq(store_open(&store, home, &kept_for_long, &err), 0);
	expect_that_it_writes(store, "edge/before");
	path_in_home(path, "signpost.db");
	ck_assert_int_eq(unlink(path), 0);
	expect_that_it_writes(store, "edge/after");
	store_close(store);
	remove_home();
}
END_TEST

/* Until there is no room, not even what was freed meanwhile. */
static void fill(const char *path)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);

	ck_assert_int_ge(fd, 0);
	while (write(fd, home, sizeof(home)) > 0) {}
	(void)close(fd);
}

START_TEST(full_disk_is_reported_and_writing_resumes_when_there_is_room)
{
	struct store_health health;
	struct store *store;
	char filler[128];
	struct err err;

	make_home();
	if (mount("tmpfs", home, "tmpfs", 0, "size=512k") != 0) {
		(void)fprintf(stderr, "left out: needs the right to mount\n");
		remove_home();
		return;
	}
	ck_assert_int_eq(store_open(&store, home, &kept_for_long, &err), 0);
	expect_that_it_writes(store, "edge/first");
	path_in_home(filler, "filler");
	fill(filler);
	for (int i = 0; i < 300; i++) {
		char name[32];

		(void)snprintf(name, sizeof(name), "edge/node-%d", i);
		struct store_status row = make_status(name, "up", clock_unix_ms());

		store_transition(store, &row, &(struct store_before){ "down", "" });
	}
	ck_assert(has_error(store, true));
	store_health(store, &health);
	ck_assert_ptr_nonnull(strstr(health.error, "full"));
	ck_assert_uint_eq(health.pending, 600);
	fill(filler);
	/* Who reads needs no room. */
	ck_assert_str_eq(ask("SELECT count(*) FROM transitions"), "1");
	ck_assert_int_eq(unlink(filler), 0);
	ck_assert(is_written(store));
	ck_assert(has_error(store, false));
	ck_assert_str_eq(ask("SELECT count(*), count(DISTINCT node) FROM transitions"), "301|301");
	ck_assert_str_eq(ask("PRAGMA integrity_check"), "ok");
	store_close(store);
	ck_assert_int_eq(umount(home), 0);
	remove_home();
}
END_TEST

/* How long it takes with a row to write, in a database that another connection keeps locked. */
static uint64_t close_locked_ms(void)
{
	struct store_status row = make_status("edge/a", "up", clock_unix_ms());
	struct store *store;
	uint64_t took_ms;
	struct err err;
	FILE *holder;

	ck_assert_int_eq(store_open(&store, home, &kept_for_long, &err), 0);
	holder = lock_database();
	store_transition(store, &row, &(struct store_before){ "down", "" });
	took_ms = clock_mono_ms();
	store_close(store);
	took_ms = clock_mono_ms() - took_ms;
	unlock_database(holder);
	return took_ms;
}

/* The machine can only make it longer: the shortest of up to five tells. */
START_TEST(closing_takes_two_seconds_at_most_even_when_nothing_can_be_written)
{
	uint64_t least_ms = UINT64_MAX;

	make_home();
	for (int i = 0; i < 5 && least_ms > 2300; i++) {
		uint64_t took_ms = close_locked_ms();

		least_ms = took_ms < least_ms ? took_ms : least_ms;
	}
	ck_assert_uint_le(least_ms, 2300);
	remove_home();
}
END_TEST

void add_trouble_tests(Suite *suite)
{
	suite_case(suite, "trouble", file_that_is_no_database_is_moved_aside,
		   damage_that_shows_when_it_is_read_gives_no_rows_and_a_new_database,
		   damage_that_shows_when_it_is_written_loses_nothing_that_was_queued,
		   database_of_a_newer_schema_is_left_alone,
		   missing_directory_is_reported_and_writing_begins_when_it_is_there,
		   database_that_was_removed_while_it_runs_is_made_anew,
		   full_disk_is_reported_and_writing_resumes_when_there_is_room,
		   closing_takes_two_seconds_at_most_even_when_nothing_can_be_written);
}
