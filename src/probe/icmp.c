/* icmp.c - ICMP echo (RFC 792, RFC 4443): the node is well when it answers.
 *
 * One socket a family for all probes. A ping socket (SOCK_DGRAM) needs no privilege, where
 * net.ipv4.ping_group_range has our group; the kernel then delivers only what answers it. Where
 * there is none, the raw socket that the supervisor opened; it sees every echo reply that comes to
 * this host, so a reply must have our identifier. On both, a reply counts only with the sequence
 * of a running probe, from the address that was probed, and with that probe's random cookie:
 * nobody off the path can make a dead node look alive.
 *
 * Where there are limits, an echo adds to the window of the last ones, and these are judged
 * (icmp_judge.h). */
#include <errno.h>
#include <netinet/icmp6.h>
#undef rr_type /* a field of router renumbering there, an enum of ours */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <unistd.h>

#include <linux/icmp.h>

#include "base/clock.h"
#include "base/cursor.h"
#include "base/mem.h"
#include "probe/icmp_judge.h"

#define SEQUENCES   65536
#define HEADER_SIZE 8 /* type, code, checksum, identifier, sequence: the same in both families */
#define COOKIE_SIZE 16
#define ECHO_SIZE   (HEADER_SIZE + COOKIE_SIZE)

/* Replies read before other events have their turn. */
#define REPLIES_AT_ONCE 1024

struct icmp_socket {
	ev_io io;
	int fd; /* -1: none, because of `error` */
	int error;
	bool raw;               /* the caller's: not to be closed here */
	uint8_t request, reply; /* ICMP types */
};

struct icmp {
	struct kind kind; /* first: a struct kind * is a struct icmp * */
	struct ev_loop *loop;
	struct icmp_socket v4, v6;
	uint16_t identifier; /* on raw sockets */
	uint16_t last_sequence;
	char why[PROBE_WHY_SIZE]; /* of the last probe that ended */
	struct probe *running[SEQUENCES];
};

struct icmp_own {
	uint16_t sequence;
	uint8_t cookie[COOKIE_SIZE];
	uint64_t sent_us;
	struct window window;
};

static struct icmp_socket *socket_for(struct icmp *icmp, const struct ip_address *address)
{
	return address->family == IP_V4 ? &icmp->v4 : &icmp->v6;
}

/* --- judging ------------------------------------------------------------------------------- */

/* The result of an echo that came back (`lost` is NULL) or did not. */
static void judge(const struct probe *probe, const char *lost, char why[PROBE_WHY_SIZE],
		  struct probe_result *result)
{
	struct icmp_own *own = probe->own;
	uint64_t took_us = clock_mono_us() - own->sent_us;
	struct window_measures measures;

	*result = (struct probe_result){ .why = why };
	if (!icmp_has_limits(probe->settings)) {
		(void)snprintf(why, PROBE_WHY_SIZE, "%s", lost == NULL ? "echo reply" : lost);
		result->outcome = lost == NULL ? PROBE_SUCCESS : PROBE_FAILURE;
		return;
	}
	window_add(&own->window, lost == NULL ? (uint32_t)took_us : WINDOW_LOST);
	window_measure(&own->window, &measures);
	evidence_note(probe->evidence,
		      "%u of the last %u echoes lost; of the others, the fastest took %u us, the "
		      "mean is %u us, 95%% took %u us or less, the slowest %u us",
		      measures.lost, measures.count, measures.min_us, measures.mean_us,
		      measures.p95_us, measures.max_us);
	result->outcome = icmp_judge(probe->settings, &measures, lost, why);
	result->reach = lost == NULL ? REACH_ANSWERED : REACH_LOST;
	result->rtt_us = lost == NULL ? (uint32_t)took_us
				      : measures.mean_us; /* it has none of its own */
}

/* Is it an address of this machine? What sendmsg says where it is not differs: EINVAL, and
 * ENETUNREACH, which may mean the node as well. */
