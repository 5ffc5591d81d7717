/* Requests as signpost-run reads them. What it takes is written again from the words and variables
 * that it read, and must be the same. */
#include <string.h>

#include "base/mem.h"
#include "run/command.h"
#include "tests/fuzz/fuzz.h"

const unsigned long fuzz_runs = 300000, fuzz_runs_an_accepted = 20;

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
	return 0;
}

static void put(struct buf *out, char *const *texts, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++)
		buf_append(out, texts[i], strlen(texts[i]) + 1);
	must(texts[count] == NULL);
}

static void read_request(const uint8_t *data, size_t size)
{
	char *words[RUN_WORDS_MAX + 1], *variables[RUN_VARIABLES_MAX + 1];
	struct run_request request;
	struct buf again = { 0 };
	struct err err = { "" };

	if (command_read(data, size, &request, words, variables, &err) != 0) {
		must(err.text[0] != '\0');
		return;
	}
	fuzz_accepted++;
	buf_append(&again, &request, sizeof(request));
	if (request.ask == RUN_START) {
		must(request.words > 0 && request.timeout_ms > 0);
		put(&again, words, request.words);
		put(&again, variables, request.variables);
		must(again.len == size);
	} else {
		must(words[0] == NULL && variables[0] == NULL);
	}
	must(memcmp(again.data, data, again.len) == 0);
	buf_free(&again);
}

/* As it is, and then with its mark and its length put right. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct buf right = { 0 };
	struct run_request request;

	if (size > RUN_REQUEST_MAX)
		return 0;
	read_request(data, size);
	if (size < sizeof(request))
		return 0;
	memcpy(&request, data, sizeof(request));
	request.magic = RUN_MAGIC;
	request.text_len = (uint32_t)(size - sizeof(request));
	buf_append(&right, &request, sizeof(request));
	buf_append(&right, data + sizeof(request), request.text_len);
	read_request(right.data, right.len);
	buf_free(&right);
	return 0;
}
