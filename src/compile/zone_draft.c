#include "compile/zone_draft.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "image/rdata_names.h"
#include "image/rrset.h"
#include "wire/words.h"

#define FIRST_TABLE 1024U

#define RR_MIN 13 /* octets of the smallest RR in a block */

/* --- owner names ------------------------------------------------------------------------------ */

/* As in the image: of what the name has in front of the origin. */
static uint64_t hash_in(const struct zone_draft *draft, const uint8_t *name, size_t len)
{
	return name_hash_tight(name, len - draft->origin.len);
}

static struct draft_slot *find_slot(const struct zone_draft *draft, uint64_t hash,
				    const uint8_t *name, size_t len)
{
	uint32_t mask = draft->table_size - 1, tag = (uint32_t)(hash >> 32);
	uint32_t at = (uint32_t)hash & mask;

	for (; draft->table[at].owner != 0; at = (at + 1) & mask) {
		const struct draft_owner *owner;

		if (draft->table[at].tag != tag)
			continue;
		owner = draft->owners[draft->table[at].owner - 1];
		if (owner->len == len && memcmp(owner->name, name, len) == 0)
			break;
	}
	return &draft->table[at];
}

static void set_table(struct zone_draft *draft, uint32_t size)
{
	free(draft->table);
	draft->table_size = size;
	draft->table = mem_array(size, sizeof(struct draft_slot));
	for (uint32_t i = 0; i < draft->owner_count; i++) {
		const struct draft_owner *owner = draft->owners[i];
		uint32_t at = (uint32_t)owner->hash & (size - 1);

		while (draft->table[at].owner != 0)
			at = (at + 1) & (size - 1);
		draft->table[at] = (struct draft_slot){ (uint32_t)(owner->hash >> 32), i + 1 };
	}
}

void draft_expect(struct zone_draft *draft, uint32_t owners)
{
	uint32_t size = draft->table_size;

	while (size / 2 < owners)
		size *= 2;
	if (size > draft->table_size)
		set_table(draft, size);
}

static struct draft_owner *get_owner_hashed(struct zone_draft *draft, uint64_t hash,
					    const uint8_t *name, uint8_t len, uint8_t labels)
{
	struct draft_slot *slot = find_slot(draft, hash, name, len);
	struct draft_owner *owner;

	if (slot->owner != 0)
		return draft->owners[slot->owner - 1];
	owner = arena_alloc(&draft->arena, sizeof(*owner) + len);
	owner->hash = hash;
	owner->len = len;
	owner->labels = labels;
	memcpy(owner->name, name, len);
	array_add(draft->owners, draft->owner_count, draft->owner_cap) = owner;
	*slot = (struct draft_slot){ (uint32_t)(hash >> 32), draft->owner_count };
	if (labels > draft->max_labels)
		draft->max_labels = labels;
	if (draft->owner_count > draft->table_size / 2)
		set_table(draft, draft->table_size * 2);
	return owner;
}

static struct draft_owner *get_owner(struct zone_draft *draft, const uint8_t *name, uint8_t len,
				     uint8_t labels)
{
	return get_owner_hashed(draft, hash_in(draft, name, len), name, len, labels);
}

struct draft_owner *draft_find(const struct zone_draft *draft, const uint8_t *name, size_t len)
{
	uint32_t owner = find_slot(draft, hash_in(draft, name, len), name, len)->owner;

	return owner != 0 ? draft->owners[owner - 1] : NULL;
}

struct draft_owner *draft_closest(const struct zone_draft *draft, const uint8_t *name, size_t len)
{
	struct draft_owner *owner;

	while ((owner = draft_find(draft, name, len)) == NULL) {
		len -= 1U + *name;
		name += 1 + *name;
	}
	return owner;
}

const struct draft_owner *draft_speaker(const struct zone_draft *draft, const uint8_t *name,
					size_t len)
{
	const struct draft_owner *closest;

	if (!name_is_under(name, len, draft->origin.wire, draft->origin.len))
		return NULL;
	closest = draft_closest(draft, name, len);
	if (closest->len == len)
		return closest;
	return closest->cut == NULL ? closest->wildcard : NULL;
}

void draft_start(struct zone_draft *draft)
{
	set_table(draft, FIRST_TABLE);
	draft->latest = get_owner(draft, draft->origin.wire, draft->origin.len,
				  draft->origin.labels);
}

void draft_free(struct zone_draft *draft)
{
	arena_free(&draft->arena);
	free(draft->owners);
	free(draft->table);
	free(draft->pools);
}

/* --- records ---------------------------------------------------------------------------------- */

