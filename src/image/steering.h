/* steering.h - the steering image: for each pool and preference, what is answered now.
 *
 *   POOL record -> preference of the client class -> branch
 *   branch      -> a table | a split: one of several tables or pools | another pool, with the same
 *                  client class, where it begins again | a backup pool, where it has somebody for
 *                  these clients, else what its own pool has instead
 *   table       -> slot[hash of the client network] -> kind -> node -> choice
 *   record or its link to that pool + choice + type -> answer set (an RRset block), copied
 *
 * A choice names nodes, not addresses: A, AAAA, SRV, HTTPS and SVCB of one client name the same
 * nodes. Pools never lead in a circle, and there are at most STEERING_POOLS_MAX in a row. Compiled
 * by control from the plan and the nodes' status; replaced whole at each verdict. */
#ifndef IMAGE_STEERING_H
#define IMAGE_STEERING_H

#include "image/image.h"
#include "image/pool_types.h"
#include "image/rrset.h"
#include "image/settings.h"

#define STEERING_VERSION    8
#define STEERING_NONE       UINT32_MAX
#define STEERING_POOLS_MAX  8   /* in a row */
#define STEERING_LINKS_MAX  255 /* of one record */
#define STEERING_BYTE_KINDS 256 /* of slots: so many are told by a byte */

/* What is answered: of a pool, where its own nodes' status alone decides; of a preference, to its
 * clients, whose fences and avoided nodes count, too. */
enum steering_applied {
	APPLIED_NODES,    /* nodes that are up */
	APPLIED_DRAINING, /* none other is healthy */
	APPLIED_BACKUP,   /* the backup pool */
	/* The fallbacks. */
	APPLIED_ALL,
	APPLIED_LAST_GOOD,
	APPLIED_NEAREST,
	APPLIED_NONE, /* NODATA */
	APPLIED_POOL,
	APPLIED_ADDRESSES,
	APPLIED_FENCED, /* no site is allowed: another pool, or NODATA */
	APPLIED_COUNT
};

extern const char *const steering_applied_name[APPLIED_COUNT]; /* "nodes", "last-good", ... */

/* Kind in the upper two bits, number in the others. */
enum steering_branch { BRANCH_TABLE, BRANCH_SPLIT, BRANCH_POOL, BRANCH_BACKUP };

#define BRANCH_SHIFT 30

/* What a record's list of answers has for each choice. The lists of records that answer addresses
 * only have the first STEERING_FAMILIES of them. */
enum steering_column {
	STEERING_A,
	STEERING_AAAA,
	STEERING_FAMILIES,
	STEERING_SRV = STEERING_FAMILIES,
	STEERING_HTTPS,
	STEERING_SVCB,
	/* The addresses of the choice's nodes, and of no other, at the target name in the RDATA of
	 * the three above that all nodes share: for the additional section. */
	STEERING_TARGET_A,
	STEERING_TARGET_AAAA,
	STEERING_COLUMNS
};

/* Whose name a service's target is (struct rrset_extra's `node`). */
enum steering_target {
	STEERING_TARGET_SHARED = 1, /* every node's: its addresses are another's elsewhere */
	/* The first node's of the pool own; 3 is the second's, and so on. Choice n is node n alone,
	 * so its addresses are what is found there. */
	STEERING_TARGET_NODE = 2,
};

struct steering_root {
	uint64_t serial; /* counts the images of one control process */
	uint32_t pool_count, record_count, table_count, split_count, backup_count;
	uint32_t reserved;
	uint64_t pools_off;   /* struct steering_pool[] */
	uint64_t records_off; /* struct steering_record[] */
	uint64_t tables_off;  /* struct steering_table[] */
	uint64_t splits_off;  /* struct steering_split[] */
	uint64_t backups_off; /* struct steering_backup[] */
	struct dns_settings dns;
};

/* How a pool spreads its clients, and the records of an answer. */
struct steering_spread {
	uint64_t seed;
	uint8_t persistence; /* enum persistence, as in the plan */
	uint8_t persistence_without_ecs;
	uint8_t persistence_v4, persistence_v6;
	uint8_t shuffled; /* 1: the records of an answer stand in random order */
	uint8_t reserved[3];
};

