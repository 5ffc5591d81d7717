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

static bool is_named(const struct zone_draft *draft, const struct draft_owner *owner,
		     const uint8_t *front, size_t len)
{
	return owner->len == len && memcmp(owner->front, front, len - draft->origin.len) == 0;
}

static struct draft_slot *find_slot(const struct zone_draft *draft, uint64_t hash,
				    const uint8_t *front, size_t len)
{
	uint32_t mask = draft->table_size - 1, tag = (uint32_t)(hash >> 32);
	uint32_t at = (uint32_t)hash & mask;

	for (; draft->table[at].owner != 0; at = (at + 1) & mask) {
		if (draft->table[at].tag == tag &&
		    is_named(draft, draft_at(draft, draft->table[at].owner), front, len))
			break;
	}
	return &draft->table[at];
}

static void set_table(struct zone_draft *draft, uint32_t size)
{
	mem_unmap(draft->table, draft->table_size * sizeof(struct draft_slot));
	draft->table_size = size;
	draft->table = mem_map(size * sizeof(struct draft_slot));
	for (uint32_t i = 0; i < draft->owner_count; i++) {
		const struct draft_owner *owner = draft_nth(draft, i);
		uint32_t at = owner->hash_low & (size - 1);

		while (draft->table[at].owner != 0)
			at = (at + 1) & (size - 1);
		draft->table[at] = (struct draft_slot){ owner->hash_high, draft->owners[i] };
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

/* Puts a new one into its place. */
static void add_owner(struct zone_draft *draft, struct draft_slot *slot, uint32_t tag,
		      uint32_t owner, uint8_t labels)
{
	*slot = (struct draft_slot){ tag, owner };
	array_add(draft->owners, draft->owner_count, draft->owner_cap) = owner;
	if (labels > draft->max_labels)
		draft->max_labels = labels;
	if (draft->owner_count > draft->table_size / 2)
		set_table(draft, draft->table_size * 2);
}

static void add_deep(struct zone_draft *draft, uint32_t owner)
{
	array_add(draft->deep, draft->deep_count, draft->deep_cap) = owner;
}

/* The name goes on with the origin. */
static struct draft_owner *get_owner(struct zone_draft *draft, const uint8_t *front, uint8_t len,
				     uint8_t labels)
{
	uint64_t hash = hash_in(draft, front, len);
	struct draft_slot *slot = find_slot(draft, hash, front, len);
	size_t front_len = (size_t)len - draft->origin.len;
	struct draft_owner *owner;

	if (slot->owner != 0)
		return draft_at(draft, slot->owner);
	owner = stretch_take(&draft->part, sizeof(*owner) + front_len);
	owner->hash_high = (uint32_t)(hash >> 32);
	owner->hash_low = (uint32_t)hash;
	owner->len = len;
	owner->labels = labels;
	memcpy(owner->front, front, front_len);
	add_owner(draft, slot, owner->hash_high, draft_place(draft, owner), labels);
	add_deep(draft, draft_place(draft, owner));
	return owner;
}

struct draft_owner *draft_find(const struct zone_draft *draft, const uint8_t *name, size_t len)
{
	return draft_if_at(draft, find_slot(draft, hash_in(draft, name, len), name, len)->owner);
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
	return draft_cut(draft, closest) == NULL ? draft_wildcard(draft, closest) : NULL;
}

const uint8_t *draft_name(const struct zone_draft *draft, const struct draft_owner *owner,
			  uint8_t name[DNS_NAME_MAX])
{
	uint8_t front_len = draft_front_len(draft, owner);

	memcpy(name, owner->front, front_len);
	memcpy(name + front_len, draft->origin.wire, draft->origin.len);
	return name;
}

const char *draft_format(const struct zone_draft *draft, const struct draft_owner *owner,
			 char text[NAME_TEXT_SIZE])
{
	uint8_t name[DNS_NAME_MAX];

	return name_format(draft_name(draft, owner, name), text);
}

bool draft_is_wildcard(const struct zone_draft *draft, const struct draft_owner *owner)
{
	const uint8_t *name = draft_is_apex(draft, owner) ? draft->origin.wire : owner->front;

	return name[0] == 1 && name[1] == '*';
}

/* Its own, to be set. */
static struct draft_links *make_links(struct zone_draft *draft, struct draft_owner *owner)
{
	if (owner->links == 0)
		owner->links = draft_place(draft,
					   stretch_take(&draft->part, sizeof(struct draft_links)));
	return draft_at(draft, owner->links);
}

void draft_start(struct zone_draft *draft)
{
	draft->memory = mem_alloc(sizeof(*draft->memory));
	stretch_open(draft->memory);
	draft->part.of = draft->memory;
	set_table(draft, FIRST_TABLE);
	draft->latest = get_owner(draft, draft->origin.wire, draft->origin.len,
				  draft->origin.labels);
	draft->deep_count = 0; /* the apex is above all */
}

void draft_free(struct zone_draft *draft)
{
	stretch_close(draft->memory);
	free(draft->memory);
	arena_free(&draft->arena);
	free(draft->owners);
	free(draft->deep);
	mem_unmap(draft->table, draft->table_size * sizeof(struct draft_slot));
	free(draft->pools);
}

/* --- records ---------------------------------------------------------------------------------- */

struct draft_rrset *draft_find_rrset(const struct zone_draft *draft,
				     const struct draft_owner *owner, uint16_t type)
{
	for (struct draft_rrset *rrset = draft_rrsets(draft, owner);
	     rrset != NULL && rrset->type <= type; rrset = draft_next_rrset(draft, rrset)) {
		if (rrset->type == type)
			return rrset;
	}
	return NULL;
}

struct draft_rrset *draft_soa(const struct zone_draft *draft)
{
	struct draft_rrset *soa = draft_rrset(draft, draft_apex(draft), TYPE_SOA);

	assert(soa != NULL);
	return soa;
}

struct master_place draft_record_place(const struct draft_record *record)
{
	return (struct master_place){ .offset = record->offset,
				      .line = record->line,
				      .source = record->source,
				      .len = record->place_len };
}

struct master_place draft_rrset_place(const struct draft_rrset *rrset)
{
	return draft_record_place(draft_first(rrset));
}

/* Names in RDATA compare without case (RFC 4034, 6.2), the rest octet by octet. */
static bool same_rdata(const struct rdata_names *names, const struct draft_record *a,
		       const struct draft_record *b)
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

/* The last record, behind which it is to be added; NULL: it is there already. */
static struct draft_record *find_end(const struct zone_draft *draft, struct draft_rrset *rrset,
				     const struct draft_record *record)
{
	const struct rdata_names *names = rdata_names_find(rrset->type);
	struct draft_record *last = NULL;

	for (struct draft_record *at = (struct draft_record *)(rrset + 1); at != NULL;
	     at = draft_if_at(draft, at->next)) {
		if (same_rdata(names, at, record))
			return NULL;
		last = at;
	}
	return last;
}

static void report_owner(const struct zone_draft *draft, const struct master_place *place,
			 const struct draft_owner *owner, const char *what)
{
	char name[NAME_TEXT_SIZE];

	master_report(draft->sources, DIAG_ERROR, place, "%s %s", draft_format(draft, owner, name),
		      what);
}

/* RFC 2181, 5.2: different TTLs in an RRset are a mistake; whoever meets one takes the smallest.
 * Signatures are not an RRset in this sense (RFC 4034, 3). */
static void join_ttl(const struct zone_draft *draft, struct draft_rrset *rrset,
		     const struct draft_rrset *with)
{
	struct master_place place;

	if (rrset->ttl_s == with->ttl_s)
		return;
	place = draft_rrset_place(with);
	if ((rrset->counted & DRAFT_MIXED_TTL) == 0 && rrset->type != TYPE_RRSIG)
		master_report(draft->sources, DIAG_WARNING, &place,
			      "the TTL is %u, but the RRset's other records have %u: the smallest "
			      "is used",
			      with->ttl_s, rrset->ttl_s);
	rrset->counted |= DRAFT_MIXED_TTL;
	if (with->ttl_s < rrset->ttl_s)
		rrset->ttl_s = with->ttl_s;
}

/* Why no other record of its type may follow the first one; NULL: it may. */
static const char *why_single(uint16_t type)
{
	switch (type) {
	case TYPE_SOA: return "has a second SOA";
	case TYPE_CNAME: return "has a second CNAME (RFC 2181, section 10.1)";
	case TYPE_DNAME: return "has a second DNAME (RFC 6672, section 2.4)";
	default: return NULL;
	}
}

static bool may_join(const struct zone_draft *draft, const struct draft_owner *owner,
		     struct draft_rrset *rrset, const struct draft_rrset *with)
{
	struct master_place place = draft_rrset_place(with);
	const char *why = why_single(rrset->type);

	if (why != NULL) {
		report_owner(draft, &place, owner, why);
		return false;
	}
	if (draft_count(rrset) >= RRSET_WIRE_MAX / RR_MIN) {
		if ((rrset->counted & DRAFT_TOO_LARGE) == 0)
			report_owner(draft, &place, owner,
				     "has more records of this type than fit into a message");
		rrset->counted |= DRAFT_TOO_LARGE;
		return false;
	}
	return true;
}

/* The only record of `with`. */
static void join_rrset(struct zone_draft *draft, const struct draft_owner *owner,
		       struct draft_rrset *rrset, const struct draft_rrset *with)
{
	struct draft_record *end;

	join_ttl(draft, rrset, with); /* a duplicate's counts, too */
	end = find_end(draft, rrset, draft_first(with));
	if (end == NULL || !may_join(draft, owner, rrset, with))
		return;
	end->next = draft_place(draft, draft_first(with));
	rrset->counted++;
	draft->record_count++;
}

static void count_rrset(struct zone_draft *draft, uint32_t owner, uint16_t type)
{
	if (type == TYPE_NS && owner != draft->owners[0])
		draft->cut_count++;
	draft->types |= draft_type_bit(type);
	draft->record_count++;
}

static void add_rrset(struct zone_draft *draft, struct draft_owner *owner, uint32_t place,
		      uint16_t type)
{
	uint32_t *link = &owner->rrsets;
	struct draft_rrset *next;

	while ((next = draft_if_at(draft, *link)) != NULL && next->type < type)
		link = &next->next;
	((struct draft_rrset *)draft_at(draft, place))->next = *link;
	*link = place;
	owner->types |= draft_type_bit(type);
	count_rrset(draft, draft_place(draft, owner), type);
}

/* The item's owner becomes the latest. true: it has not been there, and so has its record now. */
static bool take_owner(struct zone_draft *draft, const struct draft_item *item)
{
	struct draft_owner *owner = draft_at(draft, item->owner), *known;
	uint32_t mask = draft->table_size - 1, at = item->at & mask;

	draft->latest = owner;
	for (; draft->table[at].owner != 0; at = (at + 1) & mask) {
		if (draft->table[at].tag != item->tag)
			continue;
		known = draft_at(draft, draft->table[at].owner);
		if (is_named(draft, known, owner->front, owner->len)) {
			draft->latest = known;
			return false;
		}
	}
	add_owner(draft, &draft->table[at], item->tag, item->owner, item->labels);
	if (item->deep)
		add_deep(draft, item->owner);
	count_rrset(draft, item->owner, item->type);
	return true;
}

void draft_take(struct zone_draft *draft, const struct draft_item *item)
{
	struct draft_rrset *rrset;

	if (item->owner != 0 && take_owner(draft, item))
		return;
	rrset = draft_rrset(draft, draft->latest, item->type);
	if (rrset != NULL)
		join_rrset(draft, draft->latest, rrset, draft_at(draft, item->rrset));
	else
		add_rrset(draft, draft->latest, item->rrset, item->type);
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

	if (owner->pool_types != 0) {
		report_owner(draft, &record->place, owner, "has a second POOL record");
		return;
	}
	pool.name = arena_copy(&draft->arena, record->owner->wire, record->owner->len);
	if (slash != NULL) {
		pool.pool = arena_text(&draft->arena, word, (size_t)(slash - word));
		pool.site = slash + 1;
	}
	array_add(draft->pools, draft->pool_count, draft->pool_cap) = pool;
	make_links(draft, owner)->pool = draft->pool_count;
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

void draft_take_other(struct zone_draft *draft, const struct master_record *record)
{
	const struct name *name = record->owner;

	if (name_is_under(name->wire, name->len, draft->origin.wire, draft->origin.len))
		add_pool(draft, get_owner(draft, name->wire, name->len, name->labels), record);
	else
		report_outside(draft, record);
}

/* --- the whole -------------------------------------------------------------------------------- */

/* Right below the origin it is the apex, which they have from the beginning. */
static void link_parents(struct zone_draft *draft)
{
	struct draft_owner *parent = draft_apex(draft); /* names of one parent stand together */

	/* The list grows while it is walked: a new ancestor gets its own parent in turn. */
	for (uint32_t i = 0; i < draft->deep_count; i++) {
		struct draft_owner *owner = draft_at(draft, draft->deep[i]);
		uint8_t label = owner->front[0];
		const uint8_t *above = owner->front + 1 + label;
		uint8_t len = (uint8_t)(owner->len - 1 - label);

		if (!is_named(draft, parent, above, len))
			parent = get_owner(draft, above, len, (uint8_t)(owner->labels - 1));
		owner->parent = draft_place(draft, parent);
		if (draft_is_wildcard(draft, owner))
			make_links(draft, parent)->wildcard = draft->deep[i];
	}
}

/* The topmost delegation on the way down from the apex counts; what is below it is not ours. */
static void find_cut(struct zone_draft *draft, struct draft_owner *owner)
{
	for (struct draft_owner *at = owner; !draft_is_apex(draft, at);
	     at = draft_parent(draft, at)) {
		if (draft_rrset(draft, at, TYPE_NS) != NULL)
			make_links(draft, owner)->cut = draft_place(draft, at);
	}
}

void draft_finish(struct zone_draft *draft)
{
	link_parents(draft);
	for (uint32_t i = 1; i < draft->owner_count && draft->cut_count > 0; i++)
		find_cut(draft, draft_nth(draft, i));
}
