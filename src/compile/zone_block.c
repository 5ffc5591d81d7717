#include "compile/zone_block.h"

#include <stdlib.h>
#include <string.h>

#include "base/cursor.h"
#include "image/rdata_names.h"

#define PLAIN_MAX 1024U /* octets of a block, up to which it is put together in place */
#define FIXED     12U   /* octets of an RR in a block before its RDATA */

void zone_blocks_free(struct zone_blocks *blocks)
{
	buf_free(&blocks->block);
	free(blocks->rdatas);
	free(blocks->extras);
}

/* --- records without names in RDATA ----------------------------------------------------------- */

size_t zone_block_size(const struct zone_blocks *blocks, const struct draft_rrset *rrset)
{
	size_t wire = 0, size;
	unsigned count = 0;

	/* Signatures have TTLs of their own. */
	if (rrset->type == TYPE_RRSIG || rdata_names_find(rrset->type) != NULL)
		return 0;
	for (const struct draft_record *record = draft_first(rrset);
	     record != NULL && wire < PLAIN_MAX;
	     record = draft_next(blocks->draft, record), count++)
		wire += FIXED + record->len;
	size = sizeof(struct rrset_block) + ((wire + 1) & ~(size_t)1) + count * sizeof(uint16_t);
	size = (size + 3) & ~(size_t)3;
	return size <= PLAIN_MAX ? size : 0;
}

void zone_block_put(const struct zone_blocks *blocks, uint8_t *out, const struct draft_owner *owner,
		    const struct draft_rrset *rrset)
{
	struct rrset_block *block = (struct rrset_block *)(void *)out;
	uint16_t fixups[PLAIN_MAX / FIXED];
	unsigned count = 0;
	size_t pos = 0;

	for (const struct draft_record *record = draft_first(rrset); record != NULL;
	     record = draft_next(blocks->draft, record)) {
		uint8_t *rr = block->wire + pos;

		fixups[count++] = (uint16_t)pos;
		store_u16(rr, 0xc000 | DNS_HEADER_SIZE);
		store_u16(rr + 2, rrset->type);
		store_u16(rr + 4, CLASS_IN);
		store_u32(rr + 6, rrset->ttl_s);
		store_u16(rr + 10, record->len);
		memcpy(rr + FIXED, record->data, record->len);
		pos += FIXED + record->len;
	}
	*block = (struct rrset_block){ .type = rrset->type,
				       .rr_count = (uint16_t)count,
				       .ttl_s = rrset->ttl_s,
				       .owner_len = owner->len,
				       .fixup_count = (uint16_t)count,
				       .wire_len = (uint16_t)pos };
	memset(block->wire + pos, 0, pos & 1);
	out = block->wire + ((pos + 1) & ~(size_t)1);
	memcpy(out, fixups, count * sizeof(fixups[0]));
	out += count * sizeof(fixups[0]);
	memset(out, 0, (uintptr_t)out & 2);
}

/* --- all others ------------------------------------------------------------------------------- */

static bool is_svcb(uint16_t type)
{
	return type == TYPE_SVCB || type == TYPE_HTTPS;
}

/* Whom a record names. "." is no host, but in SVCB its own owner, unless it is an alias for
 * nothing (RFC 9460, 2.5). */
static const struct draft_owner *find_named(const struct zone_blocks *blocks,
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
	return draft_speaker(blocks->draft, target, len);
}

/* Has it anything that goes with a record of the type? With SVCB, records of the same type, too
 * (RFC 9460, 4.1). */
static bool has_extra(const struct zone_draft *draft, const struct draft_owner *owner,
		      uint16_t type)
{
	return draft_has_address(owner) ||
	       (is_svcb(type) && (draft_rrset(draft, owner, type) != NULL ||
				  (owner->pool_types & pool_type_bit(type)) != 0));
}

/* Whose addresses go with a record that names a host: the owner's place in the draft, 0: none.
 * Addresses below a delegation are glue: only NS may use them (RFC 1034, 4.2.1). */
static uint32_t extra_node(const struct zone_blocks *blocks, const struct draft_owner *owner,
			   const struct rdata_names *names, const struct draft_record *record)
{
	const struct draft_owner *named = find_named(blocks, owner, names, record);

	if (named == NULL || !has_extra(blocks->draft, named, names->type) ||
	    (names->type != TYPE_NS && draft_cut(blocks->draft, named) != NULL))
		return 0;
	return draft_place(blocks->draft, named);
}

static void gather(struct zone_blocks *blocks, const struct draft_owner *owner,
		   const struct draft_rrset *rrset)
{
	const struct rdata_names *names = rdata_names_find(rrset->type);
	size_t i = 0;

	if (draft_count(rrset) > blocks->cap) {
		blocks->cap = (size_t)draft_count(rrset) * 2;
		blocks->rdatas = mem_resize(blocks->rdatas, blocks->cap, sizeof(*blocks->rdatas));
		blocks->extras = mem_resize(blocks->extras, blocks->cap, sizeof(*blocks->extras));
	}
	for (const struct draft_record *record = draft_first(rrset); record != NULL;
	     record = draft_next(blocks->draft, record), i++) {
		blocks->rdatas[i] = (struct rrset_rdata){ record->data, record->len };
		blocks->extras[i] = names != NULL && names->additional
					    ? extra_node(blocks, owner, names, record)
					    : 0;
	}
}

int zone_block_build(struct zone_blocks *blocks, const struct draft_owner *owner,
		     const struct draft_rrset *rrset, uint32_t ttl_s)
{
	uint8_t whole[DNS_NAME_MAX];
	struct rrset_source source = { .owner = draft_name(blocks->draft, owner, whole),
				       .owner_len = owner->len,
				       .type = rrset->type,
				       .ttl_s = ttl_s,
				       .count = draft_count(rrset) };
	struct master_place place = draft_rrset_place(rrset);
	char name[NAME_TEXT_SIZE];

	gather(blocks, owner, rrset);
	source.rdatas = blocks->rdatas;
	source.extra_nodes = blocks->extras;
	blocks->block.len = 0;
	if (rrset_build(&blocks->block, &source) < 0) {
		master_report(
			blocks->draft->sources, DIAG_ERROR, &place,
			"the %u record%s of this type at %s cannot be sent: more octets than a "
			"message holds",
			draft_count(rrset), draft_count(rrset) == 1 ? "" : "s",
			name_format(whole, name));
		return -1;
	}
	return 0;
}
