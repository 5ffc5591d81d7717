#include "image/geo.h"

#include <stdlib.h>
#include <string.h>

#define ROOT_SLOTS 65536U
#define NODE_BITS  6U
#define NODE_SLOTS 64U

/* The six bits from `pos` on. The steps are 16, 22, ... 58, 64, ... 118, 124, so that none
 * straddles the two words; the last one of each family is filled up with two zero bits. */
static unsigned node_slot(uint64_t high, uint64_t low, unsigned pos)
{
	uint64_t word = pos < 64 ? high : low;
	unsigned at = pos % 64;

	word = at <= 58 ? word >> (58 - at) : word << (at - 58);
	return (unsigned)word % NODE_SLOTS;
}

static unsigned rank(uint64_t bits, unsigned below)
{
	return (unsigned)__builtin_popcountll(bits & ((UINT64_C(1) << below) - 1));
}

/* Which of the node's leaf values holds at a slot: the last one that begins there or before. */
static unsigned leaf_rank(const struct geo_node *node, unsigned slot)
{
	return rank(node->leaves >> 1, slot) + (unsigned)(node->leaves & 1) - 1;
}

/* The largest aligned block of slots around `slot` that holds no child and in which no other leaf
 * begins. Less than the node: a node of one class would be a leaf of its parent. */
static unsigned leaf_block_bits(const struct geo_node *node, unsigned slot)
{
	unsigned bits = 0;

	while (bits + 1 < NODE_BITS) {
		unsigned first = slot & ~((2U << bits) - 1);
		uint64_t block = ((UINT64_C(1) << (2U << bits)) - 1) << first;

		if ((node->children & block) != 0 ||
		    (node->leaves & block & ~(UINT64_C(1) << first)) != 0)
			break;
		bits++;
	}
	return bits;
}

struct geo_match geo_descend(const struct image *geo, const struct geo_trie *trie, uint32_t at,
			     uint64_t high, uint64_t low)
{
	const struct geo_node *nodes = image_at(geo, struct geo_node, trie->nodes_off);
	const struct geo_node *node;
	unsigned pos = GEO_ROOT_BITS, slot;
	uint32_t leaf;

	for (;; pos += NODE_BITS) {
		node = &nodes[at];
		slot = node_slot(high, low, pos);
		if ((node->children >> slot & 1) == 0)
			break;
		at = node->child_base + rank(node->children, slot);
	}
	leaf = node->leaf_base + leaf_rank(node, slot);
	return (struct geo_match){
		image_at(geo, uint16_t, trie->leaves_off)[leaf],
		(uint8_t)(pos + NODE_BITS - leaf_block_bits(node, slot)),
	};
}

/* --- IPv4 inside IPv6 ---------------------------------------------------------------------- */

static unsigned common_bits(uint64_t high, uint64_t low, uint64_t with_high, uint64_t with_low)
{
	if (high != with_high)
		return (unsigned)__builtin_clzll(high ^ with_high);
	return low == with_low ? 128 : 64 + (unsigned)__builtin_clzll(low ^ with_low);
}

