/* Options of probes of kind tls. */
#include "conf/probe_tls.h"

#include <string.h>

#include "base/mem.h"
#include "conf/probe_kinds.h"
#include "image/probe_tls.h"

#define ALPN_SIZE_MAX 1024

struct tls_probe_options {
	struct tls_options tls; /* first */
	const char *server_name, *expect_alpn;
	uint8_t alpn[ALPN_SIZE_MAX];
	size_t alpn_len;
};

static void read_server_name(struct conf *conf, const struct yaml_node *value, void *out)
{
	(void)read_host_name(conf, value, &((struct tls_probe_options *)out)->server_name);
}

static void read_offer(struct conf *conf, const struct yaml_node *item, void *context)
{
	struct tls_probe_options *options = context;
	size_t len = strlen(item->text);

	if (len == 0 || len > 255) {
		conf_error(conf, &item->place, "an ALPN id has 1 to 255 octets");
	} else if (options->alpn_len + len + 1 > ALPN_SIZE_MAX) {
		conf_error(conf, &item->place, "all ALPN ids have more than %d octets",
			   ALPN_SIZE_MAX);
	} else {
		options->alpn[options->alpn_len] = (uint8_t)len;
		memcpy(options->alpn + options->alpn_len + 1, item->text, len);
		options->alpn_len += len + 1;
	}
}

static void read_offers(struct conf *conf, const struct yaml_node *value, void *out)
{
	((struct tls_probe_options *)out)->alpn_len = 0;
	items_read(conf, value, "an ALPN id or a list of them", read_offer, out);
}

static const struct option tls_options[] = {
	{ "server-name", OPTION_OTHER, .read = read_server_name, .kind = "text",
	  .accepts = "a host name",
	  .manual = "the name in the handshake (SNI) and the certificate; by default the address" },
	{ "alpn", OPTION_OTHER, .read = read_offers, .kind = "list",
	  .accepts = "an ALPN id or a list of them",
	  .manual = "the protocols that are offered, the preferred one first" },
	{ "expect-alpn", OPTION_TEXT, OPTION_FIELD(struct tls_probe_options, expect_alpn),
	  .accepts = "an ALPN id", .manual = "which of them the server has to choose" },
};

static const struct option_section tls_section = {
	.name = "pool: probes[] of kind tls",
	.options = tls_options,
	.count = OPTION_COUNT(tls_options),
	.size = sizeof(struct tls_probe_options),
};

static bool is_offered(const struct tls_probe_options *options, const char *id)
{
	size_t len = strlen(id);

	for (size_t at = 0; at < options->alpn_len; at += options->alpn[at] + 1U) {
		if (options->alpn[at] == len && memcmp(options->alpn + at + 1, id, len) == 0)
			return true;
	}
	return false;
}

static void put_text(struct buf *settings, size_t field, const char *text)
{
	if (text != NULL)
		settings_put_text(settings, field, text, strlen(text));
}

static void settle_tls(struct conf *conf, const struct yaml_node *item, struct config_probe *probe,
		       const void *from, struct buf *settings)
{
	const struct tls_probe_options *options = from;
	const struct tls_options *tls = &options->tls;
	struct tls_settings into = { .ca_version = tls->ca.version,
				     .certificate_version = tls->certificate.version,
				     .key_version = tls->key.version,
				     .warn_days = tls->warn_days,
				     .verify = tls->verify };

	(void)probe;
	if (options->expect_alpn != NULL && !is_offered(options, options->expect_alpn))
		conf_error(conf, &yaml_get(item, "expect-alpn")->place,
			   "\"%.100s\" is not offered with alpn", options->expect_alpn);
	tls_options_check(conf, item, tls);
	buf_append(settings, &into, sizeof(into));
	put_text(settings, offsetof(struct tls_settings, server_name), options->server_name);
	if (options->alpn_len > 0)
		settings_put_text(settings, offsetof(struct tls_settings, alpn),
				  (const char *)options->alpn, options->alpn_len);
	put_text(settings, offsetof(struct tls_settings, expect_alpn), options->expect_alpn);
	put_text(settings, offsetof(struct tls_settings, ca), tls->ca.path);
	put_text(settings, offsetof(struct tls_settings, certificate), tls->certificate.path);
	put_text(settings, offsetof(struct tls_settings, key), tls->key.path);
}

const struct probe_kind_row probe_tls_row = { .kind = PROBE_TLS,
					      .roles = PROBE_HEALTH,
					      .port = 443,
					      .section = &tls_section,
					      .shared = &tls_files_section,
					      .settle = settle_tls };
