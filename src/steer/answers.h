/* answers.h - the answer sets: for each POOL record, choice and type one RRset block.
 *
 * What a node answers never changes while the plan lives, so all blocks are made once; status
 * only decides which of them stands for a choice. Records whose answers have the same bytes
 * (pool, site, TTL, length of the owner name and, for services, types and target are the same: the
 * owner name itself is not in a block) share one list. */
#ifndef STEER_ANSWERS_H
#define STEER_ANSWERS_H

#include "base/mem.h"
#include "steer/pool.h"

/* The blocks of one pool with one TTL for owner names of one length. */
struct answer_blocks {
	uint32_t pool;
	uint8_t width; /* how many columns there are: enum steering_column */
	uint64_t *at;  /* [choice][column]: offset in the image, 0: there is no such answer */
};

/* What is answered now for all records alike. */
struct answer_list {
	uint32_t blocks;    /* number of its struct answer_blocks */
	uint32_t site;      /* of the pool; POOL_NONE: not bound to one */
	uint64_t *at;       /* [choice][column]: offset in the image, 0: NODATA */
	uint64_t image_off; /* scratch of who assembles: where the list stands */
};

struct answers {
	struct buf bytes; /* all blocks, as they stand in the image at bytes_off */
	uint64_t bytes_off;
	struct answer_blocks *blocks;
	uint32_t block_count, block_cap;
	struct answer_list *lists;
	uint32_t list_count, list_cap;
	uint32_t *record_lists; /* the list of each record of the plan */
};

/* bytes_off: a multiple of 8. On failure *answers is to be closed all the same. */
int answers_open(struct answers *answers, const struct image *plan, const struct pool *pools,
		 uint64_t bytes_off, struct err *err);
void answers_close(struct answers *answers);

/* Sets the lists of one pool after pool_update. */
void answers_update(struct answers *answers, const struct pool *pool);

#endif
