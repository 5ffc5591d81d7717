#include "steer/table_base.h"

#include <stdlib.h>

#include "base/mem.h"

/* Units of each member: its exact share, rounded so that the sum is right (the running total is
 * rounded, not each share). */
static void set_quotas(struct table_filling *f)
{
	const struct table *table = f->table;
	uint64_t total = 0, seen = 0, given = 0;

	for (uint32_t i = 0; i < table->member_count; i++)
		total += table->members[i].weight;
	for (uint32_t i = 0; i < table->member_count; i++) {
		/* All have weight 0: equal shares. */
		seen += total == 0 ? 1 : table->members[i].weight;
		f->quotas[i] = (uint64_t)((unsigned __int128)seen * table->slot_count *
					  TABLE_WHOLE /
					  (total == 0 ? table->member_count : total)) -
			       given;
		given += f->quotas[i];
	}
}

static void begin_walks(struct table_filling *f)
{
	for (uint32_t i = 0; i < f->table->member_count; i++) {
		uint64_t hash = hash_word(f->table->seed ^ f->table->members[i].key),
			 more = hash_word(hash);

		f->walks[i] = (struct table_walk){ .start = (uint32_t)(more >> 32),
						   .factors = { (uint32_t)hash | 1,
								(uint32_t)(hash >> 32) | 1,
								(uint32_t)more | 1 } };
	}
}

/* Of two in a slot the one with the smaller number comes first, whoever won it. */
static struct steering_slot slot_of(const struct table_stake *stake)
{
	uint16_t a = stake->first, b = stake->second;
	uint32_t cut = stake->cut;

	if (cut == TABLE_WHOLE || cut == 0) {
		uint16_t owner = cut == 0 ? b : a;

		return (struct steering_slot){ owner, owner, 0 };
	}
	return a < b ? (struct steering_slot){ a, b, (uint16_t)cut }
		     : (struct steering_slot){ b, a, (uint16_t)(TABLE_WHOLE - cut) };
}

/* False where there are too few slots for that. */
static bool fill_by_race(struct table_filling *f)
{
	const struct table *table = f->table;
	bool even;

	if (table->slot_count / 4 < table->member_count)
		return false;
	f->stakes = mem_array(table->slot_count, sizeof(*f->stakes));
	table_race(f);
	even = table_even(f);
	for (uint32_t slot = 0; slot < table->slot_count && even; slot++)
		table->base[slot] = slot_of(&f->stakes[slot]);
	free(f->stakes);
	return even;
}

static void fill_with_one(struct table *table)
{
	for (uint32_t slot = 0; slot < table->slot_count; slot++)
		table->base[slot] = (struct steering_slot){ 0, 0, 0 };
}

/* Every owner gives its cells up in one order, which spreads over all slots evenly; a cell is kept from
 * the level on that reaches its middle. */
void table_set_keep_from(struct table *table)
{
	uint32_t slots = table->slot_count;
	uint32_t stride = (uint32_t)(slots * 0.6180339887) | 1; /* the golden section */
	uint64_t *total = mem_array(table->member_count, sizeof(*total));
	uint64_t *before_it = mem_array(table->member_count, sizeof(*before_it));

	for (uint32_t slot = 0; slot < slots; slot++) {
		total[table->base[slot].node] += table->base[slot].cut;
		total[table->base[slot].other] += TABLE_WHOLE - table->base[slot].cut;
	}
	for (uint64_t k = 0; k < slots; k++) {
		uint32_t at = (uint32_t)(k * stride % slots);
		const struct steering_slot *slot = &table->base[at];
		uint32_t owner[2] = { slot->node, slot->other };
		uint32_t units[2] = { slot->cut, TABLE_WHOLE - slot->cut };

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

void table_fill_base(struct table *table)
{
	struct table_filling f = { .table = table,
				   .quotas = mem_array(table->member_count, sizeof(*f.quotas)),
				   .walks = mem_array(table->member_count, sizeof(*f.walks)) };

	set_quotas(&f);
	begin_walks(&f);
	if (table->member_count == 1)
		fill_with_one(table);
	else if (!fill_by_race(&f))
		table_take_turns(&f);
	free(f.quotas);
	free(f.walks);
}
