#include "ctl/simulate_verdict.h"

#define HARDLY     1e-9  /* of capacity or clients: rounding */
#define MORE       0.001 /* of capacity or clients: less than that is nothing more */
#define RECENTLY_S 86400

const char *const verdict_name[] = { "none", "holds", "over", "unknown", "fails" };

static bool gets_more_clients(const struct place *place, enum measure demand)
{
	return place->clients[SIDE_AFTER][demand] >
	       place->clients[SIDE_BEFORE][demand] * (1 + MORE) + HARDLY;
}

static bool is_above(const struct place *place, enum side_number side)
{
	return place->use[side] > place->capacity[side] * (1 + HARDLY) + HARDLY;
}

static bool gets_more_use(const struct place *place)
{
	double before = place->use[SIDE_BEFORE], after = place->use[SIDE_AFTER];

	return after > before + MORE * place->capacity[SIDE_AFTER] ||
	       (is_above(place, SIDE_AFTER) && !is_above(place, SIDE_BEFORE));
}

static bool loses_capacity(const struct place *place)
{
	return place->capacity[SIDE_AFTER] < place->capacity[SIDE_BEFORE] * (1 - HARDLY);
}

/* Clients where nothing is up find no capacity, whatever they use. Where there are none, what is
 * used of nodes that operators took out is that of sessions that end by and by. */
static enum verdict without_capacity(const struct place *place, enum measure demand)
{
	if (place->clients[SIDE_AFTER][demand] <= 0)
		return VERDICT_NONE;
	return gets_more_clients(place, demand) || loses_capacity(place) ? VERDICT_FAILS
									 : VERDICT_OVER;
}

static enum verdict unchanged(const struct place *place)
{
	if (!place->use_known)
		return VERDICT_NONE;
	if (!is_above(place, SIDE_AFTER))
		return VERDICT_HOLDS;
	/* What is supposed to be used is part of what is judged. */
	return place->load_is_supposed ? VERDICT_FAILS : VERDICT_OVER;
}

enum verdict verdict_of_place(const struct place *place, enum measure demand)
{
	if (place->site == NULL)
		return VERDICT_NONE;
	if (place->capacity[SIDE_AFTER] <= 0)
		return without_capacity(place, demand);
	if (!gets_more_clients(place, demand) && !gets_more_use(place) && !loses_capacity(place))
		return unchanged(place);
	if (is_above(place, SIDE_AFTER))
		return VERDICT_FAILS;
	return place->strangers || place->tellers < place->takers ? VERDICT_UNKNOWN : VERDICT_HOLDS;
}

void verdict_add(struct verdict_sum *sum, const struct place *place, enum measure demand,
		 uint64_t now_unix_s)
{
	enum verdict verdict = verdict_of_place(place, demand);

	if (verdict > sum->worst)
		sum->worst = verdict;
	if (place->involved) {
		sum->takers += place->takers;
		sum->tellers += place->tellers;
	}
	if (place->told_at_ms / 1000 + RECENTLY_S >= now_unix_s || place->load_is_supposed)
		sum->reports = true;
}
