#include "compile/geo_prefs.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define NO_RULE UINT32_MAX

/* --- numbering ----------------------------------------------------------------------------- */

static uint32_t add_pref(struct geo_prefs *prefs, struct pool_prefs *pool, uint32_t rule,
			 const uint16_t *sites, size_t count)
{
	size_t size = sizeof(struct pref) + count * sizeof(uint16_t);

	prefs->scratch->rule = rule;
	memcpy(prefs->scratch->sites, sites, count * sizeof(uint16_t));
	return numbering_add(&pool->numbers, prefs->scratch, size);
}

/* `nearest` goes as deep as the setting says; the other policies do not depend on who asks, so
 * that their whole order makes no more classes. */
static size_t pool_depth(const struct geo_prefs *prefs, const struct config_pool *pool)
{
	size_t depth = prefs->config->preference_depth;

	return pool->policy == POLICY_NEAREST && depth < pool->site_count ? depth
									  : pool->site_count;
}

static uint32_t add_configured(struct geo_prefs *prefs, struct pool_prefs *pool)
{
	size_t count = pool_depth(prefs, pool->config);
	uint16_t *sites = mem_array(count, sizeof(*sites));
	uint32_t number;

	for (size_t i = 0; i < count; i++)
		sites[i] = pool->config->sites[i].site;
	number = add_pref(prefs, pool, GEO_RULE_NONE, sites, count);
	free(sites);
	return number;
}

uint32_t geo_pref_rule(const struct numbering *numbers, uint32_t number)
{
	uint32_t rule;

	memcpy(&rule, numbering_item(numbers, number), sizeof(rule));
	return rule;
}

const uint16_t *geo_pref_sites(const struct numbering *numbers, uint32_t number, uint32_t *count)
{
	const uint8_t *item = numbering_item(numbers, number);

	*count = (uint32_t)((numbering_size(numbers, number) - sizeof(struct pref)) /
			    sizeof(uint16_t));
	return (const uint16_t *)(const void *)(item + sizeof(struct pref));
}

/* --- rules --------------------------------------------------------------------------------- */

static uint32_t *code_slot(uint32_t table[COUNTRY_CODES], const char code[2])
{
	int at = country_index(code);

	return at < 0 ? NULL : &table[at];
}

static void set_first(uint32_t *slot, uint32_t number)
{
	if (slot != NULL && *slot == NO_RULE)
		*slot = number;
}

static void add_client(struct pool_prefs *pool, const struct config_client *client, uint32_t number)
{
	uint32_t *of_asn;
	bool found;

	switch (client->kind) {
	case MATCH_ASN:
		of_asn = memo_find(&pool->by_asn, client->asn, &found);
		if (!found)
			*of_asn = number;
		break;
	case MATCH_COUNTRY: set_first(code_slot(pool->by_country, client->code), number); break;
	case MATCH_CONTINENT: set_first(code_slot(pool->by_continent, client->code), number); break;
	default: break; /* networks: geo_overlay.c, they lie over the locations */
	}
}

static void add_rules(struct geo_prefs *prefs, struct pool_prefs *pool)
{
	memset(pool->by_country, 0xff, sizeof(pool->by_country));
	memset(pool->by_continent, 0xff, sizeof(pool->by_continent));
	pool->rule_pref = mem_array(pool->config->rule_count, sizeof(*pool->rule_pref));
	for (uint32_t i = 0; i < pool->config->rule_count; i++) {
		const struct config_rule *rule = &pool->config->rules[i];

		pool->rule_pref[i] = add_pref(prefs, pool, pool->first_rule + i, rule->sites,
					      rule->site_count);
		for (size_t c = 0; c < rule->clients.count; c++)
			add_client(pool, &rule->clients.list[c], pool->rule_pref[i]);
	}
}

/* The most specific rule for what is known of a location. */
static uint32_t find_rule(struct pool_prefs *pool, const struct location *location)
{
	uint32_t *slot;
	bool found = false;

	if (location->asn != 0 && pool->by_asn.count > 0) {
		slot = memo_find(&pool->by_asn, location->asn, &found);
		if (!found)
			*slot = NO_RULE;
		if (*slot != NO_RULE)
			return *slot;
	}
	slot = code_slot(pool->by_country, location->country);
	if (slot != NULL && *slot != NO_RULE)
		return *slot;
	slot = code_slot(pool->by_continent, location->continent);
	return slot != NULL ? *slot : NO_RULE;
}

/* --- distance ------------------------------------------------------------------------------ */

