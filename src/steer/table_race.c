#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "steer/rendezvous.h"
#include "steer/table_base.h"

/* Each member arrives at all slots, one after the other on its own way: at the k-th at the time
 * -log2(1 - (k + 1/2) / slots) / weight. So its times are those of an exponential clock with its
 * weight for a rate, and the first of a slot is the winner of weighted rendezvous hashing
 * (rendezvous.h) - but the work does not grow with slots x members, as nobody's way is followed
 * further than needed, and shares are nearer to their quotas than with clocks of chance. Who is
 * first depends on each member's key and weight only: one member more moves what it wins, and one
 * less what it had. */

static uint64_t costs[TABLE_SLOTS], more_costs[TABLE_SLOTS_MAX];
static pthread_once_t costs_once = PTHREAD_ONCE_INIT;

static void set_costs(uint64_t *list, uint32_t slots)
{
	unsigned shift = 63 - (unsigned)__builtin_ctz(slots);

	for (uint32_t k = 0; k < slots; k++)
		list[k] = rendezvous_cost(~((2 * (uint64_t)k + 1) << shift));
}

static void set_all_costs(void)
{
	set_costs(costs, TABLE_SLOTS);
	set_costs(more_costs, TABLE_SLOTS_MAX);
}

static const uint64_t *costs_of(uint32_t slots)
{
	(void)pthread_once(&costs_once, set_all_costs);
	return slots == TABLE_SLOTS ? costs : more_costs;
}

struct racing {
	struct table_filling *f;
	const uint64_t *costs; /* [k]: of the k-th arrival, as in rendezvous_cost() */
	uint64_t *pace;        /* [member]: 2^42 / weight; 0: it does not race */
	uint64_t *times;       /* [slot][2]: of the first and the second */
	uint64_t window;
	uint64_t work;    /* steps done so far, and some */
	uint32_t racing;  /* members */
	uint32_t missing; /* slots that have no second */
};

static uint64_t time_of(uint64_t cost, uint64_t pace)
{
	return (uint64_t)((unsigned __int128)cost * pace >> 24);
}

static bool is_before(uint64_t time, uint16_t member, uint64_t than, uint16_t other)
{
	return time != than ? time < than : member < other;
}

static void arrive(struct racing *r, uint32_t slot, uint16_t member, uint64_t time)
{
	struct table_stake *stake = &r->f->stakes[slot];
	uint64_t *times = &r->times[2 * (size_t)slot];

	if (is_before(time, member, times[0], stake->first)) {
		r->missing -= stake->first != TABLE_NOBODY && stake->second == TABLE_NOBODY;
		times[1] = times[0];
		stake->second = stake->first;
		times[0] = time;
		stake->first = member;
	} else if (is_before(time, member, times[1], stake->second)) {
		r->missing -= stake->second == TABLE_NOBODY;
		times[1] = time;
		stake->second = member;
	}
}

/* All arrivals of a member before the end of the window. */
static void advance(struct racing *r, uint16_t member, uint64_t end)
{
	struct table_walk *walk = &r->f->walks[member];
	uint32_t slots = r->f->table->slot_count;

	while (walk->count < slots) {
		uint64_t time = time_of(r->costs[walk->count], r->pace[member]);

		if (time >= end)
			return;
		arrive(r, table_walk_on(walk, slots), member, time);
		r->work++;
	}
}

/* What undoes multiplying by an odd number (Newton's method: bits that are right double). */
static uint32_t inverse(uint32_t odd)
{
	uint32_t x = odd;

	for (unsigned i = 0; i < 4; i++)
		x *= 2 - odd * x;
	return x;
}

/* Arrivals at the slots without a second, one by one. */
static void complete(struct racing *r, uint16_t member, const uint32_t *slots, uint32_t count)
{
	const struct table_walk *walk = &r->f->walks[member];
	uint32_t mask = r->f->table->slot_count - 1;
	uint32_t half = (uint32_t)__builtin_ctz(mask + 1) / 2, undo[3];

	for (unsigned i = 0; i < 3; i++)
		undo[i] = inverse(walk->factors[2 - i]);
	for (uint32_t k = 0; k < count; k++) {
		uint32_t x = slots[k];

		for (unsigned i = 0; i < 3; i++)
			x = ((x ^ x >> half) * undo[i]) & mask;
		x = (x - walk->start) & mask;
		if (x >= walk->count)
			arrive(r, slots[k], member, time_of(r->costs[x], r->pace[member]));
	}
}

static void set_paces(struct racing *r)
{
	const struct table *table = r->f->table;
	uint64_t total = 0;

	for (uint32_t i = 0; i < table->member_count; i++)
		total += table->members[i].weight;
	for (uint32_t i = 0; i < table->member_count; i++) {
		uint32_t weight = total == 0 ? 1 : table->members[i].weight;

		r->pace[i] = weight == 0 ? 0 : (UINT64_C(1) << 42) / weight;
		r->racing += weight != 0;
	}
	r->window = (UINT64_C(1) << 58) / (total == 0 ? table->member_count : total);
}

/* Along their ways until asking everybody about each of the slots that have no second yet takes
 * about as many steps as were taken. (Slots in order take less time than slots by chance.) */
static void run(struct racing *r)
{
	const struct table *table = r->f->table;
	uint32_t *slots = mem_array(table->slot_count, sizeof(*slots)), count = 0;

	r->work = 2 * (uint64_t)table->slot_count;
	for (uint64_t end = r->window; r->work < (uint64_t)r->missing * r->racing;
	     end += r->window) {
		for (uint32_t i = 0; i < table->member_count; i++)
			if (r->pace[i] != 0)
				advance(r, (uint16_t)i, end);
		r->work += table->member_count;
	}
	for (uint32_t slot = 0; slot < table->slot_count; slot++)
		if (r->f->stakes[slot].second == TABLE_NOBODY)
			slots[count++] = slot;
	for (uint32_t i = 0; i < table->member_count; i++)
		if (r->pace[i] != 0)
			complete(r, (uint16_t)i, slots, count);
	free(slots);
}

static void set_lead(const struct racing *r, uint32_t slot)
{
	struct table_stake *stake = &r->f->stakes[slot];
	const uint64_t *times = &r->times[2 * (size_t)slot];

	if (stake->second != TABLE_NOBODY) {
		unsigned lead = (unsigned)__builtin_clzll(times[1]),
			 fold = lead < 24 ? 24 - lead : 0;

		stake->lead = (int32_t)(((times[1] - times[0]) >> fold) * TABLE_LEAD_ONE /
					(times[1] >> fold));
	}
	stake->cut = TABLE_WHOLE;
}

void table_race(struct table_filling *f)
{
	uint32_t slots = f->table->slot_count;
	struct racing r = { .f = f,
			    .costs = costs_of(slots),
			    .pace = mem_array(f->table->member_count, sizeof(*r.pace)),
			    .times = mem_array(2 * (size_t)slots, sizeof(*r.times)),
			    .missing = slots };

	memset(r.times, 0xff, 2 * (size_t)slots * sizeof(*r.times));
	for (uint32_t slot = 0; slot < slots; slot++)
		f->stakes[slot] = (struct table_stake){ .first = TABLE_NOBODY,
							.second = TABLE_NOBODY };
	set_paces(&r);
	run(&r);
	for (uint32_t slot = 0; slot < slots; slot++)
		set_lead(&r, slot);
	free(r.times);
	free(r.pace);
}
