/* web_parts.h - one exchange, between web.c, which carries it out, and web_exchange.c, which knows
 * what is asked and what came. */
#ifndef PROBE_WEB_PARTS_H
#define PROBE_WEB_PARTS_H

#include <curl/curl.h>
#include <sys/queue.h>

#include "base/mem.h"
#include "probe/tls_files.h"
#include "probe/web.h"
#include "probe/web_error.h"

struct web_exchange {
	struct web *web;
	LIST_ENTRY(web_exchange) entry;
	CURL *easy;
	struct curl_slist *headers, *connect_to;
	struct ip_address address, source;
	SSL_CTX *tls;
	bool unverified;
	struct evidence *evidence;
	void (*done)(void *context, const struct web_answer *answer);
	void (*went_on)(void *context);
	void *context;

	int socket_error; /* errno of making the socket, 0: none */
	size_t header_octets, header_lines;
	bool header_ended;
	struct buf body;
	size_t keep;
	bool cut;
	bool has_certificate;
	int64_t certificate_s;
	SSL_CTX *watched;        /* of the connection; NULL: there is none */
	unsigned long tls_error; /* OpenSSL's; 0: none */
	long verified;           /* X509_V_..., of a handshake that failed */
	char error[WEB_ERROR_SIZE];
};

/* NULL: it can never be made. */
struct web_exchange *web_exchange_open(const struct web_request *request, SSL_CTX *tls,
				       struct err *err);
void web_exchange_close(struct web_exchange *exchange);

/* What has come of it; the texts and the body are the exchange's. */
void web_exchange_answer(struct web_exchange *exchange, CURLcode code, struct web_answer *answer);

#endif
