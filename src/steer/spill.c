#include "steer/spill.h"

#define KEEP_AT_HIGH 0.25
#define KEEP_LEAST   0.01

/* Sets use; returns false where nothing is known of it. */
static bool measure(struct spill_site *site, const struct spill_marks *marks,
		    const struct spill_node *nodes, uint32_t node_count)
{
	double used = 0, told = 0, silent = 0, healthy = 0;

	for (uint32_t i = 0; i < node_count; i++) {
		const struct spill_node *node = &nodes[i];

		if (node->healthy)
			healthy += node->capacity;
		if (node->reported && node->age_ms <= marks->load_age_ms) {
			used += node->load * node->capacity;
			told += node->capacity;
		} else if (node->healthy) {
			silent += node->capacity;
		}
	}
	site->use = 0;
	if (told == 0 || healthy == 0)
		return false;
	site->use = used * (1 + silent / told) / healthy;
	return true;
}

static double keep_at(double use, double low, double high)
{
	double keep = 1 - (1 - KEEP_AT_HIGH) * (use - low) / (high - low);

	return keep > KEEP_LEAST ? keep : KEEP_LEAST;
}

void spill_update(struct spill_site *site, const struct spill_marks *marks,
		  const struct spill_node *nodes, uint32_t node_count)
{
	double low = marks->low / 100.0, high = marks->high / 100.0;

	site->known = measure(site, marks, nodes, node_count);
	site->keep = SPILL_KEEP_ALL;
	if (!site->known || marks->high == 0 || site->use <= low)
		site->spilling = false;
	else if (site->use >= high)
		site->spilling = true;
	if (site->spilling)
		site->keep = (uint16_t)(keep_at(site->use, low, high) * SPILL_KEEP_ALL + 0.5);
}
