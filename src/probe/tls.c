/* tls.c - kind tls: a whole handshake, and a proper end.
 *
 * Servers that handle a connection at a time (ocserv's acceptor does) lose more by one that ends
 * before its handshake than by a whole one, so a probe always goes through with it. Then it says
 * close_notify and waits for the server's end of the connection, because
 *  - in TLS 1.3 a server looks at the client's certificate after the client's last message (RFC 8446,
 *    4.4.2.4): that it was refused is heard only then;
 *  - a socket closed with something unread (a session ticket) resets the connection, and that is an
 *    error in logs.
 * The round-trip time is that of connection and handshake. */
#include <errno.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "image/probe_tls.h"
#include "probe/kind.h"
#include "probe/tls_certificate.h"
#include "probe/tls_files.h"

struct tls {
	struct kind kind; /* first: a struct kind * is a struct tls * */
	struct ev_loop *loop;
	struct tls_contexts contexts;
};

/* What a server may still say after our close_notify: session tickets, a page that nobody asked for. */
#define ENDING_MAX (256 * 1024)

enum tls_phase { TLS_CONNECTING, TLS_HANDSHAKE, TLS_ENDING };

struct tls_own {
	SSL_CTX *context;
	/* While it runs. */
	SSL *ssl;
	ev_io io;
	enum tls_phase phase;
	uint64_t began_us;
	size_t ignored; /* octets that came after the handshake */
	/* When the handshake is complete. */
	uint32_t rtt_us;
	enum probe_outcome outcome;
	char why[PROBE_WHY_SIZE];
};

/* --- before the first, and after the last -------------------------------------------------- */

static int tls_prepare(struct kind *kind, struct probe *probe, struct err *err)
{
	struct tls *tls = (struct tls *)kind;
	const struct tls_settings *settings = probe->settings;
	struct tls_own *own = probe->own;
	const struct tls_files files = {
		.ca = probe_text(settings, settings->ca),
		.certificate = probe_text(settings, settings->certificate),
		.key = probe_text(settings, settings->key),
		.ca_version = settings->ca_version,
		.certificate_version = settings->certificate_version,
		.key_version = settings->key_version,
	};

	return tls_context_take(&tls->contexts, &files, &own->context, err);
}

static void tls_release(struct kind *kind, struct probe *probe)
{
	struct tls *tls = (struct tls *)kind;
	struct tls_own *own = probe->own;

	tls_context_give_back(&tls->contexts, own->context);
}

/* --- the end ------------------------------------------------------------------------------- */

static void end_connection(struct tls *tls, struct tls_own *own)
{
	ev_io_stop(tls->loop, &own->io);
	SSL_free(own->ssl);
	own->ssl = NULL;
	(void)close(own->io.fd);
	ERR_clear_error();
}

static void finish(struct tls *tls, struct probe *probe)
{
	struct tls_own *own = probe->own;
	const struct probe_result result = { .outcome = own->outcome,
					     .why = own->why,
					     .rtt_us = own->rtt_us };

	end_connection(tls, own);
	probe->done(probe, &result);
}

static void fail(struct tls *tls, struct probe *probe, const char *why)
{
	struct tls_own *own = probe->own;

	evidence_note(probe->evidence, "%s", why);
	own->outcome = PROBE_FAILURE;
	own->rtt_us = 0;
	(void)snprintf(own->why, sizeof(own->why), "%s", why);
	finish(tls, probe);
}

/* Why an operation of OpenSSL's failed. */
static const char *reason_of(const SSL *ssl, int error)
{
	long verified = SSL_get_verify_result(ssl);
	unsigned long code = ERR_peek_last_error();

	if (ERR_GET_REASON(code) == SSL_R_CERTIFICATE_VERIFY_FAILED)
		return X509_verify_cert_error_string(verified);
	if (error == SSL_ERROR_SSL && ERR_reason_error_string(code) != NULL)
		return ERR_reason_error_string(code);
	return error == SSL_ERROR_SYSCALL && errno != 0 ? strerrordesc_np(errno)
							: "the connection was closed";
}

/* --- what was agreed ----------------------------------------------------------------------- */

static bool alpn_is(const SSL *ssl, const char *expected, size_t len)
{
	const unsigned char *chosen;
	unsigned chosen_len;

	SSL_get0_alpn_selected(ssl, &chosen, &chosen_len);
	return chosen_len == len && (len == 0 || memcmp(chosen, expected, len) == 0);
}

static void note_handshake(const struct probe *probe, const SSL *ssl)
{
	const unsigned char *alpn;
	unsigned alpn_len;

	if (probe->evidence == NULL)
		return;
	SSL_get0_alpn_selected(ssl, &alpn, &alpn_len);
	evidence_note(probe->evidence, "handshake complete: %s, %s, ALPN %.*s",
		      SSL_get_version(ssl), SSL_get_cipher_name(ssl),
		      alpn_len > 0 ? (int)alpn_len : 4, alpn_len > 0 ? (const char *)alpn : "none");
	if (SSL_get0_peer_certificate(ssl) != NULL)
		tls_note_certificate(probe->evidence, SSL_get0_peer_certificate(ssl));
}

