#include "probe/tls_files.h"

#include <openssl/pem.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "tests/unit/probe/probe_test.h"

#define SIZE 64

static EVP_PKEY *keys[2];

static void write_key(const char *path, EVP_PKEY *key)
{
	FILE *file = fopen(path, "w");

	ck_assert_ptr_nonnull(file);
	ck_assert_int_eq(PEM_write_PrivateKey(file, key, NULL, NULL, 0, NULL, NULL), 1);
	ck_assert_int_eq(fclose(file), 0);
}

static void write_certificate(const char *path, EVP_PKEY *key)
{
	X509 *certificate = X509_new();
	FILE *file = fopen(path, "w");

	ck_assert_ptr_nonnull(file);
	ck_assert_ptr_nonnull(X509_gmtime_adj(X509_getm_notBefore(certificate), 0));
	ck_assert_ptr_nonnull(X509_gmtime_adj(X509_getm_notAfter(certificate), 3600));
	ck_assert_int_eq(X509_set_pubkey(certificate, key), 1);
	ck_assert_int_gt(X509_sign(certificate, key, EVP_sha256()), 0);
	ck_assert_int_eq(PEM_write_X509(file, certificate), 1);
	ck_assert_int_eq(fclose(file), 0);
	X509_free(certificate);
}

static char folder[SIZE], certificate[SIZE + 8], own_key[SIZE + 8], other_key[SIZE + 8];

static void make_files(void)
{
	(void)snprintf(folder, sizeof(folder), "/tmp/tls-files-test-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(folder));
	(void)snprintf(certificate, sizeof(certificate), "%s/c.pem", folder);
	(void)snprintf(own_key, sizeof(own_key), "%s/k.pem", folder);
	(void)snprintf(other_key, sizeof(other_key), "%s/o.pem", folder);
	for (int i = 0; i < 2; i++)
		keys[i] = EVP_EC_gen("P-256");
	write_certificate(certificate, keys[0]);
	write_key(own_key, keys[0]);
	write_key(other_key, keys[1]);
}

static void remove_files(void)
{
	(void)unlink(certificate);
	(void)unlink(own_key);
	(void)unlink(other_key);
	(void)rmdir(folder);
	EVP_PKEY_free(keys[0]);
	EVP_PKEY_free(keys[1]);
}

START_TEST(context_has_what_the_files_say)
{
	const struct tls_files files = { .ca = certificate,
					 .certificate = certificate,
					 .key = own_key };
	SSL_CTX *context, *other = SSL_CTX_new(TLS_client_method());
	struct err err;

	ck_assert_msg(tls_files_read(&context, &files, &err) == 0, "%s", err.text);
	ck_assert_int_eq(SSL_CTX_get_verify_mode(context), SSL_VERIFY_PEER);
	ck_assert_int_eq(EVP_PKEY_eq(SSL_CTX_get0_privatekey(context), keys[0]), 1);
	ck_assert_int_eq(tls_files_share(other, context), 0);
	ck_assert_ptr_eq(SSL_CTX_get_cert_store(other), SSL_CTX_get_cert_store(context));
	ck_assert_ptr_eq(SSL_CTX_get0_privatekey(other), SSL_CTX_get0_privatekey(context));
	SSL_CTX_free(context);
	ck_assert_int_eq(EVP_PKEY_eq(SSL_CTX_get0_privatekey(other), keys[0]), 1);
	SSL_CTX_free(other);
}
END_TEST

START_TEST(files_that_are_no_use_are_told_by_name)
{
	SSL_CTX *context = NULL;
	struct tls_files files = { .ca = "/nowhere/ca.pem" };
	struct err err;

	ck_assert_int_eq(tls_files_read(&context, &files, &err), -1);
	ck_assert_ptr_nonnull(strstr(err.text, "/nowhere/ca.pem: no certificates to trust"));
	files = (struct tls_files){ .ca = own_key };
	ck_assert_int_eq(tls_files_read(&context, &files, &err), -1);
	ck_assert_ptr_nonnull(strstr(err.text, own_key));
	files = (struct tls_files){ .certificate = own_key, .key = own_key };
	ck_assert_int_eq(tls_files_read(&context, &files, &err), -1);
	ck_assert_ptr_nonnull(strstr(err.text, "no client certificate"));
	files = (struct tls_files){ .certificate = certificate, .key = other_key };
	ck_assert_int_eq(tls_files_read(&context, &files, &err), -1);
	ck_assert_ptr_nonnull(strstr(err.text, "key values mismatch"));
	files.key = NULL; /* then it would have to be in the certificate's file */
	ck_assert_int_eq(tls_files_read(&context, &files, &err), -1);
	ck_assert_ptr_nonnull(strstr(err.text, certificate));
	ck_assert_ptr_null(context);
}
END_TEST

START_TEST(same_files_share_a_context_until_nobody_has_it)
{
	struct tls_files files = { .certificate = certificate, .key = own_key, .key_version = 1 };
	struct tls_contexts contexts = { 0 };
	SSL_CTX *first, *second, *edited;
	struct err err;

	ck_assert_int_eq(tls_context_take(&contexts, &files, &first, &err), 0);
	ck_assert_int_eq(tls_context_take(&contexts, &files, &second, &err), 0);
	ck_assert_ptr_eq(first, second);
	files.key_version = 2;
	ck_assert_int_eq(tls_context_take(&contexts, &files, &edited, &err), 0);
	ck_assert_ptr_ne(first, edited);
	tls_context_give_back(&contexts, first);
	ck_assert_ptr_nonnull(SSL_CTX_get0_certificate(second)); /* it is still there */
	tls_context_give_back(&contexts, second);
	tls_context_give_back(&contexts, edited);
	tls_context_give_back(&contexts, NULL);
	ck_assert(LIST_EMPTY(&contexts));
}
END_TEST

void add_tls_files_tests(Suite *suite)
{
	TCase *files = tcase_create("tls_files");

	tcase_add_checked_fixture(files, make_files, remove_files);
	tcase_add_test(files, context_has_what_the_files_say);
	tcase_add_test(files, files_that_are_no_use_are_told_by_name);
	tcase_add_test(files, same_files_share_a_context_until_nobody_has_it);
	suite_add_tcase(suite, files);
}
