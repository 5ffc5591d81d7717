/* A pool file's sites. */
#include <stdlib.h>
#include <string.h>

#include "conf/pool_parts.h"

/* --- what they say ---------------------------------------------------------------------------- */

static const struct option spill_options[] = {
	{ "high", OPTION_NUMBER, OPTION_FIELD(struct config_pool_site, spill_high), .min = 1,
	  .max = 100, .suffix = "%", .dflt = "90%",
	  .manual = "from this much of its capacity in use on, a site passes clients on" },
	{ "low", OPTION_NUMBER, OPTION_FIELD(struct config_pool_site, spill_low), .min = 1,
	  .max = 99, .suffix = "%", .dflt = "70%",
	  .manual = "it passes on so many that it gets here, and none any more when it is" },
};

static void check_spill(struct conf *conf, const struct option_map *map, void *out)
{
	const struct config_pool_site *site = out;

	if (site->spill_low >= site->spill_high)
		option_contradiction(conf, map, "low", "high", "low %u%% is not below high %u%%",
				     site->spill_low, site->spill_high);
}

const struct option_section spill_section = { .name = "pool: spill",
					      .options = spill_options,
					      .count = OPTION_COUNT(spill_options),
					      .check = check_spill };

static void read_spill(struct conf *conf, const struct yaml_node *value, void *out)
{
	struct config_pool_site *site = out;

	if (value->kind != YAML_SCALAR)
		return;
	if (strcmp(value->text, "off") == 0)
		site->spill_high = site->spill_low = 0;
	else
		conf_error(conf, &value->place,
			   "\"%.100s\" is not off or marks such as { high: 90%%, low: 70%% }",
			   value->text);
}

static const char *default_priority(struct conf *conf, const void *out)
{
	const struct config_pool_site *site = out;

	return conf_text(conf, "%u", site->priority);
}

static const struct option pool_site_options[] = {
	{ "bias", OPTION_NUMBER, OPTION_FIELD(struct config_pool_site, bias_percent),
	  .above = LEVEL_SERVER_SITE, .negative = true, .max = 99, .suffix = "%", .dflt = "0%",
	  .manual = "how much nearer (or farther) than it is it counts to be" },
	{ "priority", OPTION_NUMBER, OPTION_FIELD(struct config_pool_site, priority), .max = 65535,
	  .dflt = "its place in the file, from 0", .dflt_from = default_priority,
	  .manual = "policy failover: lower ones first, equal ones share" },
	{ "minimum", OPTION_NUMBER, OPTION_FIELD(struct config_pool_site, min_nodes), .min = 1,
	  .max = 65535, .counts = "nodes", .dflt = "1",
	  .manual = "with fewer nodes up the site does not count" },
	{ "spill", OPTION_MAP, .above = LEVEL_POOL | LEVEL_DEFAULTS, .section = &spill_section,
	  .read = read_spill, .kind = "word or map",
	  .accepts = "off, or marks { high: 90%, low: 70% }",
	  .manual = "how full a site gets before it passes clients on to the next" },
	{ "nodes", OPTION_OTHER, .required = true, .read = nodes_read, .kind = "map",
	  .accepts = "a map of names (1 to 63 of a-z, 0-9, \"-\"; unique in the pool) to nodes",
	  .manual = "the nodes that stand at this site" },
};

static const struct option_section *const below_site[] = { &node_section, NULL };

const struct option_section pool_site_section = { .name = "pool: sites.NAME",
						  .options = pool_site_options,
						  .count = OPTION_COUNT(pool_site_options),
						  .level = LEVEL_SITE,
						  .size = sizeof(struct config_pool_site),
						  .below = below_site };

/* --- reading them ------------------------------------------------------------------------------ */

