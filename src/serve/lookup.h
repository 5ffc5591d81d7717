/* lookup.h - from a name to zone and node: RFC 1034, 4.3.2 and RFC 4592, as hash lookups.
 *
 * Pure. The work is bounded by the labels of the deepest name in the zone, not by its size. */
#ifndef SERVE_LOOKUP_H
#define SERVE_LOOKUP_H

#include <stdbool.h>

#include "image/zones.h"
#include "wire/key.h"

/* The zone that answers for a name and type, or ZONES_NONE. A DS RRset belongs to the parent, so
 * where we have both zones it is looked up there (RFC 4035, 3.1.4.1). */
uint32_t lookup_any_zone(const struct image *zones, const struct name_key *name, uint16_t type);

/* The same; straight where the longest origin that it can be is it, and without a call where that is
 * short. */
static inline uint32_t lookup_zone(const struct image *zones, const struct name_key *name,
				   uint16_t type)
{
	uint64_t depths = image_root(zones, struct zones_root)->depths[0];
	size_t start, len;
	uint32_t zone;

	if (type == TYPE_DS || name->labels >= 64)
		return lookup_any_zone(zones, name, type);
	depths >>= 63 - name->labels;
	if (depths == 0)
		return ZONES_NONE;
	start = name->start[(unsigned)__builtin_ctzll(depths)];
	len = name->len - start;
	if (len > NAME_ROOM)
		zone = zones_find_long(zones, name->wire + start, len);
	else
		zone = zones_find_short(zones, name_word(name->wire + start),
					name_word(name->wire + start + 8));
	return zone != ZONES_NONE ? zone : lookup_any_zone(zones, name, type);
}

/* Of what the name has in front of the origin. */
static inline uint64_t lookup_hash(const struct zone_segment *segment, const struct name_key *name)
{
	size_t below = (size_t)name->len - segment->origin_len;
	struct name_head head = name_head(name->wire, below);

	return below <= NAME_ROOM ? name_hash_short(head.first, head.second)
				  : name_hash(name->wire, below);
}

/* Is it the name's node? */
static inline bool lookup_is_node(const struct zone_segment *segment, const struct zone_node *node,
				  const struct name_key *name)
{
	size_t below = (size_t)name->len - segment->origin_len;
	struct name_head head = name_head(name->wire, below);

	return zone_node_is(node, &head, below) &&
	       (below <= NAME_ROOM || name_same(zone_node_front(node), name->wire, below));
}

struct lookup {
	const struct zone_segment *segment;
	const struct zone_node *node; /* the name's, or the wildcard's that speaks for it, or NULL:
                                         the name does not exist */
	const struct zone_node *encloser; /* where node is NULL or a wildcard's: the closest
                                             ancestor that exists (RFC 4592, 3.3.1) */
	const struct zone_node *cut;      /* the delegation at or above the name, or NULL */
};

void lookup_name(struct lookup *out, const struct zone_segment *segment,
		 const struct name_key *name);

/* The rest of it, where it is known that the name has no node: who speaks for it. The caller has set
 * segment, and the others to NULL. */
void lookup_missing(struct lookup *out, const struct name_key *name);

#endif
