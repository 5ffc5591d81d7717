/* What was measured of the nodes, minute by minute, on its way to the store.
 *
 * The minutes are those of the wall clock. It may step: what was measured until then belongs to the
 * minute that it was in. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "control/names.h"
#include "control/running_parts.h"

#define MS_PER_MINUTE ((uint64_t)60000)
#define PERMILLE_MAX  1000000 /* far beyond what a node may report */

/* What its weight follows, or else what it reports. */
static int32_t load_permille(const struct inputs *inputs, uint32_t node, uint64_t now_ms)
{
	const struct load_node *follows = &inputs->follows[node];
	double permille;

	if (follows->cause != LOAD_UNKNOWN && follows->highest < follows->count)
		permille = follows->signals[follows->highest].smoothed * 1000.;
	else if (inputs_load_counts(inputs, node, now_ms))
		permille = inputs->loads[node].load * 1000.;
	else
		return STORE_NO_LOAD;
	return permille < PERMILLE_MAX ? (int32_t)lround(permille) : PERMILLE_MAX;
}

/* The nodes of which there is something to tell, and their names in `names`. */
static uint32_t gather(struct running *running, struct store_minute *rows, struct arena *names)
{
	const struct image *plan = plan_of(running);
	uint64_t now_ms = clock_unix_ms();
	uint32_t count = 0;
	char key[NODE_KEY_SIZE];

	for (uint32_t n = 0; n < plan_count(plan, nodes); n++) {
		const struct measure measure = prober_take_measure(running->prober, n);
		int32_t load = load_permille(running->inputs, n, now_ms);

		if (measure.probes == 0 && load == STORE_NO_LOAD)
			continue;
		(void)node_key(plan, n, key);
		rows[count++] = (struct store_minute){ arena_text(names, key, strlen(key)),
						       measure.probes,
						       measure.failures,
						       measure_rtt_us(&measure),
						       measure.rtt_max_us,
						       load };
	}
	return count;
}

void running_end_minute(struct running *running)
{
	struct store_minute *rows = mem_array(plan_count(plan_of(running), nodes) + 1U,
					      sizeof(*rows));
	struct arena names = { 0 };

	if (running->minute != 0)
		store_minutes(running->store, running->minute, rows, gather(running, rows, &names));
	arena_free(&names);
	free(rows);
}

void running_follow_minute(struct running *running)
{
	uint64_t minute = clock_unix_ms() / MS_PER_MINUTE;

	if (minute == running->minute)
		return;
	running_end_minute(running);
	running->minute = minute;
}
