/* The steering image: copies of what each pool has now. */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "steer/parts.h"

/* Where things stand in the image. */
struct places {
	struct image_writer *writer;
	struct steer *steer;
	uint64_t tables_off, splits_off, backups_off;
	uint32_t *first_table, *first_split, *first_backup; /* [pool] */
	uint32_t table_count, split_count, backup_count;
	uint64_t **maps;  /* [pool][map] */
	uint64_t *prefs;  /* [pool] */
	uint64_t **sites; /* [pool][site]: preferences of records that are bound to it */
};

/* --- tables and splits ------------------------------------------------------------------------ */

static void count_tables(struct places *places)
{
	const struct steer *steer = places->steer;

	for (uint32_t i = 0; i < steer->pool_count; i++) {
		const struct routes *routes = &steer->routes[i];

		places->first_table[i] = places->table_count;
		places->first_split[i] = places->split_count;
		places->first_backup[i] = places->backup_count;
		places->table_count += routes->groups.used_count + routes->nobody;
		places->split_count += routes->split_count;
		places->backup_count += routes->instead_count;
	}
}

static uint32_t group_branch(const struct places *places, uint32_t pool, uint32_t group)
{
	const struct groups *groups = &places->steer->routes[pool].groups;
	uint32_t number = group == ROUTE_NOBODY ? groups->used_count : groups->list[group].number;

	return branch_make(BRANCH_TABLE, places->first_table[pool] + number);
}

static uint32_t part_branch(const struct places *places, uint32_t pool, uint32_t part)
{
	if ((part & ROUTE_BACKUP) == 0)
		return group_branch(places, pool, part);
	if (part == ROUTE_POOL)
		return branch_make(BRANCH_POOL, places->steer->pools[pool].plan_pool->backup);
	return branch_make(BRANCH_BACKUP, places->first_backup[pool] + (part & ~ROUTE_BACKUP));
}

static struct steering_slots put_slots(const struct places *places, const struct pack *pack)
{
	return (struct steering_slots){
		.codes_off = image_writer_append(places->writer, pack->codes, pack_size(pack),
						 sizeof(uint64_t)),
		.kinds_off = image_writer_append(places->writer, pack->kinds,
						 pack->kind_count * sizeof(*pack->kinds),
						 sizeof(uint16_t)),
		.count = pack->count,
		.kind_count = pack->kind_count,
	};
}

static void put_table(const struct places *places, uint32_t number, const struct pack *pack)
{
	struct steering_slots slots = put_slots(places, pack);

	image_writer_at(places->writer, struct steering_table, places->tables_off)[number] =
		(struct steering_table){ .slots = slots, .hashed = pack->count > 1 };
}

static void put_tables(const struct places *places, uint32_t pool)
{
	const struct routes *routes = &places->steer->routes[pool];
	const uint16_t nobody = (uint16_t)routes->pool->node_count;
	uint32_t first = places->first_table[pool];

	for (uint32_t i = 0; i < routes->groups.used_count; i++)
		put_table(places, first + i, &routes->groups.list[routes->groups.used[i]].pack);
	if (routes->nobody) {
		const struct steering_slot slot = { nobody, nobody, 0 };
		struct pack pack = pack_slots(&slot, 1, nobody + 1U);

		put_table(places, first + routes->groups.used_count, &pack);
		pack_free(&pack);
	}
}

static void put_split(const struct places *places, uint32_t pool, uint32_t number)
{
	const struct routes *routes = &places->steer->routes[pool];
	const struct split *split = &routes->splits[number];
	struct pack pack = pack_slots(routes->slots + (size_t)number * SPLIT_SLOTS, SPLIT_SLOTS,
				      split->count);
	struct steering_split out = { .slots = put_slots(places, &pack),
				      .branch_count = split->count };

	out.branches_off = image_writer_reserve(places->writer, split->count * sizeof(uint32_t),
						sizeof(uint32_t));
	for (uint32_t i = 0; i < split->count; i++)
		image_writer_at(places->writer, uint32_t, out.branches_off)[i] = part_branch(
			places, pool, routes->parts[split->first + i].branch);
	image_writer_at(places->writer, struct steering_split,
			places->splits_off)[places->first_split[pool] + number] = out;
	pack_free(&pack);
}

/* --- preferences -------------------------------------------------------------------------------- */

static uint64_t *put_maps(const struct places *places, const struct sets *sets)
{
	uint64_t *offsets = mem_array(sets->map_count, sizeof(*offsets));
	size_t size = (sets->pool->node_count + 1) * sizeof(uint16_t);

	for (uint32_t i = 0; i < sets->map_count; i++)
		offsets[i] = image_writer_append(places->writer, sets->maps[i].choices, size,
						 sizeof(uint16_t));
	return offsets;
}

static uint32_t branch_of(const struct places *places, uint32_t pool, const struct route *route)
{
	switch (route->kind) {
	case BRANCH_TABLE: return group_branch(places, pool, route->number);
	case BRANCH_SPLIT:
		return branch_make(BRANCH_SPLIT, places->first_split[pool] + route->number);
	case BRANCH_BACKUP:
		return branch_make(BRANCH_BACKUP, places->first_backup[pool] + route->number);
	default: return branch_make(BRANCH_POOL, route->number);
	}
}

