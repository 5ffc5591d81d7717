#include "image/segment_verify.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "image/rdata_names.h"

#define APART_NODES 20000 /* of a zone from which a thread is worth it */
#define BEFOREHAND  1024U /* octets ahead of where nodes are read */
#define TOGETHER    32    /* nodes whose buckets are asked for at once */
#define STARTS      32U   /* octets of a segment that have one octet of starts */

/* One segment being checked. `starts` has a bit for each multiple of 4 at which a node starts:
 * an offset of a node is real when its bit is set. */
struct check {
	const struct zone_segment *segment;
	size_t size; /* of the segment, and all that lies in the image */
	uint8_t *starts;
	char origin[NAME_TEXT_SIZE];
	uint32_t middle; /* a node somewhere there, if the buckets are right; 0: none */
	size_t len;      /* of the whole name of the node at hand */
	/* Of a parent that was found, what it has in front of the origin; NULL: none. */
	const uint8_t *parent;
	size_t parent_len;
	uint8_t name[ZONE_NAME_SIZE]; /* for name_of */
	struct err *err;
};

static int fail(const struct check *check, const char *what)
{
	return err_set(check->err, "zones image: zone %s: %s", check->origin, what);
}

static int fail_at(const struct check *check, const struct zone_node *node, const char *what)
{
	char name[NAME_TEXT_SIZE];

	return err_set(check->err, "zones image: zone %s: node %s %s", check->origin,
		       zone_node_format(check->segment, node, name), what);
}

static bool holds(const struct check *check, uint64_t offset, uint64_t count, size_t size,
		  size_t align)
{
	return offset >= sizeof(struct zone_segment) && offset <= check->size &&
	       offset % align == 0 && count <= (check->size - offset) / size;
}

static bool is_text(const struct check *check, uint32_t offset)
{
	return holds(check, offset, 1, 1, 1) &&
	       memchr(zone_at(check->segment, char, offset), '\0', check->size - offset) != NULL;
}

static bool is_lower(const uint8_t *name, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		if (name_lower(name[i]) != name[i])
			return false;
	}
	return true;
}

/* The same of what a node has in front of the origin, behind which there is room. */
static inline bool is_lower_front(const uint8_t *front, size_t len)
{
	struct name_head head;

	if (len > NAME_ROOM)
		return is_lower(front, len);
	head = name_head(front, len);
	return !name_word_has_capital(head.first) && !name_word_has_capital(head.second);
}

static bool is_name(const uint8_t *name, size_t len, uint8_t labels)
{
	return name_length(name, len) == len && is_lower(name, len) && name_labels(name) == labels;
}

static bool is_node(const struct check *check, uint32_t offset)
{
	return offset % 4 == 0 && offset < check->size &&
	       (check->starts[offset / STARTS] & 1 << offset / 4 % 8) != 0;
}

static uint32_t node_offset(const struct check *check, const struct zone_node *node)
{
	return (uint32_t)((const uint8_t *)node - (const uint8_t *)check->segment);
}

static const struct zone_node *node_at(const struct check *check, uint32_t offset)
{
	return zone_at(check->segment, struct zone_node, offset);
}

static size_t node_size(const struct zone_node *node)
{
	size_t links = (node->flags & ZONE_NODE_LINKED) != 0 ? sizeof(struct zone_links) : 0;

	return zone_node_size(node) + links;
}

/* Whole labels, as many as the node says, and in front of the origin not too long. */
static bool is_front(const struct zone_segment *segment, const struct zone_node *node)
{
	const uint8_t *front = zone_node_front(node);
	size_t at = 0, len = node->name_len;
	unsigned labels = segment->origin_labels;

	if (zone_node_name_len(segment, node) > DNS_NAME_MAX || !is_lower_front(front, len))
		return false;
	for (; at < len && front[at] != 0 && front[at] <= DNS_LABEL_MAX; labels++)
		at += 1U + front[at];
	return at == len && labels == node->labels;
}

/* --- header --------------------------------------------------------------------------------- */

