#include "image/geo.h"

#include <stdlib.h>
#include <string.h>

#define NODE_BITS  6U
#define NODE_SLOTS 64U

#define INLINE inline __attribute__((always_inline))

/* How many of the bits 0 to `slot` are set. */
static INLINE unsigned rank(uint64_t bits, unsigned slot)
{
	return (unsigned)__builtin_popcountll(bits << (NODE_SLOTS - 1 - slot));
}

/* The largest aligned block of slots around `slot` that holds no child and in which no other leaf
 * begins, as a number of bits: the slot before the leaf's first and the one behind its last are not in
 * it, so that the lowest of the bits in which they differ most from `slot` tells. */
static INLINE unsigned leaf_block_bits(const struct geo_node *node, unsigned slot)
{
	uint64_t starts = node->leaves | node->children | node->children << 1 | 1;
	uint64_t last = UINT64_C(1) << (NODE_SLOTS - 1 - slot);
	unsigned before = slot - NODE_SLOTS +
			  (63U ^ (unsigned)__builtin_clzll(starts << (NODE_SLOTS - 1 - slot)));
	unsigned next = slot + 1 + (unsigned)__builtin_ctzll(starts >> slot >> 1 | last);

	before ^= slot;
	next ^= slot;
	return 31U ^ (unsigned)__builtin_clz(before < next ? before : next);
}

/* The next six bits are always the upper ones of `word`. The steps of IPv6 are 16, 22, ... 58, 64, ...
 * 118, 124, so that none straddles the two words; the last one of each family is filled up with zero
 * bits. */
static INLINE struct geo_match descend(const struct image *geo, const struct geo_trie *trie,
				       uint32_t at, uint64_t word, uint64_t low, unsigned pos)
{
	const struct geo_node *nodes = image_at(geo, struct geo_node, trie->nodes_off), *node;
	unsigned slot;
	uint32_t leaf;

	for (word <<= pos;;) {
		node = &nodes[at];
		slot = (unsigned)(word >> (64 - NODE_BITS));
		if ((node->children >> slot & 1) == 0)
			break;
		at = node->child_base + rank(node->children, slot) - 1;
		pos += NODE_BITS;
		word = pos == 64 ? low : word << NODE_BITS;
	}
	leaf = node->leaf_base + rank(node->leaves, slot) - 1;
	return (struct geo_match){
		image_at(geo, uint16_t, trie->leaves_off)[leaf],
		(uint8_t)(pos + NODE_BITS - leaf_block_bits(node, slot)),
	};
}

#define DESCEND                                                                            \
	(const struct image *geo, const struct geo_trie *trie, uint32_t at, uint64_t high, \
	 uint64_t low, unsigned root_bits)

struct geo_match geo_descend_anywhere DESCEND {
	return descend(geo, trie, at, high, low, root_bits);
}
#if defined(__x86_64__) && !defined(__POPCNT__)
/* Counting bits is one instruction on nearly all machines, but not on those that compilers are to
 * expect; without it, it is a third of a lookup. */
static __attribute__((noinline, target("popcnt"))) struct geo_match descend_popcnt DESCEND {
	return descend(geo, trie, at, high, low, root_bits);
}

struct geo_match geo_descend DESCEND {
	return __builtin_cpu_supports("popcnt")
		       ? descend_popcnt(geo, trie, at, high, low, root_bits)
		       : geo_descend_anywhere(geo, trie, at, high, low, root_bits);
}
#else
struct geo_match geo_descend DESCEND {
	return geo_descend_anywhere(geo, trie, at, high, low, root_bits);
}
#endif

/* --- several at once ------------------------------------------------------------------------- */

/* One step; true: it has come to a leaf. */
static INLINE bool
walk_step(const struct image *geo, struct geo_walk *walk)
{
	const struct geo_node *node = walk->next;
	const struct geo_trie *trie = walk->trie;
	unsigned pos = walk->pos;
	uint64_t word = pos < 64 ? walk->address.high << pos : walk->address.low << (pos - 64);
	unsigned slot = (unsigned)(word >> (64 - NODE_BITS));

	if ((node->children >> slot & 1) != 0) {
		node = image_at(geo, struct geo_node, trie->nodes_off) + node->child_base +
		       rank(node->children, slot) - 1;
		walk->pos = (uint8_t)(pos + NODE_BITS);
		walk->next = node;
		__builtin_prefetch(node);
		__builtin_prefetch((const uint8_t *)(node + 1) - 1);
		return false;
	}
	walk->next = image_at(geo, uint16_t, trie->leaves_off) + node->leaf_base +
		     rank(node->leaves, slot) - 1;
	walk->pos = (uint8_t)(pos + NODE_BITS - leaf_block_bits(node, slot));
	__builtin_prefetch(walk->next);
	return true;
}

