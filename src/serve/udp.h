/* udp.h - one thread a UDP socket: receive a batch, answer it, send the answers. */
#ifndef SERVE_UDP_H
#define SERVE_UDP_H

#include "base/err.h"
#include "serve/thread.h"

/* The thread lives until the process ends; the socket is its own from here on. */
int udp_start(int fd, unsigned number, const struct thread_counters *counters, struct err *err);

#endif
