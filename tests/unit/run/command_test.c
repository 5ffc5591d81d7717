/* Requests as signpost-run reads them, and commands without the program around them. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "run/command.h"
#include "tests/unit/run/run_test.h"

#define PATIENCE_MS 20000

static char *words[RUN_WORDS_MAX + 1], *variables[RUN_VARIABLES_MAX + 1];
static struct run_request request;

/* What command_read says to `request` with this text behind it. */
static int read_with(const char *text, size_t len)
{
	char message[256];
	struct err err;

	memcpy(message, &request, sizeof(request));
	memcpy(message + sizeof(request), text, len);
	return command_read(message, sizeof(request) + len, &request, words, variables, &err);
}

static void ask(uint32_t word_count, uint32_t variable_count, uint32_t text_len)
{
	request = (struct run_request){ .magic = RUN_MAGIC,
					.ask = RUN_START,
					.id = 7,
					.timeout_ms = 1000,
					.words = word_count,
					.variables = variable_count,
					.text_len = text_len };
}

START_TEST(words_and_variables_are_read_back)
{
	static char text[] = "/bin/a\0b c\0\0A=1";

	ask(3, 1, sizeof(text));
	ck_assert_int_eq(read_with(text, sizeof(text)), 0);
	/* They are in the message, which is gone: only that they end is left to see. */
	ck_assert_ptr_null(words[3]);
	ck_assert_ptr_null(variables[1]);
	ck_assert_int_eq(words[1] - words[0], 7);
	ck_assert_int_eq(words[2] - words[1], 4);
	ck_assert_int_eq(variables[0] - words[2], 1);
}
END_TEST

START_TEST(requests_that_do_not_hold_together_are_refused)
{
	static const struct {
		uint32_t words, variables, text_len;
		const char *text;
		size_t len;
	} rows[] = {
		{ 0, 0, 0, "", 0 },                       /* no word */
		{ 1, 0, 3, "/a", 2 },                     /* shorter than it says */
		{ 1, 0, 2, "/a", 3 },                     /* longer */
		{ 1, 0, 2, "/a", 2 },                     /* no NUL */
		{ 2, 0, 3, "/a", 3 },                     /* a word too few */
		{ 1, 0, 5, "/a\0b", 5 },                  /* a word too many */
		{ 1, 1, 3, "/a", 3 },                     /* a variable too few */
		{ RUN_WORDS_MAX + 1, 0, 3, "/a", 3 },     /* no room */
		{ 1, RUN_VARIABLES_MAX + 1, 3, "/a", 3 }, /* no room */
		{ UINT32_MAX, UINT32_MAX, 3, "/a", 3 },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		ask(rows[i].words, rows[i].variables, rows[i].text_len);
		ck_assert_msg(read_with(rows[i].text, rows[i].len) == -1, "row %zu", i);
	}
	ask(1, 0, 3);
	request.magic++;
	ck_assert_int_eq(read_with("/a", 3), -1);
	ask(1, 0, 3);
	request.ask = RUN_PING + 1;
	ck_assert_int_eq(read_with("/a", 3), -1);
	request.ask = 0;
	ck_assert_int_eq(read_with("/a", 3), -1);
	ask(1, 0, 3);
	request.timeout_ms = 0;
	ck_assert_int_eq(read_with("/a", 3), -1);
}
END_TEST

START_TEST(command_starts_with_nothing_of_ours)
{
	static char shell[] = "/bin/sh", dash_c[] = "-c", name[] = "A=b";
	static char script[] = "ls /proc/self/fd | tr '\\n' ' '; pwd; env | sort | tr '\\n' ' '; "
			       "cat; grep -c 'SigBlk.*0000000000000000' /proc/self/status";
	char *argv[] = { shell, dash_c, script, NULL }, *envp[] = { name, NULL };
	static struct command command;
	uint64_t until_ms = clock_mono_ms() + PATIENCE_MS;
	struct run_result result = { 0 };
	int open_one = fcntl(0, F_DUPFD, 20); /* not closed at exec */

	ck_assert_int_ge(open_one, 20);
	ask(3, 1, 0);
	request.timeout_ms = PATIENCE_MS;
	ck_assert_int_eq(command_start(&command, &request, argv, envp), 0);
	ck_assert_int_eq(getpgid(command.pid), command.pid);
	while (!command_reap(&command, &result) && clock_mono_ms() < until_ms)
		(void)usleep(1000);
	ck_assert_uint_eq(result.id, 7);
	ck_assert_uint_eq(result.end, RUN_EXITED);
	ck_assert_int_eq(result.status, 0);
	command.output_text[command.output.kept] = '\0';
	/* Descriptor 3 is that of the folder that ls reads. */
	ck_assert_str_eq(command.output_text, "0 1 2 3 /\nA=b PWD=/ 1\n");
	ck_assert_int_eq(command.pid, 0);
	(void)close(open_one);
}
END_TEST

void add_command_tests(Suite *suite)
{
	suite_case(suite, "command", words_and_variables_are_read_back,
		   requests_that_do_not_hold_together_are_refused,
		   command_starts_with_nothing_of_ours);
}
