/* Probes of kind tls at a server on the same loop, that does as the test says; and what is told of
 * certificates. */
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "image/probe_tls.h"
#include "probe/tls_certificate.h"
#include "tests/unit/probe/lab.h"
#include "tests/unit/probe/probe_test.h"

#define ADDRESS "127.93.23.1"
#define PORT    20197
#define NAME    "vpn.example.net"

enum manner {
	PROPER,
	NO_TLS,  /* says something else */
	SILENT,  /* takes the connection, and says nothing */
	ENDS,    /* closes when the client has said hello */
	CHATTY,  /* talks on after the handshake, without end */
	REFUSES, /* wants a certificate of the client */
};

static struct server {
	enum manner manner;
	int listener, fd;
	ev_io accepting, serving;
	SSL_CTX *context;
	SSL *ssl;
	bool was_closed_properly;
} server;

static struct {
	struct tls_settings settings;
	char texts[256];
	size_t used;
} told;

static struct lab lab;
static char folder[32], trusted[48], stranger[48];

/* --- the server ---------------------------------------------------------------------------- */

static void hang_up(void)
{
	if (server.fd < 0)
		return;
	ev_io_stop(lab.loop, &server.serving);
	SSL_free(server.ssl);
	(void)close(server.fd);
	server.fd = -1;
	ERR_clear_error();
}

static void serve(struct ev_loop *loop, ev_io *io, int events)
{
	char text[1024] = { 0 };
	int n;

	(void)events;
	if (server.manner == ENDS) {
		hang_up();
		return;
	}
	n = SSL_accept(server.ssl);
	if (n == 1 && server.manner == CHATTY && SSL_write(server.ssl, text, sizeof(text)) > 0) {
		ev_io_stop(loop, io);
		ev_io_set(io, io->fd, EV_READ | EV_WRITE);
		ev_io_start(loop, io);
		return;
	}
	if (n == 1)
		n = SSL_read(server.ssl, text, sizeof(text));
	if (n > 0 || SSL_get_error(server.ssl, n) == SSL_ERROR_WANT_READ ||
	    SSL_get_error(server.ssl, n) == SSL_ERROR_WANT_WRITE)
		return;
	server.was_closed_properly = SSL_get_error(server.ssl, n) == SSL_ERROR_ZERO_RETURN;
	if (server.was_closed_properly)
		(void)SSL_shutdown(server.ssl);
	hang_up();
}

static void take_connection(struct ev_loop *loop, ev_io *io, int events)
{
	(void)events;
	hang_up(); /* one at a time */
	server.fd = accept4(io->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	ck_assert_int_ge(server.fd, 0);
	server.ssl = SSL_new(server.context);
	ck_assert_int_eq(SSL_set_fd(server.ssl, server.fd), 1);
	ev_io_init(&server.serving, serve, server.fd, EV_READ);
	if (server.manner == NO_TLS)
		ck_assert_int_eq(write(server.fd, "220 mail ready\r\n", 16), 16);
	else if (server.manner != SILENT)
		ev_io_start(loop, &server.serving);
}

static int choose_protocol(SSL *ssl, const unsigned char **out, unsigned char *out_len,
			   const unsigned char *in, unsigned in_len, void *context)
{
	(void)ssl;
	(void)in_len;
	(void)context;
	*out = in + 1; /* the first that is offered */
	*out_len = in[0];
	return SSL_TLSEXT_ERR_OK;
}

static X509 *make_certificate(EVP_PKEY *key, long lives_s)
{
	static char names[] = "DNS:" NAME ",IP:" ADDRESS;
	X509 *certificate = X509_new();
	X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, NULL, NID_subject_alt_name, names);
	X509_NAME *name = X509_get_subject_name(certificate);

	ck_assert_int_eq(X509_set_version(certificate, 2), 1);
	ck_assert_int_eq(X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC,
						    (const unsigned char *)NAME, -1, -1, 0),
			 1);
	ck_assert_int_eq(X509_set_issuer_name(certificate, name), 1);
	ck_assert_ptr_nonnull(X509_gmtime_adj(X509_getm_notBefore(certificate), -864000));
	ck_assert_ptr_nonnull(X509_gmtime_adj(X509_getm_notAfter(certificate), lives_s));
	ck_assert_int_eq(X509_set_pubkey(certificate, key), 1);
	ck_assert_int_eq(X509_add_ext(certificate, extension, -1), 1);
	ck_assert_int_gt(X509_sign(certificate, key, EVP_sha256()), 0);
	X509_EXTENSION_free(extension);
	return certificate;
}

