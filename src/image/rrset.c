#include "image/rrset.h"

#include "base/cursor.h"
#include "image/rdata_names.h"
#include "wire/name.h"

#define FIXED 12 /* octets of an RR in a block before its RDATA */

struct walk {
	const struct rrset_block *block;
	const struct rdata_names *names; /* NULL: its RDATA has none */
	const uint8_t *owner;            /* NULL: not known */
	const uint16_t *fixups;
	const struct rrset_extra *extras;
	size_t fixup, extra; /* the next one expected */
	const char *reason;
	/* For each octet of wire at which a label of a verified name starts: how long the name is
	 * from there, pointers followed. A pointer may only go to these, so no name can loop. */
	uint8_t name_len[RRSET_TARGET_MAX];
};

static bool fail(struct walk *walk, const char *reason)
{
	walk->reason = reason;
	return false;
}

/* The length of the owner's suffix at `pos`; 0: no label starts there. */
static size_t owner_suffix(const struct walk *walk, size_t pos)
{
	size_t len = walk->block->owner_len;

	if (pos >= len)
		return 0;
	for (size_t at = 0; walk->owner != NULL && at != pos; at += 1U + walk->owner[at]) {
		if (at > pos)
			return 0;
	}
	return len - pos;
}

/* The length of the name that a pointer leads to; 0: it leads nowhere. */
static size_t target_len(const struct walk *walk, size_t target)
{
	size_t base = rrset_canonical_base(walk->block);

	if (target < DNS_HEADER_SIZE)
		return 0;
	if (target >= base)
		return target - base < RRSET_TARGET_MAX && target - base < walk->block->wire_len
			       ? walk->name_len[target - base]
			       : 0;
	if (target == DNS_HEADER_SIZE && walk->owner != NULL && walk->owner[0] == 1 &&
	    walk->owner[1] == '*')
		return 0;
	return owner_suffix(walk, target - DNS_HEADER_SIZE);
}

/* Walks the name at *pos, which must end by `end`; *pos is then behind it. */
static bool walk_name(struct walk *walk, size_t *pos, size_t end)
{
	const uint8_t *wire = walk->block->wire;
	size_t labels[DNS_LABELS_MAX + 1];
	size_t count = 0, start = *pos, at = start, suffix = 1, behind;

	while (at < end && wire[at] != 0 && wire[at] <= DNS_LABEL_MAX) {
		if (count > DNS_LABELS_MAX)
			return fail(walk, "a name in RDATA is too long");
		labels[count++] = at;
		at += 1U + wire[at];
	}
	if (at >= end)
		return fail(walk, "a name in RDATA has no end");
	behind = at + 1;
	if (wire[at] != 0) {
		if ((wire[at] & 0xc0) != 0xc0 || at + 2 > end)
			return fail(walk, "a name in RDATA has a bad label");
		if (walk->fixup == walk->block->fixup_count || walk->fixups[walk->fixup] != at)
			return fail(walk, "a compression pointer is not listed");
		walk->fixup++;
		suffix = target_len(walk, load_u16(wire + at) & DNS_POINTER_MAX);
		if (suffix == 0)
			return fail(walk, "a compression pointer leads to no name");
		behind = at + 2;
	}
	if (at - start + suffix > DNS_NAME_MAX)
		return fail(walk, "a name in RDATA is too long");
	for (size_t i = 0; i < count && labels[i] < RRSET_TARGET_MAX; i++)
		walk->name_len[labels[i]] = (uint8_t)(at - labels[i] + suffix);
	*pos = behind;
	return true;
}

/* What may stand behind the names: SOA has five numbers, SVCB its parameters (RFC 9460, 2.2). */
static bool is_rest(uint16_t type, size_t len)
{
	if (type == TYPE_SVCB || type == TYPE_HTTPS)
		return true;
	return len == (type == TYPE_SOA ? 20U : 0U);
}

