/* channel.h - messages with file descriptors between our own processes.
 *
 * AF_UNIX SOCK_SEQPACKET: a message arrives whole or not at all, and its descriptors with it. */
#ifndef BASE_CHANNEL_H
#define BASE_CHANNEL_H

#include <stddef.h>
#include <sys/types.h>

#include "base/err.h"

#define CHANNEL_FDS_MAX 8

/* Sends one message; the descriptors stay the caller's. EAGAIN (a full non-blocking channel) and
 * all other failures: -1 with the reason, errno kept. */
int channel_send(int channel, const void *message, size_t size, const int *fds, size_t fd_count,
		 struct err *err);

/* Receives one message of at most `size` bytes. Returns its length; 0 when the peer is gone and
 * all that it said has been received, whether or not it read all that it was sent; -1 with the
 * reason (errno EAGAIN: nothing there yet on a non-blocking channel). *fd_count
 * descriptors in fds[CHANNEL_FDS_MAX] are then the caller's to close, and are close-on-exec. */
ssize_t channel_receive(int channel, void *message, size_t size, int *fds, size_t *fd_count,
			struct err *err);

void channel_close_fds(const int *fds, size_t fd_count);

#endif
