#include "steer/steer.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "steer/answers.h"
#include "steer/pool.h"
#include "steer/views.h"

#define BLOCKS_OFF \
	((IMAGE_ROOT + sizeof(struct steering_root) + IMAGE_ALIGN - 1) & ~(size_t)(IMAGE_ALIGN - 1))

struct steer {
	const struct image *zones, *geo, *plan;
	struct pool *pools;
	struct views *views; /* of each pool */
	uint32_t pool_count, table_count;
	struct answers answers;
	struct steer_node *nodes; /* as of the last compile */
	bool *up;
	uint32_t *weights, *ttls;
	bool compiled;
	uint64_t serial;
	unsigned secret_count;
	uint8_t secrets[COOKIE_SECRETS_MAX][COOKIE_SECRET_SIZE];
};

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
		struct pool *pool = &steer->pools[records[i].pool];

		if (records[i].pool_site != PLAN_NONE)
			pool_need_site(pool, records[i].pool_site - pool->plan_pool->sites.first);
	}
}

static void open_nodes(struct steer *steer)
{
	uint32_t nodes = plan_count(steer->plan, nodes) + 1U;

	steer->nodes = mem_array(nodes, sizeof(*steer->nodes));
	steer->up = mem_array(nodes, sizeof(*steer->up));
	steer->weights = mem_array(nodes, sizeof(*steer->weights));
	steer->ttls = mem_array(nodes, sizeof(*steer->ttls));
}

int steer_open(struct steer **out, const struct image *zones, const struct image *geo,
	       const struct image *plan, struct err *err)
{
	struct steer *steer = mem_alloc(sizeof(*steer));
	int rc = -1;

	*steer = (struct steer){ .zones = zones, .geo = geo, .plan = plan };
	if (check_fit(steer, err) != 0)
		goto out;
	open_nodes(steer);
	steer->pools = mem_array(plan_count(plan, pools), sizeof(*steer->pools));
	steer->views = mem_array(plan_count(plan, pools), sizeof(*steer->views));
	for (uint32_t i = 0; i < plan_count(plan, pools); i++) {
		steer->pool_count++;
		if (pool_open(&steer->pools[i], geo, plan, i, err) != 0)
			goto out;
		views_open(&steer->views[i], &steer->pools[i]);
	}
	need_bound_sites(steer);
	for (uint32_t i = 0; i < steer->pool_count; i++)
		steer->table_count += pool_number_tables(&steer->pools[i], steer->table_count);
	if (answers_open(&steer->answers, plan, steer->pools, BLOCKS_OFF, err) != 0)
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
		if (steer->views[i].sets.pool != NULL)
			views_close(&steer->views[i]);
		pool_close(&steer->pools[i]);
	}
	free(steer->views);
	free(steer->pools);
	free(steer->nodes);
	free(steer->up);
	free(steer->weights);
	free(steer->ttls);
	free(steer);
}

uint32_t steer_site_order(const struct steer *steer, uint32_t pool_number, uint32_t pref_number,
			  uint32_t *pool_sites, uint32_t max)
{
	struct pool *pool = &steer->pools[pool_number];
	const struct geo_pref *pref = geo_pool_pref(steer->geo, pool_number, pref_number);
	bool *seen = mem_array(pool->site_count, sizeof(*seen));
	uint32_t count = 0, site;

	for (uint32_t n = 0; count < max; n++) {
		site = pool_pref_site(pool, pref, n);
		if (site == POOL_NONE)
			break;
		if (seen[site])
			continue;
		seen[site] = true;
		pool_sites[count++] = pool->plan_pool->sites.first + site;
	}
	free(seen);
	return count;
}

/* --- compiling: bring what changed up to date, then copy all of it into an image --------------- */
/* Takes the input over; returns whether anything about this pool's nodes is new. */
static bool take_nodes(struct steer *steer, const struct plan_range *range,
		       const struct steer_input *input)
{
	bool changed = !steer->compiled;

	for (uint32_t n = range->first; n < range->first + range->count; n++) {
		const struct steer_node *now = &input->nodes[n], *old = &steer->nodes[n];

		changed |= now->state != old->state || now->level != old->level ||
			   now->weight != old->weight || now->ttl_s != old->ttl_s;
		steer->nodes[n] = *now;
		steer->up[n] = now->state == STEER_UP;
		steer->weights[n] = now->weight;
		steer->ttls[n] = now->ttl_s;
	}
	return changed;
}