static int check_header(struct check *check)
{
	const struct zone_segment *segment = check->segment;

	if (segment->size != check->size || check->size > UINT32_MAX)
		return fail(check, "the segment's size is wrong");
	if (segment->bucket_count == 0 || !holds(check, segment->buckets_off, segment->bucket_count,
						 sizeof(struct zone_bucket), IMAGE_ALIGN))
		return fail(check, "the buckets lie outside");
	if (segment->nodes_end > check->size - NAME_ROOM ||
	    segment->nodes_off > segment->nodes_end || !holds(check, segment->nodes_off, 0, 1, 4))
		return fail(check, "the nodes lie outside");
	if (!holds(check, segment->pool_records_off, segment->pool_record_count,
		   sizeof(struct zone_pool_record), 4))
		return fail(check, "the POOL records lie outside");
	if (!holds(check, segment->sources_off, segment->sources_size, 1, 1) ||
	    segment->sources_size == 0 ||
	    *zone_at(segment, char, segment->sources_off + segment->sources_size - 1) != '\0')
		return fail(check, "the list of sources is not a list of texts");
	return 0;
}

/* --- by two threads ---------------------------------------------------------------------------- */

/* Nodes by their offsets, or buckets: of a large zone a half of them, of another one all. */
struct part {
	struct check check;
	struct err err;
	uint32_t at, end;
	uint32_t count; /* of what is counted */
	int (*work)(struct part *part);
	int rc;
};

static void *do_part(void *argument)
{
	struct part *part = argument;

	part->rc = part->work(part);
	return NULL;
}

/* From `at` to `end`, where there is a middle as two parts. Of what is wrong the first is told; *count:
 * of both. */
static int do_parts(const struct check *check, int (*work)(struct part *part), uint32_t at,
		    uint32_t middle, uint32_t end, uint32_t *count)
{
	struct part first = { .check = *check, .at = at, .end = end, .work = work };
	struct part second = first;
	pthread_t thread;
	bool apart;

	first.check.err = &first.err;
	second.check.err = &second.err;
	second.at = middle;
	apart = middle != 0 && pthread_create(&thread, NULL, do_part, &second) == 0;
	if (apart)
		first.end = middle;
	(void)do_part(&first);
	if (apart)
		(void)pthread_join(thread, NULL);
	*count = first.count + second.count;
	if (first.rc == 0 && second.rc == 0)
		return 0;
	return err_set(check->err, "%s", first.rc != 0 ? first.err.text : second.err.text);
}

/* Nodes are found one after the other; but buckets name nodes from anywhere, so one of the first does
 * about in the middle. None whose bit has an octet in common with nodes before it: those are another
 * thread's. */
static uint32_t find_middle(const struct zone_segment *segment)
{
	const struct zone_bucket *bucket = zone_at(segment, struct zone_bucket,
						   segment->buckets_off);
	uint32_t size = segment->nodes_end - segment->nodes_off;

	if (segment->node_count < APART_NODES)
		return 0;
	for (uint32_t i = 0; i < segment->bucket_count; i++, bucket++) {
		for (unsigned slot = 0; slot < ZONE_BUCKET_SLOTS; slot++) {
			uint32_t at = bucket->node[slot];

			if (at % STARTS == 0 && at > segment->nodes_off + size / 32 * 15 &&
			    at < segment->nodes_off + size / 32 * 17)
				return at;
		}
	}
	return 0;
}

/* --- nodes: first their places and names, so that the rest can refer to them ------------------- */

static int find_starts_of(struct part *part)
{
	struct check *check = &part->check;
	const struct zone_segment *segment = check->segment;
	uint32_t at = part->at;

	while (at < part->end) {
		const struct zone_node *node = node_at(check, at);
		size_t room = segment->nodes_end - at;

		__builtin_prefetch((const uint8_t *)node + (room > BEFOREHAND ? BEFOREHAND : 0));

		if (room < sizeof(*node) || room < node_size(node))
			return fail(check, "a node does not end within the nodes");
		if (node->extent * 4U > room || node->extent * 4U < node_size(node))
			return fail(check, "a node's extent is wrong");
		if (!is_front(segment, node))
			return fail(check, "a node's name is not valid");
		check->starts[at / STARTS] |= (uint8_t)(1 << at / 4 % 8);
		at += node->extent * 4U;
		part->count++;
	}
	return at == part->end ? 0 : fail(check, "a bucket names what is no node");
}

static int find_starts(const struct check *check)
{
	const struct zone_segment *segment = check->segment;
	uint32_t count;

	if (do_parts(check, find_starts_of, segment->nodes_off, check->middle, segment->nodes_end,
		     &count) != 0)
		return -1;
	/* Where no thread was to be had, nothing began there. */
	if (check->middle != 0 && !is_node(check, check->middle))
		return fail(check, "a bucket names what is no node");
	if (count != segment->node_count)
		return fail(check, "the number of nodes is wrong");
	return 0;
}