static bool is_own_address(const struct ip_address *address)
{
	struct sockaddr_storage name;
	socklen_t size = ip_to_sockaddr(address, 0, &name);
	int fd = socket(name.ss_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	bool own = fd < 0 || bind(fd, (struct sockaddr *)&name, size) == 0 ||
		   errno != EADDRNOTAVAIL;

	if (fd >= 0)
		(void)close(fd);
	return own;
}

/* Ends the probe for what an errno says. */
static void icmp_failed(struct icmp *icmp, struct probe *probe, int error)
{
	struct probe_result result;

	if (probe->source.family != 0 && !is_own_address(&probe->source))
		error = EADDRNOTAVAIL;
	if (kind_errno_outcome(probe, error) == PROBE_NOT_MADE) {
		kind_failed(probe, error);
		return;
	}
	judge(probe, strerrordesc_np(error), icmp->why, &result);
	probe->done(probe, &result);
}

/* --- sending ------------------------------------------------------------------------------- */

/* RFC 1071: the ones' complement of the ones' complement sum; `size` is even. */
static uint16_t checksum(const uint8_t *data, size_t size)
{
	uint32_t sum = 0;

	for (size_t i = 0; i < size; i += 2)
		sum += load_u16(data + i);
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)~sum;
}

/* A sequence that no running probe has; false when all are taken. */
static bool take_sequence(struct icmp *icmp, uint16_t *out)
{
	for (uint32_t tries = 0; tries < SEQUENCES; tries++) {
		if (icmp->running[++icmp->last_sequence] == NULL) {
			*out = icmp->last_sequence;
			return true;
		}
	}
	return false;
}

/* Kernels fill in the rest: the identifier on ping sockets, the checksum there and for IPv6. */
static void build_request(const struct icmp *icmp, const struct icmp_socket *s,
			  const struct probe *probe, uint8_t echo[ECHO_SIZE])
{
	const struct icmp_own *own = probe->own;
	struct writer w = { .data = echo, .size = ECHO_SIZE };

	put_u8(&w, s->request);
	put_u8(&w, 0); /* code */
	put_u16(&w, 0);
	put_u16(&w, icmp->identifier);
	put_u16(&w, own->sequence);
	put_bytes(&w, own->cookie, COOKIE_SIZE);
	if (s == &icmp->v4)
		store_u16(echo + 2, checksum(echo, ECHO_SIZE));
}

/* The address that the request comes from, as ancillary data: the socket is that of all probes.
 * RFC 3542, section 6.2; Linux has the same for IPv4. */
static void name_source(struct msghdr *message, const struct ip_address *source)
{
	struct cmsghdr *control = message->msg_control;
	struct in_pktinfo v4 = { 0 };
	struct in6_pktinfo v6 = { 0 };
	bool is_v4 = source->family == IP_V4;
	size_t size = is_v4 ? sizeof(v4) : sizeof(v6);

	memcpy(&v4.ipi_spec_dst, source->bytes, sizeof(v4.ipi_spec_dst));
	memcpy(&v6.ipi6_addr, source->bytes, sizeof(v6.ipi6_addr));
	message->msg_controllen = CMSG_SPACE(size);
	control->cmsg_level = is_v4 ? IPPROTO_IP : IPPROTO_IPV6;
	control->cmsg_type = is_v4 ? IP_PKTINFO : IPV6_PKTINFO;
	control->cmsg_len = CMSG_LEN(size);
	memcpy(CMSG_DATA(control), is_v4 ? (void *)&v4 : (void *)&v6, size);
}

static int send_request(struct icmp *icmp, const struct icmp_socket *s, const struct probe *probe)
{
	uint8_t echo[ECHO_SIZE];
	struct sockaddr_storage to;
	_Alignas(struct cmsghdr) uint8_t control[CMSG_SPACE(sizeof(struct in6_pktinfo))] = { 0 };
	struct iovec content = { echo, sizeof(echo) };
	struct msghdr message = { .msg_name = &to,
				  .msg_namelen = ip_to_sockaddr(&probe->address, 0, &to),
				  .msg_iov = &content,
				  .msg_iovlen = 1 };
	ssize_t n;

	if (probe->source.family != 0) {
		message.msg_control = control;
		name_source(&message, &probe->source);
	}
	build_request(icmp, s, probe, echo);
	do {
		n = sendmsg(s->fd, &message, MSG_DONTWAIT);
	} while (n < 0 && errno == EINTR);
	return n < 0 ? errno : 0;
}

static int icmp_prepare(struct kind *kind, struct probe *probe, struct err *err)
{
	const struct icmp_settings *settings = probe->settings;
	struct icmp_own *own = probe->own;

	(void)kind;
	(void)err;
	window_open(&own->window, settings->window);
	return 0;
}

