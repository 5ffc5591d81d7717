#include <errno.h>
#include <netinet/in.h>
#include <openssl/err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "probe/kind.h"
#include "probe/tls_certificate.h"
#include "probe/web_parts.h"

/* Of an answer's header; servers that need more are not well. */
#define HEADER_MAX        (64 * 1024)
#define HEADER_LINES_TOLD 24

static void went_on(const struct web_exchange *exchange)
{
	if (exchange->went_on != NULL)
		exchange->went_on(exchange->context);
}

/* --- the connection ------------------------------------------------------------------------ */

/* The last place at which another address could come in. */
static bool is_wanted(const struct web_exchange *exchange, const struct curl_sockaddr *to)
{
	struct ip_address address;

	/* libcurl has room for any address behind `addr`. */
	ip_from_sockaddr((const struct sockaddr_storage *)(const void *)&to->addr, &address, NULL);
	return address.family == exchange->address.family &&
	       memcmp(address.bytes, exchange->address.bytes, sizeof(address.bytes)) == 0;
}

static int bound_socket(const struct web_exchange *exchange, int family)
{
	struct sockaddr_storage from;
	socklen_t size;
	int fd = socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	int error;

	if (fd < 0 || exchange->source.family == 0)
		return fd;
	size = ip_to_sockaddr(&exchange->source, 0, &from);
	if (bind(fd, (struct sockaddr *)&from, size) == 0)
		return fd;
	error = errno;
	(void)close(fd);
	errno = error;
	return -1;
}

static curl_socket_t open_socket(void *context, curlsocktype purpose, struct curl_sockaddr *to)
{
	struct web_exchange *exchange = context;
	int fd;

	(void)purpose;
	if (!is_wanted(exchange, to)) {
		exchange->socket_error = EADDRNOTAVAIL;
		return CURL_SOCKET_BAD;
	}
	fd = bound_socket(exchange, to->family);
	if (fd < 0) {
		exchange->socket_error = errno;
		return CURL_SOCKET_BAD;
	}
	evidence_note(exchange->evidence, "sent a TCP SYN");
	return fd;
}

/* libcurl tells of TLS in one text alone, which may be about something else. What the server refuses
 * with may come after the handshake (TLS 1.3, a client's certificate). */
static void watch_tls(const SSL *ssl, int where, int value)
{
	struct web_exchange *exchange = SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl));
	int alert = value & 0xff;

	if (exchange == NULL)
		return;
	if ((where & SSL_CB_LOOP) != 0)
		went_on(exchange);
	if (where == SSL_CB_READ_ALERT && value >> 8 == SSL3_AL_FATAL)
		exchange->tls_error = ERR_PACK(ERR_LIB_SSL, 0, SSL_AD_REASON_OFFSET + alert);
	if (where == SSL_CB_CONNECT_EXIT && value <= 0) {
		exchange->verified = SSL_get_verify_result(ssl);
		if (exchange->tls_error == 0)
			exchange->tls_error = ERR_peek_last_error();
	}
}

static CURLcode set_up_tls(CURL *easy, void *theirs, void *context)
{
	struct web_exchange *exchange = context;

	(void)easy;
	if (SSL_CTX_up_ref(theirs) == 1)
		exchange->watched = theirs;
	(void)SSL_CTX_set_app_data(theirs, exchange);
	SSL_CTX_set_info_callback(theirs, watch_tls);
	went_on(exchange); /* TLS is set up once there is a connection */
	return tls_files_share(theirs, exchange->tls) == 0 ? CURLE_OK : CURLE_SSL_CERTPROBLEM;
}

/* Connections may outlive the exchange within libcurl. */
static void stop_watching(struct web_exchange *exchange)
{
	if (exchange->watched != NULL)
		(void)SSL_CTX_set_app_data(exchange->watched, NULL);
	SSL_CTX_free(exchange->watched);
}

static void look_at_tls(struct web_exchange *exchange)
{
	struct curl_tlssessioninfo *info = NULL;
	const SSL *ssl;
	X509 *certificate;

	if (curl_easy_getinfo(exchange->easy, CURLINFO_TLS_SSL_PTR, &info) != CURLE_OK ||
	    info == NULL || info->backend != CURLSSLBACKEND_OPENSSL || info->internals == NULL)
		return;
	ssl = info->internals;
	evidence_note(exchange->evidence, "handshake complete: %s, %s", SSL_get_version(ssl),
		      SSL_get_cipher_name(ssl));
	certificate = SSL_get0_peer_certificate(ssl);
	if (certificate == NULL)
		return;
	exchange->has_certificate = true;
	exchange->certificate_s = tls_expires_in_s(certificate);
	tls_note_certificate(exchange->evidence, certificate);
}

