#include "ctl/settle.h"

#include <math.h>
#include <stdlib.h>

#include "base/mem.h"

#define SETTLED 0.005 /* of its capacity: whose use is that near to what was thought has settled */

/* The site as one node with all its capacity. */
static void update(struct settling *settling, uint32_t number, double capacity, bool known)
{
	const struct plan_pool_site *site = &plan_items(settling->plan, pool_sites,
							struct plan_pool_site)[number];
	const struct spill_marks marks = { site->spill_high, site->spill_low, UINT32_MAX };
	const struct spill_node whole = {
		.healthy = capacity > 0,
		.reported = known,
		.capacity = 1,
		.load = capacity > 0 ? settling->use[number] / capacity : 0,
	};
	bool spilled = settling->sites[number].spilling;

	/* Not to end at the low mark: from there on it keeps all, and begins anew. */
	spill_update(&settling->sites[number], &marks, &whole, 1);
	settling->sites[number].spilling = settling->sites[number].spilling || spilled;
	settling->keep[number] = settling->sites[number].keep;
}

/* What its nodes report, as spill_update has it: those that are up and do not are as the others. */
static void start_site(struct settling *settling, uint32_t number,
		       const struct supposed_node *supposed)
{
	const struct plan_range *range =
		&plan_items(settling->plan, pool_sites, struct plan_pool_site)[number].nodes;
	double use = 0, reporting = 0, silent = 0, up = 0;

	for (uint32_t n = range->first; n < range->first + range->count; n++) {
		double capacity = plan_items(settling->plan, nodes, struct plan_node)[n].capacity;

		up += supposed[n].steer.state == STEER_UP ? capacity : 0;
		if (isnan(supposed[n].load)) {
			silent += supposed[n].steer.state == STEER_UP ? capacity : 0;
			continue;
		}
		use += supposed[n].load * capacity;
		reporting += capacity;
	}
	settling->use[number] = reporting > 0 ? use + use / reporting * silent : 0;
	update(settling, number, up, reporting > 0);
}

void settle_start(struct settling *settling, const struct image *plan,
		  const struct supposed_node *nodes, const json_t *told)
{
	uint32_t count = plan_count(plan, pool_sites);

	settling->plan = plan;
	settling->sites = mem_array(count + 1U, sizeof(*settling->sites));
	settling->use = mem_array(count + 1U, sizeof(*settling->use));
	settling->step = mem_array(count + 1U, sizeof(*settling->step));
	settling->way = mem_array(count + 1U, sizeof(*settling->way));
	settling->keep = mem_array(count + 1U, sizeof(*settling->keep));
	for (uint32_t s = 0; s < count; s++) {
		settling->sites[s].spilling = json_is_true(
			json_object_get(json_array_get(told, s), "spilling"));
		start_site(settling, s, nodes);
	}
}

void settle_end(struct settling *settling)
{
	free(settling->sites);
	free(settling->use);
	free(settling->step);
	free(settling->way);
	free(settling->keep);
}

/* Nothing depends on the use of a site that does not spill over and stays below its mark. */
static bool is_calm(const struct settling *settling, uint32_t number, double came, double capacity)
{
	const struct plan_pool_site *site = &plan_items(settling->plan, pool_sites,
							struct plan_pool_site)[number];

	return !settling->sites[number].spilling && came < capacity * site->spill_high / 100;
}

/* A part of the way from the use that was thought to the one that came. true: it was far. */
static bool approach(struct settling *settling, uint32_t number, double came, double capacity)
{
	double way = came - settling->use[number];

	if (is_calm(settling, number, came, capacity)) {
		settling->use[number] = came;
		return false;
	}
	if (settling->way[number] == 0)
		settling->step[number] = 0.5;
	else if (way * settling->way[number] < 0)
		settling->step[number] /= 2;
	else
		settling->step[number] = fmin(0.5, settling->step[number] * 1.3);
	settling->way[number] = way;
	settling->use[number] += way * settling->step[number];
	return fabs(way) > SETTLED * capacity;
}

bool settle_on(struct settling *settling, const struct tally *tally)
{
	const struct side *side = &tally->sides[SIDE_AFTER];
	bool far = false;

	for (uint32_t s = 0; s < plan_count(settling->plan, pool_sites); s++) {
		const struct plan_pool_site *site = &plan_items(settling->plan, pool_sites,
								struct plan_pool_site)[s];
		const struct place *place;

		if (site->spill_high == 0 || site->nodes.count == 0)
			continue;
		place = &tally->places[tally->spots[side->spots[site->nodes.first]].place];
		if (approach(settling, s, place->use[SIDE_AFTER], place->capacity[SIDE_AFTER]))
			far = true;
		update(settling, s, place->capacity[SIDE_AFTER],
		       place->use_known || place->use[SIDE_AFTER] > 0);
	}
	return far;
}
