#include <math.h>
#include <stdlib.h>

#include "base/mem.h"
#include "ctl/tally_parts.h"

#define HARDLY 1e-9 /* of the clients of a cell: rounding */

/* --- what nodes report -------------------------------------------------------------------------- */

static bool takes_clients(const struct tally *tally, const struct spot *spot, uint32_t node)
{
	uint8_t state = tally->sides[SIDE_BEFORE].nodes[node].steer.state;

	return state == STEER_UP || (state == STEER_DRAINING && spot->serves[SIDE_BEFORE]);
}

/* As spill_update has it: a node that is up and does not report is as the others; of one that is
 * not, its last report counts. sums: capacity of who reports, and of who is silent. */
static void add_report(struct tally *tally, const struct spot *spot, double sums[2])
{
	const struct side *side = &tally->sides[SIDE_BEFORE];
	struct place *place = &tally->places[spot->place];
	uint32_t n = spot->number[SIDE_BEFORE];
	const struct supposed_node *node = &side->nodes[n];
	double capacity = plan_items(side->plan, nodes, struct plan_node)[n].capacity;
	bool takes = takes_clients(tally, spot, n);

	place->takers += takes;
	place->tellers += takes && !isnan(node->load);
	place->load_is_supposed = place->load_is_supposed || node->load_is_supposed;
	if (node->load_at_ms > place->told_at_ms)
		place->told_at_ms = node->load_at_ms;
	if (!isnan(node->load)) {
		place->use[SIDE_BEFORE] += node->load * capacity;
		sums[0] += capacity;
	} else if (node->steer.state == STEER_UP) {
		sums[1] += capacity;
	}
}

static void count_reported(struct tally *tally)
{
	double(*sums)[2] = mem_array(tally->place_count + 1U, sizeof(*sums));

	for (uint32_t i = 0; i < tally->spot_count; i++) {
		if (tally->spots[i].number[SIDE_BEFORE] != PLAN_NONE)
			add_report(tally, &tally->spots[i], sums[tally->spots[i].place]);
	}
	for (uint32_t i = 0; i < tally->place_count; i++) {
		struct place *place = &tally->places[i];

		place->use_known = sums[i][0] > 0;
		if (place->use_known)
			place->use[SIDE_BEFORE] += place->use[SIDE_BEFORE] / sums[i][0] *
						   sums[i][1];
		place->use[SIDE_AFTER] = place->use[SIDE_BEFORE];
	}
	free(sums);
}

/* A node that is drained carries clients as long as it gets any. */
static void add_draining(struct tally *tally)
{
	for (uint32_t i = 0; i < tally->spot_count; i++) {
		const struct spot *spot = &tally->spots[i];

		for (int s = 0; s < SIDES; s++) {
			const struct side *side = &tally->sides[s];
			uint32_t n = spot->number[s];

			if (n != PLAN_NONE && spot->serves[s] &&
			    side->nodes[n].steer.state == STEER_DRAINING)
				tally->places[spot->place].capacity[s] +=
					plan_items(side->plan, nodes, struct plan_node)[n].capacity;
		}
	}
}

/* --- what moves ----------------------------------------------------------------------------------- */

static double coming_of(const struct portion *portion)
{
	return portion->of[SIDE_AFTER][0] - portion->of[SIDE_BEFORE][0];
}

/* `use` is spread over the places that get clients; a stranger's is not known. */
static void spread_use(struct tally *tally, const struct portions *portions, double use,
		       bool strangers)
{
	double moved = 1 - tally_staying(portions);

	for (uint32_t i = 0; i < portions->count; i++) {
		struct place *to = &tally->places[portions->items[i].place];
		double coming = coming_of(&portions->items[i]);

		if (coming <= HARDLY)
			continue;
		to->use[SIDE_AFTER] += use * coming / moved;
		to->strangers = to->strangers || strangers;
		to->involved = true;
	}
}

/* Clients take the use that they make of where they were to where they go: each one's is that of
 * the mean client of the place that it leaves. */
static void move_use(struct tally *tally, const struct space_cell *cell,
		     const struct portions *portions)
{
	double amount = cell->amount[tally->demand];

	for (uint32_t i = 0; i < portions->count; i++) {
		struct place *left = &tally->places[portions->items[i].place];
		double leaving = -coming_of(&portions->items[i]), use = 0;

		if (leaving <= HARDLY)
			continue;
		if (left->use_known && left->clients[SIDE_BEFORE][tally->demand] > 0)
			use = leaving * amount * left->use[SIDE_BEFORE] /
			      left->clients[SIDE_BEFORE][tally->demand];
		left->use[SIDE_AFTER] -= use;
		left->involved = true;
		spread_use(tally, portions, use, !left->use_known || left->tellers < left->takers);
	}
}

static void count_cell(struct tally *tally, uint32_t pool, const struct space_cell *cell,
		       struct portions *portions)
{
	if (cell->amount[tally->demand] <= 0)
		return;
	tally_spread(tally, pool, cell, portions);
	if (!tally_is_on(tally, pool, SIDE_BEFORE)) /* a new pool: nobody knows its clients */
		spread_use(tally, portions, 0, true);
	else if (tally_staying(portions) < 1 - HARDLY)
		move_use(tally, cell, portions);
}

/* A pool that is in the files no longer has no clients that would have to be borne. */
static void forget_gone(struct tally *tally)
{
	for (uint32_t i = 0; i < tally->place_count; i++) {
		struct place *place = &tally->places[i];

		if (tally_is_on(tally, place->pool_number, SIDE_AFTER))
			continue;
		place->use[SIDE_AFTER] = 0;
		place->use_known = false;
	}
}

void tally_count_use(struct tally *tally, const struct folds *folds)
{
	struct portions portions = { 0 };

	add_draining(tally);
	count_reported(tally);
	for (uint32_t p = 0; p < tally->pool_count; p++) {
		const struct space *space = &folds->of_pools[p];

		for (uint32_t i = 0; tally_is_on(tally, p, SIDE_AFTER) && i < space->count; i++)
			count_cell(tally, p, &space->cells[i], &portions);
	}
	free(portions.items);
	forget_gone(tally);
}
