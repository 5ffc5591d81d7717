#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "steer/table_base.h"

/* Winners of a race have their quotas only about: of q slots, give or take the root of q. Each
 * member gets a handicap, so that all have what they should: a slot changes hands where the second's
 * handicap is smaller than the first's by more than the lead of the first, and is cut where it is so
 * nearly. These handicaps follow little changes of quotas and leads in little steps, and so do the
 * cuts: that is what keeps tables of similar configurations similar. (They are the prices of an
 * optimal transport of slots to quotas. Distances between the first and the second of a slot alone
 * count, as two cells are all that a slot has.) */

#define ROUNDS       40
#define CALM_ROUNDS  60              /* where that is far from enough: */
#define FAR(slots)   ((slots) / 256) /* so many slots are not where they should be */
#define CALM_MAX     12
#define HANDICAP_MAX (INT64_C(16) * TABLE_LEAD_ONE)
#define BEND         (INT64_C(1) << 40) /* lead x gain, from which on a slot is one's wholly */

struct evening {
	struct table_filling *f;
	uint32_t slot_count, member_count;
	int64_t *handicap;
	int64_t *excess; /* units above the quota */
	int64_t *beyond; /* the same, of slots that are not near */
	int64_t reach;
	uint32_t *near, near_count; /* slots */
	uint32_t *wholes;           /* slots that it does not share */
	int64_t *slope;             /* units that change hands with a handicap of 1 */
	struct calm *calm;          /* NULL: not needed yet */
};

/* How a member's steps become shorter. */
struct calm {
	bool above;      /* its quota, the last time */
	unsigned halved; /* so often */
	unsigned same;   /* steps in the same direction since */
};

