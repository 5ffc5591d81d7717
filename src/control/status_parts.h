/* status_parts.h - what status.c is made of. */
#ifndef CONTROL_STATUS_PARTS_H
#define CONTROL_STATUS_PARTS_H

#include "control/status.h"

/* --- status_pools.c ------------------------------------------------------------------------------ */

/* All pools, or the one of this name; NULL: there is none of this name. */
json_t *status_pools(const struct status_input *input, const char *name);

/* --- status_load.c ------------------------------------------------------------------------------- */

/* Null: its weight follows nothing. */
json_t *status_follows(const struct status_input *input, uint32_t node);

/* What a node's weight is made of: that which is ordered or configured, and parts of it. Their
 * product is the weight that is effective, but for rounding. */
json_t *status_factors(const struct status_input *input, uint32_t node);

#endif
