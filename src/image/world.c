#include "image/world.h"

#include <stddef.h>

/* Those of an empty server file. */
const struct dns_settings world_settings_default = { .udp_size_max = 1232, /* RFC 9715 */
						     .tcp_idle_ms = 10000,
						     .tcp_lifetime_ms = 30 * 60 * 1000,
						     .tcp_connections = 1000 };

int world_open(struct world *out, int zones_fd, int geo_fd, int steering_fd, struct err *err)
{
	struct world world = { 0 };

	if (image_open(&world.zones, zones_fd, IMAGE_ZONES, err) != 0 ||
	    image_open(&world.geo, geo_fd, IMAGE_GEO, err) != 0 ||
	    image_open(&world.steering, steering_fd, IMAGE_STEERING, err) != 0 ||
	    world_fits(&world, err) != 0)
		goto fail;
	*out = world;
	return 0;
fail:
	world_close(&world);
	*out = (struct world){ 0 };
	return -1;
}

int world_fits(const struct world *world, struct err *err)
{
	const struct image_header *steering = image_header(&world->steering);

	if (steering->basis[IMAGE_ZONES] != image_header(&world->zones)->id ||
	    steering->basis[IMAGE_GEO] != image_header(&world->geo)->id)
		return err_set(err, "the steering image was made for other zones or geo images");
	return 0;
}

void world_close(struct world *world)
{
	image_close(&world->zones);
	image_close(&world->geo);
	image_close(&world->steering);
}

/* Where a node says that its POOL record answers a type, the record's list has it. */
static int verify_types(const struct world *world, struct err *err)
{
	const struct zones_root *zones = image_root(&world->zones, struct zones_root);

	for (uint32_t zone = 0; zone < zones->zone_count; zone++) {
		const struct zone_segment *segment = zones_segment(&world->zones, zone);
		const struct zone_pool_record *records = zone_at(segment, struct zone_pool_record,
								 segment->pool_records_off);
		uint32_t base = zones_entry(&world->zones, zone)->pool_record_base;

		for (uint32_t i = 0; i < segment->pool_record_count; i++) {
			if (records[i].types != steering_record(&world->steering, base + i)->types)
				return err_set(err,
					       "POOL record %u has other types in the zones image "
					       "than in the steering image",
					       base + i);
		}
	}
	return 0;
}

int world_verify(const struct world *world, struct err *err)
{
	const struct zones_root *zones = image_root(&world->zones, struct zones_root);
	const struct geo_root *geo = image_root(&world->geo, struct geo_root);
	const struct steering_root *steering = image_root(&world->steering, struct steering_root);

	if (zones->pool_record_count != steering->record_count)
		return err_set(err, "zones have %u POOL records, the steering image has %u",
			       zones->pool_record_count, steering->record_count);
	if (geo->pool_count != steering->pool_count)
		return err_set(err, "the geo image has %u pools, the steering image has %u",
			       geo->pool_count, steering->pool_count);
	for (uint32_t pool = 0; pool < geo->pool_count; pool++) {
		uint32_t prefs =
			image_at(&world->geo, struct geo_pool, geo->pools_off)[pool].pref_count;

		if (prefs != steering_pool(&world->steering, pool)->pref_count)
			return err_set(err,
				       "pool %u has %u preferences in the geo image, %u in the "
				       "steering image",
				       pool, prefs,
				       steering_pool(&world->steering, pool)->pref_count);
	}
	return verify_types(world, err);
}

static bool is_record(const struct steering_record *record, const struct plan_record *planned)
{
	return record->pool == planned->pool && record->types == planned->types &&
	       (record->for_all == 0 || planned->pool_site != PLAN_NONE);
}

int world_verify_plan(const struct image *steering, const struct image *plan, struct err *err)
{
	const struct steering_root *root = image_root(steering, struct steering_root);
	const struct plan_pool *pools = plan_items(plan, pools, struct plan_pool);
	const struct plan_record *records = plan_items(plan, records, struct plan_record);

	if (root->pool_count != plan_count(plan, pools) ||
	    root->record_count != plan_count(plan, records))
		return err_set(err,
			       "the steering image has %u pools and %u POOL records, the plan %u "
			       "and %u",
			       root->pool_count, root->record_count, plan_count(plan, pools),
			       plan_count(plan, records));
	for (uint32_t pool = 0; pool < root->pool_count; pool++)
		if (steering_pool(steering, pool)->node_count != pools[pool].nodes.count)
			return err_set(err,
				       "pool %u has %u nodes in the steering image, %u in the plan",
				       pool, steering_pool(steering, pool)->node_count,
				       pools[pool].nodes.count);
	for (uint32_t i = 0; i < root->record_count; i++)
		if (!is_record(steering_record(steering, i), &records[i]))
			return err_set(err,
				       "POOL record %u is another one in the plan than in the "
				       "steering image",
				       i);
	return 0;
}