static void check_minimum(struct conf *conf, const struct yaml_node *item,
			  const struct config_pool_site *site)
{
	const struct yaml_node *minimum = yaml_get(item, "minimum");

	if (minimum != NULL && site->node_count > 0 && site->min_nodes > site->node_count)
		conf_error(conf, &minimum->place, "minimum %u is more than the site has nodes: %zu",
			   site->min_nodes, site->node_count);
}

/* Between the site and its pool stands what the server file says of the site. */
static bool read_site(struct conf *conf, const struct yaml_node *item,
		      struct config_pool_site *site)
{
	const struct option_map *pool = conf->map;
	struct option_map *server = arena_alloc(conf->arena, sizeof(*server));
	bool known = site_find(conf, item->key, &site->site);

	*server = (struct option_map){ .level = LEVEL_SERVER_SITE, .up = pool };
	if (known)
		server->map = server_site(conf, site->site);
	if (server->map != NULL)
		conf->map = server;
	site->place = item->key->place;
	option_read_map(conf, &pool_site_section, item, &item->key->place, site);
	check_minimum(conf, item, site);
	conf->map = pool;
	return known; /* a site number is always one of the server file's */
}

static void read_sites(struct conf *conf, const struct yaml_node *value, struct config_pool *pool)
{
	struct config_pool_site *sites;
	struct seen seen = { 0 };
	size_t count = 0;

	sites = arena_alloc(conf->arena, value->count * sizeof(*sites));
	yaml_foreach(item, value) {
		const struct place *before = seen_add(&seen, item->key->text, &item->key->place);

		sites[count].priority = (uint32_t)count;
		if (before != NULL)
			conf_error(conf, &item->key->place,
				   "site \"%.100s\" is already given in line %u", item->key->text,
				   before->line);
		else
			count += read_site(conf, item, &sites[count]);
	}
	pool->sites = sites;
	pool->site_count = count;
	seen_free(&seen);
}

void pool_sites_read(struct conf *conf, const struct yaml_node *value, void *out)
{
	struct pool_nodes nodes = { 0 };

	if (!conf_expect(conf, value, YAML_MAP, "a map of sites"))
		return;
	if (value->count == 0)
		conf_error(conf, &value->place, "the pool is empty: it has no sites");
	conf->nodes = &nodes;
	read_sites(conf, value, out);
	conf->nodes = NULL;
	seen_free(&nodes.names);
	seen_free(&nodes.hosts);
}

/* --- finding them ----------------------------------------------------------------------------- */

bool pool_site_find(struct conf *conf, const struct config_pool *pool, const struct yaml_node *name,
		    uint32_t *site)
{
	uint16_t number;

	if (!site_find(conf, name, &number))
		return false;
	for (size_t i = 0; i < pool->site_count; i++) {
		if (pool->sites[i].site == number) {
			*site = (uint32_t)i;
			return true;
		}
	}
	conf_error(conf, &name->place, "this pool has no nodes at site \"%s\"", name->text);
	return false;
}

static bool find_node(const struct config_pool *pool, const char *name, uint32_t *site,
		      uint32_t *node)
{
	for (size_t s = 0; s < pool->site_count; s++) {
		for (size_t n = 0; n < pool->sites[s].node_count; n++) {
			if (strcmp(pool->sites[s].nodes[n].name, name) == 0) {
				*site = (uint32_t)s;
				*node = (uint32_t)n;
				return true;
			}
		}
	}
	return false;
}

bool pool_node_find(struct conf *conf, const struct config_pool *pool, const struct yaml_node *name,
		    uint32_t *site, uint32_t *node)
{
	const char **names = NULL;
	size_t count = 0, cap = 0;

	if (find_node(pool, name->text, site, node))
		return true;
	for (size_t s = 0; s < pool->site_count; s++) {
		for (size_t n = 0; n < pool->sites[s].node_count; n++)
			array_add(names, count, cap) = pool->sites[s].nodes[n].name;
	}
	conf_error(conf, &name->place, "this pool has no node \"%.100s\"%s", name->text,
		   conf_hint(conf, name->text, names, count));
	free(names);
	return false;
}
