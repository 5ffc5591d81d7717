/* connection.h - one TCP connection: bytes in, queries, answers, bytes out.
 *
 * Its worker's thread only. While a peer does not take its answers nothing more is read from it:
 * so a connection holds at most one buffer of each kind. */
#ifndef SERVE_CONNECTION_H
#define SERVE_CONNECTION_H

#include <ev.h>
#include <stdbool.h>

#include "serve/answer.h"
#include "serve/thread.h"

/* Room for the queries of a connection. Of a longer one this much is looked at, which is too
 * little for anything but FORMERR, and the rest is passed over. */
#define CONNECTION_IN_SIZE 4096
/* Answers are collected until there are this many octets, then written. */
#define CONNECTION_OUT_BATCH 16384
#define CONNECTION_OUT_SIZE  (CONNECTION_OUT_BATCH + 2 + DNS_MESSAGE_MAX)
#define OUT_BUFFERS_KEPT     16

struct connection;

/* What the connections of one thread share. */
struct connections {
	struct server_thread *thread;
	struct ev_loop *loop;
	struct connection *all; /* the memory of as many as there may be */
	struct connection *unused;
	struct connection *newest, *oldest; /* by when something got on */
	uint8_t *out;                       /* where answers are collected */
	uint8_t *out_buffers[OUT_BUFFERS_KEPT];
	unsigned out_buffer_count;
};

void connections_open(struct connections *all, unsigned max, struct server_thread *thread,
		      struct ev_loop *loop);

/* Takes over an accepted socket. Where there are as many as there may be, the one that is idle
 * longest makes room. */
void connection_open(struct connections *all, int fd, const struct sockaddr_storage *from);

/* Closes the one that is idle longest. false: there is none. */
bool connections_close_oldest(struct connections *all);

/* Closes those that are idle for longer than that. */
void connections_close_idle(struct connections *all, ev_tstamp timeout_s);

#endif
