/* geo.h - the geo image: client network -> client class, and the prefix length for which it holds.
 *
 * A class is the joint preference of all pools. class -> for each pool a preference (an ordered
 * list of sites) -> by the steering image, what is answered now. Pools and sites are numbered as
 * in the plan of the same compilation.
 *
 * The trie (one for each family): a root of 2^18 (IPv6: 2^16) slots, then nodes of 6 bits,
 * popcount-compressed (after Poptrie, Asai and Ohara, SIGCOMM 2015): bit i of `children` says that
 * slot i goes on in node child_base + rank; else slot i is a leaf, and bit i of `leaves` says that a
 * new leaf value starts there: its class is leaf[leaf_base + rank of i in leaves - 1]. Neighbours
 * with one class are merged on every level, so the length of the longest prefix with one class
 * follows from the leaf bits and need not be stored. A root slot is a node index, or geo_leaf() of a
 * class and the length of the prefix for which it holds: that may be more than its slot. */
#ifndef IMAGE_GEO_H
#define IMAGE_GEO_H

#include <endian.h>
#include <string.h>

#include "base/netprefix.h"
#include "image/image.h"

#define GEO_VERSION     5
#define GEO_LEAF        UINT32_C(0x80000000)
#define GEO_CLASSES_MAX 65535U /* a leaf is 16 bits, and one value is GEO_CLASS_NONE */
#define GEO_CLASS_NONE  UINT16_MAX
#define GEO_RULE_NONE   UINT32_MAX
#define GEO_SITE_NONE   UINT16_MAX
#define POLICY_MAX      3 /* of enum policy */

/* `family`: 0 for IPv4, 1 for IPv6. One step further IPv4 is at 24, where most networks end; those
 * of IPv6 pass from one word of the address to the other between two steps. */
static inline unsigned geo_root_bits(unsigned family)
{
	return family == 0 ? 18 : 16;
}

struct geo_trie {
	uint64_t root_off;   /* uint32_t[1 << geo_root_bits(family)] */
	uint64_t nodes_off;  /* struct geo_node[] */
	uint64_t leaves_off; /* uint16_t[] */
	uint32_t node_count, leaf_count;
};

static inline uint32_t geo_leaf(uint32_t class_id, unsigned prefix_len)
{
	return GEO_LEAF | prefix_len << 16 | class_id;
}

struct geo_node {
	uint64_t children;
	uint64_t leaves;
	uint32_t child_base;
	uint32_t leaf_base;
};

struct geo_root {
	struct geo_trie trie[2]; /* IPv4, IPv6 */
	/* What the resolver table says of whoever asks without a client subnet; GEO_CLASS_NONE: it
	 * does not know. root_off 0: there is no resolver table. */
	struct geo_trie resolvers[2];
	uint32_t class_count;
	uint32_t pool_count;
	uint32_t site_count;
	uint32_t reserved;
	uint64_t class_prefs_off; /* uint32_t[class_count][pool_count]: the pool's preference */
	uint64_t pools_off;       /* struct geo_pool[pool_count] */
};

struct geo_pool {
	uint64_t prefs_off; /* struct geo_pref[pref_count] */
	uint32_t pref_count;
	uint32_t reserved;
};

/* Sites in order of preference, as far as it is part of the class; those of the pool that are not
 * named follow (control appends them): by distance from the first in policy nearest, by priority
 * in failover, all together in the others. Fences have been heeded in what is named; control heeds
 * them in what it appends. Bands are whole: preference-depth counts sites up to the end of the
 * band in which it falls. Sites of one band stand in the order of their numbers, but the nearest
 * of all stands first where the order is by distance. */
struct geo_pref {
	uint64_t sites_off; /* uint16_t[site_count]: site numbers of the plan */
	uint64_t bands_off; /* uint16_t[site_count]: sites of one band are equally preferred; from 0
                                up, without gaps */
	uint64_t fences_off; /* uint32_t[fence_count]: fences of the plan that hold, ascending */
	uint64_t avoids_off; /* uint32_t[avoid_count]: avoids of the plan that hold, ascending */
	uint32_t site_count, fence_count, avoid_count;
	uint32_t rule;  /* rule number of the plan that decided, or GEO_RULE_NONE: the policy */
	uint8_t policy; /* enum policy (plan.h): the pool's, the rule's, or that for own networks */
	uint8_t own;    /* 1: the clients are of the server's own networks */
	/* The allowed site nearest to the clients, in pools whose fallback is that; GEO_SITE_NONE:
	 * their place is not known (then the first site stands for it). */
	uint16_t nearest;
	uint8_t reserved[4];
};

