/* standing.h - how pools, sites and nodes stood when that was told last, so that the log tells
 * what has changed, and each thing once. */
#ifndef CONTROL_STANDING_H
#define CONTROL_STANDING_H

#include "control/drill.h"
#include "control/hooks.h"
#include "control/images.h"
#include "control/inputs.h"

struct standing;

/* For a plan: things with the same names as in `before` (NULL: there was nothing) stand as they
 * did, the others as what calls for no words. */
struct standing *standing_new(const struct image *plan, const struct standing *before);
void standing_free(struct standing *standing); /* NULL is fine */

/* Who is told, beside the log, and by whom nodes are judged. */
struct standing_tools {
	struct hooks *hooks;
	const struct prober *prober; /* NULL: it does not know the plan yet */
};

/* Logs what stands otherwise by now, and calls hooks; of alarms, whether the drill is their
 * reason. */
void standing_tell(struct standing *standing, const struct images *images,
		   const struct inputs *inputs, const struct drill *drill,
		   const struct standing_tools *tools);

#endif
