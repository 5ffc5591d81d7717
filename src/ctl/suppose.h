/* suppose.h - how the nodes are, and how they would be if. Pure. */
#ifndef CTL_SUPPOSE_H
#define CTL_SUPPOSE_H

#include <jansson.h>
#include <stdbool.h>

#include "base/err.h"
#include "image/plan.h"
#include "steer/steer.h"

enum suppose_kind { SUPPOSE_DOWN, SUPPOSE_DRAIN, SUPPOSE_LOAD };

#define SUPPOSE_MAX 256

/* One option of the command line. `text`: an object as operators write them (control/object.h), of a
 * load followed by "=0.9"; or a load alone: of all nodes. */
struct supposition {
	enum suppose_kind kind;
	const char *text;
};

extern const char *const steer_state_name[]; /* of enum steer_state: "down", "disabled", ... */

struct supposed_node {
	struct steer_node steer;
	double load; /* part of its capacity that is used; NAN: nobody says */
	bool load_is_supposed;
	uint64_t load_at_ms; /* when it reported last, however long ago; 0: never */
};

/* enum steer_state of a node as control tells it. */
uint8_t suppose_state_of(const json_t *node);

/* The nodes of a plan as control tells them. The caller's. */
struct supposed_node *suppose_reported(const struct image *plan, const json_t *nodes);

/* The same nodes in another plan: those with the same pool and name; others are up. */
struct supposed_node *suppose_carried(const struct image *from, const struct supposed_node *nodes,
				      const struct image *to);

/* Nodes of a pool that are up and not answered for a family, for its path is down: [{"node": "tyo-1",
 * "family": "IPv6"}, ...]. */
json_t *suppose_families_down(const struct image *plan, uint32_t pool,
			      const struct supposed_node *nodes);

/* Sets what is supposed. -1: there is no such object, or its name says too little. */
int suppose(const struct image *plan, struct supposed_node *nodes, const struct supposition *what,
	    struct err *err);

#endif