/* Those that have come to a leaf go behind the others. */
static INLINE void walk_on(const struct image *geo, struct geo_walk **walks, unsigned count)
{
	while (count > 0) {
		for (unsigned i = 0; i < count;) {
			struct geo_walk *walk = walks[i];

			if (!walk_step(geo, walk)) {
				i++;
				continue;
			}
			walks[i] = walks[--count];
			walks[count] = walk;
		}
	}
}

#if defined(__x86_64__) && !defined(__POPCNT__)
static __attribute__((noinline, target("popcnt"))) void walk_on_popcnt(const struct image *geo,
								       struct geo_walk **walks,
								       unsigned count)
{
	walk_on(geo, walks, count);
}

void geo_walk_on(const struct image *geo, struct geo_walk **walks, unsigned count)
{
	if (__builtin_cpu_supports("popcnt"))
		walk_on_popcnt(geo, walks, count);
	else
		walk_on(geo, walks, count);
}
#else
void geo_walk_on(const struct image *geo, struct geo_walk **walks, unsigned count)
{
	walk_on(geo, walks, count);
}
#endif

/* --- IPv4 inside IPv6 ---------------------------------------------------------------------- */

static unsigned common_bits(uint64_t high, uint64_t low, uint64_t with_high, uint64_t with_low)
{
	if (high != with_high)
		return (unsigned)__builtin_clzll(high ^ with_high);
	return low == with_low ? 128 : 64 + (unsigned)__builtin_clzll(low ^ with_low);
}

#define MAPPED        UINT64_C(0x0000ffff00000000) /* ::ffff:0:0/96: the lower word; the upper one is 0 */
#define NAT64         UINT64_C(0x0064ff9b00000000) /* 64:ff9b::/96: the upper word; the lower one is 0 */
#define EMBEDDING_LEN 96

/* So many bits a prefix has to have that holds neither. */
static unsigned least_bits(uint64_t high, uint64_t low)
{
	unsigned mapped = common_bits(high, low, 0, MAPPED),
		 nat64 = common_bits(high, low, NAT64, 0);

	return 1 + (mapped > nat64 ? mapped : nat64);
}

struct geo_address geo_address_near(uint64_t high, uint64_t low)
{
	unsigned least = least_bits(high, low);

	if (least > EMBEDDING_LEN)
		return (struct geo_address){ .high = low << 32, .shift = EMBEDDING_LEN };
	return (struct geo_address){
		.high = high, .low = low, .family = 1, .least = (uint8_t)least
	};
}

bool geo_embedded_ipv4(const struct ip_address *address, struct ip_address *out)
{
	if (address->family != IP_V6 || geo_address(address).family != 0)
		return false;
	*out = (struct ip_address){ .family = IP_V4 };
	memcpy(out->bytes, address->bytes + 12, 4);
	return true;
}

uint8_t geo_exclude_embedded(const struct ip_address *address, uint8_t len)
{
	unsigned least = least_bits(geo_load_word(address->bytes),
				    geo_load_word(address->bytes + 8));

	return len > least ? len : (uint8_t)least;
}

struct geo_match geo_find(const struct image *geo, const struct ip_address *address)
{
	struct geo_address a = geo_address(address);

	return geo_find_address(geo, &a);
}

struct geo_match geo_find_source(const struct image *geo, const struct ip_address *address)
{
	struct geo_address a = geo_address(address);

	return geo_find_source_address(geo, &a);
}

/* --- verification -------------------------------------------------------------------------- */

