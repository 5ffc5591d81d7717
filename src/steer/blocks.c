#include "steer/blocks.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "image/rrset_build.h"

/* --- making ------------------------------------------------------------------------------------ */

struct service_node blocks_node(const struct pool *pool, uint32_t node)
{
	if (node >= pool->node_count)
		return (struct service_node){ .addresses = &pool->plan_pool->fallback_addresses,
					      .families = STEER_FAMILIES };
	return (struct service_node){ .node = &pool->nodes[node],
				      .addresses = &pool->nodes[node].addresses,
				      .number = node,
				      .families = STEER_FAMILIES };
}

static bool listed(const struct rrset_rdata *rdatas, size_t count, const struct rrset_rdata *one)
{
	for (size_t i = 0; i < count; i++)
		if (memcmp(rdatas[i].data, one->data, one->len) == 0)
			return true;
	return false;
}

struct addresses {
	struct rrset_rdata *rdatas;
	uint32_t count, cap;
};

/* The addresses of a family, each once (RFC 2181, 5: an RRset has no duplicates). */
static void collect(struct addresses *out, const struct image *plan, const struct plan_range *range,
		    uint8_t family)
{
	const struct ip_address *addresses = plan_items(plan, addresses, struct ip_address);

	for (uint32_t i = range->first; i < range->first + range->count; i++) {
		struct rrset_rdata rdata = { addresses[i].bytes, family == IP_V4 ? 4 : 16 };

		if (addresses[i].family == family && !listed(out->rdatas, out->count, &rdata))
			array_add(out->rdatas, out->count, out->cap) = rdata;
	}
}

static int make_addresses(struct buf *bytes, const struct block_cache *cache,
			  const struct block_key *key, ptrdiff_t *offset)
{
	const struct plan_record *record = cache->record;
	const struct image *plan = cache->pool->plan;
	bool v4 = key->column == STEERING_A;
	struct addresses addresses = { 0 };
	struct rrset_source source = { .owner = plan->base + record->owner,
				       .owner_len = (uint16_t)record->owner_len,
				       .type = v4 ? TYPE_A : TYPE_AAAA,
				       .ttl_s = key->ttl_s };

	for (unsigned i = 0; i < key->count; i++)
		collect(&addresses, plan, blocks_node(cache->pool, key->nodes[i]).addresses,
			v4 ? IP_V4 : IP_V6);
	source.rdatas = addresses.rdatas;
	source.count = addresses.count;
	*offset = addresses.count > 0 ? rrset_build(bytes, &source) : SERVICE_NODATA;
	free(addresses.rdatas);
	return *offset == -1 ? -1 : 0;
}

static int make_service(struct buf *bytes, const struct block_cache *cache,
			const struct block_key *key, ptrdiff_t *offset)
{
	static const uint16_t types[STEERING_COLUMNS] = { [STEERING_SRV] = TYPE_SRV,
							  [STEERING_HTTPS] = TYPE_HTTPS,
							  [STEERING_SVCB] = TYPE_SVCB };
	struct service_node nodes[SET_NODES_MAX];
	struct service_set set = { .plan = cache->pool->plan,
				   .record = cache->record,
				   .pool = cache->pool->plan_pool,
				   .nodes = nodes,
				   .count = key->count,
				   .ttl_s = key->ttl_s };

	for (unsigned i = 0; i < key->count; i++) {
		nodes[i] = blocks_node(cache->pool, key->nodes[i]);
		for (unsigned family = 0; family < STEERING_FAMILIES; family++)
			if ((key->closed[family] >> i & 1) != 0)
				nodes[i].families &= (uint8_t) ~(1U << family);
	}
	return service_build(bytes, &set, types[key->column], offset);
}

int blocks_make(struct buf *bytes, const struct block_cache *cache, const struct block_key *key,
		uint64_t *at)
{
	ptrdiff_t offset;
	int rc = key->column < STEERING_FAMILIES ? make_addresses(bytes, cache, key, &offset)
						 : make_service(bytes, cache, key, &offset);

	*at = rc == 0 && offset != SERVICE_NODATA ? (uint64_t)offset + 1 : 0;
	return rc;
}

/* --- the cache ------------------------------------------------------------------------------------ */

static struct block_entry *find(const struct block_cache *cache, const struct block_key *key)
{
	uint32_t mask = cache->size - 1;
	uint32_t i = (uint32_t)hash_bytes(key, sizeof(*key), 0) & mask;

	while (cache->entries[i].at != 0 && memcmp(&cache->entries[i].key, key, sizeof(*key)) != 0)
		i = (i + 1) & mask;
	return &cache->entries[i];
}

static void resize(struct block_cache *cache, uint32_t size)
{
	struct block_cache old = *cache;

	cache->entries = mem_array(size, sizeof(*cache->entries));
	cache->size = size;
	for (uint32_t i = 0; i < old.size; i++)
		if (old.entries[i].at != 0)
			*find(cache, &old.entries[i].key) = old.entries[i];
	free(old.entries);
}

void blocks_begin(struct block_cache *cache)
{
	cache->round++;
	cache->live = 0;
}

static size_t block_size(const struct buf *bytes, uint64_t at)
{
	return rrset_block_size((const struct rrset_block *)(const void *)(bytes->data + at - 1));
}

uint64_t blocks_get(struct buf *bytes, struct block_cache *cache, const struct block_key *key)
{
	struct block_entry *entry;
	int rc;

	if (cache->size / 2 <= cache->count)
		resize(cache, cache->size == 0 ? 16 : cache->size * 2);
	entry = find(cache, key);
	if (entry->at == 0) {
		entry->key = *key;
		rc = blocks_make(bytes, cache, key, &entry->at);
		assert(rc == 0); /* who opened the cache has seen to it */
		if (entry->at == 0)
			return 0;
		cache->count++;
		cache->bytes += block_size(bytes, entry->at);
	}
	if (entry->round != cache->round)
		cache->live += block_size(bytes, entry->at);
	entry->round = cache->round;
	return entry->at;
}

/* --- leaving behind what is not used ---------------------------------------------------------------- */

uint64_t blocks_move(struct buf *to, const struct buf *from, uint64_t *moved, uint64_t at)
{
	uint64_t *place;

	if (at == 0)
		return 0;
	place = &moved[(at - 1) / 8];
	if (*place == 0) {
		buf_align(to, 8);
		*place = to->len + 1;
		buf_append(to, from->data + at - 1, block_size(from, at));
	}
	return *place;
}

void blocks_move_all(struct block_cache *cache, struct buf *to, const struct buf *from,
		     uint64_t *moved)
{
	for (uint32_t i = 0; i < cache->size; i++) {
		struct block_entry *entry = &cache->entries[i];

		if (entry->at != 0 && entry->round != cache->round) {
			entry->at = 0;
			cache->count--;
		}
		entry->at = blocks_move(to, from, moved, entry->at);
	}
	cache->bytes = cache->live;
	if (cache->size > 0) /* holes in the table would hide entries */
		resize(cache, cache->size);
}

void blocks_free(struct block_cache *cache)
{
	free(cache->entries);
	*cache = (struct block_cache){ 0 };
}
