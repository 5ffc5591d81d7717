/* explain.h - what will be answered to whom, and why: the lookups of the data plane, step by step,
 * with the same functions (serve/answer.h, serve/choose.h), in our own process. */
#ifndef CTL_EXPLAIN_H
#define CTL_EXPLAIN_H

#include <jansson.h>

#include "base/err.h"
#include "base/netprefix.h"
#include "image/world.h"
#include "steer/steer.h"

/* The images that control lent, and how the nodes were at that moment. */
struct borrowed {
	struct world world;
	struct image plan, locations; /* locations.base NULL: there are none */
	struct steer *steer;          /* for the order of sites */
	const json_t *nodes;          /* in the plan's order */
	const json_t *pool_sites;     /* as well: how much of each is used; NULL: not told */
	uint64_t now_unix_s;
};

struct question {
	const char *name;
	struct ip_prefix network;
	bool as_source; /* asks itself, without a client subnet */
	uint8_t types;  /* to ask for: bits of enum pool_type; 0: those that the name answers */
};

/* The types that can be explained: those that a POOL record answers. */
#define EXPLAINED_TYPES 5
extern const struct explained_type {
	const char *name;
	uint16_t type;
} explained_types[EXPLAINED_TYPES];

/* NULL, with the reason in err: this cannot be asked. The caller's. */
json_t *explain(const struct borrowed *borrowed, const struct question *question, struct err *err);

void show_explanation(const json_t *told, FILE *out, bool colour);

#endif
