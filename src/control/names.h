/* names.h - what things of a plan are called, and where in it a name is. Pure. */
#ifndef CONTROL_NAMES_H
#define CONTROL_NAMES_H

#include "base/err.h"
#include "image/plan.h"

const char *plan_pool_name(const struct image *plan, uint32_t pool);
const char *plan_site_name(const struct image *plan, uint32_t pool_site);

#define NODE_KEY_SIZE 256
/* "pool/node" of a plan's node; cut to fit. */
const char *node_key(const struct image *plan, uint32_t node, char key[NODE_KEY_SIZE]);

/* The number of the pool, of the pool's site (plan_pool_site), of this name; PLAN_NONE: there is
 * none. Searched from `hint` on: things mostly keep their places from one plan to the next. */
uint32_t plan_find_pool(const struct image *plan, const char *name, uint32_t hint);
uint32_t plan_find_site(const struct image *plan, const char *pool, const char *site,
			uint32_t hint);

/* The number of the node of this name in a pool; PLAN_NONE: there is none. `hint`: its place there. */
uint32_t plan_find_node(const struct image *plan, uint32_t pool, const char *name, uint32_t hint);

/* -1: err says that there is none of this name, and which one was meant. plan NULL: there are
 * no files yet, which is said instead. */
int refuse_pool(const struct image *plan, const char *name, struct err *err);

/* What is said to whoever asks for something of the files while there are none. */
#define NOTHING_IN_USE "no files are in use yet: the log, and signpostctl check, say why"

#endif
