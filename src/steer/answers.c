#include "steer/answers.h"

#include <stdlib.h>
#include <string.h>

#define TIDY_BYTES (64U << 10) /* less than this is not worth the work */

/* --- one row ------------------------------------------------------------------------------------- */

static uint32_t capped(const struct pool *pool, uint32_t ttl_s)
{
	uint32_t ceiling = pool->plan_pool->ttl_ceiling_s;

	return ttl_s < ceiling ? ttl_s : ceiling;
}

/* How long an answer with these nodes holds. What the author of a record set below the floor stays
 * as it is. */
static uint32_t lowered(const struct answer_list *list, const uint32_t *ttls,
			const struct block_key *key, uint32_t ttl_s)
{
	const struct pool *pool = list->cache.pool;
	uint32_t least = ttl_s;

	for (unsigned i = 0; i < key->count; i++) {
		uint32_t ttl = key->nodes[i] < pool->node_count ? ttls[key->nodes[i]] : 0;

		if (ttl != 0 && ttl < least)
			least = ttl;
	}
	if (least < pool->plan_pool->ttl_floor_s)
		least = pool->plan_pool->ttl_floor_s;
	return least < ttl_s ? least : ttl_s;
}

/* The members of a set that may be answered for a family. */
static struct block_key address_key(const struct answer_list *list, const struct set *set,
				    unsigned family)
{
	const struct pool *pool = list->cache.pool;
	struct block_key key = { .column = (uint8_t)family };

	for (unsigned i = 0; i < SET_NODES_MAX && set->nodes[i] != SET_NODE_NONE; i++)
		if (pool->live[family][set->nodes[i]])
			key.nodes[key.count++] = set->nodes[i];
	return key;
}

/* All members; but what is told of them has no addresses whose path is down. */
static struct block_key service_key(const struct answer_list *list, const struct set *set,
				    unsigned column)
{
	const struct pool *pool = list->cache.pool;
	struct block_key key = { .column = (uint8_t)column };

	for (unsigned i = 0; i < SET_NODES_MAX && set->nodes[i] != SET_NODE_NONE; i++) {
		for (unsigned family = 0; family < STEERING_FAMILIES && column != STEERING_SRV;
		     family++)
			key.closed[family] |= (uint16_t)(pool_is_closed(pool, set->nodes[i], family)
							 << i);
		key.nodes[key.count++] = set->nodes[i];
	}
	return key;
}

static uint64_t get(struct answers *answers, struct answer_list *list, const uint32_t *ttls,
		    struct block_key *key, uint32_t ttl_s)
{
	if (key->count == 0)
		return 0;
	key->ttl_s = lowered(list, ttls, key, ttl_s);
	if (key->count == 1 && key->column < STEERING_FAMILIES && key->ttl_s == list->ttl_s)
		return list->singles[(size_t)key->nodes[0] * list->width + key->column];
	return blocks_get(&answers->bytes, &list->cache, key);
}

static bool has_type(const struct answer_list *list, unsigned column)
{
	static const uint8_t types[STEERING_COLUMNS] = { [STEERING_SRV] = POOL_TYPE_SRV,
							 [STEERING_HTTPS] = POOL_TYPE_HTTPS,
							 [STEERING_SVCB] = POOL_TYPE_SVCB };

	return (list->cache.record->types & types[column]) != 0;
}

/* Are the addresses of this family found at the target name that all nodes share? */
static bool has_target(const struct answer_list *list, unsigned family)
{
	uint8_t type = family == STEERING_A ? POOL_TYPE_A : POOL_TYPE_AAAA;

	return (list->cache.record->target_types & type) != 0;
}

/* Addresses may be those of a node that stands in; all else is of the set's own nodes. */
static void fill_row(struct answers *answers, struct answer_list *list, const uint32_t *ttls,
		     const struct set *set, uint64_t *row)
{
	for (unsigned family = 0; family < STEERING_FAMILIES; family++) {
		struct block_key key = address_key(list, set, family);

		if (list->width > STEERING_FAMILIES && has_target(list, family))
			row[STEERING_TARGET_A + family] = get(answers, list, ttls, &key,
							      list->target_ttl_s);
		if (key.count == 0 && set->substitutes[family] != SET_NODE_NONE)
			key.nodes[key.count++] = set->substitutes[family];
		row[family] = get(answers, list, ttls, &key, list->ttl_s);
	}
	for (unsigned column = STEERING_SRV; column < STEERING_TARGET_A; column++) {
		struct block_key key = service_key(list, set, column);

		if (column < list->width && has_type(list, column))
			row[column] = get(answers, list, ttls, &key, list->ttl_s);
	}
}

