#include "image/zones.h"

#include <string.h>

size_t zone_node_name(const struct zone_segment *segment, const struct zone_node *node,
		      uint8_t name[ZONE_NAME_SIZE])
{
	size_t len = zone_node_name_len(segment, node);

	memcpy(name, zone_node_front(node), node->name_len);
	memcpy(name + node->name_len, segment->origin, segment->origin_len);
	memset(name + len, 0, NAME_ROOM);
	return len;
}

const char *zone_node_format(const struct zone_segment *segment, const struct zone_node *node,
			     char text[NAME_TEXT_SIZE])
{
	uint8_t name[ZONE_NAME_SIZE];

	(void)zone_node_name(segment, node, name);
	return name_format(name, text);
}

bool zone_buckets_end(const struct zone_bucket *buckets, uint32_t count)
{
	unsigned full = 0;

	for (uint64_t i = 0; i < (uint64_t)count + ZONE_BUCKETS_MAX; i++) {
		const struct zone_bucket *bucket = &buckets[i < count ? i : i % count];

		full = bucket->node[ZONE_BUCKET_SLOTS - 1] != 0 ? full + 1 : 0;
		if (full > ZONE_BUCKETS_MAX)
			return false;
	}
	return true;
}

uint32_t zones_find_hashed(const struct image *zones, uint64_t hash, const uint8_t *name,
			   size_t len)
{
	const struct zones_root *root = image_root(zones, struct zones_root);
	const uint32_t *table = image_at(zones, uint32_t, root->table_off);
	uint32_t zone;

	for (uint32_t slot = (uint32_t)(hash >> 32) & root->table_mask; (zone = table[slot]) != 0;
	     slot = (slot + 1) & root->table_mask) {
		const struct zones_entry *entry = zones_entry(zones, zone - 1);

		if (entry->origin_hash == hash && entry->origin_len == len &&
		    name_same(name, zones_segment(zones, zone - 1)->origin, len))
			return zone - 1;
	}
	return ZONES_NONE;
}

uint32_t zones_find_long(const struct image *zones, const uint8_t *name, size_t len)
{
	const struct zones_root *root = image_root(zones, struct zones_root);
	const struct zones_entry *entries = image_at(zones, struct zones_entry, root->zones_off);
	const uint32_t *table = image_at(zones, uint32_t, root->table_off);
	uint64_t first = name_word(name), second = name_word(name + 8);
	uint64_t third = name_word(name + 16), fourth = name_word(name + 24);
	uint64_t hash = name_fold(third ^ NAME_HASH_A, fourth ^ name_hash_short(first, second));
	uint32_t zone;

	if (len > 2 * NAME_ROOM)
		return zones_find_hashed(zones, name_hash(name, len), name, len);
	for (uint32_t slot = (uint32_t)(hash >> 32) & root->table_mask; (zone = table[slot]) != 0;
	     slot = (slot + 1) & root->table_mask) {
		const struct zones_entry *entry = &entries[zone - 1];
		const uint8_t *origin;

		if (entry->origin_head[0] != first || entry->origin_head[1] != second)
			continue;
		origin = image_at(zones, struct zone_segment, entry->segment_off)->origin;
		if (name_word(origin + 16) == third && name_word(origin + 24) == fourth)
			return zone - 1;
	}
	return ZONES_NONE;
}

uint32_t zones_find(const struct image *zones, const uint8_t *name, size_t len)
{
	uint8_t copy[DNS_NAME_MAX + NAME_ROOM] = { 0 };

	memcpy(copy, name, len);
	return zones_find_hashed(zones, name_hash(copy, len), copy, len);
}

static const struct zone_node *find_in_bucket(const struct zone_segment *segment,
					      const struct zone_bucket *bucket, uint64_t hash,
					      const uint8_t *name, size_t len)
{
	for (unsigned slots = zone_bucket_slots(bucket, hash) & 0x5555; slots != 0;
	     slots &= slots - 1) {
		uint32_t at = zone_bucket_first(bucket, slots);
		const struct zone_node *node = zone_at(segment, struct zone_node, at);

		if (at != 0 && zone_node_name_len(segment, node) == len &&
		    name_same(name, zone_node_front(node), node->name_len))
			return node;
	}
	return NULL;
}

const struct zone_node *zone_find_hashed(const struct zone_segment *segment, uint64_t hash,
					 const uint8_t *name, size_t len)
{
	const struct zone_bucket *first = zone_at(segment, struct zone_bucket,
						  segment->buckets_off);
	const struct zone_bucket *bucket = zone_bucket(segment, hash);

	for (;;) {
		const struct zone_node *node = find_in_bucket(segment, bucket, hash, name, len);

		if (node != NULL || bucket->node[ZONE_BUCKET_SLOTS - 1] == 0)
			return node;
		bucket++;
		if (bucket == first + segment->bucket_count)
			bucket = first;
	}
}

const struct zone_node *zone_find(const struct zone_segment *segment, const uint8_t *name,
				  size_t len)
{
	uint8_t copy[DNS_NAME_MAX + NAME_ROOM] = { 0 };

	memcpy(copy, name, len);
	return zone_find_hashed(segment, name_hash(copy, len - segment->origin_len), copy, len);
}

const struct rrset_block *zone_rrset(const struct zone_segment *segment,
				     const struct zone_node *node, uint16_t type)
{
	return zone_rrset_inline(segment, node, type);
}
