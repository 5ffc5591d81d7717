/* geo_trie.h - an ascending stream of (address, class) -> one trie of the geo image (image/geo.h).
 *
 * Built in one pass, bottom up: a node is complete when the stream has left it, and then stands
 * behind its children. Neighbours of one class become one, on every level. */
#ifndef COMPILE_GEO_TRIE_H
#define COMPILE_GEO_TRIE_H

#include "compile/breaks.h"
#include "image/geo.h"

/* The next break point; the first one is at zero. false: that was all. */
typedef bool geo_trie_next(void *context, address_bits *start, uint32_t *class_id);

/* A trie that is not in an image yet. */
struct geo_draft {
	unsigned family;
	uint32_t *root; /* as in the image */
	struct geo_node *nodes;
	uint32_t node_count, node_cap;
	uint16_t *leaves;
	uint32_t leaf_count, leaf_cap;
};

void geo_trie_build(struct geo_draft *draft, unsigned family, geo_trie_next *next, void *context);
void geo_trie_free(struct geo_draft *draft);

/* Every class but GEO_CLASS_NONE becomes to[class]. No two become the same. */
void geo_trie_renumber(struct geo_draft *draft, const uint32_t *to);

/* Appends the trie's arrays to the image, frees them, and returns where they are. */
struct geo_trie geo_trie_write(struct geo_draft *draft, struct image_writer *writer);

#endif
