#include "compile/zone_write.h"

#include <stdlib.h>
#include <string.h>

#include "base/cursor.h"
#include "image/rdata_names.h"
#include "image/rrset_build.h"
#include "image/zones.h"

#define SEGMENT_MAX UINT32_MAX /* offsets in a segment have 32 bits */
#define AHEAD       16 /* names whose buckets are asked for while others are put into theirs */
#define ASIDE       1  /* an RRset whose block is in write.large */

/* Then a node with a name of any length and its blocks have an extent. */
#define TYPES_MAX ((ZONE_NODE_SIZE_MAX - ZONE_NODE_BLOCKS_MAX) / sizeof(struct zone_rrset))

struct write {
	struct zone_draft *draft;
	struct image_writer *writer;
	uint64_t start;             /* of the segment in the image */
	struct buf block;           /* scratch */
	struct rrset_rdata *rdatas; /* scratch, for one RRset */
	uint32_t *extra_nodes;
	size_t rdata_cap;
	struct buf large;  /* blocks that do not stand behind their nodes */
	uint32_t *offsets; /* of the nodes */
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

static bool has_links(const struct draft_owner *owner)
{
	return owner->cut != NULL || owner->wildcard != NULL || owner->pool != 0;
}

/* All but its blocks and links. Returns its offset. */
static uint32_t write_node(struct write *write, const struct draft_owner *owner)
{
	uint8_t front = (uint8_t)(owner->len - write->draft->origin.len);
	struct zone_node head = { .name_len = front,
				  .labels = owner->labels,
				  .flags = node_flags(write->draft, owner),
				  .pool_types = owner->pool_types,
				  .rrset_count = rrset_count(owner) };
	uint64_t offset = reserve(write, zone_node_size(&head), 4);
	struct zone_node *node = at(write, offset);

	if (has_links(owner)) {
		(void)reserve(write, sizeof(struct zone_links), 4);
		node = at(write, offset);
		head.flags |= ZONE_NODE_LINKED;
	}
	*node = head;
	memcpy((uint8_t *)(node->rrsets + node->rrset_count), owner->name, front);
	return (uint32_t)offset;
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

/* The number of the node whose addresses go with a record that names a host, 0: none. Addresses below a
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

/* Builds it in write->block. */
static int build_block(struct write *write, const struct draft_owner *owner,
		       const struct draft_rrset *rrset, uint32_t ttl_s)
{
	struct rrset_source source = { .owner = owner->name,
				       .owner_len = owner->len,
				       .type = rrset->type,
				       .ttl_s = ttl_s,
				       .count = rrset->count };
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
		return -1;
	}
	return 0;
}

/* Behind its node if there is room, else aside: the offset is then one in write->large. */
static struct zone_rrset write_block(struct write *write, uint32_t node, uint16_t type)
{
	size_t size = write->block.len;
	struct zone_rrset rrset = { .type = type };

