#include "conf/clients.h"

#include <stdlib.h>
#include <string.h>

#include "conf/country.h"
#include "conf/data.h"
#include "conf/networks.h"

#define CONTINENT   "continent:"
#define CITY        "city:"
#define SUBDIVISION "subdivision:"
#define FIELD       "field:"

#define FIELD_DEPTH_MAX 8 /* as compile/mmdb_fields.c */

/* --- codes ------------------------------------------------------------------------------------ */

static char upper(char c)
{
	return (char)(c >= 'a' && c <= 'z' ? c - ('a' - 'A') : c);
}

static bool is_letters(const char *text, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (upper(text[i]) < 'A' || upper(text[i]) > 'Z')
			return false;
	}
	return true;
}

static bool read_asn(struct conf *conf, const struct yaml_node *item, const char *digits,
		     struct config_client *client)
{
	unsigned long long asn = strlen(digits) > 10 ? 0 : strtoull(digits, NULL, 10);

	if (asn == 0 || asn > UINT32_MAX) {
		conf_error(conf, &item->place,
			   "\"%.100s\" is no AS number: they are from AS1 to AS4294967295",
			   item->text);
		return false;
	}
	client->asn = (uint32_t)asn;
	return true;
}

static bool read_continent(struct conf *conf, const struct yaml_node *item, const char *code,
			   struct config_client *client)
{
	if (strlen(code) != 2 || !continent_is_known(code)) {
		conf_error(conf, &item->place,
			   "\"%.100s\" is no continent: they are AF, AN, AS, EU, NA, OC and SA",
			   code);
		return false;
	}
	memcpy(client->code, code, 2);
	return true;
}

/* The country whose code the two letters at `text` are. */
static bool read_country(struct conf *conf, const struct yaml_node *item, const char *text,
			 struct config_client *client)
{
	char code[3] = { upper(text[0]), upper(text[1]), '\0' };
	const char *hint = "";

	if (memcmp(code, text, 2) == 0 && country_is_known(code)) {
		memcpy(client->code, code, 2);
		return true;
	}
	if (country_meant(code) != NULL)
		hint = country_meant(code);
	else if (country_is_known(code) || (text == item->text && continent_is_known(code)))
		hint = code;
	conf_error(conf, &item->place, "\"%.2s\" is no country code of ISO 3166-1%s%s%s%s", text,
		   hint[0] != '\0' ? " (did you mean \"" : "",
		   hint == code && !country_is_known(code) ? CONTINENT : "", hint,
		   hint[0] != '\0' ? "\"?)" : "");
	return false;
}

/* --- what stands behind a word and a colon ---------------------------------------------------- */

/* NAME or CC/NAME. A name may have a slash of its own: Biel/Bienne. */
static bool read_named(struct conf *conf, const struct yaml_node *item, const char *rest,
		       struct config_client *client)
{
	if (is_letters(rest, 2) && rest[2] == '/') {
		if (!read_country(conf, item, rest, client))
			return false;
		rest += 3;
	}
	if (rest[0] == '\0') {
		conf_error(conf, &item->place, "\"%.100s\" has no name", item->text);
		return false;
	}
	client->name = rest;
	return true;
}

static bool is_field_path(const char *path)
{
	size_t depth = 1;

	for (const char *at = path;; at++) {
		if (*at == '.' || *at == '\0') {
			if (at == path || at[-1] == '.' || depth > FIELD_DEPTH_MAX)
				return false;
			if (*at == '\0')
				return true;
			depth++;
		}
	}
}

static bool read_field(struct conf *conf, const struct yaml_node *item, const char *rest,
		       struct config_client *client)
{
	const char *equals = strchr(rest, '=');
	const char *path;

