#include "tests/fuzz/changes.h"

#include "control/diff.h"
#include "ctl/diff_parts.h"

void changes_tell(const struct sample *sample, const struct image *plan)
{
	const struct images before = {
		.image = { [IMAGE_ZONES] = sample->world.zones,
			   [IMAGE_GEO] = sample->world.geo,
			   [IMAGE_PLAN] = sample->plan },
		.fd = { -1, -1, -1, -1, -1 },
	};
	struct images after = before;

	after.image[IMAGE_PLAN] = *plan;
	json_decref(diff_worlds(&before, &after));
	json_decref(diff_plans(&sample->plan, plan));
}
