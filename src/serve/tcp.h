/* tcp.h - one thread a worker, on libev: its TCP listeners and their connections (RFC 7766).
 *
 * Queries may be pipelined and cut anywhere; answers go out in the order of their queries. A peer
 * that does not read is not read from. Memory is bounded (connection.h). */
#ifndef SERVE_TCP_H
#define SERVE_TCP_H

#include <stddef.h>

#include "base/err.h"
#include "serve/thread.h"

#define TCP_DESCRIPTORS 6 /* of a worker besides: its loop, and a connection too many */

/* At most that many connections, or fewer where the settings say so. The thread lives until the
 * process ends; the sockets are its own from here on. */
int tcp_start(const int *listeners, size_t count, unsigned number, unsigned connections_max,
	      const struct thread_counters *counters, struct err *err);

#endif
