/* tls_files.h - what files say for TLS: whom to trust, and who we are as a client. Read at once,
 * into a context that many connections share; of keys, only that context knows. */
#ifndef PROBE_TLS_FILES_H
#define PROBE_TLS_FILES_H

#include <openssl/ssl.h>
#include <stdint.h>
#include <sys/queue.h>

#include "base/err.h"

/* Paths; "" or NULL: none. */
struct tls_files {
	const char *ca; /* certificates to trust, PEM; none: those that the system trusts */
	const char *certificate; /* ours, with its chain, PEM */
	const char *key; /* of the certificate, PEM; none: it is in the certificate's file */
	/* Another version: another file by the same name. */
	uint64_t ca_version, certificate_version, key_version;
};

/* A client's context that verifies its peers (SSL_VERIFY_PEER); SSL_CTX_free when done. -1: a file
 * cannot be read, or does not hold what it should; or the key is another certificate's. */
int tls_files_read(SSL_CTX **out, const struct tls_files *files, struct err *err);

/* Another context takes over trust, certificate and key. -1: no memory. */
int tls_files_share(SSL_CTX *to, SSL_CTX *from);

/* Contexts that are shared by all who name the same files in the same versions. Zero-initialise; all
 * are given back before it goes. */
struct tls_context;
LIST_HEAD(tls_contexts, tls_context);

int tls_context_take(struct tls_contexts *contexts, const struct tls_files *files, SSL_CTX **out,
		     struct err *err);
void tls_context_give_back(struct tls_contexts *contexts, SSL_CTX *context); /* NULL is fine */

#endif
