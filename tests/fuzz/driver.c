/* A fuzz target without libFuzzer: a test with a fixed number of inputs.
 *
 *   fuzz-zone            the seeds of tests/fuzz/seeds/zone, then fuzz_runs mutations of them
 *   fuzz-zone 1000000    the same with as many mutations
 *   fuzz-zone FILE...    these inputs, once */
#include <dirent.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "tests/fuzz/fuzz.h"

#define INPUT_MAX 4096 /* octets of a mutated input; a seed may have more */

#pragma weak LLVMFuzzerCustomMutator
#pragma weak LLVMFuzzerCustomCrossOver

struct input {
	char *name;
	uint8_t *data;
	size_t size;
};

static struct input *seeds;
static size_t seed_count, seed_cap;
static uint64_t state = 1;

/* --- what failed ---------------------------------------------------------------------------- */

static struct input running; /* its name: the program's, from the start on */

/* An input that fails is kept beside the program. */
static void keep_input(int signal_number)
{
	FILE *out;

	(void)signal(signal_number, SIG_DFL);
	out = fopen(running.name, "wb");
	if (out != NULL && fwrite(running.data, 1, running.size, out) == running.size &&
	    fclose(out) == 0)
		(void)fprintf(stderr, "fuzz: the input that failed is kept in %s\n", running.name);
}

/* So that sanitizers end with a signal, too. */
const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
	return "abort_on_error=1";
}

const char *__ubsan_default_options(void);
const char *__ubsan_default_options(void)
{
	return "abort_on_error=1";
}

/* --- inputs --------------------------------------------------------------------------------- */

static struct input read_input(const char *path)
{
	struct buf text = { 0 };
	FILE *file = fopen(path, "rb");
	size_t n;

	if (file == NULL)
		fuzz_fail(path, "cannot be read");
	(void)buf_reserve(&text, 1); /* an empty input has a place, too */
	text.len = 0;
	do {
		uint8_t chunk[4096];

		n = fread(chunk, 1, sizeof(chunk), file);
		buf_append(&text, chunk, n);
	} while (n > 0);
	(void)fclose(file);
	return (struct input){ mem_copy_text(path), text.data, text.len };
}

static int by_name(const void *a, const void *b)
{
	const struct input *x = a, *y = b;

	return strcmp(x->name, y->name);
}

static void read_seeds(const char *program)
{
	const char *slash = strrchr(program, '/');
	const char *dash = strchr(slash != NULL ? slash : program, '-');
	char *folder = mem_format("%s/%s", FUZZ_SEEDS, dash != NULL ? dash + 1 : program);
	DIR *dir = opendir(folder);
	struct dirent *entry;

	if (dir == NULL)
		fuzz_fail(folder, "cannot be read");
	while ((entry = readdir(dir)) != NULL) {
		char *path = mem_format("%s/%s", folder, entry->d_name);

		if (entry->d_name[0] != '.')
			array_add(seeds, seed_count, seed_cap) = read_input(path);
		free(path);
	}
	(void)closedir(dir);
	free(folder);
	if (seed_count == 0)
		fuzz_fail(program, "there are no seeds");
	qsort(seeds, seed_count, sizeof(*seeds), by_name); /* the same order everywhere */
}

/* In memory of exactly its size, so that a step beyond is seen. */
static void run(const uint8_t *data, size_t size)
{
	uint8_t *copy = malloc(size);

	if (size > 0)
		memcpy(copy, data, size);
	running.data = copy;
	running.size = size;
	(void)LLVMFuzzerTestOneInput(copy, size);
	running.size = 0;
	free(copy);
}

/* --- mutations ------------------------------------------------------------------------------ */