uint8_t geo_exclude_near(uint64_t high, uint64_t low, uint8_t len)
{
	unsigned mapped = common_bits(high, low, 0, GEO_MAPPED);
	unsigned nat64 = common_bits(high, low, GEO_NAT64, 0);

	if (len <= mapped)
		len = (uint8_t)(mapped + 1);
	return len <= nat64 ? (uint8_t)(nat64 + 1) : len;
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
	return geo_exclude_near(geo_load_word(address->bytes), geo_load_word(address->bytes + 8),
				len);
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

static int verify_root(const struct image *geo, const struct geo_trie *trie, uint32_t classes,
		       bool none, struct err *err)
{
	const uint32_t *root = image_at(geo, uint32_t, trie->root_off);
	const uint8_t *len = image_at(geo, uint8_t, trie->root_len_off);

	for (uint32_t slot = 0; slot < ROOT_SLOTS; slot++) {
		uint32_t value = root[slot] & ~GEO_LEAF;
		bool leaf = (root[slot] & GEO_LEAF) != 0;

		if (value >= (leaf ? classes : trie->node_count) &&
		    !(leaf && none && value == GEO_CLASS_NONE))
			return err_set(err, "geo image: root slot %u is out of range", slot);
	}
	for (uint32_t slot = 0; slot < ROOT_SLOTS;) {
		bool leaf = (root[slot] & GEO_LEAF) != 0;
		uint32_t size = leaf && len[slot] <= GEO_ROOT_BITS ? ROOT_SLOTS >> len[slot] : 1;

		if (slot % size != 0 || (leaf && len[slot] > GEO_ROOT_BITS))
			return err_set(err, "geo image: root slot %u has length %u", slot,
				       len[slot]);
		for (uint32_t i = slot; i < slot + size; i++)
			if (root[i] != root[slot] || len[i] != len[slot])
				return err_set(err, "geo image: root slot %u is not one with %u", i,
					       slot);
		slot += size;
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

/* depth[i]: the most nodes that a search passes before node i. Parents come first, from the end. */
static int verify_depth(const struct image *geo, const struct geo_trie *trie, unsigned deepest,
			struct err *err)
{
	const struct geo_node *nodes = image_at(geo, struct geo_node, trie->nodes_off);
	uint8_t *depth = calloc(trie->node_count ? trie->node_count : 1, 1);
	int rc = 0;

	if (depth == NULL)
		return err_set(err, "geo image: no memory to verify it");
	for (uint32_t at = trie->node_count; rc == 0 && at-- > 0;) {
		uint32_t children = (uint32_t)__builtin_popcountll(nodes[at].children);

		if (children > 0 && depth[at] >= deepest)
			rc = err_set(err, "geo image: node %u has children beyond the last bit",
				     at);
		for (uint32_t i = 0; rc == 0 && i < children; i++)
			if (depth[nodes[at].child_base + i] <= depth[at])
				depth[nodes[at].child_base + i] = (uint8_t)(depth[at] + 1);
	}
	free(depth);
	return rc;
}

/* `none`: GEO_CLASS_NONE may stand in it. */
static int verify_trie(const struct image *geo, const struct geo_trie *trie, unsigned address_bits,
		       uint32_t classes, bool none, struct err *err)
{
	const uint16_t *leaves;
	const struct geo_node *nodes;

	if (!image_holds(geo, trie->root_off, ROOT_SLOTS, sizeof(uint32_t), sizeof(uint32_t)) ||
	    !image_holds(geo, trie->root_len_off, ROOT_SLOTS, 1, 1) ||
	    !image_holds(geo, trie->nodes_off, trie->node_count, sizeof(struct geo_node), 8) ||
	    !image_holds(geo, trie->leaves_off, trie->leaf_count, sizeof(uint16_t), 2) ||
	    trie->node_count >= GEO_LEAF)
		return err_set(err, "geo image: a trie does not lie inside");
	leaves = image_at(geo, uint16_t, trie->leaves_off);
	nodes = image_at(geo, struct geo_node, trie->nodes_off);
	if (verify_root(geo, trie, classes, none, err) != 0)
		return -1;
	for (uint32_t i = 0; i < trie->leaf_count; i++)
		if (leaves[i] >= classes && !(none && leaves[i] == GEO_CLASS_NONE))
			return err_set(err, "geo image: leaf %u is class %u of %u", i, leaves[i],
				       classes);
	for (uint32_t i = 0; i < trie->node_count; i++)
		if (verify_node(trie, i, &nodes[i], err) != 0)
			return -1;
	return verify_depth(geo, trie, (address_bits - GEO_ROOT_BITS) / NODE_BITS, err);
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
		unsigned bits = family == 0 ? 32 : 128;

		if (verify_trie(geo, &root->trie[family], bits, root->class_count, false, err) != 0)
			return -1;
		if (root->resolvers[0].root_off != 0 &&
		    verify_trie(geo, &root->resolvers[family], bits, root->class_count, true,
				err) != 0)
			return -1;
	}
	for (uint32_t pool = 0; pool < root->pool_count; pool++)
		if (verify_pool(geo, root, pool, err) != 0)
			return -1;
	return 0;
}
