#include "ctl/tally.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "ctl/fold.h"
#include "ctl/tally_parts.h"

/* --- names ------------------------------------------------------------------------------------ */

static uint32_t pool_called(struct tally *tally, const char *name)
{
	for (uint32_t p = 0; p < tally->pool_count; p++) {
		if (strcmp(tally->pools[p].name, name) == 0)
			return p;
	}
	array_add(tally->pools, tally->pool_count,
		  tally->pool_cap) = (struct pool_tally){ .name = name };
	return tally->pool_count - 1;
}

/* site NULL: behind the nodes. Places of one pool are looked for from its first. */
static uint32_t place_called(struct tally *tally, uint32_t pool, const char *site)
{
	for (uint32_t i = 0; i < tally->place_count; i++) {
		const struct place *place = &tally->places[i];

		if (place->pool_number == pool && (place->site == NULL) == (site == NULL) &&
		    (site == NULL || strcmp(place->site, site) == 0))
			return i;
	}
	array_add(tally->places, tally->place_count, tally->place_cap) = (struct place){
		.pool = tally->pools[pool].name, .site = site, .pool_number = pool
	};
	return tally->place_count - 1;
}

static uint32_t spot_called(struct tally *tally, uint32_t place, const char *node, uint32_t from)
{
	for (uint32_t i = from; i < tally->spot_count; i++) {
		const struct spot *spot = &tally->spots[i];

		if (spot->place == place && (spot->node == NULL) == (node == NULL) &&
		    (node == NULL || strcmp(spot->node, node) == 0))
			return i;
	}
	array_add(tally->spots, tally->spot_count, tally->spot_cap) =
		(struct spot){ .node = node, .place = place, .number = { PLAN_NONE, PLAN_NONE } };
	return tally->spot_count - 1;
}

static void name_sites(struct tally *tally, enum side_number number, uint32_t pool,
		       const struct plan_pool *p)
{
	struct side *side = &tally->sides[number];
	const struct image *plan = side->plan;
	const struct side *before = &tally->sides[SIDE_BEFORE];
	uint32_t from = number == SIDE_BEFORE ? tally->spot_count : 0;

	for (uint32_t s = p->sites.first; s < p->sites.first + p->sites.count; s++) {
		const struct plan_pool_site *ps = &plan_items(plan, pool_sites,
							      struct plan_pool_site)[s];
		const struct plan_site *site = &plan_items(plan, sites, struct plan_site)[ps->site];
		uint32_t place = place_called(tally, pool, plan_text(plan, site->name));

		tally->places[place].latitude = site->latitude;
		tally->places[place].longitude = site->longitude;
		for (uint32_t n = ps->nodes.first; n < ps->nodes.first + ps->nodes.count; n++) {
			const struct plan_node *node = &plan_items(plan, nodes,
								   struct plan_node)[n];

			side->spots[n] = number == SIDE_AFTER && plan == before->plan
						 ? before->spots[n]
						 : spot_called(tally, place,
							       plan_text(plan, node->name), from);
			tally->spots[side->spots[n]].number[number] = n;
			if (side->nodes[n].steer.state == STEER_UP)
				tally->places[place].capacity[number] += node->capacity;
		}
	}
}

static void name_side(struct tally *tally, enum side_number number)
{
	struct side *side = &tally->sides[number];
	const struct image *plan = side->plan;

	side->spots = mem_array(plan_count(plan, nodes) + 1U, sizeof(*side->spots));
	side->behind = mem_array(plan_count(plan, pools) + 1U, sizeof(*side->behind));
	for (uint32_t p = 0; p < plan_count(plan, pools); p++) {
		const struct plan_pool *pool = &plan_items(plan, pools, struct plan_pool)[p];
		uint32_t named = pool_called(tally, plan_text(plan, pool->name));

		name_sites(tally, number, named, pool);
		side->behind[p] = spot_called(tally, place_called(tally, named, NULL), NULL, 0);
	}
}

static void number_pools(struct tally *tally, struct side *side)
{
	side->pools = mem_array(tally->pool_count + 1U, sizeof(*side->pools));
	for (uint32_t p = 0; p < tally->pool_count; p++)
		side->pools[p] = PLAN_NONE;
	for (uint32_t p = 0; p < plan_count(side->plan, pools); p++) {
		const struct plan_pool *pool = &plan_items(side->plan, pools, struct plan_pool)[p];

		side->pools[pool_called(tally, plan_text(side->plan, pool->name))] = p;
	}
}

