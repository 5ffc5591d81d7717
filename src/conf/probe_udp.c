/* Options of probes of kind udp. */
#include <string.h>

#include "base/mem.h"
#include "conf/answering.h"
#include "conf/probe_kinds.h"
#include "image/probe_udp.h"

struct octets {
	bool given;
	uint8_t data[UDP_PAYLOAD_MAX];
	size_t len;
};

struct udp_options {
	struct octets send, expect;
	uint8_t at; /* index */
};

static const char *const places[] = { "start", "anywhere", NULL };

static void take_text(struct conf *conf, const struct yaml_node *value, struct octets *out)
{
	size_t len;

	if (!conf_expect(conf, value, YAML_SCALAR, "a text"))
		return;
	len = strlen(value->text);
	if (len > UDP_PAYLOAD_MAX) {
		conf_error(conf, &value->place, "the text has more than %d octets",
			   UDP_PAYLOAD_MAX);
		return;
	}
	memcpy(out->data, value->text, len);
	out->len = len;
	out->given = true;
}

static void take_hex(struct conf *conf, const struct yaml_node *value, struct octets *out)
{
	const char *text = value->text;
	size_t len = 0;

	if (!conf_expect(conf, value, YAML_SCALAR, "octets as pairs of hexadecimal digits"))
		return;
	for (; *text != '\0' && len < UDP_PAYLOAD_MAX; text += 2) {
		int high = conf_hex_digit(text[0]), low = high < 0 ? -1 : conf_hex_digit(text[1]);

		if (low < 0)
			break;
		out->data[len++] = (uint8_t)(high << 4 | low);
	}
	if (*text != '\0' || len == 0)
		conf_error(conf, &value->place,
			   "\"%.100s\" is not 1 to %d octets as pairs of hexadecimal digits",
			   value->text, UDP_PAYLOAD_MAX);
	out->len = len;
	out->given = true;
}

static void read_send(struct conf *conf, const struct yaml_node *value, void *out)
{
	take_text(conf, value, &((struct udp_options *)out)->send);
}

static void read_send_hex(struct conf *conf, const struct yaml_node *value, void *out)
{
	take_hex(conf, value, &((struct udp_options *)out)->send);
}

static void read_expect(struct conf *conf, const struct yaml_node *value, void *out)
{
	take_text(conf, value, &((struct udp_options *)out)->expect);
}

static void read_expect_hex(struct conf *conf, const struct yaml_node *value, void *out)
{
	take_hex(conf, value, &((struct udp_options *)out)->expect);
}

static const struct option udp_options[] = {
	{ "send", OPTION_OTHER, .read = read_send, .kind = "text", .accepts = "a text",
	  .manual = "what is sent" },
	{ "send-hex", OPTION_OTHER, .read = read_send_hex, .kind = "text",
	  .accepts = "octets as pairs of hexadecimal digits",
	  .manual = "the same where it is no text" },
	{ "expect", OPTION_OTHER, .read = read_expect, .kind = "text", .accepts = "a text",
	  .manual = "what has to be in the answer; by default any answer will do" },
	{ "expect-hex", OPTION_OTHER, .read = read_expect_hex, .kind = "text",
	  .accepts = "octets as pairs of hexadecimal digits",
	  .manual = "the same where it is no text" },
	{ "expect-at", OPTION_WORD, OPTION_FIELD(struct udp_options, at), .words = places,
	  .dflt = "start", .manual = "where in the answer that has to be" },
};

static const struct option_section udp_section = {
	.name = "pool: probes[] of kind udp",
	.options = udp_options,
	.count = OPTION_COUNT(udp_options),
	.size = sizeof(struct udp_options),
};

static void check_one(struct conf *conf, const struct yaml_node *item, const char *text,
		      const char *hex)
{
	const struct yaml_node *second = yaml_get(item, hex);

	if (second != NULL && yaml_get(item, text) != NULL)
		conf_error(conf, &second->key->place, "there is %s already", text);
}

static void settle_udp(struct conf *conf, const struct yaml_node *item, struct config_probe *probe,
		       const void *from, struct buf *settings)
{
	const struct udp_options *options = from;
	const struct udp_settings into = { .anywhere = options->at };

	(void)probe;
	check_one(conf, item, "send", "send-hex");
	check_one(conf, item, "expect", "expect-hex");
	if (!options->send.given)
		conf_error(conf, &yaml_get(item, "kind")->place,
			   "a udp probe needs \"send\" or \"send-hex\"");
	buf_append(settings, &into, sizeof(into));
	settings_put_text(settings, offsetof(struct udp_settings, send),
			  (const char *)options->send.data, options->send.len);
	if (options->expect.given)
		settings_put_text(settings, offsetof(struct udp_settings, expect),
				  (const char *)options->expect.data, options->expect.len);
}

const struct probe_kind_row probe_udp_row = { .kind = PROBE_UDP,
					      .roles = PROBE_HEALTH,
					      .port = PROBE_PORT_REQUIRED,
					      .section = &udp_section,
					      .settle = settle_udp };