static struct steering_pref pref_of(const struct places *places, uint32_t pool,
				    const struct route *route)
{
	const struct image image = { places->writer->base, places->writer->len };
	struct steering_pref pref = {
		.branch = branch_of(places, pool, route),
		.applied = route->applied,
		.random = route->random,
		.choices_off = route->map == SETS_MAP_NONE ? 0 : places->maps[pool][route->map],
	};

	steering_pref_tell(&image, &pref);
	return pref;
}

/* One for each preference, or one for all clients. */
static uint64_t put_routes(const struct places *places, uint32_t pool, const struct route *list,
			   uint32_t count)
{
	uint64_t at = image_writer_reserve(places->writer, count * sizeof(struct steering_pref),
					   sizeof(struct steering_pref));
	struct steering_pref *out = image_writer_at(places->writer, struct steering_pref, at);

	for (uint32_t i = 0; i < count; i++)
		out[i] = pref_of(places, pool, &list[i]);
	return at;
}

static void put_backups(const struct places *places, uint32_t pool)
{
	const struct routes *routes = &places->steer->routes[pool];
	struct steering_backup *out = image_writer_at(places->writer, struct steering_backup,
						      places->backups_off) +
				      places->first_backup[pool];

	for (uint32_t i = 0; i < routes->instead_count; i++)
		out[i] = (struct steering_backup){
			.pool = routes->pool->plan_pool->backup,
			.instead = pref_of(places, pool, &routes->instead[i]),
		};
}

/* Does every client get what stands in for all nodes? */
static bool is_nobody(const struct route *prefs, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++)
		if (prefs[i].kind != BRANCH_TABLE || prefs[i].number != ROUTE_NOBODY)
			return false;
	return true;
}

static struct steering_spread spread_of(const struct plan_pool *pool)
{
	return (struct steering_spread){
		.seed = pool->seed,
		.persistence = pool->persistence,
		.persistence_without_ecs = pool->persistence_without_ecs,
		.persistence_v4 = pool->persistence_v4,
		.persistence_v6 = pool->persistence_v6,
		.shuffled = pool->order == ORDER_SHUFFLED,
	};
}

static void put_pool(struct places *places, uint32_t number, uint64_t pools_off)
{
	const struct routes *routes = &places->steer->routes[number];
	const struct plan_pool *plan_pool = routes->pool->plan_pool;
	struct steering_pool out = {
		.spread = spread_of(plan_pool),
		.pref_count = routes->pool->pref_count,
		.node_count = routes->pool->node_count,
		.choice_count = sets_choice_count(&routes->sets),
		.applied = routes->applied,
		.nobody = is_nobody(routes->prefs, routes->pool->pref_count),
	};

	put_tables(places, number);
	for (uint32_t i = 0; i < routes->split_count; i++)
		put_split(places, number, i);
	places->maps[number] = put_maps(places, &routes->sets);
	put_backups(places, number);
	out.prefs_off = put_routes(places, number, routes->prefs, out.pref_count);
	places->prefs[number] = out.prefs_off;
	places->sites[number] = mem_array(routes->pool->site_count, sizeof(uint64_t));
	for (uint32_t site = 0; site < routes->pool->site_count; site++)
		if (routes->sites[site].needed)
			places->sites[number][site] = put_routes(
				places, number, routes->sites[site].list, routes_of_site(routes));
	image_writer_at(places->writer, struct steering_pool, pools_off)[number] = out;
}

static void put_pools(struct places *places)
{
	uint32_t count = places->steer->pool_count;
	uint64_t at = image_writer_reserve(places->writer, count * sizeof(struct steering_pool),
					   IMAGE_ALIGN);

	for (uint32_t i = 0; i < count; i++)
		put_pool(places, i, at);
	image_writer_root(places->writer, struct steering_root)->pools_off = at;
}

/* --- records ------------------------------------------------------------------------------------ */

static void put_lists(const struct places *places)
{
	struct answers *answers = &places->steer->answers;

	for (uint32_t i = 0; i < answers->list_count; i++) {
		struct answer_list *list = &answers->lists[i];

		list->image_off = image_writer_append(places->writer, list->at,
						      list->size * sizeof(*list->at),
						      sizeof(*list->at));
	}
}

static uint64_t put_links(const struct places *places, uint32_t record, uint32_t pool,
			  uint8_t *count)
{
	const struct answers *answers = &places->steer->answers;
	const uint32_t *lists = answers_lists(answers, record);
	uint32_t link_count;
	const uint32_t *links = answers_links(answers, pool, &link_count);
	uint64_t at = image_writer_reserve(places->writer,
					   link_count * sizeof(struct steering_link), 8);
	struct steering_link *out = image_writer_at(places->writer, struct steering_link, at);

	for (uint32_t i = 0; i < link_count; i++)
		out[i] = (struct steering_link){
			.answers_off = answers->lists[lists[1 + i]].image_off,
			.pool = links[i],
		};
	*count = (uint8_t)link_count;
	return at;
}

