#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "tests/unit/store/store_test.h"

#define PATIENCE_MS 50000

const struct store_kept kept_for_long = { 90, 7 };

char home[64];

void make_home(void)
{
	(void)snprintf(home, sizeof(home), "/tmp/test-store-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(home));
}

void remove_home(void)
{
	char command[128];

	(void)snprintf(command, sizeof(command), "rm -rf %s", home);
	ck_assert_int_eq(system(command), 0);
}

const char *ask(const char *sql)
{
	static char answer[4096];
	char command[1024];
	size_t size;
	FILE *pipe;

	(void)snprintf(command, sizeof(command),
		       "sqlite3 -cmd '.timeout 5000' %s/signpost.db \"%s\" 2>&1", home, sql);
	pipe = popen(command, "r");
	ck_assert_ptr_nonnull(pipe);
	size = fread(answer, 1, sizeof(answer) - 1, pipe);
	answer[size] = '\0';
	(void)pclose(pipe);
	while (size > 0 && answer[size - 1] == '\n')
		answer[--size] = '\0';
	return answer;
}

FILE *lock_database(void)
{
	uint64_t until_ms = clock_mono_ms() + PATIENCE_MS;
	char command[128], locked[128];
	FILE *holder;

	(void)snprintf(locked, sizeof(locked), "%s/locked", home);
	(void)snprintf(command, sizeof(command), "sqlite3 -bail %s/signpost.db >/dev/null", home);
	(void)unlink(locked);
	holder = popen(command, "w");
	ck_assert_ptr_nonnull(holder);
	(void)fprintf(holder, ".timeout 5000\nBEGIN IMMEDIATE;\n.shell touch %s\n", locked);
	(void)fflush(holder);
	while (access(locked, F_OK) != 0) {
		ck_assert_msg(clock_mono_ms() < until_ms, "the database cannot be locked");
		(void)usleep(5000);
	}
	return holder;
}

void unlock_database(FILE *holder)
{
	(void)fputs("ROLLBACK;\n", holder);
	(void)pclose(holder);
}

struct store_status make_status(const char *node, const char *status, uint64_t at_ms)
{
	struct store_status row = { .since_unix_ms = at_ms, .checked_unix_ms = at_ms };

	(void)snprintf(row.node, sizeof(row.node), "%s", node);
	(void)snprintf(row.status, sizeof(row.status), "%s", status);
	return row;
}

bool is_written(struct store *store)
{
	uint64_t until_ms = clock_mono_ms() + PATIENCE_MS;
	struct store_health health;

	for (;;) {
		store_health(store, &health);
		if (health.pending == 0)
			return true;
		if (clock_mono_ms() > until_ms)
			return false;
		(void)usleep(5000);
	}
}

bool has_error(struct store *store, bool wanted)
{
	uint64_t until_ms = clock_mono_ms() + PATIENCE_MS;
	struct store_health health;

	for (;;) {
		store_health(store, &health);
		if ((health.error[0] != '\0') == wanted)
			return true;
		if (clock_mono_ms() > until_ms)
			return false;
		(void)usleep(5000);
	}
}

int main(void)
{
	Suite *suite = suite_create("store");

	(void)setenv("CK_DEFAULT_TIMEOUT", "60", 0);
	add_queue_tests(suite);
	add_reader_tests(suite);
	add_store_tests(suite);
	add_trouble_tests(suite);
	return run_suite(suite);
}
