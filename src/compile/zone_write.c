#include "compile/zone_write.h"

#include <stdlib.h>
#include <string.h>

#include "base/cursor.h"
#include "compile/stretch.h"
#include "compile/zone_block.h"
#include "image/image_stream.h"
#include "image/zones.h"

#define SEGMENT_MAX UINT32_MAX /* offsets in a segment have 32 bits */
#define AHEAD       16U        /* names whose buckets are asked for before they are put there */

/* Then a node with a name of any length and its blocks have an extent. */
#define TYPES_MAX ((ZONE_NODE_SIZE_MAX - ZONE_NODE_BLOCKS_MAX) / sizeof(struct zone_rrset))
_Static_assert(ZONE_NODE_SIZE_MAX <= IMAGE_STREAM_ROOM, "a node is put together in a stream");

/* Four octets of the segment that are to be the offset of an owner's node, which is not yet known. */
struct forward {
	uint32_t at;    /* in the segment, or in write.large */
	uint32_t place; /* of the owner in the draft */
};

struct forwards {
	struct forward *items;
	size_t count, cap;
};

/* What a bucket will have in a slot. */
struct entry {
	uint32_t hash_high, hash_low, node;
};

struct write {
	struct zone_draft *draft;
	struct image_writer *writer;
	struct image_stream stream;
	uint64_t start;            /* of the segment in the image */
	struct zone_segment *head; /* to be the segment's first octets */
	struct zone_blocks blocks;
	struct buf large; /* blocks that do not stand behind their nodes */
	struct forwards forwards, large_forwards;
	uint32_t *asides; /* in the segment: offsets of blocks, in large until that is there */
	size_t aside_count, aside_cap;
	struct zone_bucket *buckets;
	uint32_t bucket_count, entered;
	struct entry ahead[AHEAD]; /* the latest ones */
	bool collides;             /* an entry is too far from where a lookup begins */
};

/* Where in the segment the next octet goes. */
static uint64_t position(const struct write *write)
{
	return image_stream_at(&write->stream) - write->start;
}

/* --- the index -------------------------------------------------------------------------------- */

/* At most 5 of a bucket's 8 slots on average: then nearly no bucket overflows into the next. They are
 * filled in the draft's memory, which is in huge pages where there are some: one after the other
 * they are anywhere. */
static void make_buckets(struct write *write)
{
	struct stretch_part part = { .of = write->draft->memory };
	uint8_t *room;

	write->bucket_count = write->draft->owner_count / 5 + 1;
	room = stretch_take(&part, ((size_t)write->bucket_count + 1) * sizeof(struct zone_bucket));
	room += -(uintptr_t)room & (IMAGE_ALIGN - 1);
	write->buckets = (struct zone_bucket *)(void *)room;
}

static uint64_t first_bucket(const struct write *write, const struct entry *entry)
{
	return (uint64_t)entry->hash_high * write->bucket_count >> 32;
}

static void insert(struct write *write, const struct entry *entry)
{
	uint64_t at = first_bucket(write, entry);

	for (unsigned i = 0; i < ZONE_BUCKETS_MAX; i++) {
		struct zone_bucket *bucket = &write->buckets[at];

		for (unsigned slot = 0; slot < ZONE_BUCKET_SLOTS; slot++) {
			if (bucket->node[slot] != 0)
				continue;
			bucket->tag[slot] = entry->hash_low;
			bucket->node[slot] = entry->node;
			return;
		}
		at = at + 1 < write->bucket_count ? at + 1 : 0;
	}
	write->collides = true;
}

/* Its bucket is asked of the memory now, and it is put there when others have been written. */
static void enter(struct write *write, const struct draft_owner *owner)
{
	struct entry *entry = &write->ahead[write->entered % AHEAD];

	if (write->entered >= AHEAD)
		insert(write, entry);
	*entry = (struct entry){ owner->hash_high, owner->hash_low, owner->node };
	__builtin_prefetch(&write->buckets[first_bucket(write, entry)], 1);
	write->entered++;
}

static void enter_rest(struct write *write)
{
	uint32_t first = write->entered < AHEAD ? 0 : write->entered - AHEAD;

	for (uint32_t i = first; i < write->entered; i++)
		insert(write, &write->ahead[i % AHEAD]);
}

