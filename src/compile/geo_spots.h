/* geo_spots.h - the places of clients, as far as pools can tell them apart: coordinates and facts.
 *
 * Half a million locations are far fewer spots, and these far fewer *joints*: what the facts are
 * and which preference each pool has. Spots are added first, then all measured in one go (by two
 * threads), so that neighbours on Earth come one after the other. */
#ifndef COMPILE_GEO_SPOTS_H
#define COMPILE_GEO_SPOTS_H

#include "compile/geo_clients.h"
#include "compile/geo_measure.h"

struct spot {
	uint32_t facts; /* number of geo_clients_judge */
	uint32_t is_known;
	float latitude, longitude; /* only where they are known and matter */
};

struct geo_spots {
	struct geo_clients *clients;
	struct geo_prefs *prefs;
	struct geo_sites sites;
	bool has_distance;        /* some pool asks for places */
	struct numbering numbers; /* struct spot */
	struct numbering
		joints;     /* uint32_t[1 + pool_count]: facts, then a preference of each pool */
	uint32_t *joint_of; /* of each spot that was measured */
	uint32_t joint_cap;
	struct geo_measure *measure; /* of single spots */
	uint32_t *scratch;           /* one joint, or two numbers of each pool */
};

void geo_spots_init(struct geo_spots *spots, struct geo_clients *clients, struct geo_prefs *prefs);
void geo_spots_free(struct geo_spots *spots);

uint32_t geo_spots_add(struct geo_spots *spots, const struct location *location);
/* The same of so many of the databases' locations, from number `first` on. */
#define GEO_SPOTS_TOGETHER 64U
void geo_spots_add_some(struct geo_spots *spots, const struct image *locations, uint32_t first,
			uint32_t count, uint32_t *out);
void geo_spots_measure(struct geo_spots *spots); /* all that were added */

/* Of a spot that was measured: facts of its pools' clients, and their preferences. */
static inline const uint32_t *geo_spots_joint(const struct geo_spots *spots, uint32_t joint)
{
	return (const uint32_t *)numbering_item(&spots->joints, joint);
}

/* The preferences at a measured spot where networks say more (facts of each pool, 0: nothing).
 * `joint` alone may do: false, and the spot itself must be known, then never false. */
bool geo_spots_overlay(struct geo_spots *spots, uint32_t joint, const uint32_t *network_facts,
		       uint32_t *prefs);
void geo_spots_overlay_at(struct geo_spots *spots, uint32_t spot, const uint32_t *network_facts,
			  uint32_t *prefs);

#endif