/* One octet changed, to anything or to something that matters in a message. */
static void change_octet(uint8_t *data, size_t size)
{
	static const uint8_t telling[] = { 0,    1,    2, 0x3f, 0x40, 0x7f, 0x80,
					   0xc0, 0xff, 8, 10,   41,   250,  255 };
	size_t at = fuzz_below(&state, size);

	data[at] = fuzz_below(&state, 2) ? (uint8_t)fuzz_below(&state, 256)
					 : telling[fuzz_below(&state, sizeof(telling))];
}

/* As libFuzzer's function of that name. Returns the new size, at least 1. */
size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max_size)
{
	size_t at = size > 0 ? fuzz_below(&state, size) : 0;

	if (size == 0)
		data[size++] = 0;
	switch (fuzz_below(&state, 8)) {
	case 0: return at + 1; /* cut */
	case 1:                /* an octet more */
		if (size == max_size)
			return size;
		memmove(data + at + 1, data + at, size - at);
		return size + 1;
	case 2: /* an octet less */
		memmove(data + at, data + at + 1, size - at - 1);
		return size > 1 ? size - 1 : size;
	default: change_octet(data, size); return size;
	}
}

/* Another seed's end behind some of this one. */
static size_t join(const uint8_t *data, size_t size, const struct input *other, uint8_t *out)
{
	size_t keep = fuzz_below(&state, size + 1);
	size_t from = fuzz_below(&state, other->size + 1);
	size_t more = other->size - from;

	if (LLVMFuzzerCustomCrossOver != NULL)
		return LLVMFuzzerCustomCrossOver(data, size, other->data, other->size, out,
						 INPUT_MAX, fuzz_below(&state, UINT32_MAX));
	memcpy(out, data, keep);
	if (more > INPUT_MAX - keep)
		more = INPUT_MAX - keep;
	memcpy(out + keep, other->data + from, more);
	return keep + more;
}

static size_t mutate(uint8_t *data, size_t size)
{
	if (LLVMFuzzerCustomMutator != NULL)
		return LLVMFuzzerCustomMutator(data, size, INPUT_MAX,
					       fuzz_below(&state, UINT32_MAX));
	return LLVMFuzzerMutate(data, size, INPUT_MAX);
}

static void run_mutation(void)
{
	static uint8_t data[INPUT_MAX], joined[INPUT_MAX];
	const struct input *seed = &seeds[fuzz_below(&state, seed_count)];
	size_t size = seed->size < INPUT_MAX ? seed->size : INPUT_MAX;

	if (size > 0)
		memcpy(data, seed->data, size);
	if (fuzz_below(&state, 4) == 0) {
		size = join(data, size, &seeds[fuzz_below(&state, seed_count)], joined);
		memcpy(data, joined, size);
	}
	for (unsigned m = fuzz_below(&state, 5); m > 0; m--)
		size = mutate(data, size);
	run(data, size);
}

int main(int argc, char **argv)
{
	unsigned long runs = argc > 1 ? strtoul(argv[1], NULL, 10) : fuzz_runs;

	running.name = mem_format("%s.failed", argv[0]);
	(void)signal(SIGABRT, keep_input);
	(void)LLVMFuzzerInitialize(&argc, &argv);
	if (argc > 1 && runs == 0) {
		for (int i = 1; i < argc; i++) {
			struct input input = read_input(argv[i]);

			run(input.data, input.size);
			free(input.name);
			free(input.data);
		}
		free(running.name);
		return EXIT_SUCCESS;
	}
	read_seeds(argv[0]);
	for (size_t i = 0; i < seed_count; i++)
		run(seeds[i].data, seeds[i].size);
	for (unsigned long i = 0; i < runs; i++)
		run_mutation();
	(void)printf("%zu seeds, %lu mutations: %lu accepted\n", seed_count, runs, fuzz_accepted);
	for (size_t i = 0; i < seed_count; i++) {
		free(seeds[i].name);
		free(seeds[i].data);
	}
	free(seeds);
	free(running.name);
	return fuzz_accepted >= runs / fuzz_runs_an_accepted ? EXIT_SUCCESS : EXIT_FAILURE;
}