static int write_buckets(struct write *write)
{
	const struct master_sources *sources = write->draft->sources;

	if (write->collides || !zone_buckets_end(write->buckets, write->bucket_count)) {
		master_report_file(sources, sources->items[0].path,
				   "too many names collide in the zone's hash table: such names "
				   "are made, they do not come by chance");
		return -1;
	}
	(void)image_stream_align(&write->stream, IMAGE_ALIGN);
	if (position(write) > SEGMENT_MAX)
		return -1;
	write->head->buckets_off = (uint32_t)position(write);
	write->head->bucket_count = write->bucket_count;
	(void)image_stream_append(&write->stream, write->buckets,
				  write->bucket_count * sizeof(struct zone_bucket), IMAGE_ALIGN);
	return 0;
}

/* --- offsets of nodes ------------------------------------------------------------------------- */

/* That of the owner at a place in the draft; where it is not known yet, 0, and it is noted. */
static uint32_t refer(const struct write *write, struct forwards *forwards, uint64_t at,
		      uint32_t place)
{
	const struct draft_owner *owner = draft_if_at(write->draft, place);

	if (owner != NULL && owner->node == 0)
		array_add(forwards->items, forwards->count,
			  forwards->cap) = (struct forward){ (uint32_t)at, place };
	return owner != NULL ? owner->node : 0;
}

/* The extras of a block at an offset. */
static void refer_extras(const struct write *write, struct forwards *forwards, uint64_t at,
			 struct rrset_block *block)
{
	const uint8_t *extras = (const uint8_t *)rrset_extras(block);
	size_t from = (size_t)(extras - (const uint8_t *)block);

	for (unsigned i = 0; i < block->extra_count; i++) {
		struct rrset_extra *extra =
			(struct rrset_extra *)(void *)((uint8_t *)block + from) + i;
		size_t field = from + i * sizeof(*extra) + offsetof(struct rrset_extra, node);

		extra->node = refer(write, forwards, at + field, extra->node);
	}
}

static uint32_t node_of(const struct write *write, const struct forward *forward)
{
	return ((const struct draft_owner *)draft_at(write->draft, forward->place))->node;
}

/* All nodes are where they stay: what was noted can be told now. */
static void settle(struct write *write, uint64_t large)
{
	for (size_t i = 0; i < write->forwards.count; i++) {
		const struct forward *forward = &write->forwards.items[i];
		uint32_t *field = image_writer_edit(write->writer, write->start + forward->at, 4);

		*field = node_of(write, forward);
	}
	for (size_t i = 0; i < write->aside_count; i++) {
		uint32_t *field = image_writer_edit(write->writer, write->start + write->asides[i],
						    4);

		*field += (uint32_t)large;
	}
}

/* --- nodes ------------------------------------------------------------------------------------ */

static uint16_t rrset_count(const struct zone_draft *draft, const struct draft_owner *owner)
{
	uint16_t count = 0;

	for (const struct draft_rrset *rrset = draft_rrsets(draft, owner); rrset != NULL;
	     rrset = draft_next_rrset(draft, rrset))
		count++;
	return count;
}

static uint8_t node_flags(const struct zone_draft *draft, const struct draft_owner *owner)
{
	uint8_t flags = owner->links != 0 ? ZONE_NODE_LINKED : 0;

	if (draft_is_apex(draft, owner))
		flags |= ZONE_NODE_APEX;
	if (draft_cut(draft, owner) == owner)
		flags |= ZONE_NODE_CUT;
	if (draft_rrset(draft, owner, TYPE_CNAME) != NULL)
		flags |= ZONE_NODE_CNAME;
	if (draft_is_wildcard(draft, owner))
		flags |= ZONE_NODE_WILDCARD;
	return flags;
}

/* All but its blocks. Returns how many octets it takes. */
static size_t put_node(struct write *write, struct zone_node *node, const struct draft_owner *owner)
{
	const struct draft_links *links = draft_links(write->draft, owner);
	uint8_t front_len = draft_front_len(write->draft, owner);
	uint8_t *front;
	size_t size;

	*node = (struct zone_node){ .name_len = front_len,
				    .labels = owner->labels,
				    .flags = node_flags(write->draft, owner),
				    .pool_types = owner->pool_types,
				    .rrset_count = rrset_count(write->draft, owner) };
	size = zone_node_size(node);
	front = (uint8_t *)(node->rrsets + node->rrset_count);
	memcpy(front, owner->front, front_len);
	memset(front + front_len, 0, -(uintptr_t)front_len & 3);
	if (links != NULL) {
		uint64_t at = owner->node + size;
		struct zone_links out = {
			.cut = refer(write, &write->forwards, at + offsetof(struct zone_links, cut),
				     links->cut),
			.wildcard = refer(write, &write->forwards,
					  at + offsetof(struct zone_links, wildcard),
					  links->wildcard),
			.pool_record = links->pool,
		};

		memcpy((uint8_t *)node + size, &out, sizeof(out));
		size += sizeof(out);
	}
	return size;
}

