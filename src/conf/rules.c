/* A pool file's location rules: which clients prefer which sites. */
#include <stdlib.h>
#include <string.h>

#include "conf/country.h"
#include "conf/pool_parts.h"
#include "conf/seen.h"

#define CONTINENT "continent:"

/* --- clients ---------------------------------------------------------------------------------- */

static bool read_asn(struct conf *conf, const struct yaml_node *item, struct config_client *client)
{
	unsigned long long asn;

	if (strlen(item->text) > 12)
		asn = 0;
	else
		asn = strtoull(item->text + 2, NULL, 10);
	if (asn == 0 || asn > UINT32_MAX) {
		conf_error(conf, &item->place,
			   "\"%.100s\" is no AS number: they are from AS1 to AS4294967295",
			   item->text);
		return false;
	}
	client->kind = MATCH_ASN;
	client->asn = (uint32_t)asn;
	return true;
}

static bool read_continent(struct conf *conf, const struct yaml_node *item,
			   struct config_client *client)
{
	const char *code = item->text + strlen(CONTINENT);

	if (strlen(code) != 2 || !continent_is_known(code)) {
		conf_error(conf, &item->place,
			   "\"%.100s\" is no continent: they are AF, AN, AS, EU, NA, OC and SA",
			   code);
		return false;
	}
	client->kind = MATCH_CONTINENT;
	memcpy(client->code, code, 2);
	return true;
}

static char upper(char c)
{
	return (char)(c >= 'a' && c <= 'z' ? c - ('a' - 'A') : c);
}

static bool read_country(struct conf *conf, const struct yaml_node *item,
			 struct config_client *client)
{
	char code[3] = { upper(item->text[0]), upper(item->text[1]), '\0' };
	const char *hint = "";

	if (memcmp(code, item->text, 2) == 0 && country_is_known(code)) {
		client->kind = MATCH_COUNTRY;
		memcpy(client->code, code, 2);
		return true;
	}
	if (country_meant(code) != NULL)
		hint = country_meant(code);
	else if (country_is_known(code) || continent_is_known(code))
		hint = code;
	conf_error(conf, &item->place, "\"%s\" is no country code of ISO 3166-1%s%s%s%s",
		   item->text, hint[0] != '\0' ? " (did you mean \"" : "",
		   hint == code && !country_is_known(code) ? CONTINENT : "", hint,
		   hint[0] != '\0' ? "\"?)" : "");
	return false;
}

static bool read_prefix(struct conf *conf, const struct yaml_node *item,
			struct config_client *client)
{
	char address[IP_PREFIX_SIZE], meant[IP_PREFIX_SIZE];
	struct ip_prefix prefix = { 0 };
	bool host_bits = false;
	const char *slash;

	if (ip_prefix_parse(item->text, &client->prefix, &host_bits)) {
		client->kind = MATCH_PREFIX;
		return true;
	}
	if (!host_bits) {
		conf_error(conf, &item->place,
			   "\"%.100s\" is neither a country (JP), a continent (" CONTINENT
			   "EU), an AS (AS4134) nor a network (192.0.2.0/24)",
			   item->text);
		return false;
	}
	/* It did parse but for its host bits: it fits and has a slash and a good length. */
	slash = strchr(item->text, '/');
	(void)snprintf(address, sizeof(address), "%.*s", (int)(slash - item->text), item->text);
	(void)ip_parse(address, &prefix.address);
	prefix.len = (uint8_t)strtoul(slash + 1, NULL, 10);
	ip_mask(prefix.address.bytes, prefix.len);
	conf_error(conf, &item->place, "%s has bits set behind the prefix (did you mean \"%s\"?)",
		   item->text, ip_prefix_format(&prefix, meant));
	return false;
}

static bool is_letters(const char *text, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (upper(text[i]) < 'A' || upper(text[i]) > 'Z')
			return false;
	}
	return true;
}

/* What a client is follows from its shape alone. */
static bool parse_client(struct conf *conf, const struct yaml_node *item,
			 struct config_client *client)
{
	const char *text = item->text;
	size_t len = strlen(text);

	if (len == 2 && is_letters(text, 2))
		return read_country(conf, item, client);
	if (strncmp(text, CONTINENT, strlen(CONTINENT)) == 0)
		return read_continent(conf, item, client);
	if (len > 2 && strncmp(text, "AS", 2) == 0 && strspn(text + 2, "0123456789") == len - 2)
		return read_asn(conf, item, client);
	return read_prefix(conf, item, client);
}

/* Two ways of writing one network are one client. */
static const char *canonical(struct conf *conf, const struct yaml_node *item,
			     const struct config_client *client)
{
	char text[IP_PREFIX_SIZE + 2];

	if (client->kind == MATCH_PREFIX)
		(void)ip_prefix_format(&client->prefix, text);
	else if (client->kind == MATCH_ASN)
		(void)snprintf(text, sizeof(text), "AS%u", client->asn);
	else
		return item->text;
	return arena_text(conf->arena, text, strlen(text));
}

