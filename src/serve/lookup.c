#include "serve/lookup.h"

/* The bits of `depths` for names of at most `labels` labels, highest first: the next one below or
 * at *labels, false when there is none. */
static bool next_depth(const uint64_t depths[2], int *labels)
{
	for (int word = *labels / 64; *labels >= 0; word--) {
		uint64_t bits = depths[word] & (~UINT64_C(0) >> (63 - *labels % 64));

		if (bits != 0) {
			*labels = word * 64 + 63 - __builtin_clzll(bits);
			return true;
		}
		*labels = word * 64 - 1;
	}
	return false;
}

uint32_t lookup_zone(const struct image *zones, const struct name_key *name, uint16_t type)
{
	const struct zones_root *root = image_root(zones, struct zones_root);
	uint32_t at_name = ZONES_NONE;

	for (int labels = name->labels; next_depth(root->depths, &labels); labels--) {
		size_t len;
		const uint8_t *suffix = name_key_suffix(name, (unsigned)labels, &len);
		uint32_t zone = zones_find_hashed(zones, name_hash(suffix, len), suffix, len);

		if (zone == ZONES_NONE)
			continue;
		if (type != TYPE_DS || labels != name->labels)
			return zone;
		at_name = zone; /* unless we have its parent */
	}
	return at_name;
}

/* Of a name in a key, which has room behind it. */
static inline const struct zone_node *find(const struct zone_segment *segment, const uint8_t *name,
					   size_t len)
{
	return zone_find_hashed(segment, name_hash(name, len - segment->origin_len), name, len);
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
		const struct zone_node *node = find(segment, suffix, len);

		if (node != NULL)
			return node;
	}
	return zone_at(segment, struct zone_node, segment->apex);
}

static __attribute__((noinline)) void find_wildcard(struct lookup *out, const struct name_key *name)
{
	const struct zone_segment *segment = out->segment;

	out->encloser = find_encloser(segment, name);
	if (out->encloser->cut != 0) {
		out->cut = zone_at(segment, struct zone_node, out->encloser->cut);
	} else if (out->encloser->wildcard != 0) {
		out->node = zone_at(segment, struct zone_node, out->encloser->wildcard);
	}
}

void lookup_name(struct lookup *out, const struct zone_segment *segment,
		 const struct name_key *name)
{
	out->segment = segment;
	out->encloser = NULL;
	out->cut = NULL;
	out->node = find(segment, name->wire, name->len);
	if (out->node == NULL)
		find_wildcard(out, name);
	else if (out->node->cut != 0)
		out->cut = zone_at(segment, struct zone_node, out->node->cut);
}
