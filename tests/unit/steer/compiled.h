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
	/* To be changed before compiled_update; at first all nodes are up, with their weights. */
	struct steer_node *nodes;
	uint16_t *keep;
	bool *last_good;
	uint64_t now_unix_s;
};

/* Compiled once. The steer points into *out, which must stay where it is. */
void compiled_open(struct compiled *out, const struct make_plan *make);
void compiled_close(struct compiled *compiled);

/* Compiles for what is set now. */
void compiled_update(struct compiled *compiled);

/* The id of the image that a new steer over the same images compiles for what is set now; with the
 * tables of the other, or with none to begin with. */
uint64_t compiled_anew(const struct compiled *compiled, bool inherits);

/* A node by name, in any pool. */
uint32_t compiled_node(const struct compiled *compiled, const char *name);

/* Sets a node and compiles. */
void compiled_set(struct compiled *compiled, const char *node, bool up);

/* All answers of a record that clients of this class get (its preference has the same number, or is
 * the pool's last):
 * in order of the choices, "a b | c": a node with two addresses, and one with one; "-": NODATA. */
const char *compiled_answers(const struct compiled *compiled, uint32_t record, uint32_t class_id,
			     enum steering_column family);

/* The one answer for a hash. */
const char *compiled_answer(const struct compiled *compiled, uint32_t record, uint32_t class_id,
			    uint64_t hash, enum steering_column family);

const struct steering_table *compiled_table(const struct compiled *compiled, uint32_t record,
					    uint32_t class_id);

/* enum steering_applied, of the record's own pool. */
uint8_t compiled_applied(const struct compiled *compiled, uint32_t record, uint32_t class_id);

/* The node in the first slot of that table. */
uint16_t compiled_first(const struct compiled *compiled, uint32_t record, uint32_t class_id);

#endif
