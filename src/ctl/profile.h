/* profile.h - where steered queries come from, as lines that `simulate --profile` reads.
 *
 * The data plane counts by client class, not by client: who asked is not known, and not written
 * anywhere. A class' queries are spread over its countries by their address space. Pure. */
#ifndef CTL_PROFILE_H
#define CTL_PROFILE_H

#include <jansson.h>
#include <stdio.h>

#include "ctl/space.h"

/* `classes`: [[class, queries], ...] of the geo image that the space was measured with. Writes a
 * line "ADDRESS QUERIES # COUNTRY" for each class and country, most queries first; the address is
 * the first of a network that has them. Returns how many queries there were. */
double profile_write(const struct space *space, const json_t *classes, FILE *out);

#endif
