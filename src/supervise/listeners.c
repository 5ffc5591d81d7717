#include "supervise/listeners.h"

#include <errno.h>
#include <linux/filter.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "image/handover.h"

/* The default buffer holds 256 datagrams, 5 ms at 50,000 queries a second; this one some 20,000:
 * a restart of the data plane loses nothing. */
#define RECEIVE_BUFFER (8 << 20)
/* Answers that do not fit are lost, for the data plane waits for no network; the default buffer
 * holds a batch and a half of large ones. */
#define SEND_BUFFER (2 << 20)
#define TCP_BACKLOG 1024

/* A supervisor that was killed leaves a data plane that ends within milliseconds; whoever starts
 * another one at once need not fail for that. */
#define PORT_WAIT_MS  1000
#define PORT_SLEEP_US 20000

struct endpoint {
	struct sockaddr_storage address;
	socklen_t len;
	bool v6, wildcard, loopback;
	char text[IP_ENDPOINT_SIZE];
};

static struct endpoint endpoint_of(const struct boot_listen *listen)
{
	static const uint8_t zeros[16];
	static const uint8_t v6_loopback[16] = { [15] = 1 };
	struct endpoint e = { .v6 = listen->address.family == IP_V6 };

	e.wildcard = memcmp(listen->address.bytes, zeros, sizeof(zeros)) == 0;
	e.loopback = e.v6 && memcmp(listen->address.bytes, v6_loopback, sizeof(v6_loopback)) == 0;
	e.len = ip_to_sockaddr(&listen->address, listen->port, &e.address);
	(void)ip_endpoint_format(&listen->address, listen->port, e.text);
	return e;
}

static const char *advice(int error)
{
	switch (error) {
	case EADDRINUSE:
		return ": another program has this port (ss -lnptu tells which): stop it, or set "
		       "another 'listen' in the server file";
	case EACCES:
		return ": ports below 1024 need root or CAP_NET_BIND_SERVICE: start as root, or "
		       "set another 'listen' in the server file";
	case EADDRNOTAVAIL:
		return ": this host has no such address (ip address tells): correct 'listen' in "
		       "the server file";
	default: return "";
	}
}

static int fail(const struct endpoint *e, uint32_t protocol, const char *what, struct err *err)
{
	int error = errno;

	return err_set(err, "listen %s %s: %s: %s%s", e->text,
		       protocol == HANDOVER_UDP ? "udp" : "tcp", what, strerror(error),
		       advice(error));
}

static int set(int fd, int level, int name, int value)
{
	return setsockopt(fd, level, name, &value, sizeof(value));
}

static int set_ip_options(int fd, const struct endpoint *e, uint32_t protocol)
{
	if (e->v6 && set(fd, IPPROTO_IPV6, IPV6_V6ONLY, 1) != 0)
		return -1;
	if (protocol == HANDOVER_TCP)
		return 0;
	/* Replies leave from the address that was asked. */
	if (e->wildcard && (e->v6 ? set(fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, 1)
				  : set(fd, IPPROTO_IP, IP_PKTINFO, 1)) != 0)
		return -1;
	/* RFC 9715 section 3.1: no attention to path MTU news, which anybody can forge; answers
	 * stay below the size that needs fragments. */
	return e->v6 ? set(fd, IPPROTO_IPV6, IPV6_MTU_DISCOVER, IPV6_PMTUDISC_OMIT)
		     : set(fd, IPPROTO_IP, IP_MTU_DISCOVER, IP_PMTUDISC_OMIT);
}

static int new_socket(const struct endpoint *e, uint32_t protocol)
{
	int type = protocol == HANDOVER_UDP ? SOCK_DGRAM : SOCK_STREAM | SOCK_NONBLOCK;

	return socket(e->v6 ? AF_INET6 : AF_INET, type | SOCK_CLOEXEC, 0);
}

/* SO_REUSEPORT would let a second supervisor of the same user share the port in silence, each
 * getting half of the queries. So the port is first taken without it, which fails if anybody
 * listens there. */
static int try_bind(const struct endpoint *e, uint32_t protocol, struct err *err)
{
	int fd = new_socket(e, protocol);
	int rc = -1;
	int error;

	if (fd < 0)
		return fail(e, protocol, "socket", err);
	if ((e->v6 && set(fd, IPPROTO_IPV6, IPV6_V6ONLY, 1) != 0) ||
	    (protocol == HANDOVER_TCP && set(fd, SOL_SOCKET, SO_REUSEADDR, 1) != 0)) {
		(void)fail(e, protocol, "socket options", err);
		goto out;
	}
	if (bind(fd, (const struct sockaddr *)&e->address, e->len) != 0) {
		(void)fail(e, protocol, "bind", err);
		goto out;
	}
	rc = 0;
out:
	error = errno;
	(void)close(fd);
	errno = error;
	return rc;
}

static int check_free(const struct endpoint *e, uint32_t protocol, uint64_t until_ms,
		      struct err *err)
{
	while (try_bind(e, protocol, err) != 0) {
		if (errno != EADDRINUSE || clock_mono_ms() >= until_ms)
			return -1;
		(void)usleep(PORT_SLEEP_US);
	}
	return 0;
}