/* Leaves stand for whole prefixes, each as often as it has slots. */
static int verify_root(const struct image *geo, const struct geo_trie *trie, unsigned root_bits,
		       uint32_t classes, bool none, struct err *err)
{
	const uint32_t *root = image_at(geo, uint32_t, trie->root_off);
	uint32_t slots = UINT32_C(1) << root_bits, size;

	for (uint32_t slot = 0; slot < slots; slot += size) {
		uint32_t value = root[slot], class_id = value & UINT16_MAX;
		uint32_t len = (value & ~GEO_LEAF) >> 16;

		size = 1;
		if ((value & GEO_LEAF) == 0) {
			if (value >= trie->node_count)
				return err_set(err, "geo image: root slot %u is out of range",
					       slot);
			continue;
		}
		if (class_id >= classes && !(none && class_id == GEO_CLASS_NONE))
			return err_set(err, "geo image: root slot %u is out of range", slot);
		if (len > root_bits || slot % (slots >> len) != 0)
			return err_set(err, "geo image: root slot %u has length %u", slot, len);
		for (size = slots >> len; size > 1; size--)
			if (root[slot + size - 1] != value)
				return err_set(err, "geo image: root slot %u is not one with %u",
					       slot + size - 1, slot);
		size = slots >> len;
	}
	return 0;
}

static int verify_node(const struct geo_trie *trie, uint32_t at, const struct geo_node *node,
		       struct err *err)
{
	uint32_t children = (uint32_t)__builtin_popcountll(node->children);
	uint32_t leaves = (uint32_t)__builtin_popcountll(node->leaves);
	uint64_t first_leaf = ~node->children & (node->children + 1); /* as a bit; 0: none */

	/* Children stand before their parents, so there is no way round in circles. */
	if (children > 0 && (node->child_base > at || children > at - node->child_base))
		return err_set(err, "geo image: node %u has children out of range", at);
	if (leaves > trie->leaf_count || node->leaf_base > trie->leaf_count - leaves)
		return err_set(err, "geo image: node %u has leaves out of range", at);
	if (first_leaf != 0 && (node->leaves & (first_leaf | (first_leaf - 1))) == 0)
		return err_set(err, "geo image: the first leaf of node %u has no value", at);
	return 0;
}

/* The slots at which leaves may begin in the last node on the way: where its slots tell more bits
 * than addresses have, those are zero. */
static uint64_t last_starts(unsigned spare_bits)
{
	uint64_t starts = 0;

	for (unsigned slot = 0; slot < NODE_SLOTS; slot += 1U << spare_bits)
		starts |= UINT64_C(1) << slot;
	return starts;
}

/* depth[i]: the most nodes that a search passes before node i. Parents come first, from the end. */
static int verify_depth(const struct image *geo, const struct geo_trie *trie, unsigned bits,
			struct err *err)
{
	const struct geo_node *nodes = image_at(geo, struct geo_node, trie->nodes_off);
	uint8_t *depth = calloc(trie->node_count ? trie->node_count : 1, 1);
	unsigned deepest = (bits - 1) / NODE_BITS;
	uint64_t starts = last_starts((deepest + 1) * NODE_BITS - bits);
	int rc = 0;

	if (depth == NULL)
		return err_set(err, "geo image: no memory to verify it");
	for (uint32_t at = trie->node_count; rc == 0 && at-- > 0;) {
		uint32_t children = (uint32_t)__builtin_popcountll(nodes[at].children);

		if (depth[at] >= deepest && (children > 0 || (nodes[at].leaves & ~starts) != 0))
			rc = err_set(err, "geo image: node %u tells more than the last bit", at);
		for (uint32_t i = 0; rc == 0 && i < children; i++)
			if (depth[nodes[at].child_base + i] <= depth[at])
				depth[nodes[at].child_base + i] = (uint8_t)(depth[at] + 1);
	}
	free(depth);
	return rc;
}

/* `none`: GEO_CLASS_NONE may stand in it. */
static int verify_trie(const struct image *geo, const struct geo_trie *trie, unsigned family,
		       uint32_t classes, bool none, struct err *err)
{
	unsigned root_bits = geo_root_bits(family);
	const uint16_t *leaves;
	const struct geo_node *nodes;

	if (!image_holds(geo, trie->root_off, UINT32_C(1) << root_bits, sizeof(uint32_t),
			 sizeof(uint32_t)) ||
	    !image_holds(geo, trie->nodes_off, trie->node_count, sizeof(struct geo_node), 8) ||
	    !image_holds(geo, trie->leaves_off, trie->leaf_count, sizeof(uint16_t), 2) ||
	    trie->node_count >= GEO_LEAF)
		return err_set(err, "geo image: a trie does not lie inside");
	leaves = image_at(geo, uint16_t, trie->leaves_off);
	nodes = image_at(geo, struct geo_node, trie->nodes_off);
	if (verify_root(geo, trie, root_bits, classes, none, err) != 0)
		return -1;
	for (uint32_t i = 0; i < trie->leaf_count; i++)
		if (leaves[i] >= classes && !(none && leaves[i] == GEO_CLASS_NONE))
			return err_set(err, "geo image: leaf %u is class %u of %u", i, leaves[i],
				       classes);
	for (uint32_t i = 0; i < trie->node_count; i++)
		if (verify_node(trie, i, &nodes[i], err) != 0)
			return -1;
	return verify_depth(geo, trie, (family == 0 ? 32 : 128) - root_bits, err);
}

