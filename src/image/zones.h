/* zones.h - the zones image: every owner name of every zone, found by hash.
 *
 *   root -> table: origin's hash -> zone
 *        -> zones[] -> segment (one a zone, position-independent: its offsets count from the
 *                      segment's first byte, so a reload copies the segments that did not change)
 *                        -> buckets: owner name's hash -> node -> RRset blocks, mostly behind it
 *
 * Which zone holds a name: the longest origin that is a suffix of it; root.depths tells which
 * numbers of labels are worth a look. Every name that exists has a node, empty non-terminals
 * (RFC 4592, 2.2.2) included, so "exists" is "has a node". */
#ifndef IMAGE_ZONES_H
#define IMAGE_ZONES_H

#include "image/image.h"
#include "image/pool_types.h"
#include "image/rrset.h"
#include "wire/name.h"
#include "wire/words.h"

#ifdef __SSE2__
#include <emmintrin.h>
#endif

#define ZONES_VERSION 6
#define ZONES_NONE    UINT32_MAX

#define ZONES_DEPTH_0 (UINT64_C(1) << 63)

struct zones_root {
	uint32_t zone_count;
	uint32_t table_mask;        /* table has table_mask + 1 slots, a power of two */
	uint64_t table_off;         /* uint32_t[]: zone index + 1, 0 empty; linear probing */
	uint64_t zones_off;         /* struct zones_entry[zone_count], by name in canonical order;
                                       IMAGE_ALIGN-aligned */
	uint64_t depths[2];         /* bit 63 - n of the first one: some origin has n labels; of the
                                       second one, 64 + n */
	uint32_t pool_record_count; /* of all zones */
	uint32_t generation; /* of the compiler: another one may make other bytes of a text */
};

/* One cache line. */
struct zones_entry {
	uint64_t origin_hash;      /* name_hash of the origin, root's octet included */
	uint64_t segment_off;      /* IMAGE_ALIGN-aligned */
	uint32_t origin_len;       /* as in the segment */
	uint32_t pool_record_base; /* local POOL record n is record base + n of plan and steering */
	uint64_t origin_head[2];   /* the origin's first NAME_ROOM octets, or all, then zeros */
	uint64_t segment_size;
	uint64_t source_id; /* hash of all text it was compiled from: same id, same segment */
	uint32_t warnings;  /* that compiling it gave */
	uint32_t reserved;
};
_Static_assert(sizeof(struct zones_entry) == 64, "one cache line");

/* What a query needs stands first. */
struct zone_segment {
	uint32_t bucket_count;
	uint32_t buckets_off; /* struct zone_bucket[bucket_count], IMAGE_ALIGN-aligned */
	uint8_t origin_len;
	uint8_t origin_labels;
	uint8_t max_labels; /* of the deepest owner name */
	uint8_t reserved;
	uint32_t apex;      /* offset of the apex' node */
	uint32_t soa_block; /* the SOA RRset as it stands in negative answers: its TTL is the
                               smaller of the SOA's TTL and MINIMUM (RFC 2308, 3) */
	uint32_t serial;
	uint64_t size;
	uint32_t node_count;
	uint32_t nodes_off; /* nodes follow each other from here to nodes_end, and NAME_ROOM octets
                               or more of other things follow them */
	uint32_t nodes_end;
	uint32_t record_count; /* resource records, POOL included */
	uint32_t pool_record_count;
	uint32_t pool_records_off; /* struct zone_pool_record[] */
	uint32_t sources_off;      /* NUL-terminated paths of the files read, one after the other */
	uint32_t sources_size;
	uint8_t origin[256 + NAME_ROOM]; /* lower-case wire form */
};

/* A POOL record, for control (through the plan) and for whoever explains. */
struct zone_pool_record {
	uint32_t node;      /* its owner */
	uint32_t owner_off; /* the owner's name, whole, in the segment */
	uint32_t ttl_s;
	uint32_t pool_name_off; /* NUL-terminated text, in the segment */
	uint32_t site_name_off; /* 0: every site of the pool */
	uint32_t types;         /* bits of enum pool_type, at least one */
};

/* One cache line: tags first, then where. Hashed is what a name has in front of the origin (the
 * apex: nothing). The bucket follows from the hash's upper 32 bits, its lower 32 are the tag. Slots are
 * filled in order, and a full bucket overflows into the next one (wrapping); a lookup ends at the
 * first bucket that has an empty slot (node 0). */
#define ZONE_BUCKET_SLOTS 8
struct zone_bucket {
	uint32_t tag[ZONE_BUCKET_SLOTS];
	uint32_t node[ZONE_BUCKET_SLOTS];
};
_Static_assert(sizeof(struct zone_bucket) == 64, "one cache line");

/* So many buckets, at most, are full and follow each other (the first one the last): what a lookup
 * passes. Names that were not made for it need a handful. */
#define ZONE_BUCKETS_MAX 32
bool zone_buckets_end(const struct zone_bucket *buckets, uint32_t count);