static void write_certificate(const char *path, X509 *certificate)
{
	FILE *file = fopen(path, "w");

	ck_assert_ptr_nonnull(file);
	ck_assert_int_eq(PEM_write_X509(file, certificate), 1);
	ck_assert_int_eq(fclose(file), 0);
}

static void make_files(long lives_s)
{
	EVP_PKEY *key = EVP_EC_gen("P-256"), *other_key = EVP_EC_gen("P-256");
	X509 *certificate = make_certificate(key, lives_s), *other = make_certificate(other_key, 1);

	(void)snprintf(folder, sizeof(folder), "/tmp/tls-test-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(folder));
	(void)snprintf(trusted, sizeof(trusted), "%s/trusted", folder);
	(void)snprintf(stranger, sizeof(stranger), "%s/stranger", folder);
	write_certificate(trusted, certificate);
	write_certificate(stranger, other);
	ck_assert_int_eq(SSL_CTX_use_certificate(server.context, certificate), 1);
	ck_assert_int_eq(SSL_CTX_use_PrivateKey(server.context, key), 1);
	X509_free(certificate);
	X509_free(other);
	EVP_PKEY_free(key);
	EVP_PKEY_free(other_key);
}

static struct probe_text put_text(const char *text)
{
	size_t at = offsetof(typeof(told), texts) + told.used, len = strlen(text);

	if (len == 0)
		return (struct probe_text){ 0, 0 };
	memcpy(told.texts + told.used, text, len + 1);
	told.used += len + 1;
	return (struct probe_text){ (uint32_t)at, (uint32_t)len };
}

/* A server whose certificate lives so long; what the probe is told is put into `told` after this. */
static void open_bench(enum manner manner, long lives_s)
{
	memset(&told, 0, sizeof(told));
	server = (struct server){ .manner = manner, .fd = -1 };
	server.context = SSL_CTX_new(TLS_server_method());
	SSL_CTX_set_alpn_select_cb(server.context, choose_protocol, NULL);
	if (manner == REFUSES)
		SSL_CTX_set_verify(server.context,
				   SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
	make_files(lives_s);
	server.listener = listen_on(ADDRESS, PORT, 16);
	lab_open(&lab, -1, -1);
	ev_io_init(&server.accepting, take_connection, server.listener, EV_READ);
	ev_io_start(lab.loop, &server.accepting);
}

static void apply(void)
{
	uint32_t time_ms = server.manner == SILENT ? 300 : 5000;
	const struct plan_probe probe = { .kind = PROBE_TLS,
					  .interval_ms = time_ms,
					  .timeout_ms = time_ms,
					  .fall = 1,
					  .rise = 1 };
	const struct sketch_node nodes[] = {
		{ "edge", "a", { { ADDRESS, sketch_with(probe, &told, sizeof(told)), PORT } } },
	};

	lab_apply(&lab, nodes, 1, NULL);
}

static void close_bench(void)
{
	lab_close(&lab); /* which ends probes, and the loop with its watchers */
	if (server.fd >= 0) {
		SSL_free(server.ssl);
		(void)close(server.fd);
	}
	(void)close(server.listener);
	SSL_CTX_free(server.context);
	(void)unlink(trusted);
	(void)unlink(stranger);
	(void)rmdir(folder);
}

/* --- probes -------------------------------------------------------------------------------- */

#define DAY 86400L

static const struct {
	enum manner manner;
	const char *name, *alpn, *expect_alpn;
	bool no_trust, no_verify;
	long lives_s;
	enum node_status becomes;
	bool degraded;
	const char *why, *or_why;
} rows[] = {
	{ PROPER, NAME, "", "", false, false, 90 * DAY, NODE_UP, false,
	  "handshake complete, TLSv1.3", NULL },
	{ PROPER, "", "", "", false, false, 90 * DAY, NODE_UP, false, /* by its address */
	  "handshake complete, TLSv1.3", NULL },
	{ PROPER, "other.example.net", "", "", false, false, 90 * DAY, NODE_DOWN, false,
	  "hostname mismatch", NULL },
	{ PROPER, "other.example.net", "", "", false, true, 90 * DAY, NODE_UP, false,
	  "handshake complete, TLSv1.3", NULL },
	{ PROPER, NAME, "", "", true, false, 90 * DAY, NODE_DOWN, false, "certificate", NULL },
	{ PROPER, NAME, "\2h2\3foo", "h2", false, false, 90 * DAY, NODE_UP, false,
	  "handshake complete, TLSv1.3", NULL },
	{ PROPER, NAME, "\3foo\2h2", "h2", false, false, 90 * DAY, NODE_DOWN, false,
	  "ALPN \"h2\" was not chosen", NULL },
	{ PROPER, NAME, "\3h23", "h2", false, false, 90 * DAY, NODE_DOWN, false,
	  "ALPN \"h2\" was not chosen", NULL },
	{ PROPER, NAME, "", "", false, false, 3 * DAY + 60, NODE_UP, true,
	  "handshake complete, certificate expires in 3 days", NULL },
	{ PROPER, NAME, "", "", false, false, -DAY - 60, NODE_DOWN, false,
	  "certificate has expired", NULL },
	{ PROPER, NAME, "", "", false, true, -DAY - 60, NODE_UP, true,
	  "handshake complete, certificate expired 1 day ago", NULL },
	{ NO_TLS, NAME, "", "", false, false, DAY, NODE_DOWN, false, "wrong version number", NULL },
	{ SILENT, NAME, "", "", false, false, DAY, NODE_DOWN, false, "timeout in the handshake",
	  NULL },
	{ ENDS, NAME, "", "", false, false, DAY, NODE_DOWN, false, "onnection reset",
	  "unexpected eof" },
	{ CHATTY, NAME, "", "", false, false, 90 * DAY, NODE_UP, false,
	  "handshake complete, TLSv1.3", NULL },
	/* In TLS 1.3 it is heard only after the handshake. */
	{ REFUSES, NAME, "", "", false, false, 90 * DAY, NODE_DOWN, false,
	  "alert certificate required", NULL },
};

START_TEST(server_counts_as_it_should)
{
	const struct node_state *state;

	open_bench(rows[_i].manner, rows[_i].lives_s);
	told.settings.server_name = put_text(rows[_i].name);
	told.settings.alpn = put_text(rows[_i].alpn);
	told.settings.expect_alpn = put_text(rows[_i].expect_alpn);
	told.settings.ca = put_text(rows[_i].no_trust ? stranger : trusted);
	told.settings.verify = !rows[_i].no_verify;
	told.settings.warn_days = 14;
	apply();
	ck_assert(lab_reaches(&lab, 0, rows[_i].becomes));
	state = prober_state(lab.prober, 0);
	ck_assert_int_eq(lab.change_count, 1);
	ck_assert_int_eq(state->degraded, rows[_i].degraded);
	ck_assert_msg(
		strstr(state->reason, rows[_i].why) != NULL ||
			(rows[_i].or_why != NULL && strstr(state->reason, rows[_i].or_why) != NULL),
		"%s", state->reason);
	if (rows[_i].becomes == NODE_UP)
		ck_assert_uint_gt(state->rtt_us, 0);
	close_bench();
}
END_TEST

/* What it says last, servers log as an error where it is not close_notify. */
START_TEST(connection_is_closed_properly)
{
	uint64_t until_ms = clock_mono_ms() + LAB_PATIENCE_MS;

	open_bench(PROPER, 90 * DAY);
	told.settings.ca = put_text(trusted);
	told.settings.verify = 1;
	apply();
	while (!server.was_closed_properly) {
		ck_assert_uint_lt(clock_mono_ms(), until_ms);
		lab_run_ms(&lab, 1);
	}
	ck_assert(lab_reaches(&lab, 0, NODE_UP));
	close_bench();
}
END_TEST

START_TEST(file_that_is_gone_says_nothing_of_the_node)
{
	open_bench(PROPER, 90 * DAY);
	told.settings.ca = put_text("/nonexistent/ca.crt");
	apply();
	lab_run_ms(&lab, 100);
	ck_assert_int_eq(prober_state(lab.prober, 0)->status, NODE_UNKNOWN);
	ck_assert_int_eq(server.fd, -1);
	close_bench();
}
END_TEST

/* --- certificates -------------------------------------------------------------------------- */

START_TEST(time_left_is_told_in_its_unit)
{
	static const struct {
		int64_t seconds;
		const char *text;
	} times[] = {
		{ 20 * DAY + 5, "expires in 20 days" },   { 2 * DAY - 1, "expires in 1 day" },
		{ DAY - 1, "expires in 23 hours" },       { 3600, "expires in 1 hour" },
		{ 59, "expires in 0 minutes" },           { 0, "expires in 0 minutes" },
		{ -61, "expired 1 minute ago" },          { -2 * DAY, "expired 2 days ago" },
		{ -4000 * DAY, "expired 4000 days ago" },
	};
	char text[TLS_EXPIRY_SIZE];

	for (size_t i = 0; i < sizeof(times) / sizeof(times[0]); i++)
		ck_assert_str_eq(tls_expiry_text(times[i].seconds, text), times[i].text);
}
END_TEST

START_TEST(certificate_expires_soon_within_the_days_given)
{
	ck_assert(tls_expires_soon(14 * DAY - 1, 14));
	ck_assert(!tls_expires_soon(14 * DAY, 14));
	ck_assert(tls_expires_soon(-1, 14));
	ck_assert(!tls_expires_soon(-1, 0)); /* nobody wants to know */
	ck_assert(!tls_expires_soon(INT64_MAX, UINT16_MAX));
}
END_TEST

START_TEST(end_of_a_certificate_is_read)
{
	EVP_PKEY *key = EVP_EC_gen("P-256");
	X509 *certificate = make_certificate(key, 3600);
	int64_t left_s = tls_expires_in_s(certificate);

	ck_assert_int_gt(left_s, 3600 - 60);
	ck_assert_int_le(left_s, 3600);
	ck_assert_int_eq(ASN1_STRING_set(X509_getm_notAfter(certificate), "no time", 7), 1);
	ck_assert_int_eq(tls_expires_in_s(certificate), -1); /* nobody can tell: past */
	X509_free(certificate);
	EVP_PKEY_free(key);
}
END_TEST

void add_tls_tests(Suite *suite)
{
	TCase *tests = tcase_create("tls");

	tcase_add_loop_test(tests, server_counts_as_it_should, 0, sizeof(rows) / sizeof(rows[0]));
	tcase_add_test(tests, connection_is_closed_properly);
	tcase_add_test(tests, file_that_is_gone_says_nothing_of_the_node);
	tcase_add_test(tests, time_left_is_told_in_its_unit);
	tcase_add_test(tests, certificate_expires_soon_within_the_days_given);
	tcase_add_test(tests, end_of_a_certificate_is_read);
	suite_add_tcase(suite, tests);
}