static struct vector unit_vector(double latitude, double longitude)
{
	double phi = latitude * M_PI / 180;
	double lambda = longitude * M_PI / 180;

	return (struct vector){ cos(phi) * cos(lambda), cos(phi) * sin(lambda), sin(phi) };
}

/* The squared chord grows with the great-circle distance, and is exact for near points, too. */
static double chord_squared(const struct vector *a, const struct vector *b)
{
	double x = a->x - b->x, y = a->y - b->y, z = a->z - b->z;

	return x * x + y * y + z * z;
}

static void measure(struct geo_prefs *prefs, const struct location *location)
{
	struct vector here = unit_vector((double)location->latitude, (double)location->longitude);

	for (size_t i = 0; i < prefs->config->site_count; i++)
		prefs->distance[i] = chord_squared(&here, &prefs->sites[i]);
}

static bool is_nearer(const struct geo_prefs *prefs, uint16_t a, uint16_t b)
{
	double da = prefs->distance[a], db = prefs->distance[b];

	return da != db ? da < db : a < b;
}

/* Insertion into the few nearest so far. */
static uint32_t nearest(struct geo_prefs *prefs, struct pool_prefs *pool)
{
	size_t depth = pool_depth(prefs, pool->config);
	uint16_t *best = prefs->scratch->sites;
	size_t count = 0;

	for (size_t i = 0; i < pool->config->site_count; i++) {
		uint16_t site = pool->config->sites[i].site;
		size_t at = count < depth ? count++ : depth;

		for (; at > 0 && is_nearer(prefs, site, best[at - 1]); at--)
			if (at < depth)
				best[at] = best[at - 1];
		if (at < depth)
			best[at] = site;
	}
	prefs->scratch->rule = GEO_RULE_NONE;
	return numbering_add(&pool->numbers, prefs->scratch,
			     sizeof(struct pref) + count * sizeof(uint16_t));
}

void geo_prefs_of(struct geo_prefs *prefs, const struct location *location, uint32_t *numbers)
{
	bool is_somewhere = (location->has & LOCATION_COORDINATES) != 0;

	if (is_somewhere)
		measure(prefs, location);
	for (size_t i = 0; i < prefs->config->pool_count; i++) {
		struct pool_prefs *pool = &prefs->pools[i];
		uint32_t number = find_rule(pool, location);

		if (number == NO_RULE)
			number = is_somewhere && pool->config->policy == POLICY_NEAREST
					 ? nearest(prefs, pool)
					 : pool->configured;
		numbers[i] = number;
	}
}

/* --- life ---------------------------------------------------------------------------------- */

/* The longest list that a preference may hold. */
static size_t longest_list(const struct config *config)
{
	size_t longest = config->site_count;

	for (size_t p = 0; p < config->pool_count; p++) {
		const struct config_pool *pool = &config->pools[p];

		longest = pool->site_count > longest ? pool->site_count : longest;
		for (size_t r = 0; r < pool->rule_count; r++)
			if (pool->rules[r].site_count > longest)
				longest = pool->rules[r].site_count;
	}
	return longest;
}

void geo_prefs_init(struct geo_prefs *prefs, const struct config *config)
{
	uint32_t first_rule = 0;

	*prefs = (struct geo_prefs){
		.config = config,
		.pools = mem_array(config->pool_count, sizeof(*prefs->pools)),
		.sites = mem_array(config->site_count, sizeof(*prefs->sites)),
		.distance = mem_array(config->site_count, sizeof(*prefs->distance)),
		.scratch = mem_alloc(sizeof(struct pref) + longest_list(config) * sizeof(uint16_t)),
	};
	for (size_t i = 0; i < config->site_count; i++)
		prefs->sites[i] = unit_vector(config->sites[i].latitude,
					      config->sites[i].longitude);
	for (size_t i = 0; i < config->pool_count; i++) {
		struct pool_prefs *pool = &prefs->pools[i];

		pool->config = &config->pools[i];
		pool->first_rule = first_rule;
		pool->configured = add_configured(prefs, pool);
		add_rules(prefs, pool);
		first_rule += (uint32_t)pool->config->rule_count;
	}
}

void geo_prefs_free(struct geo_prefs *prefs)
{
	for (size_t i = 0; i < prefs->config->pool_count; i++) {
		numbering_free(&prefs->pools[i].numbers);
		memo_free(&prefs->pools[i].by_asn);
		free(prefs->pools[i].rule_pref);
	}
	free(prefs->pools);
	free(prefs->sites);
	free(prefs->distance);
	free(prefs->scratch);
}
