/* compiled.h - a steer over made images, and its newest steering image, for tests. */
#ifndef TESTS_COMPILED_H
#define TESTS_COMPILED_H

#include "image/steering.h"
#include "make_plan.h"
#include "steer/steer.h"

struct compiled {
	struct made made;
	struct steer *steer;
	struct image image; /* of the last compile, verified */
	bool *up;           /* of each node of the plan; all at first */
};

/* Compiled once. The steer points into *out, which must stay where it is. */
void compiled_open(struct compiled *out, const struct make_plan *make);
void compiled_close(struct compiled *compiled);

/* Compiles for compiled->up as it is now. */
void compiled_update(struct compiled *compiled);

/* Sets a node (by name, in any pool) and compiles. */
void compiled_set(struct compiled *compiled, const char *node, bool up);

/* All answers of a record that clients with this preference get:
 * in order of the choices, "a b | c": a node with two addresses, and one with one; "-": NODATA. */
const char *compiled_answers(const struct compiled *compiled, uint32_t record, uint32_t pref,
			     enum steering_column family);

/* The one answer for a hash. */
const char *compiled_answer(const struct compiled *compiled, uint32_t record, uint32_t pref,
			    uint64_t hash, enum steering_column family);

const struct steering_table *compiled_table(const struct compiled *compiled, uint32_t record,
					    uint32_t pref);

#endif
