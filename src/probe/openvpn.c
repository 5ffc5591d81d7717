/* openvpn.c - OpenVPN: the node is well when it answers a client's hard reset, with its key where
 * there is one.
 *
 * By UDP the server keeps nothing of it: the session id that it answers with is a cookie. What gets
 * lost is sent again, each time for a new session, so that a server which does keep state sees no
 * session go on. By TCP it makes an instance for each connection, and sends again for a minute to
 * one that stays open: the connection is closed as soon as the answer is there. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/cursor.h"
#include "base/mem.h"
#include "probe/datagrams.h"
#include "probe/openvpn_packet.h"
#include "probe/secret.h"

#define TRIES      3   /* by UDP, a third of the timeout apart */
#define REPLY_MAX  640 /* the answer has 26 octets to 90 */
#define FRAME_SIZE 2   /* length of the packet that follows, by TCP */

#define US_PER_MS UINT64_C(1000)

struct openvpn {
	struct kind kind; /* first: a struct kind * is a struct openvpn * */
	struct ev_loop *loop;
	char why[PROBE_WHY_SIZE];                          /* of the last probe that ended */
	uint8_t request[FRAME_SIZE + OPENVPN_REQUEST_MAX]; /* the last one */
	size_t request_len;
};

struct attempt {
	uint8_t session[OPENVPN_SESSION_SIZE];
	uint64_t sent_us;
};

struct openvpn_own {
	struct openvpn_key key;
	struct openvpn_wrap wrap;
	struct openvpn *openvpn;
	struct probe *probe;
	struct datagrams datagrams; /* by UDP */
	ev_io io;                   /* by TCP */
	struct attempt attempts[TRIES];
	unsigned tried;
	const char *wrong; /* with the last thing that came and was no answer; NULL: nothing came */
	uint8_t reply[FRAME_SIZE + REPLY_MAX]; /* what has come by TCP */
	size_t reply_len;
};

static bool by_tcp(const struct probe *probe)
{
	const struct openvpn_settings *settings = probe->settings;

	return settings->transport == OPENVPN_TCP;
}

/* --- keys ---------------------------------------------------------------------------------- */

static int read_key(const struct openvpn_settings *settings, struct openvpn_key *key,
		    struct err *err)
{
	const char *path = probe_text(settings, settings->key_file);
	char text[SECRET_SIZE_MAX];
	const char *wrong;
	size_t len;

	if (secret_read(path, text, sizeof(text), &len, err) != 0)
		return -1;
	wrong = settings->mode == OPENVPN_TLS_CRYPT_V2 ? openvpn_key_v2(text, len, key)
						       : openvpn_key_static(text, len, key);
	secret_wipe(text, sizeof(text));
	return wrong == NULL ? 0 : err_set(err, "%s: %s", path, wrong);
}

static int openvpn_prepare(struct kind *kind, struct probe *probe, struct err *err)
{
	const struct openvpn_settings *settings = probe->settings;
	struct openvpn_own *own = probe->own;

	own->openvpn = (struct openvpn *)kind;
	own->probe = probe;
	own->wrap.mode = settings->mode;
	own->wrap.direction = settings->direction;
	own->wrap.digest = settings->digest;
	own->wrap.key = settings->mode == OPENVPN_PLAIN ? NULL : &own->key;
	return settings->mode == OPENVPN_PLAIN ? 0 : read_key(settings, &own->key, err);
}

static void openvpn_release(struct kind *kind, struct probe *probe)
{
	struct openvpn_own *own = probe->own;

	(void)kind;
	secret_wipe(&own->key, sizeof(own->key));
}

/* --- ends ---------------------------------------------------------------------------------- */

static void stop(struct openvpn_own *own)
{
	if (!by_tcp(own->probe)) {
		datagrams_close(&own->datagrams);
		return;
	}
	ev_io_stop(own->openvpn->loop, &own->io);
	(void)close(own->io.fd);
}

static void openvpn_cancel(struct kind *kind, struct probe *probe)
{
	(void)kind;
	stop(probe->own);
}

static void openvpn_expire(struct kind *kind, struct probe *probe, struct probe_result *result)
{
	struct openvpn *openvpn = (struct openvpn *)kind;
	struct openvpn_own *own = probe->own;

	if (by_tcp(probe))
		stop(own);
	else
		datagrams_expire(&own->datagrams, result);
	if (own->wrong == NULL)
		return;
	(void)snprintf(openvpn->why, sizeof(openvpn->why), "timeout; what came: %s", own->wrong);
	result->why = openvpn->why;
}

