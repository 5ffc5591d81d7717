#include "serve/lookup.h"

/* The origin that is left when the first `cut` labels are. */
static uint32_t find_origin(const struct image *zones, const struct name_key *name, unsigned cut)
{
	size_t len = (size_t)name->len - name->start[cut];
	const uint8_t *suffix = name->wire + name->start[cut];

	return zones_find_hashed(zones, name_hash(suffix, len), suffix, len);
}

/* Bit n of `depths`: an origin may be left when `cut` + n labels are cut. */
static uint32_t find_deepest(const struct image *zones, const struct name_key *name,
			     uint64_t depths, unsigned cut)
{
	for (; depths != 0; depths &= depths - 1) {
		uint32_t zone = find_origin(zones, name, cut + (unsigned)__builtin_ctzll(depths));

		if (zone != ZONES_NONE)
			return zone;
	}
	return ZONES_NONE;
}

/* The longest origin of up to `labels` labels. */
static uint32_t find_zone(const struct image *zones, const struct name_key *name, unsigned labels)
{
	const uint64_t *depths = image_root(zones, struct zones_root)->depths;
	unsigned cut = name->labels - labels;
	uint32_t zone = ZONES_NONE;

	if (labels < 64)
		return find_deepest(zones, name, depths[0] >> (63 - labels), cut);
	zone = find_deepest(zones, name, depths[1] >> (127 - labels), cut);
	return zone != ZONES_NONE ? zone : find_deepest(zones, name, depths[0], cut + labels - 63);
}

uint32_t lookup_any_zone(const struct image *zones, const struct name_key *name, uint16_t type)
{
	uint32_t zone = ZONES_NONE;

	if (type != TYPE_DS)
		return find_zone(zones, name, name->labels);
	if (name->labels > 0) /* the parent's zone, if we have it */
		zone = find_zone(zones, name, name->labels - 1U);
	return zone != ZONES_NONE ? zone : find_origin(zones, name, 0);
}

/* The closest ancestor that exists: at least the apex does. */
static const struct zone_node *find_encloser(const struct zone_segment *segment,
					     const struct name_key *name)
{
	unsigned labels = name->labels - 1U;

	if (labels > segment->max_labels)
		labels = segment->max_labels;
	for (; labels > segment->origin_labels; labels--) {
		size_t len;
		const uint8_t *suffix = name_key_suffix(name, labels, &len);
		uint64_t hash = name_hash(suffix, len - segment->origin_len);
		const struct zone_node *node = zone_find_hashed(segment, hash, suffix, len);

		if (node != NULL)
			return node;
	}
	return zone_at(segment, struct zone_node, segment->apex);
}

void lookup_missing(struct lookup *out, const struct name_key *name)
{
	const struct zone_segment *segment = out->segment;

	out->encloser = find_encloser(segment, name);
	if (zone_node_cut(out->encloser) != 0)
		out->cut = zone_at(segment, struct zone_node, zone_node_cut(out->encloser));
	else if (zone_node_wildcard(out->encloser) != 0)
		out->node = zone_at(segment, struct zone_node, zone_node_wildcard(out->encloser));
}

/* What mostly happens: the first one that has the tag is it. */
static inline const struct zone_node *find_node(const struct zone_segment *segment,
						const struct name_key *name)
{
	uint64_t hash = lookup_hash(segment, name);
	const struct zone_node *node = zone_bucket_guess(segment, zone_bucket(segment, hash), hash);

	if (node != NULL && lookup_is_node(segment, node, name))
		return node;
	return zone_find_hashed(segment, hash, name->wire, name->len);
}

void lookup_name(struct lookup *out, const struct zone_segment *segment,
		 const struct name_key *name)
{
	out->segment = segment;
	out->encloser = NULL;
	out->cut = NULL;
	out->node = find_node(segment, name);
	if (out->node == NULL)
		lookup_missing(out, name);
	else if (zone_node_cut(out->node) != 0)
		out->cut = zone_at(segment, struct zone_node, zone_node_cut(out->node));
}
