/* table.h - one consistent-hash table: slots, each with the choice that its clients get.
 *
 * The base table is made from the configuration alone: what members there are, and their weights.
 * Shares are exact: a slot in which quotas end is cut into two cells (as in Walker's alias tables,
 * "An efficient method for generating discrete random variables", 1977: with no fewer slots than
 * members, two cells a slot are enough). When members are not usable, or only in part, only what
 * they give up is refilled, each cell in its own weighted rendezvous order: nobody else's client
 * moves, and all come back. What a table holds depends on who is usable now, not on how that came
 * about.
 *
 * Where a client is hashed for several tables one behind the other (a split, then the table of a
 * branch), each needs bits of its own, or the second sees a part of its slots only.
 *
 * Pure: no clock, no I/O. The order of the members does not matter to the result. */
#ifndef STEER_TABLE_H
#define STEER_TABLE_H

#include <stdbool.h>
#include <stdint.h>

#include "image/steering.h"

#define TABLE_SLOTS     16384U /* of all but very large tables */
#define TABLE_SLOTS_MAX 65536U
#define TABLE_NODES_MAX 65535U /* a member is told by 16 bits */
#define TABLE_ALL       65535U /* the level of a member that keeps everything */

struct table_member {
	uint64_t key;    /* hash of the pool's seed and the node's name */
	uint32_t weight; /* 0..65535; 0: gets clients only when nobody else can */
	uint16_t choice;
};

/* How good a member, or the best of several, is. Reserve: up, weight 0. Who makes levels tells
 * draining members apart; for the table they are usable or not. */
enum table_rank { TABLE_DOWN, TABLE_DRAINING, TABLE_RESERVE, TABLE_USABLE };

struct table {
	uint64_t seed;
	uint32_t member_count, slot_count;
	uint32_t distinct;            /* how many choices stand in the slots now */
	struct table_member *members; /* as table_sort() has them */
	struct steering_slot *base;   /* of members' indexes: with all usable */
	uint16_t *level;              /* of each member, now */

	/* What is needed once a level is not TABLE_ALL; NULL until then. */
	struct steering_slot *now; /* of members' indexes */
	uint16_t *keep_from;       /* [slot][cell]: the level from which its owner has it */
	/* 2 x slot + cell, by base owner: of member i from cells_end[i - 1] to cells_end[i]. Cell 0
	 * is a slot's node, 1 its other. */
	uint32_t *cells, *cells_end;
	uint32_t *held; /* by each member, cells now */
	uint8_t rank;   /* enum table_rank: the best of the members, at the last update */
};

/* How many slots for so many members: 1 for one, 16,384 for up to 2,048, 65,536 for more. With
 * another number of slots every client is hashed anew. */
uint32_t table_size(uint32_t member_count);

/* All members usable. 1 to 65,535 members, which are copied.
 *
 * Slots are raced for (table_race.c), and then quotas are met with as few changes as that takes
 * (table_even.c). A table with one member more or one less, or one weight changed, is the same but
 * for the share that changed, and a little more, as measured for 2 to 2,048 members of equal,
 * random and very unequal weights, and of one heavy member beside many light ones: at most 0.6
 * percentage points up to 60 members, 1.3 beyond, when one is added, removed, set to 0, halved or
 * doubled. Where the share p of one changes that has,
 * or had, a good part of all, it is up to 0.45 x sqrt(p (1 - p) members / slots), since chance
 * decides how many slots each of the others loses: under 2 points up to 200 members, 7 with 2,000.
 * So a set of members that can be usable together should have one table, with levels for who is
 * not, rather than a table for each part of it.
 *
 * It takes about 1 ms for 2 members, 2 for 50, 4 for 1,000. */
struct table *table_new(uint64_t seed, const struct table_member *members, uint32_t member_count);
void table_free(struct table *table); /* NULL is fine */

/* Into the order in which tables have them. */
void table_sort(struct table_member *members, uint32_t member_count);

/* Whether a new table of these, which are sorted, would have the base of this one: choices may be
 * others. Then table_new_like() makes it, in a tenth of the time; as many members. */
bool table_is_like(const struct table *table, uint64_t seed, const struct table_member *members,
		   uint32_t member_count);
struct table *table_new_like(const struct table *like, const struct table_member *members);

/* A slot as it is now, of choices. */
struct steering_slot table_slot(const struct table *table, uint32_t slot);

/* level[choice] of each member. 0: not usable; TABLE_ALL: it has all that is its own. Between them
 * it keeps that part of it, to half a cell: the same cells at the same level, and at a higher level
 * those and more. What is given up goes to the usable ones by weight x level. Members with weight 0
 * are usable only when there is no other; when none is usable the table is as if all were.
 * Returns true when a slot changed. */
bool table_update(struct table *table, const uint16_t *level);

#endif
