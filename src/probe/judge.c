/* What a node's checks say of it. */
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "probe/prober_parts.h"

/* What a plan check says of its node. */
static int32_t verdict_of(const struct round *round, uint32_t use)
{
	const struct pretence *pretence = &round->pretences[use];

	return pretence->is ? pretence->verdict : round->check_of[use]->verdict;
}

static const struct plan_node *node_of(const struct round *round, uint32_t number)
{
	return &plan_items(&round->plan, nodes, struct plan_node)[number];
}

/* Nodes that are names alone have no addresses: whatever their checks look at counts. */
static uint8_t families_of(const struct round *round, const struct plan_node *node)
{
	const struct ip_address *addresses = plan_items(&round->plan, addresses, struct ip_address);
	uint8_t families = 0;

	for (uint32_t i = 0; i < node->addresses.count; i++)
		families |= addresses[node->addresses.first + i].family == IP_V4 ? FAMILY_V4
										 : FAMILY_V6;
	return families != 0 ? families : FAMILIES_ALL;
}

/* Valid until the next node is looked at. */
static struct verdict_votes votes_of(const struct round *round, const struct plan_node *node)
{
	const struct plan_check *uses = plan_items(&round->plan, checks, struct plan_check);
	const struct plan_pool *pool = &plan_items(&round->plan, pools,
						   struct plan_pool)[node->pool];
	struct verdict_votes votes = { .list = round->votes,
				       .require = pool->require,
				       .families = families_of(round, node) };

	for (uint32_t use = node->checks.first; use < node->checks.first + node->checks.count;
	     use++) {
		const struct check *check = round->check_of[use];
		int32_t verdict = verdict_of(round, use);

		if ((round_roles(&round->plan, use) & PROBE_HEALTH) == 0)
			continue;
		round->voters[votes.count] = use;
		round->votes[votes.count++] = (struct verdict_vote){
			.probe = uses[use].probe,
			.judges = uses[use].judges,
			.warned = check->warned && verdict > 0,
			.verdict = verdict,
			.within_ms = verdict_within_ms(verdict, check->key.fall,
						       check->key.interval_ms,
						       check->key.timeout_ms),
		};
	}
	return votes;
}

static bool is_pretended(const struct round *round, const struct plan_node *node)
{
	return node->checks.count > 0 && round->pretences[node->checks.first].down;
}

/* `last`: the check that made us ask, or NULL. */
static void set_reason(const struct round *round, const struct plan_node *node,
		       const struct verdict_votes *votes, const struct check *last,
		       struct node_state *state)
{
	uint32_t cause = verdict_cause(votes, state->down_families);
	char text[CHECK_TEXT_SIZE] = "it has no probes";

	if (is_pretended(round, node))
		(void)snprintf(text, sizeof(text), "drill");
	else if (cause < votes->count)
		check_text(round->check_of[round->voters[cause]], text);
	else if (last != NULL)
		check_text(last, text);
	else if (votes->count > 0)
		check_text(round->check_of[round->voters[0]], text);
	_Static_assert(sizeof(state->reason) >= sizeof(text), "the text of a check fits");
	memcpy(state->reason, text, sizeof(text));
}

/* A probe that has failed or warned does not take the node down, but is worth a look. */
static bool is_degraded(const struct verdict_votes *votes, const struct node_state *state)
{
	return state->status == NODE_UP &&
	       (state->down_families != 0 || verdict_cause(votes, 0) < votes->count);
}

/* What its agents ask for, and how long it is held down. */
static void note_more(const struct round *round, const struct verdict_votes *votes,
		      struct node_state *state)
{
	bool asked = false;

	state->wish = WISH_NONE;
	state->weight_percent = 100;
	state->flap_rise = 0;
	for (uint32_t i = 0; i < votes->count; i++) {
		const struct check *check = round->check_of[round->voters[i]];

		if (check->wish > state->wish)
			state->wish = check->wish;
		if (check->has_weight && (!asked || check->weight_percent < state->weight_percent))
			state->weight_percent = check->weight_percent;
		asked |= check->has_weight;
		if (votes->list[i].verdict < 0 && check->rise > check->key.rise &&
		    check->rise > state->flap_rise)
			state->flap_rise = check->rise;
	}
}

static bool is_known(const struct verdict_votes *votes)
{
	return votes->count == 0 || verdict_families(votes).pending != votes->families;
}

/* Families that are down while the node is not. */
static uint8_t down_beside(const struct node_state *state)
{
	return state->status == NODE_DOWN ? 0 : state->down_families;
}

static void step_state(const struct round *round, const struct verdict_votes *votes,
		       struct node_state *state)
{
	enum node_status from = state->status;
	uint8_t down = down_beside(state);

	state->status = verdict_node(from, votes, &state->down_families);
	if (down_beside(state) != down)
		state->families_since_unix_ms = clock_unix_ms();
	if (is_known(votes))
		state->adopted = false;
	state->degraded = is_degraded(votes, state);
	state->verdict_within_ms = state->status == NODE_DOWN
					   ? 0
					   : verdict_soonest_ms(votes, state->down_families);
	note_more(round, votes, state);
	if (state->status == from)
		return;
	state->since_unix_ms = clock_unix_ms();
	state->recovered_mono_ms = from == NODE_DOWN && state->status == NODE_UP ? clock_mono_ms()
										 : 0;
}