struct geo_match {
	uint32_t class_id;
	uint8_t prefix_len; /* in bits of the address that was looked up */
};

/* An address as it is looked up and hashed: two words, left-aligned. IPv4 addresses in IPv6
 * (::ffff:0:0/96, RFC 4291; 64:ff9b::/96, RFC 6052) are IPv4 here, so that both spellings of one
 * client are one. What is true of all of an IPv6 prefix is so except for those networks: so it has
 * to be longer than what it has in common with them. */
struct geo_address {
	uint64_t high, low; /* IPv4: the upper half of `high` */
	uint8_t family;     /* 0: IPv4, 1: IPv6 */
	uint8_t least;      /* prefix lengths are at least this, */
	uint8_t shift;      /* and so many bits more as the address was spelt: 0 or 96 */
};

/* What is for an address alone is for the query that asks: it must not cost a call. */
#define GEO_INLINE inline __attribute__((always_inline))

static GEO_INLINE uint64_t geo_load_word(const uint8_t bytes[8])
{
	uint64_t word;

	memcpy(&word, bytes, sizeof(word));
	return be64toh(word);
}

/* Field by field: a struct that is put together elsewhere and copied would be read back before its
 * octets are written. */
static GEO_INLINE void geo_address_set(struct geo_address *out, uint64_t high, uint64_t low,
				       unsigned family, unsigned least)
{
	out->high = high;
	out->low = low;
	out->family = (uint8_t)family;
	out->least = (uint8_t)least;
	out->shift = 0;
}

static GEO_INLINE void geo_address_v4(struct geo_address *out, uint32_t host_order)
{
	geo_address_set(out, (uint64_t)host_order << 32, 0, 0, 0);
}

/* geo_address_v6, where an embedding may be near: both begin with three zero bits. */
struct geo_address geo_address_near(uint64_t high, uint64_t low);

static GEO_INLINE void geo_address_v6(struct geo_address *out, uint64_t high, uint64_t low)
{
	if (high >> 61 == 0)
		*out = geo_address_near(high, low);
	else
		geo_address_set(out, high, low, 1, 1 + (unsigned)__builtin_clzll(high));
}

static GEO_INLINE struct geo_address geo_address(const struct ip_address *address)
{
	uint64_t high = geo_load_word(address->bytes);
	struct geo_address out;

	if (address->family == IP_V4)
		geo_address_v4(&out, (uint32_t)(high >> 32));
	else
		geo_address_v6(&out, high, geo_load_word(address->bytes + 8));
	return out;
}

/* The length as it was spelt of a prefix around the address. */
static GEO_INLINE uint8_t geo_spelt(const struct geo_address *address, uint8_t len)
{
	return (uint8_t)((len > address->least ? len : address->least) + address->shift);
}

/* From a node of the trie on. */
struct geo_match geo_descend(const struct image *geo, const struct geo_trie *trie, uint32_t at,
			     uint64_t high, uint64_t low, unsigned root_bits);

/* The same on machines without an instruction that counts bits. */
struct geo_match geo_descend_anywhere(const struct image *geo, const struct geo_trie *trie,
				      uint32_t at, uint64_t high, uint64_t low, unsigned root_bits);

/* In a trie of its own family; prefix_len: before geo_spelt. */
static GEO_INLINE struct geo_match geo_trie_find(const struct image *geo,
						 const struct geo_trie *trie, unsigned family,
						 const struct geo_address *address)
{
	unsigned root_bits = geo_root_bits(family);
	uint32_t at = image_at(geo, uint32_t, trie->root_off)[address->high >> (64 - root_bits)];

	if ((at & GEO_LEAF) == 0)
		return geo_descend(geo, trie, at, address->high, address->low, root_bits);
	return (struct geo_match){ at & UINT16_MAX, (uint8_t)(at >> 16) };
}

static GEO_INLINE struct geo_match geo_find_in(const struct image *geo,
					       const struct geo_trie trie[2],
					       const struct geo_address *address)
{
	struct geo_match match = address->family == 0 ? geo_trie_find(geo, &trie[0], 0, address)
						      : geo_trie_find(geo, &trie[1], 1, address);

	match.prefix_len = geo_spelt(address, match.prefix_len);
	return match;
}

static GEO_INLINE struct geo_match geo_find_address(const struct image *geo,
						    const struct geo_address *address)
{
	return geo_find_in(geo, image_root(geo, struct geo_root)->trie, address);
}

