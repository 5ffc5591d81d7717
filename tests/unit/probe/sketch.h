/* sketch.h - plan images for tests, from a table of nodes and their checks. */
#ifndef TESTS_UNIT_PROBE_SKETCH_H
#define TESTS_UNIT_PROBE_SKETCH_H

#include <stddef.h>

#include "image/plan.h"

struct sketch_check {
	const char *address; /* NULL: no more checks */
	struct plan_probe probe;
	uint16_t port;
};

struct sketch_node {
	const char *pool, *name; /* nodes of a pool stand side by side */
	struct sketch_check checks[3];
};

/* The caller's to image_close. */
struct image sketch_plan(const struct sketch_node *nodes, size_t count);

#endif
