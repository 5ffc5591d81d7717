/* object.h - what an operator's order is about: a node, a site or a pool, by name.
 *
 * Names have letters, digits and hyphens, so that the text of an object says what it is:
 *
 *   node:edge/tyo-1    this node of pool "edge"
 *   site:tokyo         the site in all pools
 *   site:edge/@tokyo   the site in pool "edge"
 *   pool:edge          all of the pool
 *
 * What operators write may leave out the kind, and a node's pool, where that leaves one meaning.
 * Pure. */
#ifndef CONTROL_OBJECT_H
#define CONTROL_OBJECT_H

#include <stdbool.h>
#include <stddef.h>

#include "image/plan.h"

enum object_kind { OBJECT_NODE, OBJECT_SITE, OBJECT_POOL };

#define OBJECT_NAME_SIZE 64

struct object {
	enum object_kind kind;
	char pool[OBJECT_NAME_SIZE]; /* of a site that is meant in all pools: "" */
	char name[OBJECT_NAME_SIZE]; /* of a pool: "" */
};

#define OBJECT_TEXT_SIZE 144
const char *object_text(const struct object *object, char text[OBJECT_TEXT_SIZE]);

/* The object of such a text, in full. false: it is none. */
bool object_parse(const char *text, struct object *out);

bool object_equal(const struct object *a, const struct object *b);

/* What an operator means, among what the plan (NULL: there is none) has, and those that orders are
 * about, which may have left the files. -1: it is unknown or may mean several things; err lists
 * them. */
int object_find(const char *written, const struct image *plan, const struct object *known,
		size_t known_count, struct object *out, struct err *err);

/* Is this node of the plan meant? */
bool object_has(const struct object *object, const struct image *plan, uint32_t node);

/* Does the plan know it? */
bool object_exists(const struct object *object, const struct image *plan);

#endif
