#include "probe/prober.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "base/clock.h"
#include "base/hash.h"
#include "base/mem.h"
#include "probe/engine.h"
#include "probe/schedule.h"
#include "probe/verdict.h"

#define NO_USE UINT32_MAX

/* Descriptors that probes leave to the rest of the process. */
#define DESCRIPTORS_RESERVED 128

/* A verdict beside the check's own, of a node that is pretended to be down, or was: until results
 * have brought the two together again. */
struct pretence {
	bool is; /* there is one */
	bool down;
	int32_t verdict;
};

/* What is made from one plan. A check is used by plan checks; those that use the same one are
 * linked by next_use. */
struct round {
	struct image plan;          /* a copy: the mapping is the caller's; base NULL: none yet */
	struct pretence *pretences; /* by plan check */
	struct node_state *states;  /* by plan node */
	struct check **checks;      /* each once, sorted by key */
	uint32_t check_count;
	struct check **check_of; /* by plan check */
	uint32_t *next_use;      /* by plan check */
};

struct prober {
	struct engine engine; /* first: a check's engine is its prober */
	struct round round;
	prober_changed_fn *changed;
	void *context;
};

/* --- what a node's checks say -------------------------------------------------------------- */

/* What a plan check says of its node. */
static int32_t verdict_of(const struct round *round, uint32_t use)
{
	const struct pretence *pretence = &round->pretences[use];

	return pretence->is ? pretence->verdict : round->check_of[use]->verdict;
}

/* The first check that is down; where there is none, `last`, or any. */
static const struct check *find_cause(const struct round *round, const struct plan_node *node,
				      const struct check *last)
{
	for (uint32_t i = 0; i < node->checks.count; i++) {
		if (verdict_of(round, node->checks.first + i) < 0)
			return round->check_of[node->checks.first + i];
	}
	return last != NULL ? last : round->check_of[node->checks.first];
}

static bool is_pretended(const struct round *round, const struct plan_node *node)
{
	return node->checks.count > 0 && round->pretences[node->checks.first].down;
}

static void set_reason(const struct round *round, const struct plan_node *node,
		       const struct check *last, struct node_state *state)
{
	char text[CHECK_TEXT_SIZE] = "it has no probes";

	if (is_pretended(round, node))
		(void)snprintf(text, sizeof(text), "drill");
	else if (node->checks.count > 0)
		check_text(find_cause(round, node, last), text);
	_Static_assert(sizeof(state->reason) >= sizeof(text), "the text of a check fits");
	memcpy(state->reason, text, sizeof(text));
}

/* Its checks' soonest verdict. */
static uint32_t soonest_ms(const struct round *round, const struct plan_node *node)
{
	uint32_t soonest = 0;

	for (uint32_t i = 0; i < node->checks.count; i++) {
		const struct check *check = round->check_of[node->checks.first + i];
		uint32_t ms = verdict_within_ms(verdict_of(round, node->checks.first + i),
						check->key.fall, check->key.interval_ms,
						check->key.timeout_ms);

		if (ms != 0 && (soonest == 0 || ms < soonest))
			soonest = ms;
	}
	return soonest;
}

static void note_doubt(const struct round *round, uint32_t number)
{
	struct node_state *state = &round->states[number];
	const struct plan_node *node = &plan_items(&round->plan, nodes, struct plan_node)[number];

	state->verdict_within_ms = state->status == NODE_DOWN ? 0 : soonest_ms(round, node);
}

/* `last`: the check whose verdict made us ask, NULL: the plan did. */
static void judge_node(struct prober *prober, uint32_t number, const struct check *last)
{
	const struct round *round = &prober->round;
	const struct plan_node *node = &plan_items(&round->plan, nodes, struct plan_node)[number];
	struct node_state *state = &round->states[number];
	enum node_status from = state->status;
	uint32_t down = 0;
	uint32_t pending = 0;

	for (uint32_t i = 0; i < node->checks.count; i++) {
		int32_t verdict = verdict_of(round, node->checks.first + i);

		down += verdict < 0;
		pending += verdict == 0;
	}
	state->status = verdict_node(from, node->checks.count, pending, down);
	if (down == 0 && pending > 0)
		return; /* it is as it was */
	state->adopted = false;
	if (state->status != from || state->status != NODE_UP)
		set_reason(round, node, last, state);
	if (state->status == from)
		return;
	note_doubt(round, number);
	state->since_unix_ms = clock_unix_ms();
	prober->changed(prober->context, number, from, state);
}