/* The block made last: behind the node, which has `size` octets so far, if there is room, else aside.
 * Returns how many octets the node has then. */
static size_t place_block(struct write *write, struct zone_node *node, size_t size, uint32_t offset,
			  struct zone_rrset *rrset)
{
	struct buf *block = &write->blocks.block;

	if (size + block->len <= ZONE_NODE_BLOCKS_MAX) {
		rrset->block_off = offset + (uint32_t)size;
		memcpy((uint8_t *)node + size, block->data, block->len);
		refer_extras(write, &write->forwards, rrset->block_off,
			     (struct rrset_block *)(void *)((uint8_t *)node + size));
		return size + block->len;
	}
	buf_align(&write->large, 4);
	rrset->block_off = (uint32_t)write->large.len;
	array_add(write->asides, write->aside_count, write->aside_cap) =
		offset + (uint32_t)((uint8_t *)&rrset->block_off - (uint8_t *)node);
	refer_extras(write, &write->large_forwards, write->large.len,
		     (struct rrset_block *)(void *)block->data);
	buf_append(&write->large, block->data, block->len);
	return size;
}

static int write_owner(struct write *write, struct draft_owner *owner)
{
	struct zone_node *node = (struct zone_node *)(void *)image_stream_room(&write->stream,
									       ZONE_NODE_SIZE_MAX);
	uint32_t offset = owner->node = (uint32_t)position(write);
	size_t size = put_node(write, node, owner);
	struct zone_rrset *out = node->rrsets;

	for (const struct draft_rrset *rrset = draft_rrsets(write->draft, owner); rrset != NULL;
	     rrset = draft_next_rrset(write->draft, rrset), out++) {
		size_t plain = zone_block_size(&write->blocks, rrset);

		*out = (struct zone_rrset){ .type = rrset->type };
		if (plain != 0 && size + plain <= ZONE_NODE_BLOCKS_MAX) {
			out->block_off = offset + (uint32_t)size;
			zone_block_put(&write->blocks, (uint8_t *)node + size, owner, rrset);
			size += plain;
		} else if (zone_block_build(&write->blocks, owner, rrset, rrset->ttl_s) == 0) {
			size = place_block(write, node, size, offset, out);
		} else {
			return -1;
		}
	}
	node->extent = (uint16_t)(size / 4);
	image_stream_take(&write->stream, size);
	return 0;
}

static int report_types(const struct write *write, const struct draft_owner *owner)
{
	struct master_place place = draft_rrset_place(draft_at(write->draft, owner->rrsets));
	char name[NAME_TEXT_SIZE];

	master_report(write->draft->sources, DIAG_ERROR, &place,
		      "%s has records of more types than fit into an image",
		      draft_format(write->draft, owner, name));
	return -1;
}

static int write_nodes(struct write *write)
{
	const struct zone_draft *draft = write->draft;
	int rc = 0;

	write->head->nodes_off = (uint32_t)position(write);
	write->head->node_count = draft->owner_count;
	for (uint32_t i = 0; i < draft->owner_count; i++) {
		struct draft_owner *owner = draft_nth(draft, i);

		if (rrset_count(draft, owner) > TYPES_MAX)
			return report_types(write, owner);
		if (write_owner(write, owner) != 0)
			rc = -1; /* go on: other RRsets may be too large as well */
		if (position(write) + write->large.len > SEGMENT_MAX)
			return -1;
		enter(write, owner);
	}
	enter_rest(write);
	write->head->nodes_end = (uint32_t)position(write);
	write->head->apex = draft_apex(draft)->node;
	return rc;
}

/* Returns where they are. */
static uint64_t write_large(struct write *write)
{
	for (size_t i = 0; i < write->large_forwards.count; i++) {
		const struct forward *forward = &write->large_forwards.items[i];
		uint32_t node = node_of(write, forward);

		memcpy(write->large.data + forward->at, &node, sizeof(node));
	}
	return image_stream_append(&write->stream, write->large.data, write->large.len, 4) -
	       write->start;
}

