/* blocks.h - RRset blocks of answers, made when they are first needed and kept while they are used.
 *
 * A cache belongs to one list of answers (answers.h): records whose answers have the same bytes.
 * Its key says what is in a block: column, TTL and nodes, in order. All caches put their blocks
 * into one buffer, which is part of the image; what is no longer in use is left behind when the
 * buffer is made anew (blocks_move). */
#ifndef STEER_BLOCKS_H
#define STEER_BLOCKS_H

#include "base/mem.h"
#include "steer/pool.h"
#include "steer/services.h"
#include "steer/sets.h"

struct block_key {
	uint32_t ttl_s;
	uint8_t column; /* enum steering_column: of a family or a service */
	uint8_t count;
	uint16_t nodes[SET_NODES_MAX]; /* of the pool, in order; the rest is 0 */
	/* Of services: bits of those nodes whose addresses of a family are not told. */
	uint16_t closed[STEERING_FAMILIES];
	uint16_t reserved;
};

struct block_entry {
	struct block_key key;
	uint64_t at;    /* in the buffer, plus 1; 0: no entry */
	uint32_t round; /* when it was needed last */
};

struct block_cache {
	const struct plan_record *record; /* one of those whose blocks these are */
	const struct pool *pool;          /* whose nodes answer */
	struct block_entry *entries;      /* a hash table; its size is a power of 2 */
	uint32_t count, size;
	uint32_t round;
	size_t bytes, live; /* of all its blocks; of those that the round at hand needs */
};

/* What stands behind a node's number; node_count: the pool's fallback addresses. */
struct service_node blocks_node(const struct pool *pool, uint32_t node);

/* Appends a block to `bytes`. *at: where it is, plus 1; 0: there is no such answer. -1: it is too
 * large. */
int blocks_make(struct buf *bytes, const struct block_cache *cache, const struct block_key *key,
		uint64_t *at);

/* A new round: what it does not ask for is in use no more. */
void blocks_begin(struct block_cache *cache);

/* The same as blocks_make of what is known to have room, from the cache where it has it. */
uint64_t blocks_get(struct buf *bytes, struct block_cache *cache, const struct block_key *key);

/* Copies a block into another buffer. `moved` has a number for each multiple of 8 of the old one:
 * where the block that stood there is now, plus 1. `at` and the result: plus 1; 0 stays 0. */
uint64_t blocks_move(struct buf *to, const struct buf *from, uint64_t *moved, uint64_t at);

/* The same for all that this round needs; the rest is forgotten. */
void blocks_move_all(struct block_cache *cache, struct buf *to, const struct buf *from,
		     uint64_t *moved);

void blocks_free(struct block_cache *cache);

#endif
