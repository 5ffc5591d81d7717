/* effective.h - which options hold, with their values and where these come from: the files as they
 * would be if everything were written in them.
 *
 * A tree that grows in the arena while files are read: below its root a child for the server file
 * and one for each pool file that can be read, in order; below these their options, in the order of
 * their tables; below options whose values are lists or maps of maps of options one for each of
 * those. */
#ifndef CONF_EFFECTIVE_H
#define CONF_EFFECTIVE_H

#include "conf/config.h"
#include "conf/option.h"

struct effective {
	const struct option *option;   /* NULL: a file, or an item of a list or map */
	const struct yaml_node *value; /* NULL: a map of options of which none is written */
	bool dflt;                     /* nobody wrote it */
	struct effective *first, *last, *next;
};

/* --- while files are read: `parent` NULL stands for "nobody wants to know", and so does what is
 * returned then ------------------------------------------------------------------------------- */

struct effective *effective_option(struct conf *conf, struct effective *parent,
				   const struct option *option, const struct yaml_node *value,
				   bool dflt);
/* What the options of this map go below. */
struct effective *effective_map(struct conf *conf, struct effective *parent,
				const struct option_map *map);

/* --- afterwards ------------------------------------------------------------------------------- */

/* config_read, with the tree; to be used where there are no errors. */
int effective_read(struct effective *out, struct config *config, const char *path,
		   struct arena *arena, struct diag *diag);

/* As files, a YAML document each, with a comment behind each value; or as one JSON array with an
 * object for each value. Of one pool only, or one node of it, where these are not NULL. */
int effective_print(const struct effective *root, const struct config *config, const char *pool,
		    const char *node, bool json, FILE *out, struct err *err);

#endif
