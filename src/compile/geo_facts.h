/* geo_facts.h - what the rules, fences and avoids of one pool say of some clients.
 *
 * Where clients are and in which networks they are say facts apart (a location is shared by
 * millions of networks); resolved, both together give what holds: the rule that decides, the
 * policy, and which fences and avoids hold. Each of these is numbered, so that equal ones are one
 * everywhere. */
#ifndef COMPILE_GEO_FACTS_H
#define COMPILE_GEO_FACTS_H

#include "compile/numbering.h"
#include "conf/config.h"

#define FACTS_NO_RULE UINT32_MAX

/* Bits: of each fence whether its clients match, of each whether its `except` does, of each avoid
 * whether it matches. */
struct facts {
	uint32_t rule;     /* of the pool, or FACTS_NO_RULE */
	uint8_t rank;      /* how specific the client of the rule is: enum client_match */
	uint8_t own;       /* in the server's own networks */
	uint8_t is_by_own; /* and no rule is for a network as specific: own_policy holds */
	uint8_t reserved;
	uint64_t bits[];
};

struct resolved {
	uint32_t rule;
	uint8_t policy; /* enum policy */
	uint8_t own;
	uint8_t has_distance; /* the order is by distance where the clients' place is known */
	uint8_t has_nearest;  /* so is who stands in when all is down */
	uint64_t bits[]; /* fences that hold; avoids that do, at the bits that they have in facts */
};

struct pool_facts {
	const struct config_pool *config;
	size_t words, size;        /* of the bits; octets of struct facts and of struct resolved */
	struct numbering facts;    /* 0: nothing matches */
	struct numbering resolved; /* 0: of nothing and nothing */
	struct memo by_pair;
	struct facts *scratch;
	struct resolved *scratch_resolved;
	uint32_t all; /* facts of the clients "all", which hold everywhere */
};

void pool_facts_init(struct pool_facts *pool, const struct config_pool *config);
void pool_facts_free(struct pool_facts *pool);

static inline uint32_t facts_fence_bit(uint32_t fence)
{
	return fence;
}

static inline uint32_t facts_except_bit(const struct config_pool *pool, uint32_t fence)
{
	return (uint32_t)pool->fence_count + fence;
}

static inline uint32_t facts_avoid_bit(const struct config_pool *pool, uint32_t avoid)
{
	return 2 * (uint32_t)pool->fence_count + avoid;
}

static inline bool facts_bit(const uint64_t *bits, uint32_t bit)
{
	return (bits[bit / 64] >> bit % 64 & 1) != 0;
}

static inline void facts_set_bit(uint64_t *bits, uint32_t bit)
{
	bits[bit / 64] |= UINT64_C(1) << bit % 64;
}

/* The facts with a number, copied; until then facts_add of the same pool. */
void facts_get(const struct pool_facts *pool, uint32_t number, struct facts *out);
uint32_t facts_add(struct pool_facts *pool, const struct facts *facts);

/* What holds for clients of whom these are the facts of their location and of their networks. */
uint32_t facts_resolve(struct pool_facts *pool, uint32_t location, uint32_t network);

static inline const struct resolved *facts_resolved(const struct pool_facts *pool, uint32_t number)
{
	return (const struct resolved *)numbering_item(&pool->resolved, number);
}

/* Is this site of the server file allowed, whatever fences hold? */
bool facts_allow(const struct pool_facts *pool, const struct resolved *resolved, uint16_t site);

#endif
