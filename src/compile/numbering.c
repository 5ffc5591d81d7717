#include "compile/numbering.h"

#include <stdlib.h>
#include <string.h>

#include "base/hash.h"

#define SLOTS_FIRST 64U

static void put_slot(struct numbering *n, struct numbering_slot item)
{
	uint32_t slot = item.hash & (n->slot_count - 1);

	while (n->slots[slot].number != 0)
		slot = (slot + 1) & (n->slot_count - 1);
	n->slots[slot] = item;
}

static void set_slots(struct numbering *n, uint32_t slot_count)
{
	struct numbering_slot *old = n->slots;
	uint32_t old_count = n->slot_count;

	n->slot_count = slot_count;
	n->slots = mem_map(n->slot_count * sizeof(*n->slots));
	for (uint32_t slot = 0; slot < old_count; slot++)
		if (old[slot].number != 0)
			put_slot(n, old[slot]);
	mem_unmap(old, old_count * sizeof(*old));
}

void numbering_reserve(struct numbering *n, uint32_t count, size_t size)
{
	uint32_t slot_count = n->slot_count > 0 ? n->slot_count : SLOTS_FIRST;

	while (slot_count < UINT32_MAX / 2 && slot_count / 2 <= count)
		slot_count *= 2;
	if (slot_count > n->slot_count)
		set_slots(n, slot_count);
	if (count > n->cap) {
		n->cap = count;
		n->offsets = mem_resize(n->offsets, n->cap, sizeof(*n->offsets));
	}
	if (count * size > n->bytes.cap) {
		n->bytes.cap = count * size;
		n->bytes.data = mem_resize(n->bytes.data, n->bytes.cap, 1);
	}
}

static uint32_t append(struct numbering *n, const void *item, size_t size, uint32_t hash)
{
	if (n->count == n->cap) {
		n->cap = n->cap ? n->cap * 2 : 16;
		n->offsets = mem_resize(n->offsets, n->cap, sizeof(*n->offsets));
	}
	n->offsets[n->count] = n->bytes.len;
	buf_append(&n->bytes, item, size);
	put_slot(n, (struct numbering_slot){ hash, ++n->count });
	return n->count - 1;
}

static uint32_t find_hashed(const struct numbering *n, const void *item, size_t size, uint32_t hash)
{
	for (uint32_t slot = hash & (n->slot_count - 1); n->slots[slot].number != 0;
	     slot = (slot + 1) & (n->slot_count - 1)) {
		uint32_t number = n->slots[slot].number - 1;

		if (n->slots[slot].hash == hash && numbering_size(n, number) == size &&
		    memcmp(numbering_item(n, number), item, size) == 0)
			return number;
	}
	return UINT32_MAX;
}

uint32_t numbering_find(const struct numbering *n, const void *item, size_t size)
{
	return n->count > 0 ? find_hashed(n, item, size, (uint32_t)hash_bytes(item, size, 0))
			    : UINT32_MAX;
}

uint32_t numbering_add(struct numbering *n, const void *item, size_t size)
{
	uint32_t hash = (uint32_t)hash_bytes(item, size, 0);
	uint32_t number;

	if (n->count >= n->slot_count / 2)
		set_slots(n, n->slot_count ? n->slot_count * 2 : SLOTS_FIRST);
	number = find_hashed(n, item, size, hash);
	return number != UINT32_MAX ? number : append(n, item, size, hash);
}

void numbering_prefetch(const struct numbering *n, const void *item, size_t size)
{
	if (n->slot_count > 0)
		__builtin_prefetch(
			&n->slots[(uint32_t)hash_bytes(item, size, 0) & (n->slot_count - 1)]);
}

void numbering_free(struct numbering *n)
{
	buf_free(&n->bytes);
	free(n->offsets);
	mem_unmap(n->slots, n->slot_count * sizeof(*n->slots));
	*n = (struct numbering){ 0 };
}

/* --- memo ---------------------------------------------------------------------------------- */

static struct memo_entry *find_entry(const struct memo *memo, uint64_t key)
{
	uint32_t slot = (uint32_t)hash_word(key) & (memo->slot_count - 1);

	while (memo->entries[slot].used != 0 && memo->entries[slot].key != key)
		slot = (slot + 1) & (memo->slot_count - 1);
	return &memo->entries[slot];
}

static void grow_memo(struct memo *memo)
{
	struct memo old = *memo;

	memo->slot_count = old.slot_count ? old.slot_count * 2 : SLOTS_FIRST;
	memo->entries = mem_map(memo->slot_count * sizeof(*memo->entries));
	for (uint32_t slot = 0; slot < old.slot_count; slot++)
		if (old.entries[slot].used != 0)
			*find_entry(memo, old.entries[slot].key) = old.entries[slot];
	mem_unmap(old.entries, old.slot_count * sizeof(*old.entries));
}

uint32_t *memo_find(struct memo *memo, uint64_t key, bool *found)
{
	struct memo_entry *entry;

	if (memo->count >= memo->slot_count / 2)
		grow_memo(memo);
	entry = find_entry(memo, key);
	*found = entry->used != 0;
	if (!*found) {
		*entry = (struct memo_entry){ .key = key, .used = 1 };
		memo->count++;
	}
	return &entry->value;
}

const uint32_t *memo_get(const struct memo *memo, uint64_t key)
{
	const struct memo_entry *entry = memo->count > 0 ? find_entry(memo, key) : NULL;

	return entry != NULL && entry->used != 0 ? &entry->value : NULL;
}

void memo_prefetch(const struct memo *memo, uint64_t key)
{
	if (memo->slot_count > 0)
		__builtin_prefetch(
			&memo->entries[(uint32_t)hash_word(key) & (memo->slot_count - 1)]);
}

void memo_free(struct memo *memo)
{
	mem_unmap(memo->entries, memo->slot_count * sizeof(*memo->entries));
	*memo = (struct memo){ 0 };
}