/* Slots are filled in order; -1: they are not. */
static int count_slots(const struct zone_bucket *bucket)
{
	unsigned used = 0, gaps = 0;

	for (unsigned slot = 0; slot < ZONE_BUCKET_SLOTS; slot++)
		used += bucket->node[slot] != 0;
	for (unsigned slot = 1; slot < ZONE_BUCKET_SLOTS; slot++)
		gaps += bucket->node[slot] != 0 && bucket->node[slot - 1] == 0;
	return gaps == 0 ? (int)used : -1;
}

static int count_slots_of(struct part *part)
{
	const struct zone_segment *segment = part->check.segment;
	const struct zone_bucket *buckets = zone_at(segment, struct zone_bucket,
						    segment->buckets_off);

	for (; part->at < part->end; part->at++) {
		int slots = count_slots(&buckets[part->at]);

		if (slots < 0)
			return fail(&part->check, "a bucket has a gap");
		part->count += (unsigned)slots;
	}
	return 0;
}

/* After this, a lookup ends. As many slots are used as there are nodes, so that each names a real
 * one follows when each node has been found by its name, in a slot that names it. */
static int check_buckets(const struct check *check)
{
	const struct zone_segment *segment = check->segment;
	uint32_t used;

	if (do_parts(check, count_slots_of, 0, check->middle != 0 ? segment->bucket_count / 2 : 0,
		     segment->bucket_count, &used) != 0)
		return -1;
	if (used != segment->node_count)
		return fail(check, "the buckets do not hold each node once");
	if (!zone_buckets_end(zone_at(segment, struct zone_bucket, segment->buckets_off),
			      segment->bucket_count))
		return fail(check, "a lookup would pass too many full buckets");
	return 0;
}

/* --- each node -------------------------------------------------------------------------------- */

/* The whole name of the node at hand. Few of the checks need it, so it is made when they do. */
static const uint8_t *name_of(struct check *check, const struct zone_node *node)
{
	(void)zone_node_name(check->segment, node, check->name);
	return check->name;
}

static int check_block(struct check *check, const struct zone_node *node, uint32_t offset,
		       uint16_t type)
{
	const struct rrset_block *block = zone_at(check->segment, struct rrset_block, offset);
	const uint8_t *owner;
	const char *reason;

	if (!holds(check, offset, 1, sizeof(*block) + NAME_ROOM, 4))
		return fail_at(check, node, "has an RRset that lies outside");
	if (block->type != type || block->owner_len != check->len)
		return fail_at(check, node, "has an RRset of another owner or type");
	/* Blocks without names in RDATA do not point into their owner's. */
	owner = rdata_names_find(type) != NULL ? name_of(check, node) : NULL;
	if (!rrset_verify(block, check->size - NAME_ROOM - offset, owner, &reason)) {
		(void)fail_at(check, node, "has a damaged RRset");
		return err_prefix(check->err, "%s", reason);
	}
	for (unsigned i = 0; i < block->extra_count; i++) {
		if (!is_node(check, rrset_extras(block)[i].node))
			return fail_at(check, node, "has an extra that is no node");
	}
	return 0;
}

static int check_rrsets(struct check *check, const struct zone_node *node)
{
	for (unsigned i = 0; i < node->rrset_count; i++) {
		const struct zone_rrset *rrset = &node->rrsets[i];

		if (i > 0 && rrset[-1].type >= rrset->type)
			return fail_at(check, node, "has RRsets out of order");
		if (check_block(check, node, rrset->block_off, rrset->type) != 0)
			return -1;
	}
	return 0;
}

static bool has(const struct check *check, const struct zone_node *node, uint16_t type)
{
	return zone_rrset(check->segment, node, type) != NULL;
}

static int check_flags(struct check *check, const struct zone_node *node)
{
	const uint8_t *name = node->name_len > 0 ? zone_node_front(node) : check->segment->origin;
	const struct rrset_block *cname = zone_rrset_inline(check->segment, node, TYPE_CNAME);
	uint32_t offset = node_offset(check, node);
	uint8_t flags = 0;

	if (offset == check->segment->apex)
		flags |= ZONE_NODE_APEX;
	if (zone_node_cut(node) == offset)
		flags |= ZONE_NODE_CUT;
	if (cname != NULL)
		flags |= ZONE_NODE_CNAME;
	if (name[0] == 1 && name[1] == '*')
		flags |= ZONE_NODE_WILDCARD;
	if ((node->flags & ~ZONE_NODE_LINKED) != flags)
		return fail_at(check, node, "has flags that do not fit");
	if ((flags & ZONE_NODE_CUT) != 0 &&
	    ((flags & ZONE_NODE_APEX) != 0 || !has(check, node, TYPE_NS)))
		return fail_at(check, node, "is no delegation");
	if (cname != NULL && cname->rr_count != 1)
		return fail_at(check, node, "has several CNAMEs");
	return 0;
}

