/* floor.c - what the kernel alone costs: every datagram is sent back with a fixed length.
 *
 * The loop of a server that batches (recvmmsg, sendmmsg) with nothing in between. The query comes
 * back with its QR bit set, cut or padded to -s octets, the length of the replies with which it
 * is compared. With -w several threads do so, each with a socket of its own on the same port, among
 * which the kernel shares out what comes (SO_REUSEPORT). Ends with a signal. */
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/netprefix.h"

#define BATCH        32 /* as Signpost has it; of 16, 32 and 64 this costs the kernel least */
#define MESSAGE_MAX  4096
#define BUFFER_BYTES (8 << 20)
#define WORKERS_MAX  64

struct worker {
	pthread_t thread;
	int fd;
	size_t reply_len;
	struct sockaddr_storage peers[BATCH];
	struct iovec parts[BATCH];
	struct mmsghdr messages[BATCH];
	uint8_t buffers[BATCH][MESSAGE_MAX];
};

static int open_socket(const struct ip_address *address, uint16_t port)
{
	struct sockaddr_storage local;
	socklen_t len = ip_to_sockaddr(address, port, &local);
	int size = BUFFER_BYTES, on = 1;
	int fd = socket(local.ss_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof(on)) != 0 ||
	    bind(fd, (struct sockaddr *)&local, len) != 0) {
		perror("floor: bind");
		exit(1);
	}
	(void)setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size));
	return fd;
}

static void echo(struct worker *w)
{
	int count, done = 0;

	for (unsigned i = 0; i < BATCH; i++) {
		w->parts[i] = (struct iovec){ w->buffers[i], MESSAGE_MAX };
		w->messages[i].msg_hdr = (struct msghdr){ .msg_name = &w->peers[i],
							  .msg_namelen = sizeof(w->peers[i]),
							  .msg_iov = &w->parts[i],
							  .msg_iovlen = 1 };
	}
	count = recvmmsg(w->fd, w->messages, BATCH, MSG_WAITFORONE, NULL);
	for (int i = 0; i < count; i++) {
		w->buffers[i][2] |= 0x80;
		w->parts[i].iov_len = w->reply_len > 0 ? w->reply_len : w->messages[i].msg_len;
	}
	while (done < count) {
		int sent = sendmmsg(w->fd, w->messages + done, (unsigned)(count - done), 0);

		if (sent <= 0)
			break;
		done += sent;
	}
}

static void *serve(void *object)
{
	for (;;)
		echo(object);
	return NULL;
}

int main(int argc, char **argv)
{
	struct ip_address address = { .family = 0 };
	unsigned long reply_len = 0, workers = 1;
	uint16_t port = 0;
	int option;

	while ((option = getopt(argc, argv, "s:w:")) != -1) {
		if (option == 's')
			reply_len = strtoul(optarg, NULL, 10);
		else
			workers = option == 'w' ? strtoul(optarg, NULL, 10) : 0;
	}
	if (optind + 1 != argc || reply_len > MESSAGE_MAX || workers == 0 ||
	    workers > WORKERS_MAX || !ip_endpoint_parse(argv[optind], 0, &address, &port) ||
	    port == 0) {
		(void)fprintf(stderr, "usage: floor [-s OCTETS] [-w WORKERS] ADDRESS:PORT\n");
		return 2;
	}
	for (; workers > 0; workers--) {
		struct worker *worker = mem_alloc(sizeof(*worker));

		worker->fd = open_socket(&address, port);
		worker->reply_len = reply_len;
		if (workers == 1)
			(void)serve(worker);
		else if (pthread_create(&worker->thread, NULL, serve, worker) != 0)
			perror("floor: thread");
	}
	return 1;
}
