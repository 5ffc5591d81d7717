/* memory.h - the last known status of every node, by its key "pool/node".
 *
 * Outlives plans: filled from the store at the start, and from the prober before a plan is
 * replaced, so that a node that leaves the files and comes back is remembered with its age. */
#ifndef CONTROL_MEMORY_H
#define CONTROL_MEMORY_H

#include "image/plan.h"
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

#define NODE_KEY_SIZE 256
/* "pool/node" of a plan's node; cut to fit. */
const char *node_key(const struct image *plan, uint32_t node, char key[NODE_KEY_SIZE]);

#endif
