/* steering.h - the steering image: for each pool and preference, what is answered now.
 *
 *   POOL record + preference -> table -> slot[hash of the client network] -> choice
 *   POOL record + choice + type -> answer set (an RRset block), copied
 *
 * A choice names nodes, not addresses: A, AAAA, SRV, HTTPS and SVCB of one client name the same
 * node. Compiled by control from the plan and the nodes' status; replaced whole at each verdict. */
#ifndef IMAGE_STEERING_H
#define IMAGE_STEERING_H

#include "image/image.h"
#include "image/pool_types.h"
#include "image/rrset.h"
#include "image/settings.h"

#define STEERING_VERSION 3
#define STEERING_NONE    UINT32_MAX

/* What a record's list of answers has for each choice. The lists of records that answer addresses
 * only have the first STEERING_FAMILIES of them. */
enum steering_column {
	STEERING_A,
	STEERING_AAAA,
	STEERING_FAMILIES,
	STEERING_SRV = STEERING_FAMILIES,
	STEERING_HTTPS,
	STEERING_SVCB,
	/* The addresses of the choice's node, and of no other, for the additional section: their
	 * owner name is the target name in the RDATA of the three above. */
	STEERING_TARGET_A,
	STEERING_TARGET_AAAA,
	STEERING_COLUMNS
};

/* Whose name a service's target is (struct rrset_extra's `node`). */
enum steering_target {
	STEERING_TARGET_SHARED = 1, /* every node's: its addresses are another's elsewhere */
	STEERING_TARGET_NODE = 2,   /* the node's own */
};

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
	uint64_t answers_off; /* uint64_t[choice_count][width]: offset of the block; 0: NODATA */
	uint8_t types;        /* bits of enum pool_type: as at the zones image's node */
	uint8_t width;        /* steering_width(types) */
	uint8_t reserved[6];
};

static inline uint8_t steering_width(uint8_t types)
{
	return (types & POOL_TYPES_SERVICE) != 0 ? STEERING_COLUMNS : STEERING_FAMILIES;
}

/* Of one of enum pool_type's types. */
static inline enum steering_column steering_column(uint16_t type)
{
	static const uint8_t columns[] = {
		[TYPE_A] = STEERING_A,         [TYPE_AAAA] = STEERING_AAAA,
		[TYPE_SRV] = STEERING_SRV,     [TYPE_SVCB] = STEERING_SVCB,
		[TYPE_HTTPS] = STEERING_HTTPS,
	};

	return (enum steering_column)columns[type];
}

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
							enum steering_column column)
{
	const uint64_t *answers = image_at(steering, uint64_t, record->answers_off);
	uint64_t offset = answers[(size_t)choice * record->width + column];

	return offset == 0 ? NULL : image_at(steering, struct rrset_block, offset);
}

int steering_verify(const struct image *steering, struct err *err);

#endif
