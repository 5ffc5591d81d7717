#include "compile/zone_pack.h"

#include <string.h>

#include "wire/words.h"

void zone_packer_start(struct zone_packer *packer, const struct zone_draft *draft)
{
	*packer = (struct zone_packer){ .origin = draft->origin,
					.part = { .of = draft->memory },
					.apex = draft->owners[0] };
}

/* By whole words, as most are short: what is behind them does not count, or is yet to be written. */
static inline void copy(uint8_t *to, const uint8_t *from, size_t len)
{
	if (len <= NAME_ROOM)
		memcpy(to, from, NAME_ROOM);
	else if (len <= 2 * (size_t)NAME_ROOM)
		memcpy(to, from, 2 * (size_t)NAME_ROOM);
	else
		memcpy(to, from, len);
}

/* What is written down is not read again: it is another thread's. */
static inline bool is_latest(const struct zone_packer *packer, const struct master_record *record)
{
	const struct name *latest = &packer->latest, *name = record->owner;

	if (latest->len != name->len || packer->source != record->place.source)
		return false;
	/* Mostly that is all that needs to be looked at. */
	if (name->len >= NAME_ROOM && name_word(latest->wire + 8) != name_word(name->wire + 8))
		return false;
	return name_same(latest->wire, name->wire, name->len);
}

static inline void keep_latest(struct zone_packer *packer, const struct master_record *record)
{
	copy(packer->latest.wire, record->owner->wire, record->owner->len);
	packer->latest.len = record->owner->len;
	packer->source = record->place.source;
}

/* The RRset of which `record` is the only one so far, at part->at. */
static inline uint32_t pack_rrset(struct zone_packer *packer, const struct master_record *record)
{
	struct draft_rrset *rrset = (void *)packer->part.at;
	struct draft_record *first = (struct draft_record *)(rrset + 1);

	rrset->next = 0;
	rrset->ttl_s = record->ttl_s;
	rrset->type = record->type;
	rrset->counted = 1;
	first->next = 0;
	first->offset = record->place.offset;
	first->line = record->place.line;
	first->source = record->place.source;
	first->place_len = record->place.len;
	first->len = record->len;
	copy(first->data, record->data, record->len);
	packer->part.at += stretch_size(sizeof(*rrset) + offsetof(struct draft_record, data) +
					record->len);
	return stretch_place(packer->part.of, rrset);
}

static inline struct draft_owner *pack_owner(struct zone_packer *packer,
					     const struct master_record *record)
{
	const struct name *name = record->owner;
	struct draft_owner *owner = (void *)packer->part.at;
	size_t front_len = (size_t)name->len - packer->origin.len;
	uint64_t hash;

	copy(owner->front, name->wire, front_len);
	hash = name_hash_inline(owner->front, front_len);
	owner->hash_high = (uint32_t)(hash >> 32);
	owner->hash_low = (uint32_t)hash;
	owner->parent = name->labels == packer->origin.labels + 1 ? packer->apex : 0;
	owner->links = owner->node = 0;
	owner->types = draft_type_bit(record->type);
	owner->len = name->len;
	owner->labels = name->labels;
	owner->pool_types = 0;
	owner->flags = (record->owner_known & OWNER_PLAIN) != 0 ? DRAFT_PLAIN : 0;
	packer->part.at += stretch_size(sizeof(*owner) + front_len);
	keep_latest(packer, record);
	return owner;
}

bool zone_pack(struct zone_packer *packer, const struct master_record *record,
	       struct draft_item *item)
{
	const struct name *origin = &packer->origin, *name = record->owner;
	bool latest = is_latest(packer, record);
	struct draft_owner *owner;

	if (record->pool || (!latest && (record->owner_known & OWNER_INSIDE) == 0 &&
			     !name_is_under(name->wire, name->len, origin->wire, origin->len)))
		return false;
	(void)stretch_room(&packer->part, DRAFT_PACKED_MAX + record->len);
	item->type = record->type;
	item->owner = 0;
	if (latest) {
		item->rrset = pack_rrset(packer, record);
		return true;
	}
	owner = pack_owner(packer, record);
	item->owner = stretch_place(packer->part.of, owner);
	item->tag = owner->hash_high;
	item->at = owner->hash_low;
	item->labels = owner->labels;
	item->deep = owner->parent == 0 || (owner->front[0] == 1 && owner->front[1] == '*');
	item->rrset = owner->rrsets = pack_rrset(packer, record);
	return true;
}
