#include "control/cap.h"

#include <stdlib.h>

#include "base/mem.h"

static int by_age(const void *a, const void *b, void *context)
{
	const struct cap_node *nodes = context;
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	if (nodes[x].since_unix_ms != nodes[y].since_unix_ms)
		return nodes[x].since_unix_ms < nodes[y].since_unix_ms ? -1 : 1;
	return x < y ? -1 : 1;
}

/* The nodes that count and are down, the first to go down first. The caller's to free. */
static uint32_t *list_down(struct cap_node *nodes, uint32_t count, struct cap *cap)
{
	uint32_t *list = mem_array(count + 1U, sizeof(*list));

	for (uint32_t n = 0; n < count; n++) {
		nodes[n].held = false;
		cap->counted += nodes[n].counted;
		if (nodes[n].counted && nodes[n].down)
			list[cap->down++] = n;
	}
	qsort_r(list, cap->down, sizeof(*list), by_age, nodes);
	return list;
}

struct cap cap_judge(uint8_t percent, bool freeze, struct cap_node *nodes, uint32_t count,
		     const struct cap *before)
{
	struct cap cap = { .percent = percent };
	uint32_t *down = list_down(nodes, count, &cap);

	cap.limit = (uint32_t)((uint64_t)cap.counted * percent / 100);
	cap.over = cap.down > cap.limit || (before->over && before->percent == percent &&
					    cap.down > 0 && cap.down == cap.limit);
	if (cap.over && before->over)
		cap.since_unix_ms = before->since_unix_ms;
	else if (cap.over)
		cap.since_unix_ms = nodes[down[cap.limit]].since_unix_ms;
	for (uint32_t i = cap.limit; freeze && i < cap.down; i++) {
		nodes[down[i]].held = true;
		cap.held++;
	}
	free(down);
	return cap;
}
