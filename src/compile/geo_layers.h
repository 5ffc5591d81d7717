/* geo_layers.h - what lies over one another in the address space, side by side: what the databases
 * say, the operator's overrides, and the networks that clients are told by.
 *
 * A class is the preferences of all pools that some network has: those of its spot, or what they
 * become where an overlay lies over it. Here classes have the numbers of `classes`, among which are
 * some that no network has; each trie numbers those that it meets by itself, and so does not need
 * to know of the others. */
#ifndef COMPILE_GEO_LAYERS_H
#define COMPILE_GEO_LAYERS_H

#include "compile/geo_overlay.h"
#include "compile/geo_places.h"
#include "compile/geo_spots.h"
#include "compile/geo_trie.h"

struct geo_layers {
	const struct image *locations;
	struct geo_spots *spots;
	const struct geo_overlay *overlay;
	const struct geo_places *overrides, *resolvers;
	const uint32_t *spot_of; /* of each location; the caller's */
	/* Once geo_layers_settle is through, all is only read. */
	struct numbering classes; /* uint32_t[pool_count]: preferences */
	uint32_t *class_of;       /* of each spot where nothing lies over it */
	uint32_t *class_at;       /* the same of each location */
	struct memo joint_under; /* joint and overlay -> class, or that the spot must be measured */
	struct memo spot_under;  /* spot and overlay -> class */
	uint32_t *scratch;       /* preferences of one class */
	size_t class_size;       /* octets */
};

/* Works out every class that there can be; the spots have been measured. false: there are more
 * than a leaf can name. */
bool geo_layers_settle(struct geo_layers *layers, bool has_resolvers);
void geo_layers_free(struct geo_layers *layers);

/* One family's trie of one of the two tables, and the classes in it. */
struct geo_layers_trie {
	const struct geo_layers *layers;
	int family;
	bool is_of_resolvers;                 /* only of them: elsewhere there is no class */
	struct geo_draft draft;               /* its classes are numbers of `used` */
	uint32_t *used, used_count, used_cap; /* numbers of `classes`, in order of appearance */
	bool has_too_many;                    /* more than a leaf can name: the trie is not whole */
};

/* Several at once are fine, each in its thread. */
void geo_layers_build(struct geo_layers_trie *trie);
void geo_layers_free_trie(struct geo_layers_trie *trie);

#endif