static void update(struct steer *steer, const struct steer_input *input)
{
	for (uint32_t i = 0; i < steer->pool_count; i++) {
		struct pool *pool = &steer->pools[i];
		uint32_t first = pool->plan_pool->nodes.first;

		if (!take_nodes(steer, &pool->plan_pool->nodes, input))
			continue;
		pool_update(pool, steer->up);
		views_update(&steer->views[i], steer->weights + first);
		answers_update(&steer->answers, pool, &steer->views[i].sets, steer->ttls + first);
	}
	answers_tidy(&steer->answers);
	steer->compiled = true;
}

static void put_slots(struct image_writer *writer, uint64_t tables_off, uint32_t number,
		      const struct steering_slot *slots, uint32_t count)
{
	uint64_t at = image_writer_append(writer, slots, count * sizeof(*slots), sizeof(uint16_t));

	image_writer_at(writer, struct steering_table,
			tables_off)[number] = (struct steering_table){ at, count, count > 1 };
}

static void put_tables(struct image_writer *writer, uint64_t tables_off, const struct pool *pool)
{
	const uint16_t number = (uint16_t)pool->node_count;
	const struct steering_slot fallback = { number, number, 0 };

	for (uint32_t i = 0; i < pool->table_count; i++) {
		const struct table *table = pool->tables[i];

		if (table != NULL) /* one choice needs one slot only */
			put_slots(writer, tables_off, pool->table_numbers[i], table->slots,
				  table->distinct == 1 ? 1 : table->slot_count);
	}
	if (pool->fallback_choice)
		put_slots(writer, tables_off, pool->table_numbers[pool->table_count], &fallback, 1);
}

/* Where each map stands. The caller's to free. */
static uint64_t *put_maps(struct image_writer *writer, const struct sets *sets)
{
	uint64_t *offsets = mem_array(sets->map_count, sizeof(*offsets));
	size_t size = (sets->pool->node_count + 1) * sizeof(uint16_t);

	for (uint32_t i = 0; i < sets->map_count; i++)
		offsets[i] = image_writer_append(writer, sets->maps[i].choices, size,
						 sizeof(uint16_t));
	return offsets;
}

static uint64_t map_off(const uint64_t *maps, uint32_t number)
{
	return number == SETS_MAP_NONE ? 0 : maps[number];
}

static uint64_t put_prefs(struct image_writer *writer, const struct pool *pool,
			  const struct views *views, const uint64_t *maps)
{
	uint64_t at = image_writer_reserve(writer, pool->pref_count * sizeof(struct steering_pref),
					   8);
	struct steering_pref *out = image_writer_at(writer, struct steering_pref, at);

	for (uint32_t i = 0; i < pool->pref_count; i++)
		out[i] = (struct steering_pref){
			.branch = branch_make(BRANCH_TABLE, pool->pref_tables[i]),
			.applied = pool->applied,
			.random = pool->plan_pool->policy == POLICY_ROUND_ROBIN,
			.choices_off = map_off(maps, views->pref_maps[i]),
		};
	return at;
}

static void put_pools(struct image_writer *writer, const struct steer *steer, uint64_t tables_off,
		      uint64_t **maps)
{
	uint64_t at = image_writer_reserve(writer, steer->pool_count * sizeof(struct steering_pool),
					   IMAGE_ALIGN);

	for (uint32_t i = 0; i < steer->pool_count; i++) {
		const struct pool *pool = &steer->pools[i];
		const struct views *views = &steer->views[i];
		const struct plan_pool *plan_pool = pool->plan_pool;
		struct steering_pool out = {
			.seed = plan_pool->seed,
			.pref_count = pool->pref_count,
			.node_count = pool->node_count,
			.choice_count = views->sets.count,
			.persistence = plan_pool->persistence,
			.persistence_without_ecs = plan_pool->persistence_without_ecs,
			.persistence_v4 = plan_pool->persistence_v4,
			.persistence_v6 = plan_pool->persistence_v6,
			.shuffled = plan_pool->order == ORDER_SHUFFLED,
			.applied = pool->applied,
		};

		maps[i] = put_maps(writer, &views->sets);
		out.prefs_off = put_prefs(writer, pool, views, maps[i]);
		image_writer_at(writer, struct steering_pool, at)[i] = out;
		put_tables(writer, tables_off, pool);
	}
	image_writer_root(writer, struct steering_root)->pools_off = at;
}

static void put_lists(struct image_writer *writer, struct answers *answers)
{
	for (uint32_t i = 0; i < answers->list_count; i++) {
		struct answer_list *list = &answers->lists[i];

		list->image_off = image_writer_append(
			writer, list->at, list->size * sizeof(*list->at), sizeof(*list->at));
	}
}