static int check_cut(struct check *check, const struct zone_node *node, uint32_t cut)
{
	const struct zone_node *other = node_at(check, cut);
	const uint8_t *name;
	size_t len;

	if (!is_node(check, cut))
		return fail_at(check, node, "has a cut that is no node");
	name = name_of(check, node);
	len = zone_node_name_len(check->segment, other);
	if (zone_node_cut(other) != cut || len > check->len ||
	    !name_is_under(name, check->len, name + check->len - len, len) ||
	    memcmp(zone_node_front(other), name + check->len - len, other->name_len) != 0)
		return fail_at(check, node, "has a cut that is not above it");
	return 0;
}

static int check_wildcard(struct check *check, const struct zone_node *node, uint32_t wildcard)
{
	const struct zone_node *other = node_at(check, wildcard);

	if (!is_node(check, wildcard))
		return fail_at(check, node, "has a wildcard that is no node");
	if (other->name_len != node->name_len + 2 ||
	    memcmp(zone_node_front(other), "\1*", 2) != 0 ||
	    memcmp(zone_node_front(other) + 2, zone_node_front(node), node->name_len) != 0)
		return fail_at(check, node, "has another name's wildcard");
	return 0;
}

static int check_pool_record(struct check *check, const struct zone_node *node, uint32_t number)
{
	const struct zone_segment *segment = check->segment;
	const struct zone_pool_record *record =
		zone_at(segment, struct zone_pool_record, segment->pool_records_off) + number - 1;

	if (number > segment->pool_record_count || record->node != node_offset(check, node))
		return fail_at(check, node, "has another name's POOL record");
	if (node->pool_types != record->types)
		return fail_at(check, node, "has other types than its POOL record");
	if (!holds(check, record->owner_off, check->len, 1, 1) ||
	    memcmp(zone_at(segment, uint8_t, record->owner_off), name_of(check, node),
		   check->len) != 0)
		return fail_at(check, node, "has a POOL record with another owner");
	return 0;
}

static int check_links(struct check *check, const struct zone_node *node)
{
	const struct zone_links none = { 0 }, *links = zone_node_links(node);

	if (links == NULL)
		links = &none;
	else if (memcmp(links, &none, sizeof(none)) == 0)
		return fail_at(check, node, "has links that lead nowhere");
	if (links->pool_record == 0 && node->pool_types != 0)
		return fail_at(check, node, "has types of a POOL record, and none");
	if (links->cut != 0 && check_cut(check, node, links->cut) != 0)
		return -1;
	if (links->wildcard != 0 && check_wildcard(check, node, links->wildcard) != 0)
		return -1;
	return links->pool_record != 0 ? check_pool_record(check, node, links->pool_record) : 0;
}

/* What the first slot has in which a lookup finds the node `known` (0: any) or another one of this
 * name; 0: there is none. What a slot names need not be a node yet. */
static uint32_t find_front(const struct check *check, uint64_t hash, const uint8_t *front,
			   size_t len, uint32_t known)
{
	const struct zone_segment *segment = check->segment;
	const struct zone_bucket *first = zone_at(segment, struct zone_bucket,
						  segment->buckets_off);
	const struct zone_bucket *bucket = zone_bucket(segment, hash);

	for (;;) {
		for (unsigned slots = zone_bucket_slots(bucket, hash) & 0x5555; slots != 0;
		     slots &= slots - 1) {
			uint32_t at = zone_bucket_first(bucket, slots);
			const struct zone_node *node = node_at(check, at);

			if (at == known || (is_node(check, at) && node->name_len == len &&
					    name_same(front, zone_node_front(node), len)))
				return at;
		}
		if (bucket->node[ZONE_BUCKET_SLOTS - 1] == 0)
			return 0;
		bucket++;
		if (bucket == first + segment->bucket_count)
			bucket = first;
	}
}

/* Nodes that follow each other mostly have one parent. */
static bool has_parent(struct check *check, const struct zone_node *node)
{
	const uint8_t *front = zone_node_front(node);
	const uint8_t *parent = front + 1 + *front;
	size_t len = node->name_len - 1U - *front;

	if (check->parent != NULL && check->parent_len == len &&
	    memcmp(check->parent, parent, len) == 0)
		return true;
	if (find_front(check, name_hash_inline(parent, len), parent, len, 0) == 0)
		return false;
	check->parent = parent;
	check->parent_len = len;
	return true;
}

