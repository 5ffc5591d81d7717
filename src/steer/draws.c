#include "steer/draws.h"

#include <stdlib.h>

#include "base/mem.h"

static void make_list(struct draws *draws)
{
	uint64_t all = (uint64_t)draws->pool->site_count * draws->pool->node_count;

	draws->size = all < DRAWS_MAX ? (uint32_t)all : DRAWS_MAX;
	draws->list = mem_array(draws->size, sizeof(*draws->list));
}

struct draw *draws_at(struct draws *draws, uint32_t site, uint16_t primary, bool *holds)
{
	uint64_t at = (uint64_t)site * draws->pool->node_count + primary;
	struct draw *draw;

	if (draws->list == NULL)
		make_list(draws);
	draw = &draws->list[at < draws->size ? at : at % draws->size];
	/* The first round is 1, so no draw that was never made holds. */
	*holds = draw->round != 0 && draw->round >= draws->changed[site] && draw->site == site &&
		 draw->primary == primary;
	draw->site = site;
	draw->primary = primary;
	if (!*holds)
		draw->round = draws->round;
	return draw;
}

void draws_begin(struct draws *draws, const uint32_t *weights)
{
	const struct pool *pool = draws->pool;

	draws->round++;
	for (uint32_t node = 0; node < pool->node_count; node++) {
		if (draws->ranks[node] == pool->ranks[node] &&
		    draws->weights[node] == weights[node])
			continue;
		draws->ranks[node] = pool->ranks[node];
		draws->weights[node] = weights[node];
		draws->changed[pool_site_of_node(pool, node)] = draws->round;
	}
}

void draws_open(struct draws *draws, const struct pool *pool)
{
	*draws = (struct draws){ .pool = pool };
	draws->changed = mem_array(pool->site_count, sizeof(*draws->changed));
	draws->weights = mem_array(pool->node_count, sizeof(*draws->weights));
	draws->ranks = mem_array(pool->node_count, sizeof(*draws->ranks));
}

void draws_close(struct draws *draws)
{
	free(draws->list);
	free(draws->changed);
	free(draws->weights);
	free(draws->ranks);
}
