/* connection.h - TCP connections of one worker: bytes in, queries, answers, bytes out.
 *
 * What comes is read into one buffer that all connections of the worker share, answered, and
 * sent, so that one that waits for queries costs its struct. Few have more to keep than that: a
 * long query that has not come to its end, answers that the peer does not take, queries behind
 * those. They are given one of CONNECTION_SPACES buffers; where there is none left, the client
 * network that has most of them gives one back: its connection that is idle longest is closed.
 * While a peer does not take its answers nothing more is read from it. So the memory of a worker
 * is bounded, whatever strangers do.
 *
 * The worker's thread only. No allocation after the start. */
#ifndef SERVE_CONNECTION_H
#define SERVE_CONNECTION_H

#include <ev.h>
#include <stdbool.h>

#include "serve/batch.h"
#include "serve/eviction.h"
#include "serve/thread.h"

#define CONNECTION_SPACES 128
/* Answers are collected until there are this many octets, then sent. */
#define CONNECTION_OUT_BATCH 32768
#define CONNECTION_OUT_SIZE  (CONNECTION_OUT_BATCH + BATCH_STREAM_ROOM)
/* A connection that has been given as many octets, or that many read, waits until it was each
 * other one's turn. */
#define CONNECTION_TURN_OUT 65536
#define CONNECTION_TURN_IN  8192

/* Memory is the system's until it is written to. */
struct connection_space {
	uint8_t in[2 + DNS_MESSAGE_MAX];  /* any query fits */
	uint8_t readable[BATCH_READABLE]; /* behind it, with whatever */
	uint8_t out[CONNECTION_OUT_SIZE]; /* answers, each behind its length */
};

/* From the settings of the world that is served (signpost.yaml(5), tcp). */
struct connection_limits {
	uint64_t idle_ms, lifetime_ms;
	unsigned connections;
};

struct connection;

struct connections {
	struct server_thread *thread;
	struct ev_loop *loop;
	struct connection_limits limits;
	uint64_t now_ms; /* as of connections_wake */
	uint32_t unix_s;
	unsigned max; /* what there is room for; the limit may be lower */
	struct eviction eviction;
	struct connection *all, *unused;
	size_t used;                     /* of `all`, ever */
	struct connection_space *shared; /* for whoever's turn it is */
	struct connection_space *spaces;
	struct connection *space_of[CONNECTION_SPACES]; /* NULL: nobody's */
};

void connections_open(struct connections *all, unsigned max, struct server_thread *thread,
		      struct ev_loop *loop);

/* Looks at the clocks: whatever is done next is done at that time. Once the loop has waited. */
void connections_wake(struct connections *all);

/* Takes over an accepted socket, and closes another connection where there are too many now
 * (eviction.h). */
void connection_open(struct connections *all, int fd, const struct sockaddr_storage *from);

/* Closes the one that has to go first. false: there is none. */
bool connections_evict(struct connections *all);

/* Reads the limits anew and closes what is idle for too long, too old, or too many. Returns the
 * seconds until it is to be called again. */
ev_tstamp connections_tick(struct connections *all);

#endif
