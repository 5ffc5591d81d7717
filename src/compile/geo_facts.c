#include "compile/geo_facts.h"

#include <stdlib.h>
#include <string.h>

_Static_assert(sizeof(struct facts) == sizeof(struct resolved), "both have one size");

void facts_get(const struct pool_facts *pool, uint32_t number, struct facts *out)
{
	memcpy(out, numbering_item(&pool->facts, number), pool->size);
}

uint32_t facts_add(struct pool_facts *pool, const struct facts *facts)
{
	return numbering_add(&pool->facts, facts, pool->size);
}

/* What clients without a place are told by; who is in an own network is not where it says. */
static uint32_t without_rule(struct pool_facts *pool, uint32_t number)
{
	facts_get(pool, number, pool->scratch);
	pool->scratch->rule = FACTS_NO_RULE;
	pool->scratch->rank = 0;
	return facts_add(pool, pool->scratch);
}

static void resolve_rule(const struct pool_facts *pool, uint32_t rule, bool is_by_own,
			 struct resolved *out)
{
	const struct config_pool *config = pool->config;
	const struct config_rule *by = rule != FACTS_NO_RULE ? &config->rules[rule] : NULL;

	out->rule = rule;
	out->policy = (uint8_t)(is_by_own ? config->own_policy : config->policy);
	if (by != NULL && by->has_policy)
		out->policy = (uint8_t)by->policy;
	out->has_distance = !is_by_own && out->policy == POLICY_NEAREST &&
			    (by == NULL || by->site_count == 0);
	out->has_nearest = !is_by_own && config->fallback == FALLBACK_NEAREST;
}

static void resolve_bits(const struct pool_facts *pool, const struct facts *location,
			 const struct facts *network, uint64_t *out)
{
	const struct config_pool *config = pool->config;

	for (size_t i = 0; i < pool->words; i++)
		out[i] = location->bits[i] | network->bits[i];
	for (uint32_t i = 0; i < config->fence_count; i++) {
		uint32_t fence = facts_fence_bit(i), except = facts_except_bit(config, i);

		if (facts_bit(out, except))
			out[fence / 64] &= ~(UINT64_C(1) << fence % 64);
		out[except / 64] &= ~(UINT64_C(1) << except % 64);
	}
}

static uint32_t resolve(struct pool_facts *pool, uint32_t location, uint32_t network)
{
	struct resolved *out = pool->scratch_resolved;
	const struct facts *at, *in;

	if (((const struct facts *)numbering_item(&pool->facts, network))->is_by_own)
		location = without_rule(pool, pool->all);
	at = numbering_item(&pool->facts, location);
	in = numbering_item(&pool->facts, network);
	memset(out, 0, pool->size);
	resolve_rule(pool, in->rule != FACTS_NO_RULE ? in->rule : at->rule, in->is_by_own, out);
	out->own = in->own;
	resolve_bits(pool, at, in, out->bits);
	return numbering_add(&pool->resolved, out, pool->size);
}

uint32_t facts_resolve(struct pool_facts *pool, uint32_t location, uint32_t network)
{
	bool found;
	uint32_t *known = memo_find(&pool->by_pair, (uint64_t)location << 32 | network, &found);

	if (!found)
		*known = resolve(pool, location, network);
	return *known;
}

static bool fence_names(const struct config_fence *fence, uint16_t site)
{
	for (size_t i = 0; i < fence->never_count; i++)
		if (fence->never[i] == site)
			return true;
	return false;
}

bool facts_allow(const struct pool_facts *pool, const struct resolved *resolved, uint16_t site)
{
	for (uint32_t i = 0; i < pool->config->fence_count; i++)
		if (facts_bit(resolved->bits, facts_fence_bit(i)) &&
		    fence_names(&pool->config->fences[i], site))
			return false;
	return true;
}

void pool_facts_init(struct pool_facts *pool, const struct config_pool *config)
{
	size_t bits = 2 * config->fence_count + config->avoid_count;

	*pool = (struct pool_facts){ .config = config, .words = (bits + 63) / 64 };
	pool->size = sizeof(struct facts) + pool->words * sizeof(uint64_t);
	pool->scratch = mem_alloc(pool->size);
	pool->scratch_resolved = mem_alloc(pool->size);
	pool->scratch->rule = FACTS_NO_RULE;
	pool->all = facts_add(pool, pool->scratch);
	(void)facts_resolve(pool, 0, 0);
}

void pool_facts_free(struct pool_facts *pool)
{
	numbering_free(&pool->facts);
	numbering_free(&pool->resolved);
	memo_free(&pool->by_pair);
	free(pool->scratch);
	free(pool->scratch_resolved);
}
