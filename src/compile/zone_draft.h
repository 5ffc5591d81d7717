/* zone_draft.h - one zone between text and image: owner names, RRsets and records, as they come.
 *
 * Everything lives in the draft's arena and ends with it. What one record alone, or with those
 * before it, shows to be wrong is reported when it is added; zone_check.h sees the whole. */
#ifndef COMPILE_ZONE_DRAFT_H
#define COMPILE_ZONE_DRAFT_H

#include <stdbool.h>

#include "base/mem.h"
#include "compile/master_reader.h"
#include "image/pool_types.h"
#include "wire/name.h"

struct draft_record {
	struct draft_record *next;
	struct master_place place;
	uint16_t len;
	uint8_t data[];
};

struct draft_rrset {
	struct draft_rrset *next; /* by type, ascending */
	struct draft_record *first;
	uint32_t ttl_s; /* the smallest of its records */
	uint32_t count;
	uint16_t type;
	bool too_large; /* reported once */
	bool mixed_ttl;
};

struct draft_pool {
	struct draft_owner *owner;
	const char *pool, *site; /* site NULL: every site */
	uint32_t ttl_s;
	uint8_t types; /* bits of enum pool_type */
	struct master_place place, data_place, service_place;
};

struct draft_owner {
	uint64_t hash; /* as in the image (zones.h) */
	struct draft_owner *parent;
	struct draft_owner *wildcard; /* "*.<this name>" */
	struct draft_owner *cut;      /* delegation at or above; set by draft_finish */
	struct draft_rrset *rrsets;
	uint32_t types; /* which RRsets it has: draft_type_bit of each */
	uint32_t pool;  /* index in pools + 1, 0: none */
	uint32_t node;  /* offset in the segment, once it is written */
	uint8_t len, labels;
	uint8_t pool_types; /* of its POOL record; 0: it has none */
	bool serves;        /* an NS record names it; set by zone_check_hosts */
	uint8_t name[];     /* lower-case wire form */
};

/* A place in the table of owners by hash. */
struct draft_slot {
	uint32_t tag;   /* of the hash: its upper half */
	uint32_t owner; /* index in owners + 1, 0: empty */
};

struct zone_draft {
	struct name origin;
	struct master_sources *sources;
	struct arena arena;
	struct draft_owner **owners; /* in order of appearance, the apex first */
	uint32_t owner_count, owner_cap;
	struct draft_slot *table;   /* open addressing by the hash's lower half */
	uint32_t table_size;        /* a power of two */
	struct draft_owner *latest; /* records of one owner stand together */
	struct draft_pool *pools;
	uint32_t pool_count, pool_cap;
	uint32_t record_count;
	uint32_t cut_count; /* owners below the apex that have NS records */
	uint8_t max_labels;
};

/* A bit of its own for each type of RFC 1035 and AAAA; all from 32 on share one. */
static inline uint32_t draft_type_bit(uint16_t type)
{
	return UINT32_C(1) << (type < 32 ? type : 0);
}

/* Zero-initialise; origin and sources are set by the caller before. */
void draft_start(struct zone_draft *draft);
void draft_free(struct zone_draft *draft);

/* Room for as many owners, so that the table need not grow on the way. */
void draft_expect(struct zone_draft *draft, uint32_t owners);

void draft_add(struct zone_draft *draft, const struct master_record *record);

/* The same for whoever has many records at hand: hashes are made beforehand, in any thread, and
 * what adding the owner will read first is asked of the memory. */
uint64_t draft_hash(const struct zone_draft *draft, const struct name *owner);
void draft_prefetch(const struct zone_draft *draft, uint64_t hash);
void draft_add_hashed(struct zone_draft *draft, const struct master_record *record, uint64_t hash);

/* After the last record: adds empty non-terminals (RFC 4592, 2.2.2), finds parents, wildcards
 * and cuts. */
void draft_finish(struct zone_draft *draft);

struct draft_owner *draft_find(const struct zone_draft *draft, const uint8_t *name, size_t len);
/* The name's own owner or, where it does not exist, its closest ancestor. Of names in the zone. */
struct draft_owner *draft_closest(const struct zone_draft *draft, const uint8_t *name, size_t len);
/* Who speaks for a name: itself, or a wildcard (RFC 4592, 3.3.1). NULL: nobody in this zone. */
const struct draft_owner *draft_speaker(const struct zone_draft *draft, const uint8_t *name,
					size_t len);
struct draft_rrset *draft_find_rrset(const struct draft_owner *owner, uint16_t type);

/* Mostly there is none, which the bits tell. */
static inline struct draft_rrset *draft_rrset(const struct draft_owner *owner, uint16_t type)
{
	return (owner->types & draft_type_bit(type)) != 0 ? draft_find_rrset(owner, type) : NULL;
}

static inline bool draft_is_apex(const struct zone_draft *draft, const struct draft_owner *owner)
{
	return owner == draft->owners[0];
}

static inline bool draft_has_soa(const struct zone_draft *draft)
{
	return draft_rrset(draft->owners[0], TYPE_SOA) != NULL;
}

/* Of a zone that has one. */
struct draft_rrset *draft_soa(const struct zone_draft *draft);

static inline bool draft_has_address(const struct draft_owner *owner)
{
	return (owner->types & (draft_type_bit(TYPE_A) | draft_type_bit(TYPE_AAAA))) != 0 ||
	       (owner->pool_types & POOL_TYPES_ADDRESS) != 0;
}

#endif
