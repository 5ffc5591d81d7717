/* draws.h - who of a site wins each primary's draw, remembered from one verdict to the next.
 *
 * Of the nodes that are usable at a site the same ones win a primary's draw until one of them comes
 * or goes or its weight changes, whoever the clients are. So a verdict on a node of one site leaves
 * the draws at all others as they are. */
#ifndef STEER_DRAWS_H
#define STEER_DRAWS_H

#include "steer/pool.h"

#define DRAWS_DEPTH  4          /* an answer with more nodes of one site is drawn anew */
#define DRAWS_NOBODY UINT16_MAX /* the site has no other usable node */
#define DRAWS_MAX    (1U << 20) /* remembered at once: of two in one place the later one */

struct draw {
	uint32_t site, round; /* of draws_begin when it was made */
	uint16_t primary;
	uint16_t winners[DRAWS_DEPTH]; /* nodes of the pool; nothing behind DRAWS_NOBODY */
};

struct draws {
	const struct pool *pool;
	struct draw *list; /* NULL: nothing was asked for yet */
	uint32_t size, round;
	uint32_t *changed; /* [site]: the round in which its nodes changed last */
	/* [node]: as of draws_begin */
	uint32_t *weights;
	uint8_t *ranks;
};

/* The pool must outlive the draws. */
void draws_open(struct draws *draws, const struct pool *pool);
void draws_close(struct draws *draws);

/* Takes the pool's ranks and the weights of now. */
void draws_begin(struct draws *draws, const uint32_t *weights);

/* The place of a draw. Where it does not hold the caller is to make the winners, which then hold. */
struct draw *draws_at(struct draws *draws, uint32_t site, uint16_t primary, bool *holds);

#endif
