#include <ctype.h>
#include <string.h>

#include "conf/probe_tls.h"

static const char *check_certificates(const char *text, size_t len, void *context)
{
	(void)len;
	(void)context;
	return strstr(text, "-----BEGIN CERTIFICATE-----") != NULL ? NULL
								   : "has no certificate in PEM";
}

static const char *check_key(const char *text, size_t len, void *context)
{
	(void)len;
	(void)context;
	if (strstr(text, "PRIVATE KEY-----") == NULL)
		return "has no private key in PEM";
	if (strstr(text, "BEGIN ENCRYPTED PRIVATE KEY") != NULL ||
	    strstr(text, "Proc-Type: 4,ENCRYPTED") != NULL)
		return "has a key with a passphrase, which nobody is there to type";
	return NULL;
}

static void read_ca_file(struct conf *conf, const struct yaml_node *value, void *out)
{
	static const struct secret_rule rule = { .open = true, .check = check_certificates };

	(void)secret_path_read(conf, value, &rule, &((struct tls_options *)out)->ca);
}

/* Its key may be in the same file, which makes it a secret. */
static void read_client_certificate(struct conf *conf, const struct yaml_node *value, void *out)
{
	static const struct secret_rule rule = { .open = true, .check = check_certificates };

	(void)secret_path_read(conf, value, &rule, &((struct tls_options *)out)->certificate);
}

static void read_client_key(struct conf *conf, const struct yaml_node *value, void *out)
{
	static const struct secret_rule rule = { .check = check_key };

	(void)secret_path_read(conf, value, &rule, &((struct tls_options *)out)->key);
}

static const struct option tls_options[] = {
	{ "verify", OPTION_BOOL, OPTION_FIELD(struct tls_options, verify), .dflt = "true",
	  .manual = "the certificate must be valid, of somebody who is trusted, and for the name "
		    "(without one: the address) that is probed" },
	{ "ca", OPTION_OTHER, .read = read_ca_file, .kind = "path",
	  .accepts = "the path of a file of certificates in PEM",
	  .manual = "who is trusted; by default whom the system trusts" },
	{ "client-certificate", OPTION_OTHER, .read = read_client_certificate, .kind = "path",
	  .accepts = "the path of a certificate in PEM",
	  .manual = "what the probe shows to servers that ask for a certificate, with its chain" },
	{ "client-key", OPTION_OTHER, .read = read_client_key, .kind = "path",
	  .accepts = "the path of a private key in PEM",
	  .manual = "the certificate's; by default it is in the certificate's file" },
	{ "warn-expiry", OPTION_DURATION, OPTION_FIELD(struct tls_options, warn_days),
	  .unit_ms = 86400000, .max = 365, .dflt = "14d",
	  .manual = "a certificate that expires sooner makes the node degraded; 0d: never" },
};

const struct option_section tls_files_section = OPTION_SECTION(
	"pool: probes[] of kinds https and tls", tls_options);

/* The certificate's file stands for the key as well, and is read as one: it is told what it lacks. */
static void check_own_key(struct conf *conf, const struct yaml_node *certificate)
{
	static const struct secret_rule rule = { .check = check_key };
	struct secret_path ignored;

	(void)secret_path_read(conf, certificate, &rule, &ignored);
}

void tls_options_check(struct conf *conf, const struct yaml_node *item,
		       const struct tls_options *options)
{
	const struct yaml_node *certificate = yaml_get(item, "client-certificate");
	const struct yaml_node *key = yaml_get(item, "client-key");
	const struct yaml_node *ca = yaml_get(item, "ca");

	if (key != NULL && certificate == NULL)
		conf_error(conf, &key->key->place,
			   "client-key is of no use without client-certificate");
	if (certificate != NULL && key == NULL && options->certificate.path != NULL)
		check_own_key(conf, certificate);
	if (ca != NULL && !options->verify)
		conf_error(conf, &ca->key->place, "ca is of no use with verify: false");
}

bool read_host_name(struct conf *conf, const struct yaml_node *value, const char **out)
{
	const char *text;

	if (!conf_expect(conf, value, YAML_SCALAR, "a host name"))
		return false;
	text = value->text;
	for (const char *c = text; *c != '\0'; c++) {
		if (!isalnum((unsigned char)*c) && strchr("-._", *c) == NULL)
			text = "";
	}
	if (*text == '\0' || *text == '.' || strlen(text) > 253) {
		conf_error(conf, &value->place, "\"%.100s\" is not a host name", value->text);
		return false;
	}
	*out = text;
	return true;
}
