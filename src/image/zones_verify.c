#include <string.h>

#include "image/segment_verify.h"

static bool is_power_of_two(uint64_t n)
{
	return n != 0 && (n & (n - 1)) == 0;
}

/* It refers to nothing outside of itself: where it stands does not matter. */
static bool is_verified(const struct image *verified, const struct zones_entry *entry,
			const struct zone_segment *segment)
{
	uint32_t zone;

	if (verified == NULL || entry->segment_size < sizeof(*segment))
		return false;
	zone = zones_find_hashed(verified, entry->origin_hash, segment->origin,
				 segment->origin_len);
	return zone != ZONES_NONE &&
	       zones_entry(verified, zone)->segment_size == entry->segment_size &&
	       memcmp(zones_segment(verified, zone), segment, entry->segment_size) == 0;
}

static int check_entries(const struct image *zones, const struct image *verified, struct err *err)
{
	const struct zones_root *root = image_root(zones, struct zones_root);
	uint64_t pool_records = 0, depths[2] = { 0, 0 };

	for (uint32_t i = 0; i < root->zone_count; i++) {
		const struct zones_entry *entry = zones_entry(zones, i);
		char origin[NAME_TEXT_SIZE];
		const struct zone_segment *segment;
		struct name_head head;

		if (!image_holds(zones, entry->segment_off, 1, sizeof(*segment), IMAGE_ALIGN) ||
		    !image_holds(zones, entry->segment_off, entry->segment_size, 1, 1))
			return err_set(err, "zones image: segment %u lies outside", i);
		segment = zones_segment(zones, i);
		if (!is_verified(verified, entry, segment) &&
		    segment_verify(segment, entry->segment_size, err) != 0)
			return -1;
		head = name_head(segment->origin, segment->origin_len);
		if (entry->origin_hash != name_hash(segment->origin, segment->origin_len) ||
		    entry->origin_len != segment->origin_len ||
		    entry->origin_head[0] != head.first || entry->origin_head[1] != head.second ||
		    entry->pool_record_base != pool_records)
			return err_set(err, "zones image: zone %s: its entry does not fit",
				       name_format(segment->origin, origin));
		pool_records += segment->pool_record_count;
		depths[segment->origin_labels / 64] |= ZONES_DEPTH_0 >> segment->origin_labels % 64;
	}
	if (root->pool_record_count != pool_records || root->depths[0] != depths[0] ||
	    root->depths[1] != depths[1])
		return err_set(err, "zones image: the root does not fit the zones");
	return 0;
}

/* After this, a lookup in the table ends. */
static int check_table(const struct image *zones, struct err *err)
{
	const struct zones_root *root = image_root(zones, struct zones_root);
	const uint32_t *table = image_at(zones, uint32_t, root->table_off);
	uint64_t used = 0, slots = (uint64_t)root->table_mask + 1;

	for (uint64_t i = 0; i < slots; i++) {
		if (table[i] > root->zone_count)
			return err_set(err, "zones image: the table names no zone");
		used += table[i] != 0;
	}
	if (used != root->zone_count || used == slots)
		return err_set(err, "zones image: the table does not hold each zone once");
	return 0;
}

int zones_verify_beside(const struct image *zones, const struct image *verified, struct err *err)
{
	const struct zones_root *root = image_root(zones, struct zones_root);

	if (!image_holds(zones, IMAGE_ROOT, 1, sizeof(*root), 8))
		return err_set(err, "zones image is cut");
	if (!is_power_of_two((uint64_t)root->table_mask + 1) ||
	    !image_holds(zones, root->table_off, (uint64_t)root->table_mask + 1, sizeof(uint32_t),
			 4) ||
	    !image_holds(zones, root->zones_off, root->zone_count, sizeof(struct zones_entry),
			 IMAGE_ALIGN))
		return err_set(err, "zones image: the zones lie outside");
	if (check_table(zones, err) != 0 || check_entries(zones, verified, err) != 0)
		return -1;
	for (uint32_t i = 0; i < root->zone_count; i++) {
		const struct zone_segment *segment = zones_segment(zones, i);

		if (zones_find_hashed(zones, zones_entry(zones, i)->origin_hash, segment->origin,
				      segment->origin_len) != i)
			return err_set(err, "zones image: zone %u is not found by its name", i);
	}
	return 0;
}

int zones_verify(const struct image *zones, struct err *err)
{
	return zones_verify_beside(zones, NULL, err);
}
