/* listeners.h - the sockets that queries arrive on: bound once, held until the supervisor ends.
 *
 * For each endpoint and worker one UDP socket and one TCP listener, all with SO_REUSEPORT: the
 * kernel spreads clients over the workers (with socket-affinity: each worker gets what came to the
 * processor of its number). The data plane gets copies; while it restarts, queries
 * wait in these sockets' buffers. */
#ifndef SUPERVISE_LISTENERS_H
#define SUPERVISE_LISTENERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/netprefix.h"
#include "image/boot.h"

struct listener {
	int fd;
	uint32_t protocol; /* enum handover_protocol */
	uint32_t worker;
};

struct listeners {
	struct listener *items;
	size_t count, capacity;
	uint32_t workers;
	bool socket_affinity;
	int receive_buffer;             /* octets that the smallest UDP socket got */
	bool left_out[BOOT_LISTEN_MAX]; /* this host has no IPv6, which they are of */
};

/* Binds all of them, or none: the message names the endpoint and what to do. */
int listeners_open(struct listeners *out, const struct boot_record *boot, struct err *err);
void listeners_close(struct listeners *listeners);

#endif
