/* group.h - sites whose nodes share clients, in one consistent-hash table.
 *
 * A group is a band of a preference as its clients see it: its sites, without fenced ones, who of
 * their nodes is avoided, and whether weights count. Groups are made when a preference first needs them and shared by all
 * whose band is the same. The table is made from the configuration (and an operator's weights)
 * alone; which members have a level in it follows from status, so that a node which goes moves
 * its own clients only. */
#ifndef STEER_GROUP_H
#define STEER_GROUP_H

#include "base/mem.h"
#include "steer/order.h"
#include "steer/pack.h"

#define GROUP_NONE UINT32_MAX

struct group {
	uint32_t *sites;   /* ascending */
	uint16_t *avoided; /* nodes, ascending */
	uint32_t site_count, avoided_count;
	bool equal; /* policy round-robin: all with a weight have the same */
	uint32_t round;
	uint32_t number; /* among those that answer: where their table stands; GROUP_NONE: unused */

	/* As of this round. */
	uint8_t rank;        /* enum table_rank: the best of its nodes */
	bool counts;         /* some site has enough nodes of that rank */
	uint16_t part;       /* of its clients that it keeps; STEER_ALL: all */
	bool levelled;       /* the table is up to date */
	bool last_good;      /* levelled by who was up last */
	uint16_t *levels;    /* [site of the group] */
	uint16_t *primaries; /* nodes that may have clients */
	uint32_t primary_count;

	struct table *table; /* NULL: nobody needed it yet */
	uint32_t *weights;   /* of its members, in the order of the sites' nodes */
	struct pack pack;    /* the table's slots, as images have them */
};

struct groups {
	struct pool *pool;
	const struct groups *older; /* of an older plan's pool, to copy tables from; or NULL */
	struct group *list;
	uint32_t count, cap;
	uint32_t *index; /* hash table: number + 1 */
	uint32_t index_size;
	uint32_t *
		singles; /* [site]: the group of this site alone, none avoided, by weight, plus 1 */
	uint32_t round;  /* counts updates of the pool */
	uint32_t *used;  /* in this round: those whose tables answer, in order of number */
	uint32_t used_count, used_cap;
	uint16_t *levels; /* [node]: scratch */
	struct buf key;   /* scratch */
};

/* The pool must outlive the groups. */
void groups_open(struct groups *groups, struct pool *pool);
void groups_close(struct groups *groups);

/* After pool_take: what groups know of their nodes is out of date. */
void groups_begin(struct groups *groups);

/* The number of the group of some sites (places first, first + 1, ... of the order), with what
 * holds for it now. */
uint32_t groups_find(struct groups *groups, const struct order *order, uint32_t first,
		     uint32_t count);

/* Brings the table up to date: it answers. false: none of its nodes may. Where none is healthy,
 * as the pool's fallback says: all that are enabled, or those that were last good. */
bool groups_use(struct groups *groups, uint32_t number);

/* Where nobody is healthy: whom of the enabled nodes a fallback admits. Bits. */
enum group_admits {
	GROUP_LAST_GOOD = 1, /* who was up last, and is not avoided */
	GROUP_WEIGHTED = 2,  /* who is not in reserve */
};

/* Is there such a node in the group? */
bool groups_admit(const struct groups *groups, uint32_t number, enum group_admits who);

#endif
