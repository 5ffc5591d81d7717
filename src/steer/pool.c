#include "steer/pool.h"

#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/mem.h"

/* --- opening: what does not depend on status ------------------------------------------------ */

static const char *name_of(const struct pool *pool)
{
	return plan_text(pool->plan, pool->plan_pool->name);
}

static int check_size(const struct pool *pool, struct err *err)
{
	if (pool->node_count > TABLE_NODES_MAX)
		return err_set(err, "pool '%s' has %u nodes; at most %u can be told apart",
			       name_of(pool), pool->node_count, TABLE_NODES_MAX);
	return 0;
}

static bool is_of(const uint32_t *numbers, uint32_t count, const struct plan_range *range)
{
	for (uint32_t i = 0; i < count; i++)
		if (numbers[i] < range->first || numbers[i] - range->first >= range->count)
			return false;
	return true;
}

/* Preferences come from another image than sites: do they name what is of this pool only? */
static int check_pref(const struct pool *pool, uint32_t number, struct err *err)
{
	const struct geo_pref *pref = geo_pool_pref(pool->geo, pool->number, number);
	const uint16_t *named = image_at(pool->geo, uint16_t, pref->sites_off);
	uint32_t plan_sites = plan_count(pool->plan, sites);

	for (uint32_t n = 0; n < pref->site_count; n++)
		if (named[n] >= plan_sites || pool->site_of[named[n]] == POOL_NONE)
			return err_set(err,
				       "preference %u of pool '%s' names site %u, which the pool "
				       "has not: geo and plan do not fit",
				       number, name_of(pool), named[n]);
	if (pref->nearest != GEO_SITE_NONE &&
	    (pref->nearest >= plan_sites || pool->site_of[pref->nearest] == POOL_NONE))
		return err_set(err,
			       "preference %u of pool '%s' has site %u as the nearest, which the "
			       "pool has not: geo and plan do not fit",
			       number, name_of(pool), pref->nearest);
	if (!is_of(image_at(pool->geo, uint32_t, pref->fences_off), pref->fence_count,
		   &pool->plan_pool->fences) ||
	    !is_of(image_at(pool->geo, uint32_t, pref->avoids_off), pref->avoid_count,
		   &pool->plan_pool->avoids))
		return err_set(err,
			       "preference %u of pool '%s' names a fence or avoided node of "
			       "another pool: geo and plan do not fit",
			       number, name_of(pool));
	if (pref->rule != GEO_RULE_NONE && !is_of(&pref->rule, 1, &pool->plan_pool->rules))
		return err_set(err,
			       "preference %u of pool '%s' follows rule %u, which the pool has "
			       "not: geo and plan do not fit",
			       number, name_of(pool), pref->rule);
	return 0;
}

static int check_prefs(struct pool *pool, struct err *err)
{
	for (uint32_t i = 0; i < pool->pref_count; i++) {
		const struct geo_pref *pref = geo_pool_pref(pool->geo, pool->number, i);

		if (check_pref(pool, i, err) != 0)
			return -1;
		pool->restricts |= pref->fence_count > 0 || pref->avoid_count > 0;
	}
	return 0;
}

static void open_sites(struct pool *pool)
{
	uint32_t plan_sites = plan_count(pool->plan, sites);
	size_t sites = (size_t)pool->site_count + 1;

	pool->site_of = mem_array(plan_sites, sizeof(*pool->site_of));
	pool->ranking = mem_array(sites, sizeof(*pool->ranking));
	pool->nearest = mem_array(sites, sizeof(*pool->nearest));
	pool->keep = mem_array(sites, sizeof(*pool->keep));
	pool->site_ranks = mem_array(sites, sizeof(*pool->site_ranks));
	memset(pool->site_of, 0xff, plan_sites * sizeof(*pool->site_of)); /* POOL_NONE */
	for (uint32_t site = 0; site < pool->site_count; site++)
		pool->site_of[pool->sites[site].site] = site;
}

static void open_families(struct pool *pool, uint32_t node)
{
	const struct plan_range *range = &pool->nodes[node].addresses;
	const struct ip_address *addresses = plan_items(pool->plan, addresses, struct ip_address) +
					     range->first;

	for (uint32_t i = 0; i < range->count; i++) {
		bool v6 = addresses[i].family == IP_V6;

		pool->has[v6 ? STEERING_AAAA : STEERING_A][node] = true;
	}
}

static void open_nodes(struct pool *pool)
{
	pool->node_keys = mem_array(pool->node_count, sizeof(*pool->node_keys));
	pool->now = mem_array(pool->node_count, sizeof(*pool->now));
	pool->weights = mem_array(pool->node_count, sizeof(*pool->weights));
	pool->last_good = mem_array(pool->node_count, sizeof(*pool->last_good));
	pool->ranks = mem_array(pool->node_count, sizeof(*pool->ranks));
	pool->avoids = mem_array(pool->plan_pool->avoids.count, sizeof(*pool->avoids));
	for (unsigned family = 0; family < STEERING_FAMILIES; family++) {
		pool->has[family] = mem_array(pool->node_count, sizeof(*pool->has[family]));
		pool->live[family] = mem_array(pool->node_count, sizeof(*pool->live[family]));
	}
	for (uint32_t node = 0; node < pool->node_count; node++) {
		const char *name = plan_text(pool->plan, pool->nodes[node].name);

		pool->node_keys[node] = hash_text(name, pool->plan_pool->seed);
		open_families(pool, node);
	}
}

