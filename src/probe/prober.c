#include "probe/prober.h"

#include <stdlib.h>
#include <sys/resource.h>

#include "base/mem.h"
#include "probe/prober_parts.h"
#include "probe/web.h"

/* Descriptors that probes leave to the rest of the process. */
#define DESCRIPTORS_RESERVED 128

void prober_apply(struct prober *prober, const struct image *plan, const struct node_state *initial)
{
	round_begin(prober, plan, initial);
	judge_all(prober);
	engine_continue(&prober->engine);
}

void prober_pretend_down(struct prober *prober, uint32_t node, bool down)
{
	const struct round *round = &prober->round;
	const struct plan_range *checks =
		&plan_items(&round->plan, nodes, struct plan_node)[node].checks;

	for (uint32_t use = checks->first; use < checks->first + checks->count; use++) {
		struct pretence *pretence = &round->pretences[use];

		if (down && !pretence->is)
			*pretence = (struct pretence){ true, true, round->check_of[use]->verdict };
		pretence->down = down;
	}
}

struct measure prober_take_measure(struct prober *prober, uint32_t node)
{
	struct measure *measure = &prober->round.states[node].measure;
	struct measure taken = *measure;

	*measure = (struct measure){ 0 };
	return taken;
}

const struct node_state *prober_state(const struct prober *prober, uint32_t node)
{
	return &prober->round.states[node];
}

/* --- lifetime ------------------------------------------------------------------------------ */

static uint32_t descriptors_for_probes(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
		return DESCRIPTORS_RESERVED;
	if (limit.rlim_cur == RLIM_INFINITY || limit.rlim_cur > UINT32_MAX)
		return UINT32_MAX;
	if (limit.rlim_cur < (rlim_t)2 * DESCRIPTORS_RESERVED)
		return limit.rlim_cur > 2 ? (uint32_t)limit.rlim_cur / 2 : 1;
	return (uint32_t)limit.rlim_cur - DESCRIPTORS_RESERVED;
}

int prober_open(struct prober **out, const struct kind_tools *tools,
		const struct prober_callbacks *callbacks, struct err *err)
{
	struct prober *prober = mem_alloc(sizeof(*prober));
	struct kind_tools all = *tools;

	err->text[0] = '\0';
	prober->tell = *callbacks;
	all.web = prober->web = web_open(tools->loop);
	engine_open(&prober->engine, &all, descriptors_for_probes(), judge_result);
	LIST_INIT(&prober->once);
	*out = prober;
	return 0;
}

void prober_close(struct prober *prober)
{
	if (prober == NULL)
		return;
	once_close(prober);
	for (uint32_t i = 0; i < prober->round.check_count; i++)
		check_end(prober->round.checks[i]);
	engine_close(&prober->engine);
	web_close(prober->web);
	round_free(&prober->round);
	free(prober);
}
