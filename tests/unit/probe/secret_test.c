#include "probe/secret.h"

#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/unit/probe/probe_test.h"

static char path[] = "/tmp/signpost-secret-XXXXXX";

static void make_file(void)
{
	int fd;

	(void)strcpy(path + sizeof(path) - 7, "XXXXXX");
	fd = mkstemp(path);
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(write(fd, "abc\n", 4), 4);
	(void)close(fd);
}

START_TEST(a_secret_is_all_that_its_file_holds)
{
	char text[5];
	size_t len;
	struct err err;

	make_file();
	ck_assert_int_eq(secret_read(path, text, sizeof(text), &len, &err), 0);
	ck_assert_uint_eq(len, 4);
	ck_assert_str_eq(text, "abc\n");
	(void)unlink(path);
	secret_wipe(text, sizeof(text));
	ck_assert_mem_eq(text, "\0\0\0\0", sizeof(text));
}
END_TEST

START_TEST(a_secret_that_is_too_long_leaves_nothing_of_itself)
{
	char text[4] = "xxx";
	size_t len;
	struct err err;

	make_file();
	ck_assert_int_eq(secret_read(path, text, sizeof(text), &len, &err), -1);
	(void)unlink(path);
	ck_assert_ptr_nonnull(strstr(err.text, ": is too long"));
	ck_assert_mem_eq(text, "\0\0\0", sizeof(text));
}
END_TEST

START_TEST(what_is_no_file_with_something_in_it_is_told)
{
	char text[16];
	size_t len;
	struct err err;

	make_file();
	ck_assert_int_eq(secret_read("/", text, sizeof(text), &len, &err), -1);
	ck_assert_str_eq(err.text, "/: is not a file");
	ck_assert_int_eq(truncate(path, 0), 0);
	ck_assert_int_eq(secret_read(path, text, sizeof(text), &len, &err), -1);
	ck_assert_ptr_nonnull(strstr(err.text, ": is empty"));
	ck_assert_int_eq(unlink(path), 0);
	ck_assert_int_eq(secret_read(path, text, sizeof(text), &len, &err), -1);
	ck_assert_ptr_nonnull(strstr(err.text, ": No such file"));
	/* Nobody ever writes into it: that must not be waited for. */
	ck_assert_int_eq(mkfifo(path, 0600), 0);
	ck_assert_int_eq(secret_read(path, text, sizeof(text), &len, &err), -1);
	ck_assert_ptr_nonnull(strstr(err.text, ": is not a file"));
	(void)unlink(path);
}
END_TEST

void add_secret_tests(Suite *suite)
{
	suite_case(suite, "secret", a_secret_is_all_that_its_file_holds,
		   a_secret_that_is_too_long_leaves_nothing_of_itself,
		   what_is_no_file_with_something_in_it_is_told);
}
