#include "probe/web_error.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509_vfy.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

/* --- TLS ----------------------------------------------------------------------------------- */

/* "sslv3 alert handshake failure", "tlsv13 alert certificate required": what the alert is called. */
static const char *alert_of(const char *reason)
{
	const char *alert = strstr(reason, " alert ");

	return alert != NULL ? alert + strlen(" alert ") : NULL;
}

static void tell_tls(unsigned long code, char text[WEB_ERROR_SIZE])
{
	static const char no_tls[] = "no TLS: ";
	const char *reason = ERR_reason_error_string(code);
	const char *alert = reason != NULL ? alert_of(reason) : NULL;
	const char *plain = NULL;

	switch (ERR_GET_REASON(code)) {
	case SSL_R_WRONG_VERSION_NUMBER:
	case SSL_R_HTTP_REQUEST: plain = "the server does not speak TLS"; break;
	case SSL_R_UNEXPECTED_EOF_WHILE_READING:
		plain = "the connection was closed within the TLS handshake";
		break;
	default: break;
	}
	if (plain != NULL)
		(void)snprintf(text, WEB_ERROR_SIZE, "%s", plain);
	else if (alert != NULL)
		(void)snprintf(text, WEB_ERROR_SIZE, "the server refuses TLS: %s", alert);
	else if (reason != NULL)
		(void)snprintf(text, WEB_ERROR_SIZE, "%s%s",
			       strlen(reason) < WEB_ERROR_SIZE - sizeof(no_tls) ? no_tls : "",
			       reason);
	else
		(void)snprintf(text, WEB_ERROR_SIZE, "the TLS handshake failed");
}

/* --- all of it ----------------------------------------------------------------------------- */

/* However a connection is told to be gone: it was reset before we looked, or while we wrote. */
static const char *error_words(int error)
{
	switch (error) {
	case EPIPE:
	case ENOTCONN:
	case ECONNABORTED:
	case ECONNRESET: return "connection reset";
	default: return strerrordesc_np(error);
	}
}

/* Where neither the network nor TLS says more. Others are of no probe: protocols that we do not
 * speak, files that we do not name. */
static const char *code_words(CURLcode code)
{
	switch (code) {
	case CURLE_OPERATION_TIMEDOUT: return "timeout";
	case CURLE_OK: return "the connection ended within the header";
	case CURLE_COULDNT_CONNECT: return "no connection";
	case CURLE_UNSUPPORTED_PROTOCOL: /* it would be HTTP/0.9 */
	case CURLE_WEIRD_SERVER_REPLY: return "the answer is not HTTP";
	case CURLE_GOT_NOTHING: return "the connection was closed without an answer";
	case CURLE_PARTIAL_FILE: return "the connection ended within the body";
	case CURLE_SEND_ERROR: return "the connection broke while the request was sent";
	case CURLE_RECV_ERROR: return "the body of the answer is malformed"; /* its chunks */
	case CURLE_BAD_CONTENT_ENCODING: return "the body of the answer is encoded";
	case CURLE_SSL_CONNECT_ERROR: return "the TLS handshake failed";
	case CURLE_PEER_FAILED_VERIFICATION: return "the certificate is for another name";
	case CURLE_SSL_CERTPROBLEM: return "the certificates for TLS cannot be used";
	case CURLE_NOT_BUILT_IN: return "libcurl lacks something";
	default: return curl_easy_strerror(code);
	}
}

/* Is it one of those in which the network, or TLS, knows more? */
static bool is_broken(CURLcode code)
{
	switch (code) {
	case CURLE_SSL_CONNECT_ERROR:
	case CURLE_SSL_CLIENTCERT:
	case CURLE_GOT_NOTHING:
	case CURLE_SEND_ERROR:
	case CURLE_RECV_ERROR: return true;
	default: return false;
	}
}

void web_error_text(const struct web_failure *failure, char text[WEB_ERROR_SIZE])
{
	bool broken = is_broken(failure->code);
	const char *words = code_words(failure->code);

	if (broken && failure->tls != 0 && !ERR_SYSTEM_ERROR(failure->tls)) {
		tell_tls(failure->tls, text);
		return;
	}
	if (failure->code == CURLE_PEER_FAILED_VERIFICATION && failure->verify != X509_V_OK)
		words = X509_verify_cert_error_string(failure->verify);
	else if (broken && failure->error != 0)
		words = error_words(failure->error);
	(void)snprintf(text, WEB_ERROR_SIZE, "%s", words);
}
