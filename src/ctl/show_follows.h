/* show_follows.h - what a node's weight follows, in words. */
#ifndef CTL_SHOW_FOLLOWS_H
#define CTL_SHOW_FOLLOWS_H

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>

/* Is the weight less by the load, or about to be? `follows` is a node's, as control tells it. */
bool follows_load(const json_t *follows);

/* "62 % of its weight, on the way to 55 % in 40 s: cpu 83 % (smoothed 79 %) is between the marks;
 * memory 40 %", without an end of line. */
void show_follows(const json_t *follows, FILE *out);

#endif
