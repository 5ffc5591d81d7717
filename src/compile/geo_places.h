/* geo_places.h - where a file of overrides lies over what is below: which spot is there.
 *
 * Break points over the locations: 0 where the file has no row, else the spot + 1 that its row and
 * what is below it make together. */
#ifndef COMPILE_GEO_PLACES_H
#define COMPILE_GEO_PLACES_H

#include "compile/breaks.h"
#include "compile/geo_spots.h"

struct geo_places {
	struct breaks breaks[2]; /* IPv4, IPv6 */
};

/* Adds the spots. `rows` is of the locations image; `below` (NULL: nothing but the databases) is
 * another file of it that lies between. */
void geo_places_init(struct geo_places *places, struct geo_spots *spots,
		     const struct image *locations, const struct location_rows *rows,
		     const struct location_rows *below);
void geo_places_free(struct geo_places *places);

#endif
