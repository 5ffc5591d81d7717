#include "steer/answers.h"

#include <stdlib.h>
#include <string.h>

#include "image/rrset_build.h"
#include "steer/services.h"

static const uint16_t family_type[STEERING_FAMILIES] = { TYPE_A, TYPE_AAAA };
static const uint8_t family_ip[STEERING_FAMILIES] = { IP_V4, IP_V6 };

/* --- blocks ------------------------------------------------------------------------------------ */

static bool listed(const struct rrset_rdata *rdatas, size_t count, const struct rrset_rdata *one)
{
	for (size_t i = 0; i < count; i++)
		if (memcmp(rdatas[i].data, one->data, one->len) == 0)
			return true;
	return false;
}

/* The addresses of a family, each once (RFC 2181, 5: an RRset has no duplicates). */
static size_t collect(struct rrset_rdata *rdatas, const struct image *plan,
		      const struct plan_range *range, uint8_t family)
{
	const struct ip_address *addresses = plan_items(plan, addresses, struct ip_address);
	size_t count = 0;

	for (uint32_t i = range->first; i < range->first + range->count; i++) {
		struct rrset_rdata rdata = { addresses[i].bytes, family == IP_V4 ? 4 : 16 };

		if (addresses[i].family == family && !listed(rdatas, count, &rdata))
			rdatas[count++] = rdata;
	}
	return count;
}

/* Makes the block of some addresses; *at is 0 where there are none. */
static int make_block(struct answers *answers, struct rrset_source *source,
		      const struct image *plan, const struct plan_range *addresses, unsigned family,
		      uint64_t *at)
{
	struct rrset_rdata *rdatas = mem_array(addresses->count, sizeof(*rdatas));
	ptrdiff_t offset = 0;

	source->type = family_type[family];
	source->rdatas = rdatas;
	source->count = collect(rdatas, plan, addresses, family_ip[family]);
	if (source->count > 0) {
		offset = rrset_build(&answers->bytes, source);
		*at = answers->bytes_off + (uint64_t)offset;
	}
	free(rdatas);
	return offset < 0 ? -1 : 0;
}

/* What stands behind a choice. */
static struct service_node choice_node(const struct pool *pool, uint32_t choice)
{
	if (choice >= pool->node_count)
		return (struct service_node){ NULL, &pool->plan_pool->fallback_addresses };
	return (struct service_node){ &pool->nodes[choice], &pool->nodes[choice].addresses };
}

/* The node's addresses as the additional section has them. */
static int make_targets(struct answers *answers, const struct image *plan,
			const struct plan_record *record, const struct service_node *from,
			uint64_t *at)
{
	uint8_t types = service_address_types(record, from);
	struct rrset_source source = { .owner = plan->base + record->owner,
				       .owner_len = (uint16_t)record->owner_len,
				       .ttl_s = service_address_ttl_s(record, from) };

	for (unsigned family = 0; family < STEERING_FAMILIES; family++) {
		if ((types & pool_type_bit(family_type[family])) == 0)
			continue;
		if (source.ttl_s == record->ttl_s)
			at[STEERING_TARGET_A + family] = at[family];
		else if (make_block(answers, &source, plan, from->addresses, family,
				    &at[STEERING_TARGET_A + family]) != 0)
			return -1;
	}
	return 0;
}

static int make_services(struct answers *answers, const struct image *plan,
			 const struct plan_record *record, const struct service_node *from,
			 uint64_t *at)
{
	static const uint16_t types[] = { TYPE_SRV, TYPE_HTTPS, TYPE_SVCB };

	for (unsigned i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		ptrdiff_t offset;

		if ((record->types & pool_type_bit(types[i])) == 0)
			continue;
		if (service_build(&answers->bytes, plan, record, from, types[i], &offset) != 0)
			return -1;
		if (offset > 0)
			at[steering_column(types[i])] = answers->bytes_off + (uint64_t)offset;
	}
	return make_targets(answers, plan, record, from, at);
}

/* All columns of one choice. */
static int make_choice(struct answers *answers, const struct image *plan,
		       const struct plan_record *record, const struct service_node *from,
		       uint64_t *at)
{
	struct rrset_source source = { .owner = plan->base + record->owner,
				       .owner_len = (uint16_t)record->owner_len,
				       .ttl_s = record->ttl_s };

	for (unsigned family = 0; family < STEERING_FAMILIES; family++) {
		if (make_block(answers, &source, plan, from->addresses, family, &at[family]) != 0)
			return -1;
	}
	return (record->types & POOL_TYPES_SERVICE) == 0
		       ? 0
		       : make_services(answers, plan, record, from, at);
}

static int make_blocks(struct answers *answers, const struct image *plan, const struct pool *pool,
		       const struct plan_record *record, struct err *err)
{
	uint32_t choices = pool_choice_count(pool);
	struct answer_blocks blocks = { record->pool, steering_width(record->types), NULL };

	blocks.at = mem_array((size_t)choices * blocks.width, sizeof(*blocks.at));
	array_add(answers->blocks, answers->block_count, answers->block_cap) = blocks;
	for (uint32_t choice = 0; choice < choices; choice++) {
		struct service_node from = choice_node(pool, choice);

		if (make_choice(answers, plan, record, &from,
				blocks.at + (size_t)choice * blocks.width) != 0)
			return err_set(err, "pool '%s': %s has too many addresses for one answer",
				       plan_text(plan, pool->plan_pool->name),
				       from.node != NULL ? plan_text(plan, from.node->name)
							 : "the fallback");
	}
	return 0;
}

