#include "image/rrset_build.h"

#include <stdlib.h>
#include <string.h>

#include "base/cursor.h"
#include "image/rdata_names.h"
#include "wire/name.h"
#include "wire/words.h"

/* Name suffixes that a later name can point to. More than this many in one RRset are not
 * remembered: the answer stays right, a few octets longer. */
#define TARGETS_MAX 512
#define FIXED       12 /* octets of an RR in a block before its RDATA */

struct target {
	uint32_t hash; /* of the suffix */
	uint16_t pos;  /* in the message, with the block at its canonical place */
};

struct build {
	const struct rrset_source *source;
	const struct rdata_names *names; /* NULL: none in RDATA */
	size_t base;                     /* of wire in the message */
	struct writer wire;
	uint16_t *fixups;
	size_t fixup_count;
	struct rrset_extra *extras;
	size_t extra_count;
	struct target targets[TARGETS_MAX];
	size_t target_count;
};

/* The octets of the message as it would be: header, owner name, type and class, wire. */
static const uint8_t *message_at(const struct build *build, size_t pos)
{
	if (pos >= build->base)
		return build->wire.data + (pos - build->base);
	return build->source->owner + (pos - DNS_HEADER_SIZE);
}

static bool suffix_equal(const struct build *build, const uint8_t *name, size_t pos)
{
	for (;;) {
		const uint8_t *at = message_at(build, pos);

		if ((*at & 0xc0) == 0xc0) {
			pos = load_u16(at) & DNS_POINTER_MAX;
			continue;
		}
		if (*at != *name)
			return false;
		if (*name == 0)
			return true;
		for (unsigned i = 1; i <= *name; i++) {
			if (name_lower(at[i]) != name_lower(name[i]))
				return false;
		}
		pos += 1U + *name;
		name += 1 + *name;
	}
}

static void put_pointer(struct build *build, size_t target)
{
	if (!build->wire.full)
		build->fixups[build->fixup_count++] = (uint16_t)build->wire.pos;
	put_u16(&build->wire, (uint16_t)(0xc000 | target));
}

/* Among the first `count` targets: the later ones belong to the name being written. */
static size_t find_target(const struct build *build, size_t count, const uint8_t *suffix,
			  uint32_t hash)
{
	for (size_t i = 0; i < count; i++) {
		if (build->targets[i].hash == hash &&
		    suffix_equal(build, suffix, build->targets[i].pos))
			return build->targets[i].pos;
	}
	return 0;
}

static void add_target(struct build *build, uint32_t hash, size_t pos)
{
	if (build->target_count == TARGETS_MAX || build->wire.full)
		return;
	if (pos >= build->base + RRSET_TARGET_MAX)
		return;
	build->targets[build->target_count++] = (struct target){ hash, (uint16_t)pos };
}

/* The hash of each suffix of a name (in lower case), longest first; returns their number. */
static unsigned suffix_hashes(const uint8_t *name, uint32_t hashes[DNS_LABELS_MAX])
{
	uint8_t lower[DNS_NAME_MAX + NAME_ROOM] = { 0 };
	unsigned labels = 0;
	size_t len = name_length(name, DNS_NAME_MAX);

	for (size_t i = 0; i < len; i++)
		lower[i] = name_lower(name[i]); /* length octets are below 'A' */
	for (size_t at = 0; lower[at] != 0; at += 1U + lower[at])
		hashes[labels++] = (uint32_t)name_hash(lower + at, len - at);
	return labels;
}

static void add_owner(struct build *build)
{
	const struct rrset_source *source = build->source;
	uint32_t hashes[DNS_LABELS_MAX];
	unsigned labels = suffix_hashes(source->owner, hashes);
	const uint8_t *label = source->owner;

	for (unsigned i = 0; i < labels; i++, label += 1 + *label) {
		if (i == 0 && label[0] == 1 && label[1] == '*')
			continue; /* see rrset.h */
		add_target(build, hashes[i], DNS_HEADER_SIZE + (size_t)(label - source->owner));
	}
}

/* Writes a name: its labels up to the longest suffix that stands somewhere already, then a
 * pointer there (RFC 1035, 4.1.4). */
static void put_name(struct build *build, const uint8_t *name)
{
	uint32_t hashes[DNS_LABELS_MAX];
	unsigned labels = suffix_hashes(name, hashes);
	size_t known = build->target_count;

	for (unsigned i = 0; i < labels; i++, name += 1 + *name) {
		size_t target = find_target(build, known, name, hashes[i]);

		if (target != 0) {
			put_pointer(build, target);
			return;
		}
		add_target(build, hashes[i], build->base + build->wire.pos);
		put_bytes(&build->wire, name, 1U + *name);
	}
	put_u8(&build->wire, 0);
}

