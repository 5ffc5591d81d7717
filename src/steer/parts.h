/* parts.h - what a struct steer is made of, for those who work on it together. */
#ifndef STEER_PARTS_H
#define STEER_PARTS_H

#include "steer/answers.h"
#include "steer/routes.h"

/* Answer blocks stand first in the image. */
#define STEER_BLOCKS_OFF \
	((IMAGE_ROOT + sizeof(struct steering_root) + IMAGE_ALIGN - 1) & ~(size_t)(IMAGE_ALIGN - 1))

struct steer {
	const struct image *zones, *geo, *plan;
	struct pool *pools;
	struct routes *routes; /* of each pool */
	uint32_t pool_count;
	uint32_t *by_backup; /* pools, each behind its backup */
	bool *changed;       /* [pool]: by the input at hand */
	bool *left;          /* [pool]: whether it leaves clients to nobody has changed */
	struct answers answers;
	uint64_t compiled_unix_s;
	uint64_t serial;
	unsigned secret_count;
	uint8_t secrets[COOKIE_SECRETS_MAX][COOKIE_SECRET_SIZE];
};

/* write.c: all of the image behind its header. */
void steer_write(struct image_writer *writer, struct steer *steer);

#endif
