#include "ctl/answer_nodes.h"

#include <string.h>

static bool has_address(const struct image *plan, const struct plan_node *node, uint8_t family,
			const uint8_t *bytes)
{
	const struct ip_address *addresses = plan_items(plan, addresses, struct ip_address);

	for (uint32_t a = 0; a < node->addresses.count; a++) {
		const struct ip_address *at = &addresses[node->addresses.first + a];

		if (at->family == family && memcmp(at->bytes, bytes, family == IP_V4 ? 4 : 16) == 0)
			return true;
	}
	return false;
}

/* The node of a pool that has an address; that which was chosen where several have it. */
static uint32_t node_with(const struct image *plan, const struct plan_pool *pool, uint32_t chosen,
			  uint8_t family, const uint8_t *bytes)
{
	const struct plan_node *nodes = plan_items(plan, nodes, struct plan_node) +
					pool->nodes.first;

	if (chosen < pool->nodes.count && has_address(plan, &nodes[chosen], family, bytes))
		return chosen;
	for (uint32_t n = 0; n < pool->nodes.count; n++) {
		if (has_address(plan, &nodes[n], family, bytes))
			return n;
	}
	return PLAN_NONE;
}

static void add_member(struct answer_nodes *nodes, uint32_t node, enum steering_column column)
{
	for (unsigned i = 0; i < nodes->count; i++) {
		if (nodes->list[i].node == node) {
			nodes->list[i].columns |= (uint8_t)(1U << column);
			return;
		}
	}
	if (nodes->count < ANSWER_NODES_MAX)
		nodes->list[nodes->count++] = (struct answer_node){ node, (uint8_t)(1U << column) };
}

/* Each record is a pointer to the owner name, type, class, TTL, length and the address. */
void answer_nodes_add(struct answer_nodes *nodes, const struct image *plan,
		      const struct plan_pool *pool, uint32_t chosen,
		      const struct rrset_block *block, enum steering_column column)
{
	size_t size = column == STEERING_A ? 4 : 16, step = 12 + size;

	for (unsigned i = 0; block != NULL && i < block->rr_count; i++) {
		uint32_t node = node_with(plan, pool, chosen, column == STEERING_A ? IP_V4 : IP_V6,
					  block->wire + i * step + 12);

		if (node != PLAN_NONE)
			add_member(nodes, node, column);
	}
}
