/* memory.h - the last known status and load of every node, by its key "pool/node", and whether its
 * site spilled over.
 *
 * Outlives plans: filled from the store at the start, and from the prober before a plan is
 * replaced, so that a node that leaves the files and comes back is remembered with its age. */
#ifndef CONTROL_MEMORY_H
#define CONTROL_MEMORY_H

#include "probe/prober.h"
#include "store/store.h"

struct memory;

struct memory *memory_new(void);
void memory_free(struct memory *memory); /* NULL is fine */

void memory_keep(struct memory *memory, const char *key, const struct node_state *state);
/* NULL: never heard of. Valid until the next memory_keep. */
const struct node_state *memory_recall(const struct memory *memory, const char *key);

/* A row of the store: the state that it tells, marked as adopted. */
void memory_keep_row(struct memory *memory, const struct store_status *row);

/* What a node reported of its load. */
struct node_load {
	double load;         /* part of its capacity; may be above 1 */
	uint64_t at_unix_ms; /* 0: never */
};

/* The wall clock was stepped by so much: the report is as old as it was. */
static inline void node_load_step_clock(struct node_load *load, int64_t step_ms)
{
	if (load->at_unix_ms != 0)
		load->at_unix_ms += (uint64_t)step_ms;
}

void memory_step_clock(struct memory *memory, int64_t step_ms); /* of all reports */

void memory_keep_load(struct memory *memory, const char *key, const struct node_load *load);
struct node_load memory_load(const struct memory *memory, const char *key);

void memory_keep_spilling(struct memory *memory, const char *key, bool spilling);
bool memory_spilling(const struct memory *memory, const char *key);

#endif