/* The name is found, and so is its parent (empty non-terminals have nodes). */
static int check_place(struct check *check, const struct zone_node *node, uint64_t hash)
{
	uint32_t offset = node_offset(check, node);

	if (node->labels > check->segment->max_labels)
		return fail_at(check, node, "has more labels than the deepest name");
	if (find_front(check, hash, zone_node_front(node), node->name_len, offset) != offset)
		return fail_at(check, node, "is not found by its name");
	if (node->name_len > 0 && !has_parent(check, node))
		return fail_at(check, node, "has no parent");
	return 0;
}

static int check_node(struct check *check, const struct zone_node *node, uint64_t hash)
{
	check->len = zone_node_name_len(check->segment, node);
	if (check_place(check, node, hash) != 0 || check_links(check, node) != 0 ||
	    check_rrsets(check, node) != 0 || check_flags(check, node) != 0)
		return -1;
	return 0;
}

/* Some nodes at a time, so that the buckets in which they will be looked for come together. */
static int check_nodes_of(struct part *part)
{
	struct check *check = &part->check;
	const struct zone_node *nodes[TOGETHER];
	uint64_t hashes[TOGETHER];
	uint32_t at = part->at;

	while (at < part->end) {
		unsigned count = 0;

		for (; count < TOGETHER && at < part->end; at += nodes[count++]->extent * 4U) {
			const struct zone_node *node = node_at(check, at);

			if (part->end - at > BEFOREHAND)
				__builtin_prefetch((const uint8_t *)node + BEFOREHAND);
			nodes[count] = node;
			hashes[count] = name_hash_inline(zone_node_front(node), node->name_len);
			__builtin_prefetch(zone_bucket(check->segment, hashes[count]));
		}
		for (unsigned i = 0; i < count; i++) {
			if (check_node(check, nodes[i], hashes[i]) != 0)
				return -1;
		}
	}
	return 0;
}

static int check_nodes(const struct check *check)
{
	const struct zone_segment *segment = check->segment;
	uint32_t count;

	return do_parts(check, check_nodes_of, segment->nodes_off, check->middle,
			segment->nodes_end, &count);
}

/* --- what hangs on the nodes ------------------------------------------------------------------ */

static int check_apex(struct check *check)
{
	const struct zone_segment *segment = check->segment;
	const struct zone_node *apex;

	if (!is_node(check, segment->apex))
		return fail(check, "there is no apex");
	apex = node_at(check, segment->apex);
	check->len = zone_node_name_len(segment, apex);
	if (apex->name_len != 0)
		return fail(check, "the apex has another name");
	if (!has(check, apex, TYPE_SOA) || !has(check, apex, TYPE_NS))
		return fail(check, "the apex has no SOA or no NS");
	return check_block(check, apex, segment->soa_block, TYPE_SOA);
}

static int check_pool_records(struct check *check)
{
	const struct zone_segment *segment = check->segment;
	const struct zone_pool_record *record = zone_at(segment, struct zone_pool_record,
							segment->pool_records_off);

	for (uint32_t i = 0; i < segment->pool_record_count; i++, record++) {
		if (!is_node(check, record->node) ||
		    zone_node_pool_record(node_at(check, record->node)) != i + 1)
			return fail(check, "a POOL record's owner does not know it");
		if (record->types == 0 || (record->types & ~(uint32_t)POOL_TYPES_ALL) != 0)
			return fail(check, "a POOL record's types are out of range");
		if (!is_text(check, record->pool_name_off) ||
		    (record->site_name_off != 0 && !is_text(check, record->site_name_off)))
			return fail(check, "a POOL record's pool is no text");
	}
	return 0;
}

int segment_verify(const struct zone_segment *segment, size_t size, struct err *err)
{
	struct check check = { .segment = segment, .size = size, .origin = "?", .err = err };
	int rc = -1;

	if (size < sizeof(*segment))
		return fail(&check, "the segment is cut");
	if (!is_name(segment->origin, segment->origin_len, segment->origin_labels))
		return fail(&check, "the origin is not valid");
	(void)name_format(segment->origin, check.origin);
	if (check_header(&check) != 0)
		return -1;
	check.middle = find_middle(segment);
	check.starts = mem_alloc(size / STARTS + 1);
	if (find_starts(&check) == 0 && check_buckets(&check) == 0 && check_nodes(&check) == 0 &&
	    check_apex(&check) == 0 && check_pool_records(&check) == 0)
		rc = 0;
	free(check.starts);
	return rc;
}
