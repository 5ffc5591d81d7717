#include "steer/steer.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "steer/parts.h"

/* --- opening ----------------------------------------------------------------------------------- */

static int check_fit(const struct steer *steer, struct err *err)
{
	const struct geo_root *geo = image_root(steer->geo, struct geo_root);
	const struct zones_root *zones = image_root(steer->zones, struct zones_root);
	uint32_t pools = plan_count(steer->plan, pools), sites = plan_count(steer->plan, sites);
	uint32_t records = plan_count(steer->plan, records);

	if (geo->pool_count != pools || geo->site_count != sites)
		return err_set(err,
			       "the geo image has %u pools and %u sites, the plan %u and %u: they "
			       "were not made together",
			       geo->pool_count, geo->site_count, pools, sites);
	if (zones->pool_record_count != records)
		return err_set(err,
			       "the zones have %u POOL records, the plan %u: they were not made "
			       "together",
			       zones->pool_record_count, records);
	return 0;
}

static void need_bound_sites(struct steer *steer)
{
	const struct plan_record *records = plan_items(steer->plan, records, struct plan_record);

	for (uint32_t i = 0; i < plan_count(steer->plan, records); i++) {
		const struct pool *pool = &steer->pools[records[i].pool];

		if (records[i].pool_site != PLAN_NONE)
			routes_need_site(&steer->routes[records[i].pool],
					 records[i].pool_site - pool->plan_pool->sites.first);
	}
}

/* Each pool behind its backup, and that behind its own. plan_verify has seen that they are no
 * circle. */
static void place_pool(struct steer *steer, bool *placed, uint32_t *count, uint32_t pool)
{
	uint32_t backup = steer->pools[pool].plan_pool->backup;

	if (placed[pool])
		return;
	placed[pool] = true;
	if (backup != PLAN_NONE)
		place_pool(steer, placed, count, backup);
	steer->by_backup[(*count)++] = pool;
}

static void place_pools(struct steer *steer)
{
	bool *placed = mem_array(steer->pool_count, sizeof(*placed));
	uint32_t count = 0;

	steer->by_backup = mem_array(steer->pool_count, sizeof(*steer->by_backup));
	for (uint32_t i = 0; i < steer->pool_count; i++)
		place_pool(steer, placed, &count, i);
	free(placed);
}

static int open_pools(struct steer *steer, struct err *err)
{
	uint32_t count = plan_count(steer->plan, pools);

	steer->pools = mem_array(count, sizeof(*steer->pools));
	steer->routes = mem_array(count, sizeof(*steer->routes));
	steer->changed = mem_array(count, sizeof(*steer->changed));
	steer->left = mem_array(count, sizeof(*steer->left));
	for (uint32_t i = 0; i < count; i++) {
		steer->pool_count++;
		if (pool_open(&steer->pools[i], steer->geo, steer->plan, i, err) != 0)
			return -1;
		routes_open(&steer->routes[i], steer->routes, &steer->pools[i]);
	}
	return 0;
}

int steer_open(struct steer **out, const struct image *zones, const struct image *geo,
	       const struct image *plan, struct err *err)
{
	struct steer *steer = mem_alloc(sizeof(*steer));
	int rc = -1;

	*steer = (struct steer){ .zones = zones, .geo = geo, .plan = plan };
	if (check_fit(steer, err) != 0 || open_pools(steer, err) != 0)
		goto out;
	place_pools(steer);
	need_bound_sites(steer);
	if (answers_open(&steer->answers, plan, steer->pools, STEER_BLOCKS_OFF, err) != 0)
		goto out;
	*out = steer;
	steer = NULL; /* now the caller's */
	rc = 0;
out:
	steer_close(steer);
	return rc;
}

void steer_close(struct steer *steer)
{
	if (steer == NULL)
		return;
	answers_close(&steer->answers);
	for (uint32_t i = 0; i < steer->pool_count; i++) {
		routes_close(&steer->routes[i]);
		pool_close(&steer->pools[i]);
	}
	free(steer->routes);
	free(steer->pools);
	free(steer->changed);
	free(steer->left);
	free(steer->by_backup);
	free(steer);
}

void steer_inherit(struct steer *steer, const struct steer *older)
{
	for (uint32_t i = 0; i < steer->pool_count; i++) {
		struct groups *groups = &steer->routes[i].groups;

		groups->older = NULL;
		for (uint32_t k = 0; older != NULL && k < older->pool_count; k++)
			if (older->pools[k].plan_pool->seed == groups->pool->plan_pool->seed)
				groups->older = &older->routes[k].groups;
	}
}

