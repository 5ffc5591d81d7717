#include "base/channel.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

union control_buffer {
	struct cmsghdr align;
	char bytes[CMSG_SPACE(sizeof(int) * CHANNEL_FDS_MAX)];
};

int channel_send(int channel, const void *message, size_t size, const int *fds, size_t fd_count,
		 struct err *err)
{
	union control_buffer control = { 0 };
	struct iovec iov = { .iov_len = size };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };
	ssize_t n;

	memcpy(&iov.iov_base, &message, sizeof(message)); /* sendmsg only reads it */
	if (fd_count > CHANNEL_FDS_MAX)
		return err_set(err, "channel: %zu descriptors in one message", fd_count);
	if (fd_count > 0) {
		struct cmsghdr *c;

		msg.msg_control = control.bytes;
		msg.msg_controllen = CMSG_SPACE(sizeof(int) * fd_count);
		c = CMSG_FIRSTHDR(&msg);
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(sizeof(int) * fd_count);
		memcpy(CMSG_DATA(c), fds, sizeof(int) * fd_count);
	}
	do {
		n = sendmsg(channel, &msg, MSG_NOSIGNAL);
	} while (n < 0 && errno == EINTR);
	if (n < 0)
		return err_set(err, "channel: send: %s", strerror(errno));
	return 0;
}

static void take_fds(struct msghdr *msg, int *fds, size_t *fd_count)
{
	for (struct cmsghdr *c = CMSG_FIRSTHDR(msg); c != NULL; c = CMSG_NXTHDR(msg, c)) {
		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
			continue;
		*fd_count = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
		memcpy(fds, CMSG_DATA(c), *fd_count * sizeof(int));
	}
}

ssize_t channel_receive(int channel, void *message, size_t size, int *fds, size_t *fd_count,
			struct err *err)
{
	union control_buffer control = { 0 };
	struct iovec iov = { .iov_base = message, .iov_len = size };
	struct msghdr msg = { .msg_iov = &iov,
			      .msg_iovlen = 1,
			      .msg_control = control.bytes,
			      .msg_controllen = sizeof(control.bytes) };
	ssize_t n;

	*fd_count = 0;
	do { /* A peer that ended without reading all (ECONNRESET, once) may have said something. */
		n = recvmsg(channel, &msg, MSG_CMSG_CLOEXEC);
	} while (n < 0 && (errno == EINTR || errno == ECONNRESET));
	if (n < 0) {
		int saved = errno;

		(void)err_set(err, "channel: receive: %s", strerror(saved));
		errno = saved;
		return -1;
	}
	take_fds(&msg, fds, fd_count);
	if (msg.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) {
		channel_close_fds(fds, *fd_count);
		*fd_count = 0;
		errno = EMSGSIZE;
		if (msg.msg_flags & MSG_CTRUNC)
			return err_set(err,
				       "channel: no room for a message's descriptors: too many "
				       "open files?");
		return err_set(err, "channel: a message longer than %zu bytes", size);
	}
	return n;
}

void channel_close_fds(const int *fds, size_t fd_count)
{
	for (size_t i = 0; i < fd_count; i++)
		(void)close(fds[i]);
}