static uint64_t smaller(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

static int64_t magnitude(int64_t x)
{
	return x < 0 ? -x : x;
}

/* Slots are cut in a band around the point where they change hands. It is as wide as it takes for
 * two slots or so of the lighter member to lie in it: then all is given by and by. */
static void prepare(struct evening *e)
{
	const uint64_t *quotas = e->f->quotas;
	uint64_t all = (uint64_t)e->slot_count * TABLE_WHOLE;

	for (uint32_t slot = 0; slot < e->slot_count; slot++) {
		struct table_stake *stake = &e->f->stakes[slot];

		if (stake->second == TABLE_NOBODY)
			continue;
		stake->gain = (int32_t)(smaller(quotas[stake->first], quotas[stake->second]) / 2);
		if (stake->gain < 1 << 14)
			stake->gain = 1 << 14;
	}
	for (uint32_t i = 0; i < e->member_count; i++) {
		e->slope[i] = (int64_t)(quotas[i] * (all - quotas[i]) / all);
		if (e->slope[i] < TABLE_WHOLE / 10)
			e->slope[i] = TABLE_WHOLE / 10;
	}
}

static uint32_t cut_of(const struct evening *e, const struct table_stake *stake)
{
	int64_t ahead = stake->lead - e->handicap[stake->first] + e->handicap[stake->second];
	int64_t steep = ahead * stake->gain;

	if (steep >= BEND)
		return TABLE_WHOLE;
	if (steep <= -BEND)
		return 0;
	return (uint32_t)(TABLE_WHOLE / 2 + steep / (2 * BEND / TABLE_WHOLE));
}

/* Which slots may be cut or change hands as long as handicaps do not differ by more than `reach`;
 * those beyond are their first's. */
static void set_near(struct evening *e, int64_t reach)
{
	e->reach = reach;
	e->near_count = 0;
	for (uint32_t i = 0; i < e->member_count; i++)
		e->beyond[i] = -(int64_t)e->f->quotas[i];
	for (uint32_t slot = 0; slot < e->slot_count; slot++) {
		struct table_stake *stake = &e->f->stakes[slot];

		stake->cut = TABLE_WHOLE;
		if (stake->second == TABLE_NOBODY || (stake->lead - reach) * stake->gain >= BEND)
			e->beyond[stake->first] += TABLE_WHOLE;
		else
			e->near[e->near_count++] = slot;
	}
}

/* Returns by how many units quotas are missed. */
static uint64_t cut_all(struct evening *e)
{
	uint64_t missed = 0;

	memcpy(e->excess, e->beyond, e->member_count * sizeof(*e->excess));
	for (uint32_t k = 0; k < e->near_count; k++) {
		struct table_stake *stake = &e->f->stakes[e->near[k]];

		stake->cut = cut_of(e, stake);
		e->excess[stake->first] += stake->cut;
		e->excess[stake->second] += TABLE_WHOLE - stake->cut;
	}
	for (uint32_t i = 0; i < e->member_count; i++)
		missed += (uint64_t)magnitude(e->excess[i]);
	return missed;
}

/* Members with a slot or so beside one with thousands go too far each time, and then back: few slots
 * are anywhere near to changing hands between them. So who goes back goes half as far, and who goes
 * on for a while farther again. */
static int64_t calm_down(struct calm *calm, int64_t excess, int64_t way)
{
	if (calm->above != (excess > 0)) {
		calm->above = excess > 0;
		calm->same = 0;
		calm->halved += calm->halved < CALM_MAX;
	} else if (++calm->same == 3) {
		calm->same = 0;
		calm->halved -= calm->halved > 0;
	}
	return way / (INT64_C(1) << calm->halved);
}

static int64_t way_of(const struct evening *e, uint32_t member)
{
	int64_t excess = e->excess[member];
	int64_t way = excess * (TABLE_LEAD_ONE / 2) / e->slope[member];

	return e->calm == NULL ? way : calm_down(&e->calm[member], excess, way);
}

/* Half the way, as it changes for the others at the same time. */
static void adjust(struct evening *e)
{
	int64_t least = HANDICAP_MAX, most = -HANDICAP_MAX;

	for (uint32_t i = 0; i < e->member_count; i++) {
		int64_t handicap = e->handicap[i] + way_of(e, i);

		if (handicap > HANDICAP_MAX)
			handicap = HANDICAP_MAX;
		if (handicap < -HANDICAP_MAX)
			handicap = -HANDICAP_MAX;
		e->handicap[i] = handicap;
		least = handicap < least ? handicap : least;
		most = handicap > most ? handicap : most;
	}
	if (most - least > e->reach)
		set_near(e, 2 * (most - least));
}

static void even_out(struct evening *e)
{
	uint64_t missed = cut_all(e), enough = 4 * (uint64_t)e->member_count;

	for (unsigned round = 0; missed > enough && round < ROUNDS; round++) {
		adjust(e);
		missed = cut_all(e);
	}
	if (missed <= (uint64_t)FAR(e->slot_count) * TABLE_WHOLE)
		return;
	e->calm = mem_array(e->member_count, sizeof(*e->calm));
	for (unsigned round = 0; missed > enough && round < CALM_ROUNDS; round++) {
		adjust(e);
		missed = cut_all(e);
	}
}

/* --- the rest, unit by unit ------------------------------------------------------------------- */

static void move_units(struct evening *e, uint32_t from, uint32_t to, int64_t units)
{
	e->excess[from] -= units;
	e->excess[to] += units;
}

static int64_t units_between(const struct evening *e, uint32_t from, uint32_t to)
{
	return (int64_t)smaller((uint64_t)e->excess[from], (uint64_t)-e->excess[to]);
}

static bool is_cut(const struct table_stake *stake)
{
	return stake->cut != 0 && stake->cut != TABLE_WHOLE;
}

/* Of a slot that is not cut. */
static uint16_t owner_of(const struct table_stake *stake)
{
	return stake->cut != 0 ? stake->first : stake->second;
}

/* In a slot that two have together. */
static void shift_cut(struct evening *e, struct table_stake *stake, uint16_t from, int64_t units)
{
	int64_t cell = stake->first == from ? stake->cut : TABLE_WHOLE - stake->cut;

	if (units > cell)
		units = cell;
	if (stake->first == from) {
		stake->cut -= (uint32_t)units;
		move_units(e, from, stake->second, units);
	} else {
		stake->cut += (uint32_t)units;
		move_units(e, from, stake->first, units);
	}
}

/* One with too much and one with too little. */
static void settle_between(struct evening *e, struct table_stake *stake, uint16_t from, uint16_t to)
{
	if (is_cut(stake) && e->excess[from] > 0 && e->excess[to] < 0)
		shift_cut(e, stake, from, units_between(e, from, to));
}

/* Who has too much and no whole slot to cut leaves it to one who has. Who has too little leaves that to
 * one with more of them: then few are left to whom somebody has to give. */
static void pass_on(struct evening *e, struct table_stake *stake, uint16_t from, uint16_t to)
{
	if (!is_cut(stake) || e->wholes[from] >= e->wholes[to])
		return;
	if (e->excess[from] < 0)
		shift_cut(e, stake, to, -e->excess[from]);
	else if (e->excess[from] > 0 && e->wholes[from] == 0)
		shift_cut(e, stake, from, e->excess[from]);
}

static void settle_cut_slots(struct evening *e)
{
	for (uint32_t slot = 0; slot < e->slot_count; slot++) {
		struct table_stake *stake = &e->f->stakes[slot];

		settle_between(e, stake, stake->first, stake->second);
		settle_between(e, stake, stake->second, stake->first);
	}
	memset(e->wholes, 0, e->member_count * sizeof(*e->wholes));
	for (uint32_t slot = 0; slot < e->slot_count; slot++)
		if (!is_cut(&e->f->stakes[slot]))
			e->wholes[owner_of(&e->f->stakes[slot])]++;
	for (uint32_t slot = 0; slot < e->slot_count; slot++) {
		struct table_stake *stake = &e->f->stakes[slot];

		pass_on(e, stake, stake->first, stake->second);
		pass_on(e, stake, stake->second, stake->first);
	}
}

/* Cuts a slot that is wholly `from`'s. */
static void give_part(struct evening *e, struct table_stake *stake, uint16_t from, uint16_t to,
		      int64_t units)
{
	stake->first = from;
	stake->second = to;
	stake->cut = TABLE_WHOLE - (uint32_t)units;
	move_units(e, from, to, units);
}

/* Takes from the first slots on its way that are wholly somebody's who has too much. */
static void take_parts(struct evening *e, uint16_t member)
{
	struct table_walk *walk = &e->f->walks[member];

	walk->count = 0;
	while (e->excess[member] < 0 && walk->count < e->slot_count) {
		struct table_stake *stake = &e->f->stakes[table_walk_on(walk, e->slot_count)];
		uint16_t owner = owner_of(stake);

		if (!is_cut(stake) && e->excess[owner] > 0)
			give_part(e, stake, owner, member,
				  (int64_t)smaller((uint64_t)units_between(e, owner, member),
						   TABLE_WHOLE));
	}
}

/* A cell of `from` in a cut slot goes to another as it is. */
static void give_cell(struct evening *e, struct table_stake *stake, uint16_t from, uint16_t to)
{
	int64_t units = stake->first == from ? stake->cut : TABLE_WHOLE - stake->cut;

	if (stake->first == from)
		stake->first = to;
	else
		stake->second = to;
	if (stake->first == stake->second)
		stake->cut = TABLE_WHOLE;
	move_units(e, from, to, units);
}

static struct table_stake *find_cell(const struct evening *e, uint16_t of)
{
	for (uint32_t slot = 0; slot < e->slot_count; slot++) {
		struct table_stake *stake = &e->f->stakes[slot];

		if (is_cut(stake) && (stake->first == of || stake->second == of))
			return stake;
	}
	return NULL;
}

static struct table_stake *find_whole(const struct evening *e, uint16_t member)
{
	struct table_walk *walk = &e->f->walks[member];

	for (walk->count = 0; walk->count < e->slot_count;) {
		struct table_stake *stake = &e->f->stakes[table_walk_on(walk, e->slot_count)];

		if (!is_cut(stake))
			return stake;
	}
	return NULL;
}

/* `from` has too much, but no slot of its own. It gives a cell away; if that is more than it has
 * too much, to somebody who has a whole slot, and gets the difference out of that. Every time there
 * is a cell less that is too much or a whole slot less, so this ends. */
static bool give_any(struct evening *e, uint16_t from, uint16_t to)
{
	struct table_stake *stake = find_cell(e, from), *whole;
	int64_t units;
	uint16_t owner;

	if (stake == NULL)
		return false;
	units = stake->first == from ? stake->cut : TABLE_WHOLE - stake->cut;
	if (units <= units_between(e, from, to)) {
		give_cell(e, stake, from, to);
		return true;
	}
	whole = find_whole(e, to);
	if (whole == NULL)
		return false;
	owner = owner_of(whole);
	give_part(e, whole, owner, from, units - units_between(e, from, to));
	give_cell(e, stake, from, owner);
	return true;
}

static bool is_settled(const struct evening *e)
{
	for (uint32_t i = 0; i < e->member_count; i++)
		if (e->excess[i] != 0)
			return false;
	return true;
}

static bool settle(struct evening *e)
{
	uint32_t from = 0, to = 0;

	for (unsigned round = 0; round < 3 && !is_settled(e); round++) {
		settle_cut_slots(e);
		for (uint32_t i = 0; i < e->member_count; i++)
			take_parts(e, (uint16_t)i);
	}
	for (;; from = to = 0) {
		while (from < e->member_count && e->excess[from] <= 0)
			from++;
		while (to < e->member_count && e->excess[to] >= 0)
			to++;
		if (from == e->member_count || to == e->member_count)
			return from == to;
		take_parts(e, (uint16_t)to);
		if (e->excess[to] < 0 && e->excess[from] > 0 &&
		    !give_any(e, (uint16_t)from, (uint16_t)to))
			return false;
	}
}

bool table_even(struct table_filling *f)
{
	uint32_t members = f->table->member_count;
	struct evening e = { .f = f,
			     .slot_count = f->table->slot_count,
			     .member_count = members,
			     .handicap = mem_array(members, sizeof(*e.handicap)),
			     .excess = mem_array(members, sizeof(*e.excess)),
			     .beyond = mem_array(members, sizeof(*e.beyond)),
			     .near = mem_array(f->table->slot_count, sizeof(*e.near)),
			     .wholes = mem_array(members, sizeof(*e.wholes)),
			     .slope = mem_array(members, sizeof(*e.slope)) };
	bool settled;

	prepare(&e);
	set_near(&e, TABLE_LEAD_ONE / 64);
	even_out(&e);
	settled = settle(&e);
	free(e.calm);
	free(e.slope);
	free(e.wholes);
	free(e.near);
	free(e.beyond);
	free(e.excess);
	free(e.handicap);
	return settled;
}
