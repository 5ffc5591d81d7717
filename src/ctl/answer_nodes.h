/* answer_nodes.h - the nodes that an answer names, by its addresses. Pure. */
#ifndef CTL_ANSWER_NODES_H
#define CTL_ANSWER_NODES_H

#include "image/plan.h"
#include "image/steering.h"

#define ANSWER_NODES_MAX 32

struct answer_node {
	uint32_t node;   /* of the pool */
	uint8_t columns; /* bits: for which families it is answered */
};

/* Zero-initialise. */
struct answer_nodes {
	struct answer_node list[ANSWER_NODES_MAX]; /* in the answer's order */
	unsigned count;
};

/* Adds those of a block of addresses (column: STEERING_A or STEERING_AAAA). Where several nodes have
 * an address it is that which was chosen. */
void answer_nodes_add(struct answer_nodes *nodes, const struct image *plan,
		      const struct plan_pool *pool, uint32_t chosen,
		      const struct rrset_block *block, enum steering_column column);

#endif