bool node_state_differs(const struct node_state *a, const struct node_state *b)
{
	return a->status != b->status || a->down_families != b->down_families ||
	       a->degraded != b->degraded || a->wish != b->wish;
}

static bool is_as_told(const struct node_state *a, const struct node_state *b)
{
	return !node_state_differs(a, b) && a->weight_percent == b->weight_percent;
}

/* What there is to say of the check whose result made us ask. */
enum news {
	NOTHING,
	REPEATED, /* it has failed or warned again, perhaps for another reason */
	TURNED,   /* its verdict is another one */
};

static bool is_cause(const struct round *round, const struct verdict_votes *votes,
		     const struct node_state *state, const struct check *check)
{
	uint32_t cause = verdict_cause(votes, state->down_families);

	return cause < votes->count && round->check_of[round->voters[cause]] == check;
}

/* `last`: that check; NULL: the plan made us ask. */
static void judge_node(struct prober *prober, uint32_t number, const struct check *last,
		       enum news news)
{
	const struct round *round = &prober->round;
	const struct plan_node *node = node_of(round, number);
	const struct verdict_votes votes = votes_of(round, node);
	struct node_state *state = &round->states[number];
	const struct node_state before = *state;
	bool told, fresh;

	step_state(round, &votes, state);
	told = is_as_told(&before, state);
	fresh = news == TURNED || (news == REPEATED && is_cause(round, &votes, state, last));
	if (is_known(&votes) && (!told || (fresh && (state->status != NODE_UP || state->degraded))))
		set_reason(round, node, &votes, last, state);
	if (!told)
		prober->tell.changed(prober->tell.context, number, &before, state);
}

static void note_result(struct node_state *state, const struct check *check)
{
	state->checked_unix_ms = check->checked_unix_ms;
	if (check->rtt_us != 0)
		state->rtt_us = check->rtt_us;
}

static void note_measure(struct measure *measure, const struct check *check,
			 const struct probe_result *result)
{
	bool failed = result->reach == REACH_AS_OUTCOME ? result->outcome == PROBE_FAILURE
							: result->reach == REACH_LOST;

	measure_add(measure, failed, result->rtt_us != 0 ? result->rtt_us : check->rtt_us);
}

/* One result more for a verdict that stands beside the check's own. */
static void step_pretence(struct pretence *pretence, const struct check *check, bool success)
{
	bool down = check->started_us < pretence->since_us ? !pretence->down : pretence->down;

	pretence->verdict = verdict_step(pretence->verdict, success && !down, check->key.fall,
					 check->rise);
	pretence->is = pretence->down || pretence->verdict != check->verdict;
}

static void judge_use(struct prober *prober, uint32_t use, int32_t before,
		      const struct probe_result *result)
{
	const struct round *round = &prober->round;
	const struct check *check = round->check_of[use];
	uint32_t node = plan_items(&round->plan, checks, struct plan_check)[use].node;
	struct pretence *pretence = &round->pretences[use];
	int32_t was = pretence->is ? pretence->verdict : before;
	int32_t is;

	if (pretence->is)
		step_pretence(pretence, check, result->outcome != PROBE_FAILURE);
	is = verdict_of(round, use);
	note_result(&round->states[node], check);
	note_measure(&round->states[node].measure, check, result);
	judge_node(prober, node, check,
		   (was > 0) != (is > 0) || was == 0  ? TURNED
		   : result->outcome != PROBE_SUCCESS ? REPEATED
						      : NOTHING);
}

void judge_result(struct check *check, int32_t before, const struct probe_result *result)
{
	struct prober *prober = (struct prober *)check->engine;
	const struct round *round = &prober->round;
	const struct plan_check *uses = plan_items(&round->plan, checks, struct plan_check);

	for (uint32_t use = check->first_use; use != NO_USE; use = round->next_use[use]) {
		uint8_t roles = round_roles(&round->plan, use);

		if ((roles & PROBE_HEALTH) != 0)
			judge_use(prober, use, before, result);
		if (prober->tell.reading != NULL)
			prober->tell.reading(
				prober->tell.context, uses[use].node, uses[use].probe,
				(roles & PROBE_HEALTH) != 0 &&
					(verdict_of(round, use) < 0 || check_is_frozen(check)),
				result);
	}
	for (size_t f = 0; f < DOUBT_FAMILIES; f++) {
		if (prober->engine.doubts.of[f].wanted)
			references_want(&prober->references[f]);
	}
}

void judge_check(struct prober *prober, struct check *check)
{
	const struct round *round = &prober->round;
	const struct plan_check *uses = plan_items(&round->plan, checks, struct plan_check);

	for (uint32_t use = check->first_use; use != NO_USE; use = round->next_use[use])
		judge_node(prober, uses[use].node, check, TURNED);
}

/* A node that is new may have checks that others had before. */
static void note_known(const struct round *round, const struct plan_node *node,
		       struct node_state *state)
{
	for (uint32_t i = 0; i < node->checks.count; i++) {
		uint32_t use = node->checks.first + i;
		const struct check *check = round->check_of[use];

		if ((round_roles(&round->plan, use) & PROBE_HEALTH) != 0 &&
		    check->checked_unix_ms > state->checked_unix_ms)
			note_result(state, check);
	}
}

void judge_all(struct prober *prober)
{
	const struct round *round = &prober->round;

	for (uint32_t i = 0; i < plan_count(&round->plan, nodes); i++) {
		note_known(round, node_of(round, i), &round->states[i]);
		judge_node(prober, i, NULL, TURNED);
	}
}
