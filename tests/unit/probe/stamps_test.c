#include "probe/stamps.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/unit/probe/probe_test.h"

static char folder[] = "/tmp/signpost-stamps-XXXXXX";
static char path[64];

static void make_folder(void)
{
	ck_assert_ptr_nonnull(mkdtemp(folder));
	(void)snprintf(path, sizeof(path), "%s/stamp", folder);
}

static void end_folder(void)
{
	(void)unlink(path);
	ck_assert_int_eq(rmdir(folder), 0);
}

/* One run of the program: opens, takes `count` timestamps at this time, ends. The last is in `out`,
 * and all are later than what was there. */
static void run_at(uint64_t unix_ms, int count, uint8_t out[STAMP_SIZE])
{
	struct stamps stamps;
	struct err err;

	ck_assert_int_eq(stamps_open(&stamps, path, &err), 0);
	for (int i = 0; i < count; i++) {
		uint8_t next[STAMP_SIZE];

		ck_assert_int_eq(stamps_next(&stamps, unix_ms, next, &err), 0);
		ck_assert_int_gt(memcmp(next, out, STAMP_SIZE), 0);
		memcpy(out, next, STAMP_SIZE);
	}
	stamps_close(&stamps);
}

START_TEST(timestamp_is_that_of_the_clock)
{
	static const uint8_t known[STAMP_SIZE] = { 0x40, 0,    0,    0,    0x65, 0x53,
						   0xf1, 0x0a, 0x07, 0x54, 0xd4, 0xc0 };
	uint8_t stamp[STAMP_SIZE];
	struct stamps stamps;
	struct err err;

	ck_assert_int_eq(stamps_open(&stamps, NULL, &err), 0);
	ck_assert_int_eq(stamps_next(&stamps, UINT64_C(1700000000123), stamp, &err), 0);
	ck_assert_mem_eq(stamp, known, sizeof(known)); /* 123,000,000 ns */
	stamps_close(&stamps);
}
END_TEST

START_TEST(timestamps_grow_whatever_the_clock_does)
{
	const uint64_t now_ms = UINT64_C(1700000000000), day_ms = 86400000;
	uint8_t last[STAMP_SIZE] = { 0 };

	make_folder();
	run_at(now_ms, 1000, last);
	run_at(now_ms, 1, last);               /* at once after it */
	run_at(now_ms - day_ms, 1000, last);   /* set back, and started again */
	run_at(now_ms + day_ms, 10, last);     /* set forward */
	run_at(now_ms, 10, last);              /* and put right */
	run_at(now_ms + 2 * day_ms, 10, last); /* the clock itself, from here on */
	ck_assert_int_eq(last[7], (int)((now_ms + 2 * day_ms) / 1000 + 10) & 0xff);
	end_folder();
}
END_TEST

START_TEST(file_is_written_once_a_minute_and_is_nobody_elses)
{
	struct stat before, after;
	uint8_t stamp[STAMP_SIZE];
	struct stamps stamps;
	struct err err;

	make_folder();
	ck_assert_int_eq(stamps_open(&stamps, path, &err), 0);
	ck_assert_int_eq(stamps_next(&stamps, 1000000, stamp, &err), 0);
	ck_assert_int_eq(stat(path, &before), 0);
	ck_assert_uint_eq(before.st_mode & 0777, 0600);
	ck_assert_int_eq(unlink(path), 0); /* so that a write is noticed */
	ck_assert_int_eq(stamps_next(&stamps, 1000000 + 59999, stamp, &err), 0);
	ck_assert_int_eq(stat(path, &after), -1);
	ck_assert_int_eq(stamps_next(&stamps, 1000000 + 60000, stamp, &err), 0);
	ck_assert_int_eq(stat(path, &after), 0);
	stamps_close(&stamps);
	end_folder();
}
END_TEST

START_TEST(what_the_file_holds_may_be_anything)
{
	static const char *const texts[] = { "",
					     "x\n",
					     "0170000000000000000\n",
					     "01700000000000000000x",
					     "99999999999999999999\n",
					     "07258118400000000001\n",
					     "01700000000000000000\n\n" };
	uint8_t stamp[STAMP_SIZE];
	struct stamps stamps;
	struct err err;

	make_folder();
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		FILE *file = fopen(path, "w");

		ck_assert_ptr_nonnull(file);
		ck_assert_int_ge(fputs(texts[i], file), 0);
		ck_assert_int_eq(fclose(file), 0);
		ck_assert_int_eq(stamps_open(&stamps, path, &err), -1);
		ck_assert_ptr_nonnull(strstr(err.text, ": holds something else than a time"));
		ck_assert_int_eq(stamps_next(&stamps, 1, stamp, &err),
				 0); /* goes on, and mends it */
		stamps_close(&stamps);
		ck_assert_int_eq(stamps_open(&stamps, path, &err), 0);
		stamps_close(&stamps);
	}
	end_folder();
}
END_TEST

START_TEST(file_that_cannot_be_written_is_told_and_timestamps_go_on)
{
	uint8_t first[STAMP_SIZE], second[STAMP_SIZE];
	struct stamps stamps;
	struct err err;

	ck_assert_int_eq(stamps_open(&stamps, "/none/stamp", &err), 0);
	ck_assert_int_eq(stamps_next(&stamps, 1, first, &err), -1);
	ck_assert_str_eq(err.text, "/none/stamp: No such file or directory");
	ck_assert_int_eq(stamps_next(&stamps, 1, second, &err), 0); /* in a minute again */
	ck_assert_int_gt(memcmp(second, first, STAMP_SIZE), 0);
	stamps_close(&stamps);
}
END_TEST

void add_stamps_tests(Suite *suite)
{
	suite_case(suite, "stamps", timestamp_is_that_of_the_clock,
		   timestamps_grow_whatever_the_clock_does,
		   file_is_written_once_a_minute_and_is_nobody_elses,
		   what_the_file_holds_may_be_anything,
		   file_that_cannot_be_written_is_told_and_timestamps_go_on);
}
