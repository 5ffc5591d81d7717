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

/* Addresses of a family that checks judge, each once. */
static uint32_t count_targets(const struct prober *prober, uint8_t family)
{
	const struct round *round = &prober->round;
	uint32_t count = 0;

	for (uint32_t i = 0; i < round->check_count; i++) {
		const struct check *check = round->checks[i];

		if (!check->judges || check->target == NULL || check->key.family != family ||
		    check->target->counted == prober->applied)
			continue;
		check->target->counted = prober->applied;
		count++;
	}
	return count;
}

static void doubt_anew(struct prober *prober)
{
	static const uint8_t family[DOUBT_FAMILIES] = { [DOUBT_V4] = IP_V4, [DOUBT_V6] = IP_V6 };

	for (size_t f = 0; f < DOUBT_FAMILIES; f++) {
		references_take(&prober->references[f], &prober->round.plan,
				count_targets(prober, family[f]));
		if (!prober->engine.doubts.of[f].frozen)
			prober->frozen[f].since_unix_ms = 0;
	}
}

void prober_apply(struct prober *prober, const struct image *plan, const struct node_state *initial)
{
	round_begin(prober, plan, initial);
	prober->applied++;
	doubt_anew(prober);
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

		if (pretence->down == down)
			continue;
		if (!pretence->is)
			pretence->verdict = round->check_of[use]->verdict;
		pretence->is = true;
		pretence->down = down;
		pretence->since_us = clock_mono_us();
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

static const char *const family_name[] = { [DOUBT_V4] = "IPv4", [DOUBT_V6] = "IPv6" };

/* All checks of a family (NULL: those without an address) are as they were before they failed. */
static void restore(struct prober *prober, const struct doubt *doubt, uint64_t clears)
{
	const struct round *round = &prober->round;

	for (uint32_t i = 0; i < round->check_count; i++) {
		struct check *check = round->checks[i];

		if (check_doubt(check) != doubt ||
		    !doubt_restore(clears, &check->doubt, &check->flap))
			continue;
		check->verdict = check->flap.verdict;
		judge_check(prober, check);
	}
}

static void freeze(struct prober *prober, enum doubt_family family)
{
	struct doubts *doubts = &prober->engine.doubts;
	struct doubt *doubt = &doubts->of[family];
	struct frozen *frozen = &prober->frozen[family];

	*frozen = (struct frozen){ clock_unix_ms(), doubt->failing, doubt->failing + doubt->fine };
	restore(prober, doubt, doubt->clears);
	doubt_restart(doubt);
	if (doubts_frozen(doubts))
		restore(prober, NULL, doubts->clears);
	log_error("most targets fail at once, and no reference answers: statuses are frozen",
		  "family=%s failing=%u of=%u references=%u", family_name[family], frozen->failing,
		  frozen->of, prober->references[family].count);
}

static void thaw(struct prober *prober, enum doubt_family family)
{
	struct frozen *frozen = &prober->frozen[family];

	log_warning("statuses are frozen no longer", "family=%s after_ms=%llu answered_by=%s",
		    family_name[family],
		    (unsigned long long)(clock_unix_ms() - frozen->since_unix_ms),
		    prober->references[family].answered ? "references" : "targets");
	frozen->since_unix_ms = 0;
}

/* May it go down now? If not, another test will tell. One without an address is held again where the
 * other family is in doubt. */
static bool may_go_down(const struct check *check)
{
	struct doubt *doubt = check_doubt(check);

	if (doubt == NULL || check->doubt.since_us <= doubt->cleared_us)
		return true;
	doubt->wanted = true;
	return false;
}

static void release(struct prober *prober, enum doubt_family family)
{
	const struct doubt *cleared = &prober->engine.doubts.of[family];

	for (uint32_t i = 0; i < prober->round.check_count; i++) {
		struct check *check = prober->round.checks[i];
		const struct doubt *doubt = check_doubt(check);

		if (!check->doubt.held || (doubt != NULL && doubt != cleared) ||
		    !may_go_down(check))
			continue;
		check_release(check);
		judge_check(prober, check);
	}
}

static void on_doubt(void *context, enum doubt_family family, enum doubt_change change)
{
	struct prober *prober = context;

	switch (change) {
	case DOUBT_FROZEN: freeze(prober, family); break;
	case DOUBT_THAWED: thaw(prober, family); break;
	case DOUBT_CLEARED: release(prober, family); break;
	case DOUBT_SAME: break;
	}
}

struct prober_pace prober_pace(const struct prober *prober)
{
	return (struct prober_pace){ lateness_tell(&prober->engine.lateness, clock_mono_us()),
				     prober->engine.counters.passed_over };
}

struct prober_doubt prober_doubt(const struct prober *prober, enum doubt_family family)
{
	const struct references *references = &prober->references[family];
	const struct frozen *frozen = &prober->frozen[family];

	return (struct prober_doubt){ .references = references->count,
				      .borrowed = references->borrowed,
				      .silent = references->silent,
				      .tested_unix_ms = references->tested_unix_ms,
				      .frozen_unix_ms = frozen->since_unix_ms,
				      .failing = frozen->failing,
				      .targets = frozen->of };
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
	for (size_t f = 0; f < DOUBT_FAMILIES; f++)
		references_open(&prober->references[f], &prober->engine, (enum doubt_family)f,
				on_doubt, prober);
	*out = prober;
	return 0;
}

void prober_close(struct prober *prober)
{
	if (prober == NULL)
		return;
	for (size_t f = 0; f < DOUBT_FAMILIES; f++)
		references_close(&prober->references[f]);
	once_close(prober);
	for (uint32_t i = 0; i < prober->round.check_count; i++)
		check_end(prober->round.checks[i]);
	engine_close(&prober->engine);
	web_close(prober->web);
	round_free(&prober->round);
	free(prober);
}