	if (reserve(write, 0, 4) - node + size <= ZONE_NODE_BLOCKS_MAX) {
		rrset.block_off = (uint32_t)reserve(write, size, 4);
		memcpy(at(write, rrset.block_off), write->block.data, size);
		return rrset;
	}
	buf_align(&write->large, 4);
	rrset.reserved = ASIDE;
	rrset.block_off = (uint32_t)write->large.len;
	buf_append(&write->large, write->block.data, size);
	return rrset;
}

static int write_owner(struct write *write, const struct draft_owner *owner, uint32_t offset)
{
	unsigned i = 0;

	for (const struct draft_rrset *rrset = owner->rrsets; rrset != NULL;
	     rrset = rrset->next, i++) {
		struct zone_rrset written;

		if (build_block(write, owner, rrset, rrset->ttl_s) != 0)
			return -1;
		written = write_block(write, offset, rrset->type);
		((struct zone_node *)at(write, offset))->rrsets[i] = written;
	}
	((struct zone_node *)at(write, offset))->extent =
		(uint16_t)((reserve(write, 0, 4) - offset) / 4);
	return 0;
}

static int report_types(const struct write *write, const struct draft_owner *owner)
{
	char name[NAME_TEXT_SIZE];

	master_report(write->draft->sources, DIAG_ERROR, &owner->rrsets->first->place,
		      "%s has records of more types than fit into an image",
		      name_format(owner->name, name));
	return -1;
}

/* Where a node is is known only when it is written: until then their numbers stand for them. */
static int write_nodes(struct write *write)
{
	const struct zone_draft *draft = write->draft;
	int rc = 0;

	header(write)->nodes_off = (uint32_t)reserve(write, 0, 4);
	header(write)->node_count = draft->owner_count;
	for (uint32_t i = 0; i < draft->owner_count; i++)
		draft->owners[i]->node = i + 1;
	for (uint32_t i = 0; i < draft->owner_count; i++) {
		const struct draft_owner *owner = draft->owners[i];

		if (rrset_count(owner) > TYPES_MAX)
			return report_types(write, owner);
		write->offsets[i] = write_node(write, owner);
		if (write_owner(write, owner, write->offsets[i]) != 0)
			rc = -1; /* go on: other RRsets may be too large as well */
		if (reserve(write, 0, 4) + write->large.len > SEGMENT_MAX)
			return -1;
	}
	header(write)->nodes_end = (uint32_t)reserve(write, 0, 4);
	header(write)->apex = write->offsets[0];
	return rc;
}

static uint32_t offset_of(const struct write *write, const struct draft_owner *owner)
{
	return owner != NULL ? write->offsets[owner->node - 1] : 0;
}

static void settle_rrset(const struct write *write, struct zone_rrset *rrset, uint32_t large)
{
	const struct rrset_block *block;
	struct rrset_extra *extras;

	if (rrset->reserved == ASIDE) {
		rrset->reserved = 0;
		rrset->block_off += large;
	}
	block = at(write, rrset->block_off);
	extras = at(write, (uint64_t)((const uint8_t *)rrset_extras(block) -
				      (const uint8_t *)header(write)));
	for (unsigned i = 0; i < block->extra_count; i++)
		extras[i].node = write->offsets[extras[i].node - 1];
}

/* Nodes and blocks are where they stay: now they can refer to each other. */
static int settle_nodes(struct write *write)
{
	const struct zone_draft *draft = write->draft;
	uint64_t large = reserve(write, write->large.len, 4);

	if (large + write->large.len > SEGMENT_MAX)
		return -1;
	if (write->large.len > 0)
		memcpy(at(write, large), write->large.data, write->large.len);
	for (uint32_t i = 0; i < draft->owner_count; i++) {
		const struct draft_owner *owner = draft->owners[i];
		struct zone_node *node = at(write, write->offsets[i]);

		for (unsigned k = 0; k < node->rrset_count; k++)
			settle_rrset(write, &node->rrsets[k], (uint32_t)large);
		if (has_links(owner))
			*(struct zone_links *)at(write, write->offsets[i] + zone_node_size(node)) =
				(struct zone_links){ offset_of(write, owner->cut),
						     offset_of(write, owner->wildcard),
						     owner->pool };
	}
	for (uint32_t i = 0; i < draft->owner_count; i++)
		draft->owners[i]->node = write->offsets[i];
	return 0;
}

/* RFC 2308, 3: in negative answers the SOA's TTL is the smaller of its own and MINIMUM. */
static int write_soa(struct write *write)
{
	const struct draft_owner *apex = write->draft->owners[0];
	const struct draft_rrset *soa = draft_soa(write->draft);
	const uint8_t *end = soa->first->data + soa->first->len;
	uint32_t minimum = load_u32(end - 4);
	uint64_t block;

	if (build_block(write, apex, soa, minimum < soa->ttl_s ? minimum : soa->ttl_s) != 0)
		return -1;
	block = reserve(write, write->block.len, 4);
	if (block > SEGMENT_MAX)
		return -1;
	memcpy(at(write, block), write->block.data, write->block.len);
	header(write)->soa_block = (uint32_t)block;
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

static uint32_t write_name(struct write *write, const struct draft_owner *owner)
{
	uint64_t offset = reserve(write, owner->len, 1);

	memcpy(at(write, offset), owner->name, owner->len);
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
		struct zone_pool_record record = { .node = pool->owner->node,
						   .ttl_s = pool->ttl_s,
						   .types = pool->types };

		record.owner_off = write_name(write, pool->owner);
		record.pool_name_off = write_text(write, pool->pool);
		if (pool->site != NULL)
			record.site_name_off = write_text(write, pool->site);
		((struct zone_pool_record *)at(write, offset))[i] = record;
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
	write.offsets = mem_array(draft->owner_count, sizeof(write.offsets[0]));
	if (write_nodes(&write) == 0 && settle_nodes(&write) == 0 && write_soa(&write) == 0 &&
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
	buf_free(&write.large);
	free(write.offsets);
	free(write.rdatas);
	free(write.extra_nodes);
	*segment_off = write.start;
	return rc;
}