/* --- what does not change ------------------------------------------------------------------------- */

/* Makes the block of a node alone (or the fallback's), and sees to it that as many as an answer
 * has nodes fit into one message. */
static int make_single(struct answers *answers, const struct answer_list *list, uint32_t node,
		       unsigned column, uint32_t ttl_s, uint64_t *at)
{
	const struct rrset_block *block;
	struct block_key key = {
		.ttl_s = ttl_s, .column = (uint8_t)column, .count = 1, .nodes = { (uint16_t)node }
	};
	size_t wire_len;

	if (blocks_make(&answers->bytes, &list->cache, &key, at) != 0)
		return -1;
	if (*at == 0)
		return 0;
	block = (const struct rrset_block *)(const void *)(answers->bytes.data + *at - 1);
	wire_len = (size_t)block->wire_len * list->cache.pool->plan_pool->answers;
	return wire_len > rrset_wire_max(block->owner_len) ? -1 : 0;
}

static int make_row(struct answers *answers, struct answer_list *list, uint32_t node)
{
	uint64_t *row = list->singles + (size_t)node * list->width;

	for (unsigned column = 0; column < STEERING_TARGET_A && column < list->width; column++)
		if ((column < STEERING_FAMILIES || has_type(list, column)) &&
		    make_single(answers, list, node, column, list->ttl_s, &row[column]) != 0)
			return -1;
	for (unsigned family = 0; family < STEERING_FAMILIES; family++) {
		uint64_t *target = &row[STEERING_TARGET_A + family];

		if (list->width == STEERING_FAMILIES || !has_target(list, family))
			continue;
		if (list->target_ttl_s == list->ttl_s)
			*target = row[family];
		else if (make_single(answers, list, node, family, list->target_ttl_s, target) != 0)
			return -1;
	}
	for (unsigned column = 0; column < list->width; column++)
		list->has |= (uint8_t)((row[column] != 0) << column);
	return 0;
}

static int add_list(struct answers *answers, const struct pool *pool,
		    const struct plan_record *record, struct err *err)
{
	struct answer_list *list;
	const char *name;

	array_add(answers->lists, answers->list_count,
		  answers->list_cap) = (struct answer_list){ .pool = pool->number };
	list = &answers->lists[answers->list_count - 1];
	list->width = steering_width(record->types);
	list->ttl_s = capped(pool, record->ttl_s);
	list->target_ttl_s = capped(pool, record->target_ttl_s);
	list->cache = (struct block_cache){ .record = record, .pool = pool };
	list->singles = mem_array(((size_t)pool->node_count + 1) * list->width,
				  sizeof(*list->singles));
	for (uint32_t node = 0; node <= pool->node_count; node++) {
		if (make_row(answers, list, node) == 0)
			continue;
		name = node < pool->node_count ? plan_text(pool->plan, pool->nodes[node].name)
					       : "the fallback";
		return err_set(err, "pool '%s': %s has too many addresses for one answer",
			       plan_text(pool->plan, pool->plan_pool->name), name);
	}
	return 0;
}

/* --- links: who may stand in for a pool ------------------------------------------------------------ */

static void follow(struct answers *answers, const struct image *plan, uint32_t pool, bool *seen)
{
	const struct plan_pool *settings = plan_items(plan, pools, struct plan_pool) + pool;

	for (uint32_t i = 0; i < plan_stand_ins(settings); i++) {
		uint32_t next = plan_stand_in(plan, settings, i);

		if (next == PLAN_NONE || seen[next])
			continue;
		seen[next] = true;
		array_add(answers->links, answers->link_count, answers->link_cap) = next;
		follow(answers, plan, next, seen);
	}
}

