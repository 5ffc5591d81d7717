/* tls_files.h - what files say for TLS: whom to trust, and who we are as a client. Read at once,
 * into a context that many connections share; of keys, only that context knows. */
#ifndef PROBE_TLS_FILES_H
#define PROBE_TLS_FILES_H

#include <openssl/ssl.h>

#include "base/err.h"

/* Paths; "" or NULL: none. */
struct tls_files {
	const char *ca; /* certificates to trust, PEM; none: those that the system trusts */
	const char *certificate; /* ours, with its chain, PEM */
	const char *key;         /* of the certificate, PEM */
};

/* A client's context that verifies its peers (SSL_VERIFY_PEER); SSL_CTX_free when done. -1: a file
 * cannot be read, or does not hold what it should; or the key is another certificate's. */
int tls_files_read(SSL_CTX **out, const struct tls_files *files, struct err *err);

/* Another context takes over trust, certificate and key. -1: no memory. */
int tls_files_share(SSL_CTX *to, SSL_CTX *from);

#endif