static bool walk_rdata(struct walk *walk, size_t pos, size_t end)
{
	const struct rdata_names *names = walk->names;

	if (names == NULL)
		return true;
	if (end - pos < names->before)
		return fail(walk, "RDATA is too short");
	pos += names->before;
	if (names->additional && walk->extra < walk->block->extra_count &&
	    walk->extras[walk->extra].name_pos == pos)
		walk->extra++;
	for (unsigned i = 0; i < names->count; i++) {
		size_t plain = names->compressible
				       ? 1
				       : name_length(walk->block->wire + pos, end - pos);

		if (plain == 0)
			return fail(walk, "a name in RDATA is not valid");
		if (names->compressible && !walk_name(walk, &pos, end))
			return false;
		if (!names->compressible)
			pos += plain;
	}
	if (!is_rest(walk->block->type, end - pos))
		return fail(walk, "RDATA has another length than its type");
	return true;
}

static bool walk_rr(struct walk *walk, size_t *pos)
{
	const struct rrset_block *block = walk->block;
	const uint8_t *rr = block->wire + *pos;
	size_t rdata = *pos + FIXED;

	if (block->wire_len < rdata)
		return fail(walk, "an RR does not end within the block");
	if (load_u16(rr) != (0xc000 | DNS_HEADER_SIZE) || load_u16(rr + 2) != block->type ||
	    load_u16(rr + 4) != CLASS_IN ||
	    (load_u32(rr + 6) != block->ttl_s && block->type != TYPE_RRSIG))
		return fail(walk, "an RR does not fit its block");
	if (block->wire_len - rdata < load_u16(rr + 10))
		return fail(walk, "RDATA does not end within the block");
	if (walk->fixup == block->fixup_count || walk->fixups[walk->fixup] != *pos)
		return fail(walk, "an owner's pointer is not listed");
	walk->fixup++;
	*pos = rdata + load_u16(rr + 10);
	return walk_rdata(walk, rdata, *pos);
}

static bool walk_block(struct walk *walk)
{
	const struct rrset_block *block = walk->block;
	size_t pos = 0;

	for (unsigned i = 0; i < block->rr_count; i++) {
		if (!walk_rr(walk, &pos))
			return false;
	}
	if (pos != block->wire_len)
		return fail(walk, "there is more wire than RRs");
	if (walk->fixup != block->fixup_count)
		return fail(walk, "a fixup is not at a pointer");
	if (walk->extra != block->extra_count)
		return fail(walk, "an extra is not at a name");
	return true;
}

/* As rrset_block_size, but of a block that may be cut: sizes only, no pointers. */
static size_t claimed_size(const struct rrset_block *block)
{
	size_t size = sizeof(*block) + block->wire_len;

	size = ((size + 1) & ~(size_t)1) + block->fixup_count * sizeof(uint16_t);
	return ((size + 3) & ~(size_t)3) + block->extra_count * sizeof(struct rrset_extra);
}

bool rrset_verify(const struct rrset_block *block, size_t room, const uint8_t *owner,
		  const char **reason)
{
	struct walk walk; /* 8 KiB, of which only as much is cleared as the wire is long */
	bool ok;

	if (room < sizeof(*block) || room < claimed_size(block)) {
		*reason = "the block does not end within its image";
		return false;
	}
	if (block->rr_count == 0 || block->owner_len == 0 || block->owner_len > DNS_NAME_MAX ||
	    block->wire_len > RRSET_WIRE_MAX) {
		*reason = "the block's header is out of range";
		return false;
	}
	walk.block = block;
	walk.names = rdata_names_find(block->type);
	walk.owner = owner;
	walk.fixups = rrset_fixups(block);
	walk.extras = rrset_extras(block);
	walk.fixup = walk.extra = 0;
	walk.reason = "";
	if (walk.names != NULL)
		memset(walk.name_len, 0,
		       block->wire_len < RRSET_TARGET_MAX ? block->wire_len : RRSET_TARGET_MAX);
	ok = walk_block(&walk);
	*reason = walk.reason;
	return ok;
}
