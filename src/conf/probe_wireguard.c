/* Probes of kind wireguard. */
#include <string.h>

#include "base/base64.h"
#include "conf/probe_kinds.h"
#include "conf/secret_file.h"
#include "image/probe_wireguard.h"

#define FILE_WORD "file:"

struct wireguard_options {
	uint8_t public_key[WIREGUARD_KEY_SIZE];
	struct secret_path private_key, preshared_key;
	uint32_t attempts;
};

static const char *check_key(const char *text, size_t len, void *context)
{
	uint8_t key[WIREGUARD_KEY_SIZE];
	bool right = base64_decode_line(text, len, key, sizeof(key));

	if (right && context != NULL)
		memcpy(context, key, sizeof(key));
	explicit_bzero(key, sizeof(key));
	return right ? NULL : "holds no key of 32 octets in base64";
}

static void read_public_key(struct conf *conf, const struct yaml_node *value, void *out)
{
	struct wireguard_options *options = out;
	const struct secret_rule rule = { .open = true,
					  .check = check_key,
					  .context = options->public_key };
	struct secret_path path;

	if (!conf_expect(conf, value, YAML_SCALAR, "a key in base64"))
		return;
	if (strncmp(value->text, FILE_WORD, strlen(FILE_WORD)) == 0)
		(void)secret_path_read(conf, value, &rule, &path);
	else if (!base64_decode_line(value->text, strlen(value->text), options->public_key,
				     WIREGUARD_KEY_SIZE))
		conf_error(conf, &value->place, "\"%.100s\" is no key of 32 octets in base64",
			   value->text);
}

static void read_secret_key(struct conf *conf, const struct yaml_node *value,
			    struct secret_path *out)
{
	const struct secret_rule rule = { .check = check_key };
	uint8_t key[WIREGUARD_KEY_SIZE];

	/* It must not stand in a file that others may read, nor be shown: not even its line is. */
	if (value->kind == YAML_SCALAR &&
	    base64_decode_line(value->text, strlen(value->text), key, sizeof(key))) {
		explicit_bzero(key, sizeof(key));
		conf_error_unseen(conf, &value->place,
				  "a secret key belongs in a file of its own: name it");
		return;
	}
	(void)secret_path_read(conf, value, &rule, out);
}

static void read_private_key(struct conf *conf, const struct yaml_node *value, void *out)
{
	struct wireguard_options *options = out;

	read_secret_key(conf, value, &options->private_key);
}

static void read_preshared_key(struct conf *conf, const struct yaml_node *value, void *out)
{
	struct wireguard_options *options = out;

	read_secret_key(conf, value, &options->preshared_key);
}

static const struct option options[] = {
	{ "public-key", OPTION_OTHER, .required = true, .read = read_public_key, .kind = "text",
	  .accepts = "a key in base64, or the path of its file behind file:",
	  .manual = "the servers' public key" },
	{ "private-key", OPTION_OTHER, .required = true, .read = read_private_key, .kind = "path",
	  .accepts = "the path of a file",
	  .manual = "holds the private key of the peer that probes, and of nobody else" },
	{ "preshared-key", OPTION_OTHER, .read = read_preshared_key, .kind = "path",
	  .accepts = "the path of a file",
	  .manual = "holds the key that servers and this peer share besides" },
	{ "attempts", OPTION_NUMBER, OPTION_FIELD(struct wireguard_options, attempts), .min = 1,
	  .max = WIREGUARD_ATTEMPTS_MAX, .counts = "initiations", .dflt = "3",
	  .manual = "that are sent within the timeout, at least 250ms apart" },
};

static const struct option_section section = {
	.name = "pool: probes[] of kind wireguard",
	.options = options,
	.count = OPTION_COUNT(options),
	.size = sizeof(struct wireguard_options),
};

static void put_path(struct buf *settings, size_t field, const char *path)
{
	if (path != NULL)
		settings_put_text(settings, field, path, strlen(path));
}

static void settle(struct conf *conf, const struct yaml_node *item, struct config_probe *probe,
		   const void *from, struct buf *out)
{
	const struct wireguard_options *read = from;
	struct wireguard_settings settings = {
		.private_version = read->private_key.version,
		.preshared_version = read->preshared_key.version,
		.attempts = read->attempts,
	};

	(void)conf;
	(void)item;
	(void)probe;
	memcpy(settings.public_key, read->public_key, sizeof(settings.public_key));
	buf_append(out, &settings, sizeof(settings));
	put_path(out, offsetof(struct wireguard_settings, private_key), read->private_key.path);
	put_path(out, offsetof(struct wireguard_settings, preshared_key), read->preshared_key.path);
}

const struct probe_kind_row probe_wireguard_row = {
	.kind = PROBE_WIREGUARD,
	.roles = PROBE_HEALTH,
	.port = 51820,
	.section = &section,
	.settle = settle,
};
