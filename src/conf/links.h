/* links.h - pools that name other pools: the one that they fall back to, their backup, the one that
 * a fence sends its clients to. Pool files are read one after the other, so names are remembered,
 * and looked for when all have been read. */
#ifndef CONF_LINKS_H
#define CONF_LINKS_H

#include "conf/config.h"
#include "conf/option.h"

/* What is remembered; config_read has one. */
struct links;

struct links *links_new(void);
void links_free(struct links *links);

/* The pool that is being read names another one: *number becomes that pool's number when all files
 * have been read, and is PLAN_NONE until then, and for good where there is none. Where it stands
 * in the file is told by `value`; `name` lives in the arena, and *number as long. */
void link_remember(struct conf *conf, const struct yaml_node *value, const char *name,
		   uint32_t *number);

/* Names that are no pool's, pools that name themselves, circles and rows of more than
 * STEERING_POOLS_MAX are reported. */
void links_resolve(struct conf *conf);

#endif
