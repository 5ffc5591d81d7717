/* boot.h - what the supervisor must know before anything else runs: what to listen on, and as
 * whom to run what.
 *
 * The supervisor parses no text. It runs `signpost-compile --boot-record FILE`, unprivileged, and
 * reads exactly one struct boot_record from its stdout; signpost-compile exits 0 only when the
 * record is whole. Texts are NUL-terminated; paths are absolute. The reader checks what it got
 * with boot_record_valid, as what it is told here decides what it does as root. */
#ifndef IMAGE_BOOT_H
#define IMAGE_BOOT_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "base/hash.h"
#include "base/netprefix.h"

#define BOOT_MAGIC       UINT64_C(0x31746f6f42677053)
#define BOOT_VERSION     2
#define BOOT_LISTEN_MAX  64
#define BOOT_WORKERS_MAX 128
#define BOOT_PATH_SIZE   4096
#define BOOT_USER_SIZE   64

struct boot_listen {
	struct ip_address address;
	uint8_t reserved;
	uint16_t port;
};

struct boot_record {
	uint64_t magic;
	uint32_t version;
	uint32_t size;            /* sizeof(struct boot_record) */
	uint32_t workers;         /* 0: one for each core this process may use */
	uint32_t socket_affinity; /* 1: a query goes to the worker of the processor it came to */
	uint32_t log_level;       /* enum log_level */
	uint32_t log_target;      /* enum log_target */
	uint32_t listen_count;
	struct boot_listen listen[BOOT_LISTEN_MAX];
	char user[BOOT_USER_SIZE]; /* to run as, where started as root */
	char state_dir[BOOT_PATH_SIZE];
	char run_dir[BOOT_PATH_SIZE];
	char server_file[BOOT_PATH_SIZE];
};

static inline bool boot_text_valid(const char *text, size_t size)
{
	return text[0] != '\0' && memchr(text, '\0', size) != NULL;
}

static inline bool boot_record_valid(const struct boot_record *record)
{
	if (record->magic != BOOT_MAGIC || record->version != BOOT_VERSION ||
	    record->size != sizeof(*record) || record->workers > BOOT_WORKERS_MAX ||
	    record->socket_affinity > 1 || record->log_level > 3 || record->log_target > 1 ||
	    record->listen_count == 0 || record->listen_count > BOOT_LISTEN_MAX)
		return false;
	for (uint32_t i = 0; i < record->listen_count; i++) {
		uint8_t family = record->listen[i].address.family;

		if ((family != IP_V4 && family != IP_V6) || record->listen[i].port == 0)
			return false;
	}
	return boot_text_valid(record->user, sizeof(record->user)) &&
	       boot_text_valid(record->state_dir, sizeof(record->state_dir)) &&
	       boot_text_valid(record->run_dir, sizeof(record->run_dir)) &&
	       boot_text_valid(record->server_file, sizeof(record->server_file));
}

/* The same for two records that ask the same of the supervisor: all but the log level, which a
 * reload follows. So a reload can tell that an edit waits for the next start. Not 0. */
static inline uint64_t boot_record_id(const struct boot_record *record)
{
	uint64_t id = hash_bytes(record->listen, record->listen_count * sizeof(record->listen[0]),
				 (uint64_t)record->workers << 2 | record->socket_affinity << 1 |
					 record->log_target);

	id = hash_text(record->user, id);
	id = hash_text(record->state_dir, id);
	id = hash_text(record->run_dir, id);
	return id != 0 ? id : 1;
}

#endif
