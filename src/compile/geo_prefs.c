#include "compile/geo_prefs.h"

#include <stdlib.h>
#include <string.h>

/* --- orders that no place decides ---------------------------------------------------------- */

struct listing {
	const struct pool_prefs *pool;
	const struct resolved *resolved;
	struct pref *out;
	uint32_t count;
};

static bool is_listed(const struct listing *l, uint16_t site)
{
	for (uint32_t i = 0; i < l->count; i++)
		if (l->out->sites[i].site == site)
			return true;
	return false;
}

/* Adds a site where no fence stands before it; bands without sites are left out. */
static void list_site(struct listing *l, uint16_t site, bool begins_band)
{
	uint16_t band = 0;

	if (!facts_allow(&l->pool->facts, l->resolved, site))
		return;
	if (l->count > 0)
		band = (uint16_t)(l->out->sites[l->count - 1].band + (begins_band ? 1 : 0));
	l->out->sites[l->count++] = (struct pref_site){ site, band };
}

static void list_rule(struct listing *l, const struct config_rule *rule)
{
	uint32_t last = UINT32_MAX; /* band in the file of the site that was listed last */

	for (size_t i = 0; i < rule->site_count; i++) {
		uint32_t before = l->count;

		list_site(l, rule->sites[i], rule->bands[i] != last);
		if (l->count > before)
			last = rule->bands[i];
	}
}

/* By priority; equal ones are one band, in the file's order. */
static void list_priorities(struct listing *l)
{
	const struct config_pool *config = l->pool->config;
	uint64_t from = 0, next;

	for (bool more = true; more; from = next + 1) {
		uint32_t before = l->count;

		next = UINT64_MAX;
		for (size_t i = 0; i < config->site_count; i++)
			if (config->sites[i].priority >= from && config->sites[i].priority < next)
				next = config->sites[i].priority;
		more = next != UINT64_MAX;
		for (size_t i = 0; more && i < config->site_count; i++)
			if (config->sites[i].priority == next)
				list_site(l, config->sites[i].site, l->count == before);
	}
}

/* Where no place is known, `nearest` has the file's order, as deep as any other. */
static void list_configured(struct listing *l, uint16_t nearest)
{
	const struct config_pool *config = l->pool->config;
	bool one_by_one = l->resolved->policy == POLICY_NEAREST;
	size_t depth = one_by_one ? l->pool->depth : config->site_count;

	if (nearest != GEO_SITE_NONE && !one_by_one)
		list_site(l, nearest, false);
	for (size_t i = 0; i < config->site_count && l->count < depth; i++)
		if (!is_listed(l, config->sites[i].site))
			list_site(l, config->sites[i].site, one_by_one);
}

static uint32_t make_placeless(struct pool_prefs *pool, uint32_t resolved, uint16_t nearest)
{
	struct listing l = { .pool = pool,
			     .resolved = facts_resolved(&pool->facts, resolved),
			     .out = pool->scratch };
	const struct config_rule *rule = NULL;

	if (l.resolved->rule != FACTS_NO_RULE)
		rule = &pool->config->rules[l.resolved->rule];
	*l.out = (struct pref){ .resolved = resolved, .nearest = nearest };
	if (rule != NULL && rule->site_count > 0)
		list_rule(&l, rule);
	else if (l.resolved->policy == POLICY_FAILOVER)
		list_priorities(&l);
	else
		list_configured(&l, nearest);
	return numbering_add(&pool->numbers, l.out,
			     sizeof(*l.out) + l.count * sizeof(l.out->sites[0]));
}

uint32_t geo_prefs_placeless(struct pool_prefs *pool, uint32_t resolved, uint16_t nearest)
{
	bool found;
	uint32_t *known = memo_find(&pool->placeless, (uint64_t)resolved << 16 | nearest, &found);

	if (!found)
		*known = make_placeless(pool, resolved, nearest);
	return *known;
}