	if (equals == NULL || equals[1] == '\0') {
		conf_error(conf, &item->place,
			   "\"%.100s\" has no value: a field is written " FIELD
			   "PATH=VALUE, such as " FIELD "traits.is_anonymous=true",
			   item->text);
		return false;
	}
	path = arena_text(conf->arena, rest, (size_t)(equals - rest));
	if (!is_field_path(path)) {
		conf_error(conf, &item->place,
			   "\"%.100s\" is no path of a field: it has up to %d keys and indexes "
			   "between dots, such as traits.is_anonymous",
			   path, FIELD_DEPTH_MAX);
		return false;
	}
	client->number = data_field(conf, path, equals + 1);
	return true;
}

static bool read_list(struct conf *conf, const struct yaml_node *item, const char *rest,
		      struct config_client *client)
{
	return data_list(conf, item, rest, &client->number);
}

/* --- words ------------------------------------------------------------------------------------ */

static bool read_own(struct conf *conf, const struct yaml_node *item, const char *rest,
		     struct config_client *client)
{
	(void)rest;
	(void)client;
	if (conf->config->own_network_count == 0)
		conf_warning(conf, &item->place, "there are no own-networks in %.200s",
			     conf->config->file);
	return true;
}

static bool read_word(struct conf *conf, const struct yaml_node *item, const char *rest,
		      struct config_client *client)
{
	(void)conf;
	(void)item;
	(void)rest;
	(void)client;
	return true;
}

/* --- all kinds -------------------------------------------------------------------------------- */

static const struct kind {
	const char *word; /* with a colon at its end: what the client begins with */
	enum client_match kind;
	bool (*read)(struct conf *conf, const struct yaml_node *item, const char *rest,
		     struct config_client *client);
} kinds[] = {
	{ "all", MATCH_ALL, read_word },
	{ "unknown", MATCH_UNKNOWN, read_word },
	{ "own-networks", MATCH_OWN, read_own },
	{ CONTINENT, MATCH_CONTINENT, read_continent },
	{ SUBDIVISION, MATCH_SUBDIVISION, read_named },
	{ CITY, MATCH_CITY, read_named },
	{ FIELD, MATCH_FIELD, read_field },
	{ LIST_WORD, MATCH_LIST, read_list },
};

#define KINDS (sizeof(kinds) / sizeof(kinds[0]))

static const struct kind *find_kind(const char *text, const char **rest)
{
	for (size_t i = 0; i < KINDS; i++) {
		size_t len = strlen(kinds[i].word);

		*rest = text + len;
		if (kinds[i].word[len - 1] == ':' ? strncmp(text, kinds[i].word, len) == 0
						  : strcmp(text, kinds[i].word) == 0)
			return &kinds[i];
	}
	return NULL;
}

/* " (did you mean "city:Berlin"?)": the nearest word, and what stands behind the colon. */
static const char *hint_for(struct conf *conf, const char *text)
{
	const char *words[KINDS];
	size_t len = strcspn(text, ":");
	const char *nearest, *rest = text + len + (text[len] == ':');
	char meant[200];

	for (size_t i = 0; i < KINDS; i++)
		words[i] = kinds[i].word;
	nearest = diag_nearest(arena_text(conf->arena, text, (size_t)(rest - text)), words, KINDS);
	if (nearest == NULL && upper(text[0]) == 'A' && upper(text[1]) == 'S') {
		nearest = "AS";
		rest = text + 2 + strspn(text + 2, " ");
		if (rest[0] == '\0' || strspn(rest, "0123456789") != strlen(rest))
			return "";
	}
	if (nearest == NULL)
		return "";
	(void)snprintf(meant, sizeof(meant), " (did you mean \"%s%.100s\"?)", nearest, rest);
	return arena_text(conf->arena, meant, strlen(meant));
}

static bool read_prefix(struct conf *conf, const struct yaml_node *item,
			struct config_client *client)
{
	const char *host_bits;

	if (ip_prefix_parse(item->text, &client->prefix, NULL))
		return true;
	host_bits = network_host_bits(conf, item->text);
	if (host_bits != NULL)
		conf_error(conf, &item->place, "%s %s", item->text, host_bits);
	else
		conf_error(conf, &item->place,
			   "\"%.100s\" is neither a country (JP), a continent (" CONTINENT
			   "EU), an AS (AS4134), a network (192.0.2.0/24) nor another of the forms "
			   "in signpost-pool(5), Clients%s",
			   item->text, hint_for(conf, item->text));
	return false;
}

