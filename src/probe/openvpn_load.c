#include "probe/openvpn_load.h"

#include <string.h>

#include "base/hash.h"

/* --- lines and fields ---------------------------------------------------------------------- */

struct part {
	const char *text;
	size_t len;
};

/* The next part of `rest` up to `end`, without it; the carriage return of a line goes, too. */
static struct part take_part(struct part *rest, char end)
{
	const char *at = rest->len == 0 ? NULL : memchr(rest->text, end, rest->len);
	struct part part = { rest->text, at == NULL ? rest->len : (size_t)(at - rest->text) };
	size_t taken = part.len + (at != NULL);

	rest->text += taken;
	rest->len -= taken;
	if (end == '\n' && part.len > 0 && part.text[part.len - 1] == '\r')
		part.len--;
	return part;
}

static bool is(struct part part, const char *word)
{
	return part.len == strlen(word) && memcmp(part.text, word, part.len) == 0;
}

/* Digits alone, below 10^15. */
static bool read_number(struct part part, uint64_t *out)
{
	*out = 0;
	for (size_t i = 0; i < part.len; i++) {
		if (part.text[i] < '0' || part.text[i] > '9' || i == 15)
			return false;
		*out = *out * 10 + (uint64_t)(part.text[i] - '0');
	}
	return part.len > 0;
}

bool openvpn_load_stats(const char *line, size_t len, uint32_t *clients)
{
	static const char before[] = "SUCCESS: nclients=";
	struct part rest = { line, len };
	uint64_t number;

	if (len < strlen(before) || memcmp(line, before, strlen(before)) != 0)
		return false;
	rest.text += strlen(before);
	rest.len -= strlen(before);
	if (!read_number(take_part(&rest, ','), &number) || number > UINT32_MAX)
		return false;
	*clients = (uint32_t)number;
	return true;
}

/* --- status files -------------------------------------------------------------------------- */

struct table {
	char separator;
	bool v1, in_clients; /* version 1: the lines of its first table are clients */
	bool has_names;
	size_t name_column; /* of "Common Name", among the fields of a client */
	bool ended;
};

static void read_header(struct table *table, struct part fields)
{
	for (size_t column = 0; fields.len > 0; column++) {
		if (is(take_part(&fields, table->separator), "Common Name")) {
			table->name_column = column;
			table->has_names = true;
			return;
		}
	}
}

/* Who has not logged in yet has no name. */
static bool is_known(const struct table *table, struct part fields)
{
	struct part name = { "", 0 };

	for (size_t column = 0; column <= table->name_column; column++)
		name = take_part(&fields, table->separator);
	return !is(name, "UNDEF");
}

static void read_line_v1(struct table *table, struct part line, struct openvpn_status *out)
{
	if (is(line, "ROUTING TABLE"))
		table->in_clients = false;
	else if (is(line, "END"))
		table->ended = true;
	else if (table->in_clients && table->has_names)
		out->clients += is_known(table, line);
	else if (table->in_clients)
		read_header(table, line);
}

static void read_line(struct table *table, struct part line, struct openvpn_status *out)
{
	struct part rest = line;
	struct part kind = take_part(&rest, table->separator);

	if (is(line, "END")) {
		table->ended = true;
	} else if (is(kind, "TIME")) {
		out->stamp = hash_bytes(line.text, line.len, 0);
		(void)take_part(&rest, table->separator); /* as text, in the server's zone */
		if (!read_number(rest, &out->unix_s))
			out->unix_s = 0;
	} else if (is(kind, "HEADER")) {
		if (is(take_part(&rest, table->separator), "CLIENT_LIST"))
			read_header(table, rest);
	} else if (is(kind, "CLIENT_LIST")) {
		out->clients += !table->has_names || is_known(table, rest);
	}
}

static bool begins(struct part line, const char *word)
{
	return line.len >= strlen(word) && memcmp(line.text, word, strlen(word)) == 0;
}

const char *openvpn_status_read(const char *text, size_t len, struct openvpn_status *out)
{
	struct part rest = { text, len };
	struct part first = take_part(&rest, '\n'), updated;
	struct table table = { .separator = ',' };

	*out = (struct openvpn_status){ 0 };
	if (is(first, "OpenVPN CLIENT LIST")) {
		out->version = 1;
		table.v1 = true;
		updated = take_part(&rest, '\n');
		out->stamp = hash_bytes(updated.text, updated.len, 0);
		if (!begins(updated, "Updated,"))
			return "it does not say when it was written";
		table.in_clients = true;
	} else if (begins(first, "TITLE,")) {
		out->version = 2;
	} else if (begins(first, "TITLE\t")) {
		out->version = 3;
		table.separator = '\t';
	} else {
		return "it is no status of an OpenVPN server";
	}
	while (rest.len > 0 && !table.ended) {
		struct part line = take_part(&rest, '\n');

		if (table.v1)
			read_line_v1(&table, line, out);
		else
			read_line(&table, line, out);
	}
	if (!table.ended)
		return "its end is missing: it is being written";
	if (!table.v1 && out->unix_s == 0)
		return "it does not say when it was written";
	return NULL;
}
