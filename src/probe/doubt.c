#include "probe/doubt.h"

#include <stddef.h>

/* Tests that go unanswered, and in which hardly a target says anything, before verdicts go on. */
#define UNSURE_MAX 5

/* So many that fail are a reason to doubt. */
static uint32_t least(const struct doubt *doubt)
{
	return doubt->targets < DOUBT_MIN && doubt->targets > 0 ? doubt->targets : DOUBT_MIN;
}

void doubt_restart(struct doubt *doubt)
{
	doubt->watch++;
	doubt->failing = doubt->fine = 0;
	doubt->wanted = doubt->frozen;
}

static void count_success(struct doubt *doubt, struct doubt_target *target,
			  struct doubt_check *check)
{
	if (check->counted && --target->failing == 0)
		doubt->failing--;
	check->counted = false;
	if (target->failing == 0 && !target->fine) {
		target->fine = true;
		doubt->fine++;
	}
}

static void count_failure(struct doubt *doubt, struct doubt_target *target,
			  struct doubt_check *check)
{
	if (check->counted)
		return;
	check->counted = true;
	if (target->failing++ > 0)
		return;
	doubt->failing++;
	if (target->fine)
		doubt->fine--;
	target->fine = false;
}

/* A success is true whatever else fails. */
static void note_row(uint64_t clears, struct doubt_check *check, const struct flap *flap,
		     bool success, uint64_t started_us)
{
	if (check->clears != clears || !check->in_row)
		check->saved = *flap;
	check->clears = clears;
	if (!success && !check->in_row)
		check->since_us = started_us;
	check->in_row = !success;
	check->held = check->held && !success;
}

bool doubt_sees(struct doubt *doubt, struct doubt_target *target, struct doubt_check *check,
		const struct flap *flap, bool success, uint64_t started_us)
{
	note_row(doubt->clears, check, flap, success, started_us);
	if (doubt->share_percent == 0)
		return true;
	if (check->watch != doubt->watch)
		check->counted = false;
	check->watch = doubt->watch;
	if (target->watch != doubt->watch)
		*target = (struct doubt_target){ .watch = doubt->watch };
	if (success)
		count_success(doubt, target, check);
	else if (flap->verdict >= 0) /* who was down before says nothing */
		count_failure(doubt, target, check);
	if (doubt->failing >= least(doubt))
		doubt->wanted = true;
	return !doubt->frozen;
}

static bool is_clear(const struct doubt *doubt, const struct doubt_check *check)
{
	return doubt->share_percent == 0 || doubt->cleared_us >= check->since_us;
}

/* `first`: it would be its first verdict, and what was known before is of another process. */
static bool is_in_doubt(const struct doubt *doubt, const struct doubt_check *check, bool first)
{
	return !is_clear(doubt, check) &&
	       (first || doubt->failing >= least(doubt) || doubt->unsure > 0 || check->held);
}

bool doubt_holds(struct doubt *doubt, struct doubt_check *check, const struct flap *flap)
{
	check->held = is_in_doubt(doubt, check, flap->verdict == 0);
	doubt->wanted |= !is_clear(doubt, check);
	return check->held;
}

bool doubts_see(const struct doubts *doubts, struct doubt_check *check, const struct flap *flap,
		bool success, uint64_t started_us)
{
	note_row(doubts->clears, check, flap, success, started_us);
	return !doubts_frozen(doubts);
}

/* A family that is frozen says nothing of it any more; the other one does. */
bool doubts_hold(struct doubts *doubts, struct doubt_check *check, const struct flap *flap)
{
	bool held = false;

	check->held = false;
	for (size_t i = 0; i < DOUBT_FAMILIES; i++) {
		struct doubt *doubt = &doubts->of[i];

		if (doubt->targets == 0 || doubt->frozen)
			continue;
		held |= is_in_doubt(doubt, check, flap->verdict == 0);
		doubt->wanted |= !is_clear(doubt, check);
	}
	check->held = held;
	return held;
}

bool doubts_frozen(const struct doubts *doubts)
{
	bool frozen = false;

	for (size_t i = 0; i < DOUBT_FAMILIES; i++) {
		const struct doubt *doubt = &doubts->of[i];

		if (doubt->share_percent == 0 || doubt->targets == 0)
			continue;
		if (!doubt->frozen)
			return false;
		frozen = true;
	}
	return frozen;
}

static bool most_fail(const struct doubt *doubt)
{
	uint64_t all = (uint64_t)doubt->failing + doubt->fine;

	return doubt->failing >= least(doubt) &&
	       doubt->failing * 100ULL >= all * doubt->share_percent;
}

static enum doubt_change clear(struct doubt *doubt, uint64_t began_us, enum doubt_change change)
{
	doubt->frozen = false;
	doubt->unsure = 0;
	doubt->cleared_us = began_us;
	doubt->clears++;
	doubt_restart(doubt);
	return change;
}

/* Where nothing has come in since the last test, nothing is known. */
static enum doubt_change test_frozen(struct doubt *doubt, uint64_t began_us, bool answered)
{
	if (answered || (doubt->fine >= least(doubt) && !most_fail(doubt)))
		return clear(doubt, began_us, DOUBT_THAWED);
	doubt_restart(doubt);
	return DOUBT_SAME;
}

static enum doubt_change take_test(struct doubt *doubt, uint64_t began_us, bool answered)
{
	bool wanted = doubt->wanted;

	doubt->wanted = false;
	if (doubt->frozen)
		return test_frozen(doubt, began_us, answered);
	if (answered)
		return clear(doubt, began_us, DOUBT_CLEARED);
	if (most_fail(doubt)) {
		doubt->frozen = true;
		return DOUBT_FROZEN;
	}
	if (!wanted)
		return DOUBT_SAME;
	if (doubt->unsure > 0 &&
	    (doubt->unsure == UNSURE_MAX || doubt->failing + doubt->fine >= least(doubt)))
		return clear(doubt, began_us,
			     DOUBT_CLEARED); /* it is the references that are dead */
	if (doubt->unsure == 0)
		doubt_restart(doubt); /* what came in before may be from better times */
	doubt->unsure++;
	doubt->wanted = true;
	return DOUBT_SAME;
}

enum doubt_change doubts_tested(struct doubts *doubts, enum doubt_family family, uint64_t began_us,
				bool answered)
{
	enum doubt_change change = take_test(&doubts->of[family], began_us, answered);

	doubts->clears += change == DOUBT_CLEARED || change == DOUBT_THAWED;
	return change;
}

bool doubt_restore(uint64_t clears, struct doubt_check *check, struct flap *flap)
{
	bool failed = check->in_row;

	check->held = check->in_row = false;
	if (!failed || check->clears != clears)
		return false;
	*flap = check->saved;
	return true;
}