/* As large as asked where we may, else as large as net.core.rmem_max and wmem_max let us. */
static void enlarge_buffers(int fd, int *smallest)
{
	int got = 0;
	socklen_t len = sizeof(got);

	if (set(fd, SOL_SOCKET, SO_RCVBUFFORCE, RECEIVE_BUFFER) != 0)
		(void)set(fd, SOL_SOCKET, SO_RCVBUF, RECEIVE_BUFFER);
	if (set(fd, SOL_SOCKET, SO_SNDBUFFORCE, SEND_BUFFER) != 0)
		(void)set(fd, SOL_SOCKET, SO_SNDBUF, SEND_BUFFER);
	if (getsockopt(fd, SOL_SOCKET, SO_RCVBUF, &got, &len) == 0) {
		got /= 2; /* the kernel doubles it for its own bookkeeping */
		if (*smallest == 0 || got < *smallest)
			*smallest = got;
	}
}

static int open_one(struct listeners *out, const struct endpoint *e, uint32_t protocol,
		    uint32_t worker, struct err *err)
{
	int fd = new_socket(e, protocol);

	if (fd < 0)
		return fail(e, protocol, "socket", err);
	array_add(out->items, out->count, out->capacity) = (struct listener){ fd, protocol,
									      worker };
	if (set(fd, SOL_SOCKET, SO_REUSEPORT, 1) != 0 || set_ip_options(fd, e, protocol) != 0 ||
	    (protocol == HANDOVER_TCP && set(fd, SOL_SOCKET, SO_REUSEADDR, 1) != 0))
		return fail(e, protocol, "socket options", err);
	if (protocol == HANDOVER_UDP)
		enlarge_buffers(fd, &out->receive_buffer);
	if (bind(fd, (const struct sockaddr *)&e->address, e->len) != 0)
		return fail(e, protocol, "bind", err);
	if (protocol == HANDOVER_TCP && listen(fd, TCP_BACKLOG) != 0)
		return fail(e, protocol, "listen", err);
	return 0;
}

/* Of an endpoint's sockets the one whose number is that of the processor which the kernel works for
 * the datagram on gets it; on processors beyond them, any, by the client. For TCP a client is as
 * good as the other: connections last. */
static int stay_on_processor(int fd)
{
	struct sock_filter number_of_processor[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, (uint32_t)(SKF_AD_OFF + SKF_AD_CPU)),
		BPF_STMT(BPF_RET | BPF_A, 0),
	};
	struct sock_fprog program = { 2, number_of_processor };

	return setsockopt(fd, SOL_SOCKET, SO_ATTACH_REUSEPORT_CBPF, &program, sizeof(program));
}

static int open_endpoint(struct listeners *out, const struct endpoint *e, uint64_t until_ms,
			 struct err *err)
{
	static const uint32_t protocols[] = { HANDOVER_UDP, HANDOVER_TCP };

	for (unsigned p = 0; p < 2; p++) {
		if (check_free(e, protocols[p], until_ms, err) != 0)
			return -1;
		for (uint32_t worker = 0; worker < out->workers; worker++) {
			if (open_one(out, e, protocols[p], worker, err) != 0)
				return -1;
		}
		if (out->socket_affinity && protocols[p] == HANDOVER_UDP &&
		    stay_on_processor(out->items[out->count - 1].fd) != 0)
			return fail(e, protocols[p], "socket-affinity", err);
	}
	return 0;
}

static uint32_t cores(void)
{
	cpu_set_t set_of_cpus;
	int count = 1;

	if (sched_getaffinity(0, sizeof(set_of_cpus), &set_of_cpus) == 0)
		count = CPU_COUNT(&set_of_cpus);
	return count < 1 ? 1 : count > BOOT_WORKERS_MAX ? BOOT_WORKERS_MAX : (uint32_t)count;
}

/* A host without IPv6 (in its kernel, or switched off as in many containers) does not lack these
 * two by mistake: they are in every sample and default. Any other address that is missing is a
 * mistake to be told. */
static bool is_left_out(struct endpoint e)
{
	int fd = -1;
	bool absent = false;

	if (!e.v6 || (!e.wildcard && !e.loopback))
		return false;
	((struct sockaddr_in6 *)&e.address)->sin6_port = 0;
	fd = new_socket(&e, HANDOVER_UDP);
	if (fd < 0)
		return errno == EAFNOSUPPORT;
	if (bind(fd, (const struct sockaddr *)&e.address, e.len) != 0)
		absent = errno == EADDRNOTAVAIL;
	(void)close(fd);
	return absent;
}

int listeners_open(struct listeners *out, const struct boot_record *boot, struct err *err)
{
	uint64_t until_ms = clock_mono_ms() + PORT_WAIT_MS;

	*out = (struct listeners){ .workers = boot->workers != 0 ? boot->workers : cores(),
				   .socket_affinity = boot->socket_affinity != 0 };
	for (uint32_t i = 0; i < boot->listen_count; i++) {
		struct endpoint e = endpoint_of(&boot->listen[i]);

		out->left_out[i] = is_left_out(e);
		if (out->left_out[i])
			continue;
		if (open_endpoint(out, &e, until_ms, err) != 0) {
			listeners_close(out);
			return -1;
		}
	}
	if (out->count == 0)
		return err_set(err, "nothing to listen on: this host has no IPv6");
	return 0;
}

void listeners_close(struct listeners *listeners)
{
	for (size_t i = 0; i < listeners->count; i++)
		(void)close(listeners->items[i].fd);
	free(listeners->items);
	*listeners = (struct listeners){ 0 };
}
