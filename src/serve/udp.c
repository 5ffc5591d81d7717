#include "serve/udp.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "serve/batch.h"
#include "serve/count.h"
#include "serve/thread.h"
#include "serve/worlds.h"

/* The longest message read and written. A longer query is cut, and so is FORMERR. The odd cache
 * line keeps the buffers of a batch out of each other's cache sets. */
#define MESSAGE_SIZE 4096
#define SLOT_SIZE    (MESSAGE_SIZE + 64)
_Static_assert(SLOT_SIZE - MESSAGE_SIZE >= BATCH_READABLE, "what may be read behind a message");

union address_control {
	struct cmsghdr align;
	char bytes[CMSG_SPACE(sizeof(struct in6_pktinfo))];
};

struct udp {
	struct server_thread thread;
	int fd;
	struct mmsghdr in[BATCH_MAX], out[BATCH_MAX];
	struct iovec in_iov[BATCH_MAX], out_iov[BATCH_MAX];
	struct batch_query batch[BATCH_MAX];
	struct sockaddr_storage from[BATCH_MAX];
	union address_control control[BATCH_MAX];
	uint8_t query[BATCH_MAX][SLOT_SIZE], reply[BATCH_MAX][SLOT_SIZE];
};

static void prepare(struct udp *udp)
{
	for (unsigned i = 0; i < BATCH_MAX; i++) {
		udp->in_iov[i] = (struct iovec){ udp->query[i], MESSAGE_SIZE };
		udp->in[i].msg_hdr = (struct msghdr){ .msg_name = &udp->from[i],
						      .msg_iov = &udp->in_iov[i],
						      .msg_iovlen = 1,
						      .msg_control = udp->control[i].bytes };
		udp->batch[i] = (struct batch_query){ .message = udp->query[i],
						      .reply = udp->reply[i],
						      .size = MESSAGE_SIZE,
						      .from = &udp->from[i] };
		udp->out[i].msg_hdr.msg_iov = &udp->out_iov[i];
		udp->out[i].msg_hdr.msg_iovlen = 1;
	}
}

/* What the kernel shortened by the last batch. */
static void restore(struct udp *udp, unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		udp->in[i].msg_hdr.msg_namelen = sizeof(udp->from[i]);
		udp->in[i].msg_hdr.msg_controllen = sizeof(udp->control[i]);
	}
}

/* A socket on the wildcard address is told which address was asked (IP_PKTINFO, RFC 3542): the
 * answer leaves from there. By which interface is for the routes to say, except for a link-local
 * address, which is nowhere without one. */
static void answer_from(struct msghdr *reply, struct msghdr *query)
{
	struct cmsghdr *c = CMSG_FIRSTHDR(query);

	reply->msg_control = NULL;
	reply->msg_controllen = 0;
	if (c == NULL)
		return;
	if (c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_PKTINFO) {
		struct in_pktinfo *info = (struct in_pktinfo *)(void *)CMSG_DATA(c);

		info->ipi_ifindex = 0;
		reply->msg_controllen = CMSG_SPACE(sizeof(*info));
	} else if (c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_PKTINFO) {
		struct in6_pktinfo *info = (struct in6_pktinfo *)(void *)CMSG_DATA(c);

		if (!IN6_IS_ADDR_LINKLOCAL(&info->ipi6_addr))
			info->ipi6_ifindex = 0;
		reply->msg_controllen = CMSG_SPACE(sizeof(*info));
	}
	if (reply->msg_controllen > 0)
		reply->msg_control = query->msg_control;
}

static void answer_one(struct udp *udp, unsigned i, struct mmsghdr *out, struct iovec *iov)
{
	struct msghdr *query = &udp->in[i].msg_hdr;

	*iov = (struct iovec){ udp->reply[i], udp->batch[i].reply_len };
	out->msg_hdr.msg_name = query->msg_name;
	out->msg_hdr.msg_namelen = query->msg_namelen;
	answer_from(&out->msg_hdr, query);
}

/* Returns how many answers there are to send. */
static unsigned answer_batch(struct udp *udp, unsigned received)
{
	unsigned count = 0;

	for (unsigned i = 0; i < received; i++) {
		udp->batch[i].len = udp->in[i].msg_len;
		udp->batch[i].random = server_thread_counter(&udp->thread);
	}
	batch_answer(worlds_current(), udp->batch, received, clock_unix_s(), udp->thread.classes,
		     udp->thread.counters);
	for (unsigned i = 0; i < received; i++) {
		if (udp->batch[i].reply_len == 0)
			continue;
		answer_one(udp, i, &udp->out[count], &udp->out_iov[count]);
		count++;
	}
	return count;
}

/* An answer that cannot be sent (to port 0, past a full queue) is left out: its client asks
 * again. The others go on. To wait for a queue (as long as neighbours do not say where they are,
 * say) would hold up queries, and whoever wants to take the old world away. */
static void send_batch(struct udp *udp, unsigned count)
{
	unsigned done = 0;

	while (done < count) {
		int n = sendmmsg(udp->fd, udp->out + done, count - done, MSG_DONTWAIT);

		if (n > 0) {
			counter_add(&udp->thread.counters->answers_udp, (uint64_t)n);
			done += (unsigned)n;
		} else if (n == 0 || errno != EINTR) {
			done++;
		}
	}
}

/* Errors that a network can cause pass; a socket that is none is a mistake of ours, and the
 * supervisor starts another process. */
static void receive_failed(const struct udp *udp)
{
	if (errno == EBADF || errno == ENOTSOCK || errno == EINVAL || errno == EFAULT) {
		log_error("cannot receive", "thread=%s: %s", udp->thread.name, strerror(errno));
		exit(EXIT_FAILURE);
	}
}

static void *serve(void *object)
{
	struct udp *udp = object;
	unsigned used = BATCH_MAX;

	worlds_thread_start();
	for (;;) {
		int n;

		restore(udp, used);
		worlds_offline();
		n = recvmmsg(udp->fd, udp->in, BATCH_MAX, MSG_WAITFORONE, NULL);
		worlds_online();
		used = n > 0 ? (unsigned)n : 0;
		if (n < 0)
			receive_failed(udp);
		else
			send_batch(udp, answer_batch(udp, used));
	}
	return NULL;
}

int udp_start(int fd, unsigned number, const struct thread_counters *counters, struct err *err)
{
	struct udp *udp = mem_alloc(sizeof(*udp));

	udp->fd = fd;
	udp->thread.counters = counters->counters;
	udp->thread.classes = counters->classes;
	(void)snprintf(udp->thread.name, sizeof(udp->thread.name), "dns-udp-%u", number);
	prepare(udp);
	return server_thread_start(&udp->thread, serve, udp, err);
}