enum zone_node_flags {
	ZONE_NODE_APEX = 1,
	ZONE_NODE_CUT = 2, /* a delegation: NS below the apex; itself and all below is not ours */
	ZONE_NODE_CNAME = 4,
	ZONE_NODE_WILDCARD = 8, /* the leftmost label is "*" */
	ZONE_NODE_LINKED = 16,  /* it has links */
};

struct zone_rrset {
	uint16_t type;
	uint16_t reserved;
	uint32_t block_off; /* struct rrset_block, 4-byte aligned; NAME_ROOM octets or more of other
                               things follow it */
};

/* What few nodes have; not all 0. */
struct zone_links {
	uint32_t cut;         /* node of the zone cut at or above this name, 0: none */
	uint32_t wildcard;    /* node of "*.<this name>", 0: none */
	uint32_t pool_record; /* local POOL record + 1, 0: none */
};

/* Behind the list of RRsets stand what the name has in front of the origin, lower case, room up to
 * the next multiple of 4, the links, if there are, and blocks of RRsets, as far as they are small:
 * so the answer is mostly where the name is. */
struct zone_node {
	uint8_t name_len;     /* in front of the origin; 0: the apex */
	uint8_t labels;       /* of the whole name */
	uint8_t flags;        /* enum zone_node_flags */
	uint8_t pool_types;   /* what its POOL record answers: bits of enum pool_type */
	uint16_t rrset_count; /* 0 and no pool: an empty non-terminal */
	uint16_t extent;      /* with all that follows it, in units of 4 octets: so far it is to the
                                 next node */
	struct zone_rrset rrsets[];
};

#define ZONE_NODE_SIZE_MAX   (UINT16_MAX * 4U)
#define ZONE_NODE_BLOCKS_MAX 1024U /* octets of a node, up to which it gets blocks */

#define zone_at(segment, type, offset) \
	((const type *)(const void *)((const uint8_t *)(segment) + (offset)))

/* What the name has in front of the origin: name_len octets. */
static inline const uint8_t *zone_node_front(const struct zone_node *node)
{
	return (const uint8_t *)(node->rrsets + node->rrset_count);
}

/* Octets without links and blocks. */
static inline size_t zone_node_size(const struct zone_node *node)
{
	size_t size = sizeof(*node) + node->rrset_count * sizeof(node->rrsets[0]) + node->name_len;

	return (size + 3) & ~(size_t)3;
}

/* NULL: it has none. */
static inline const struct zone_links *zone_node_links(const struct zone_node *node)
{
	if ((node->flags & ZONE_NODE_LINKED) == 0)
		return NULL;
	return zone_at(node, struct zone_links, zone_node_size(node));
}

static inline uint32_t zone_node_cut(const struct zone_node *node)
{
	const struct zone_links *links = zone_node_links(node);

	return links != NULL ? links->cut : 0;
}

static inline uint32_t zone_node_wildcard(const struct zone_node *node)
{
	const struct zone_links *links = zone_node_links(node);

	return links != NULL ? links->wildcard : 0;
}

static inline uint32_t zone_node_pool_record(const struct zone_node *node)
{
	const struct zone_links *links = zone_node_links(node);

	return links != NULL ? links->pool_record : 0;
}

static inline size_t zone_node_name_len(const struct zone_segment *segment,
					const struct zone_node *node)
{
	return (size_t)node->name_len + segment->origin_len;
}

/* The whole name, lower case; behind it are zeros. Returns its length. */
#define ZONE_NAME_SIZE (DNS_NAME_MAX + NAME_ROOM)
size_t zone_node_name(const struct zone_segment *segment, const struct zone_node *node,
		      uint8_t name[ZONE_NAME_SIZE]);
/* As name_format does it. */
const char *zone_node_format(const struct zone_segment *segment, const struct zone_node *node,
			     char text[NAME_TEXT_SIZE]);

/* The node at *at, which goes on to the next one; NULL: there are no more. It begins with
 * nodes_off. */
static inline const struct zone_node *zone_next(const struct zone_segment *segment, uint32_t *at)
{
	const struct zone_node *node = zone_at(segment, struct zone_node, *at);

	if (*at >= segment->nodes_end)
		return NULL;
	*at += node->extent * 4U;
	return node;
}

/* --- finding (no allocation) ------------------------------------------------------------------- */

static inline const struct zones_entry *zones_entry(const struct image *zones, uint32_t zone)
{
	return image_at(zones, struct zones_entry,
			image_root(zones, struct zones_root)->zones_off) +
	       zone;
}

static inline const struct zone_segment *zones_segment(const struct image *zones, uint32_t zone)
{
	return image_at(zones, struct zone_segment, zones_entry(zones, zone)->segment_off);
}

/* The zone whose origin is exactly this lower-case name, or ZONES_NONE; the hash is name_hash's.
 * NAME_ROOM octets behind the name are readable. */
uint32_t zones_find_hashed(const struct image *zones, uint64_t hash, const uint8_t *name,
			   size_t len);