/* There is a connection, and the handshake of TLS is behind us. */
static int before_request(void *context, char *to, char *from, int port_to, int port_from)
{
	struct web_exchange *exchange = context;

	evidence_note(exchange->evidence, "connected from %s port %d to %s port %d", from,
		      port_from, to, port_to);
	look_at_tls(exchange);
	evidence_note(exchange->evidence, "sent the request");
	went_on(exchange);
	return CURL_PREREQFUNC_OK;
}

/* --- what comes ---------------------------------------------------------------------------- */

static size_t take_header(char *data, size_t one, size_t len, void *context)
{
	struct web_exchange *exchange = context;
	size_t told = len;

	(void)one;
	while (told > 0 && (data[told - 1] == '\n' || data[told - 1] == '\r'))
		told--;
	if (told > 0 && exchange->header_lines++ < HEADER_LINES_TOLD)
		evidence_note(exchange->evidence, "received \"%.*s\"", (int)told, data);
	/* That of an interim answer (RFC 9110, section 15.2) ends like the one of the real one. */
	exchange->header_ended = told == 0;
	exchange->header_octets += len;
	went_on(exchange);
	return exchange->header_octets <= HEADER_MAX ? len : 0;
}

static size_t take_body(char *data, size_t one, size_t len, void *context)
{
	struct web_exchange *exchange = context;
	size_t room = exchange->keep - exchange->body.len;

	(void)one;
	exchange->cut = len > room;
	went_on(exchange);
	buf_append(&exchange->body, data, exchange->cut ? room : len);
	return exchange->cut ? 0 : len; /* an error, which ends the exchange */
}

/* --- what is asked ------------------------------------------------------------------------- */

static bool is_given(const struct web_request *request, const char *name)
{
	size_t len = strlen(name);

	for (size_t i = 0; i < request->header_count; i++) {
		if (strncasecmp(request->headers[i], name, len) == 0 &&
		    request->headers[i][len] == ':')
			return true;
	}
	return false;
}

static struct curl_slist *make_headers(const struct web_request *request)
{
	struct curl_slist *list = NULL;

	if (!is_given(request, "User-Agent"))
		list = curl_slist_append(list, "User-Agent: signpost");
	if (!is_given(request, "Connection"))
		list = curl_slist_append(list, "Connection: close");
	if (request->body != NULL && !is_given(request, "Expect"))
		list = curl_slist_append(list, "Expect:"); /* none: the body is sent at once */
	for (size_t i = 0; i < request->header_count; i++)
		list = curl_slist_append(list, request->headers[i]);
	return list;
}

/* Values may be secrets. */
static void free_headers(struct curl_slist *list)
{
	for (struct curl_slist *item = list; item != NULL; item = item->next)
		explicit_bzero(item->data, strlen(item->data));
	curl_slist_free_all(list);
}

/* An address of the URL itself, "192.0.2.1" or "[2001:db8::1]". */
static bool parse_host(const char *host, struct ip_address *address)
{
	char bare[IP_TEXT_SIZE];
	size_t len = strlen(host);

	if (len < 2 || host[0] != '[' || len - 2 >= sizeof(bare))
		return ip_parse(host, address);
	memcpy(bare, host + 1, len - 2);
	bare[len - 2] = '\0';
	return ip_parse(bare, address);
}

static int find_address(struct web_exchange *exchange, const struct web_request *request,
			struct err *err)
{
	CURLU *url = curl_url();
	char *host = NULL;
	CURLUcode code;
	int rc = 0;

	if (url == NULL)
		return err_set(err, "libcurl: no memory");
	code = curl_url_set(url, CURLUPART_URL, request->url, 0);
	if (code == CURLUE_OK)
		code = curl_url_get(url, CURLUPART_HOST, &host, 0);
	exchange->address = request->address;
	if (code != CURLUE_OK)
		rc = err_set(err, "\"%.200s\": %s", request->url, curl_url_strerror(code));
	else if (request->address.family == 0 && !parse_host(host, &exchange->address))
		rc = err_set(err, "\"%.200s\" has no address, and names are not looked up",
			     request->url);
	curl_free(host);
	curl_url_cleanup(url);
	return rc;
}

