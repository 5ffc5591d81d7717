#include "steer/companions.h"

#include <string.h>

static uint8_t as_up(const struct pool *pool, uint32_t node)
{
	return pool->weights[node] > 0 ? TABLE_USABLE : TABLE_RESERVE;
}

/* How each node counts for these clients, under what applies to them. */
static void set_ranks(struct routes *routes, uint8_t applied)
{
	const struct pool *pool = routes->pool;
	const struct order *order = &routes->order;

	memset(routes->ranks, TABLE_DOWN, pool->node_count);
	for (uint32_t i = 0; i < order->count; i++) {
		uint32_t site = order->sites[i];

		for (uint32_t n = pool_first_node(pool, site); n < pool_end_node(pool, site); n++) {
			bool avoided = order->any_avoided && order->avoided[n];

			if (applied == APPLIED_ALL && pool_node_enabled(pool, n))
				routes->ranks[n] = as_up(pool, n);
			else if (applied == APPLIED_LAST_GOOD && !avoided && pool->last_good[n] &&
				 pool_node_enabled(pool, n))
				routes->ranks[n] = as_up(pool, n);
			else if (applied < APPLIED_ALL && !avoided)
				routes->ranks[n] = pool->ranks[n];
		}
	}
}

static void add_primaries(struct routes *routes, uint32_t number, uint32_t *count)
{
	const struct group *group = &routes->groups.list[number];

	for (uint32_t i = 0; i < group->primary_count; i++) {
		uint16_t node = group->primaries[i];

		if (routes->taken[node])
			continue;
		routes->taken[node] = true;
		routes->primaries[(*count)++] = node;
	}
}

static uint32_t find_primaries(struct routes *routes, const struct route *route)
{
	uint32_t count = 0;

	if (route->kind == BRANCH_TABLE && route->number != ROUTE_NOBODY)
		add_primaries(routes, route->number, &count);
	if (route->kind == BRANCH_SPLIT) {
		const struct split *split = &routes->splits[route->number];

		for (uint32_t i = 0; i < split->count; i++) {
			uint32_t branch = routes->parts[split->first + i].branch;

			if ((branch & ROUTE_BACKUP) == 0)
				add_primaries(routes, branch, &count);
		}
	}
	for (uint32_t i = 0; i < count; i++)
		routes->taken[routes->primaries[i]] = false;
	return count;
}

/* Only these are as if up. */
static void set_ranks_alone(struct routes *routes, const struct group *group)
{
	memset(routes->ranks, TABLE_DOWN, routes->pool->node_count);
	for (uint32_t i = 0; i < group->primary_count; i++)
		routes->ranks[group->primaries[i]] = as_up(routes->pool, group->primaries[i]);
}

/* These clients' view of the pool. Where nothing is peculiar to them, it need not be complete. */
static struct set_context find_context(struct routes *routes, const struct route *route)
{
	struct order *order = &routes->order;
	bool cut_short = order->complete && order->count < routes->pool->site_count;
	struct set_context context = { order->sites, order->bands, 0, routes->ranks, false, NULL };

	if (route->applied == APPLIED_NEAREST) { /* of that site, and of no other */
		order_finish(order);
		set_ranks_alone(routes, &routes->groups.list[route->number]);
	} else if (order->any_fenced || order->any_avoided || cut_short ||
		   route->applied >= APPLIED_ALL) {
		order_finish(order);
		set_ranks(routes, route->applied);
		context.usual = !order->any_avoided && route->applied < APPLIED_ALL;
	} else {
		context.ranks = routes->pool->ranks;
		context.usual = true;
		context.order = order;
	}
	context.site_count = order->count;
	return context;
}

uint32_t companions_map(struct routes *routes, const struct route *route)
{
	struct set_context context;
	uint32_t count;

	if (routes->sets.plain)
		return SETS_MAP_NONE;
	count = find_primaries(routes, route);
	if (count == 0)
		return SETS_MAP_NONE;
	context = find_context(routes, route);
	return sets_map(&routes->sets, &context, routes->primaries, count);
}
