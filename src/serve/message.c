#include "serve/message.h"

#include "base/cursor.h"
#include "base/hash.h"

#define POINTER 0xc000U

static bool is_pointer(const uint8_t *p)
{
	return *p >= POINTER >> 8;
}

static size_t pointer_target(const uint8_t *p)
{
	return load_u16(p) & DNS_POINTER_MAX;
}

/* How far into the owner's name the suffix begins that a block's pointer names. */
static size_t owner_skip(const struct rrset_block *block, const struct owner *owner, size_t target)
{
	return target == DNS_HEADER_SIZE ? 0
					 : target - DNS_HEADER_SIZE + owner->len - block->owner_len;
}

uint16_t message_suffix(const struct message *message, const struct owner *owner, size_t skip)
{
	size_t place = owner->place;

	if (place == 0)
		return 0;
	for (;;) {
		while (is_pointer(message->data + place))
			place = pointer_target(message->data + place);
		if (skip == 0 || message->data[place] == 0)
			return (uint16_t)place;
		skip -= 1U + message->data[place];
		place += 1U + message->data[place];
	}
}

/* --- names written out in full ---------------------------------------------------------------- */

static void put_name(struct writer *w, const struct rrset_block *block, const struct owner *owner,
		     size_t pos)
{
	for (;;) {
		const uint8_t *label = block->wire + pos;
		size_t target;

		if (!is_pointer(label)) {
			put_bytes(w, label, 1U + *label);
			if (*label == 0 || w->full)
				return;
			pos += 1U + *label;
			continue;
		}
		target = pointer_target(label);
		if (target < rrset_canonical_base(block)) {
			size_t skip = owner_skip(block, owner, target);

			put_bytes(w, owner->name + skip, owner->len - skip);
			return;
		}
		pos = target - rrset_canonical_base(block);
	}
}

size_t block_name(const struct rrset_block *block, size_t pos, const struct owner *owner,
		  uint8_t out[DNS_NAME_MAX])
{
	struct writer w = { .data = out, .size = DNS_NAME_MAX };

	put_name(&w, block, owner, pos);
	return w.full ? 0 : w.pos;
}

static void put_owner(struct writer *w, const struct owner *owner)
{
	if (owner->place != 0 && owner->place <= DNS_POINTER_MAX)
		put_u16(w, (uint16_t)(POINTER | owner->place));
	else
		put_bytes(w, owner->name, owner->len);
}

/* RDATA from `pos` to `end` of the block, with each of its compressed names in full. `fixups` are
 * those not passed yet. */
static void put_rdata(struct writer *w, const struct rrset_block *block, const struct owner *owner,
		      size_t pos, size_t end, const uint16_t **fixups)
{
	const uint16_t *last = rrset_fixups(block) + block->fixup_count;

	for (; *fixups < last && **fixups < end; (*fixups)++) {
		put_bytes(w, block->wire + pos, **fixups - pos);
		put_name(w, block, owner, **fixups);
		pos = **fixups + 2U;
	}
	put_bytes(w, block->wire + pos, end - pos);
}

static void put_record(struct writer *w, const struct rrset_block *block, const struct owner *owner,
		       size_t *pos, const uint16_t **fixups)
{
	const uint8_t *record = block->wire + *pos;
	size_t rdata = *pos + 12; /* behind owner (a pointer), type, class, TTL, length */
	size_t end = rdata + load_u16(record + 10);
	size_t length_at;

	put_owner(w, owner);
	put_bytes(w, record + 2, 8);
	length_at = w->pos;
	put_u16(w, 0);
	(*fixups)++; /* the owner's */
	put_rdata(w, block, owner, rdata, end, fixups);
	if (!w->full)
		store_u16(w->data + length_at, (uint16_t)(w->pos - length_at - 2));
	*pos = end;
}

