/* rows.h - the nodes' status rows on their way to the store. */
#ifndef CONTROL_ROWS_H
#define CONTROL_ROWS_H

#include "control/memory.h"
#include "probe/prober.h"
#include "store/store.h"

/* Where rows come from and go to. */
struct rows {
	struct store *store;
	struct memory *memory;
	const struct prober *prober;
};

/* Which families of a node that is not down are: "", "IPv4", "IPv6". */
const char *families_text(enum node_status status, uint8_t families);

/* The row of one node in this state. */
struct store_status row_of(const struct rows *rows, const struct image *plan, uint32_t node,
			   const struct node_state *state);

/* Queues the rows of the nodes first, first + step, ... that were ever checked, or told their
 * load: what was adopted and not measured since is in the store already. */
void rows_store(const struct rows *rows, const struct image *plan, uint32_t first, uint32_t step);

/* Whether a site spills over, in the rows of its nodes, where that was not so yet. */
void rows_store_spilling(const struct rows *rows, const struct image *plan, uint32_t pool_site,
			 bool spilling);

#endif
