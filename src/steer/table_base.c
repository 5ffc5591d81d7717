#include "steer/table_base.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

#define EMPTY UINT16_MAX
#define WHOLE 65536U /* units of a slot */

/* A member's permutation of the slots: a count, mixed by steps that can be undone (adding,
 * multiplying by odd numbers, folding the upper half onto the lower). Maglev's "from here in steps
 * of so many" is not enough: members whose steps are in a simple relation get in each other's way
 * all along, and one more member then moved up to 22 % more clients than it must. */
struct walk {
	uint32_t count, place;
	uint32_t start, factors[3];
};

/* A base table while it is made. */
struct filling {
	struct steering_slot *base;
	uint32_t slot_count, member_count;
	uint32_t *
		whole; /* [member]: slots that are still wholly to be given, or are wholly its own */
	uint32_t *part; /* [member]: units below one slot that it has not got */
	struct walk *walks;
	bool *done; /* [member]: its part is placed: its slots are not to be cut any more */
};

/* Units of each member: its exact share, rounded so that the sum is right (the running total is
 * rounded, not each share). */
static void set_quotas(const struct table *table, struct filling *f)
{
	uint64_t total = 0, seen = 0, given = 0;

	for (uint32_t i = 0; i < table->member_count; i++)
		total += table->members[i].weight;
	for (uint32_t i = 0; i < table->member_count; i++) {
		uint64_t quota;

		/* All have weight 0: equal shares. */
		seen += total == 0 ? 1 : table->members[i].weight;
		quota = (uint64_t)((unsigned __int128)seen * table->slot_count * WHOLE /
				   (total == 0 ? table->member_count : total)) -
			given;
		given += quota;
		f->whole[i] = (uint32_t)(quota / WHOLE);
		f->part[i] = (uint32_t)(quota % WHOLE);
	}
}

/* The order in which members take slots: the k-th turn of a member with q slots comes at k / q of
 * the whole, so that everybody finds its preferred slots equally free all the time. A counting
 * sort by that time; at the same time, in order of the keys. Returns how many turns. */
static uint32_t set_turns(const struct filling *f, uint16_t *turns)
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

static void walk_on(struct walk *walk, uint32_t slots)
{
	uint32_t half = (uint32_t)__builtin_ctz(slots) / 2;
	uint32_t x = walk->start + walk->count++;

	for (unsigned i = 0; i < 3; i++) {
		x = (x * walk->factors[i]) & (slots - 1);
		x ^= x >> half;
	}
	walk->place = x;
}

static void walk_begin(struct walk *walk, uint64_t hash, uint32_t slots)
{
	uint64_t more = hash_word(hash);

	*walk = (struct walk){ .start = (uint32_t)(more >> 32),
			       .factors = { (uint32_t)hash | 1, (uint32_t)(hash >> 32) | 1,
					    (uint32_t)more | 1 } };
	walk_on(walk, slots);
}

/* The first slot on its way that is still free. */
static void take_slot(struct filling *f, uint32_t member)
{
	struct walk *walk = &f->walks[member];

	while (f->base[walk->place].other != EMPTY)
		walk_on(walk, f->slot_count);
	f->base[walk->place] = (struct steering_slot){ (uint16_t)member, (uint16_t)member, 0 };
}

static void fill_whole(struct filling *f)
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

static uint64_t units_left(const struct filling *f, uint32_t member)
{
	return (uint64_t)f->whole[member] * WHOLE + f->part[member];
}

/* A member's part is cut out of the first slot on its way that is wholly somebody's who has not
 * had its turn; what that one loses is added to its own part. */
static uint32_t place_part(struct filling *f, uint32_t member)
{
	struct walk *walk = &f->walks[member];
	struct steering_slot *slot = &f->base[walk->place];
	uint32_t from;

	while (slot->other == EMPTY || slot->node != slot->other || f->done[slot->other]) {
		walk_on(walk, f->slot_count);
		slot = &f->base[walk->place];
	}
	from = slot->other;
	*slot = (struct steering_slot){ (uint16_t)member, (uint16_t)from,
					(uint16_t)f->part[member] };
	f->whole[from]--;
	f->part[from] += f->part[member];
	f->part[member] = 0;
	if (f->part[from] >= WHOLE) {
		f->part[from] -= WHOLE;
		f->whole[from]++;
		take_slot(f, from);
	}
	return from;
}

/* Least first, as then there is always a slot to cut: those that remain have at least one slot
 * each on average (no fewer slots than members), and each turn takes no more than its average. */
static void place_parts(struct filling *f)
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

/* --- levels ---------------------------------------------------------------------------------- */

/* Every owner gives its cells up in one order, which spreads over all slots evenly; a cell is kept from
 * the level on that reaches its middle. */
static void set_keep_from(struct table *table)
{
	uint32_t slots = table->slot_count;
	uint32_t stride = (uint32_t)(slots * 0.6180339887) | 1; /* the golden section */
	uint64_t *total = mem_array(table->member_count, sizeof(*total));
	uint64_t *before_it = mem_array(table->member_count, sizeof(*before_it));

	for (uint32_t slot = 0; slot < slots; slot++) {
		total[table->base[slot].node] += table->base[slot].cut;
		total[table->base[slot].other] += WHOLE - table->base[slot].cut;
	}
	for (uint64_t k = 0; k < slots; k++) {
		uint32_t at = (uint32_t)(k * stride % slots);
		const struct steering_slot *slot = &table->base[at];
		uint32_t owner[2] = { slot->node, slot->other };
		uint32_t units[2] = { slot->cut, WHOLE - slot->cut };

		for (unsigned cell = 0; cell < 2; cell++) {
			uint64_t middle = before_it[owner[cell]] * 2 + units[cell];
			uint64_t of = total[owner[cell]] * 2;

			table->keep_from[2 * at + cell] =
				(uint16_t)(units[cell] == 0 ? 1 : 1 + middle * 65534 / of);
			before_it[owner[cell]] += units[cell];
		}
	}
	free(before_it);
	free(total);
}

void table_fill_base(struct table *table, uint64_t seed)
{
	uint32_t slots = table->slot_count, members = table->member_count;
	struct filling f = { table->base,
			     slots,
			     members,
			     mem_array(members, sizeof(*f.whole)),
			     mem_array(members, sizeof(*f.part)),
			     mem_array(members, sizeof(*f.walks)),
			     mem_array(members, sizeof(*f.done)) };

	set_quotas(table, &f);
	for (uint32_t i = 0; i < members; i++)
		walk_begin(&f.walks[i], hash_word(seed ^ table->members[i].key), slots);
	memset(f.base, 0xff, slots * sizeof(*f.base)); /* EMPTY */
	fill_whole(&f);
	place_parts(&f);
	set_keep_from(table);
	free(f.whole);
	free(f.part);
	free(f.walks);
	free(f.done);
}
