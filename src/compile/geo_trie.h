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

/* Appends the trie's arrays to the image and returns where they are. */
struct geo_trie geo_trie_write(struct image_writer *writer, geo_trie_next *next, void *context);

#endif
