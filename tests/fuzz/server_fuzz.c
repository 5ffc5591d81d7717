/* A server file: read, as at a start and whole. What is without mistakes gives a boot record and a
 * plan that are valid, and, shown with everything written in it and read again, is the same. The
 * same input is read as the file of cookie secrets, too. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "compile/boot_fill.h"
#include "compile/plan_build.h"
#include "conf/effective.h"
#include "image/boot.h"
#include "tests/fuzz/sample.h"

const unsigned long fuzz_runs = 4000, fuzz_runs_an_accepted = 50;

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
	sample_open();
	return 0;
}

static void check_boot_record(const struct config *config)
{
	struct boot_record *record = mem_alloc(sizeof(*record));

	if (boot_fill(record, config)) /* not: a path is too long, and it says so */
		must(boot_record_valid(record));
	free(record);
}

static void check_plan(const struct config *config, struct diag *diag)
{
	struct zones_built zones;
	struct image plan;
	struct err err;
	int fd;

	must_do(zones_build(config, NULL, &zones, diag, &err), &err);
	if (diag_errors(diag) == 0) {
		must_do(plan_build(config, zones.bindings, zones.binding_count, &fd, &err), &err);
		must_do(image_open(&plan, fd, IMAGE_PLAN, &err), &err);
		must_do(plan_verify(&plan, &err), &err);
		image_close(&plan);
		(void)close(fd);
	}
	zones_built_free(&zones);
}

/* Of the server file alone; NULL: it has mistakes. The caller's. */
static char *shown(void)
{
	struct diag *diag = diag_new();
	struct arena arena = { 0 };
	struct effective effective;
	struct config config;
	struct err err;
	char *text = NULL, *pools;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);

	must(out != NULL);
	if (effective_read(&effective, &config, sample_path(SAMPLE_SERVER), &arena, diag) == 0 &&
	    diag_errors(diag) == 0)
		must_do(effective_print(&effective, &config, NULL, NULL, false, out, &err), &err);
	must(fclose(out) == 0);
	pools = strstr(text, "\n---\n");
	if (pools != NULL)
		pools[1] = '\0';
	arena_free(&arena);
	diag_free(diag);
	return text;
}

/* The comments tell of places in the file that was read: those of the second and third are equal
 * where all values are. */
static void check_shown(void)
{
	char *texts[3] = { shown(), NULL, NULL };

	for (size_t i = 1; texts[0][0] != '\0' && i < 3; i++) {
		sample_write(SAMPLE_SERVER, texts[i - 1], strlen(texts[i - 1]));
		texts[i] = shown();
	}
	must(texts[1] == NULL || (texts[1][0] != '\0' && strcmp(texts[1], texts[2]) == 0));
	for (size_t i = 0; i < 3; i++)
		free(texts[i]);
}

static void read_file(bool boot_only)
{
	struct diag *diag = diag_new();
	struct arena arena = { 0 };
	struct config config;
	int rc = config_read(&config, sample_path(SAMPLE_SERVER), boot_only, &arena, diag);

	must(rc == 0 || diag_errors(diag) > 0);
	if (diag_errors(diag) == 0) {
		check_boot_record(&config);
		if (!boot_only) {
			fuzz_accepted++;
			check_plan(&config, diag);
		}
	}
	arena_free(&arena);
	diag_free(diag);
}

static void read_secrets(const uint8_t *data, size_t size)
{
	static const char server[] = "zones: zones\ncookie-secrets: " SAMPLE_SECRETS
				     "\nsites: { tokyo: { location: [1, 2] } }\n";
	struct diag *diag = diag_new();
	struct arena arena = { 0 };
	struct config config;

	sample_write(SAMPLE_SERVER, server, sizeof(server) - 1);
	sample_write(SAMPLE_SECRETS, data, size);
	must(config_read(&config, sample_path(SAMPLE_SERVER), false, &arena, diag) == 0);
	must(config.dns.cookie_secret_count <= COOKIE_SECRETS_MAX);
	arena_free(&arena);
	diag_free(diag);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	sample_write(SAMPLE_SERVER, data, size);
	read_file(true);
	read_file(false);
	check_shown();
	read_secrets(data, size);
	return 0;
}
