#include "probe/verdict.h"

#include <stddef.h>

#define FAMILIES 2

static const uint8_t each_family[FAMILIES] = { FAMILY_V4, FAMILY_V6 };

const char *const node_status_name[] = { "unknown", "up", "down" };

int32_t verdict_step(int32_t verdict, bool success, uint32_t fall, uint32_t rise)
{
	int32_t best = (int32_t)fall;
	int32_t worst = -(int32_t)rise;

	if (verdict == 0)
		return success ? best : worst;
	if (verdict > 0) {
		if (success)
			return best;
		return verdict > 1 ? verdict - 1 : worst;
	}
	if (!success)
		return worst;
	return verdict < -1 ? verdict + 1 : best;
}

uint32_t verdict_within_ms(int32_t verdict, uint32_t fall, uint32_t interval_ms,
			   uint32_t timeout_ms)
{
	uint64_t ms;

	if (verdict <= 0 || (uint32_t)verdict >= fall)
		return 0;
	ms = (uint64_t)(uint32_t)verdict * interval_ms + timeout_ms;
	return ms < UINT32_MAX ? (uint32_t)ms : UINT32_MAX;
}

/* --- families ------------------------------------------------------------------------------ */

static bool judges(const struct verdict_vote *vote, uint8_t family)
{
	return vote->judges == 0 || vote->judges == (family == FAMILY_V4 ? IP_V4 : IP_V6);
}

/* What the checks of one probe say together of one family. */
struct ballot {
	bool cast, down, pending;
	uint32_t within_ms; /* 0: it is down, UINT32_MAX: nothing hints at it */
};

/* Reads the votes of one probe; *at moves to the next one's. */
static struct ballot take_ballot(const struct verdict_votes *votes, uint8_t family, uint32_t *at)
{
	struct ballot ballot = { .within_ms = UINT32_MAX };
	uint32_t probe = votes->list[*at].probe;

	for (; *at < votes->count && votes->list[*at].probe == probe; (*at)++) {
		const struct verdict_vote *vote = &votes->list[*at];

		if (!judges(vote, family))
			continue;
		ballot.cast = true;
		ballot.down |= vote->verdict < 0;
		ballot.pending |= vote->verdict == 0;
		if (vote->within_ms != 0 && vote->within_ms < ballot.within_ms)
			ballot.within_ms = vote->within_ms;
	}
	if (ballot.down)
		ballot.within_ms = 0;
	return ballot;
}

struct count {
	uint32_t probes, down, pending;
};

static struct count count_ballots(const struct verdict_votes *votes, uint8_t family)
{
	struct count count = { 0 };

	for (uint32_t at = 0; at < votes->count;) {
		struct ballot ballot = take_ballot(votes, family, &at);

		count.probes += ballot.cast;
		count.down += ballot.down;
		count.pending += !ballot.down && ballot.pending;
	}
	return count;
}

/* How many of so many probes must be down before the family is. */
static uint32_t downs_needed(const struct verdict_votes *votes, uint32_t probes)
{
	return votes->require == 0 || votes->require > probes ? 1 : probes - votes->require + 1;
}

struct verdict_families verdict_families(const struct verdict_votes *votes)
{
	struct verdict_families said = { 0, 0 };
	uint8_t judged = 0;

	for (size_t f = 0; f < FAMILIES; f++) {
		uint8_t family = each_family[f];
		struct count count = count_ballots(votes, family);
		uint32_t needed = downs_needed(votes, count.probes);

		if (count.probes == 0 || (votes->families & family) == 0)
			continue;
		judged |= family;
		if (count.down >= needed)
			said.down |= family;
		else if (count.down + count.pending >= needed)
			said.pending |= family;
	}
	if (judged != votes->families && judged != FAMILIES_ALL) { /* at most one is judged */
		said.down = said.down != 0 ? votes->families : 0;
		said.pending = judged == 0 || said.pending != 0 ? votes->families : 0;
	}
	return said;
}

enum node_status verdict_node(enum node_status now, const struct verdict_votes *votes,
			      uint8_t *down)
{
	struct verdict_families said = verdict_families(votes);

	if (votes->count == 0) {
		*down = 0;
		return NODE_UNKNOWN;
	}
	if (now == NODE_DOWN)
		*down = votes->families;
	*down = (uint8_t)(said.down | (*down & said.pending));
	if (*down == votes->families)
		return NODE_DOWN;
	return (said.down | said.pending) != votes->families ? NODE_UP : now;
}

/* The soonest time at which as many probes of the family can be down as it takes. */
static uint32_t family_within_ms(const struct verdict_votes *votes, uint8_t family)
{
	struct count count = count_ballots(votes, family);
	uint32_t needed = downs_needed(votes, count.probes);
	uint32_t soonest = UINT32_MAX;

	for (uint32_t at = 0; at < votes->count;) {
		uint32_t within_ms = take_ballot(votes, family, &at).within_ms;
		uint32_t by_then = 0;

		for (uint32_t other = 0; other < votes->count;) {
			struct ballot ballot = take_ballot(votes, family, &other);

			by_then += ballot.cast && ballot.within_ms <= within_ms;
		}
		if (by_then >= needed && within_ms < soonest)
			soonest = within_ms;
	}
	return soonest;
}

uint32_t verdict_soonest_ms(const struct verdict_votes *votes, uint8_t down)
{
	uint32_t soonest = UINT32_MAX;

	for (size_t f = 0; f < FAMILIES; f++) {
		uint8_t family = each_family[f];
		uint32_t within_ms;

		if ((votes->families & ~down & family) == 0)
			continue;
		within_ms = family_within_ms(votes, family);
		if (within_ms != 0 && within_ms < soonest)
			soonest = within_ms;
	}
	return soonest < UINT32_MAX ? soonest : 0;
}

uint32_t verdict_cause(const struct verdict_votes *votes, uint8_t down)
{
	uint32_t any = votes->count, warned = votes->count;

	for (uint32_t i = votes->count; i-- > 0;) {
		const struct verdict_vote *vote = &votes->list[i];

		if (vote->verdict < 0)
			any = i;
		else if (vote->warned)
			warned = i;
	}
	for (uint32_t i = 0; i < votes->count; i++) {
		const struct verdict_vote *vote = &votes->list[i];

		if (vote->verdict < 0 && (((down & FAMILY_V4) != 0 && judges(vote, FAMILY_V4)) ||
					  ((down & FAMILY_V6) != 0 && judges(vote, FAMILY_V6))))
			return i;
	}
	return any < votes->count ? any : warned;
}
