#include "compile/zone_write.h"

#include <stdlib.h>
#include <string.h>

#include "base/cursor.h"
#include "image/rdata_names.h"
#include "image/rrset_build.h"
#include "image/zones.h"

#define SEGMENT_MAX UINT32_MAX /* offsets in a segment have 32 bits */
#define AHEAD       16 /* names whose buckets are asked for while others are put into theirs */

struct write {
	struct zone_draft *draft;
	struct image_writer *writer;
	uint64_t start;             /* of the segment in the image */
	struct buf block;           /* scratch */
	struct rrset_rdata *rdatas; /* scratch, for one RRset */
	uint32_t *extra_nodes;
	size_t rdata_cap;
};

static struct zone_segment *header(const struct write *write)
{
	return image_writer_at(write->writer, struct zone_segment, write->start);
}

/* Room in the segment; returns the offset from its start. */
static uint64_t reserve(struct write *write, size_t size, size_t align)
{
	return image_writer_reserve(write->writer, size, align) - write->start;
}

static void *at(const struct write *write, uint64_t offset)
{
	return write->writer->base + write->start + offset;
}

/* --- nodes ------------------------------------------------------------------------------------ */

static uint16_t rrset_count(const struct draft_owner *owner)
{
	uint16_t count = 0;

	for (const struct draft_rrset *rrset = owner->rrsets; rrset != NULL; rrset = rrset->next)
		count++;
	return count;
}

static size_t node_size(const struct draft_owner *owner)
{
	size_t size = sizeof(struct zone_node) + rrset_count(owner) * sizeof(struct zone_rrset) +
		      owner->len;

	return (size + 3) & ~(size_t)3;
}

/* Gives every owner its node's offset, before any node is written: they refer to each other. */
static int place_nodes(struct write *write)
{
	const struct zone_draft *draft = write->draft;
	uint64_t start = reserve(write, 0, 8), end = start;

	for (uint32_t i = 0; i < draft->owner_count; i++) {
		draft->owners[i]->node = (uint32_t)end;
		end += node_size(draft->owners[i]);
		if (end > SEGMENT_MAX)
			return -1;
	}
	(void)reserve(write, (size_t)(end - start), 8);
	header(write)->nodes_off = (uint32_t)start;
	header(write)->nodes_end = (uint32_t)end;
	header(write)->node_count = draft->owner_count;
	header(write)->apex = draft->owners[0]->node;
	return 0;
}

static uint8_t node_flags(const struct zone_draft *draft, const struct draft_owner *owner)
{
	uint8_t flags = 0;

	if (draft_is_apex(draft, owner))
		flags |= ZONE_NODE_APEX;
	if (owner->cut == owner)
		flags |= ZONE_NODE_CUT;
	if (draft_rrset(owner, TYPE_CNAME) != NULL)
		flags |= ZONE_NODE_CNAME;
	if (owner->name[0] == 1 && owner->name[1] == '*')
		flags |= ZONE_NODE_WILDCARD;
	return flags;
}

static void write_node(struct write *write, const struct draft_owner *owner)
{
	struct zone_node *node = at(write, owner->node);

	node->name_len = owner->len;
	node->labels = owner->labels;
	node->flags = node_flags(write->draft, owner);
	node->rrset_count = rrset_count(owner);
	node->cut = owner->cut != NULL ? owner->cut->node : 0;
	node->wildcard = owner->wildcard != NULL ? owner->wildcard->node : 0;
	node->pool_record = owner->pool;
	node->pool_types = owner->pool_types;
	memcpy((uint8_t *)(node->rrsets + node->rrset_count), owner->name, owner->len);
}

/* --- RRsets ----------------------------------------------------------------------------------- */

static bool is_svcb(uint16_t type)
{
	return type == TYPE_SVCB || type == TYPE_HTTPS;
}

/* Whom a record names. "." is no host, but in SVCB its own owner, unless it is an alias for
 * nothing (RFC 9460, 2.5). */
static const struct draft_owner *find_named(const struct write *write,
					    const struct draft_owner *owner,
					    const struct rdata_names *names,
					    const struct draft_record *record)
{
	const uint8_t *name = record->data + names->before;
	uint8_t target[DNS_NAME_MAX];
	size_t len = name_length(name, record->len - names->before);

	if (len == 0)
		return NULL;
	if (is_svcb(names->type) && *name == 0)
		return load_u16(record->data) != 0 ? owner : NULL;
	for (size_t i = 0; i < len; i++)
		target[i] = name_lower(name[i]);
	return draft_speaker(write->draft, target, len);
}

/* Has it anything that goes with a record of the type? With SVCB, records of the same type, too
 * (RFC 9460, 4.1). */
