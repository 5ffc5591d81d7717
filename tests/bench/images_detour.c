/* images_detour.c - the way of a server's batch through the kernel: datagrams to a socket on loopback,
 * read with one recvmmsg; answers sent with one sendmmsg, and read where the queries came from.
 *
 * So that what answers finds caches as a server's does: after the kernel's work on as many packets. */
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/mem.h"
#include "tests/bench/images.h"

#define MESSAGE_SIZE 4096
#define SLOT_SIZE    (MESSAGE_SIZE + 64) /* as serve/udp.c has it */
#define BUFFER_BYTES (4 << 20)

/* Of one direction: what is written, what is read. */
struct leg {
	struct mmsghdr out[BATCH_MAX], in[BATCH_MAX];
	struct iovec out_iov[BATCH_MAX], in_iov[BATCH_MAX];
	uint8_t slots[BATCH_MAX][SLOT_SIZE];
};

struct detour {
	int client, server;
	struct sockaddr_in from[BATCH_MAX]; /* whom the server answers */
	struct leg query, reply;
};

static int open_socket(struct sockaddr_in *address)
{
	socklen_t len = sizeof(*address);
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), size = BUFFER_BYTES;

	*address = (struct sockaddr_in){ .sin_family = AF_INET,
					 .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	if (fd < 0 || bind(fd, (struct sockaddr *)address, len) != 0 ||
	    getsockname(fd, (struct sockaddr *)address, &len) != 0)
		die("socket", strerror(errno));
	(void)setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
	(void)setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
	return fd;
}

static void prepare(struct leg *leg, struct sockaddr_in *written_from, struct sockaddr_in *write_to)
{
	for (unsigned i = 0; i < BATCH_MAX; i++) {
		leg->in_iov[i] = (struct iovec){ leg->slots[i], MESSAGE_SIZE };
		leg->in[i].msg_hdr = (struct msghdr){ .msg_iov = &leg->in_iov[i], .msg_iovlen = 1 };
		leg->out[i].msg_hdr = (struct msghdr){ .msg_iov = &leg->out_iov[i],
						       .msg_iovlen = 1 };
		if (written_from != NULL) {
			leg->in[i].msg_hdr.msg_name = &written_from[i];
			leg->in[i].msg_hdr.msg_namelen = sizeof(*written_from);
		}
		if (write_to != NULL) {
			leg->out[i].msg_hdr.msg_name = &write_to[i];
			leg->out[i].msg_hdr.msg_namelen = sizeof(*write_to);
		}
	}
}

struct detour *detour_open(void)
{
	struct detour *detour = mem_alloc(sizeof(*detour));
	struct sockaddr_in client, server;

	detour->client = open_socket(&client);
	detour->server = open_socket(&server);
	if (connect(detour->client, (struct sockaddr *)&server, sizeof(server)) != 0)
		die("connect", strerror(errno));
	prepare(&detour->query, detour->from, NULL);
	prepare(&detour->reply, NULL, detour->from);
	return detour;
}

void detour_close(struct detour *detour)
{
	(void)close(detour->client);
	(void)close(detour->server);
	free(detour);
}

static void pass(struct leg *leg, int from, int to, unsigned count)
{
	if (sendmmsg(from, leg->out, count, 0) != (int)count)
		die("sendmmsg", "not all was sent");
	if (recvmmsg(to, leg->in, count, MSG_WAITFORONE, NULL) != (int)count)
		die("recvmmsg", "not all was received");
}

void detour_in(struct detour *detour, struct batch_query *queries, unsigned count)
{
	struct leg *leg = &detour->query;

	for (unsigned i = 0; i < count; i++)
		leg->out_iov[i] = (struct iovec){ (void *)(uintptr_t)queries[i].message,
						  queries[i].len };
	pass(leg, detour->client, detour->server, count);
	for (unsigned i = 0; i < count; i++) {
		queries[i].message = leg->slots[i];
		queries[i].len = leg->in[i].msg_len;
	}
}

void detour_out(struct detour *detour, const struct batch_query *queries, unsigned count)
{
	struct leg *leg = &detour->reply;

	for (unsigned i = 0; i < count; i++)
		leg->out_iov[i] = (struct iovec){ queries[i].reply, queries[i].reply_len };
	pass(leg, detour->server, detour->client, count);
}
