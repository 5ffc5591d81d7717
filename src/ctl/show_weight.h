/* show_weight.h - what a node's weight is made of, in words. */
#ifndef CTL_SHOW_WEIGHT_H
#define CTL_SHOW_WEIGHT_H

#include <jansson.h>
#include <stdio.h>

/* How many there are of: an order, what agents ask for, the load, a ramp. `node` is as control tells
 * it. */
unsigned weight_factors(const json_t *node);

/* "weight 16.9 = 50 (ordered) x 75 % (agent) x 45 % (ramp)", without an end of line; "weight 100" where
 * there is nothing more to tell. */
void show_weight(const json_t *node, FILE *out);

#endif
