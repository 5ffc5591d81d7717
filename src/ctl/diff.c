#include "ctl/diff.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "ctl/diff_parts.h"
#include "ctl/suppose.h"
#include "image/plan.h"

/* Which part of its clients each site keeps, as control tells it. The caller's. */
static uint16_t *reported_keep(const struct borrowed *borrowed)
{
	uint32_t count = plan_count(&borrowed->plan, pool_sites);
	uint16_t *keep = mem_array(count + 1U, sizeof(*keep));

	for (uint32_t s = 0; s < count; s++) {
		const json_t *told = json_object_get(json_array_get(borrowed->pool_sites, s),
						     "keep");

		keep[s] = STEER_ALL;
		if (json_is_number(told))
			keep[s] = (uint16_t)(json_number_value(told) * STEER_ALL + 0.5);
	}
	return keep;
}

static const char *site_name(const struct image *plan, uint32_t pool_site)
{
	uint32_t site = plan_items(plan, pool_sites, struct plan_pool_site)[pool_site].site;

	return plan_text(plan, plan_items(plan, sites, struct plan_site)[site].name);
}

static const char *pool_name(const struct image *plan, uint32_t pool_site)
{
	uint32_t pool = plan_items(plan, pool_sites, struct plan_pool_site)[pool_site].pool;

	return plan_text(plan, plan_items(plan, pools, struct plan_pool)[pool].name);
}

/* The same in another plan, by names. */
static uint16_t *carried_keep(const struct image *from, const uint16_t *keep,
			      const struct image *to)
{
	uint32_t count = plan_count(to, pool_sites);
	uint16_t *out = mem_array(count + 1U, sizeof(*out));

	for (uint32_t s = 0; s < count; s++) {
		out[s] = STEER_ALL;
		for (uint32_t old = 0; old < plan_count(from, pool_sites); old++) {
			if (strcmp(site_name(from, old), site_name(to, s)) == 0 &&
			    strcmp(pool_name(from, old), pool_name(to, s)) == 0)
				out[s] = keep[old];
		}
	}
	return out;
}

static int make_steering(struct diff_side *side, const struct supposed_node *supposed,
			 const uint16_t *keep, uint64_t now_unix_s, struct err *err)
{
	uint32_t count = plan_count(side->plan, nodes);
	struct steer_node *nodes = mem_array(count + 1U, sizeof(*nodes));
	struct steer_input input = { .nodes = nodes, .keep = keep, .now_unix_s = now_unix_s };
	struct steer *steer = NULL;
	int fd = -1, rc = -1;

	for (uint32_t n = 0; n < count; n++)
		nodes[n] = supposed[n].steer;
	if (steer_open(&steer, &side->world.zones, &side->world.geo, side->plan, err) == 0 &&
	    steer_compile(steer, &input, &fd, err) == 0) {
		rc = image_open(&side->world.steering, fd, IMAGE_STEERING, err);
		(void)close(fd);
	}
	steer_close(steer);
	free(nodes);
	return rc;
}

/* Both sides with the nodes as they are, so that only what the files say differs. */
static int make_sides(const struct borrowed *borrowed, struct diff_side *before,
		      struct diff_side *after, struct err *err)
{
	struct supposed_node *now = suppose_reported(before->plan, borrowed->nodes);
	struct supposed_node *then = suppose_carried(before->plan, now, after->plan);
	uint16_t *keep = reported_keep(borrowed);
	uint16_t *then_keep = carried_keep(before->plan, keep, after->plan);
	int rc = -1;

	if (make_steering(before, now, keep, borrowed->now_unix_s, err) == 0 &&
	    make_steering(after, then, then_keep, borrowed->now_unix_s, err) == 0)
		rc = 0;
	free(now);
	free(then);
	free(keep);
	free(then_keep);
	return rc;
}

static bool is_same(const struct image *a, const struct image *b)
{
	return image_header(a)->id == image_header(b)->id;
}

static json_t *steered(const struct borrowed *borrowed, const struct diff_side *before,
		       const struct diff_side *after, size_t most)
{
	const struct image *geo = &before->world.geo;
	struct country_table countries = { 0 };
	struct space space;
	json_t *told;

	space_measure(&space, &borrowed->locations, geo,
		      is_same(geo, &after->world.geo) ? geo : &after->world.geo);
	country_table_find(&countries, &borrowed->plan, &borrowed->locations);
	told = diff_steered(before, after, &space, &countries, most);
	country_table_close(&countries);
	space_free(&space);
	return told;
}

/* Leaves off what is beyond the first ones; how many that is. */
static json_t *left_off(json_t *list, size_t most)
{
	size_t count = json_array_size(list), more = count > most ? count - most : 0;

	for (size_t i = 0; i < more; i++)
		json_array_remove(list, count - 1 - i);
	return json_integer((json_int_t)more);
}

json_t *diff_files(const struct borrowed *borrowed, const struct image other[IMAGE_KINDS], bool all,
		   struct err *err)
{
	struct diff_side before = { { borrowed->world.zones, borrowed->world.geo, { NULL, 0 } },
				    &borrowed->plan };
	struct diff_side after = { { other[IMAGE_ZONES], other[IMAGE_GEO], { NULL, 0 } },
				   &other[IMAGE_PLAN] };
	size_t most = all ? SIZE_MAX : DIFF_LISTED;
	json_t *zones, *steer, *objects, *told = NULL;

	if (make_sides(borrowed, &before, &after, err) == 0) {
		zones = diff_zones(&before.world.zones, &after.world.zones, most);
		steer = steered(borrowed, &before, &after, most);
		objects = diff_plans(before.plan, after.plan);
		told = json_pack("{s:b, s:b, s:o, s:o, s:o}", "ok", true, "changed",
				 json_array_size(zones) + json_array_size(steer) +
						 json_array_size(objects) >
					 0,
				 "zones", zones, "steered", steer, "objects", objects);
		json_object_set_new(told, "steered_left_off", left_off(steer, most));
		json_object_set_new(told, "objects_left_off", left_off(objects, most));
	}
	image_close(&before.world.steering);
	image_close(&after.world.steering);
	return told;
}