static void note_result(struct node_state *state, const struct check *check)
{
	state->checked_unix_ms = check->checked_unix_ms;
	if (check->rtt_us != 0)
		state->rtt_us = check->rtt_us;
}

/* One result more for a verdict that stands beside the check's own. */
static void step_pretence(struct pretence *pretence, const struct check *check, bool success)
{
	pretence->verdict = verdict_step(pretence->verdict, success && !pretence->down,
					 check->key.fall, check->key.rise);
	pretence->is = pretence->down || pretence->verdict != check->verdict;
}

static void on_result(struct check *check, int32_t before, const struct probe_result *result)
{
	struct prober *prober = (struct prober *)check->engine;
	const struct round *round = &prober->round;
	const struct plan_check *uses = plan_items(&round->plan, checks, struct plan_check);
	bool success = result->outcome != PROBE_FAILURE;

	for (uint32_t use = check->first_use; use != NO_USE; use = round->next_use[use]) {
		struct pretence *pretence = &round->pretences[use];
		int32_t was = pretence->is ? pretence->verdict : before;

		if (pretence->is)
			step_pretence(pretence, check, success);
		note_result(&round->states[uses[use].node], check);
		if (was != verdict_of(round, use))
			note_doubt(round, uses[use].node);
		if ((was > 0) != (verdict_of(round, use) > 0) || was == 0)
			judge_node(prober, uses[use].node, check);
	}
}

/* --- from one plan to the next ------------------------------------------------------------- */

struct wanted {
	struct check_key key;
	uint32_t use; /* plan check */
};

static int compare_wanted(const void *a, const void *b)
{
	const struct wanted *x = a;
	const struct wanted *y = b;
	int order = memcmp(&x->key, &y->key, sizeof(x->key));

	return order != 0 ? order : (x->use > y->use) - (x->use < y->use);
}

static struct check_key key_of(const struct image *plan, uint32_t use)
{
	const struct plan_check *check = &plan_items(plan, checks, struct plan_check)[use];
	const struct plan_probe *probe = &plan_items(plan, probes, struct plan_probe)[check->probe];
	const struct ip_address *source = check->address.family == IP_V6 ? &probe->source_v6
									 : &probe->source_v4;
	struct check_key key = { .kind = probe->kind,
				 .family = check->address.family,
				 .source_family = check->address.family != 0 ? source->family : 0,
				 .port = check->port,
				 .interval_ms = probe->interval_ms,
				 .timeout_ms = probe->timeout_ms,
				 .fall = probe->fall,
				 .rise = probe->rise,
				 .jitter_percent = probe->jitter_percent,
				 .settings_len = probe->settings_len };
	XXH128_hash_t hash = XXH3_128bits(plan->base + probe->settings, probe->settings_len);

	if (key.source_family != 0)
		memcpy(key.source, source->bytes, sizeof(key.source));
	key.settings[0] = hash.low64;
	key.settings[1] = hash.high64;
	memcpy(key.address, check->address.bytes, sizeof(key.address));
	return key;
}

static const void *settings_of(const struct image *plan, uint32_t use)
{
	uint32_t probe = plan_items(plan, checks, struct plan_check)[use].probe;

	return plan->base + plan_items(plan, probes, struct plan_probe)[probe].settings;
}

/* The plan's checks, sorted by key: equal ones side by side. The caller's to free. */
static struct wanted *list_wanted(const struct image *plan)
{
	uint32_t count = plan_count(plan, checks);
	struct wanted *wanted = mem_array(count, sizeof(*wanted));

	for (uint32_t i = 0; i < count; i++)
		wanted[i] = (struct wanted){ key_of(plan, i), i };
	qsort(wanted, count, sizeof(*wanted), compare_wanted);
	return wanted;
}