static int verify_pref(const struct image *geo, const struct geo_pref *pref, uint32_t site_count,
		       struct err *err)
{
	const uint16_t *sites;
	const uint16_t *bands;

	if (!image_holds(geo, pref->sites_off, pref->site_count, sizeof(uint16_t), 2) ||
	    !image_holds(geo, pref->bands_off, pref->site_count, sizeof(uint16_t), 2) ||
	    !image_holds(geo, pref->fences_off, pref->fence_count, sizeof(uint32_t), 4) ||
	    !image_holds(geo, pref->avoids_off, pref->avoid_count, sizeof(uint32_t), 4))
		return err_set(err, "geo image: a preference does not lie inside");
	sites = image_at(geo, uint16_t, pref->sites_off);
	bands = image_at(geo, uint16_t, pref->bands_off);
	for (uint32_t i = 0; i < pref->site_count; i++) {
		if (sites[i] >= site_count)
			return err_set(err, "geo image: a preference names site %u of %u", sites[i],
				       site_count);
		if (bands[i] != (i == 0 ? 0 : bands[i - 1]) &&
		    (i == 0 || bands[i] != bands[i - 1] + 1))
			return err_set(err, "geo image: a preference has bands out of order");
	}
	if (pref->policy > POLICY_MAX || pref->own > 1 ||
	    (pref->nearest >= site_count && pref->nearest != GEO_SITE_NONE))
		return err_set(err, "geo image: a preference is damaged");
	return 0;
}

static int verify_pool(const struct image *geo, const struct geo_root *root, uint32_t number,
		       struct err *err)
{
	const struct geo_pool *pool = image_at(geo, struct geo_pool, root->pools_off) + number;
	const struct geo_pref *prefs;
	const uint32_t *class_prefs = image_at(geo, uint32_t, root->class_prefs_off);

	if (!image_holds(geo, pool->prefs_off, pool->pref_count, sizeof(*prefs), 8))
		return err_set(err, "geo image: pool %u does not lie inside", number);
	prefs = image_at(geo, struct geo_pref, pool->prefs_off);
	for (uint32_t i = 0; i < pool->pref_count; i++)
		if (verify_pref(geo, &prefs[i], root->site_count, err) != 0)
			return -1;
	for (uint32_t id = 0; id < root->class_count; id++)
		if (class_prefs[(size_t)id * root->pool_count + number] >= pool->pref_count)
			return err_set(err, "geo image: class %u has no preference in pool %u", id,
				       number);
	return 0;
}

int geo_verify(const struct image *geo, struct err *err)
{
	const struct geo_root *root = image_root(geo, struct geo_root);

	if (!image_holds(geo, IMAGE_ROOT, 1, sizeof(*root), 8))
		return err_set(err, "geo image: too short");
	if (root->class_count == 0 || root->class_count > GEO_CLASSES_MAX)
		return err_set(err, "geo image: %u classes", root->class_count);
	if (!image_holds(geo, root->pools_off, root->pool_count, sizeof(struct geo_pool), 8) ||
	    !image_holds(geo, root->class_prefs_off, root->class_count,
			 sizeof(uint32_t) * (root->pool_count ? root->pool_count : 1), 4))
		return err_set(err, "geo image: its tables do not lie inside");
	for (unsigned family = 0; family < 2; family++) {
		if (verify_trie(geo, &root->trie[family], family, root->class_count, false, err) !=
		    0)
			return -1;
		if (root->resolvers[0].root_off != 0 &&
		    verify_trie(geo, &root->resolvers[family], family, root->class_count, true,
				err) != 0)
			return -1;
	}
	for (uint32_t pool = 0; pool < root->pool_count; pool++)
		if (verify_pool(geo, root, pool, err) != 0)
			return -1;
	return 0;
}
