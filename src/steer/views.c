#include "steer/views.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

/* Room for one context at a time. */
struct view {
	struct sets *sets;
	uint32_t *sites, *bands;
	uint8_t *ranks;
	uint16_t *primaries;
	bool *seen;
};

void views_open(struct views *views, struct pool *pool)
{
	sets_open(&views->sets, pool);
	views->pref_maps = mem_array(pool->pref_count, sizeof(*views->pref_maps));
	views->site_maps = mem_array(pool->site_count, sizeof(*views->site_maps));
	memset(views->pref_maps, 0xff, pool->pref_count * sizeof(*views->pref_maps));
	memset(views->site_maps, 0xff, pool->site_count * sizeof(*views->site_maps));
}

void views_close(struct views *views)
{
	sets_close(&views->sets);
	free(views->pref_maps);
	free(views->site_maps);
}

static uint32_t site_of_node(const struct pool *pool, uint32_t node)
{
	return pool->nodes[node].pool_site - pool->plan_pool->sites.first;
}

static void set_ranks(struct view *view)
{
	const struct pool *pool = view->sets->pool;

	for (uint32_t node = 0; node < pool->node_count; node++)
		view->ranks[node] = !pool->up[node]                 ? TABLE_DOWN
				    : view->sets->weights[node] > 0 ? TABLE_USABLE
								    : TABLE_RESERVE;
}

/* The nodes that a table gives clients to. */
static uint32_t primaries_of(const struct view *view, const struct table *table)
{
	uint32_t count = 0;

	for (uint32_t i = 0; i < table->member_count; i++)
		if (view->ranks[table->members[i].choice] != TABLE_DOWN)
			view->primaries[count++] = table->members[i].choice;
	return count;
}

static const struct table *find_table(const struct pool *pool, uint32_t number)
{
	for (uint32_t i = 0; i < pool->table_count; i++)
		if (pool->tables[i] != NULL && pool->table_numbers[i] == number)
			return pool->tables[i];
	return NULL; /* the fallback's */
}

static uint32_t map_pref(struct view *view, uint32_t number)
{
	struct pool *pool = view->sets->pool;
	const struct geo_pref *pref = geo_pool_pref(pool->geo, pool->number, number);
	const uint16_t *bands = image_at(pool->geo, uint16_t, pref->bands_off);
	const struct table *table = find_table(pool, pool->pref_tables[number]);
	struct set_context context = { view->sites, view->bands, 0, view->ranks };
	bool together = pref->policy == POLICY_WEIGHTED || pref->policy == POLICY_ROUND_ROBIN;
	uint32_t band = 0, site;

	if (table == NULL)
		return SETS_MAP_NONE;
	memset(view->seen, 0, pool->site_count * sizeof(*view->seen));
	for (uint32_t n = 0; (site = pool_pref_site(pool, pref, n)) != POOL_NONE; n++) {
		if (view->seen[site])
			continue;
		view->seen[site] = true;
		if (n < pref->site_count)
			band = bands[n];
		else if (!together || (n == pref->site_count && n > 0))
			band++;
		view->sites[context.site_count] = site;
		view->bands[context.site_count++] = band;
	}
	return sets_map(view->sets, &context, view->primaries, primaries_of(view, table));
}

/* Of records that are bound to a site; where all of it is down, all of it is answered. */
static uint32_t map_site(struct view *view, uint32_t site)
{
	struct pool *pool = view->sets->pool;
	uint32_t band = 0, map;
	uint8_t *ranks = mem_array(pool->node_count, sizeof(*ranks));
	struct set_context context = { &site, &band, 1, ranks };
	uint8_t *kept = view->ranks;

	for (uint32_t node = 0; node < pool->node_count; node++)
		if (site_of_node(pool, node) == site)
			ranks[node] = pool->site_ranks[site] == TABLE_DOWN ? TABLE_USABLE
									   : kept[node];
	view->ranks = ranks;
	map = sets_map(view->sets, &context, view->primaries,
		       primaries_of(view, pool->tables[site]));
	view->ranks = kept;
	free(ranks);
	return map;
}

void views_update(struct views *views, const uint32_t *weights)
{
	struct pool *pool = views->sets.pool;
	struct view view = { &views->sets,
			     mem_array(pool->site_count, sizeof(uint32_t)),
			     mem_array(pool->site_count, sizeof(uint32_t)),
			     mem_array(pool->node_count, sizeof(uint8_t)),
			     mem_array(pool->node_count, sizeof(uint16_t)),
			     mem_array(pool->site_count, sizeof(bool)) };

	sets_begin(&views->sets, weights);
	set_ranks(&view);
	for (uint32_t i = 0; i < pool->pref_count && !views->sets.plain; i++)
		views->pref_maps[i] = map_pref(&view, i);
	for (uint32_t i = 0; i < pool->site_count && !views->sets.plain; i++)
		if (pool->bound && pool->tables[i] != NULL)
			views->site_maps[i] = map_site(&view, i);
	free(view.sites);
	free(view.bands);
	free(view.ranks);
	free(view.primaries);
	free(view.seen);
}