/* --- something else at the same place ------------------------------------------------------ */

static bool same_fences(const struct pool_prefs *pool, const struct resolved *a,
			const struct resolved *b)
{
	for (uint32_t i = 0; i < pool->config->fence_count; i++)
		if (facts_bit(a->bits, i) != facts_bit(b->bits, i))
			return false;
	return true;
}

uint32_t geo_prefs_changed(struct pool_prefs *pool, uint32_t number, uint32_t resolved)
{
	uint32_t count;
	const struct pref *pref = geo_prefs_item(pool, number, &count);
	const struct resolved *before = facts_resolved(&pool->facts, pref->resolved);
	const struct resolved *after = facts_resolved(&pool->facts, resolved);

	if (pref->resolved == resolved)
		return number;
	if (!after->has_distance && !after->has_nearest)
		return geo_prefs_placeless(pool, resolved, GEO_SITE_NONE);
	if (!same_fences(pool, before, after))
		return PREF_UNKNOWN;
	if (after->has_distance) {
		if (!before->has_distance)
			return PREF_UNKNOWN;
		memcpy(pool->scratch, pref, numbering_size(&pool->numbers, number));
		pool->scratch->resolved = resolved;
		return numbering_add(&pool->numbers, pool->scratch,
				     sizeof(*pref) + count * sizeof(pref->sites[0]));
	}
	return before->has_nearest ? geo_prefs_placeless(pool, resolved, pref->nearest)
				   : PREF_UNKNOWN;
}

/* --- life ---------------------------------------------------------------------------------- */

static size_t longest_list(const struct config_pool *config)
{
	size_t longest = config->site_count;

	for (size_t r = 0; r < config->rule_count; r++)
		if (config->rules[r].site_count > longest)
			longest = config->rules[r].site_count;
	return longest;
}

static struct pref *new_scratch(const struct config_pool *config)
{
	return mem_alloc(sizeof(struct pref) + longest_list(config) * sizeof(struct pref_site));
}

void geo_prefs_fork(struct geo_prefs *fork, const struct geo_prefs *prefs)
{
	size_t pools = prefs->config->pool_count;

	*fork = (struct geo_prefs){ .config = prefs->config,
				    .pools = mem_array(pools, sizeof(*fork->pools)) };
	for (size_t i = 0; i < pools; i++)
		fork->pools[i] = (struct pool_prefs){
			.config = prefs->pools[i].config,
			.facts = prefs->pools[i].facts,
			.scratch = new_scratch(prefs->pools[i].config),
			.depth = prefs->pools[i].depth,
		};
}

void geo_prefs_end_fork(struct geo_prefs *fork)
{
	for (size_t i = 0; i < fork->config->pool_count; i++) {
		numbering_free(&fork->pools[i].numbers);
		memo_free(&fork->pools[i].placeless);
		free(fork->pools[i].scratch);
	}
	free(fork->pools);
}

void geo_prefs_init(struct geo_prefs *prefs, const struct config *config)
{
	*prefs = (struct geo_prefs){
		.config = config, .pools = mem_array(config->pool_count, sizeof(*prefs->pools))
	};
	for (size_t i = 0; i < config->pool_count; i++) {
		struct pool_prefs *pool = &prefs->pools[i];
		size_t depth = config->preference_depth;

		pool->config = &config->pools[i];
		pool->depth = depth < pool->config->site_count ? depth : pool->config->site_count;
		pool->scratch = new_scratch(pool->config);
		pool_facts_init(&pool->facts, pool->config);
	}
}

void geo_prefs_free(struct geo_prefs *prefs)
{
	for (size_t i = 0; i < prefs->config->pool_count; i++) {
		pool_facts_free(&prefs->pools[i].facts);
		numbering_free(&prefs->pools[i].numbers);
		memo_free(&prefs->pools[i].placeless);
		free(prefs->pools[i].scratch);
	}
	free(prefs->pools);
}
