/* zone_draft.h - one zone between text and image: owner names, RRsets and records, as they come.
 *
 * They are many, and all there is to a large zone is to write them once and to read them once: so
 * they stand back to back in a stretch, refer to each other by places of 32 bits (0: none), and do
 * not move. Of a name there is only what it has in front of the origin. Everything ends with the
 * draft. What one record alone, or with those before it, shows to be wrong is reported when it is
 * added; zone_check.h sees the whole. */
#ifndef COMPILE_ZONE_DRAFT_H
#define COMPILE_ZONE_DRAFT_H

#include <stdbool.h>

#include "base/mem.h"
#include "compile/master_reader.h"
#include "compile/stretch.h"
#include "image/pool_types.h"
#include "wire/name.h"

struct draft_record {
	uint32_t next;
	uint32_t offset, line; /* as in struct master_place */
	uint16_t source, place_len;
	uint16_t len;
	uint8_t data[];
};

/* Its first record follows it. */
struct draft_rrset {
	uint32_t next;  /* by type, ascending */
	uint32_t ttl_s; /* the smallest of its records */
	uint16_t type;
	uint16_t counted; /* DRAFT_COUNT: how many; and what was found out on the way */
};

#define DRAFT_COUNT     0x3fffU
#define DRAFT_TOO_LARGE 0x4000U /* reported once */
#define DRAFT_MIXED_TTL 0x8000U

/* What few owners have. */
struct draft_links {
	uint32_t wildcard; /* "*.<this name>" */
	uint32_t cut;      /* delegation at or above; set by draft_finish */
	uint32_t pool;     /* index in pools + 1 */
};

struct draft_owner {
	uint32_t hash_high, hash_low; /* as in the image (zones.h) */
	uint32_t parent;              /* set by draft_finish */
	uint32_t rrsets;
	uint32_t links;
	uint32_t types;      /* which RRsets it has: draft_type_bit of each */
	uint32_t node;       /* offset in the segment, once it is written */
	uint8_t len, labels; /* of the whole name */
	uint8_t pool_types;  /* of its POOL record; 0: it has none */
	uint8_t flags;       /* DRAFT_PLAIN, DRAFT_SERVES */
	uint8_t front[];     /* what the name has in front of the origin, lower-case wire form */
};

#define DRAFT_PLAIN  1U /* it is known that all its labels are a host's (RFC 1123, 2.1) */
#define DRAFT_SERVES 2U /* an NS record names it; set by zone_check_hosts */

struct draft_pool {
	struct draft_owner *owner;
	const uint8_t *name;     /* the owner's, whole */
	const char *pool, *site; /* site NULL: every site */
	uint32_t ttl_s;
	uint8_t types; /* bits of enum pool_type */
	struct master_place place, data_place, service_place;
};

/* In the table of owners by hash. */
struct draft_slot {
	uint32_t tag;   /* of the hash: its upper half */
	uint32_t owner; /* its place, 0: empty */
};

/* A record that is written down (zone_pack.h), but not yet in the draft. */
struct draft_item {
	uint32_t tag, at; /* upper and lower half of the owner's hash */
	uint32_t owner;   /* place of one that has this record only; 0: that of the item before */
	uint32_t rrset;   /* place of one that has this record only */
	uint16_t type;
	uint8_t labels; /* of the owner */
	bool deep;      /* it is a wildcard, or not right below the origin */
};

/* Octets that an owner and a record take, without the latter's data. */
#define DRAFT_PACKED_MAX                                                              \
	(sizeof(struct draft_owner) + 2 * DNS_NAME_MAX + sizeof(struct draft_rrset) + \
	 sizeof(struct draft_record))

struct zone_draft {
	struct name origin;
	struct master_sources *sources;
	struct stretch *memory; /* of owners, RRsets, records and links */
	struct stretch_part part;
	struct arena arena; /* of what POOL records say */
	uint32_t *owners;   /* places, in order of appearance, the apex first */
	uint32_t owner_count, owner_cap;
	uint32_t *deep; /* places of those that are wildcards, or not right below the origin */
	uint32_t deep_count, deep_cap;
	struct draft_slot *table;   /* open addressing by the hash's lower half */
	uint32_t table_size;        /* a power of two */
	struct draft_owner *latest; /* of the item before */
	struct draft_pool *pools;
	uint32_t pool_count, pool_cap;
	uint32_t record_count;
	uint32_t cut_count; /* owners below the apex that have NS records */
	uint32_t types;     /* of all owners together */
	uint8_t max_labels;
};

/* --- reading it ------------------------------------------------------------------------------- */

/* What is at a place, which is not 0. */
static inline void *draft_at(const struct zone_draft *draft, uint32_t place)
{
	return stretch_at(draft->memory, place);
}

/* NULL: the place is 0. */
static inline void *draft_if_at(const struct zone_draft *draft, uint32_t place)
{
	return place != 0 ? stretch_at(draft->memory, place) : NULL;
}

static inline uint32_t draft_place(const struct zone_draft *draft, const void *of)
{
	return stretch_place(draft->memory, of);
}

static inline struct draft_owner *draft_nth(const struct zone_draft *draft, uint32_t index)
{
	return draft_at(draft, draft->owners[index]);
}

static inline struct draft_owner *draft_apex(const struct zone_draft *draft)
{
	return draft_nth(draft, 0);
}

static inline bool draft_is_apex(const struct zone_draft *draft, const struct draft_owner *owner)
{
	return draft_place(draft, owner) == draft->owners[0];
}

static inline uint64_t draft_owner_hash(const struct draft_owner *owner)
{
	return (uint64_t)owner->hash_high << 32 | owner->hash_low;
}