static int open_links(struct answers *answers, const struct image *plan, struct err *err)
{
	const struct plan_pool *settings = plan_items(plan, pools, struct plan_pool);
	uint32_t pools = plan_count(plan, pools), count;
	int rc = 0;
	bool *seen = mem_array(pools, sizeof(*seen));

	answers->link_firsts = mem_array((size_t)pools + 1, sizeof(*answers->link_firsts));
	for (uint32_t pool = 0; pool < pools && rc == 0; pool++) {
		memset(seen, 0, pools * sizeof(*seen));
		seen[pool] = true;
		follow(answers, plan, pool, seen);
		answers->link_firsts[pool + 1] = answers->link_count;
		(void)answers_links(answers, pool, &count);
		if (count > STEERING_LINKS_MAX)
			rc = err_set(err, "pool '%s': %u pools may stand in for it; at most %d",
				     plan_text(plan, settings[pool].name), count,
				     STEERING_LINKS_MAX);
	}
	free(seen);
	return rc;
}

/* --- lists ----------------------------------------------------------------------------------------- */

/* A record with one of the pools that answer for it. Those next to each other in this order whose
 * blocks are the same share a list. */
struct sorted_record {
	uint32_t pool, ttl_s, owner_len;
	uint8_t services;   /* 0: of the rest nothing matters */
	uint8_t target_len; /* 0: no block has a part of the owner name */
	uint8_t target_types;
	uint32_t target_ttl_s;
	const uint8_t *target;
	uint32_t record;
	uint32_t place; /* in record_lists */
};

static int compare_numbers(uint32_t a, uint32_t b)
{
	return a < b ? -1 : a > b;
}

static int compare_services(const struct sorted_record *x, const struct sorted_record *y)
{
	int order = compare_numbers(x->services, y->services);

	if (order != 0 || x->services == 0)
		return order;
	if (x->target_types != y->target_types)
		return compare_numbers(x->target_types, y->target_types);
	if (x->target_ttl_s != y->target_ttl_s)
		return compare_numbers(x->target_ttl_s, y->target_ttl_s);
	if (x->target_len != y->target_len)
		return compare_numbers(x->target_len, y->target_len);
	return memcmp(x->target, y->target, x->target_len);
}

static int compare_blocks(const struct sorted_record *x, const struct sorted_record *y)
{
	if (x->pool != y->pool)
		return compare_numbers(x->pool, y->pool);
	if (x->ttl_s != y->ttl_s)
		return compare_numbers(x->ttl_s, y->ttl_s);
	if (x->owner_len != y->owner_len)
		return compare_numbers(x->owner_len, y->owner_len);
	return compare_services(x, y);
}

static int compare_records(const void *a, const void *b)
{
	const struct sorted_record *x = a, *y = b;
	int order = compare_blocks(x, y);

	return order != 0 ? order : compare_numbers(x->place, y->place);
}

static struct sorted_record describe(const struct image *plan, uint32_t number, uint32_t pool)
{
	const struct plan_record *r = plan_items(plan, records, struct plan_record) + number;
	struct sorted_record out = { .pool = pool,
				     .ttl_s = r->ttl_s,
				     .owner_len = r->owner_len,
				     .services = r->types & POOL_TYPES_SERVICE,
				     .target_types = r->target_types,
				     .target_ttl_s = r->target_ttl_s,
				     .target = plan->base + r->owner + r->target_skip,
				     .record = number };

	if (r->target_skip > 0 || (r->types & POOL_TYPE_SRV) != 0)
		out.target_len = (uint8_t)(r->owner_len - r->target_skip);
	return out;
}

/* All records with all pools that may answer for them; their number is firsts[record count]. */
static struct sorted_record *sort_records(struct answers *answers, const struct image *plan)
{
	const struct plan_record *records = plan_items(plan, records, struct plan_record);
	uint32_t count = plan_count(plan, records), total = 0, cap = 0, link_count;
	struct sorted_record *sorted = NULL;

	answers->firsts = mem_array((size_t)count + 1, sizeof(*answers->firsts));
	for (uint32_t i = 0; i < count; i++) {
		const uint32_t *links = answers_links(answers, records[i].pool, &link_count);

		for (uint32_t k = 0; k <= link_count; k++) {
			array_add(sorted, total,
				  cap) = describe(plan, i, k == 0 ? records[i].pool : links[k - 1]);
			sorted[total - 1].place = total - 1;
		}
		answers->firsts[i + 1] = total;
	}
	if (total > 0)
		qsort(sorted, total, sizeof(*sorted), compare_records);
	return sorted;
}

