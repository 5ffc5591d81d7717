/* floor.c - what the kernel alone costs: every datagram is sent back with a fixed length.
 *
 * The loop of a server that batches (recvmmsg, sendmmsg) with nothing in between. The query comes
 * back with its QR bit set, cut or padded to -s octets, the length of the replies with which it
 * is compared. Ends with a signal. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/netprefix.h"

#define BATCH        64
#define MESSAGE_MAX  4096
#define BUFFER_BYTES (8 << 20)

static uint8_t buffers[BATCH][MESSAGE_MAX];
static struct sockaddr_storage peers[BATCH];
static struct iovec parts[BATCH];
static struct mmsghdr messages[BATCH];

static int open_socket(const struct ip_address *address, uint16_t port)
{
	struct sockaddr_storage local;
	socklen_t len = ip_to_sockaddr(address, port, &local);
	int size = BUFFER_BYTES;
	int fd = socket(local.ss_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (fd < 0 || bind(fd, (struct sockaddr *)&local, len) != 0) {
		perror("floor: bind");
		exit(1);
	}
	(void)setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size));
	return fd;
}

static void echo(int fd, size_t reply_len)
{
	int count, done = 0;

	for (unsigned i = 0; i < BATCH; i++) {
		parts[i] = (struct iovec){ buffers[i], MESSAGE_MAX };
		messages[i].msg_hdr = (struct msghdr){ .msg_name = &peers[i],
						       .msg_namelen = sizeof(peers[i]),
						       .msg_iov = &parts[i],
						       .msg_iovlen = 1 };
	}
	count = recvmmsg(fd, messages, BATCH, MSG_WAITFORONE, NULL);
	for (int i = 0; i < count; i++) {
		buffers[i][2] |= 0x80;
		parts[i].iov_len = reply_len > 0 ? reply_len : messages[i].msg_len;
	}
	while (done < count) {
		int sent = sendmmsg(fd, messages + done, (unsigned)(count - done), 0);

		if (sent <= 0)
			break;
		done += sent;
	}
}

int main(int argc, char **argv)
{
	struct ip_address address = { .family = 0 };
	unsigned long reply_len = 0;
	uint16_t port = 0;
	int option;

	while ((option = getopt(argc, argv, "s:")) != -1)
		reply_len = option == 's' ? strtoul(optarg, NULL, 10) : MESSAGE_MAX + 1;
	if (optind + 1 != argc || reply_len > MESSAGE_MAX ||
	    !ip_endpoint_parse(argv[optind], 0, &address, &port) || port == 0) {
		(void)fprintf(stderr, "usage: floor [-s OCTETS] ADDRESS:PORT\n");
		return 2;
	}
	for (int fd = open_socket(&address, port);;)
		echo(fd, reply_len);
}