static inline uint8_t draft_front_len(const struct zone_draft *draft,
				      const struct draft_owner *owner)
{
	return (uint8_t)(owner->len - draft->origin.len);
}

/* The whole name. Returns `name`. */
const uint8_t *draft_name(const struct zone_draft *draft, const struct draft_owner *owner,
			  uint8_t name[DNS_NAME_MAX]);
/* As name_format does it. */
const char *draft_format(const struct zone_draft *draft, const struct draft_owner *owner,
			 char text[NAME_TEXT_SIZE]);
/* Is its first label "*"? */
bool draft_is_wildcard(const struct zone_draft *draft, const struct draft_owner *owner);

/* Each NULL where there is none. */
static inline struct draft_owner *draft_parent(const struct zone_draft *draft,
					       const struct draft_owner *owner)
{
	return draft_if_at(draft, owner->parent);
}

static inline const struct draft_links *draft_links(const struct zone_draft *draft,
						    const struct draft_owner *owner)
{
	return draft_if_at(draft, owner->links);
}

static inline struct draft_owner *draft_cut(const struct zone_draft *draft,
					    const struct draft_owner *owner)
{
	const struct draft_links *links = draft_links(draft, owner);

	return links != NULL ? draft_if_at(draft, links->cut) : NULL;
}

static inline struct draft_owner *draft_wildcard(const struct zone_draft *draft,
						 const struct draft_owner *owner)
{
	const struct draft_links *links = draft_links(draft, owner);

	return links != NULL ? draft_if_at(draft, links->wildcard) : NULL;
}

static inline struct draft_pool *draft_pool(const struct zone_draft *draft,
					    const struct draft_owner *owner)
{
	const struct draft_links *links = draft_links(draft, owner);

	return links != NULL && links->pool != 0 ? &draft->pools[links->pool - 1] : NULL;
}

static inline struct draft_rrset *draft_rrsets(const struct zone_draft *draft,
					       const struct draft_owner *owner)
{
	return draft_if_at(draft, owner->rrsets);
}

static inline struct draft_rrset *draft_next_rrset(const struct zone_draft *draft,
						   const struct draft_rrset *rrset)
{
	return draft_if_at(draft, rrset->next);
}

static inline uint32_t draft_count(const struct draft_rrset *rrset)
{
	return rrset->counted & DRAFT_COUNT;
}

static inline const struct draft_record *draft_first(const struct draft_rrset *rrset)
{
	return (const struct draft_record *)(rrset + 1);
}

static inline const struct draft_record *draft_next(const struct zone_draft *draft,
						    const struct draft_record *record)
{
	return draft_if_at(draft, record->next);
}

/* Where a record, or the first one of an RRset, stands. */
struct master_place draft_record_place(const struct draft_record *record);
struct master_place draft_rrset_place(const struct draft_rrset *rrset);

/* A bit of its own for each type of RFC 1035 and AAAA; all from 32 on share one. */
static inline uint32_t draft_type_bit(uint16_t type)
{
	return UINT32_C(1) << (type < 32 ? type : 0);
}

/* --- making it -------------------------------------------------------------------------------- */

/* Zero-initialise; origin and sources are set by the caller before. */
void draft_start(struct zone_draft *draft);
void draft_free(struct zone_draft *draft);

/* Room for as many owners, so that the table need not grow on the way. */
void draft_expect(struct zone_draft *draft, uint32_t owners);

/* Of what the next ones will need, as much as is known is asked of the memory beforehand. */
static inline void draft_prefetch(const struct zone_draft *draft, const struct draft_item *item)
{
	__builtin_prefetch(&draft->table[item->at & (draft->table_size - 1)], 1);
}

void draft_take(struct zone_draft *draft, const struct draft_item *item);
/* A POOL record, or one outside of the zone, which is reported. */
void draft_take_other(struct zone_draft *draft, const struct master_record *record);

/* After the last record: adds empty non-terminals (RFC 4592, 2.2.2), finds parents, wildcards
 * and cuts. */
void draft_finish(struct zone_draft *draft);

/* --- looking things up ------------------------------------------------------------------------ */

struct draft_owner *draft_find(const struct zone_draft *draft, const uint8_t *name, size_t len);
/* The name's own owner or, where it does not exist, its closest ancestor. Of names in the zone. */
struct draft_owner *draft_closest(const struct zone_draft *draft, const uint8_t *name, size_t len);
/* Who speaks for a name: itself, or a wildcard (RFC 4592, 3.3.1). NULL: nobody in this zone. */
const struct draft_owner *draft_speaker(const struct zone_draft *draft, const uint8_t *name,
					size_t len);
struct draft_rrset *draft_find_rrset(const struct zone_draft *draft,
				     const struct draft_owner *owner, uint16_t type);

/* Mostly there is none, which the bits tell. */
static inline struct draft_rrset *draft_rrset(const struct zone_draft *draft,
					      const struct draft_owner *owner, uint16_t type)
{
	return (owner->types & draft_type_bit(type)) != 0 ? draft_find_rrset(draft, owner, type)
							  : NULL;
}

static inline bool draft_has_soa(const struct zone_draft *draft)
{
	return draft_rrset(draft, draft_apex(draft), TYPE_SOA) != NULL;
}

/* Of a zone that has one. */
struct draft_rrset *draft_soa(const struct zone_draft *draft);

static inline bool draft_has_address(const struct draft_owner *owner)
{
	return (owner->types & (draft_type_bit(TYPE_A) | draft_type_bit(TYPE_AAAA))) != 0 ||
	       (owner->pool_types & POOL_TYPES_ADDRESS) != 0;
}

#endif
