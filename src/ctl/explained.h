/* explained.h - what the parts that show an explanation (explain.h) share. */
#ifndef CTL_EXPLAINED_H
#define CTL_EXPLAINED_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

/* Begins a line; "" where it goes on with what the last one began. */
void explained_line(FILE *out, const char *what);

/* Who drained it, or gave it a weight (`what`), when and why. */
void explained_order(const json_t *order, const char *what, uint64_t now_ms, FILE *out);

/* A step of the explanation `told`. `chosen`: the site of the node that is answered; "": it is in
 * another pool, or there is none. */
void explained_step(const json_t *told, const json_t *step, const char *chosen, FILE *out,
		    bool colour);

#endif
