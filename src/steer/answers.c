#include "steer/answers.h"

#include <stdlib.h>
#include <string.h>

#include "image/rrset_build.h"

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
		      const struct image *plan, const struct plan_range *addresses,
		      enum steering_family family, uint64_t *at)
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

/* The addresses behind a choice. */
static const struct plan_range *choice_addresses(const struct pool *pool, uint32_t choice)
{
	return choice < pool->node_count ? &pool->nodes[choice].addresses
					 : &pool->plan_pool->fallback_addresses;
}

static int make_blocks(struct answers *answers, const struct image *plan, const struct pool *pool,
		       const struct plan_record *record, struct err *err)
{
	uint32_t choices = pool_choice_count(pool);
	struct rrset_source source = { .owner = plan->base + record->owner,
				       .owner_len = (uint16_t)record->owner_len,
				       .ttl_s = record->ttl_s };
	struct answer_blocks blocks = { record->pool, record->ttl_s, record->owner_len, NULL };

	blocks.at = mem_array((size_t)choices * STEERING_FAMILIES, sizeof(*blocks.at));
	array_add(answers->blocks, answers->block_count, answers->block_cap) = blocks;
	for (uint32_t choice = 0; choice < choices; choice++) {
		for (unsigned family = 0; family < STEERING_FAMILIES; family++) {
			uint64_t *at = &blocks.at[choice * STEERING_FAMILIES + family];

			if (make_block(answers, &source, plan, choice_addresses(pool, choice),
				       family, at) != 0)
				return err_set(
					err, "pool '%s': %s has too many addresses for one answer",
					plan_text(plan, pool->plan_pool->name),
					choice < pool->node_count
						? plan_text(plan, pool->nodes[choice].name)
						: "the fallback");
		}
	}
	return 0;
}

/* --- lists --------------------------------------------------------------------------------------- */

/* Records next to each other in this order share blocks, and the list where the site is the same,
 * too. */
struct sorted_record {
	uint32_t pool, ttl_s, owner_len, site;
	uint32_t record;
};

static int compare_blocks(const struct sorted_record *x, const struct sorted_record *y)
{
	if (x->pool != y->pool)
		return x->pool < y->pool ? -1 : 1;
	if (x->ttl_s != y->ttl_s)
		return x->ttl_s < y->ttl_s ? -1 : 1;
	return x->owner_len < y->owner_len ? -1 : x->owner_len > y->owner_len;
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
		sorted[i] = (struct sorted_record){ r->pool, r->ttl_s, r->owner_len, site, i };
	}
	if (count > 0)
		qsort(sorted, count, sizeof(*sorted), compare_records);
	return sorted;
}

static void add_list(struct answers *answers, const struct pool *pool, uint32_t site)
{
	struct answer_list list = { .blocks = answers->block_count - 1, .site = site };

	list.at = mem_array((size_t)pool_choice_count(pool) * STEERING_FAMILIES, sizeof(*list.at));
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

static void update_list(struct answer_list *list, const struct answer_blocks *blocks,
			const struct pool *pool)
{
	const uint32_t *picks = list->site == POOL_NONE ? pool->picks : pool->bound_picks;
	size_t count = (size_t)pool->node_count * STEERING_FAMILIES;

	for (size_t i = 0; i < count; i++) {
		size_t family = i % STEERING_FAMILIES;

		list->at[i] = picks[i] == POOL_NONE
				      ? 0
				      : blocks->at[(size_t)picks[i] * STEERING_FAMILIES + family];
	}
	if (pool->fallback_choice)
		memcpy(list->at + count, blocks->at + count, STEERING_FAMILIES * sizeof(*list->at));
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