struct steering_pool {
	struct steering_spread spread;
	uint64_t prefs_off; /* struct steering_pref[pref_count] */
	uint32_t pref_count;
	/* A table names the nodes 0 to node_count - 1, and node_count for what stands in for all of
	 * them: fallback addresses or NODATA. */
	uint32_t node_count;
	uint32_t choice_count; /* those that are a node alone, and what stands in, come first */
	uint8_t applied;       /* enum steering_applied */
	uint8_t nobody;        /* 1: all preferences lead to what stands in for all nodes */
	uint8_t reserved[6];
};

/* Half a cache line, with all that the common query needs of the table. */
struct steering_pref {
	uint32_t branch;
	uint8_t applied; /* enum steering_applied */
	uint8_t random;  /* 1: every answer is drawn anew, whatever the pool's persistence */
	/* Where the branch is a table, what stands there, by steering_pref_tell; else 0: */
	uint8_t wide;   /* 1: its codes have 16 bits */
	uint8_t hashed; /* as there */
	/* uint16_t[node_count + 1]: the choice that a table's node stands for; 0: node n is choice n */
	uint64_t choices_off;
	uint64_t codes_off; /* not hashed: 0 */
	uint32_t count;     /* of slots; not hashed: 0 */
	union {
		uint32_t kinds_behind; /* the codes, octets: there the kinds begin */
		uint32_t choice;       /* not hashed: whose answer it is */
	};
};
_Static_assert(sizeof(struct steering_pref) == 32, "two to a cache line");

/* `other` gets the clients whose CUT bits are `cut` or more, so that shares are exact. */
struct steering_slot {
	uint16_t node; /* of a split: a number in its branches */
	uint16_t other;
	uint16_t cut; /* 0 where both are the same */
};

/* Slots are many, and few of them differ: each has the code of its kind. Codes and kinds are less than
 * 4 GiB apart. */
struct steering_slots {
	uint64_t codes_off;  /* [count]: uint8_t where a byte tells all kinds, else uint16_t */
	uint64_t kinds_off;  /* struct steering_slot[kind_count], behind them */
	uint32_t count;      /* 1 or more */
	uint32_t kind_count; /* 1 to 65,536 */
};

struct steering_table {
	struct steering_slots slots;
	uint32_t hashed; /* 1: it has several nodes, so the hash decides (and the scope has the
                            persistence prefix) */
	uint32_t reserved;
};

struct steering_split {
	struct steering_slots slots;
	uint64_t branches_off; /* uint32_t[branch_count]: tables, pools or backups */
	uint32_t branch_count; /* 1 or more */
	uint32_t reserved;
};

/* A backup pool that has nobody for some clients (backup.h tells for whom): they get what the pool
 * before it has `instead`, whose branch leads to no backup again. Where it has somebody for whoever
 * may come, the branch is BRANCH_POOL. */
struct steering_backup {
	uint32_t pool;
	uint32_t reserved;
	struct steering_pref instead;
};

/* What a record answers where another pool stands in for its own. */
struct steering_link {
	uint64_t answers_off; /* as in the record */
	uint32_t pool;
	uint32_t reserved;
};

/* A cache line, with all that the common query needs of the pool. */
struct steering_record {
	uint32_t pool;
	uint32_t reserved;
	struct steering_spread spread; /* the pool's */
	/* struct steering_pref[pref_count of the pool]: the pool's, or those of the one site that
	 * the record is bound to. Where for_all is 1: one only, for whoever asks. */
	uint64_t prefs_off;
	uint64_t answers_off; /* uint64_t[choice_count][width]: offset of the block; 0: NODATA */
	uint64_t links_off;   /* struct steering_link[link_count]: all pools that it may lead to */
	uint8_t link_count;
	uint8_t types; /* bits of enum pool_type: as at the zones image's node */
	uint8_t width; /* steering_width(types) */
	uint8_t for_all;
	/* Bits of enum pool_type: nobody has such a record, whoever is up and whoever asks: none of
	 * the nodes, fallback addresses and pools that may stand in. */
	uint8_t lacks;
	uint8_t by_class; /* 1: the pool has several preferences */
	uint8_t padding[10];
};
_Static_assert(sizeof(struct steering_record) == IMAGE_ALIGN, "a cache line");

static inline uint32_t branch_make(enum steering_branch kind, uint32_t number)
{
	return (uint32_t)kind << BRANCH_SHIFT | number;
}