static void fail(struct openvpn_own *own, int error)
{
	stop(own);
	evidence_note(own->probe->evidence, "the network says: %s", strerrordesc_np(error));
	kind_failed(own->probe, error);
}

static void fail_because(struct openvpn_own *own, const char *why)
{
	stop(own);
	evidence_note(own->probe->evidence, "%s", why);
	kind_done(own->probe, PROBE_FAILURE, why);
}

/* --- replies ------------------------------------------------------------------------------- */

/* The request for this session; NULL: there was none. */
static const struct attempt *find_attempt(const struct openvpn_own *own, const uint8_t *session)
{
	for (unsigned i = 0; i < own->tried; i++) {
		if (memcmp(own->attempts[i].session, session, OPENVPN_SESSION_SIZE) == 0)
			return &own->attempts[i];
	}
	return NULL;
}

/* true: it was the answer, and the probe has ended. */
static bool take_packet(struct openvpn_own *own, const uint8_t *packet, size_t len)
{
	uint8_t session[OPENVPN_SESSION_SIZE];
	const struct attempt *answered = NULL;
	struct probe_result result = { .outcome = PROBE_SUCCESS, .why = "hard reset answered" };
	const char *wrong = openvpn_reply(&own->wrap, packet, len, session);
	uint64_t took_us;

	if (wrong == NULL) {
		answered = find_attempt(own, session);
		wrong = answered == NULL ? "it is for no session of ours" : NULL;
	}
	if (wrong != NULL) {
		own->wrong = wrong;
		evidence_octets(own->probe->evidence, packet, len,
				"received %zu octets, which do not count: %s", len, wrong);
		return false;
	}
	took_us = clock_mono_us() - answered->sent_us;
	evidence_octets(own->probe->evidence, packet, len,
			"received %zu octets: the server's hard reset for request %td%s, after "
			"%llu us",
			len, answered - own->attempts + 1,
			own->wrap.key != NULL ? ", proven by its key" : "",
			(unsigned long long)took_us);
	result.rtt_us = took_us > 0 ? (uint32_t)took_us : 1;
	stop(own);
	own->probe->done(own->probe, &result);
	return true;
}

/* --- requests ------------------------------------------------------------------------------ */

/* For a new session, framed where that is needed; false: for want of something of ours. */
static bool make_request(struct openvpn_own *own)
{
	struct attempt *attempt = &own->attempts[own->tried];
	size_t frame = by_tcp(own->probe) ? FRAME_SIZE : 0;
	size_t len;

	if (getrandom(attempt->session, sizeof(attempt->session), GRND_NONBLOCK) !=
	    (ssize_t)sizeof(attempt->session))
		return false;
	len = openvpn_request(&own->wrap, attempt->session, (uint32_t)(clock_unix_ms() / 1000),
			      own->openvpn->request + frame);
	if (frame > 0)
		store_u16(own->openvpn->request, (uint16_t)len);
	own->openvpn->request_len = frame + len;
	own->tried++;
	attempt->sent_us = clock_mono_us();
	return len > 0;
}

static void tell_request(const struct openvpn_own *own)
{
	static const char *const protected[] = { "not protected", "protected by tls-auth",
						 "protected by tls-crypt",
						 "protected by tls-crypt-v2" };

	evidence_octets(own->probe->evidence, own->openvpn->request, own->openvpn->request_len,
			"sent %zu octets: hard reset of a client, %s, request %u",
			own->openvpn->request_len, protected[own->wrap.mode], own -> tried);
}

/* false: the probe has ended. */
static bool send_request(struct openvpn_own *own)
{
	const struct openvpn *openvpn = own->openvpn;
	int error = 0;

	if (!make_request(own)) {
		stop(own);
		kind_done(own->probe, PROBE_NOT_MADE, "no random number or no cipher");
		return false;
	}
	if (!by_tcp(own->probe))
		error = datagrams_send(&own->datagrams, openvpn->request, openvpn->request_len);
	else if (send(own->io.fd, openvpn->request, openvpn->request_len, MSG_NOSIGNAL) < 0)
		error = errno;
	if (error != 0) {
		fail(own, error);
		return false;
	}
	tell_request(own);
	return true;
}