static void judge(struct probe *probe)
{
	const struct tls_settings *settings = probe->settings;
	struct tls_own *own = probe->own;
	const X509 *certificate = SSL_get0_peer_certificate(own->ssl);
	int64_t left_s = certificate != NULL ? tls_expires_in_s(certificate) : INT64_MAX;
	char expiry[TLS_EXPIRY_SIZE];

	own->outcome = PROBE_SUCCESS;
	(void)snprintf(own->why, sizeof(own->why), "handshake complete, %s",
		       SSL_get_version(own->ssl));
	if (settings->expect_alpn.offset != 0 &&
	    !alpn_is(own->ssl, probe_text(settings, settings->expect_alpn),
		     settings->expect_alpn.len)) {
		own->outcome = PROBE_FAILURE;
		(void)snprintf(own->why, sizeof(own->why), "ALPN \"%.40s\" was not chosen",
			       probe_text(settings, settings->expect_alpn));
	} else if (tls_expires_soon(left_s, settings->warn_days)) {
		own->outcome = PROBE_WARNING;
		(void)snprintf(own->why, sizeof(own->why), "handshake complete, certificate %s",
			       tls_expiry_text(left_s, expiry));
	}
}

/* --- step by step -------------------------------------------------------------------------- */

static void wait_for(struct tls *tls, struct tls_own *own, int events)
{
	if (own->io.events == events)
		return;
	ev_io_stop(tls->loop, &own->io);
	ev_io_set(&own->io, own->io.fd, events);
	ev_io_start(tls->loop, &own->io);
}

/* true: there is nothing to do but to wait. */
static bool waits(struct tls *tls, struct tls_own *own, int error)
{
	if (error == SSL_ERROR_WANT_READ)
		wait_for(tls, own, EV_READ);
	else if (error == SSL_ERROR_WANT_WRITE)
		wait_for(tls, own, EV_WRITE);
	return error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE;
}

/* What the server still says is of no interest, unless it is an alert: then it would have no more of
 * us. However the connection ends after our close_notify, it has ended. A record at a time: one that
 * talks without end must not keep the loop, and after a while nobody listens any more. */
static void read_to_end(struct tls *tls, struct probe *probe)
{
	struct tls_own *own = probe->own;
	char nothing[SSL3_RT_MAX_PLAIN_LENGTH]; /* whole records: none of it stays in OpenSSL */
	int n, error;

	ERR_clear_error();
	n = SSL_read(own->ssl, nothing, sizeof(nothing));
	if (n > 0) {
		own->ignored += (size_t)n;
		wait_for(tls, own, EV_READ);
		if (own->ignored < ENDING_MAX)
			return;
		evidence_note(probe->evidence, "the server goes on talking: not heard to its end");
		finish(tls, probe);
		return;
	}
	error = SSL_get_error(own->ssl, n);
	if (waits(tls, own, error))
		return;
	if (error == SSL_ERROR_SSL && own->outcome != PROBE_FAILURE) {
		fail(tls, probe, reason_of(own->ssl, error));
		return;
	}
	evidence_note(probe->evidence, "the server has closed, too");
	finish(tls, probe);
}

static void shake_hands(struct tls *tls, struct probe *probe)
{
	struct tls_own *own = probe->own;
	int n, error;

	ERR_clear_error();
	errno = 0;
	n = SSL_connect(own->ssl);
	error = SSL_get_error(own->ssl, n);
	if (n == 1) {
		own->rtt_us = (uint32_t)(clock_mono_us() - own->began_us);
		note_handshake(probe, own->ssl);
		judge(probe);
		SSL_set_options(own->ssl, SSL_OP_IGNORE_UNEXPECTED_EOF);
		/* Messages of the handshake without end keep SSL_read no longer than data do. */
		(void)SSL_clear_mode(own->ssl, SSL_MODE_AUTO_RETRY);
		evidence_note(probe->evidence, "sent close_notify");
		(void)SSL_shutdown(own->ssl);
		own->phase = TLS_ENDING;
		wait_for(tls, own, EV_READ);
		read_to_end(tls, probe);
	} else if (!waits(tls, own, error)) {
		fail(tls, probe, reason_of(own->ssl, error));
	}
}

static void connected(struct tls *tls, struct probe *probe)
{
	struct tls_own *own = probe->own;
	int error = kind_connected(own->io.fd);

	evidence_note(probe->evidence, "SYN answered: %s",
		      error == 0 ? "connected" : strerrordesc_np(error));
	if (error != 0) {
		end_connection(tls, own);
		kind_failed(probe, error);
		return;
	}
	own->phase = TLS_HANDSHAKE;
	shake_hands(tls, probe);
}

