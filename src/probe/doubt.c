#include "probe/doubt.h"

#include <stddef.h>

/* Tests that go unanswered, and in which hardly a target says anything, before verdicts go on. */
#define UNSURE_MAX 5

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

static void note_row(struct doubt_check *check, bool success, uint64_t started_us)
{
	if (!success && !check->in_row)
		check->since_us = started_us;
	check->in_row = !success;
	check->held = check->held && !success;
}

bool doubt_sees(struct doubt *doubt, struct doubt_target *target, struct doubt_check *check,
		const struct flap *flap, bool success, uint64_t started_us)
{
	note_row(check, success, started_us);
	if (doubt->share_percent == 0)
		return true;
	if (check->watch != doubt->watch) {
		check->watch = doubt->watch;
		check->counted = false;
		check->saved = *flap;
	}
	if (target != NULL && target->watch != doubt->watch)
		*target = (struct doubt_target){ .watch = doubt->watch };
	if (target != NULL && success)
		count_success(doubt, target, check);
	else if (target != NULL && flap->verdict > 0) /* who was down before says nothing */
		count_failure(doubt, target, check);
	if (doubt->failing >= DOUBT_MIN)
		doubt->wanted = true;
	return !doubt->frozen;
}

bool doubt_holds(struct doubt *doubt, struct doubt_check *check)
{
	check->held = doubt->share_percent != 0 && doubt->cleared_us < check->since_us &&
		      (doubt->failing >= DOUBT_MIN || doubt->unsure > 0 || check->held);
	doubt->wanted |= check->held;
	return check->held;
}

static bool most_fail(const struct doubt *doubt)
{
	uint64_t all = (uint64_t)doubt->failing + doubt->fine;

	return doubt->failing >= DOUBT_MIN && doubt->failing * 100ULL >= all * doubt->share_percent;
}

static enum doubt_change clear(struct doubt *doubt, uint64_t began_us, enum doubt_change change)
{
	doubt->frozen = false;
	doubt->unsure = 0;
	doubt->cleared_us = began_us;
	doubt_restart(doubt);
	return change;
}

/* Where nothing has come in since the last test, nothing is known. */
static enum doubt_change test_frozen(struct doubt *doubt, uint64_t began_us, bool answered)
{
	if (answered || (doubt->fine >= DOUBT_MIN && !most_fail(doubt)))
		return clear(doubt, began_us, DOUBT_THAWED);
	doubt_restart(doubt);
	return DOUBT_SAME;
}

enum doubt_change doubt_tested(struct doubt *doubt, uint64_t began_us, bool answered)
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
	    (doubt->unsure == UNSURE_MAX || doubt->failing + doubt->fine >= DOUBT_MIN))
		return clear(doubt, began_us,
			     DOUBT_CLEARED); /* it is the references that are dead */
	if (doubt->unsure == 0)
		doubt_restart(doubt); /* what came in before may be from better times */
	doubt->unsure++;
	doubt->wanted = true;
	return DOUBT_SAME;
}

bool doubt_restore(const struct doubt *doubt, struct doubt_check *check, struct flap *flap)
{
	check->held = check->in_row = false;
	if (check->watch != doubt->watch)
		return false;
	*flap = check->saved;
	return true;
}
