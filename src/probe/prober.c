#include "probe/prober.h"

#include <stdlib.h>
#include <sys/resource.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "probe/prober_parts.h"
#include "probe/web.h"

/* Descriptors that probes leave to the rest of the process. */
#define DESCRIPTORS_RESERVED 128

void prober_apply(struct prober *prober, const struct image *plan, const struct node_state *initial)
{
	references_take(&prober->references, plan);
	if (!prober->engine.doubt.frozen)
		prober->frozen_unix_ms = 0;
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

/* --- doubt --------------------------------------------------------------------------------- */

static void freeze(struct prober *prober)
{
	struct doubt *doubt = &prober->engine.doubt;
	const struct round *round = &prober->round;

	prober->frozen_unix_ms = clock_unix_ms();
	prober->frozen_failing = doubt->failing;
	prober->frozen_of = doubt->failing + doubt->fine;
	for (uint32_t i = 0; i < round->check_count; i++) {
		struct check *check = round->checks[i];

		if (!doubt_restore(doubt, &check->doubt, &check->flap))
			continue;
		check->verdict = check->flap.verdict;
		judge_check(prober, check);
	}
	doubt_restart(doubt);
	log_error("most targets fail at once, and no reference answers: statuses are frozen",
		  "failing=%u of=%u references=%u", prober->frozen_failing, prober->frozen_of,
		  prober->references.count);
}

static void thaw(struct prober *prober)
{
	log_warning("statuses are frozen no longer", "after_ms=%llu answered_by=%s",
		    (unsigned long long)(clock_unix_ms() - prober->frozen_unix_ms),
		    prober->references.answered ? "references" : "targets");
	prober->frozen_unix_ms = 0;
}

static void release(struct prober *prober)
{
	for (uint32_t i = 0; i < prober->round.check_count; i++) {
		struct check *check = prober->round.checks[i];

		if (!check->doubt.held)
			continue;
		if (check->doubt.since_us > prober->engine.doubt.cleared_us) {
			prober->engine.doubt.wanted = true; /* another test */
			continue;
		}
		check_release(check);
		judge_check(prober, check);
	}
}

static void on_doubt(void *context, enum doubt_change change)
{
	struct prober *prober = context;

	switch (change) {
	case DOUBT_FROZEN: freeze(prober); break;
	case DOUBT_THAWED: thaw(prober); break;
	case DOUBT_CLEARED: release(prober); break;
	case DOUBT_SAME: break;
	}
}

struct prober_doubt prober_doubt(const struct prober *prober)
{
	const struct references *references = &prober->references;

	return (struct prober_doubt){ .references = references->count,
				      .silent = references->silent,
				      .tested_unix_ms = references->tested_unix_ms,
				      .frozen_unix_ms = prober->frozen_unix_ms,
				      .failing = prober->frozen_failing,
				      .targets = prober->frozen_of };
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
	references_open(&prober->references, &prober->engine, on_doubt, prober);
	*out = prober;
	return 0;
}

void prober_close(struct prober *prober)
{
	if (prober == NULL)
		return;
	references_close(&prober->references);
	once_close(prober);
	for (uint32_t i = 0; i < prober->round.check_count; i++)
		check_end(prober->round.checks[i]);
	engine_close(&prober->engine);
	web_close(prober->web);
	round_free(&prober->round);
	free(prober);
}