static inline uint32_t branch_kind(uint32_t branch) /* enum steering_branch */
{
	return branch >> BRANCH_SHIFT;
}

static inline uint32_t branch_number(uint32_t branch)
{
	return branch & ((UINT32_C(1) << BRANCH_SHIFT) - 1);
}

/* Does it lead to another pool, perhaps? */
static inline bool branch_leaves(uint32_t branch)
{
	return branch_kind(branch) >= BRANCH_POOL;
}

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

static inline const struct steering_split *steering_split(const struct image *steering,
							  uint32_t split)
{
	const struct steering_root *root = image_root(steering, struct steering_root);

	return image_at(steering, struct steering_split, root->splits_off) + split;
}

static inline const struct steering_backup *steering_backup(const struct image *steering,
							    uint32_t backup)
{
	const struct steering_root *root = image_root(steering, struct steering_root);

	return image_at(steering, struct steering_backup, root->backups_off) + backup;
}

/* `prefs_off`: of a pool or of a record. */
static inline const struct steering_pref *steering_pref_at(const struct image *steering,
							   uint64_t prefs_off, uint32_t pref)
{
	return image_at(steering, struct steering_pref, prefs_off) + pref;
}

static inline const struct steering_pref *steering_pref(const struct image *steering,
							const struct steering_pool *pool,
							uint32_t pref)
{
	return steering_pref_at(steering, pool->prefs_off, pref);
}

static inline const struct steering_slot *steering_slot(const struct image *steering,
							const struct steering_slots *slots,
							uint32_t number)
{
	uint32_t code = slots->kind_count <= STEERING_BYTE_KINDS
				? image_at(steering, uint8_t, slots->codes_off)[number]
				: image_at(steering, uint16_t, slots->codes_off)[number];

	return image_at(steering, struct steering_slot, slots->kinds_off) + code;
}

/* Who gets the clients with these hash bits. */
static inline uint16_t steering_slot_node(const struct steering_slot *slot, uint16_t cut_bits)
{
	return cut_bits >= slot->cut ? slot->other : slot->node;
}

static inline uint16_t steering_choice(const struct image *steering, uint64_t choices_off,
				       uint16_t node)
{
	return choices_off == 0 ? node : image_at(steering, uint16_t, choices_off)[node];
}

/* Completes a preference with what stands in its table. The image holds that, and the choices. */
void steering_pref_tell(const struct image *steering, struct steering_pref *pref);

/* Where the code of a slot stands, of a preference whose table is hashed. */
static inline const uint8_t *steering_pref_code(const struct image *steering,
						const struct steering_pref *pref, uint32_t number)
{
	return image_at(steering, uint8_t, pref->codes_off) + ((size_t)number << pref->wide);
}

/* What it stands for. */
static inline const struct steering_slot *steering_pref_slot(const struct image *steering,
							     const struct steering_pref *pref,
							     const uint8_t *code)
{
	uint32_t kind = pref->wide == 0 ? *code : *(const uint16_t *)(const void *)code;

	return image_at(steering, struct steering_slot, pref->codes_off + pref->kinds_behind) +
	       kind;
}

/* Where a record's answers stand for the choices of a pool to which it led. */
static inline uint64_t steering_answers_of(const struct image *steering,
					   const struct steering_record *record, uint32_t pool)
{
	const struct steering_link *link = image_at(steering, struct steering_link,
						    record->links_off);

	if (pool == record->pool)
		return record->answers_off;
	while (link->pool != pool)
		link++;
	return link->answers_off;
}

/* Where the offset of an answer stands. `answers_off`: the record's own, or by steering_answers_of. */
static inline const uint64_t *steering_answer_at(const struct image *steering,
						 const struct steering_record *record,
						 uint64_t answers_off, uint16_t choice,
						 enum steering_column column)
{
	return image_at(steering, uint64_t, answers_off) + (size_t)choice * record->width + column;
}

static inline const struct rrset_block *steering_answer(const struct image *steering,
							const struct steering_record *record,
							uint64_t answers_off, uint16_t choice,
							enum steering_column column)
{
	uint64_t offset = *steering_answer_at(steering, record, answers_off, choice, column);

	return offset == 0 ? NULL : image_at(steering, struct rrset_block, offset);
}

int steering_verify(const struct image *steering, struct err *err);

#endif