/* What mostly happens: an origin of up to NAME_ROOM octets, which these are, then zeros, stands at
 * the first place where it can be. A name ends with its root's octet, so equal octets are an equal
 * name. ZONES_NONE: it may yet be another one. */
static inline uint32_t zones_find_short(const struct image *zones, uint64_t first, uint64_t second)
{
	const struct zones_root *root = image_root(zones, struct zones_root);
	const struct zones_entry *entries = image_at(zones, struct zones_entry, root->zones_off);
	const uint32_t *table = image_at(zones, uint32_t, root->table_off);
	uint32_t zone = table[name_hash_short(first, second) >> 32 & root->table_mask] - 1;

	if (zone == ZONES_NONE || entries[zone].origin_head[0] != first ||
	    entries[zone].origin_head[1] != second)
		return ZONES_NONE;
	return zone;
}

/* The same of an origin of more octets, where zeros follow them, too, wherever it stands. Straight
 * for up to twice as many octets. */
uint32_t zones_find_long(const struct image *zones, const uint8_t *name, size_t len);

/* The same of any name. */
uint32_t zones_find(const struct image *zones, const uint8_t *name, size_t len);

/* The bucket that a hash leads to. */
static inline const struct zone_bucket *zone_bucket(const struct zone_segment *segment,
						    uint64_t hash)
{
	uint64_t at = (hash >> 32) * segment->bucket_count >> 32;

	return zone_at(segment, struct zone_bucket, segment->buckets_off) + at;
}

/* Bits 2n and 2n + 1: slot n has the hash's tag (or is empty, where the tag is 0). */
static inline unsigned zone_bucket_slots(const struct zone_bucket *bucket, uint64_t hash)
{
#ifdef __SSE2__
	const __m128i *tags = (const __m128i *)(const void *)bucket->tag;
	__m128i tag = _mm_set1_epi32((int)(uint32_t)hash);

	return (unsigned)_mm_movemask_epi8(
		_mm_packs_epi32(_mm_cmpeq_epi32(_mm_load_si128(tags), tag),
				_mm_cmpeq_epi32(_mm_load_si128(tags + 1), tag)));
#else
	unsigned slots = 0;

	for (unsigned slot = 0; slot < ZONE_BUCKET_SLOTS; slot++)
		slots |= (bucket->tag[slot] == (uint32_t)hash ? 3U : 0U) << 2 * slot;
	return slots;
#endif
}

/* The node in the first of these slots, of which there is one; 0: the slot is empty. */
static inline uint32_t zone_bucket_first(const struct zone_bucket *bucket, unsigned slots)
{
	return bucket->node[(unsigned)__builtin_ctz(slots) / 2];
}

/* The node of exactly this lower-case name, or NULL. The name is the origin or below it, the hash
 * name_hash's of what it has in front of the origin, and NAME_ROOM octets behind it are readable. */
const struct zone_node *zone_find_hashed(const struct zone_segment *segment, uint64_t hash,
					 const uint8_t *name, size_t len);

/* What mostly happens: the name's node is the first one that has the tag. It has not been looked at;
 * NULL: there is none with it in this bucket. */
static inline const struct zone_node *zone_bucket_guess(const struct zone_segment *segment,
							const struct zone_bucket *bucket,
							uint64_t hash)
{
	unsigned slots = zone_bucket_slots(bucket, hash);
	uint32_t at = slots != 0 ? zone_bucket_first(bucket, slots) : 0;

	return at != 0 ? zone_at(segment, struct zone_node, at) : NULL;
}

/* Has a node a name with `len` octets, up to NAME_ROOM, whose head this is, in front of the origin? */
static inline bool zone_node_is(const struct zone_node *node, const struct name_head *head,
				size_t len)
{
	return node->name_len == len && name_head_same(head, zone_node_front(node));
}

/* The same of any name that is the origin or below it. */
const struct zone_node *zone_find(const struct zone_segment *segment, const uint8_t *name,
				  size_t len);

/* The block of a type at a node, or NULL. */
static inline const struct rrset_block *zone_rrset_inline(const struct zone_segment *segment,
							  const struct zone_node *node,
							  uint16_t type)
{
	const struct zone_rrset *rrset = node->rrsets, *end = rrset + node->rrset_count;

	for (; rrset < end; rrset++) {
		if (rrset->type == type)
			return zone_at(segment, struct rrset_block, rrset->block_off);
	}
	return NULL;
}

const struct rrset_block *zone_rrset(const struct zone_segment *segment,
				     const struct zone_node *node, uint16_t type);

/* Every offset, count, name and pointer: after this, nothing that the functions above or an
 * answer does with the image can leave it. */
int zones_verify(const struct image *zones, struct err *err);
/* The same where another image has been verified: a segment that is octet for octet that of the same
 * zone there is not looked at again. NULL: there is none. */
int zones_verify_beside(const struct image *zones, const struct image *verified, struct err *err);

#endif