/* The running check with this key, or NULL. Both lists are sorted: *place only moves on. */
static struct check *find_running(const struct round *old, uint32_t *place,
				  const struct check_key *key)
{
	while (*place < old->check_count) {
		int order = memcmp(&old->checks[*place]->key, key, sizeof(*key));

		if (order == 0)
			return old->checks[(*place)++];
		if (order > 0)
			break;
		check_end(old->checks[(*place)++]);
	}
	return NULL;
}

/* Gives every plan check its check: one that runs already, or (left NULL) a new one to begin.
 * Checks that the new plan has no more are ended. */
static void share_checks(struct round *round, const struct wanted *wanted, struct round *old)
{
	uint32_t count = plan_count(&round->plan, checks);
	uint32_t place = 0;

	for (uint32_t i = 0; i < count; i++) {
		if (i > 0 && memcmp(&wanted[i].key, &wanted[i - 1].key, sizeof(wanted->key)) == 0)
			continue;
		round->checks[round->check_count++] = find_running(old, &place, &wanted[i].key);
	}
	while (place < old->check_count)
		check_end(old->checks[place++]);
}

static void begin_new(struct engine *engine, struct round *round, const struct wanted *wanted)
{
	uint32_t count = plan_count(&round->plan, checks);
	uint32_t fresh = 0;
	uint32_t begun = 0;
	uint32_t at = 0;

	for (uint32_t i = 0; i < round->check_count; i++)
		fresh += round->checks[i] == NULL;
	for (uint32_t i = 0; i < round->check_count; i++) {
		const struct check_key *key = &wanted[at].key;

		if (round->checks[i] == NULL)
			round->checks[i] = check_begin(
				engine, key, settings_of(&round->plan, wanted[at].use),
				schedule_first_us(begun++, fresh, key->interval_ms));
		round->checks[i]->first_use = NO_USE;
		for (; at < count && memcmp(&wanted[at].key, key, sizeof(*key)) == 0; at++) {
			uint32_t use = wanted[at].use;

			round->check_of[use] = round->checks[i];
			round->next_use[use] = round->checks[i]->first_use;
			round->checks[i]->first_use = use;
		}
	}
}

struct named_node {
	const char *pool, *name;
	uint32_t node;
};

static int compare_names(const void *a, const void *b)
{
	const struct named_node *x = a;
	const struct named_node *y = b;
	int order = strcmp(x->pool, y->pool);

	return order != 0 ? order : strcmp(x->name, y->name);
}

/* All nodes of a plan, sorted by "pool/name". The caller's to free. */
static struct named_node *list_names(const struct image *plan)
{
	const struct plan_pool *pools = plan_items(plan, pools, struct plan_pool);
	const struct plan_node *nodes = plan_items(plan, nodes, struct plan_node);
	uint32_t count = plan_count(plan, nodes);
	struct named_node *names = mem_array(count, sizeof(*names));

	for (uint32_t i = 0; i < count; i++)
		names[i] = (struct named_node){ plan_text(plan, pools[nodes[i].pool].name),
						plan_text(plan, nodes[i].name), i };
	qsort(names, count, sizeof(*names), compare_names);
	return names;
}

static void adopt(struct node_state *state, const struct node_state *initial)
{
	if (initial == NULL || initial->status == NODE_UNKNOWN) {
		state->since_unix_ms = clock_unix_ms();
		return;
	}
	*state = *initial;
	state->adopted = true;
}

/* A node's pretences go to the same checks of it in the new plan; to checks that are new where it
 * is pretended to be down. */
static void carry_pretences(struct round *round, const struct plan_range *checks,
			    const struct round *old, const struct plan_range *before)
{
	bool down = before->count > 0 && old->pretences[before->first].down;

	for (uint32_t i = checks->first; i < checks->first + checks->count; i++) {
		struct check_key key = key_of(&round->plan, i);

		round->pretences[i] = (struct pretence){ down, down, 0 };
		for (uint32_t o = before->first; o < before->first + before->count; o++) {
			struct check_key other = key_of(&old->plan, o);

			if (memcmp(&key, &other, sizeof(key)) == 0)
				round->pretences[i] = old->pretences[o];
		}
	}
}