struct draft_rrset *draft_find_rrset(const struct draft_owner *owner, uint16_t type)
{
	for (struct draft_rrset *rrset = owner->rrsets; rrset != NULL && rrset->type <= type;
	     rrset = rrset->next) {
		if (rrset->type == type)
			return rrset;
	}
	return NULL;
}

struct draft_rrset *draft_soa(const struct zone_draft *draft)
{
	struct draft_rrset *soa = draft_rrset(draft->owners[0], TYPE_SOA);

	assert(soa != NULL);
	return soa;
}

static struct draft_rrset *get_rrset(struct zone_draft *draft, struct draft_owner *owner,
				     const struct master_record *record)
{
	struct draft_rrset **link = &owner->rrsets;
	struct draft_rrset *rrset;

	while (*link != NULL && (*link)->type < record->type)
		link = &(*link)->next;
	if (*link != NULL && (*link)->type == record->type)
		return *link;
	rrset = arena_alloc(&draft->arena, sizeof(*rrset));
	rrset->next = *link;
	rrset->type = record->type;
	rrset->ttl_s = record->ttl_s;
	*link = rrset;
	owner->types |= draft_type_bit(record->type);
	if (record->type == TYPE_NS && !draft_is_apex(draft, owner))
		draft->cut_count++;
	return rrset;
}

/* Names in RDATA compare without case (RFC 4034, 6.2), the rest octet by octet. */
static bool same_rdata(const struct rdata_names *names, const struct draft_record *a,
		       const struct master_record *b)
{
	size_t from, to;

	if (a->len != b->len)
		return false;
	if (memcmp(a->data, b->data, a->len) == 0)
		return true;
	if (names == NULL || memcmp(a->data, b->data, names->before) != 0)
		return false;
	from = to = names->before;
	for (unsigned i = 0; i < names->count; i++)
		to += name_length(b->data + to, b->len - to);
	for (; from < to; from++) { /* the octets of length are below 'A' */
		if (name_lower(a->data[from]) != name_lower(b->data[from]))
			return false;
	}
	return memcmp(a->data + to, b->data + to, b->len - to) == 0;
}

/* Where the record is to be added; NULL: it is there already. */
static struct draft_record **find_end(struct draft_rrset *rrset, const struct master_record *record)
{
	const struct rdata_names *names;
	struct draft_record **link = &rrset->first;

	if (*link == NULL)
		return link;
	names = rdata_names_find(rrset->type);

	for (; *link != NULL; link = &(*link)->next) {
		if (same_rdata(names, *link, record))
			return NULL;
	}
	return link;
}

static void report_type(const struct zone_draft *draft, const struct master_record *record,
			const char *what)
{
	char name[NAME_TEXT_SIZE];

	master_report(draft->sources, DIAG_ERROR, &record->place, "%s %s",
		      name_format(record->owner->wire, name), what);
}

/* RFC 2181, 5.2: different TTLs in an RRset are a mistake; whoever meets one takes the smallest.
 * Signatures are not an RRset in this sense (RFC 4034, 3). */
static void join_ttl(const struct zone_draft *draft, struct draft_rrset *rrset,
		     const struct master_record *record)
{
	if (rrset->ttl_s == record->ttl_s)
		return;
	if (!rrset->mixed_ttl && rrset->type != TYPE_RRSIG)
		master_report(draft->sources, DIAG_WARNING, &record->place,
			      "the TTL is %u, but the RRset's other records have %u: the smallest "
			      "is used",
			      record->ttl_s, rrset->ttl_s);
	rrset->mixed_ttl = true;
	if (record->ttl_s < rrset->ttl_s)
		rrset->ttl_s = record->ttl_s;
}

static bool may_join(const struct zone_draft *draft, struct draft_rrset *rrset,
		     const struct master_record *record)
{
	if (record->type == TYPE_SOA && rrset->count > 0) {
		report_type(draft, record, "has a second SOA");
		return false;
	}
	if (record->type == TYPE_CNAME && rrset->count > 0) {
		report_type(draft, record, "has a second CNAME (RFC 2181, section 10.1)");
		return false;
	}
	if (record->type == TYPE_DNAME && rrset->count > 0) {
		report_type(draft, record, "has a second DNAME (RFC 6672, section 2.4)");
		return false;
	}
	if (rrset->count >= RRSET_WIRE_MAX / RR_MIN) {
		if (!rrset->too_large)
			report_type(draft, record,
				    "has more records of this type than fit into a "
				    "message");
		rrset->too_large = true;
		return false;
	}
	return true;
}

