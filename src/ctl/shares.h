/* shares.h - which share of a class's clients each node gets, by a steering image alone: how many
 * hash values lead to it.
 *
 * Of an answer with several nodes clients are taken to use the first where the answer says that it is
 * preferred (order: preference), and each of them alike where they are shuffled. */
#ifndef CTL_SHARES_H
#define CTL_SHARES_H

#include <stdint.h>

#include "image/geo.h"
#include "image/plan.h"
#include "image/steering.h"

struct share {
	uint32_t pool; /* who answers: the pool that was asked, or one that stands in */
	uint32_t node; /* its node; its number of nodes: what stands in for all of them */
	double share;  /* of 1 */
};

struct share_list {
	struct share *items;
	uint32_t count, cap;
};

struct shares;

/* The images must outlive it; they fit together and have been verified. */
struct shares *shares_new(const struct image *steering, const struct image *geo,
			  const struct image *plan);
void shares_free(struct shares *shares); /* NULL is fine */

/* What holds for a class in a pool: enum steering_applied. */
uint8_t shares_applied(const struct shares *shares, uint32_t pool, uint32_t class_id);

/* Valid until the next call. */
const struct share_list *shares_find(struct shares *shares, uint32_t pool, uint32_t class_id);

#endif
