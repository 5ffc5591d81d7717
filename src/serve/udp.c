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

/* So many are received, and their answers sent, by one system call. Of twice as many each takes 4
 * instructions less here, but 3 to 5 % more of the CPU's time: what the kernel frees with a query it
 * takes again for an answer, and of so many it is not in the nearest cache any more by then. */
#define WIDTH 32
_Static_assert(WIDTH <= BATCH_MAX, "they are answered at once");

/* Two a cache line, where a struct sockaddr_storage takes two of them. */
union udp_address {
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;
	uint64_t words[4];
};

union address_control {
	struct cmsghdr align;
	char bytes[CMSG_SPACE(sizeof(struct in6_pktinfo))];
};

/* What the kernel reads and writes for the i-th datagram of a batch and for its answer stands at i
 * in each array, and is set up once: only lengths change from batch to batch. */
struct udp {
	struct server_thread thread;
	int fd;
	bool any_address; /* on the wildcard address */
	bool moved;       /* answers have moved up in `out` (close_ranks) */
	struct mmsghdr in[WIDTH], out[WIDTH];
	struct iovec in_iov[WIDTH], out_iov[WIDTH];
	struct batch_query batch[WIDTH];
	union udp_address from[WIDTH];
	union address_control control[WIDTH];
	uint8_t query[WIDTH][SLOT_SIZE], reply[WIDTH][SLOT_SIZE];
};

static int option(int fd, int level, int name)
{
	int value = 0;
	socklen_t len = sizeof(value);

	return getsockopt(fd, level, name, &value, &len) == 0 ? value : 0;
}

/* A datagram brings an address of the socket's family, so the kernel leaves its length as it is.
 * One that came by a pair of sockets brings none, and is answered without. */
static socklen_t address_len(const struct udp *udp)
{
	switch (option(udp->fd, SOL_SOCKET, SO_DOMAIN)) {
	case AF_INET: return sizeof(struct sockaddr_in);
	case AF_INET6: return sizeof(struct sockaddr_in6);
	default: return 0;
	}
}

static void prepare_answers(struct udp *udp)
{
	socklen_t len = address_len(udp);

	for (unsigned i = 0; i < WIDTH; i++) {
		udp->out_iov[i].iov_base = udp->reply[i];
		udp->out[i].msg_hdr = (struct msghdr){ .msg_name = &udp->from[i],
						       .msg_namelen = len,
						       .msg_iov = &udp->out_iov[i],
						       .msg_iovlen = 1 };
		if (udp->any_address)
			udp->out[i].msg_hdr.msg_control = udp->control[i].bytes;
	}
	udp->moved = false;
}

static void prepare(struct udp *udp)
{
	socklen_t len = address_len(udp);

	udp->any_address = option(udp->fd, IPPROTO_IP, IP_PKTINFO) != 0 ||
			   option(udp->fd, IPPROTO_IPV6, IPV6_RECVPKTINFO) != 0;
	for (unsigned i = 0; i < WIDTH; i++) {
		udp->in_iov[i] = (struct iovec){ udp->query[i], MESSAGE_SIZE };
		udp->in[i].msg_hdr = (struct msghdr){ .msg_name = &udp->from[i],
						      .msg_namelen = len,
						      .msg_iov = &udp->in_iov[i],
						      .msg_iovlen = 1 };
		if (udp->any_address)
			udp->in[i].msg_hdr.msg_control = udp->control[i].bytes;
		udp->batch[i] = (struct batch_query){
			.message = udp->query[i],
			.reply = udp->reply[i],
			.size = MESSAGE_SIZE,
			.from = (const struct sockaddr_storage *)(const void *)&udp->from[i]
		};
	}
	prepare_answers(udp);
}

/* --- sockets on the wildcard address ------------------------------------------------------------ */

/* What the kernel shortened by the last batch. */
static void restore_controls(struct udp *udp, unsigned count)
{
	for (unsigned i = 0; i < count; i++)
		udp->in[i].msg_hdr.msg_controllen = sizeof(udp->control[i]);
}

/* Such a socket is told which address was asked (IP_PKTINFO, RFC 3542): the answer leaves from
 * there. By which interface is for the routes to say, except for a link-local address, which is
 * nowhere without one. */
static void answer_from(struct msghdr *reply, struct msghdr *query)
{
	struct cmsghdr *c = CMSG_FIRSTHDR(query);

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
}

/* --- a batch ------------------------------------------------------------------------------------ */

/* Some are not answered: the answers of the others move up, so that they leave by one system call.
 * Returns how many they are. */
static unsigned close_ranks(struct udp *udp, unsigned received)
{
	unsigned count = 0;

	for (unsigned i = 0; i < received; i++) {
		if (udp->batch[i].reply_len == 0)
			continue;
		udp->out[count].msg_hdr = udp->out[i].msg_hdr;
		count++;
	}
	udp->moved = true;
	return count;
}

/* Returns how many answers there are to send. */
static unsigned answer_batch(struct udp *udp, unsigned received)
{
	struct batch_query *batch = udp->batch;
	bool all = true;

	if (udp->moved)
		prepare_answers(udp);
	for (unsigned i = 0; i < received; i++) {
		batch[i].len = udp->in[i].msg_len;
		batch[i].random = server_thread_counter(&udp->thread);
	}
	batch_answer(worlds_current(), batch, received, clock_unix_s(), udp->thread.classes,
		     udp->thread.counters);
	for (unsigned i = 0; i < received; i++) {
		udp->out_iov[i].iov_len = batch[i].reply_len;
		all &= batch[i].reply_len != 0;
	}
	for (unsigned i = 0; udp->any_address && i < received; i++)
		answer_from(&udp->out[i].msg_hdr, &udp->in[i].msg_hdr);
	return all ? received : close_ranks(udp, received);
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
	unsigned used = WIDTH;

	worlds_thread_start();
	for (;;) {
		int n;

		if (udp->any_address)
			restore_controls(udp, used);
		worlds_offline();
		n = recvmmsg(udp->fd, udp->in, WIDTH, MSG_WAITFORONE, NULL);
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

	/* Their pages are there from the beginning: no batch is the first that needs them. */
	memset(udp->query, 0xff, sizeof(udp->query));
	memset(udp->reply, 0xff, sizeof(udp->reply));
	udp->fd = fd;
	udp->thread.counters = counters->counters;
	udp->thread.classes = counters->classes;
	(void)snprintf(udp->thread.name, sizeof(udp->thread.name), "dns-udp-%u", number);
	prepare(udp);
	return server_thread_start(&udp->thread, serve, udp, err);
}
