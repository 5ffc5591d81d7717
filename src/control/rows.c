#include "control/rows.h"

#include <stdio.h>

#include "control/names.h"

const char *families_text(enum node_status status, uint8_t families)
{
	static const char *const texts[] = { "", "IPv4", "IPv6", "IPv4,IPv6" };

	return texts[status == NODE_DOWN ? 0 : families];
}

struct store_status row_of(const struct rows *rows, const struct image *plan, uint32_t node,
			   const struct node_state *state)
{
	struct store_status row = { .since_unix_ms = state->since_unix_ms,
				    .checked_unix_ms = state->checked_unix_ms,
				    .rtt_us = state->rtt_us,
				    .families_since_unix_ms = state->families_since_unix_ms };
	struct node_load load;

	(void)node_key(plan, node, row.node);
	(void)snprintf(row.status, sizeof(row.status), "%s", node_status_name[state->status]);
	(void)snprintf(row.reason, sizeof(row.reason), "%s", state->reason);
	(void)snprintf(row.families_down, sizeof(row.families_down), "%s",
		       families_text(state->status, state->down_families));
	load = memory_load(rows->memory, row.node);
	row.load = load.load;
	row.load_at_unix_ms = load.at_unix_ms;
	row.spilling = memory_spilling(rows->memory, row.node);
	return row;
}

static void store_row(const struct rows *rows, const struct image *plan, uint32_t node)
{
	struct store_status row = row_of(rows, plan, node, prober_state(rows->prober, node));

	if (row.checked_unix_ms != 0 || row.load_at_unix_ms != 0)
		store_status(rows->store, &row);
}

void rows_store(const struct rows *rows, const struct image *plan, uint32_t first, uint32_t step)
{
	for (uint32_t n = first; n < plan_count(plan, nodes); n += step)
		store_row(rows, plan, n);
}

void rows_store_spilling(const struct rows *rows, const struct image *plan, uint32_t pool_site,
			 bool spilling)
{
	const struct plan_range *nodes =
		&plan_items(plan, pool_sites, struct plan_pool_site)[pool_site].nodes;
	char key[NODE_KEY_SIZE];

	if (nodes->count == 0 ||
	    memory_spilling(rows->memory, node_key(plan, nodes->first, key)) == spilling)
		return;
	for (uint32_t n = nodes->first; n < nodes->first + nodes->count; n++) {
		memory_keep_spilling(rows->memory, node_key(plan, n, key), spilling);
		store_row(rows, plan, n);
	}
}