int answers_open(struct answers *answers, const struct image *plan, const struct pool *pools,
		 uint64_t bytes_off, struct err *err)
{
	const struct plan_record *records = plan_items(plan, records, struct plan_record);
	struct sorted_record *sorted;
	uint32_t total;
	int rc = 0;

	*answers = (struct answers){ .bytes_off = bytes_off };
	if (open_links(answers, plan, err) != 0)
		return -1;
	sorted = sort_records(answers, plan);
	total = answers->firsts[plan_count(plan, records)];
	answers->record_lists = mem_array(total, sizeof(*answers->record_lists));
	for (uint32_t i = 0; i < total && rc == 0; i++) {
		const struct sorted_record *s = &sorted[i];

		if (i == 0 || compare_blocks(s - 1, s) != 0)
			rc = add_list(answers, &pools[s->pool], &records[s->record], err);
		answers->record_lists[s->place] = answers->list_count - 1;
	}
	free(sorted);
	return rc;
}

void answers_close(struct answers *answers)
{
	for (uint32_t i = 0; i < answers->list_count; i++) {
		free(answers->lists[i].at);
		free(answers->lists[i].singles);
		blocks_free(&answers->lists[i].cache);
	}
	free(answers->lists);
	free(answers->firsts);
	free(answers->record_lists);
	free(answers->link_firsts);
	free(answers->links);
	buf_free(&answers->bytes);
}

/* --- status ---------------------------------------------------------------------------------------- */

static void to_image(const struct answers *answers, struct answer_list *list)
{
	for (size_t i = 0; i < list->size; i++)
		if (list->at[i] != 0)
			list->at[i] += answers->bytes_off - 1;
}

/* Is what it is answered with alone as it was made at the start? */
static bool is_as_ever(const struct pool *pool, const uint32_t *ttls, uint32_t node)
{
	return ttls[node] == 0 && !pool_is_closed(pool, node, STEERING_A) &&
	       !pool_is_closed(pool, node, STEERING_AAAA);
}

static void update_list(struct answers *answers, struct answer_list *list, const struct sets *sets,
			const uint32_t *ttls)
{
	uint32_t nodes = list->cache.pool->node_count;
	size_t width = list->width;

	list->size = sets->count * width;
	list->at = mem_resize(list->at, list->size, sizeof(*list->at));
	memcpy(list->at, list->singles, (nodes + 1) * width * sizeof(*list->at));
	memset(list->at + (nodes + 1) * width, 0,
	       (list->size - (nodes + 1) * width) * sizeof(*list->at));
	blocks_begin(&list->cache);
	for (uint32_t choice = 0; choice < sets->count; choice++)
		if (choice > nodes ||
		    (choice < nodes && !is_as_ever(list->cache.pool, ttls, choice)))
			fill_row(answers, list, ttls, &sets->list[choice],
				 list->at + choice * width);
	to_image(answers, list);
}

void answers_update(struct answers *answers, const struct pool *pool, const struct sets *sets,
		    const uint32_t *ttls)
{
	for (uint32_t i = 0; i < answers->list_count; i++)
		if (answers->lists[i].pool == pool->number)
			update_list(answers, &answers->lists[i], sets, ttls);
}

static void tidy_list(struct answers *answers, struct answer_list *list, const struct buf *from,
		      uint64_t *moved)
{
	size_t singles = ((size_t)list->cache.pool->node_count + 1) * list->width;
	uint64_t off = answers->bytes_off - 1;

	for (size_t i = 0; i < singles; i++)
		list->singles[i] = blocks_move(&answers->bytes, from, moved, list->singles[i]);
	blocks_move_all(&list->cache, &answers->bytes, from, moved);
	for (size_t i = 0; i < list->size; i++)
		if (list->at[i] != 0)
			list->at[i] = moved[(list->at[i] - off - 1) / 8] + off;
}

void answers_tidy(struct answers *answers)
{
	struct buf from = answers->bytes;
	size_t unused = 0;
	uint64_t *moved;

	for (uint32_t i = 0; i < answers->list_count; i++)
		unused += answers->lists[i].cache.bytes - answers->lists[i].cache.live;
	if (unused < TIDY_BYTES || unused < from.len / 2)
		return;
	answers->bytes = (struct buf){ 0 };
	moved = mem_array(from.len / 8 + 1, sizeof(*moved));
	for (uint32_t i = 0; i < answers->list_count; i++)
		tidy_list(answers, &answers->lists[i], &from, moved);
	free(moved);
	buf_free(&from);
}
