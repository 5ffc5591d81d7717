/* rendezvous.h - weighted rendezvous hashing: of several members, which one a key prefers.
 *
 * Thaler and Ravishankar, "Using name-based mappings to increase hit rates" (1998), with weights
 * as in Schindelhauer and Schomaker, "Weighted distributed hash tables" (2005): the member with
 * the largest -weight / ln(u) wins, u being the hash of key and member as a number in (0, 1).
 * Said the other way round, as here: the one with the smallest -log2(u) / weight. All in integers,
 * so that every server computes the same, whatever its C library. */
#ifndef STEER_RENDEZVOUS_H
#define STEER_RENDEZVOUS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/hash.h"

#define RENDEZVOUS_NONE UINT32_MAX

/* -log2(hash / 2^64) in units of 2^-40: never 0, and never smaller for a smaller hash. */
uint64_t rendezvous_cost(uint64_t hash);

static inline uint64_t rendezvous_hash(uint64_t key, uint64_t member)
{
	return hash_word(key ^ member);
}

/* A member in the race: its hash with the key at hand, what that costs, its weight (not 0). */
struct rendezvous_bid {
	uint64_t cost, hash;
	uint32_t weight;
	uint32_t member; /* RENDEZVOUS_NONE: no bid yet */
};

struct rendezvous_bid rendezvous_bid(uint64_t hash, uint32_t weight, uint32_t member);

/* Cheaper than a bid: false where a member with this hash and weight loses to `best` for certain. */
static inline bool rendezvous_could_win(uint64_t hash, uint32_t weight,
					const struct rendezvous_bid *best)
{
	uint64_t least = ~hash >> 24; /* -log2(u) is more than 1 - u */

	return best->member == RENDEZVOUS_NONE ||
	       (unsigned __int128)least * best->weight <= (unsigned __int128)best->cost * weight;
}

/* Does a win over b? Equal costs are decided by the hash, so that the order is total. */
bool rendezvous_wins(const struct rendezvous_bid *a, const struct rendezvous_bid *b);

#endif