int pool_open(struct pool *pool, const struct image *geo, const struct image *plan, uint32_t number,
	      struct err *err)
{
	const struct geo_root *geo_root = image_root(geo, struct geo_root);
	const struct plan_pool *plan_pool = plan_items(plan, pools, struct plan_pool) + number;

	*pool = (struct pool){ .geo = geo, .plan = plan, .plan_pool = plan_pool, .number = number };
	pool->sites = plan_items(plan, pool_sites, struct plan_pool_site) + plan_pool->sites.first;
	pool->nodes = plan_items(plan, nodes, struct plan_node) + plan_pool->nodes.first;
	pool->site_count = plan_pool->sites.count;
	pool->node_count = plan_pool->nodes.count;
	pool->pref_count = image_at(geo, struct geo_pool, geo_root->pools_off)[number].pref_count;
	if (check_size(pool, err) != 0)
		return -1;
	open_sites(pool);
	if (check_prefs(pool, err) != 0)
		return -1;
	open_nodes(pool);
	return 0;
}

void pool_close(struct pool *pool)
{
	pool_free_rankings(pool);
	for (unsigned family = 0; family < STEERING_FAMILIES; family++) {
		free(pool->has[family]);
		free(pool->live[family]);
	}
	free(pool->site_of);
	free(pool->site_ranks);
	free(pool->keep);
	free(pool->node_keys);
	free(pool->now);
	free(pool->weights);
	free(pool->last_good);
	free(pool->avoids);
	free(pool->ranks);
}

/* --- what follows from status ----------------------------------------------------------------- */

static bool same_node(const struct steer_node *a, const struct steer_node *b)
{
	return a->state == b->state && a->families == b->families && a->level == b->level &&
	       a->weight == b->weight && a->ttl_s == b->ttl_s;
}

static bool take_nodes(struct pool *pool, const struct steer_input *input)
{
	uint32_t first = pool->plan_pool->nodes.first;
	bool changed = false;

	for (uint32_t node = 0; node < pool->node_count; node++) {
		const struct steer_node *now = &input->nodes[first + node];
		bool good = input->last_good != NULL && input->last_good[first + node];

		changed |= !same_node(now, &pool->now[node]);
		pool->now[node] = *now;
		/* It matters in one fallback only. */
		changed |= pool->plan_pool->fallback == FALLBACK_LAST_GOOD &&
			   good != pool->last_good[node];
		pool->last_good[node] = good;
	}
	return changed;
}

static bool take_keeps(struct pool *pool, const struct steer_input *input)
{
	bool changed = false;

	pool->spills = false;
	for (uint32_t site = 0; site < pool->site_count; site++) {
		uint16_t keep = STEER_ALL;

		if (input->keep != NULL)
			keep = input->keep[pool->plan_pool->sites.first + site];
		changed |= keep != pool->keep[site];
		pool->keep[site] = keep;
		pool->spills |= keep != STEER_ALL;
	}
	return changed;
}

static bool take_avoids(struct pool *pool, uint64_t now_unix_s)
{
	const struct plan_avoid *avoids = plan_items(pool->plan, avoids, struct plan_avoid) +
					  pool->plan_pool->avoids.first;
	bool changed = false;

	for (uint32_t i = 0; i < pool->plan_pool->avoids.count; i++) {
		uint64_t until = avoids[i].until_unix_s;
		bool holds = until == 0 || until > now_unix_s;

		changed |= holds != pool->avoids[i];
		pool->avoids[i] = holds;
	}
	return changed;
}

static uint8_t rank_of(const struct steer_node *node)
{
	switch (node->state) {
	case STEER_UP: return node->weight > 0 && node->level > 0 ? TABLE_USABLE : TABLE_RESERVE;
	case STEER_DRAINING: return TABLE_DRAINING;
	default: return TABLE_DOWN;
	}
}

/* A node that is not answered for what it is, but under a fallback, is answered whole. */
static uint8_t families_of(const struct steer_node *node)
{
	return node->state == STEER_UP || node->state == STEER_DRAINING ? node->families
									: STEER_FAMILIES;
}

static void open_paths(struct pool *pool, uint32_t node)
{
	uint8_t families = families_of(&pool->now[node]);

	for (unsigned family = 0; family < STEERING_FAMILIES; family++)
		pool->live[family][node] = pool->has[family][node] && (families >> family & 1) != 0;
}

static void rank_nodes(struct pool *pool)
{
	pool->rank = TABLE_DOWN;
	memset(pool->site_ranks, 0, pool->site_count * sizeof(*pool->site_ranks));
	for (uint32_t node = 0; node < pool->node_count; node++) {
		uint8_t rank = rank_of(&pool->now[node]);

		open_paths(pool, node);
		pool->ranks[node] = rank;
		pool->weights[node] = pool->now[node].weight;
		pool->site_ranks[pool_site_of_node(pool, node)][rank]++;
		if (rank > pool->rank)
			pool->rank = rank;
	}
}

bool pool_take(struct pool *pool, const struct steer_input *input)
{
	bool changed = !pool->taken;

	changed |= take_nodes(pool, input);
	changed |= take_keeps(pool, input);
	changed |= take_avoids(pool, input->now_unix_s);
	if (changed)
		rank_nodes(pool);
	pool->taken = true;
	return changed;
}
