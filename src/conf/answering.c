/* The server file's options about answers themselves: what goes into struct dns_settings. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <config.h> /* not conf/config.h */

#include "conf/answering.h"

#define NSID_HEX_MAX  (2 * SETTINGS_TEXT_MAX)
#define HOST_NAME_MAX 64

/* --- what the server says of itself ------------------------------------------------------------ */

static void set_text(struct settings_text *out, const char *text)
{
	out->len = (uint8_t)strlen(text);
	memcpy(out->octets, text, out->len);
}

/* "off", "auto" (which stands for `automatic`), or the text itself. */
static bool read_words(struct conf *conf, const struct yaml_node *value, const char *automatic,
		       struct settings_text *out)
{
	memset(out, 0, sizeof(*out));
	if (!conf_expect(conf, value, YAML_SCALAR, "text, auto or off"))
		return false;
	if (strlen(value->text) > SETTINGS_TEXT_MAX)
		conf_error(conf, &value->place, "the text is longer than %d octets",
			   SETTINGS_TEXT_MAX);
	else if (value->text[0] == '\0')
		conf_error(conf, &value->place, "the text is empty: \"off\" says nothing");
	else if (strcmp(value->text, "off") != 0)
		set_text(out, strcmp(value->text, "auto") == 0 ? automatic : value->text);
	return true;
}

static void read_host_words(struct conf *conf, const struct yaml_node *value,
			    struct settings_text *out)
{
	char host[HOST_NAME_MAX + 1] = "";

	/* Linux' host names have at most 64 octets, so it is never cut. */
	(void)gethostname(host, sizeof(host) - 1);
	(void)read_words(conf, value, host, out);
}

void read_version(struct conf *conf, const struct yaml_node *value, void *out)
{
	struct config *config = out;

	(void)read_words(conf, value, "Signpost " PACKAGE_VERSION, &config->dns.version);
}

void read_identity(struct conf *conf, const struct yaml_node *value, void *out)
{
	struct config *config = out;

	read_host_words(conf, value, &config->dns.identity);
}

int conf_hex_digit(char c)
{
	static const char digits[] = "0123456789abcdef";
	const char *at = memchr(digits, c >= 'A' && c <= 'F' ? c + 32 : c, 16);

	return at == NULL ? -1 : (int)(at - digits);
}

static bool read_hex(const char *text, struct settings_text *out)
{
	size_t len = strlen(text);

	if (len == 0 || len % 2 != 0 || len > NSID_HEX_MAX)
		return false;
	for (size_t i = 0; i < len; i += 2) {
		int high = conf_hex_digit(text[i]), low = conf_hex_digit(text[i + 1]);

		if (high < 0 || low < 0)
			return false;
		out->octets[i / 2] = (uint8_t)(high << 4 | low);
	}
	out->len = (uint8_t)(len / 2);
	return true;
}

void read_nsid(struct conf *conf, const struct yaml_node *value, void *out)
{
	struct config *config = out;

	if (value->kind != YAML_SCALAR || strncmp(value->text, "0x", 2) != 0)
		read_host_words(conf, value, &config->dns.nsid);
	else if (!read_hex(value->text + 2, &config->dns.nsid))
		conf_error(conf, &value->place,
			   "\"%.100s\" is not an even number of hexadecimal digits, 2 to %d",
			   value->text, NSID_HEX_MAX);
}

void read_amplification(struct conf *conf, const struct yaml_node *value, void *out)
{
	static const struct amount amount = { .min = DNS_AMPLIFICATION_LOWEST,
					      .max = 100,
					      .counts = "times the query's length",
					      .word = "off" };
	struct config *config = out;
	int64_t factor = 0;

	if (value->kind != YAML_SCALAR || strcmp(value->text, "off") != 0)
		(void)conf_amount(conf, value, &amount, &factor);
	config->dns.amplification = (uint16_t)factor;
}