static uint64_t put_links(struct image_writer *writer, const struct steer *steer, uint32_t record,
			  uint8_t *count)
{
	const struct plan_record *r = plan_items(steer->plan, records, struct plan_record) + record;
	const uint32_t *lists = answers_lists(&steer->answers, record);
	uint32_t link_count;
	const uint32_t *links = answers_links(&steer->answers, r->pool, &link_count);
	uint64_t at = image_writer_reserve(writer, link_count * sizeof(struct steering_link), 8);
	struct steering_link *out = image_writer_at(writer, struct steering_link, at);

	for (uint32_t i = 0; i < link_count; i++)
		out[i] = (struct steering_link){
			.answers_off = steer->answers.lists[lists[1 + i]].image_off,
			.pool = links[i],
		};
	*count = (uint8_t)link_count;
	return at;
}

static void put_record(struct image_writer *writer, const struct steer *steer, uint32_t number,
		       uint64_t records_off, uint64_t *const *maps)
{
	const struct plan_record *from = plan_items(steer->plan, records, struct plan_record) +
					 number;
	const struct pool *pool = &steer->pools[from->pool];
	uint32_t list = *answers_lists(&steer->answers, number), site;
	struct steering_record out = { .pool = from->pool,
				       .branch = STEERING_NONE,
				       .answers_off = steer->answers.lists[list].image_off,
				       .types = from->types,
				       .width = steering_width(from->types),
				       .applied = pool->applied };

	out.links_off = put_links(writer, steer, number, &out.link_count);
	if (from->pool_site != PLAN_NONE) {
		site = from->pool_site - pool->plan_pool->sites.first;
		out.branch = branch_make(BRANCH_TABLE, pool_site_table(pool, site));
		out.choices_off = map_off(maps[from->pool],
					  steer->views[from->pool].site_maps[site]);
	}
	image_writer_at(writer, struct steering_record, records_off)[number] = out;
}

static void put_records(struct image_writer *writer, const struct steer *steer,
			uint64_t *const *maps)
{
	uint32_t count = plan_count(steer->plan, records);
	uint64_t at = image_writer_reserve(writer, count * sizeof(struct steering_record),
					   IMAGE_ALIGN);

	for (uint32_t i = 0; i < count; i++)
		put_record(writer, steer, i, at, maps);
	image_writer_root(writer, struct steering_root)->records_off = at;
}

static void put_root(struct image_writer *writer, const struct steer *steer, uint64_t tables_off)
{
	const struct plan_settings *settings = &image_root(steer->plan, struct plan_root)->settings;
	struct steering_root *root = image_writer_root(writer, struct steering_root);

	root->serial = steer->serial;
	root->pool_count = steer->pool_count;
	root->record_count = plan_count(steer->plan, records);
	root->table_count = steer->table_count;
	root->dns = settings->dns;
	if (root->dns.cookies != 0 && root->dns.cookie_secret_count == 0) {
		root->dns.cookie_secret_count = (uint16_t)steer->secret_count;
		memcpy(root->dns.cookie_secrets, steer->secrets, sizeof(steer->secrets));
	}
	root->tables_off = root->splits_off = tables_off;
}

void steer_set_cookie_secrets(struct steer *steer, const uint8_t secrets[][COOKIE_SECRET_SIZE],
			      unsigned count)
{
	memset(steer->secrets, 0, sizeof(steer->secrets));
	memcpy(steer->secrets, secrets, count * sizeof(steer->secrets[0]));
	steer->secret_count = count;
}

static void write_image(struct image_writer *writer, struct steer *steer)
{
	const struct buf *bytes = &steer->answers.bytes;
	uint64_t **maps = mem_array(steer->pool_count, sizeof(uint64_t *));
	uint64_t tables_off;

	(void)image_writer_append(writer, bytes->data, bytes->len, IMAGE_ALIGN);
	tables_off = image_writer_reserve(
		writer, steer->table_count * sizeof(struct steering_table), IMAGE_ALIGN);
	put_pools(writer, steer, tables_off, maps);
	put_lists(writer, &steer->answers);
	put_records(writer, steer, maps);
	put_root(writer, steer, tables_off);
	for (uint32_t i = 0; i < steer->pool_count; i++)
		free(maps[i]);
	free(maps);
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
	if (image_writer_open(&writer, IMAGE_STEERING, sizeof(struct steering_root), err) != 0)
		return -1;
	steer->serial++;
	write_image(&writer, steer);
	return image_writer_finish(&writer, basis, fd, err);
}

uint64_t steer_next_unix_s(const struct steer *steer)
{
	(void)steer;
	return 0;
}
