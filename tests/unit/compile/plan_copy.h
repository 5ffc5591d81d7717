/* plan_copy.h - plan images for tests, as bytes of their own. */
#ifndef TESTS_PLAN_COPY_H
#define TESTS_PLAN_COPY_H

#include "../conf/fixture.h"
#include "compile/plan_build.h"

#define POOL_B                                              \
	"pool: other\n"                                     \
	"persistence: none\n"                               \
	"flap: off\n"                                       \
	"rules: [ { clients: 10.0.0.0/8, sites: oslo } ]\n" \
	"sites: { oslo: { nodes: { o-1: { address: 192.0.2.1 } } } }\n"

/* Ours to change, and so that a sanitizer sees what is read beyond its end. */
struct plan_copy {
	struct image image;
	uint8_t *bytes; /* the caller's, to be freed */
};

struct plan_copy plan_copy(const struct config *config, const struct zones_binding *records,
			   size_t count);

/* Two pools, edge and other, without faults; and the plan of them with three records. */
struct reading *sample_pools(void);
struct plan_copy sample_plan(void);

#endif