/* Of a record's types: those that none of its lists has. */
static uint8_t lacking(const struct answers *answers, uint32_t record, uint8_t types,
		       uint32_t link_count)
{
	static const uint16_t all[] = { TYPE_A, TYPE_AAAA, TYPE_SRV, TYPE_HTTPS, TYPE_SVCB };
	const uint32_t *lists = answers_lists(answers, record);

	for (unsigned i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		for (uint32_t k = 0; k <= link_count; k++)
			if ((answers->lists[lists[k]].has >> steering_column(all[i]) & 1) != 0)
				types &= (uint8_t)~pool_type_bit(all[i]);
	return types;
}

static void put_record(const struct places *places, uint32_t number, uint64_t records_off)
{
	const struct steer *steer = places->steer;
	const struct plan_record *from = plan_items(steer->plan, records, struct plan_record) +
					 number;
	const struct pool *pool = &steer->pools[from->pool];
	const struct answer_list *list =
		&steer->answers.lists[*answers_lists(&steer->answers, number)];
	struct steering_record out = { .pool = from->pool,
				       .spread = spread_of(pool->plan_pool),
				       .by_class = pool->pref_count > 1,
				       .prefs_off = places->prefs[from->pool],
				       .answers_off = list->image_off,
				       .types = from->types,
				       .width = steering_width(from->types) };

	out.links_off = put_links(places, number, from->pool, &out.link_count);
	out.lacks = lacking(&steer->answers, number, from->types, out.link_count);
	if (from->pool_site != PLAN_NONE) {
		out.prefs_off =
			places->sites[from->pool][from->pool_site - pool->plan_pool->sites.first];
		out.for_all = !pool->restricts;
	}
	image_writer_at(places->writer, struct steering_record, records_off)[number] = out;
}

static void put_records(const struct places *places)
{
	uint32_t count = plan_count(places->steer->plan, records);
	uint64_t at = image_writer_reserve(places->writer, count * sizeof(struct steering_record),
					   IMAGE_ALIGN);

	for (uint32_t i = 0; i < count; i++)
		put_record(places, i, at);
	image_writer_root(places->writer, struct steering_root)->records_off = at;
}

/* --- the whole ---------------------------------------------------------------------------------- */

static void put_root(const struct places *places)
{
	const struct steer *steer = places->steer;
	const struct plan_settings *settings = &image_root(steer->plan, struct plan_root)->settings;
	struct steering_root *root = image_writer_root(places->writer, struct steering_root);

	root->serial = steer->serial;
	root->pool_count = steer->pool_count;
	root->record_count = plan_count(steer->plan, records);
	root->table_count = places->table_count;
	root->split_count = places->split_count;
	root->dns = settings->dns;
	if (root->dns.cookies != 0 && root->dns.cookie_secret_count == 0) {
		root->dns.cookie_secret_count = (uint16_t)steer->secret_count;
		memcpy(root->dns.cookie_secrets, steer->secrets, sizeof(steer->secrets));
	}
	root->splits_off = places->splits_off;
	root->backup_count = places->backup_count;
	root->backups_off = places->backups_off;
}

static void free_places(struct places *places)
{
	for (uint32_t i = 0; i < places->steer->pool_count; i++) {
		free(places->maps[i]);
		free(places->sites[i]);
	}
	free(places->maps);
	free(places->sites);
	free(places->prefs);
	free(places->first_table);
	free(places->first_split);
	free(places->first_backup);
}

void steer_write(struct image_writer *writer, struct steer *steer)
{
	const struct buf *bytes = &steer->answers.bytes;
	size_t pools = steer->pool_count;
	struct places places = { .writer = writer,
				 .steer = steer,
				 .first_table = mem_array(pools, sizeof(uint32_t)),
				 .first_split = mem_array(pools, sizeof(uint32_t)),
				 .first_backup = mem_array(pools, sizeof(uint32_t)),
				 .maps = mem_array(pools, sizeof(uint64_t *)),
				 .sites = mem_array(pools, sizeof(uint64_t *)),
				 .prefs = mem_array(pools, sizeof(uint64_t)) };

	(void)image_writer_append(writer, bytes->data, bytes->len, IMAGE_ALIGN);
	count_tables(&places);
	places.tables_off = image_writer_reserve(
		writer, places.table_count * sizeof(struct steering_table), IMAGE_ALIGN);
	places.splits_off = image_writer_reserve(
		writer, places.split_count * sizeof(struct steering_split), IMAGE_ALIGN);
	places.backups_off = image_writer_reserve(
		writer, places.backup_count * sizeof(struct steering_backup), IMAGE_ALIGN);
	image_writer_root(writer, struct steering_root)->tables_off = places.tables_off;
	put_pools(&places); /* whose preferences tell of tables */
	put_lists(&places);
	put_records(&places);
	put_root(&places);
	free_places(&places);
}