static void tls_on_ready(struct ev_loop *loop, ev_io *io, int events)
{
	struct probe *probe = io->data;
	struct tls_own *own = probe->own;
	struct tls *tls = SSL_get_app_data(own->ssl);

	(void)loop;
	(void)events;
	switch (own->phase) {
	case TLS_CONNECTING: connected(tls, probe); break;
	case TLS_HANDSHAKE: shake_hands(tls, probe); break;
	case TLS_ENDING: read_to_end(tls, probe); break;
	}
	kind_went_on(probe);
}

/* --- a probe ------------------------------------------------------------------------------- */

/* As SSL_set_tlsext_host_name, which takes the name for one that may be changed. */
static bool set_server_name(SSL *ssl, const char *name)
{
	return SSL_ctrl(ssl, SSL_CTRL_SET_TLSEXT_HOSTNAME, TLSEXT_NAMETYPE_host_name,
			(void *)(uintptr_t)name) == 1;
}

/* The name, or else the address, has to be in the certificate. */
static bool set_name(SSL *ssl, const struct probe *probe)
{
	const struct tls_settings *settings = probe->settings;
	X509_VERIFY_PARAM *param = SSL_get0_param(ssl);
	char name[256]; /* the macro that sets it casts const away */

	(void)snprintf(name, sizeof(name), "%s", probe_text(settings, settings->server_name));
	if (name[0] != '\0')
		return set_server_name(ssl, name) && SSL_set1_host(ssl, name) == 1;
	return X509_VERIFY_PARAM_set1_ip(param, probe->address.bytes,
					 ip_bits(probe->address.family) / 8) == 1;
}

static SSL *new_connection(struct tls *tls, const struct probe *probe, int fd)
{
	const struct tls_settings *settings = probe->settings;
	const struct tls_own *own = probe->own;
	SSL *ssl = SSL_new(own->context);
	bool done = ssl != NULL && SSL_set_fd(ssl, fd) == 1 && set_name(ssl, probe) &&
		    SSL_set_app_data(ssl, tls) == 1;

	if (done && settings->alpn.offset != 0)
		done = SSL_set_alpn_protos(ssl,
					   (const uint8_t *)probe_text(settings, settings->alpn),
					   settings->alpn.len) == 0;
	if (done)
		SSL_set_verify(ssl, settings->verify ? SSL_VERIFY_PEER : SSL_VERIFY_NONE, NULL);
	if (!done) {
		SSL_free(ssl);
		ssl = NULL;
	}
	return ssl;
}

static void tls_start(struct kind *kind, struct probe *probe)
{
	struct tls *tls = (struct tls *)kind;
	struct tls_own *own = probe->own;
	int fd = kind_socket(probe, SOCK_STREAM);

	own->began_us = clock_mono_us();
	own->rtt_us = 0;
	own->ignored = 0;
	own->phase = TLS_CONNECTING;
	if (fd < 0) {
		kind_failed(probe, errno);
		return;
	}
	own->ssl = new_connection(tls, probe, fd);
	if (own->ssl == NULL) {
		(void)close(fd);
		kind_done(probe, PROBE_NOT_MADE, "no memory for TLS");
		return;
	}
	evidence_note(probe->evidence, "sent a TCP SYN");
	kind_watch(tls->loop, &own->io, tls_on_ready, fd, EV_WRITE, probe);
}

static void tls_cancel(struct kind *kind, struct probe *probe)
{
	end_connection((struct tls *)kind, probe->own);
}

/* A server that goes on after our close_notify has shown all that it was asked for. */
static void tls_expire(struct kind *kind, struct probe *probe, struct probe_result *result)
{
	struct tls_own *own = probe->own;

	if (own->phase == TLS_ENDING) {
		evidence_note(probe->evidence, "the server did not close");
		*result = (struct probe_result){ .outcome = own->outcome,
						 .why = own->why,
						 .rtt_us = own->rtt_us };
	} else if (own->phase == TLS_HANDSHAKE) {
		result->why = "timeout in the handshake";
	}
	tls_cancel(kind, probe);
}

static void tls_close(struct kind *kind)
{
	free(kind);
}

struct kind *kind_tls_open(const struct kind_tools *tools)
{
	struct tls *tls = mem_alloc(sizeof(*tls));

	tls->kind = (struct kind){ .name = "tls",
				   .own_size = sizeof(struct tls_own),
				   .has_descriptor = true,
				   .prepare = tls_prepare,
				   .release = tls_release,
				   .start = tls_start,
				   .cancel = tls_cancel,
				   .expire = tls_expire,
				   .close = tls_close };
	tls->loop = tools->loop;
	return &tls->kind;
}
