/* sketch.h - plan images for tests, from a table of nodes and their checks. */
#ifndef TESTS_UNIT_PROBE_SKETCH_H
#define TESTS_UNIT_PROBE_SKETCH_H

#include <stddef.h>

#include "image/plan.h"

struct sketch_check {
	/* NULL: no more checks. "=ADDRESS": by the same probe as the one before it; "*ADDRESS": judges
	 * addresses of both families. */
	const char *address;
	struct plan_probe probe;
	uint16_t port;
};

struct sketch_node {
	const char *pool,
		*name; /* nodes of a pool stand side by side; "POOL:2" requires 2 probes */
	struct sketch_check checks[3];
};

/* The probe with settings of its kind, which live as long as the test. */
struct plan_probe sketch_with(struct plan_probe probe, const void *settings, uint32_t len);

/* The caller's to image_close. */
struct image sketch_plan(const struct sketch_node *nodes, size_t count);

/* The same with references, at half of the targets. */
struct image sketch_plan_beside(const struct sketch_node *nodes, size_t count,
				const struct plan_reference *references, size_t reference_count);

#endif
