/* answers.h - the answer sets: for each POOL record, choice and type one RRset block.
 *
 * What a set answers (sets.h) does not change while the plan lives, but for its TTL; status
 * decides which sets there are. Blocks of single nodes are made once, all others when they are first
 * needed. Records whose answers have the same bytes (pool, TTL, length of the owner name and, for
 * services, types and target are the same: the owner name itself is not in a block) share one
 * list. A record has a list for its own pool and for each that may stand in for it. */
#ifndef STEER_ANSWERS_H
#define STEER_ANSWERS_H

#include "steer/blocks.h"

/* What is answered now for all records alike. */
struct answer_list {
	uint32_t pool;
	uint8_t width; /* how many columns there are: enum steering_column */
	uint8_t has;   /* bits: columns in which a node, or the fallback, has anything */
	uint32_t ttl_s, target_ttl_s;
	uint64_t *at;       /* [choice][column]: offset in the image, 0: NODATA */
	size_t size;        /* how many numbers that are */
	uint64_t image_off; /* scratch of who assembles: where the list stands */

	/* [node, then the fallback][column]: the block of each alone, in `bytes`, plus 1. */
	uint64_t *singles;
	struct block_cache cache;
};

struct answers {
	struct buf bytes; /* all blocks, as they stand in the image at bytes_off */
	uint64_t bytes_off;
	struct answer_list *lists;
	uint32_t list_count, list_cap;
	uint32_t *firsts;       /* [record]: its first place in record_lists; one more at the end */
	uint32_t *record_lists; /* of each record: of its own pool, then of each of its links */
	uint32_t *link_firsts;  /* [pool]: its first place in links; one more at the end */
	uint32_t *links;        /* of each pool: those that may stand in for it, also by others */
	uint32_t link_count, link_cap;
};

/* bytes_off: a multiple of 8. On failure *answers is to be closed all the same. */
int answers_open(struct answers *answers, const struct image *plan, const struct pool *pools,
		 uint64_t bytes_off, struct err *err);
void answers_close(struct answers *answers);

/* Sets the lists of one pool, after its sets were made. ttls[node of the pool]: how long its
 * answers hold at most, since a verdict on it is near; 0: as long as the record says. */
void answers_update(struct answers *answers, const struct pool *pool, const struct sets *sets,
		    const uint32_t *ttls);

/* Drops what is used no more when that is most of the bytes. To be called before lists and bytes
 * are put into an image: it moves blocks. */
void answers_tidy(struct answers *answers);

/* The pools that may stand in for one, directly or through others: backup, fallback, fences'. NULL:
 * none may. */
static inline const uint32_t *answers_links(const struct answers *answers, uint32_t pool,
					    uint32_t *count)
{
	*count = answers->link_firsts[pool + 1] - answers->link_firsts[pool];
	return *count > 0 ? answers->links + answers->link_firsts[pool] : NULL;
}

/* Numbers of the lists of a record: of its own pool, then of each pool of answers_links. */
static inline const uint32_t *answers_lists(const struct answers *answers, uint32_t record)
{
	return answers->record_lists + answers->firsts[record];
}

#endif