/* Whatever host and port the URL has: to this address, and the port as it is. */
static struct curl_slist *make_connect_to(const struct ip_address *address)
{
	char text[IP_TEXT_SIZE], line[IP_TEXT_SIZE + 8];

	(void)ip_format(address, text);
	(void)snprintf(line, sizeof(line), address->family == IP_V4 ? "::%s:" : "::[%s]:", text);
	return curl_slist_append(NULL, line);
}

static void set_method(CURL *easy, const struct web_request *request)
{
	const char *method = request->method;

	if (request->body != NULL) {
		(void)curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE,
				       (curl_off_t)request->body_len);
		(void)curl_easy_setopt(easy, CURLOPT_COPYPOSTFIELDS, request->body);
	}
	if (method != NULL && strcmp(method, "HEAD") == 0)
		(void)curl_easy_setopt(easy, CURLOPT_NOBODY, 1L);
	else if (method != NULL)
		(void)curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, method);
}

static void set_callbacks(struct web_exchange *exchange)
{
	CURL *easy = exchange->easy;

	(void)curl_easy_setopt(easy, CURLOPT_PRIVATE, exchange);
	(void)curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, open_socket);
	(void)curl_easy_setopt(easy, CURLOPT_OPENSOCKETDATA, exchange);
	(void)curl_easy_setopt(easy, CURLOPT_SSL_CTX_FUNCTION, set_up_tls);
	(void)curl_easy_setopt(easy, CURLOPT_SSL_CTX_DATA, exchange);
	(void)curl_easy_setopt(easy, CURLOPT_PREREQFUNCTION, before_request);
	(void)curl_easy_setopt(easy, CURLOPT_PREREQDATA, exchange);
	(void)curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, take_header);
	(void)curl_easy_setopt(easy, CURLOPT_HEADERDATA, exchange);
	(void)curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, take_body);
	(void)curl_easy_setopt(easy, CURLOPT_WRITEDATA, exchange);
}

/* One connection, to this address, by nobody's configuration but ours. */
static void set_connection(CURL *easy, const struct web_exchange *exchange, long timeout_ms)
{
	(void)curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
	(void)curl_easy_setopt(easy, CURLOPT_PROXY, "");
	(void)curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
	(void)curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
	(void)curl_easy_setopt(easy, CURLOPT_CONNECT_TO, exchange->connect_to);
	(void)curl_easy_setopt(easy, CURLOPT_FRESH_CONNECT, 1L);
	(void)curl_easy_setopt(easy, CURLOPT_FORBID_REUSE, 1L);
	(void)curl_easy_setopt(easy, CURLOPT_PATH_AS_IS, 1L);
	(void)curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, timeout_ms);
	(void)curl_easy_setopt(easy, CURLOPT_SSL_SESSIONID_CACHE, 0L);
	(void)curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, exchange->unverified ? 0L : 1L);
	(void)curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, exchange->unverified ? 0L : 2L);
	/* Whom to trust comes with set_up_tls. */
	(void)curl_easy_setopt(easy, CURLOPT_CAINFO, NULL);
	(void)curl_easy_setopt(easy, CURLOPT_CAPATH, NULL);
	(void)curl_easy_setopt(easy, CURLOPT_CA_CACHE_TIMEOUT, 0L);
}

static void set_up(struct web_exchange *exchange, const struct web_request *request, SSL_CTX *tls)
{
	exchange->source = request->source;
	exchange->tls = tls;
	exchange->unverified = request->unverified;
	exchange->evidence = request->evidence;
	exchange->done = request->done;
	exchange->went_on = request->went_on;
	exchange->context = request->context;
	exchange->keep = request->keep;
	exchange->headers = make_headers(request);
	exchange->connect_to = make_connect_to(&exchange->address);
	(void)curl_easy_setopt(exchange->easy, CURLOPT_URL, request->url);
	(void)curl_easy_setopt(exchange->easy, CURLOPT_HTTPHEADER, exchange->headers);
	set_connection(exchange->easy, exchange, (long)request->timeout_ms);
	set_method(exchange->easy, request);
	set_callbacks(exchange);
}

