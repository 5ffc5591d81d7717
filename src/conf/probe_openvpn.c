/* Options of probes of kind openvpn. */
#include <string.h>

#include "conf/probe_kinds.h"
#include "conf/secret_file.h"
#include "image/openvpn_key.h"
#include "image/probe_openvpn.h"

struct openvpn_options {
	uint8_t transport, direction, digest;
	struct secret_path keys[OPENVPN_TLS_CRYPT_V2 + 1]; /* by enum openvpn_mode */
};

static const char *const mode_options[] = { [OPENVPN_TLS_AUTH] = "tls-auth",
					    [OPENVPN_TLS_CRYPT] = "tls-crypt",
					    [OPENVPN_TLS_CRYPT_V2] = "tls-crypt-v2" };

static const char *check_static(const char *text, size_t len, void *context)
{
	struct openvpn_key key;
	const char *wrong = openvpn_key_static(text, len, &key);

	(void)context;
	explicit_bzero(&key, sizeof(key));
	return wrong;
}

static const char *check_v2(const char *text, size_t len, void *context)
{
	struct openvpn_key key;
	const char *wrong = openvpn_key_v2(text, len, &key);

	(void)context;
	explicit_bzero(&key, sizeof(key));
	return wrong;
}

static void read_key(struct conf *conf, const struct yaml_node *value, void *out,
		     enum openvpn_mode mode)
{
	const struct secret_rule rule = { .check = mode == OPENVPN_TLS_CRYPT_V2 ? check_v2
										: check_static };
	struct openvpn_options *options = out;

	(void)secret_path_read(conf, value, &rule, &options->keys[mode]);
}

static void read_auth(struct conf *conf, const struct yaml_node *value, void *out)
{
	read_key(conf, value, out, OPENVPN_TLS_AUTH);
}

static void read_crypt(struct conf *conf, const struct yaml_node *value, void *out)
{
	read_key(conf, value, out, OPENVPN_TLS_CRYPT);
}

static void read_crypt_v2(struct conf *conf, const struct yaml_node *value, void *out)
{
	read_key(conf, value, out, OPENVPN_TLS_CRYPT_V2);
}

static const char *const transports[] = { "udp", "tcp", NULL };
static const char *const directions[] = { "0", "1", "none", NULL };
static const char *const digests[] = { "SHA1", "SHA256", "SHA512", NULL };

static const struct option openvpn_options[] = {
	{ "transport", OPTION_WORD, OPTION_FIELD(struct openvpn_options, transport),
	  .words = transports, .dflt = "udp", .manual = "what the server listens on" },
	{ "tls-auth", OPTION_OTHER, .read = read_auth, .kind = "path",
	  .accepts = "the path of a file with a static key",
	  .manual = "the key that the server has as tls-auth" },
	{ "key-direction", OPTION_WORD, OPTION_FIELD(struct openvpn_options, direction),
	  .words = directions, .dflt = "1",
	  .manual = "which half of the tls-auth key clients send with" },
	{ "digest", OPTION_WORD, OPTION_FIELD(struct openvpn_options, digest), .words = digests,
	  .dflt = "SHA1", .manual = "the digest of tls-auth: what the server has as auth" },
	{ "tls-crypt", OPTION_OTHER, .read = read_crypt, .kind = "path",
	  .accepts = "the path of a file with a static key",
	  .manual = "the key that the server has as tls-crypt" },
	{ "tls-crypt-v2", OPTION_OTHER, .read = read_crypt_v2, .kind = "path",
	  .accepts = "the path of a file with a client key of tls-crypt-v2",
	  .manual = "a client's key, made with that of the server" },
};

static const struct option_section openvpn_section = {
	.name = "pool: probes[] of kind openvpn",
	.options = openvpn_options,
	.count = OPTION_COUNT(openvpn_options),
	.size = sizeof(struct openvpn_options),
};

/* The one that is given; a second one is told. */
static enum openvpn_mode choose_mode(struct conf *conf, const struct yaml_node *item)
{
	enum openvpn_mode chosen = OPENVPN_PLAIN;

	for (enum openvpn_mode mode = OPENVPN_TLS_AUTH; mode <= OPENVPN_TLS_CRYPT_V2; mode++) {
		const struct yaml_node *value = yaml_get(item, mode_options[mode]);

		if (value == NULL)
			continue;
		if (chosen != OPENVPN_PLAIN)
			conf_error(conf, &value->key->place,
				   "a server has one of tls-auth, tls-crypt and tls-crypt-v2, and "
				   "%s is given already",
				   mode_options[chosen]);
		chosen = mode;
	}
	return chosen;
}

static void refuse_without_auth(struct conf *conf, const struct yaml_node *item, const char *name)
{
	const struct yaml_node *value = yaml_get(item, name);

	if (value != NULL)
		conf_error(conf, &value->key->place, "%s is for tls-auth, which is not given",
			   name);
}

static void settle_openvpn(struct conf *conf, const struct yaml_node *item,
			   struct config_probe *probe, const void *options, struct buf *settings)
{
	const struct openvpn_options *openvpn = options;
	enum openvpn_mode mode = choose_mode(conf, item);
	const struct secret_path *key = &openvpn->keys[mode];
	struct openvpn_settings out = { .key_version = key->version,
					.transport = openvpn->transport,
					.mode = (uint8_t)mode };

	(void)probe;
	if (mode == OPENVPN_TLS_AUTH) {
		out.direction = openvpn->direction;
		out.digest = openvpn->digest;
	} else {
		refuse_without_auth(conf, item, "key-direction");
		refuse_without_auth(conf, item, "digest");
	}
	buf_append(settings, &out, sizeof(out));
	if (key->path != NULL)
		settings_put_text(settings, offsetof(struct openvpn_settings, key_file), key->path,
				  strlen(key->path));
}

const struct probe_kind_row probe_openvpn_row = { .kind = PROBE_OPENVPN,
						  .roles = PROBE_HEALTH,
						  .port = 1194,
						  .section = &openvpn_section,
						  .settle = settle_openvpn };
