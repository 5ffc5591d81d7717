/* steering.h - the steering image: for each pool and preference, what is answered now.
 *
 *   POOL record + preference -> table -> slot[hash of the client network] -> choice
 *   POOL record + choice + type -> answer set (an RRset block), copied
 *
 * A choice names nodes, not addresses: A and AAAA of one client name the same node. Compiled by
 * control from the plan and the nodes' status; replaced whole at each verdict. */
#ifndef IMAGE_STEERING_H
#define IMAGE_STEERING_H

#include "image/image.h"
#include "image/rrset.h"
#include "image/settings.h"

#define STEERING_VERSION 2
#define STEERING_NONE    UINT32_MAX

enum steering_family { STEERING_A, STEERING_AAAA, STEERING_FAMILIES };

struct steering_root {
	uint64_t serial; /* counts the images of one control process */
	uint32_t pool_count, record_count, table_count;
	uint32_t reserved;
	uint64_t pools_off;   /* struct steering_pool[] */
	uint64_t records_off; /* struct steering_record[] */
	uint64_t tables_off;  /* struct steering_table[] */
	struct dns_settings dns;
};

struct steering_pool {
	uint64_t seed;
	uint64_t pref_tables_off; /* uint32_t[pref_count]: table of each preference */
	uint32_t pref_count;
	/* Node n of the pool is choice n; a fallback other than "all" is one more. */
	uint32_t choice_count;
	uint8_t persistence; /* enum persistence, as in the plan */
	uint8_t persistence_without_ecs;
	uint8_t persistence_v4, persistence_v6;
	uint32_t fallen_back; /* 1: nothing is up, the pool's fallback is being answered */
};

struct steering_table {
	uint64_t slots_off;  /* uint16_t[slot_count]: choice */
	uint32_t slot_count; /* 1 or more */
	uint32_t hashed;     /* 1: it has several choices, so the hash decides (and the scope has
                                 the persistence prefix) */
};

struct steering_record {
	uint32_t pool;
	uint32_t table;       /* of a record bound to one site; STEERING_NONE: by preference */
	uint64_t answers_off; /* uint64_t[choice_count][STEERING_FAMILIES]: offset of the block;
                                  0: NODATA */
};

static inline const struct steering_record *steering_record(const struct image *steering,
							    uint32_t record)
{
	const struct steering_root *root = image_root(steering, struct steering_root);

	return image_at(steering, struct steering_record, root->records_off) + record;
}

static inline const struct steering_pool *steering_pool(const struct image *steering, uint32_t pool)
{
	const struct steering_root *root = image_root(steering, struct steering_root);

	return image_at(steering, struct steering_pool, root->pools_off) + pool;
}

static inline const struct steering_table *steering_table(const struct image *steering,
							  uint32_t table)
{
	const struct steering_root *root = image_root(steering, struct steering_root);

	return image_at(steering, struct steering_table, root->tables_off) + table;
}

static inline uint16_t steering_slot(const struct image *steering,
				     const struct steering_table *table, uint32_t slot)
{
	return image_at(steering, uint16_t, table->slots_off)[slot];
}

static inline const struct rrset_block *steering_answer(const struct image *steering,
							const struct steering_record *record,
							uint16_t choice,
							enum steering_family family)
{
	uint64_t offset = image_at(steering, uint64_t,
				   record->answers_off)[choice * STEERING_FAMILIES + family];

	return offset == 0 ? NULL : image_at(steering, struct rrset_block, offset);
}

int steering_verify(const struct image *steering, struct err *err);

#endif
