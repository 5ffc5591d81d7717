/* table.h - one consistent-hash table: slots, each with the choice that its clients get.
 *
 * The base table is Maglev's (Eisenbud et al., "Maglev: a fast and reliable software network load
 * balancer", NSDI 2016, 3.4), each member's slots in proportion to its weight, and is made from
 * the configuration alone. When members are not usable only their slots are refilled, each slot
 * in its own weighted rendezvous order: nobody else's client moves, and all come back. What a
 * table holds depends on who is usable now, not on how that came about.
 *
 * Pure: no clock, no I/O. The order of the members does not matter to the result. */
#ifndef STEER_TABLE_H
#define STEER_TABLE_H

#include <stdbool.h>
#include <stdint.h>

#define TABLE_SLOTS_MAX 65537U /* a prime */
#define TABLE_NODES_MAX 65535U /* a member is told by 16 bits */

struct table_member {
	uint64_t key;    /* hash of the pool's seed and the node's name */
	uint32_t weight; /* 0..65535; 0: gets slots only when nobody else can */
	uint16_t choice;
};

/* How good a member, or the best of several, is. */
enum table_rank { TABLE_DOWN, TABLE_RESERVE, TABLE_USABLE }; /* reserve: up, weight 0 */

struct table {
	uint32_t member_count, slot_count;
	uint32_t distinct; /* how many choices stand in the slots now */
	struct table_member *members;
	uint16_t *slots; /* slot_count choices: the table as it is now */

	uint16_t *base, *now; /* as members' indexes: with all usable; as it is now */
	bool *usable;         /* of each member, now */
	uint8_t rank;         /* enum table_rank: the best of the members, at the last update */
	uint16_t *by_weight;  /* members' indexes, lightest first */
};

/* How many slots for so many members: the next prime above 100 times as many, at most 65,537. */
uint32_t table_size(uint32_t member_count);

/* All members usable. 1 to 65,535 members, which are copied. */
struct table *table_new(uint64_t seed, const struct table_member *members, uint32_t member_count);
void table_free(struct table *table); /* NULL is fine */

/* up[choice] of each member. Among those up, members with weight 0 are usable only when there is
 * no other; when none is up the table is as if all were. Returns true when a slot changed. */
bool table_update(struct table *table, const bool *up);

#endif