/* --- UDP ----------------------------------------------------------------------------------- */

static bool take_datagram(struct probe *probe, const uint8_t *data, size_t len)
{
	return take_packet(probe->own, data, len < REPLY_MAX ? len : REPLY_MAX);
}

static void send_datagram(struct probe *probe)
{
	struct openvpn_own *own = probe->own;

	if (send_request(own) && own->tried < TRIES)
		datagrams_again(&own->datagrams, probe->timeout_ms * US_PER_MS / TRIES);
}

static void start_udp(struct openvpn *openvpn, struct probe *probe)
{
	struct openvpn_own *own = probe->own;

	if (datagrams_open(&own->datagrams, openvpn->loop, probe, take_datagram, send_datagram))
		send_datagram(probe);
}

/* --- TCP ----------------------------------------------------------------------------------- */

/* The frames that are whole; the answer is the first one. false: the probe has ended. */
static bool take_frames(struct openvpn_own *own)
{
	size_t len;

	if (own->reply_len < FRAME_SIZE)
		return true;
	len = load_u16(own->reply);
	if (len == 0 || len > REPLY_MAX) {
		fail_because(own, "what answers is no OpenVPN");
		return false;
	}
	if (own->reply_len < FRAME_SIZE + len)
		return true;
	if (!take_packet(own, own->reply + FRAME_SIZE, len))
		fail_because(own, own->wrong);
	return false;
}

static void tcp_on_readable(struct ev_loop *loop, ev_io *io, int events)
{
	struct openvpn_own *own = io->data;
	ssize_t n;

	(void)loop;
	(void)events;
	do {
		n = recv(io->fd, own->reply + own->reply_len, sizeof(own->reply) - own->reply_len,
			 MSG_DONTWAIT);
		if (n > 0)
			own->reply_len += (size_t)n;
	} while (n > 0 && take_frames(own));
	if (n < 0 && errno != EAGAIN && errno != EINTR)
		fail(own, errno);
	else if (n == 0)
		fail_because(own, "closed without an answer, as where the key is wrong");
	kind_went_on(own->probe);
}

static void tcp_on_writable(struct ev_loop *loop, ev_io *io, int events)
{
	struct openvpn_own *own = io->data;
	int error = kind_connected(io->fd);

	(void)events;
	if (error != 0) {
		fail(own, error);
		return;
	}
	evidence_note(own->probe->evidence, "connected");
	/* A new connection has room for all of it: not for less than the least buffer of sockets. */
	if (!send_request(own))
		return;
	ev_io_stop(loop, io);
	kind_watch(loop, io, tcp_on_readable, io->fd, EV_READ, own);
	kind_went_on(own->probe);
}

static void start_tcp(struct openvpn *openvpn, struct probe *probe)
{
	struct openvpn_own *own = probe->own;
	int fd = kind_socket(probe, SOCK_STREAM);

	if (fd < 0) {
		kind_failed(probe, errno);
		return;
	}
	evidence_note(probe->evidence, "sent a TCP SYN");
	kind_watch(openvpn->loop, &own->io, tcp_on_writable, fd, EV_WRITE, own);
}

/* --- the kind ------------------------------------------------------------------------------ */

static void openvpn_start(struct kind *kind, struct probe *probe)
{
	struct openvpn_own *own = probe->own;

	own->tried = 0;
	own->wrong = NULL;
	own->reply_len = 0;
	if (by_tcp(probe))
		start_tcp((struct openvpn *)kind, probe);
	else
		start_udp((struct openvpn *)kind, probe);
}

static void openvpn_close(struct kind *kind)
{
	free(kind);
}

struct kind *kind_openvpn_open(const struct kind_tools *tools)
{
	struct openvpn *openvpn = mem_alloc(sizeof(*openvpn));

	openvpn->kind = (struct kind){ .name = "openvpn",
				       .own_size = sizeof(struct openvpn_own),
				       .has_descriptor = true,
				       .prepare = openvpn_prepare,
				       .release = openvpn_release,
				       .start = openvpn_start,
				       .cancel = openvpn_cancel,
				       .expire = openvpn_expire,
				       .close = openvpn_close };
	openvpn->loop = tools->loop;
	return &openvpn->kind;
}
