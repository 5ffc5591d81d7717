/* companions.h - who stands together in an answer, of those whom a route names. */
#ifndef STEER_COMPANIONS_H
#define STEER_COMPANIONS_H

#include "steer/routes.h"

/* The map of the routes' sets (steer/sets.h) for the clients whose order the routes hold: the route
 * is theirs. SETS_MAP_NONE: each node is answered as it is. */
uint32_t companions_map(struct routes *routes, const struct route *route);

#endif
