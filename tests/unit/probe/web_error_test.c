#include "probe/web_error.h"

#include <ctype.h>
#include <errno.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <string.h>

#include "probe/kind.h"
#include "tests/unit/probe/probe_test.h"

#define TLS(reason) ERR_PACK(ERR_LIB_SSL, 0, reason)

static const struct {
	struct web_failure failure;
	const char *text;
} rows[] = {
	{ { .code = CURLE_RECV_ERROR, .error = ECONNRESET }, "connection reset" },
	{ { .code = CURLE_SEND_ERROR, .error = EPIPE }, "connection reset" },
	{ { .code = CURLE_SSL_CONNECT_ERROR, .error = ENOTCONN }, "connection reset" },
	{ { .code = CURLE_RECV_ERROR, .error = EHOSTUNREACH }, "No route to host" },
	{ { .code = CURLE_RECV_ERROR,
	    .error = ECONNRESET,
	    .tls = TLS(SSL_R_TLSV13_ALERT_CERTIFICATE_REQUIRED) },
	  "the server refuses TLS: certificate required" },
	{ { .code = CURLE_SSL_CONNECT_ERROR, .tls = TLS(SSL_R_SSLV3_ALERT_HANDSHAKE_FAILURE) },
	  "the server refuses TLS: handshake failure" },
	{ { .code = CURLE_SSL_CONNECT_ERROR, .tls = TLS(SSL_R_WRONG_VERSION_NUMBER) },
	  "the server does not speak TLS" },
	{ { .code = CURLE_SSL_CONNECT_ERROR, .tls = TLS(SSL_R_UNEXPECTED_EOF_WHILE_READING) },
	  "the connection was closed within the TLS handshake" },
	{ { .code = CURLE_SSL_CONNECT_ERROR, .tls = TLS(SSL_R_NO_CIPHER_MATCH) },
	  "no TLS: no cipher match" },
	{ { .code = CURLE_SSL_CONNECT_ERROR, .error = ECONNRESET, .tls = ERR_SYSTEM_FLAG | EIO },
	  "connection reset" },
	{ { .code = CURLE_SSL_CONNECT_ERROR }, "the TLS handshake failed" },
	{ { .code = CURLE_PEER_FAILED_VERIFICATION,
	    .tls = TLS(SSL_R_CERTIFICATE_VERIFY_FAILED),
	    .verify = X509_V_ERR_CERT_HAS_EXPIRED },
	  "certificate has expired" },
	{ { .code = CURLE_PEER_FAILED_VERIFICATION }, "the certificate is for another name" },
	{ { .code = CURLE_OPERATION_TIMEDOUT, .error = EINPROGRESS }, "timeout" },
	{ { .code = CURLE_OK }, "the connection ended within the header" },
	{ { .code = CURLE_UNSUPPORTED_PROTOCOL }, "the answer is not HTTP" },
	{ { .code = CURLE_GOT_NOTHING }, "the connection was closed without an answer" },
	{ { .code = CURLE_PARTIAL_FILE, .error = ECONNRESET },
	  "the connection ended within the body" },
};

START_TEST(failures_are_told_in_plain_words)
{
	char text[WEB_ERROR_SIZE];

	ck_assert_int_eq(OPENSSL_init_ssl(OPENSSL_INIT_LOAD_SSL_STRINGS, NULL), 1); /* its texts */
	web_error_text(&rows[_i].failure, text);
	ck_assert_str_eq(text, rows[_i].text);
}
END_TEST

/* Whichever comes: a whole sentence, and nothing of functions and numbers. */
START_TEST(no_failure_is_told_in_half_a_sentence)
{
	static const int errors[] = { 0, ECONNRESET, ETIMEDOUT, EAFNOSUPPORT };
	char text[WEB_ERROR_SIZE];

	ck_assert_uint_le(WEB_ERROR_SIZE, PROBE_WHY_SIZE);
	for (size_t e = 0; e < sizeof(errors) / sizeof(errors[0]); e++) {
		const struct web_failure failure = { .code = (CURLcode)_i,
						     .error = errors[e],
						     .verify = X509_V_ERR_CERT_REJECTED };

		web_error_text(&failure, text);
		ck_assert(isalpha((unsigned char)text[0]));
		ck_assert_uint_lt(strlen(text), WEB_ERROR_SIZE - 1);
		ck_assert_ptr_null(strstr(text, "errno"));
		ck_assert_ptr_null(strstr(text, "()"));
		ck_assert_ptr_null(strstr(text, "routines"));
	}
}
END_TEST

/* Every reason that OpenSSL has for refusing a certificate, or for an alert, fits. */
START_TEST(reasons_of_tls_fit)
{
	struct web_failure failure = { .code = CURLE_PEER_FAILED_VERIFICATION };
	char text[WEB_ERROR_SIZE];

	for (failure.verify = 1; failure.verify < 100; failure.verify++) {
		web_error_text(&failure, text);
		ck_assert_uint_lt(strlen(text), WEB_ERROR_SIZE - 1);
	}
	ck_assert_int_eq(OPENSSL_init_ssl(OPENSSL_INIT_LOAD_SSL_STRINGS, NULL), 1);
	failure.code = CURLE_SSL_CONNECT_ERROR;
	for (unsigned reason = 1; reason < 1200; reason++) {
		failure.tls = TLS(reason);
		web_error_text(&failure, text);
		ck_assert_msg(strlen(text) < WEB_ERROR_SIZE - 1, "%s", text);
	}
}
END_TEST

void add_web_error_tests(Suite *suite)
{
	TCase *tcase = tcase_create("web_error");

	tcase_add_loop_test(tcase, failures_are_told_in_plain_words, 0,
			    (int)(sizeof(rows) / sizeof(rows[0])));
	tcase_add_loop_test(tcase, no_failure_is_told_in_half_a_sentence, 0, CURL_LAST);
	tcase_add_test(tcase, reasons_of_tls_fit);
	suite_add_tcase(suite, tcase);
}
