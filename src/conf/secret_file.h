/* secret_file.h - options that name a file with a secret (a key, a password) or a certificate.
 *
 * "file:keys/monitor.key", or the path alone; relative to the folder of the file in which the option
 * stands. The plan gets the path and the file's version, so that a file that was edited makes other
 * settings; what is in it is lent to who checks it, and wiped. It is read again by those who need
 * it (probe/secret.h). The file is watched: the next reload comes by itself when it changes. */
#ifndef CONF_SECRET_FILE_H
#define CONF_SECRET_FILE_H

#include "conf/option.h"

#define SECRET_FILE_MAX 65536 /* octets in such a file; probe/secret.h has the same limit */

struct secret_path {
	const char *path; /* absolute; NULL: the option was not given, or is wrong */
	uint64_t version; /* another one when the file has changed */
};

/* What is wrong with the contents ("is no key of 32 octets in base64"), without a word of them;
 * NULL: nothing. `text` has a NUL at its end, is wiped afterwards, and may hold others. What is
 * returned lives as long as `context` or the program. */
typedef const char *secret_check_fn(const char *text, size_t len, void *context);

struct secret_rule {
	bool open;              /* no secret, such as a certificate: anybody may read it */
	secret_check_fn *check; /* NULL: anything is right that is not empty */
	void *context;
};

/* The value of an option. false, and reported: it is no path of a readable file, or not one that the
 * rule allows. Where it should be one of a secret's file, it may be the secret itself, and is not
 * repeated. That others may read a secret is a warning. */
bool secret_path_read(struct conf *conf, const struct yaml_node *value,
		      const struct secret_rule *rule, struct secret_path *out);

/* The value is no path of a file that can be read: without a word of it. */
void secret_path_refuse(struct conf *conf, const struct yaml_node *value, int error);

#endif
