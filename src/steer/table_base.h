/* table_base.h - what table*.c share: how a table is filled from the configuration alone.
 *
 * Members race for each slot, and the slot goes to the first (table_race.c); then who has won more
 * than its quota yields where it was only just ahead, and so ends with its quota to the unit
 * (table_even.c). Only tables with hardly more slots than members are filled in turns
 * (table_turns.c). All in integers, so that every server fills alike. */
#ifndef STEER_TABLE_BASE_H
#define STEER_TABLE_BASE_H

#include "base/hash.h"
#include "steer/table.h"

#define TABLE_NOBODY UINT16_MAX
#define TABLE_WHOLE  65536U /* units of a slot */

/* A member's permutation of the slots: a count, mixed by steps that can be undone (adding,
 * multiplying by odd numbers, folding the upper half onto the lower). Maglev's "from here in steps
 * of so many" is not enough: members whose steps are in a simple relation get in each other's way
 * all along, and one more member then moved up to 22 % more clients than it must. */
struct table_walk {
	uint32_t count, start, factors[3];
};

/* Two members share a slot; the first has the units below `cut`, which may be TABLE_WHOLE. */
struct table_stake {
	int32_t lead; /* of the first over the second: 1 - its time / the other's, TABLE_LEAD_ONE: 1 */
	int32_t gain;           /* how steeply the slot changes hands */
	uint16_t first, second; /* NOBODY: there is no second */
	uint32_t cut;
};

#define TABLE_LEAD_ONE (1 << 24)

/* A base table while it is made. */
struct table_filling {
	const struct table *table;
	uint64_t *quotas;           /* [member], in units */
	struct table_walk *walks;   /* [member] */
	struct table_stake *stakes; /* [slot] */
};

/* The base, of the seed and the members. */
void table_fill_base(struct table *table);

/* keep_from, of the base. */
void table_set_keep_from(struct table *table);

/* The first and the second of each slot. */
void table_race(struct table_filling *f);

/* Cuts all slots so that everybody has its quota; false where that fails (which it did not, as long
 * as there are four times as many slots as members). */
bool table_even(struct table_filling *f);

/* Fills base for any number of members that is not above that of the slots. */
void table_take_turns(struct table_filling *f);

/* The next slot on its way. Each comes once in `slots` calls. */
static inline uint32_t table_walk_on(struct table_walk *walk, uint32_t slots)
{
	uint32_t half = (uint32_t)__builtin_ctz(slots) / 2;
	uint32_t x = walk->start + walk->count++;

	for (unsigned i = 0; i < 3; i++) {
		x = (x * walk->factors[i]) & (slots - 1);
		x ^= x >> half;
	}
	return x;
}

/* By which a cell is drawn lots for. cell 0: a slot's node, 1: its other. */
static inline uint64_t table_cell_key(uint32_t slot, unsigned cell)
{
	return hash_word(slot + ((uint64_t)(cell ^ 1) << 32));
}

#endif