static bool has_extra(const struct draft_owner *owner, uint16_t type)
{
	return draft_has_address(owner) ||
	       (is_svcb(type) && (draft_rrset(owner, type) != NULL ||
				  (owner->pool_types & pool_type_bit(type)) != 0));
}

/* The node whose addresses go with a record that names a host, 0: none. Addresses below a
 * delegation are glue: only NS may use them (RFC 1034, 4.2.1). */
static uint32_t extra_node(const struct write *write, const struct draft_owner *owner,
			   const struct rdata_names *names, const struct draft_record *record)
{
	const struct draft_owner *named = find_named(write, owner, names, record);

	if (named == NULL || !has_extra(named, names->type) ||
	    (named->cut != NULL && names->type != TYPE_NS))
		return 0;
	return named->node;
}

static void gather(struct write *write, const struct draft_owner *owner,
		   const struct draft_rrset *rrset)
{
	const struct rdata_names *names = rdata_names_find(rrset->type);
	size_t i = 0;

	if (rrset->count > write->rdata_cap) {
		write->rdata_cap = (size_t)rrset->count * 2;
		write->rdatas = mem_resize(write->rdatas, write->rdata_cap, sizeof(*write->rdatas));
		write->extra_nodes = mem_resize(write->extra_nodes, write->rdata_cap,
						sizeof(*write->extra_nodes));
	}
	for (const struct draft_record *record = rrset->first; record != NULL;
	     record = record->next, i++) {
		write->rdatas[i] = (struct rrset_rdata){ record->data, record->len };
		write->extra_nodes[i] = names != NULL && names->additional
						? extra_node(write, owner, names, record)
						: 0;
	}
}

/* Returns the block's offset in the segment, 0: it is too large. */
static uint32_t write_block(struct write *write, const struct draft_owner *owner,
			    const struct draft_rrset *rrset, uint32_t ttl_s)
{
	struct rrset_source source = { .owner = owner->name,
				       .owner_len = owner->len,
				       .type = rrset->type,
				       .ttl_s = ttl_s,
				       .count = rrset->count };
	uint64_t offset;
	char name[NAME_TEXT_SIZE];

	gather(write, owner, rrset);
	source.rdatas = write->rdatas;
	source.extra_nodes = write->extra_nodes;
	write->block.len = 0;
	if (rrset_build(&write->block, &source) < 0) {
		master_report(
			write->draft->sources, DIAG_ERROR, &rrset->first->place,
			"the %u record%s of this type at %s cannot be sent: more octets than a "
			"message holds",
			rrset->count, rrset->count == 1 ? "" : "s", name_format(owner->name, name));
		return 0;
	}
	offset = reserve(write, write->block.len, 8);
	if (offset + write->block.len > SEGMENT_MAX)
		return 0;
	memcpy(at(write, offset), write->block.data, write->block.len);
	return (uint32_t)offset;
}

static int write_rrsets(struct write *write, const struct draft_owner *owner)
{
	unsigned i = 0;

	for (const struct draft_rrset *rrset = owner->rrsets; rrset != NULL;
	     rrset = rrset->next, i++) {
		uint32_t block = write_block(write, owner, rrset, rrset->ttl_s);
		struct zone_node *node = at(write, owner->node);

		if (block == 0)
			return -1;
		node->rrsets[i] = (struct zone_rrset){ .type = rrset->type, .block_off = block };
	}
	return 0;
}

static int write_nodes(struct write *write)
{
	const struct zone_draft *draft = write->draft;
	int rc = 0;

	for (uint32_t i = 0; i < draft->owner_count; i++) {
		write_node(write, draft->owners[i]);
		if (write_rrsets(write, draft->owners[i]) != 0)
			rc = -1; /* go on: other RRsets may be too large as well */
	}
	return rc;
}

/* RFC 2308, 3: in negative answers the SOA's TTL is the smaller of its own and MINIMUM. */
static int write_soa(struct write *write)
{
	const struct draft_owner *apex = write->draft->owners[0];
	const struct draft_rrset *soa = draft_soa(write->draft);
	const uint8_t *end = soa->first->data + soa->first->len;
	uint32_t minimum = load_u32(end - 4);
	uint32_t block = write_block(write, apex, soa, minimum < soa->ttl_s ? minimum : soa->ttl_s);

	if (block == 0)
		return -1;
	header(write)->soa_block = block;
	header(write)->serial = load_u32(end - 20);
	return 0;
}

/* --- the index and the rest ------------------------------------------------------------------- */

static uint64_t first_bucket(const struct draft_owner *owner, uint32_t count)
{
	return (owner->hash >> 32) * count >> 32;
}

