/* sets.h - answer sets: which nodes of a pool stand together in an answer.
 *
 * A table gives one node, the primary. What it stands for is a *set*: the primary and, in pools
 * with `answers` above 1, its companions and far spares, in order of preference. Each companion
 * wins a weighted rendezvous that is keyed by the primary: over many primaries companions share the
 * load by weight (of few, chance decides), and when a node goes or comes only those sets change that
 * it is, or should be, in.
 *
 * Who can be in a set depends on the clients (fences, avoids, the order of sites), so a set is
 * made in a *context*. Sets that are equal have one number, the choice; that of node n alone is
 * n. Numbers hold until sets_begin. */
#ifndef STEER_SETS_H
#define STEER_SETS_H

#include "steer/draws.h"
#include "steer/order.h"
#include "steer/pool.h"

#define SET_NODES_MAX    PLAN_ANSWERS_MAX
#define SETS_CHOICES_MAX 65536U /* numbers have 16 bits */
#define SET_NODE_NONE    UINT16_MAX
#define SETS_MAP_NONE    UINT32_MAX

/* All numbers are those of the pool. */
struct set {
	uint16_t nodes[SET_NODES_MAX]; /* the primary first; SET_NODE_NONE behind the last */
	/* Of a family that none of them has: the node that answers instead, SET_NODE_NONE:
	 * NODATA. Else SET_NODE_NONE. */
	uint16_t substitutes[STEERING_FAMILIES];
};

/* Some clients' view of the pool. */
struct set_context {
	/* Sites in order of preference, each once, all that are allowed to them; a fenced one is
	 * not here. bands[i]: of sites[i]; never falling. */
	const uint32_t *sites, *bands;
	uint32_t site_count;
	/* [node of the pool]: enum table_rank, as it counts for these clients: TABLE_DOWN where it
	 * is not to be answered to them (as of each node of a site that is not above). A set has
	 * nodes of the primary's rank or better, and, where the primary's site has enough of
	 * these to count (min_nodes), none of a site that has not. */
	const uint8_t *ranks;
	bool usual; /* at each of the sites the ranks are the pool's own */
	/* Whose sites and bands these are: further ones, which few sets need, come from there.
	 * NULL: there are no others. */
	struct order *order;
};

/* From primaries to choices. */
struct set_map {
	uint16_t *choices; /* [node], and behind them the fallback's, which is its own */
	bool *decided;     /* [node]: somebody asked for it; else it is its own choice */
};

struct sets {
	struct pool *pool;
	bool plain; /* each node stands for itself alone in every context: none needs to be asked */

	/* The choices: [0, nodes) each node alone, then that of the fallback (its row has no nodes),
	 * then all others. */
	struct set *list;
	uint32_t count, cap;
	uint32_t left_out; /* sets that got no number since sets_begin: see sets_choice */

	struct set_map *maps;
	uint32_t map_count, map_cap;

	bool substitutes[STEERING_FAMILIES]; /* may a set need one? */
	bool *sites_with[STEERING_FAMILIES]; /* [site]: may a node of it be answered for it? */
	uint32_t *weights;                   /* [node], as of sets_begin */
	struct draws draws;
	uint32_t *index;     /* hash table of the list: number + 1; 0: free */
	uint32_t index_size; /* a power of 2 */
	float **distances;   /* [site][site], in km: a row is made when it is needed */
};

/* The pool must outlive the sets. */
void sets_open(struct sets *sets, struct pool *pool);
void sets_close(struct sets *sets);

/* After pool_take: forgets all choices and maps, and takes the weights of now: [node of the pool], 0..65535; in
 * pools with policy round-robin 1 for all that have any. */
void sets_begin(struct sets *sets, const uint32_t *weights);

/* What a primary stands for in a context. Where all 65,536 numbers are in use it stands for itself
 * alone, and left_out counts it: the caller's to tell. */
uint16_t sets_choice(struct sets *sets, const struct set_context *context, uint16_t primary);

/* The number of a map that is right, in this context, for all of these primaries; SETS_MAP_NONE:
 * each of them stands for itself alone. Contexts that do not contradict each other share
 * maps, so read them when all have been asked for. */
uint32_t sets_map(struct sets *sets, const struct set_context *context, const uint16_t *primaries,
		  uint32_t count);

/* [0, sets_choice_count) are all choices. */
static inline uint32_t sets_choice_count(const struct sets *sets)
{
	return sets->count;
}

/* --- families.c ------------------------------------------------------------------------------ */

/* Sets the substitutes of a set whose nodes are known. */
void set_find_substitutes(struct sets *sets, const struct set_context *context, struct set *set);

#endif
