/* yaml.h - YAML 1.2 (libfyaml) as a plain tree in which each value knows its place.
 *
 * Scalars are text: what they mean is for the option that reads them to say, so NO is Norway and
 * 010 is what its option makes of it. What configuration has no use for is refused with its place:
 * anchors, aliases, tags, keys that are no plain text, a second document. */
#ifndef CONF_YAML_H
#define CONF_YAML_H

#include <stdbool.h>
#include <stddef.h>

#include "base/mem.h"
#include "conf/diag.h"
#include "conf/source.h"

enum yaml_kind { YAML_SCALAR, YAML_LIST, YAML_MAP };

struct yaml_node {
	enum yaml_kind kind;
	bool empty;       /* a scalar without a value: nothing, ~ or null, unquoted */
	const char *text; /* of a scalar, NUL-terminated */
	struct place place;
	const struct yaml_node *key;   /* in a map: the key of this value */
	const struct yaml_node *next;  /* sibling */
	const struct yaml_node *first; /* child: list items, map values */
	size_t count;                  /* of children */
	struct yaml_node *last;        /* while the tree is made */
};

#define yaml_foreach(child, node) \
	for (const struct yaml_node *child = (node)->first; child != NULL; child = child->next)

/* The map that the file's one document is, in the arena; NULL: it is not (and diag says why). */
const struct yaml_node *yaml_read(const struct source *source, struct arena *arena,
				  struct diag *diag);

/* The value of a key in a map, or NULL. */
const struct yaml_node *yaml_get(const struct yaml_node *map, const char *key);

/* "a list", "a map", "text": for messages. */
const char *yaml_kind_name(const struct yaml_node *node);

#endif