static bool put_in_full(struct message *message, enum message_section section,
			const struct rrset_block *block, const struct owner *owner)
{
	struct writer w = { .data = message->data, .size = message->limit, .pos = message->pos };
	const uint16_t *fixups = rrset_fixups(block);
	size_t pos = 0;

	for (unsigned i = 0; i < block->rr_count; i++)
		put_record(&w, block, owner, &pos, &fixups);
	if (w.full)
		return false;
	message->pos = w.pos;
	message->last = 0;
	message->count[section] = (uint16_t)(message->count[section] + block->rr_count);
	return true;
}

/* --- pointers moved --------------------------------------------------------------------------- */

/* Where a pointer of the block has to point in this message. */
static size_t moved_target(const struct message *message, const struct rrset_block *block,
			   const struct owner *owner, size_t target)
{
	size_t base = rrset_canonical_base(block);

	if (target >= base)
		return target - base + message->pos;
	return message_suffix(message, owner, owner_skip(block, owner, target));
}

bool message_put_moved(struct message *message, enum message_section section,
		       const struct rrset_block *block, const struct owner *owner)
{
	const uint16_t *fixups = rrset_fixups(block);
	uint8_t *to = message->data + message->pos;

	if (owner->place == 0)
		return put_in_full(message, section, block, owner);
	if (message->limit - message->pos < block->wire_len)
		return false; /* in full it is no shorter */
	memcpy(to, block->wire, block->wire_len);
	for (unsigned i = 0; i < block->fixup_count; i++) {
		size_t target = moved_target(message, block, owner, pointer_target(to + fixups[i]));

		if (target > DNS_POINTER_MAX)
			return put_in_full(message, section, block, owner);
		store_u16(to + fixups[i], (uint16_t)(POINTER | target));
	}
	message->last = message->pos;
	message->pos += block->wire_len;
	message->count[section] = (uint16_t)(message->count[section] + block->rr_count);
	return true;
}

/* Records of addresses differ in RDATA alone, which ends each of them, behind the owner (a pointer or
 * in full) and 10 octets. Fisher and Yates's shuffle
 * from the front (Knuth, The Art of Computer Programming, volume 2, 3.4.2, algorithm P). */
void message_shuffle(struct message *message, const struct rrset_block *block,
		     const struct owner *owner, uint64_t random)
{
	uint32_t count = block->rr_count, drawn = count - 1;
	size_t rdata = block->type == TYPE_A ? 4 : 16;
	size_t record = (message->last != 0 ? 2U : owner->len) + 10U + rdata;
	uint8_t *first = message->data + message->pos - (count - 1) * record - rdata, kept[16];

	if (drawn > MESSAGE_SHUFFLED_MAX)
		drawn = MESSAGE_SHUFFLED_MAX;
	for (uint32_t i = 0; i < drawn; i++) {
		uint8_t *to = first + i * record, *from;

		random = hash_word(random);
		from = to + hash_below(random, count - i) * record;
		memcpy(kept, to, rdata);
		memmove(to, from, rdata);
		memcpy(from, kept, rdata);
	}
}

bool message_put_cname(struct message *message, const struct owner *owner, uint32_t ttl_s,
		       const uint8_t *target, size_t target_len, size_t kept, uint16_t place)
{
	struct writer w = { .data = message->data, .size = message->limit, .pos = message->pos };
	bool pointed = place != 0 && kept + 2 < target_len;

	put_owner(&w, owner);
	put_u16(&w, TYPE_CNAME);
	put_u16(&w, CLASS_IN);
	put_u32(&w, ttl_s);
	put_u16(&w, (uint16_t)(pointed ? kept + 2 : target_len));
	put_bytes(&w, target, pointed ? kept : target_len);
	if (pointed)
		put_u16(&w, (uint16_t)(POINTER | place));
	if (w.full)
		return false;
	message->last = owner->place != 0 ? message->pos : 0;
	message->pos = w.pos;
	message->count[SECTION_ANSWER]++;
	return true;
}
