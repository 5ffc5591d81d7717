/* plan_build.h - configuration and POOL records in, the plan image out.
 *
 * The same input gives the same image. Numbers run over all pools in order: pool sites and nodes
 * in the order of the files, rules in the order of each file, records in that of the zones
 * image. */
#ifndef COMPILE_PLAN_BUILD_H
#define COMPILE_PLAN_BUILD_H

#include <stddef.h>

#include "compile/zones_build.h"
#include "conf/config.h"
#include "image/image.h"

/* The configuration must be without mistakes. *fd is the caller's. */
int plan_build(const struct config *config, const struct zones_binding *bindings,
	       size_t binding_count, int *fd, struct err *err);

#endif
