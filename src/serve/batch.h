/* batch.h - the queries that one system call brought, answered together: datagrams, or a stretch of
 * what a connection says.
 *
 * Each gets the octets that answer() makes of it, and is counted as there. Common queries take a
 * shorter path to them, and a batch overlaps its waits for memory: that is all the difference.
 * Pure, as answer() is. Any thread. */
#ifndef SERVE_BATCH_H
#define SERVE_BATCH_H

#include <sys/socket.h>

#include "serve/answer.h"

#define BATCH_MAX 64

/* Behind a message so many octets can be read, whatever they hold: names are read in words. */
#define BATCH_READABLE 16

struct batch_query {
	const uint8_t *message; /* in; and BATCH_READABLE octets behind its len */
	size_t len;
	uint8_t *reply; /* in: room for size octets, EDNS_UDP_SIZE_MIN at least */
	size_t size;
	const struct sockaddr_storage *from; /* in: AF_INET or AF_INET6 */
	uint64_t random;  /* in: another one for each query; hash_word of it are its random bits */
	size_t reply_len; /* out; 0: say nothing. Behind it, up to size, anything may be written */
};

/* `count`: BATCH_MAX at most. `classes` may be NULL, as in struct client. */
void batch_answer(const struct world *world, struct batch_query *queries, unsigned count,
		  uint32_t unix_s, struct class_counters *classes, struct counters *counters);

/* What one connection has asked, and what it is told: answers in the order of their queries, each
 * behind its length (RFC 7766, 6.2.1.1 and 8). */
struct batch_stream {
	const struct client *client; /* in: by TCP; but for its random bits */
	uint8_t *out;                /* in: the answers go there */
	size_t enough;               /* in: behind more octets than that no answer is begun */
	size_t len;       /* in, out: octets of `out`; it has BATCH_STREAM_ROOM behind `enough` */
	uint64_t answers; /* out: their number */
};
#define BATCH_STREAM_ROOM (2 + DNS_MESSAGE_MAX)

/* Of the queries, which are all the client's, only message, len, from and random are read, and what
 * they had before in reply and size is lost. Returns how many were answered, or found to need none:
 * the first ones, and all where there was room. */
unsigned batch_answer_stream(const struct world *world, struct batch_query *queries, unsigned count,
			     struct batch_stream *stream, struct counters *counters);

#endif
