/* answer.h - a query's bytes in, the answer's bytes out.
 *
 * Pure: world, query, client, time and random bits are arguments; no clock, no allocation, no lock, no
 * system call. The data plane, unit tests, fuzzers, benchmarks and `signpostctl explain` call
 * this same function. Any thread. */
#ifndef SERVE_ANSWER_H
#define SERVE_ANSWER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/netprefix.h"
#include "image/handover.h"
#include "image/world.h"

struct client {
	struct ip_address address; /* the query's source */
	bool tcp;
	bool tells_keepalive;   /* by TCP: edns-tcp-keepalive is answered where the query has it */
	uint16_t tcp_keepalive; /* ... with this: the idle timeout, in units of 100 ms */
	uint32_t unix_s;        /* now: cookies have an age */
	uint64_t random; /* another number for each query; hash_word of it are its random bits */
	struct class_counters *classes; /* of the thread; NULL: nobody counts by class */
};

/* Writes the answer to a message into reply[size] and returns its length; 0: drop, say nothing
 * (a message that is itself an answer, or too short to have an id). world NULL: SERVFAIL.
 * Settings are in the steering image's root. `counters` may not be NULL. */
size_t answer(const struct world *world, const struct client *client, const uint8_t *message,
	      size_t len, uint8_t *reply, size_t size, struct counters *counters);

#endif
