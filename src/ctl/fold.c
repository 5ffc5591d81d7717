#include "ctl/fold.h"

#include <stdlib.h>

#include "base/mem.h"

/* Classes with the same number are alike; `first` has one of each number. */
struct likeness {
	uint32_t *numbers; /* [class] */
	uint32_t *first;
};

static bool leads_on(const struct image *plan, uint32_t number)
{
	const struct plan_pool *pool = &plan_items(plan, pools, struct plan_pool)[number];
	const struct plan_fence *fences = plan_items(plan, fences, struct plan_fence);

	for (uint32_t f = pool->fences.first; f < pool->fences.first + pool->fences.count; f++) {
		if (fences[f].otherwise != PLAN_NONE)
			return true;
	}
	return pool->backup != PLAN_NONE || pool->fallback_pool != PLAN_NONE;
}

static uint32_t number_of(const struct fold_side *side, uint32_t class_id, bool leads)
{
	if (side->pool == PLAN_NONE)
		return 0;
	return leads ? class_id : geo_class_pref(side->geo, class_id, side->pool);
}

static struct likeness likeness_of(const struct fold_side *side)
{
	const struct geo_root *root = image_root(side->geo, struct geo_root);
	bool leads = side->pool != PLAN_NONE && leads_on(side->plan, side->pool);
	uint32_t most = 0;
	struct likeness out;

	out.numbers = mem_array(root->class_count + 1U, sizeof(*out.numbers));
	for (uint32_t c = 0; c < root->class_count; c++) {
		out.numbers[c] = number_of(side, c, leads);
		most = out.numbers[c] > most ? out.numbers[c] : most;
	}
	out.first = mem_array(most + 1U, sizeof(*out.first));
	for (uint32_t c = root->class_count; c-- > 0;)
		out.first[out.numbers[c]] = c;
	return out;
}

struct space fold_space(const struct space *space, const struct fold_side sides[2])
{
	struct likeness like[2] = { likeness_of(&sides[0]), likeness_of(&sides[1]) };
	struct space out = { 0 };

	for (uint32_t i = 0; i < space->count; i++) {
		struct space_cell cell = space->cells[i];

		for (int s = 0; s < 2; s++)
			cell.classes[s] = like[s].numbers[cell.classes[s]];
		space_add(&out, &cell);
	}
	for (uint32_t i = 0; i < out.count; i++) {
		for (int s = 0; s < 2; s++)
			out.cells[i].classes[s] = like[s].first[out.cells[i].classes[s]];
	}
	for (int s = 0; s < 2; s++) {
		free(like[s].numbers);
		free(like[s].first);
	}
	return out;
}