static void add_record(struct zone_draft *draft, struct draft_owner *owner,
		       const struct master_record *record)
{
	struct draft_rrset *rrset = get_rrset(draft, owner, record);
	struct draft_record *added, **end;

	join_ttl(draft, rrset, record); /* a duplicate's counts, too */
	end = find_end(rrset, record);
	if (end == NULL || !may_join(draft, rrset, record))
		return;
	added = arena_alloc(&draft->arena, sizeof(*added) + record->len);
	added->place = record->place;
	added->len = record->len;
	memcpy(added->data, record->data, record->len);
	*end = added;
	rrset->count++;
	draft->record_count++;
}

static void add_pool(struct zone_draft *draft, struct draft_owner *owner,
		     const struct master_record *record)
{
	const char *word = arena_text(&draft->arena, (const char *)record->data, record->len);
	const char *slash = strchr(word, '/');
	struct draft_pool pool = { .owner = owner,
				   .pool = word,
				   .ttl_s = record->ttl_s,
				   .types = record->pool_types,
				   .place = record->place,
				   .data_place = record->data_place,
				   .service_place = record->service_place };

	if (owner->pool != 0) {
		report_type(draft, record, "has a second POOL record");
		return;
	}
	if (slash != NULL) {
		pool.pool = arena_text(&draft->arena, word, (size_t)(slash - word));
		pool.site = slash + 1;
	}
	array_add(draft->pools, draft->pool_count, draft->pool_cap) = pool;
	owner->pool = draft->pool_count;
	owner->pool_types = pool.types;
	draft->record_count++;
}

static void report_outside(const struct zone_draft *draft, const struct master_record *record)
{
	char name[NAME_TEXT_SIZE], origin[NAME_TEXT_SIZE];
	const struct master_place *place = record->owner_place.len != 0 ? &record->owner_place
									: &record->place;

	master_report(draft->sources, DIAG_WARNING, place,
		      "%s is not in the zone %s: the record is ignored",
		      name_format(record->owner->wire, name),
		      name_format(draft->origin.wire, origin));
}

uint64_t draft_hash(const struct zone_draft *draft, const struct name *owner)
{
	return owner->len >= draft->origin.len ? hash_in(draft, owner->wire, owner->len) : 0;
}

void draft_prefetch(const struct zone_draft *draft, uint64_t hash)
{
	__builtin_prefetch(&draft->table[(uint32_t)hash & (draft->table_size - 1)]);
}

void draft_add_hashed(struct zone_draft *draft, const struct master_record *record, uint64_t hash)
{
	const struct name *name = record->owner;
	struct draft_owner *owner = draft->latest;

	if (!name_is_under(name->wire, name->len, draft->origin.wire, draft->origin.len)) {
		report_outside(draft, record);
		return;
	}
	if (owner->len != name->len || memcmp(owner->name, name->wire, name->len) != 0)
		owner = draft->latest = get_owner_hashed(draft, hash, name->wire, name->len,
							 name->labels);
	if (record->pool)
		add_pool(draft, owner, record);
	else
		add_record(draft, owner, record);
}

void draft_add(struct zone_draft *draft, const struct master_record *record)
{
	draft_add_hashed(draft, record, draft_hash(draft, record->owner));
}

/* --- the whole -------------------------------------------------------------------------------- */

static void link_parents(struct zone_draft *draft)
{
	struct draft_owner *parent = draft->owners[0]; /* names of one parent stand together */

	/* The list grows while it is walked: a new ancestor gets its own parent in turn. */
	for (uint32_t i = 1; i < draft->owner_count; i++) {
		struct draft_owner *owner = draft->owners[i];
		uint8_t label = *owner->name;
		uint8_t len = (uint8_t)(owner->len - 1 - label);

		if (parent->len != len || memcmp(parent->name, owner->name + 1 + label, len) != 0)
			parent = get_owner(draft, owner->name + 1 + label, len,
					   (uint8_t)(owner->labels - 1));
		owner->parent = parent;
		if (label == 1 && owner->name[1] == '*')
			owner->parent->wildcard = owner;
	}
}

/* The topmost delegation on the way down from the apex counts; what is below it is not ours. */
static void find_cut(const struct zone_draft *draft, struct draft_owner *owner)
{
	for (struct draft_owner *at = owner; !draft_is_apex(draft, at); at = at->parent) {
		if (draft_rrset(at, TYPE_NS) != NULL)
			owner->cut = at;
	}
}

void draft_finish(struct zone_draft *draft)
{
	link_parents(draft);
	for (uint32_t i = 1; i < draft->owner_count && draft->cut_count > 0; i++)
		find_cut(draft, draft->owners[i]);
}