struct rule_reading {
	struct config_rule *rule;
	const struct config_pool *pool;
	struct config_client *clients;
	uint16_t *sites;
	struct seen *seen;      /* clients of the whole pool */
	struct seen site_names; /* of this rule */
	struct buf text;
};

static void read_client(struct conf *conf, const struct yaml_node *item, void *context)
{
	struct rule_reading *reading = context;
	struct config_client *client = &reading->clients[reading->rule->clients.count];
	const struct place *before;

	buf_format(&reading->text, "%s%s", reading->text.len > 0 ? ", " : "[", item->text);
	if (!parse_client(conf, item, client))
		return;
	client->place = item->place;
	before = seen_add(reading->seen, canonical(conf, item, client), &item->place);
	if (before != NULL)
		conf_error(conf, &item->place, "a rule for %.100s is already given in line %u",
			   item->text, before->line);
	else
		reading->rule->clients.count++;
}

static void read_clients(struct conf *conf, const struct yaml_node *value, void *out)
{
	struct rule_reading *reading = out;

	reading->clients = arena_alloc(conf->arena, items_count(value) * sizeof(*reading->clients));
	items_read(conf, value, "a client or a list of clients", read_client, reading);
	reading->rule->clients.list = reading->clients;
}

/* --- sites ------------------------------------------------------------------------------------ */

static bool pool_has_site(const struct config_pool *pool, uint16_t site)
{
	for (size_t i = 0; i < pool->site_count; i++) {
		if (pool->sites[i].site == site)
			return true;
	}
	return false;
}

static void read_site(struct conf *conf, const struct yaml_node *item, void *context)
{
	struct rule_reading *reading = context;
	uint16_t site;

	if (!site_find(conf, item, &site))
		return;
	if (seen_add(&reading->site_names, item->text, &item->place) != NULL)
		conf_error(conf, &item->place, "site \"%s\" is listed twice", item->text);
	else if (!pool_has_site(reading->pool, site))
		conf_error(conf, &item->place, "this pool has no nodes at site \"%s\"", item->text);
	else
		reading->sites[reading->rule->site_count++] = site;
}

/* Each site after the one before it. */
static const uint16_t *bands_of_order(struct conf *conf, size_t count)
{
	uint16_t *bands = arena_alloc(conf->arena, count * sizeof(*bands));

	for (size_t i = 0; i < count; i++)
		bands[i] = (uint16_t)i;
	return bands;
}

static void read_rule_sites(struct conf *conf, const struct yaml_node *value, void *out)
{
	struct rule_reading *reading = out;

	reading->sites = arena_alloc(conf->arena, items_count(value) * sizeof(*reading->sites));
	items_read(conf, value, "a site or a list of sites", read_site, reading);
	reading->rule->sites = reading->sites;
	reading->rule->bands = bands_of_order(conf, reading->rule->site_count);
}

/* --- rules ------------------------------------------------------------------------------------ */

static const struct option rule_options[] = {
	{ "clients", OPTION_OTHER, .required = true, .read = read_clients, .kind = "list",
	  .accepts = "countries (JP), continents (" CONTINENT
		     "EU), AS numbers (AS4134), networks (192.0.2.0/24), addresses",
	  .manual = "whom the rule is for" },
	{ "sites", OPTION_OTHER, .required = true, .read = read_rule_sites, .kind = "list",
	  .accepts = "sites of this pool",
	  .manual = "the sites they prefer, in order; the pool's others follow by distance from "
		    "the first" },
};

const struct option_section rule_section = OPTION_SECTION("pool: rules[]", rule_options);

static void read_rule(struct conf *conf, const struct yaml_node *item, struct rule_reading *reading)
{
	reading->rule->place = item->place;
	option_read_map(conf, &rule_section, item, &item->place, reading);
	buf_append(&reading->text, "]", 1);
	reading->rule->clients.text = arena_text(conf->arena, (const char *)reading->text.data,
						 reading->text.len);
	seen_free(&reading->site_names);
	buf_free(&reading->text);
}

void rules_read(struct conf *conf, const struct yaml_node *value, struct config_pool *pool)
{
	struct seen clients = { 0 };
	struct config_rule *rules;
	size_t count = 0;

	if (!conf_expect(conf, value, YAML_LIST, "a list of rules"))
		return;
	rules = arena_alloc(conf->arena, value->count * sizeof(*rules));
	yaml_foreach(item, value) {
		struct rule_reading reading = { .rule = &rules[count++],
						.pool = pool,
						.seen = &clients };

		read_rule(conf, item, &reading);
	}
	pool->rules = rules;
	pool->rule_count = count;
	seen_free(&clients);
}
