/* A boot record with edits: what boot_record_valid takes is safe to act on. */
#include <stdlib.h>
#include <string.h>

#include "compile/boot_fill.h"
#include "image/boot.h"
#include "tests/fuzz/edit.h"
#include "tests/fuzz/sample.h"

const unsigned long fuzz_runs = 200000, fuzz_runs_an_accepted = 10;

static struct boot_record sample;

static const struct edit_region regions[] = {
	{ 0, offsetof(struct boot_record, listen) },
	{ offsetof(struct boot_record, listen), sizeof(sample.listen) },
	{ offsetof(struct boot_record, user), sizeof(sample.user) },
	{ offsetof(struct boot_record, state_dir), sizeof(sample.state_dir) },
	{ offsetof(struct boot_record, run_dir), sizeof(sample.run_dir) },
	{ offsetof(struct boot_record, server_file), sizeof(sample.server_file) },
};

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	struct diag *diag = diag_new();
	struct arena arena = { 0 };
	struct config config;

	(void)argc;
	(void)argv;
	sample_open();
	must(config_read(&config, sample_path(SAMPLE_SERVER), true, &arena, diag) == 0);
	must(boot_fill(&sample, &config));
	arena_free(&arena);
	diag_free(diag);
	return 0;
}

/* As signpostd does. */
static void act_on(const struct boot_record *record)
{
	must(record->listen_count <= BOOT_LISTEN_MAX && boot_record_id(record) != 0);
	for (uint32_t i = 0; i < record->listen_count; i++) {
		struct sockaddr_storage address;
		char text[IP_ENDPOINT_SIZE];

		must(ip_to_sockaddr(&record->listen[i].address, record->listen[i].port, &address) >
		     0);
		must(*ip_endpoint_format(&record->listen[i].address, record->listen[i].port,
					 text) != '\0');
	}
	must(strlen(record->user) < sizeof(record->user));
	must(strlen(record->state_dir) < sizeof(record->state_dir));
	must(strlen(record->run_dir) < sizeof(record->run_dir));
	must(strlen(record->server_file) < sizeof(record->server_file));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct boot_record *record = malloc(sizeof(*record));

	must(record != NULL);
	memcpy(record, &sample, sizeof(*record));
	(void)edit_bytes((uint8_t *)record, sizeof(*record), 0, regions,
			 sizeof(regions) / sizeof(regions[0]), data, size);
	if (boot_record_valid(record)) {
		fuzz_accepted++;
		act_on(record);
	}
	free(record);
	return 0;
}
