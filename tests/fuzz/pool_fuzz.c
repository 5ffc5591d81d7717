/* A pool file: read; what is without mistakes is compiled with all that belongs to it, steered and
 * served. */
#include "tests/fuzz/ask.h"
#include "tests/fuzz/sample.h"

const unsigned long fuzz_runs = 1500, fuzz_runs_an_accepted = 50;

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
	sample_open();
	return 0;
}

static bool is_right(void)
{
	struct diag *diag = diag_new();
	struct arena arena = { 0 };
	struct config config;
	bool right;

	must(config_read(&config, sample_path(SAMPLE_SERVER), false, &arena, diag) == 0);
	right = diag_errors(diag) == 0;
	arena_free(&arena);
	diag_free(diag);
	return right;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct sample sample;

	sample_write(SAMPLE_POOL, data, size);
	if (!is_right())
		return 0;
	fuzz_accepted++;
	if (sample_compile(&sample))
		ask_everything(&sample.world);
	sample_close(&sample);
	return 0;
}
