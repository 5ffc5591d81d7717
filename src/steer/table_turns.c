#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "steer/table_base.h"

/* As Maglev's tables are filled (Eisenbud et al., "Maglev: a fast and reliable software network
 * load balancer", NSDI 2016, 3.4), but by weight and with exact shares. */

struct turns {
	struct steering_slot *base;
	struct table_walk *walks;
	uint32_t slot_count, member_count;
	uint32_t *place; /* [member]: the slot that it has come to */
	/* [member]: slots that are still wholly to be given, or are wholly its own */
	uint32_t *whole;
	uint32_t *part; /* [member]: units below one slot that it has not got */
	bool *done;     /* [member]: its part is placed: its slots are not to be cut any more */
};

static struct steering_slot *go_on(struct turns *f, uint32_t member)
{
	f->place[member] = table_walk_on(&f->walks[member], f->slot_count);
	return &f->base[f->place[member]];
}

/* The order in which members take slots: the k-th turn of a member with q slots comes at k / q of
 * the whole, so that everybody finds its preferred slots equally free all the time. A counting
 * sort by that time; at the same time, in order of the keys. Returns how many turns. */
static uint32_t set_turns(const struct turns *f, uint16_t *turns)
{
	uint64_t slots = f->slot_count;
	uint32_t *at = mem_array(slots + 1, sizeof(*at));
	uint32_t count = 0;

	for (uint32_t i = 0; i < f->member_count; i++)
		for (uint32_t k = 0; k < f->whole[i]; k++, count++)
			at[k * slots / f->whole[i] + 1]++;
	for (uint32_t t = 0; t < f->slot_count; t++)
		at[t + 1] += at[t];
	for (uint32_t i = 0; i < f->member_count; i++)
		for (uint32_t k = 0; k < f->whole[i]; k++)
			turns[at[k * slots / f->whole[i]]++] = (uint16_t)i;
	free(at);
	return count;
}

/* The first slot on its way that is still free. */
static void take_slot(struct turns *f, uint32_t member)
{
	struct steering_slot *slot = &f->base[f->place[member]];

	while (slot->other != TABLE_NOBODY)
		slot = go_on(f, member);
	*slot = (struct steering_slot){ (uint16_t)member, (uint16_t)member, 0 };
}

static void fill_whole(struct turns *f)
{
	uint16_t *turns = mem_array(f->slot_count, sizeof(*turns));
	uint32_t count = set_turns(f, turns);

	for (uint32_t turn = 0; turn < count; turn++)
		take_slot(f, turns[turn]);
	free(turns);
}

/* --- parts: where quotas do not end on a slot ------------------------------------------------ */

/* Members by how much is still theirs to dispose of, least first; entries that no longer hold are
 * passed over. */
struct heap_entry {
	uint64_t units;
	uint32_t member;
};

struct heap {
	struct heap_entry *entries;
	uint32_t count, cap;
};

static bool before(const struct heap_entry *a, const struct heap_entry *b)
{
	return a->units != b->units ? a->units < b->units : a->member < b->member;
}

static void heap_push(struct heap *heap, struct heap_entry entry)
{
	uint32_t at;

	array_add(heap->entries, heap->count, heap->cap) = entry;
	for (at = heap->count - 1; at > 0; at = (at - 1) / 2) {
		if (!before(&entry, &heap->entries[(at - 1) / 2]))
			break;
		heap->entries[at] = heap->entries[(at - 1) / 2];
	}
	heap->entries[at] = entry;
}

static struct heap_entry heap_pop(struct heap *heap)
{
	struct heap_entry least = heap->entries[0], last = heap->entries[--heap->count];
	uint32_t at = 0, child;

	for (; (child = 2 * at + 1) < heap->count; at = child) {
		if (child + 1 < heap->count &&
		    before(&heap->entries[child + 1], &heap->entries[child]))
			child++;
		if (!before(&heap->entries[child], &last))
			break;
		heap->entries[at] = heap->entries[child];
	}
	heap->entries[at] = last;
	return least;
}

static uint64_t units_left(const struct turns *f, uint32_t member)
{
	return (uint64_t)f->whole[member] * TABLE_WHOLE + f->part[member];
}

/* A member's part is cut out of the first slot on its way that is wholly somebody's who has not
 * had its turn; what that one loses is added to its own part. */
static uint32_t place_part(struct turns *f, uint32_t member)
{
	struct steering_slot *slot = &f->base[f->place[member]];
	uint32_t from;

	while (slot->other == TABLE_NOBODY || slot->node != slot->other || f->done[slot->other])
		slot = go_on(f, member);
	from = slot->other;
	*slot = (struct steering_slot){ (uint16_t)member, (uint16_t)from,
					(uint16_t)f->part[member] };
	f->whole[from]--;
	f->part[from] += f->part[member];
	f->part[member] = 0;
	if (f->part[from] >= TABLE_WHOLE) {
		f->part[from] -= TABLE_WHOLE;
		f->whole[from]++;
		take_slot(f, from);
	}
	return from;
}

/* Least first, as then there is always a slot to cut: those that remain have at least one slot
 * each on average (no fewer slots than members), and each turn takes no more than its average. */
static void place_parts(struct turns *f)
{
	struct heap heap = { 0 };

	for (uint32_t i = 0; i < f->member_count; i++)
		heap_push(&heap, (struct heap_entry){ units_left(f, i), i });
	while (heap.count > 0) {
		struct heap_entry least = heap_pop(&heap);
		uint32_t from;

		if (f->done[least.member] || least.units != units_left(f, least.member))
			continue;
		f->done[least.member] = true;
		if (f->part[least.member] == 0)
			continue;
		from = place_part(f, least.member);
		heap_push(&heap, (struct heap_entry){ units_left(f, from), from });
	}
	free(heap.entries);
}

void table_take_turns(struct table_filling *filling)
{
	const struct table *table = filling->table;
	uint32_t members = table->member_count;
	struct turns f = { .base = table->base,
			   .walks = filling->walks,
			   .slot_count = table->slot_count,
			   .member_count = members,
			   .place = mem_array(members, sizeof(*f.place)),
			   .whole = mem_array(members, sizeof(*f.whole)),
			   .part = mem_array(members, sizeof(*f.part)),
			   .done = mem_array(members, sizeof(*f.done)) };

	memset(f.base, 0xff, table->slot_count * sizeof(*f.base)); /* NOBODY's */
	for (uint32_t i = 0; i < members; i++) {
		f.whole[i] = (uint32_t)(filling->quotas[i] / TABLE_WHOLE);
		f.part[i] = (uint32_t)(filling->quotas[i] % TABLE_WHOLE);
		f.walks[i].count = 0;
		(void)go_on(&f, i);
	}
	fill_whole(&f);
	place_parts(&f);
	free(f.place);
	free(f.whole);
	free(f.part);
	free(f.done);
}
