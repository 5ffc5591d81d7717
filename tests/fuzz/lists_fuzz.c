/* A data file: read as one of networks, as one of avoids, as a table of places, and as overrides
 * and resolvers. What is without mistakes is compiled with all that belongs to it and served. */
#include <string.h>

#include "tests/fuzz/ask.h"
#include "tests/fuzz/sample.h"

#define LIST  "zones/list"
#define SITES "  tokyo: { location: [35.68, 139.69] }\n  frankfurt: { location: [50.11, 8.68] }\n"
#define NODES                                                             \
	"sites:\n  tokyo: { nodes: { t1: { address: 203.0.113.10 } } }\n" \
	"  frankfurt: { nodes: { f1: { address: 203.0.113.20 } } }\n"

const unsigned long fuzz_runs = 500, fuzz_runs_an_accepted = 50;

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
	sample_open();
	sample_write(LIST, "", 0);
	return 0;
}

static void write_text(const char *file, const char *text)
{
	sample_write(file, text, strlen(text));
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

static void read_as(const char *server, const char *pool)
{
	struct sample sample;

	write_text(SAMPLE_SERVER, server);
	write_text(SAMPLE_POOL, pool);
	if (!is_right())
		return;
	if (sample_compile(&sample)) { /* not: mistakes in overrides, which are read then */
		fuzz_accepted++;
		ask_everything(&sample.world);
	}
	sample_close(&sample);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char plain[] = "zones: zones\nsites:\n" SITES "  oslo: { location: [1, 2] }\n";

	sample_write(LIST, data, size);
	read_as(plain, "pool: edge\nport: 443\n" NODES
		       "rules: [ { clients: file:list, sites: frankfurt } ]\n");
	read_as(plain, "pool: edge\nport: 443\n" NODES "avoid: [ { file: list } ]\n");
	read_as("zones: zones\ngeoip: { places: " LIST " }\nsites:\n" SITES
		"  oslo: { location: DE FRA }\n",
		"pool: edge\nport: 443\n" NODES);
	read_as("zones: zones\nown-networks: file:" LIST "\n"
		"geoip: { overrides: " LIST ", resolvers: " LIST " }\nsites:\n" SITES
		"  oslo: { location: [1, 2] }\n",
		"pool: edge\nport: 443\n" NODES);
	return 0;
}