/* --- clients ---------------------------------------------------------------------------------- */

static struct portion *portion_at(struct portions *portions, uint32_t place)
{
	for (uint32_t i = 0; i < portions->count; i++) {
		if (portions->items[i].place == place)
			return &portions->items[i];
	}
	array_add(portions->items, portions->count, portions->cap) = (struct portion){ place,
										       { { 0 } } };
	return &portions->items[portions->count - 1];
}

static uint32_t spot_of(const struct side *side, const struct share *share)
{
	const struct plan_pool *pool = &plan_items(side->plan, pools,
						   struct plan_pool)[share->pool];

	return share->node < pool->nodes.count ? side->spots[pool->nodes.first + share->node]
					       : side->behind[share->pool];
}

/* Where the clients of a cell go; NULL: there is no such pool on this side. */
static const struct share_list *shares_of(struct side *side, uint32_t pool,
					  const struct space_cell *cell, enum side_number number)
{
	if (side->pools[pool] == PLAN_NONE)
		return NULL;
	return shares_find(side->shares, side->pools[pool], cell->classes[number]);
}

void tally_spread(struct tally *tally, uint32_t pool, const struct space_cell *cell,
		  struct portions *out)
{
	out->count = 0;
	for (int s = 0; s < SIDES; s++) {
		struct side *side = &tally->sides[s];
		const struct share_list *list = shares_of(side, pool, cell, (enum side_number)s);

		for (uint32_t i = 0; list != NULL && i < list->count; i++) {
			uint32_t spot = spot_of(side, &list->items[i]);

			portion_at(out, tally->spots[spot].place)->of[s][0] += list->items[i].share;
		}
	}
}

static void add_share(struct tally *tally, uint32_t pool, const struct space_cell *cell, int side,
		      const struct share *share)
{
	uint32_t spot = spot_of(&tally->sides[side], share);

	if (cell->amount[tally->demand] > 0)
		tally->spots[spot].serves[side] = true;
	for (int m = 0; tally->pools[pool].spots != NULL && m < MEASURES; m++)
		tally->pools[pool].spots[spot][side][m] += share->share * cell->amount[m];
}

static void add_spots(struct tally *tally, uint32_t pool, const struct space_cell *cell)
{
	for (int s = 0; s < SIDES; s++) {
		struct side *side = &tally->sides[s];
		const struct share_list *list = shares_of(side, pool, cell, (enum side_number)s);

		if (list == NULL)
			continue;
		for (int m = 0; m < MEASURES; m++)
			tally->pools[pool].applied[s][shares_applied(
				side->shares, side->pools[pool], cell->classes[s])][m] +=
				cell->amount[m];
		for (uint32_t i = 0; i < list->count; i++)
			add_share(tally, pool, cell, s, &list->items[i]);
	}
}

bool tally_is_on(const struct tally *tally, uint32_t pool, enum side_number side)
{
	return tally->sides[side].pools[pool] != PLAN_NONE;
}

double tally_staying(const struct portions *portions)
{
	double stays = 0;

	for (uint32_t i = 0; i < portions->count; i++)
		stays += fmin(portions->items[i].of[SIDE_BEFORE][0],
			      portions->items[i].of[SIDE_AFTER][0]);
	return stays;
}

static void add_cell(struct tally *tally, uint32_t number, const struct space_cell *cell,
		     const struct portions *portions)
{
	struct pool_tally *pool = &tally->pools[number];
	struct country_tally *country = &pool->countries[cell->country];
	double moved = tally_is_on(tally, number, SIDE_BEFORE) &&
				       tally_is_on(tally, number, SIDE_AFTER)
			       ? 1 - tally_staying(portions)
			       : 0;

	for (int m = 0; m < MEASURES; m++) {
		country->total[m] += cell->amount[m];
		country->moved[m] += cell->amount[m] * moved;
		pool->moved[m] += cell->amount[m] * moved;
	}
	for (uint32_t i = 0; i < portions->count; i++) {
		const struct portion *from = &portions->items[i];
		struct portion *to = portion_at(&country->at, from->place);
		struct place *place = &tally->places[from->place];

		for (int s = 0; s < SIDES; s++) {
			for (int m = 0; m < MEASURES; m++) {
				double amount = from->of[s][0] * cell->amount[m];

				to->of[s][m] += amount;
				place->clients[s][m] += amount;
				pool->total[s][m] += amount;
			}
		}
	}
}

