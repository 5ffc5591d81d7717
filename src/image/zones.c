#include "image/zones.h"

#include <string.h>

bool zone_buckets_end(const struct zone_bucket *buckets, uint32_t count)
{
	unsigned full = 0;

	for (uint64_t i = 0; i < (uint64_t)count + ZONE_BUCKETS_MAX; i++) {
		full = buckets[i % count].node[ZONE_BUCKET_SLOTS - 1] != 0 ? full + 1 : 0;
		if (full > ZONE_BUCKETS_MAX)
			return false;
	}
	return true;
}

uint32_t zones_find(const struct image *zones, const uint8_t *name, size_t len)
{
	uint8_t copy[DNS_NAME_MAX + NAME_ROOM] = { 0 };

	memcpy(copy, name, len);
	return zones_find_hashed(zones, name_hash(copy, len), copy, len);
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