/* RFC 2308, 3: in negative answers the SOA's TTL is the smaller of its own and MINIMUM. */
static int write_soa(struct write *write)
{
	const struct draft_owner *apex = draft_apex(write->draft);
	const struct draft_rrset *soa = draft_soa(write->draft);
	const uint8_t *end = draft_first(soa)->data + draft_first(soa)->len;
	uint32_t minimum = load_u32(end - 4);
	const struct buf *block = &write->blocks.block;

	if (zone_block_build(&write->blocks, apex, soa,
			     minimum < soa->ttl_s ? minimum : soa->ttl_s) != 0)
		return -1;
	(void)image_stream_align(&write->stream, 4);
	if (position(write) > SEGMENT_MAX)
		return -1;
	write->head->soa_block = (uint32_t)position(write);
	(void)image_stream_append(&write->stream, block->data, block->len, 4);
	write->head->serial = load_u32(end - 20);
	return 0;
}

/* --- the rest --------------------------------------------------------------------------------- */

static uint32_t write_text(struct write *write, const char *text)
{
	return (uint32_t)(image_stream_append(&write->stream, text, strlen(text) + 1, 1) -
			  write->start);
}

/* The list, and behind it what its records name. */
static void write_pools(struct write *write)
{
	const struct zone_draft *draft = write->draft;
	struct zone_pool_record *records = mem_array(draft->pool_count, sizeof(*records));
	size_t size = draft->pool_count * sizeof(*records);
	uint64_t start = image_stream_align(&write->stream, 8);
	struct buf behind = { 0 };

	write->head->pool_records_off = (uint32_t)position(write);
	write->head->pool_record_count = draft->pool_count;
	for (uint32_t i = 0; i < draft->pool_count; i++) {
		const struct draft_pool *pool = &draft->pools[i];
		uint32_t at = (uint32_t)(start - write->start + size);

		records[i] = (struct zone_pool_record){ .node = pool->owner->node,
							.ttl_s = pool->ttl_s,
							.types = pool->types };
		records[i].owner_off = at + (uint32_t)behind.len;
		buf_append(&behind, pool->name, pool->owner->len);
		records[i].pool_name_off = at + (uint32_t)behind.len;
		buf_append(&behind, pool->pool, strlen(pool->pool) + 1);
		if (pool->site == NULL)
			continue;
		records[i].site_name_off = at + (uint32_t)behind.len;
		buf_append(&behind, pool->site, strlen(pool->site) + 1);
	}
	(void)image_stream_append(&write->stream, records, size, 8);
	(void)image_stream_append(&write->stream, behind.data, behind.len, 1);
	free(records);
	buf_free(&behind);
}

static void write_sources(struct write *write)
{
	const struct master_sources *sources = write->draft->sources;

	write->head->sources_off = (uint32_t)position(write);
	for (size_t i = 0; i < sources->count; i++)
		(void)write_text(write, sources->items[i].path);
	write->head->sources_size = (uint32_t)(position(write) - write->head->sources_off);
}

static void fill_head(const struct zone_draft *draft, struct zone_segment *head)
{
	head->record_count = draft->record_count;
	head->max_labels = draft->max_labels;
	head->origin_labels = draft->origin.labels;
	head->origin_len = draft->origin.len;
	memcpy(head->origin, draft->origin.wire, draft->origin.len);
}

/* All behind the segment's head. */
static int write_body(struct write *write)
{
	uint64_t large;

	if (write_nodes(write) != 0)
		return -1;
	large = write_large(write);
	if (write_soa(write) != 0 || write_buckets(write) != 0)
		return -1;
	write_pools(write);
	write_sources(write);
	write->head->size = position(write);
	image_stream_close(&write->stream);
	if (write->head->size > SEGMENT_MAX)
		return -1;
	settle(write, large);
	return 0;
}

static void free_all(struct write *write)
{
	zone_blocks_free(&write->blocks);
	buf_free(&write->large);
	free(write->forwards.items);
	free(write->large_forwards.items);
	free(write->asides);
}

int zone_write(struct zone_draft *draft, struct image_writer *writer, uint64_t *segment_off)
{
	struct zone_segment head = { 0 };
	struct write write = {
		.draft = draft, .writer = writer, .head = &head, .blocks = { .draft = draft }
	};
	unsigned errors = diag_errors(draft->sources->diag);
	int rc;

	image_writer_expect(writer,
			    draft->memory->used / 8 * 7); /* it takes as much, or a bit more */
	write.start = image_writer_reserve(writer, sizeof(head), IMAGE_ALIGN);
	image_stream_open(&write.stream, writer);
	fill_head(draft, &head);
	make_buckets(&write);
	rc = write_body(&write);
	if (rc == 0)
		image_writer_put(writer, write.start, &head, sizeof(head));
	else if (diag_errors(draft->sources->diag) == errors)
		master_report_file(draft->sources, draft->sources->items[0].path,
				   "the zone is too large: a zone can have 4 GiB");
	free_all(&write);
	*segment_off = write.start;
	return rc;
}