static bool parse_client(struct conf *conf, const struct yaml_node *item,
			 struct config_client *client)
{
	const char *text = item->text, *rest;
	const struct kind *kind = find_kind(text, &rest);
	size_t len = strlen(text);

	if (kind != NULL) {
		client->kind = kind->kind;
		return kind->read(conf, item, rest, client);
	}
	if (len == 2 && is_letters(text, 2)) {
		client->kind = MATCH_COUNTRY;
		return read_country(conf, item, text, client);
	}
	if (len > 2 && strncmp(text, "AS", 2) == 0 && strspn(text + 2, "0123456789") == len - 2) {
		client->kind = MATCH_ASN;
		return read_asn(conf, item, text + 2, client);
	}
	client->kind = MATCH_PREFIX;
	return read_prefix(conf, item, client);
}

/* --- lists of clients ------------------------------------------------------------------------- */

static const char *in_lower_case(struct conf *conf, const char *text)
{
	char *lower = arena_text(conf->arena, text, strlen(text));

	for (char *c = lower; *c != '\0'; c++)
		*c = (char)(*c >= 'A' && *c <= 'Z' ? *c + ('a' - 'A') : *c);
	return lower;
}

/* Two ways of writing one network are one client. */
static const char *canonical(struct conf *conf, const struct yaml_node *item,
			     const struct config_client *client)
{
	char text[IP_PREFIX_SIZE + 2];

	switch (client->kind) {
	case MATCH_PREFIX: (void)ip_prefix_format(&client->prefix, text); break;
	case MATCH_ASN: (void)snprintf(text, sizeof(text), "AS%u", client->asn); break;
	case MATCH_LIST: (void)snprintf(text, sizeof(text), LIST_WORD "%u", client->number); break;
	case MATCH_CITY:
	case MATCH_SUBDIVISION: return in_lower_case(conf, item->text);
	default: return item->text;
	}
	return arena_text(conf->arena, text, strlen(text));
}

static bool is_new(struct conf *conf, struct clients_reading *reading, const struct yaml_node *item,
		   const struct config_client *client)
{
	struct seen *seen = reading->rules != NULL ? reading->rules : &reading->own;
	const struct place *before = seen_add(seen, canonical(conf, item, client), &item->place);

	if (before != NULL && reading->rules != NULL)
		conf_error(conf, &item->place, "a rule for %.100s is already given in line %u",
			   item->text, before->line);
	else if (before != NULL)
		conf_error(conf, &item->place, "%.100s is listed twice", item->text);
	return before == NULL;
}

void clients_add(struct conf *conf, const struct yaml_node *item, void *context)
{
	struct clients_reading *reading = context;
	struct config_client client = { .place = item->place };

	buf_format(&reading->text, "%s%s", reading->text.len > 0 ? ", " : "[", item->text);
	if (parse_client(conf, item, &client) && is_new(conf, reading, item, &client))
		array_add(reading->list, reading->count, reading->cap) = client;
}

void clients_end(struct conf *conf, struct clients_reading *reading, struct config_clients *out)
{
	if (reading->text.len == 0)
		buf_append(&reading->text, "[", 1);
	buf_append(&reading->text, "]", 1);
	*out = (struct config_clients){
		.list = arena_copy(conf->arena, reading->list,
				   reading->count * sizeof(*reading->list)),
		.count = reading->count,
		.text = arena_text(conf->arena, (const char *)reading->text.data,
				   reading->text.len),
	};
	free(reading->list);
	buf_free(&reading->text);
	seen_free(&reading->own);
	*reading = (struct clients_reading){ 0 };
}

void clients_read(struct conf *conf, const struct yaml_node *value, struct seen *rules,
		  struct config_clients *out)
{
	struct clients_reading reading = { .rules = rules };

	items_read(conf, value, "a client or a list of clients", clients_add, &reading);
	clients_end(conf, &reading, out);
}