uint32_t steer_site_order(const struct steer *steer, uint32_t pool_number, uint32_t pref,
			  uint32_t *pool_sites, uint32_t max)
{
	struct pool *pool = &steer->pools[pool_number];
	struct order order;
	uint32_t count;

	order_open(&order, pool);
	order_begin(&order, pref);
	order_finish(&order);
	count = order.count < max ? order.count : max;
	for (uint32_t i = 0; i < count; i++)
		pool_sites[i] = pool->plan_pool->sites.first + order.sites[i];
	order_close(&order);
	return count;
}

/* --- compiling: bring what changed up to date, then copy all of it into an image --------------- */

static void update_answers(struct steer *steer, uint32_t number)
{
	const struct pool *pool = &steer->pools[number];
	uint32_t *ttls = mem_array(pool->node_count, sizeof(*ttls));

	for (uint32_t node = 0; node < pool->node_count; node++)
		ttls[node] = pool->now[node].ttl_s;
	answers_update(&steer->answers, pool, &steer->routes[number].sets, ttls);
	free(ttls);
}

static void update(struct steer *steer, const struct steer_input *input)
{
	for (uint32_t i = 0; i < steer->pool_count; i++)
		steer->changed[i] = pool_take(&steer->pools[i], input);
	for (uint32_t i = 0; i < steer->pool_count; i++) {
		uint32_t pool = steer->by_backup[i];

		steer->changed[pool] |= routes_find_serving(&steer->routes[pool]);
	}
	memset(steer->left, false, steer->pool_count * sizeof(*steer->left));
	for (uint32_t i = 0; i < steer->pool_count; i++) {
		uint32_t pool = steer->by_backup[i];
		uint32_t backup = steer->pools[pool].plan_pool->backup;

		if (!steer->changed[pool] && (backup == PLAN_NONE || !steer->left[backup]))
			continue;
		steer->left[pool] = routes_update(&steer->routes[pool]);
		update_answers(steer, pool);
	}
	answers_tidy(&steer->answers);
	steer->compiled_unix_s = input->now_unix_s;
}

uint32_t steer_left_out(const struct steer *steer)
{
	uint32_t count = 0;

	for (uint32_t i = 0; i < steer->pool_count; i++)
		count += steer->routes[i].sets.left_out;
	return count;
}

static void find_yielding(const struct group *group, const uint16_t *levels, bool *yields)
{
	uint16_t highest = 0;

	for (uint32_t i = 0; i < group->primary_count; i++)
		if (levels[group->primaries[i]] > highest)
			highest = levels[group->primaries[i]];
	for (uint32_t i = 0; i < group->primary_count; i++)
		yields[group->primaries[i]] |= levels[group->primaries[i]] < highest;
}

void steer_find_yielding(const struct steer *steer, const uint16_t *levels, bool *yields)
{
	memset(yields, false, plan_count(steer->plan, nodes) * sizeof(*yields));
	for (uint32_t i = 0; i < steer->pool_count; i++) {
		const struct groups *groups = &steer->routes[i].groups;
		uint32_t first = steer->pools[i].plan_pool->nodes.first;

		for (uint32_t k = 0; k < groups->used_count; k++)
			if (groups->list[groups->used[k]].rank == TABLE_USABLE)
				find_yielding(&groups->list[groups->used[k]], levels + first,
					      yields + first);
	}
}

uint64_t steer_next_unix_s(const struct steer *steer)
{
	const struct plan_avoid *avoids = plan_items(steer->plan, avoids, struct plan_avoid);
	uint64_t next = 0;

	for (uint32_t i = 0; i < plan_count(steer->plan, avoids); i++) {
		uint64_t until = avoids[i].until_unix_s;

		if (until > steer->compiled_unix_s && (next == 0 || until < next))
			next = until;
	}
	return next;
}

void steer_set_cookie_secrets(struct steer *steer, const uint8_t secrets[][COOKIE_SECRET_SIZE],
			      unsigned count)
{
	memset(steer->secrets, 0, sizeof(steer->secrets));
	memcpy(steer->secrets, secrets, count * sizeof(steer->secrets[0]));
	steer->secret_count = count;
}

int steer_compile(struct steer *steer, const struct steer_input *input, int *fd, struct err *err)
{
	const uint64_t basis[IMAGE_KINDS] = {
		[IMAGE_ZONES] = image_header(steer->zones)->id,
		[IMAGE_GEO] = image_header(steer->geo)->id,
		[IMAGE_PLAN] = image_header(steer->plan)->id,
	};
	struct image_writer writer;

	update(steer, input);
	steer_inherit(steer, NULL);
	if (image_writer_open(&writer, IMAGE_STEERING, sizeof(struct steering_root), err) != 0)
		return -1;
	steer->serial++;
	steer_write(&writer, steer);
	return image_writer_finish(&writer, basis, fd, err);
}
