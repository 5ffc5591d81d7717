#include "conf/networks.h"

#include <stdlib.h>
#include <string.h>

#include "conf/source.h"

const char *network_host_bits(struct conf *conf, const char *text)
{
	char address[IP_PREFIX_SIZE], meant[IP_PREFIX_SIZE], hint[128];
	struct ip_prefix prefix = { 0 };
	bool host_bits = false;
	const char *slash;

	if (ip_prefix_parse(text, &prefix, &host_bits) || !host_bits)
		return NULL;
	/* It did parse but for its host bits: it fits and has a slash and a good length. */
	slash = strchr(text, '/');
	(void)snprintf(address, sizeof(address), "%.*s", (int)(slash - text), text);
	(void)ip_parse(address, &prefix.address);
	prefix.len = (uint8_t)strtoul(slash + 1, NULL, 10);
	ip_mask(prefix.address.bytes, prefix.len);
	(void)snprintf(hint, sizeof(hint), "has bits set behind the prefix (did you mean \"%s\"?)",
		       ip_prefix_format(&prefix, meant));
	return arena_text(conf->arena, hint, strlen(hint));
}

bool network_parse(struct conf *conf, const struct yaml_node *item, struct ip_prefix *out)
{
	const char *host_bits;

	if (ip_prefix_parse(item->text, out, NULL))
		return true;
	host_bits = network_host_bits(conf, item->text);
	if (host_bits != NULL)
		conf_error(conf, &item->place, "%s %s", item->text, host_bits);
	else
		conf_error(conf, &item->place,
			   "\"%.100s\" is neither a network (192.0.2.0/24) nor an address",
			   item->text);
	return false;
}

/* A million lines are common: the reading keeps nothing but the networks. */
struct networks_reading {
	struct conf *conf;
	struct source source;
	struct source_walk walk; /* only told where a mistake is */
	struct ip_prefix *prefixes;
	size_t count, cap;
};

static void complain(struct networks_reading *reading, const char *word, size_t len,
		     const char *text)
{
	struct conf *conf = reading->conf;
	struct place place = source_walk_place(&reading->walk,
					       (size_t)(word - reading->source.text), len);
	const char *host_bits = network_host_bits(conf, text);

	if (host_bits != NULL)
		conf_error(conf, &place, "%s %s", text, host_bits);
	else
		conf_error(conf, &place,
			   "\"%.*s\" is neither a network (192.0.2.0/24) nor an address",
			   len < 100 ? (int)len : 100, word);
}

static void read_word(struct networks_reading *reading, const char *word, size_t len)
{
	char text[IP_PREFIX_SIZE] = "";
	struct ip_prefix prefix;

	if (len < sizeof(text)) {
		memcpy(text, word, len);
		text[len] = '\0';
	}
	if (ip_prefix_parse(text, &prefix, NULL))
		array_add(reading->prefixes, reading->count, reading->cap) = prefix;
	else
		complain(reading, word, len, text);
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r';
}

static void read_line(struct networks_reading *reading, const char *line, const char *end)
{
	const char *comment = memchr(line, '#', (size_t)(end - line));

	if (comment != NULL)
		end = comment;
	while (line < end && is_blank(*line))
		line++;
	while (end > line && is_blank(end[-1]))
		end--;
	if (line < end)
		read_word(reading, line, (size_t)(end - line));
}

static void read_lines(struct networks_reading *reading)
{
	const char *at = reading->source.text;
	const char *end = at + reading->source.size;

	while (at < end) {
		const char *stop = memchr(at, '\n', (size_t)(end - at));

		if (stop == NULL)
			stop = end;
		read_line(reading, at, stop);
		at = stop + 1;
	}
}

void networks_read(struct conf *conf, struct config_list *list)
{
	struct networks_reading reading = { .conf = conf };
	struct arena texts = { 0 };

	if (source_read(&reading.source, list->path, -1, &texts, conf->diag)) {
		reading.walk.source = &reading.source;
		read_lines(&reading);
	}
	diag_set_source(conf->diag, list->path, NULL, 0); /* its text ends here */
	arena_free(&texts);
	list->prefixes = arena_copy(conf->arena, reading.prefixes,
				    reading.count * sizeof(*reading.prefixes));
	list->prefix_count = reading.count;
	free(reading.prefixes);
}