/* --- lists --------------------------------------------------------------------------------------- */

/* Records next to each other in this order share blocks, and the list where the site is the same,
 * too. */
struct sorted_record {
	uint32_t pool, ttl_s, owner_len, site;
	uint8_t services;   /* 0: of the rest nothing matters */
	uint8_t target_len; /* 0: no block has a part of the owner name */
	uint8_t target_types;
	uint32_t target_ttl_s;
	const uint8_t *target;
	uint32_t record;
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

	if (order != 0)
		return order;
	if (x->site != y->site)
		return x->site < y->site ? -1 : 1;
	return x->record < y->record ? -1 : x->record > y->record;
}

static struct sorted_record *sort_records(const struct image *plan)
{
	const struct plan_record *records = plan_items(plan, records, struct plan_record);
	const struct plan_pool *pools = plan_items(plan, pools, struct plan_pool);
	uint32_t count = plan_count(plan, records);
	struct sorted_record *sorted = mem_array(count, sizeof(*sorted));

	for (uint32_t i = 0; i < count; i++) {
		const struct plan_record *r = &records[i];
		uint32_t site = POOL_NONE;

		if (r->pool_site != PLAN_NONE)
			site = r->pool_site - pools[r->pool].sites.first;
		sorted[i] = (struct sorted_record){ .pool = r->pool,
						    .ttl_s = r->ttl_s,
						    .owner_len = r->owner_len,
						    .site = site,
						    .services = r->types & POOL_TYPES_SERVICE,
						    .target_types = r->target_types,
						    .target_ttl_s = r->target_ttl_s,
						    .target = plan->base + r->owner +
							      r->target_skip,
						    .record = i };
		if (r->target_skip > 0 || (r->types & POOL_TYPE_SRV) != 0)
			sorted[i].target_len = (uint8_t)(r->owner_len - r->target_skip);
	}
	if (count > 0)
		qsort(sorted, count, sizeof(*sorted), compare_records);
	return sorted;
}

static void add_list(struct answers *answers, const struct pool *pool, uint32_t site)
{
	struct answer_list list = { .blocks = answers->block_count - 1, .site = site };
	uint8_t width = answers->blocks[list.blocks].width;

	list.at = mem_array((size_t)pool_choice_count(pool) * width, sizeof(*list.at));
	array_add(answers->lists, answers->list_count, answers->list_cap) = list;
}

int answers_open(struct answers *answers, const struct image *plan, const struct pool *pools,
		 uint64_t bytes_off, struct err *err)
{
	const struct plan_record *records = plan_items(plan, records, struct plan_record);
	uint32_t count = plan_count(plan, records);
	struct sorted_record *sorted = sort_records(plan);
	int rc = -1;

	*answers = (struct answers){ .bytes_off = bytes_off };
	answers->record_lists = mem_array(count, sizeof(*answers->record_lists));
	for (uint32_t i = 0; i < count; i++) {
		const struct sorted_record *s = &sorted[i];
		const struct pool *pool = &pools[s->pool];
		bool same_blocks = i > 0 && compare_blocks(s - 1, s) == 0;

		if (!same_blocks && make_blocks(answers, plan, pool, &records[s->record], err) != 0)
			goto out;
		if (!same_blocks || s[-1].site != s->site)
			add_list(answers, pool, s->site);
		answers->record_lists[s->record] = answers->list_count - 1;
	}
	rc = 0;
out:
	free(sorted);
	return rc;
}

void answers_close(struct answers *answers)
{
	for (uint32_t i = 0; i < answers->block_count; i++)
		free(answers->blocks[i].at);
	for (uint32_t i = 0; i < answers->list_count; i++)
		free(answers->lists[i].at);
	free(answers->blocks);
	free(answers->lists);
	free(answers->record_lists);
	buf_free(&answers->bytes);
}

/* Addresses may be those of a node that stands in; all else is of the choice's own node. */
static void update_list(struct answer_list *list, const struct answer_blocks *blocks,
			const struct pool *pool)
{
	const uint32_t *picks = list->site == POOL_NONE ? pool->picks : pool->bound_picks;
	size_t width = blocks->width;

	memcpy(list->at, blocks->at, pool_choice_count(pool) * width * sizeof(*list->at));
	for (size_t i = 0; i < (size_t)pool->node_count * STEERING_FAMILIES; i++) {
		size_t choice = i / STEERING_FAMILIES, family = i % STEERING_FAMILIES;

		list->at[choice * width + family] = picks[i] == POOL_NONE
							    ? 0
							    : blocks->at[picks[i] * width + family];
	}
}

void answers_update(struct answers *answers, const struct pool *pool)
{
	for (uint32_t i = 0; i < answers->list_count; i++) {
		struct answer_list *list = &answers->lists[i];
		const struct answer_blocks *blocks = &answers->blocks[list->blocks];

		if (blocks->pool == pool->number)
			update_list(list, blocks, pool);
	}
}
