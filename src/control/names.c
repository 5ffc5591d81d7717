#include "control/names.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/nearest.h"

const char *plan_pool_name(const struct image *plan, uint32_t pool)
{
	return plan_text(plan, plan_items(plan, pools, struct plan_pool)[pool].name);
}

const char *plan_site_name(const struct image *plan, uint32_t pool_site)
{
	uint32_t site = plan_items(plan, pool_sites, struct plan_pool_site)[pool_site].site;

	return plan_text(plan, plan_items(plan, sites, struct plan_site)[site].name);
}

const char *node_key(const struct image *plan, uint32_t node, char key[NODE_KEY_SIZE])
{
	const struct plan_node *n = &plan_items(plan, nodes, struct plan_node)[node];

	/* Longer names than this are refused when the plan is compiled. */
	(void)snprintf(key, NODE_KEY_SIZE, "%s/%s", plan_pool_name(plan, n->pool),
		       plan_text(plan, n->name));
	return key;
}

uint32_t plan_find_pool(const struct image *plan, const char *name, uint32_t hint)
{
	uint32_t count = plan_count(plan, pools);

	for (uint32_t i = 0; i < count; i++) {
		uint32_t p = (hint + i) % count;

		if (strcmp(plan_pool_name(plan, p), name) == 0)
			return p;
	}
	return PLAN_NONE;
}

uint32_t plan_find_site(const struct image *plan, const char *pool, const char *site, uint32_t hint)
{
	const struct plan_pool_site *sites = plan_items(plan, pool_sites, struct plan_pool_site);
	uint32_t count = plan_count(plan, pool_sites);

	for (uint32_t i = 0; i < count; i++) {
		uint32_t s = (hint + i) % count;

		if (strcmp(plan_site_name(plan, s), site) == 0 &&
		    strcmp(plan_pool_name(plan, sites[s].pool), pool) == 0)
			return s;
	}
	return PLAN_NONE;
}

uint32_t plan_find_node(const struct image *plan, uint32_t pool, const char *name, uint32_t hint)
{
	const struct plan_range *range = &plan_items(plan, pools, struct plan_pool)[pool].nodes;
	const struct plan_node *nodes = plan_items(plan, nodes, struct plan_node);

	for (uint32_t i = 0; i < range->count; i++) {
		uint32_t n = range->first + (hint + i) % range->count;

		if (strcmp(plan_text(plan, nodes[n].name), name) == 0)
			return n;
	}
	return PLAN_NONE;
}

int refuse_pool(const struct image *plan, const char *name, struct err *err)
{
	const char **names, *meant;
	uint32_t count;

	if (plan == NULL)
		return err_set(err, "%s", NOTHING_IN_USE);
	count = plan_count(plan, pools);
	names = mem_array(count + 1U, sizeof(*names));
	for (uint32_t p = 0; p < count; p++)
		names[p] = plan_pool_name(plan, p);
	meant = nearest_word(name, names, count);
	(void)err_set(err, "there is no pool \"%.100s\"%s%s%s", name,
		      meant != NULL ? " (did you mean \"" : "", meant != NULL ? meant : "",
		      meant != NULL ? "\"?)" : "");
	free(names);
	return -1;
}