static void put_rdata(struct build *build, const struct rrset_rdata *rdata, uint32_t extra_node)
{
	const struct rdata_names *names = build->names;
	size_t pos = 0;

	if (extra_node != 0 && names != NULL && names->additional)
		build->extras[build->extra_count++] = (struct rrset_extra){
			.name_pos = (uint16_t)(build->wire.pos + names->before), .node = extra_node
		};
	if (names != NULL && names->compressible) {
		put_bytes(&build->wire, rdata->data, names->before);
		pos = names->before;
		for (unsigned i = 0; i < names->count; i++) {
			put_name(build, rdata->data + pos);
			pos += name_length(rdata->data + pos, rdata->len - pos);
		}
	}
	put_bytes(&build->wire, rdata->data + pos, rdata->len - pos);
}

/* A signature's TTL is that of what it signs, as that zone's keeper had it: its Original TTL field.
 * One owner's signatures are of many types, and so of many TTLs (RFC 4034, 3 and 3.1.4). */
static uint32_t record_ttl(const struct rrset_source *source, const struct rrset_rdata *rdata)
{
	return source->type == TYPE_RRSIG && rdata->len >= 8 ? load_u32(rdata->data + 4)
							     : source->ttl_s;
}

static void put_rr(struct build *build, size_t i)
{
	const struct rrset_source *source = build->source;
	const uint32_t *extras = source->extra_nodes;
	size_t start;

	put_pointer(build, DNS_HEADER_SIZE);
	put_u16(&build->wire, source->type);
	put_u16(&build->wire, CLASS_IN);
	put_u32(&build->wire, record_ttl(source, &source->rdatas[i]));
	put_u16(&build->wire, 0);
	start = build->wire.pos;
	put_rdata(build, &source->rdatas[i], extras != NULL ? extras[i] : 0);
	if (!build->wire.full)
		store_u16(build->wire.data + start - 2, (uint16_t)(build->wire.pos - start));
}

/* Room for the wire before compression; 0: too large. */
static size_t wire_room(const struct rrset_source *source)
{
	/* A wildcard's RRset stands behind names that are longer. */
	bool wildcard = source->owner[0] == 1 && source->owner[1] == '*';
	size_t max = rrset_wire_max(wildcard ? DNS_NAME_MAX : source->owner_len);
	size_t room = 0;

	for (size_t i = 0; i < source->count && room <= (size_t)4 * RRSET_WIRE_MAX; i++)
		room += FIXED + (size_t)source->rdatas[i].len;
	return room < max ? room : max;
}

static void append_block(struct buf *out, const struct build *build)
{
	const struct rrset_source *source = build->source;
	struct rrset_block header = {
		.type = source->type,
		.rr_count = (uint16_t)source->count,
		.ttl_s = source->ttl_s,
		.owner_len = source->owner_len,
		.fixup_count = (uint16_t)build->fixup_count,
		.extra_count = (uint16_t)build->extra_count,
		.wire_len = (uint16_t)build->wire.pos,
	};

	buf_append(out, &header, sizeof(header));
	buf_append(out, build->wire.data, build->wire.pos);
	buf_align(out, 2);
	buf_append(out, build->fixups, build->fixup_count * sizeof(build->fixups[0]));
	buf_align(out, 4);
	buf_append(out, build->extras, build->extra_count * sizeof(build->extras[0]));
}

/* Memory for what is made: on the stack where it is as little as nearly always. */
#define SMALL_WIRE  1024
#define SMALL_COUNT (SMALL_WIRE / FIXED)

struct scratch {
	uint8_t wire[SMALL_WIRE];
	uint16_t fixups[SMALL_WIRE / 2 + 1];
	struct rrset_extra extras[SMALL_COUNT];
};

static bool take_memory(struct build *build, struct scratch *scratch, size_t room)
{
	size_t count = build->source->count;
	bool small = room <= SMALL_WIRE && count <= SMALL_COUNT;

	build->wire = (struct writer){ .data = small ? scratch->wire : mem_alloc(room),
				       .size = room };
	build->fixups = small ? scratch->fixups : mem_array(room / 2 + 1, sizeof(*build->fixups));
	build->extras = small ? scratch->extras : mem_array(count, sizeof(*build->extras));
	return !small;
}

static void free_memory(struct build *build)
{
	free(build->wire.data);
	free(build->fixups);
	free(build->extras);
}

ptrdiff_t rrset_build(struct buf *out, const struct rrset_source *source)
{
	size_t room = wire_room(source), len = out->len;
	ptrdiff_t offset = -1;
	struct scratch scratch;
	struct build build; /* 4 KiB of targets, of which only those counted are there */
	bool taken;

	build.source = source;
	build.names = rdata_names_find(source->type);
	build.base = DNS_HEADER_SIZE + (size_t)source->owner_len + 4;
	build.fixup_count = build.extra_count = build.target_count = 0;
	taken = take_memory(&build, &scratch, room);
	if (build.names != NULL && build.names->compressible)
		add_owner(&build);
	for (size_t i = 0; i < source->count && !build.wire.full; i++)
		put_rr(&build, i);
	if (!build.wire.full) {
		buf_align(out, 8);
		offset = (ptrdiff_t)out->len;
		append_block(out, &build);
	} else {
		out->len = len;
	}
	if (taken)
		free_memory(&build);
	return offset;
}
