/* web_error.h - why an exchange has failed, in an operator's words. What libcurl says of it is for
 * those who know its insides, and at times about something else: its text is the first thing that it
 * came upon, not what the exchange ended of. Pure. */
#ifndef PROBE_WEB_ERROR_H
#define PROBE_WEB_ERROR_H

#include <curl/curl.h>

#define WEB_ERROR_SIZE 72 /* as much as a reason (probe/kind.h) has room for */

/* How it ended. Zero-initialise. */
struct web_failure {
	CURLcode code;
	int error;         /* errno of the connection; 0: none is known */
	unsigned long tls; /* OpenSSL's code; 0: none */
	long verify;       /* X509_V_ERR_..., of the server's certificate; X509_V_OK: none */
};

void web_error_text(const struct web_failure *failure, char text[WEB_ERROR_SIZE]);

#endif