struct web_exchange *web_exchange_open(const struct web_request *request, SSL_CTX *tls,
				       struct err *err)
{
	struct web_exchange *exchange = mem_alloc(sizeof(*exchange));

	if (find_address(exchange, request, err) != 0) {
		free(exchange);
		return NULL;
	}
	exchange->easy = curl_easy_init();
	if (exchange->easy == NULL) {
		free(exchange);
		(void)err_set(err, "libcurl: no memory");
		return NULL;
	}
	set_up(exchange, request, tls);
	return exchange;
}

void web_exchange_close(struct web_exchange *exchange)
{
	stop_watching(exchange);
	curl_easy_cleanup(exchange->easy);
	free_headers(exchange->headers);
	curl_slist_free_all(exchange->connect_to);
	buf_free(&exchange->body);
	free(exchange);
}

/* --- what has come of it ------------------------------------------------------------------- */

static uint32_t time_us(const struct web_exchange *exchange, CURLINFO which)
{
	curl_off_t us = 0;

	(void)curl_easy_getinfo(exchange->easy, which, &us);
	return us < 0 ? 0 : us > UINT32_MAX ? UINT32_MAX : (uint32_t)us;
}

static bool is_ours(CURLcode code)
{
	switch (code) {
	case CURLE_FAILED_INIT:
	case CURLE_SSL_CERTPROBLEM: return true;
	default: return false;
	}
}

/* libcurl calls it a lack of memory when a line of the header is longer than it takes. */
static bool has_no_end(const struct web_exchange *exchange, CURLcode code)
{
	return exchange->header_octets > HEADER_MAX || code == CURLE_OUT_OF_MEMORY;
}

static void tell_socket_error(struct web_exchange *exchange, int error, struct web_answer *answer)
{
	answer->error = strerrordesc_np(error);
	answer->ours = kind_outcome(error) == PROBE_NOT_MADE ||
		       (error == EADDRNOTAVAIL && exchange->source.family != 0);
}

static void tell_error(struct web_exchange *exchange, CURLcode code, struct web_answer *answer)
{
	struct web_failure failure = { .code = code,
				       .tls = exchange->tls_error,
				       .verify = exchange->verified };
	long error = 0;

	(void)curl_easy_getinfo(exchange->easy, CURLINFO_OS_ERRNO, &error);
	failure.error = (int)error;
	answer->ours = is_ours(code);
	if (exchange->socket_error != 0) {
		tell_socket_error(exchange, exchange->socket_error, answer);
	} else if (code == CURLE_COULDNT_CONNECT && error != 0) {
		tell_socket_error(exchange, (int)error, answer);
	} else if (has_no_end(exchange, code)) {
		answer->error = "the header of the answer has no end";
	} else {
		web_error_text(&failure, exchange->error);
		answer->error = exchange->error;
	}
	evidence_note(exchange->evidence, "%s", answer->error);
}

/* libcurl takes a header for whole that ends with the connection. */
static bool is_answered(const struct web_exchange *exchange, CURLcode code)
{
	return exchange->cut || (code == CURLE_OK && exchange->header_ended);
}

void web_exchange_answer(struct web_exchange *exchange, CURLcode code, struct web_answer *answer)
{
	long status = 0;

	*answer = (struct web_answer){ .has_certificate = exchange->has_certificate,
				       .certificate_s = exchange->certificate_s,
				       .cut = exchange->cut };
	answer->connected_us = time_us(exchange, CURLINFO_CONNECT_TIME_T);
	answer->secured_us = time_us(exchange, CURLINFO_APPCONNECT_TIME_T);
	answer->first_octet_us = time_us(exchange, CURLINFO_STARTTRANSFER_TIME_T);
	answer->all_us = time_us(exchange, CURLINFO_TOTAL_TIME_T);
	buf_append(&exchange->body, "", 1);
	answer->body = (const char *)exchange->body.data;
	answer->body_len = exchange->body.len - 1;
	if (!is_answered(exchange, code)) {
		tell_error(exchange, code, answer);
		return;
	}
	(void)curl_easy_getinfo(exchange->easy, CURLINFO_RESPONSE_CODE, &status);
	answer->status = (unsigned)status;
	evidence_octets(exchange->evidence, answer->body, answer->body_len,
			"received %zu octets of body%s", answer->body_len,
			answer->cut ? ", and more that are not read" : "");
}
