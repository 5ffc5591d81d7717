#include "probe/tls_files.h"

#include <openssl/err.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

static bool is_named(const char *path)
{
	return path != NULL && path[0] != '\0';
}

/* What OpenSSL says last is nearest to the cause. */
static int failed(struct err *err, const char *path, const char *what)
{
	unsigned long code = ERR_peek_last_error();
	const char *reason;

	if (ERR_SYSTEM_ERROR(code))
		reason = strerrordesc_np((int)ERR_GET_REASON(code));
	else
		reason = ERR_reason_error_string(code);
	(void)err_set(err, "%s: %s%s%s", path, what, reason != NULL ? ": " : "",
		      reason != NULL ? reason : "");
	ERR_clear_error();
	return -1;
}

/* A key with a passphrase is refused: there is nobody to ask. */
static int no_passphrase(char *out, int size, int writing, void *context)
{
	(void)out;
	(void)size;
	(void)writing;
	(void)context;
	return -1;
}

static int read_trust(SSL_CTX *context, const char *path, struct err *err)
{
	SSL_CTX_set_verify(context, SSL_VERIFY_PEER, NULL);
	if (!is_named(path)) {
		if (SSL_CTX_set_default_verify_paths(context) == 1)
			return 0;
		return failed(err, "certificates of the system", "cannot be used");
	}
	if (SSL_CTX_load_verify_file(context, path) == 1)
		return 0;
	return failed(err, path, "no certificates to trust");
}

static int read_certificate(SSL_CTX *context, const struct tls_files *files, struct err *err)
{
	const char *key = is_named(files->key) ? files->key : files->certificate;

	if (!is_named(files->certificate))
		return 0;
	if (SSL_CTX_use_certificate_chain_file(context, files->certificate) != 1)
		return failed(err, files->certificate, "no client certificate");
	/* This compares it with the certificate, too. */
	if (SSL_CTX_use_PrivateKey_file(context, key, SSL_FILETYPE_PEM) != 1)
		return failed(err, key, "no private key of the client certificate");
	return 0;
}

int tls_files_read(SSL_CTX **out, const struct tls_files *files, struct err *err)
{
	SSL_CTX *context;

	ERR_clear_error();
	context = SSL_CTX_new(TLS_client_method());
	if (context == NULL)
		return failed(err, "TLS", "no context");
	SSL_CTX_set_default_passwd_cb(context, no_passphrase);
	SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF); /* every handshake is whole */
	if (read_trust(context, files->ca, err) != 0 ||
	    read_certificate(context, files, err) != 0) {
		SSL_CTX_free(context);
		return -1;
	}
	*out = context;
	return 0;
}

int tls_files_share(SSL_CTX *to, SSL_CTX *from)
{
	X509 *certificate = SSL_CTX_get0_certificate(from);
	STACK_OF(X509) *chain = NULL;

	SSL_CTX_set1_cert_store(to, SSL_CTX_get_cert_store(from));
	if (certificate == NULL)
		return 0;
	(void)SSL_CTX_get0_chain_certs(from, &chain);
	return SSL_CTX_use_cert_and_key(to, certificate, SSL_CTX_get0_privatekey(from), chain, 1) ==
			       1
		       ? 0
		       : -1;
}

/* --- sharing ------------------------------------------------------------------------------- */

struct tls_context {
	LIST_ENTRY(tls_context) entry;
	SSL_CTX *context;
	uint32_t users;
	char *ca, *certificate, *key;
	uint64_t ca_version, certificate_version, key_version;
};

static const char *text_of(const char *path)
{
	return path != NULL ? path : "";
}

static bool is_of(const struct tls_context *shared, const struct tls_files *files)
{
	return shared->ca_version == files->ca_version &&
	       shared->certificate_version == files->certificate_version &&
	       shared->key_version == files->key_version &&
	       strcmp(shared->ca, text_of(files->ca)) == 0 &&
	       strcmp(shared->certificate, text_of(files->certificate)) == 0 &&
	       strcmp(shared->key, text_of(files->key)) == 0;
}

static struct tls_context *make_shared(SSL_CTX *context, const struct tls_files *files)
{
	struct tls_context *shared = mem_alloc(sizeof(*shared));

	shared->context = context;
	shared->ca = mem_copy_text(text_of(files->ca));
	shared->certificate = mem_copy_text(text_of(files->certificate));
	shared->key = mem_copy_text(text_of(files->key));
	shared->ca_version = files->ca_version;
	shared->certificate_version = files->certificate_version;
	shared->key_version = files->key_version;
	return shared;
}

int tls_context_take(struct tls_contexts *contexts, const struct tls_files *files, SSL_CTX **out,
		     struct err *err)
{
	struct tls_context *shared;

	LIST_FOREACH(shared, contexts, entry)
	{
		if (is_of(shared, files))
			break;
	}
	if (shared == NULL) {
		if (tls_files_read(out, files, err) != 0)
			return -1;
		shared = make_shared(*out, files);
		LIST_INSERT_HEAD(contexts, shared, entry);
	}
	shared->users++;
	*out = shared->context;
	return 0;
}

static void free_shared(struct tls_context *shared)
{
	LIST_REMOVE(shared, entry);
	SSL_CTX_free(shared->context);
	free(shared->ca);
	free(shared->certificate);
	free(shared->key);
	free(shared);
}

void tls_context_give_back(struct tls_contexts *contexts, SSL_CTX *context)
{
	struct tls_context *shared;

	LIST_FOREACH(shared, contexts, entry)
	{
		if (shared->context == context)
			break;
	}
	if (shared != NULL && --shared->users == 0)
		free_shared(shared);
}
