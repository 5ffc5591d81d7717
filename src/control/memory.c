#include "control/memory.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/mem.h"

struct entry {
	char *key; /* NULL: empty */
	bool has_state;
	struct node_state state;
	struct node_load load;
	bool spilling;
};

/* Open addressing with linear probing, at most half full. */
struct memory {
	struct entry *slots;
	size_t count, mask;
};

#define FIRST_SLOTS 64

struct memory *memory_new(void)
{
	struct memory *memory = mem_alloc(sizeof(*memory));

	memory->slots = mem_array(FIRST_SLOTS, sizeof(*memory->slots));
	memory->mask = FIRST_SLOTS - 1;
	return memory;
}

void memory_free(struct memory *memory)
{
	if (memory == NULL)
		return;
	for (size_t i = 0; i <= memory->mask; i++)
		free(memory->slots[i].key);
	free(memory->slots);
	free(memory);
}

static struct entry *find(const struct memory *memory, const char *key)
{
	size_t at = hash_text(key, 0) & memory->mask;

	while (memory->slots[at].key != NULL && strcmp(memory->slots[at].key, key) != 0)
		at = (at + 1) & memory->mask;
	return &memory->slots[at];
}

static void grow(struct memory *memory)
{
	struct memory bigger = { .mask = memory->mask * 2 + 1 };

	bigger.slots = mem_array(bigger.mask + 1, sizeof(*bigger.slots));
	for (size_t i = 0; i <= memory->mask; i++) {
		if (memory->slots[i].key != NULL)
			*find(&bigger, memory->slots[i].key) = memory->slots[i];
	}
	free(memory->slots);
	memory->slots = bigger.slots;
	memory->mask = bigger.mask;
}

/* The entry of this key, made where there is none. */
static struct entry *have(struct memory *memory, const char *key)
{
	struct entry *entry = find(memory, key);

	if (entry->key != NULL)
		return entry;
	entry->key = mem_copy_text(key);
	if (++memory->count * 2 <= memory->mask)
		return entry;
	grow(memory);
	return find(memory, key);
}

void memory_keep(struct memory *memory, const char *key, const struct node_state *state)
{
	struct entry *entry = have(memory, key);

	entry->has_state = true;
	entry->state = *state;
}

const struct node_state *memory_recall(const struct memory *memory, const char *key)
{
	const struct entry *entry = find(memory, key);

	return entry->has_state ? &entry->state : NULL;
}

void memory_step_clock(struct memory *memory, int64_t step_ms)
{
	for (size_t i = 0; i <= memory->mask; i++) {
		if (memory->slots[i].key != NULL)
			node_load_step_clock(&memory->slots[i].load, step_ms);
	}
}

void memory_keep_load(struct memory *memory, const char *key, const struct node_load *load)
{
	have(memory, key)->load = *load;
}

struct node_load memory_load(const struct memory *memory, const char *key)
{
	return find(memory, key)->load;
}

void memory_keep_spilling(struct memory *memory, const char *key, bool spilling)
{
	have(memory, key)->spilling = spilling;
}

bool memory_spilling(const struct memory *memory, const char *key)
{
	return find(memory, key)->spilling;
}

void memory_keep_row(struct memory *memory, const struct store_status *row)
{
	struct node_state state = { .status = NODE_UNKNOWN,
				    .adopted = true,
				    .weight_percent = 100,
				    .since_unix_ms = row->since_unix_ms,
				    .checked_unix_ms = row->checked_unix_ms,
				    .rtt_us = row->rtt_us,
				    .families_since_unix_ms = row->families_since_unix_ms };

	for (int s = NODE_UNKNOWN; s <= NODE_DOWN; s++) {
		if (strcmp(row->status, node_status_name[s]) == 0)
			state.status = (enum node_status)s;
	}
	if (strcmp(row->families_down, "IPv4") == 0)
		state.down_families = FAMILY_V4;
	else if (strcmp(row->families_down, "IPv6") == 0)
		state.down_families = FAMILY_V6;
	(void)snprintf(state.reason, sizeof(state.reason), "%s", row->reason);
	memory_keep(memory, row->node, &state);
	memory_keep_load(memory, row->node, &(struct node_load){ row->load, row->load_at_unix_ms });
	memory_keep_spilling(memory, row->node, row->spilling);
}