static void icmp_release(struct kind *kind, struct probe *probe)
{
	struct icmp_own *own = probe->own;

	(void)kind;
	window_close(&own->window);
}

static void icmp_start(struct kind *kind, struct probe *probe)
{
	struct icmp *icmp = (struct icmp *)kind;
	struct icmp_socket *s = socket_for(icmp, &probe->address);
	struct icmp_own *own = probe->own;
	int error;

	own->sent_us = clock_mono_us();
	if (s->fd < 0) {
		/* No right to a socket is our lack; no IPv6 in this kernel is what tcp.c calls a
		 * failure, too: such a node cannot be reached from here. */
		if (s->error == EACCES || s->error == EPERM)
			kind_done(probe, PROBE_NOT_MADE, strerrordesc_np(s->error));
		else
			icmp_failed(icmp, probe, s->error);
		return;
	}
	if (getrandom(own->cookie, COOKIE_SIZE, GRND_NONBLOCK) != (ssize_t)COOKIE_SIZE ||
	    !take_sequence(icmp, &own->sequence)) {
		kind_done(probe, PROBE_NOT_MADE, "no random number or no sequence left");
		return;
	}
	icmp->running[own->sequence] = probe;
	evidence_note(probe->evidence, "sending an echo request, sequence %u", own->sequence);
	error = send_request(icmp, s, probe);
	if (error != 0) {
		icmp->running[own->sequence] = NULL;
		icmp_failed(icmp, probe, error);
	}
}

static void icmp_cancel(struct kind *kind, struct probe *probe)
{
	struct icmp *icmp = (struct icmp *)kind;
	const struct icmp_own *own = probe->own;

	icmp->running[own->sequence] = NULL;
}

static void icmp_expire(struct kind *kind, struct probe *probe, struct probe_result *result)
{
	struct icmp *icmp = (struct icmp *)kind;

	icmp_cancel(kind, probe);
	judge(probe, result->why, icmp->why, result);
}

/* --- receiving ----------------------------------------------------------------------------- */

/* The running probe that these bytes from this address answer, or NULL. */
static struct probe *match_reply(const struct icmp *icmp, const struct icmp_socket *s,
				 struct reader *r, const struct ip_address *from)
{
	uint8_t type = get_u8(r);
	uint8_t code = get_u8(r);
	uint16_t identifier, sequence;
	const uint8_t *cookie;
	const struct icmp_own *own;
	struct probe *probe;

	(void)get_u16(r); /* the checksum: the kernel has looked */
	identifier = get_u16(r);
	sequence = get_u16(r);
	cookie = get_bytes(r, COOKIE_SIZE);
	if (cookie == NULL || type != s->reply || code != 0)
		return NULL;
	if (s->raw && identifier != icmp->identifier)
		return NULL;
	probe = icmp->running[sequence];
	if (probe == NULL)
		return NULL;
	own = probe->own;
	if (memcmp(own->cookie, cookie, COOKIE_SIZE) != 0)
		return NULL;
	if (probe->address.family != from->family ||
	    memcmp(probe->address.bytes, from->bytes, sizeof(from->bytes)) != 0)
		return NULL;
	return probe;
}

/* Raw IPv4 sockets deliver the IP header, too. */
static void skip_ip_header(struct reader *r)
{
	uint8_t first = get_u8(r);
	size_t size = (size_t)(first & 15) * 4;

	if (size < 20)
		r->bad = true;
	else
		(void)get_bytes(r, size - 1);
}

/* false: nothing more is there. */
static bool receive_one(struct icmp *icmp, struct icmp_socket *s)
{
	uint8_t bytes[512];
	struct sockaddr_storage from_socket = { 0 };
	socklen_t size = sizeof(from_socket);
	struct ip_address from;
	struct probe *probe;
	ssize_t n = recvfrom(s->fd, bytes, sizeof(bytes), MSG_DONTWAIT,
			     (struct sockaddr *)&from_socket, &size);

	if (n < 0)
		return errno == EINTR;
	struct reader r = { .data = bytes, .size = (size_t)n };

	if (s->raw && s == &icmp->v4)
		skip_ip_header(&r);
	ip_from_sockaddr(&from_socket, &from, NULL);
	probe = match_reply(icmp, s, &r, &from);
	if (probe != NULL) {
		const struct icmp_own *own = probe->own;
		struct probe_result result;

		icmp->running[own->sequence] = NULL;
		evidence_note(probe->evidence, "received an echo reply of %zd octets", n);
		judge(probe, NULL, icmp->why, &result);
		probe->done(probe, &result);
	}
	return true;
}

