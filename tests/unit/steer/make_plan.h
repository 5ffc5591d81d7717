/* make_plan.h - small zones, geo and plan images for tests, from rows of a table.
 *
 * Lists of words are separated by spaces. Sites belong to the pools that name them, nodes to the
 * pool and the site that they name, in the order of the rows. */
#ifndef TESTS_MAKE_PLAN_H
#define TESTS_MAKE_PLAN_H

#include <stddef.h>

#include "image/geo.h"
#include "image/plan.h"
#include "image/zones.h"

struct make_site {
	const char *name;
	double latitude, longitude;
};

struct make_pool {
	const char *name, *sites;
	enum policy policy;
	enum fallback fallback;
	const char *fallback_addresses;
	bool strict_pair;
	unsigned answers, spare; /* answers 0: 1 */
	enum spread spread;
	uint32_t spare_km;
	enum answer_order order;
	uint32_t ttl_floor_s, ttl_ceiling_s; /* ceiling 0: none */
	const char *backup, *fallback_pool;
	struct plan_load load;
};

struct make_node {
	const char *pool, *site, *name;
	uint32_t weight;
	const char *addresses;
};

/* A class has the preference of its number in each pool, or the pool's last. */
struct make_pref {
	const char *pool, *sites; /* "a,b c": a and b are one band */
	bool rule;                /* decided by a rule, not by distance */
};

/* What else the preference of the same row has. */
struct make_limits {
	const char *fences, *avoids; /* numbers of their rows */
	const char *nearest;         /* site; NULL: not known */
	int policy;                  /* enum policy plus 1; 0: the pool's */
};

/* Of a site in a pool; without a row it has the file's order, and 1. */
struct make_pool_site {
	const char *pool, *site;
	uint32_t priority, min_nodes;
};

/* Rows of one pool stand together, in the order of the pools. */
struct make_fence {
	const char *pool, *never;
	const char *otherwise; /* pool; NULL: NODATA */
};

struct make_avoid {
	const char *pool, *site;
	const char *node; /* NULL: all of the site */
	uint64_t until_unix_s;
};

struct make_record {
	const char *owner, *pool, *site; /* site NULL: all */
	uint32_t ttl_s;
};

/* What a node's service has besides addresses. */
struct make_service {
	const char *node;
	uint16_t port;
	const char *host; /* NULL: none */
};

/* What the record of the same row answers, where it is not addresses alone. */
struct make_types {
	uint8_t types, target_skip, target_types;
	uint32_t target_ttl_s;
};

struct make_plan {
	const struct make_site *sites;
	size_t site_count;
	const struct make_pool *pools;
	size_t pool_count;
	const struct make_node *nodes;
	size_t node_count;
	const struct make_pref *prefs;
	size_t pref_count;
	const struct make_record *records;
	size_t record_count;
	const struct make_service *services;
	size_t service_count;
	const struct make_types *types;   /* one a record; NULL: addresses */
	const struct make_limits *limits; /* one a preference; NULL: none */
	const struct make_pool_site *pool_sites;
	size_t pool_site_count;
	const struct make_fence *fences;
	size_t fence_count;
	const struct make_avoid *avoids;
	size_t avoid_count;
	const char *alpn; /* of all pools, with its lengths; NULL: none */
};

struct made {
	struct image zones, geo, plan;
};

struct made make_images(const struct make_plan *make); /* fails the test when it cannot */
void made_close(struct made *made);

#endif
