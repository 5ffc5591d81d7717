/* web.h - HTTP requests on control's loop, by libcurl. One thread; nothing blocks, and no name is
 * ever looked up: a request goes to the address that it is given.
 *
 * Each request has a connection of its own, which ends with it: what is measured is measured whole.
 * Redirects are not followed, no proxy is used, and no file is read. */
#ifndef PROBE_WEB_H
#define PROBE_WEB_H

#include <ev.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/netprefix.h"
#include "probe/evidence.h"

struct ssl_ctx_st;

struct web;
struct web_exchange; /* one request and its answer */
struct web_answer;

/* All that is pointed at is copied, except `tls` and `evidence`. Zero-initialise. */
struct web_request {
	const char *method; /* NULL: GET, or POST where there is a body */
	/* "https://vpn.example.net/health": http or https; its host name is the one in the Host
	 * header, SNI, and the certificate. */
	const char *url;
	/* Where to connect, at the URL's port; family 0: the URL's host is an address. */
	struct ip_address address;
	struct ip_address source; /* family 0: the kernel chooses */
	const char *const
		*headers; /* "Name: value"; one of the same name takes the place of ours */
	size_t header_count;
	const void *body; /* NULL: none */
	size_t body_len;
	uint32_t timeout_ms; /* for all of it; 0: the caller keeps the time */
	size_t keep;         /* so many octets of the answer's body; beyond them it is not read */
	/* SSL_CTX (probe/tls_files.h) whose trust and client certificate are used, as long as the
	 * exchange lives; NULL: what the system trusts, and no certificate. */
	struct ssl_ctx_st *tls;
	bool unverified;           /* any certificate will do */
	struct evidence *evidence; /* NULL: nobody looks; values of headers never go in */

	/* Once for each exchange that is not cancelled, never before web_start returns. The answer
	 * is the callee's until it returns; then the exchange is gone. It may start and cancel
	 * others, but not close the web. */
	void (*done)(void *context, const struct web_answer *answer);
	/* Before that, whenever the server has gone on: there is a connection, or a part of what it has
	 * to say. It may start and cancel nothing. NULL: nobody wants to know. */
	void (*went_on)(void *context);
	void *context;
};

struct web_answer {
	const char *error; /* "Connection refused", "timeout"; NULL: there is an answer */
	bool ours;         /* the error is for want of something of our own: descriptors, a file */
	unsigned status;
	const char *body; /* NUL-terminated besides */
	size_t body_len;
	bool cut; /* the body had more than `keep` octets */
	/* Since web_start; 0: that was not reached. */
	uint32_t connected_us, secured_us, first_octet_us, all_us;
	bool has_certificate;
	int64_t certificate_s; /* from now until it expires; negative: since then */
};

/* To be called once, before the process has other threads. */
int web_library_open(struct err *err);
void web_library_close(void);

/* Takes up next to nothing until its first request. */
struct web *web_open(struct ev_loop *loop);
void web_close(struct web *web); /* ends running exchanges without a word; NULL is fine */

/* -1: the request can never be made: its URL, say, has no address; and done is not called. */
int web_start(struct web *web, const struct web_request *request, struct web_exchange **out,
	      struct err *err);
void web_cancel(struct web_exchange *exchange); /* done is not called any more */

#endif