/* --- the whole -------------------------------------------------------------------------------- */

/* By what clients are counted where their use matters: what they ask, else what space they have. */
static enum measure demand_of(const struct tally *tally, const struct space *space)
{
	const struct image *plan = tally->sides[SIDE_BEFORE].plan;
	const struct ip_address *addresses = plan_items(plan, addresses, struct ip_address);

	if (space->total[MEASURE_QUERIES] > 0)
		return MEASURE_QUERIES;
	for (uint32_t i = 0; i < plan_count(plan, addresses); i++) {
		if (addresses[i].family == IP_V4)
			return MEASURE_IPV4;
	}
	return MEASURE_IPV6;
}

/* What is alike for each pool stays so as long as geo and plans do. */
static void fold_pools(struct tally *tally, const struct space *space, struct folds *folds)
{
	const struct side *before = &tally->sides[SIDE_BEFORE];

	if (folds->of_pools != NULL)
		return;
	folds->before = shares_new(before->steering, before->geo, before->plan);
	folds->of_pools = mem_array(tally->pool_count + 1U, sizeof(*folds->of_pools));
	folds->count = tally->pool_count;
	for (uint32_t p = 0; p < folds->count; p++) {
		struct fold_side sides[SIDES];

		for (int s = 0; s < SIDES; s++)
			sides[s] = (struct fold_side){ tally->sides[s].geo, tally->sides[s].plan,
						       tally->sides[s].pools[p] };
		folds->of_pools[p] = fold_space(space, sides);
	}
}

void folds_free(struct folds *folds)
{
	for (uint32_t p = 0; p < folds->count; p++)
		space_free(&folds->of_pools[p]);
	free(folds->of_pools);
	shares_free(folds->before);
	*folds = (struct folds){ 0 };
}

static void count_pool(struct tally *tally, const struct space *space, uint32_t pool)
{
	struct portions portions = { 0 };

	if (tally->told == NULL || strcmp(tally->told, tally->pools[pool].name) == 0)
		tally->pools[pool].spots = mem_array(tally->spot_count,
						     sizeof(*tally->pools[pool].spots));
	for (uint32_t i = 0; i < space->count; i++) {
		tally_spread(tally, pool, &space->cells[i], &portions);
		add_cell(tally, pool, &space->cells[i], &portions);
		add_spots(tally, pool, &space->cells[i]);
	}
	free(portions.items);
}

void tally_count(struct tally *tally, const struct space *space, struct folds *folds)
{
	name_side(tally, SIDE_BEFORE);
	name_side(tally, SIDE_AFTER);
	for (int s = 0; s < SIDES; s++) {
		struct side *side = &tally->sides[s];

		number_pools(tally, side);
	}
	tally->demand = demand_of(tally, space);
	fold_pools(tally, space, folds);
	tally->sides[SIDE_BEFORE].shares = folds->before;
	tally->sides[SIDE_AFTER].shares = shares_new(tally->sides[SIDE_AFTER].steering,
						     tally->sides[SIDE_AFTER].geo,
						     tally->sides[SIDE_AFTER].plan);
	for (uint32_t p = 0; p < tally->pool_count; p++)
		count_pool(tally, &folds->of_pools[p], p);
	tally_count_use(tally, folds);
}

void tally_close(struct tally *tally)
{
	shares_free(tally->sides[SIDE_AFTER].shares);
	for (int s = 0; s < SIDES; s++) {
		free(tally->sides[s].spots);
		free(tally->sides[s].behind);
		free(tally->sides[s].pools);
	}
	for (uint32_t p = 0; p < tally->pool_count; p++) {
		for (uint32_t c = 0; c <= SPACE_COUNTRIES; c++)
			free(tally->pools[p].countries[c].at.items);
		free(tally->pools[p].spots);
	}
	free(tally->pools);
	free(tally->places);
	free(tally->spots);
	*tally = (struct tally){ .demand = tally->demand };
}
