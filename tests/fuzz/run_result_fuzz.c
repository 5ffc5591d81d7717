/* Results of signpost-run, which may have been taken over by what it ran, as control reads them. */
#include <string.h>

#include "base/mem.h"
#include "probe/runner.h"
#include "probe/runner_result.h"
#include "tests/fuzz/fuzz.h"

const unsigned long fuzz_runs = 300000, fuzz_runs_an_accepted = 20;

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
	return 0;
}

/* People are told of it in words, whatever it is. */
static void check_words(const struct runner_result *result)
{
	const struct run_outcome outcome = { .end = (enum run_end)result->head.end,
					     .status = result->head.status };
	char text[RUN_END_SIZE] = "";

	must(runner_end_text(&outcome, text) == text);
	must(text[0] != '\0' && strstr(text, "(null)") == NULL);
}

static void read_result(const uint8_t *data, size_t size)
{
	struct runner_result *result = mem_alloc(sizeof(*result));
	const size_t head_size = sizeof(result->head);
	struct err err = { "" };

	if (runner_result_read(data, size, result, &err) == 0) {
		const struct run_result *head = &result->head;

		fuzz_accepted++;
		must(size == head_size + head->output_len + head->errors_len);
		must(memcmp(result->output, data + head_size, head->output_len) == 0);
		must(memcmp(result->errors, data + head_size + head->output_len,
			    head->errors_len) == 0);
		must(result->output[head->output_len] == '\0');
		must(result->errors[head->errors_len] == '\0');
		must(head->end != RUN_LOST);
		check_words(result);
	} else {
		must(err.text[0] != '\0');
	}
	free(result);
}

/* As it is, and then with its mark and the length of its error output put right. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct buf right = { 0 };
	struct run_result head;

	read_result(data, size);
	if (size < sizeof(head))
		return 0;
	memcpy(&head, data, sizeof(head));
	head.magic = RUN_MAGIC;
	head.errors_len = (uint32_t)(size - sizeof(head)) - head.output_len;
	buf_append(&right, &head, sizeof(head));
	buf_append(&right, data + sizeof(head), size - sizeof(head));
	read_result(right.data, right.len);
	buf_free(&right);
	return 0;
}
