/* geo_clients.h - who asks: the client matchers of all pools, and what is told of whom.
 *
 * A matcher (a country, an AS, a list of networks) stands in rules, fences, excepts and avoids of
 * many pools; each such place is an entry. Of a location only its view counts: what some matcher
 * can see of it. There are few views, so each is judged once, for all pools. */
#ifndef COMPILE_GEO_CLIENTS_H
#define COMPILE_GEO_CLIENTS_H

#include "compile/countries.h"
#include "compile/geo_facts.h"
#include "image/locations.h"

#define CLIENTS_NONE UINT32_MAX

/* Where a matcher stands: it sets the rule of a pool's facts, or a bit of theirs. */
struct client_entry {
	uint32_t pool, rule, bit; /* rule or bit: CLIENTS_NONE */
};

/* A network that clients are told by, and its matcher. */
struct client_network {
	struct ip_prefix prefix;
	uint32_t matcher;
};

/* The part of a location that matchers see. Names are numbers of `names` + 1, sets of fields are
 * those of the locations image; what no matcher asks for is 0. */
struct view {
	uint16_t country, continent; /* index + 1 */
	uint32_t city, subdivision, subdivision_name;
	uint32_t asn;
	uint32_t fields;
	uint32_t is_unknown;
};

struct geo_clients {
	const struct config *config;
	struct pool_facts **pools; /* its own array */
	struct numbering matchers; /* struct matcher_key */
	uint32_t *first;           /* of each matcher's entries; one more: their end */
	struct client_entry *entries;
	struct client_network *networks; /* of the matchers of kind MATCH_PREFIX */
	uint32_t network_count, network_cap;
	uint32_t *of_list; /* of each of config->lists: its matcher, CLIENTS_NONE: not asked for */
	uint32_t *of_field;
	uint32_t own, all, unknown;
	bool sees_cities, sees_subdivisions;
	struct numbering names; /* of cities and subdivisions, lower case */
	struct memo asns;       /* AS number -> matcher */
	struct numbering views; /* struct view */
	struct numbering joint; /* uint32_t[pool_count]: facts of each pool */
	uint32_t *joint_of;     /* of each view; CLIENTS_NONE: not judged yet */
	uint32_t joint_cap;
	const struct image *locations; /* whose texts and sets of fields the views have */
	struct memo name_of;           /* offset of a text -> name, 0: no matcher has it */
	/* In hand: */
	uint32_t *tuple;
	size_t tuple_size;            /* octets; not 0, also where there is no pool */
	struct facts **touched_facts; /* of each pool; its own memory */
	bool *is_touched;
	uint32_t *touched, touched_count;
};

/* `pools` (facts of each pool) becomes its own. */
void geo_clients_init(struct geo_clients *clients, const struct config *config,
		      struct pool_facts **pools, const struct image *locations);
void geo_clients_free(struct geo_clients *clients);

/* The number of what matchers see of a location. */
uint32_t geo_clients_view(struct geo_clients *clients, const struct location *location);

/* The number (in `joint`) of the facts of all pools for a view. */
uint32_t geo_clients_judge(struct geo_clients *clients, uint32_t view);

static inline const uint32_t *geo_clients_facts(const struct geo_clients *clients, uint32_t joint)
{
	return (const uint32_t *)numbering_item(&clients->joint, joint);
}

static inline uint32_t geo_clients_entries(const struct geo_clients *clients, uint32_t matcher,
					   const struct client_entry **entries)
{
	*entries = clients->entries + clients->first[matcher];
	return clients->first[matcher + 1] - clients->first[matcher];
}

#endif
