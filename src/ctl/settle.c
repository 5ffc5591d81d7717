#include "ctl/settle.h"

#include <math.h>
#include <stdlib.h>

#include "base/mem.h"

#define SETTLED (SPILL_KEEP_ALL / 200) /* who keeps nearly what it did has settled */

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

	spill_update(&settling->sites[number], &marks, &whole, 1);
	settling->keep[number] = settling->sites[number].keep;
}

/* What the nodes that are there report; those that do not are as the others. */
static void start_site(struct settling *settling, uint32_t number,
		       const struct supposed_node *supposed)
{
	const struct plan_range *range =
		&plan_items(settling->plan, pool_sites, struct plan_pool_site)[number].nodes;
	double use = 0, reporting = 0, all = 0;

	for (uint32_t n = range->first; n < range->first + range->count; n++) {
		double capacity = plan_items(settling->plan, nodes, struct plan_node)[n].capacity;

		if (supposed[n].steer.state != STEER_UP)
			continue;
		all += capacity;
		if (isnan(supposed[n].load))
			continue;
		use += supposed[n].load * capacity;
		reporting += capacity;
	}
	settling->use[number] = reporting > 0 ? use * all / reporting : 0;
	update(settling, number, all, reporting > 0);
}

void settle_start(struct settling *settling, const struct image *plan,
		  const struct supposed_node *nodes, const json_t *told)
{
	uint32_t count = plan_count(plan, pool_sites);

	settling->plan = plan;
	settling->sites = mem_array(count + 1U, sizeof(*settling->sites));
	settling->use = mem_array(count + 1U, sizeof(*settling->use));
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
	free(settling->keep);
}

bool settle_on(struct settling *settling, const struct tally *tally)
{
	const struct side *side = &tally->sides[SIDE_AFTER];
	bool changed = false;

	for (uint32_t s = 0; s < plan_count(settling->plan, pool_sites); s++) {
		const struct plan_pool_site *site = &plan_items(settling->plan, pool_sites,
								struct plan_pool_site)[s];
		uint16_t before = settling->keep[s];
		const struct place *place;

		if (site->spill_high == 0 || site->nodes.count == 0)
			continue;
		place = &tally->places[tally->spots[side->spots[site->nodes.first]].place];
		settling->use[s] = (settling->use[s] + place->use[SIDE_AFTER]) / 2;
		update(settling, s, place->capacity[SIDE_AFTER],
		       place->use_known || place->use[SIDE_AFTER] > 0);
		changed = changed || abs((int)before - (int)settling->keep[s]) > (int)SETTLED;
	}
	return changed;
}