/* Every node of the new plan gets the state it had, or else the one that it is opened with. */
static void carry_states(struct round *round, const struct round *old,
			 const struct node_state *initial)
{
	struct named_node *now = list_names(&round->plan);
	struct named_node *before = old->plan.base != NULL ? list_names(&old->plan) : NULL;
	uint32_t before_count = old->plan.base != NULL ? plan_count(&old->plan, nodes) : 0;
	uint32_t count = plan_count(&round->plan, nodes);
	uint32_t at = 0;

	for (uint32_t i = 0; i < count; i++) {
		uint32_t node = now[i].node;

		while (at < before_count && compare_names(&before[at], &now[i]) < 0)
			at++;
		if (at < before_count && compare_names(&before[at], &now[i]) == 0) {
			const struct plan_node *former = &plan_items(
				&old->plan, nodes, struct plan_node)[before[at].node];

			round->states[node] = old->states[before[at].node];
			carry_pretences(
				round,
				&plan_items(&round->plan, nodes, struct plan_node)[node].checks,
				old, &former->checks);
		} else {
			adopt(&round->states[node], initial != NULL ? &initial[node] : NULL);
		}
	}
	free(now);
	free(before);
}

static void round_free(struct round *round)
{
	free(round->pretences);
	free(round->states);
	free(round->checks);
	free(round->check_of);
	free(round->next_use);
}

/* A node that is new may have checks that others had before. */
static void note_known(const struct round *round, const struct plan_node *node,
		       struct node_state *state)
{
	for (uint32_t i = 0; i < node->checks.count; i++) {
		const struct check *check = round->check_of[node->checks.first + i];

		if (check->checked_unix_ms > state->checked_unix_ms)
			note_result(state, check);
	}
}

static void judge_all(struct prober *prober)
{
	const struct round *round = &prober->round;
	const struct plan_node *nodes = plan_items(&round->plan, nodes, struct plan_node);

	for (uint32_t i = 0; i < plan_count(&round->plan, nodes); i++) {
		note_known(round, &nodes[i], &round->states[i]);
		note_doubt(round, i);
		judge_node(prober, i, NULL);
	}
}

void prober_apply(struct prober *prober, const struct image *plan, const struct node_state *initial)
{
	struct round old = prober->round;
	uint32_t check_count = plan_count(plan, checks);
	struct wanted *wanted = list_wanted(plan);
	struct round round = { .plan = *plan };

	round.pretences = mem_array(check_count, sizeof(*round.pretences));
	round.states = mem_array(plan_count(plan, nodes), sizeof(*round.states));
	round.checks = mem_array(check_count, sizeof(struct check *));
	round.check_of = mem_array(check_count, sizeof(struct check *));
	round.next_use = mem_array(check_count, sizeof(*round.next_use));
	carry_states(&round, &old, initial);
	share_checks(&round, wanted, &old);
	begin_new(&prober->engine, &round, wanted);
	free(wanted);
	prober->round = round;
	round_free(&old);
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

int prober_open(struct prober **out, struct ev_loop *loop, int icmp_v4, int icmp_v6,
		prober_changed_fn *changed, void *context, struct err *err)
{
	struct prober *prober = mem_alloc(sizeof(*prober));

	err->text[0] = '\0';
	prober->changed = changed;
	prober->context = context;
	engine_open(&prober->engine,
		    &(struct kind_tools){ .loop = loop, .icmp_v4 = icmp_v4, .icmp_v6 = icmp_v6 },
		    descriptors_for_probes(), on_result);
	*out = prober;
	return 0;
}

void prober_close(struct prober *prober)
{
	if (prober == NULL)
		return;
	for (uint32_t i = 0; i < prober->round.check_count; i++)
		check_end(prober->round.checks[i]);
	engine_close(&prober->engine);
	round_free(&prober->round);
	free(prober);
}