static void icmp_on_readable(struct ev_loop *loop, ev_io *io, int events)
{
	struct icmp *icmp = io->data;
	struct icmp_socket *s = io == &icmp->v4.io ? &icmp->v4 : &icmp->v6;

	(void)loop;
	(void)events;
	for (int i = 0; i < REPLIES_AT_ONCE && receive_one(icmp, s); i++) {}
}

/* --- opening ------------------------------------------------------------------------------- */

/* Only echo replies: a busy host's other ICMP must not wake us. Where the kernel refuses,
 * match_reply still drops them. */
static void filter_replies(int fd, int family)
{
	if (family == AF_INET) {
		struct icmp_filter filter = { .data = ~(1U << ICMP_ECHOREPLY) };

		(void)setsockopt(fd, SOL_RAW, ICMP_FILTER, &filter, sizeof(filter));
	} else {
		struct icmp6_filter filter;

		ICMP6_FILTER_SETBLOCKALL(&filter);
		ICMP6_FILTER_SETPASS(ICMP6_ECHO_REPLY, &filter);
		(void)setsockopt(fd, IPPROTO_ICMPV6, ICMP6_FILTER, &filter, sizeof(filter));
	}
}

static void open_socket(struct icmp *icmp, struct icmp_socket *s, int family, int raw)
{
	int protocol = family == AF_INET ? IPPROTO_ICMP : IPPROTO_ICMPV6;
	int room = 1 << 20; /* a second of replies at 2,000 a second, each counted as about 500 */

	s->fd = socket(family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, protocol);
	s->error = s->fd < 0 ? errno : 0;
	if (s->fd < 0 && raw >= 0) {
		s->fd = raw;
		s->raw = true;
		filter_replies(raw, family);
	}
	if (s->fd < 0)
		return;
	(void)setsockopt(s->fd, SOL_SOCKET, SO_RCVBUF, &room, sizeof(room));
	ev_io_init(&s->io, icmp_on_readable, s->fd, EV_READ);
	ev_set_priority(&s->io, KIND_IO_PRIORITY);
	s->io.data = icmp;
	ev_io_start(icmp->loop, &s->io);
}

static void close_socket(struct icmp *icmp, struct icmp_socket *s)
{
	if (s->fd < 0)
		return;
	ev_io_stop(icmp->loop, &s->io);
	if (!s->raw)
		(void)close(s->fd);
}

static void icmp_close(struct kind *kind)
{
	struct icmp *icmp = (struct icmp *)kind;

	close_socket(icmp, &icmp->v4);
	close_socket(icmp, &icmp->v6);
	free(icmp);
}

struct kind *kind_icmp_open(const struct kind_tools *tools)
{
	struct icmp *icmp = mem_alloc(sizeof(*icmp));

	icmp->kind = (struct kind){ .name = "icmp",
				    .own_size = sizeof(struct icmp_own),
				    .prepare = icmp_prepare,
				    .release = icmp_release,
				    .start = icmp_start,
				    .cancel = icmp_cancel,
				    .expire = icmp_expire,
				    .close = icmp_close };
	icmp->loop = tools->loop;
	icmp->v4.request = ICMP_ECHO;
	icmp->v4.reply = ICMP_ECHOREPLY;
	icmp->v6.request = ICMP6_ECHO_REQUEST;
	icmp->v6.reply = ICMP6_ECHO_REPLY;
	/* Another prober on this host with the same identifier is told apart by the cookie. */
	if (getrandom(&icmp->identifier, sizeof(icmp->identifier), GRND_NONBLOCK) < 0)
		icmp->identifier = (uint16_t)getpid();
	open_socket(icmp, &icmp->v4, AF_INET, tools->icmp_v4);
	open_socket(icmp, &icmp->v6, AF_INET6, tools->icmp_v6);
	return &icmp->kind;
}
