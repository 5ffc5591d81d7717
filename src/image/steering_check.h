/* steering_check.h - what the parts of steering_verify() share. */
#ifndef IMAGE_STEERING_CHECK_H
#define IMAGE_STEERING_CHECK_H

#include "image/steering.h"

/* Maps of choices are shared by many preferences: the last ones are remembered. */
#define MAPS_KEPT 64

struct kept_map {
	uint64_t offset;
	uint32_t pool;
};

struct steering_check {
	const struct image *image;
	const struct steering_root *root;
	uint32_t *nodes; /* of each table: the highest node in its slots, plus one */
	uint8_t *depth;  /* of each pool: how many in a row begin with it; 0: not known yet */
	uint32_t *seen;  /* of each pool: the record that led to it last, plus one */
	bool *leads;     /* of each pool: some branch leads to another pool */
	struct kept_map *maps;
	uint8_t *blocks; /* a bit for each multiple of 8 at which a verified block starts */
	struct err *err;
};

/* A record's list of answers for the choices of a pool: its own, or one that stands in for it. The
 * record's width fits its types. */
int steering_check_answers(const struct steering_check *check, uint32_t record, uint32_t pool,
			   uint64_t answers_off);

#endif
