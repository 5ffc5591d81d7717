/* load.h - how much of its capacity a node uses, as operators and nodes write it. */
#ifndef CTL_LOAD_H
#define CTL_LOAD_H

#include "base/err.h"

/* "0.83" or "83%"; 1 is all of the capacity, 10 the most. A bare number above that is refused, for
 * "83" may well mean 83%. 0; -1: err says what is allowed. */
int load_parse(const char *text, double *out, struct err *err);

#endif