static GEO_INLINE bool geo_has_resolvers(const struct image *geo)
{
	return image_root(geo, struct geo_root)->resolvers[0].root_off != 0;
}

/* The same for the source of a query without client subnet: the resolver table first. */
static GEO_INLINE struct geo_match geo_find_source_address(const struct image *geo,
							   const struct geo_address *address)
{
	const struct geo_root *root = image_root(geo, struct geo_root);

	if (geo_has_resolvers(geo)) {
		struct geo_match match = geo_find_in(geo, root->resolvers, address);

		if (match.class_id != GEO_CLASS_NONE)
			return match;
	}
	return geo_find_in(geo, root->trie, address);
}

/* A lookup on its way, one of several whose waits for memory overlap: geo_walk_start for each, then
 * geo_walk_begin for each, then geo_walk_on for all that it leaves, then geo_walk_end for each of
 * those. Where each reads is on its way to the cache when it is left. */
struct geo_walk {
	struct geo_address address; /* in */
	const struct geo_trie *trie;
	const void *next; /* a root slot, a node, in the end a leaf */
	uint8_t pos;      /* how many bits were looked at; in the end the prefix length */
};

static GEO_INLINE void geo_walk_start(const struct image *geo, struct geo_walk *walk)
{
	const struct geo_root *root = image_root(geo, struct geo_root);
	uint64_t high = walk->address.high;

	if (walk->address.family == 0)
		walk->next = image_at(geo, uint32_t, root->trie[0].root_off) +
			     (high >> (64 - geo_root_bits(0)));
	else
		walk->next = image_at(geo, uint32_t, root->trie[1].root_off) +
			     (high >> (64 - geo_root_bits(1)));
	__builtin_prefetch(walk->next);
}

/* true: *match has it already. */
static GEO_INLINE bool geo_walk_begin(const struct image *geo, struct geo_walk *walk,
				      struct geo_match *match)
{
	const struct geo_address *address = &walk->address;
	uint32_t at = *(const uint32_t *)walk->next;

	if ((at & GEO_LEAF) != 0) {
		*match = (struct geo_match){ at & UINT16_MAX,
					     geo_spelt(address, (uint8_t)(at >> 16)) };
		return true;
	}
	walk->trie = &image_root(geo, struct geo_root)->trie[address->family];
	walk->pos = (uint8_t)geo_root_bits(address->family);
	walk->next = image_at(geo, struct geo_node, walk->trie->nodes_off) + at;
	__builtin_prefetch(walk->next);
	__builtin_prefetch((const uint8_t *)walk->next + sizeof(struct geo_node) - 1);
	return false;
}

/* Changes their order. */
void geo_walk_on(const struct image *geo, struct geo_walk **walks, unsigned count);

static GEO_INLINE struct geo_match geo_walk_end(const struct geo_walk *walk)
{
	return (struct geo_match){ *(const uint16_t *)walk->next,
				   geo_spelt(&walk->address, walk->pos) };
}

/* prefix_len counts in bits of the address as it is spelt: of IPv4 in IPv6 96 + n. */
struct geo_match geo_find(const struct image *geo, const struct ip_address *address);
struct geo_match geo_find_source(const struct image *geo, const struct ip_address *address);

/* Where it stands. */
static inline const uint32_t *geo_class_pref_at(const struct image *geo, uint32_t class_id,
						uint32_t pool)
{
	const struct geo_root *root = image_root(geo, struct geo_root);

	return image_at(geo, uint32_t, root->class_prefs_off) +
	       (size_t)class_id * root->pool_count + pool;
}

static inline uint32_t geo_class_pref(const struct image *geo, uint32_t class_id, uint32_t pool)
{
	return *geo_class_pref_at(geo, class_id, pool);
}

static inline const struct geo_pref *geo_pool_pref(const struct image *geo, uint32_t pool,
						   uint32_t pref)
{
	const struct geo_root *root = image_root(geo, struct geo_root);
	const struct geo_pool *p = image_at(geo, struct geo_pool, root->pools_off) + pool;

	return image_at(geo, struct geo_pref, p->prefs_off) + pref;
}

/* true, and the IPv4 address in *out, when an IPv6 address carries one (see geo_find). */
bool geo_embedded_ipv4(const struct ip_address *address, struct ip_address *out);

/* What is true of all of an IPv6 prefix except the networks that are found as IPv4: the shortest
 * length, not below `len`, at which the prefix around the address holds none of those. */
uint8_t geo_exclude_embedded(const struct ip_address *address, uint8_t len);

int geo_verify(const struct image *geo, struct err *err);

#endif
