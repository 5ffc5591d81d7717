#include "image/zones.h"

#include <string.h>

uint32_t zones_find(const struct image *zones, uint64_t hash, const uint8_t *name, size_t len)
{
	const struct zones_root *root = image_root(zones, struct zones_root);
	const uint32_t *table = image_at(zones, uint32_t, root->table_off);

	for (uint32_t slot = (uint32_t)hash & root->table_mask; table[slot] != 0;
	     slot = (slot + 1) & root->table_mask) {
		uint32_t zone = table[slot] - 1;
		const struct zone_segment *segment;

		if (zones_entry(zones, zone)->origin_hash != hash)
			continue;
		segment = zones_segment(zones, zone);
		if (segment->origin_len == len && memcmp(segment->origin, name, len) == 0)
			return zone;
	}
	return ZONES_NONE;
}

const struct zone_node *zone_find(const struct zone_segment *segment, uint64_t hash,
				  const uint8_t *name, size_t len)
{
	const struct zone_bucket *buckets = zone_at(segment, struct zone_bucket,
						    segment->buckets_off);
	uint32_t tag = (uint32_t)(hash >> 32);

	for (uint32_t at = (uint32_t)hash & segment->bucket_mask;;
	     at = (at + 1) & segment->bucket_mask) {
		const struct zone_bucket *bucket = &buckets[at];

		for (unsigned slot = 0; slot < 8; slot++) {
			const struct zone_node *node;

			if (bucket->node[slot] == 0)
				return NULL;
			if (bucket->tag[slot] != tag)
				continue;
			node = zone_at(segment, struct zone_node, bucket->node[slot]);
			if (node->name_len == len && memcmp(zone_node_name(node), name, len) == 0)
				return node;
		}
	}
}

const struct rrset_block *zone_rrset(const struct zone_segment *segment,
				     const struct zone_node *node, uint16_t type)
{
	for (unsigned i = 0; i < node->rrset_count; i++) {
		if (node->rrsets[i].type == type)
			return zone_at(segment, struct rrset_block, node->rrsets[i].block_off);
	}
	return NULL;
}
