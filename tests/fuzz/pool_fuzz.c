/* A pool file: read; what is without mistakes is compiled with all that belongs to it, steered and
 * served. Of that, what holds is shown, too, and read again is the same. */
#include <string.h>

#include "conf/effective.h"
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

/* The name of the pool in the file. */
static const char *name_in(const struct config *config)
{
	size_t i = 0;

	while (strcmp(config->pools[i].file, sample_path(SAMPLE_POOL)) != 0)
		must(++i < config->pool_count);
	return config->pools[i].name;
}

/* The file as it would be with everything written in it; the caller's. */
static char *shown(size_t *size)
{
	struct diag *diag = diag_new();
	struct arena arena = { 0 };
	struct effective effective;
	struct config config;
	struct err err;
	char *text = NULL;
	FILE *out = open_memstream(&text, size);

	must(out != NULL);
	must(effective_read(&effective, &config, sample_path(SAMPLE_SERVER), &arena, diag) == 0);
	must(diag_errors(diag) == 0);
	must_do(effective_print(&effective, &config, name_in(&config), NULL, false, out, &err),
		&err);
	must(fclose(out) == 0);
	arena_free(&arena);
	diag_free(diag);
	return text;
}

/* The comments tell of places in the file that was read: those of the second and third are equal
 * where all values are. */
static void check_shown(void)
{
	char *texts[3];
	size_t sizes[3];

	for (size_t i = 0; i < 3; i++) {
		texts[i] = shown(&sizes[i]);
		sample_write(SAMPLE_POOL, texts[i], sizes[i]);
	}
	must(sizes[1] == sizes[2] && memcmp(texts[1], texts[2], sizes[1]) == 0);
	for (size_t i = 0; i < 3; i++)
		free(texts[i]);
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
	check_shown();
	return 0;
}