/* false: it would be too far from where a lookup begins. */
static bool insert(struct zone_bucket *buckets, uint32_t count, const struct draft_owner *owner)
{
	uint64_t first = first_bucket(owner, count);

	for (unsigned i = 0; i < ZONE_BUCKETS_MAX; i++) {
		struct zone_bucket *bucket = &buckets[(first + i) % count];

		for (unsigned slot = 0; slot < ZONE_BUCKET_SLOTS; slot++) {
			if (bucket->node[slot] != 0)
				continue;
			bucket->tag[slot] = (uint32_t)owner->hash;
			bucket->node[slot] = owner->node;
			return true;
		}
	}
	return false;
}

static bool insert_all(const struct write *write, struct zone_bucket *buckets, uint32_t count)
{
	const struct zone_draft *draft = write->draft;

	for (uint32_t i = 0; i < draft->owner_count; i++) {
		if (draft->owner_count - i > AHEAD)
			__builtin_prefetch(&buckets[first_bucket(draft->owners[i + AHEAD], count)],
					   1);
		if (!insert(buckets, count, draft->owners[i]))
			return false;
	}
	return zone_buckets_end(buckets, count);
}

/* At most 5 of a bucket's 8 slots on average: then nearly no bucket overflows into the next. */
static int write_buckets(struct write *write)
{
	const struct master_sources *sources = write->draft->sources;
	uint32_t count = write->draft->owner_count / 5 + 1;
	uint64_t offset;

	offset = reserve(write, count * sizeof(struct zone_bucket), IMAGE_ALIGN);
	if (offset > SEGMENT_MAX)
		return -1;
	header(write)->buckets_off = (uint32_t)offset;
	header(write)->bucket_count = count;
	if (insert_all(write, at(write, offset), count))
		return 0;
	master_report_file(sources, sources->items[0].path,
			   "too many names collide in the zone's hash table: such names are made, "
			   "they do not come by chance");
	return -1;
}

static uint32_t write_text(struct write *write, const char *text)
{
	uint64_t offset = reserve(write, strlen(text) + 1, 1);

	memcpy(at(write, offset), text, strlen(text) + 1);
	return (uint32_t)offset;
}

static void write_pools(struct write *write)
{
	const struct zone_draft *draft = write->draft;
	uint64_t offset = reserve(write, draft->pool_count * sizeof(struct zone_pool_record), 8);

	header(write)->pool_records_off = (uint32_t)offset;
	header(write)->pool_record_count = draft->pool_count;
	for (uint32_t i = 0; i < draft->pool_count; i++) {
		const struct draft_pool *pool = &draft->pools[i];
		uint32_t name = write_text(write, pool->pool);
		uint32_t site = pool->site != NULL ? write_text(write, pool->site) : 0;

		((struct zone_pool_record *)at(write, offset))[i] = (struct zone_pool_record){
			.node = pool->owner->node,
			.ttl_s = pool->ttl_s,
			.pool_name_off = name,
			.site_name_off = site,
			.types = pool->types,
		};
	}
}

static void write_sources(struct write *write)
{
	const struct master_sources *sources = write->draft->sources;
	uint64_t start = reserve(write, 0, 1);

	for (size_t i = 0; i < sources->count; i++)
		(void)write_text(write, sources->items[i].path);
	header(write)->sources_off = (uint32_t)start;
	header(write)->sources_size = (uint32_t)(reserve(write, 0, 1) - start);
}

static void write_header(struct write *write)
{
	const struct zone_draft *draft = write->draft;
	struct zone_segment *segment = header(write);

	segment->record_count = draft->record_count;
	segment->max_labels = draft->max_labels;
	segment->origin_labels = draft->origin.labels;
	segment->origin_len = draft->origin.len;
	memcpy(segment->origin, draft->origin.wire, draft->origin.len);
}

int zone_write(struct zone_draft *draft, struct image_writer *writer, uint64_t *segment_off)
{
	struct write write = { .draft = draft, .writer = writer };
	unsigned errors = diag_errors(draft->sources->diag);
	int rc = -1;

	write.start = image_writer_reserve(writer, sizeof(struct zone_segment), IMAGE_ALIGN);
	write_header(&write);
	if (place_nodes(&write) == 0 && write_nodes(&write) == 0 && write_soa(&write) == 0 &&
	    write_buckets(&write) == 0) {
		write_pools(&write);
		write_sources(&write);
		header(&write)->size = reserve(&write, 0, 1);
		if (header(&write)->size <= SEGMENT_MAX)
			rc = 0;
	}
	if (rc != 0 && diag_errors(draft->sources->diag) == errors)
		master_report_file(draft->sources, draft->sources->items[0].path,
				   "the zone is too large: a zone can have 4 GiB");
	buf_free(&write.block);
	free(write.rdatas);
	free(write.extra_nodes);
	*segment_off = write.start;
	return rc;
}
