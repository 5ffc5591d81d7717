/* A pool file's location rules: which clients prefer which sites. */
#include <stdlib.h>
#include <string.h>

#include "conf/clients.h"
#include "conf/pool_parts.h"
#include "conf/seen.h"

struct rule_reading {
	struct config_rule *rule;
	const struct config_pool *pool;
	struct seen *clients; /* of the whole pool */
	struct seen site_names;
	uint16_t *sites, *bands;
	uint16_t band; /* of the site that is read */
	bool nested;   /* the file says which sites are one band */
	enum policy policy;
};

static void read_clients(struct conf *conf, const struct yaml_node *value, void *out)
{
	struct rule_reading *reading = out;

	clients_read(conf, value, reading->clients, &reading->rule->clients);
}

/* --- sites ------------------------------------------------------------------------------------ */

static void read_site(struct conf *conf, const struct yaml_node *item, void *context)
{
	struct rule_reading *reading = context;
	size_t *count = &reading->rule->site_count;
	uint32_t number;

	if (!pool_site_find(conf, reading->pool, item, &number))
		return;
	if (seen_add(&reading->site_names, item->text, &item->place) != NULL) {
		conf_error(conf, &item->place, "site \"%s\" is listed twice", item->text);
		return;
	}
	reading->sites[*count] = reading->pool->sites[number].site;
	reading->bands[(*count)++] = reading->band;
}

#define SITES_WANTED "a site or a list of sites"

/* A site, or a list of those that are preferred alike. Bands are numbered without gaps. */
static void read_band(struct conf *conf, const struct yaml_node *value, void *context)
{
	struct rule_reading *reading = context;
	size_t before = reading->rule->site_count;

	reading->nested = reading->nested || value->kind == YAML_LIST;
	items_read(conf, value, SITES_WANTED, read_site, reading);
	if (reading->rule->site_count > before)
		reading->band++;
}

static size_t sites_count(const struct yaml_node *value)
{
	size_t count = 0;

	if (value->kind != YAML_LIST)
		return 1;
	yaml_foreach(item, value)
		count += items_count(item);
	return count;
}

static void read_rule_sites(struct conf *conf, const struct yaml_node *value, void *out)
{
	struct rule_reading *reading = out;
	size_t most = sites_count(value);

	reading->sites = arena_alloc(conf->arena, most * sizeof(*reading->sites));
	reading->bands = arena_alloc(conf->arena, most * sizeof(*reading->bands));
	reading->rule->sites = reading->sites;
	reading->rule->bands = reading->bands;
	if (value->kind != YAML_LIST || value->count == 0) {
		items_read(conf, value, SITES_WANTED, read_site, reading);
		return;
	}
	yaml_foreach(item, value)
		read_band(conf, item, reading);
}

/* --- rules ------------------------------------------------------------------------------------ */

static const struct option rule_options[] = {
	{ "clients", OPTION_OTHER, .required = true, .read = read_clients, .kind = "list",
	  .accepts = CLIENTS_ACCEPTS, .manual = "whom the rule is for" },
	{ "sites", OPTION_OTHER, .read = read_rule_sites, .kind = "list",
	  .accepts = "sites of this pool, and lists of sites that are preferred alike",
	  .manual = "the sites they prefer, in order; the pool's others follow by distance from "
		    "the first" },
	{ "policy", OPTION_WORD, OPTION_FIELD(struct rule_reading, policy), .words = policy_words,
	  .manual = "the policy for these clients, instead of the pool's" },
};

const struct option_section rule_section = OPTION_SECTION("pool: rules[]", rule_options);

static bool shares(enum policy policy)
{
	return policy == POLICY_WEIGHTED || policy == POLICY_ROUND_ROBIN;
}

/* Where nodes share by weight, sites that are merely listed do so, too. */
static void set_policy(struct rule_reading *reading, const struct yaml_node *item)
{
	struct config_rule *rule = reading->rule;

	rule->has_policy = yaml_get(item, "policy") != NULL;
	rule->policy = rule->has_policy ? reading->policy : reading->pool->policy;
	for (size_t i = 0; i < rule->site_count && !reading->nested && shares(rule->policy); i++)
		reading->bands[i] = 0;
}

static void read_rule(struct conf *conf, const struct yaml_node *item, struct rule_reading *reading)
{
	reading->rule->place = item->place;
	option_read_map(conf, &rule_section, item, &item->place, reading);
	if (item->kind == YAML_MAP && yaml_get(item, "sites") == NULL &&
	    yaml_get(item, "policy") == NULL)
		conf_error(conf, &item->place, "a rule needs \"sites\" or a \"policy\"");
	set_policy(reading, item);
	seen_free(&reading->site_names);
}

void rules_read(struct conf *conf, const struct yaml_node *value, void *out)
{
	struct config_pool *pool = out;
	struct seen clients = { 0 };
	struct config_rule *rules;
	size_t count = 0;

	if (!conf_expect(conf, value, YAML_LIST, "a list of rules"))
		return;
	rules = arena_alloc(conf->arena, value->count * sizeof(*rules));
	yaml_foreach(item, value) {
		struct rule_reading reading = { .rule = &rules[count++],
						.pool = pool,
						.clients = &clients };

		read_rule(conf, item, &reading);
	}
	pool->rules = rules;
	pool->rule_count = count;
	seen_free(&clients);
}
