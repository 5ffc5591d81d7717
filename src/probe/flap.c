#include "probe/flap.h"

#include <math.h>

#include "probe/verdict.h"

static double penalty_at(const struct flap *flap, const struct flap_rules *rules, uint64_t now_us)
{
	double halves = (double)(now_us - flap->at_us) / ((double)rules->half_life_ms * 1000.);

	return flap->penalty * exp2(-halves);
}

/* The penalty of so many doublings: of the first time down none comes, and what is left of a penalty
 * counts as whole from a half on. */
static uint32_t doublings(double penalty)
{
	return penalty < 1.5 ? 0 : (uint32_t)(penalty - 0.5);
}

/* Beyond this penalty nothing grows but the time that it takes to go away. */
static double most(const struct flap_rules *rules)
{
	return 2. + ceil(log2((double)rules->rise_max / rules->rise));
}

uint32_t flap_rise(const struct flap *flap, const struct flap_rules *rules, uint64_t now_us)
{
	uint64_t rise;

	if (rules->half_life_ms == 0 || rules->rise_max <= rules->rise)
		return rules->rise;
	rise = (uint64_t)rules->rise << doublings(penalty_at(flap, rules, now_us));
	return rise < rules->rise_max ? (uint32_t)rise : rules->rise_max;
}

static void add_penalty(struct flap *flap, const struct flap_rules *rules, uint64_t now_us)
{
	double penalty = penalty_at(flap, rules, now_us) + 1.;

	flap->penalty = penalty < most(rules) ? penalty : most(rules);
	flap->at_us = now_us;
}

void flap_step(struct flap *flap, const struct flap_rules *rules, bool success, uint64_t now_us)
{
	int32_t plain = verdict_step(flap->plain, success, rules->fall, rules->rise);
	uint32_t rise;

	if (flap->plain > 0 && plain < 0 && rules->half_life_ms != 0 &&
	    rules->rise_max > rules->rise)
		add_penalty(flap, rules, now_us);
	flap->plain = plain;
	rise = flap_rise(flap, rules, now_us);
	if (flap->verdict < -(int32_t)rise) /* the penalty has shrunk meanwhile */
		flap->verdict = -(int32_t)rise;
	flap->verdict = verdict_step(flap->verdict, success, rules->fall, rise);
}
