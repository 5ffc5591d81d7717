#include "compile/boot_fill.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"

static bool copy_text(char *out, size_t size, const char *text)
{
	return (size_t)snprintf(out, size, "%s", text) < size;
}

bool boot_fill(struct boot_record *record, const struct config *config)
{
	*record = (struct boot_record){ .magic = BOOT_MAGIC,
					.version = BOOT_VERSION,
					.size = sizeof(*record),
					.workers = config->workers,
					.socket_affinity = config->socket_affinity,
					.log_level = (uint32_t)config->log_level,
					.log_target = config->log_syslog ? 1 : 0,
					.listen_count = (uint32_t)config->listen_count };
	for (size_t i = 0; i < config->listen_count; i++) {
		record->listen[i].address = config->listen[i].address;
		record->listen[i].port = config->listen[i].port;
	}
	return copy_text(record->user, sizeof(record->user), config->user) &&
	       copy_text(record->state_dir, sizeof(record->state_dir), config->state_dir) &&
	       copy_text(record->run_dir, sizeof(record->run_dir), config->run_dir) &&
	       copy_text(record->server_file, sizeof(record->server_file), config->path);
}

uint64_t boot_id(const struct config *config)
{
	struct boot_record *record = mem_alloc(sizeof(*record)); /* 13 KiB: not for a stack */
	uint64_t id = boot_fill(record, config) ? boot_record_id(record) : 0;

	free(record);
	return id;
}
