/* standing.h - how pools, sites and nodes stood when that was told last, so that the log tells
 * what has changed, and each thing once. */
#ifndef CONTROL_STANDING_H
#define CONTROL_STANDING_H

#include "control/drill.h"
#include "control/images.h"
#include "control/inputs.h"

struct standing;

/* For a plan: things with the same names as in `before` (NULL: there was nothing) stand as they
 * did, the others as what calls for no words. */
struct standing *standing_new(const struct image *plan, const struct standing *before);
void standing_free(struct standing *standing); /* NULL is fine */

/* Logs what stands otherwise by now; of alarms, whether the drill is their reason. */
void standing_tell(struct standing *standing, const struct images *images,
		   const struct inputs *inputs, const struct drill *drill);

#endif
