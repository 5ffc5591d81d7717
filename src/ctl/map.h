/* map.h - a simulation as a picture: for each pool two maps of the world, before and after, in SVG.
 *
 * Countries have the colour of the site that most of their clients get, the paler the fewer they
 * are; those too small for an outline are circles. Colours can be told apart by the colour-blind. */
#ifndef CTL_MAP_H
#define CTL_MAP_H

#include <jansson.h>
#include <stdio.h>

#include "ctl/country_table.h"
#include "ctl/outlines.h"

/* What the world looks like; both may be empty. */
struct map_world {
	struct outlines outlines;
	struct country_table countries; /* places of circles */
};

/* `told` is of simulate(). */
void map_draw(const json_t *told, const struct map_world *world, FILE *out);

#endif
