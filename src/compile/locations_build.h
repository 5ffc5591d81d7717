/* locations_build.h - the databases, each walked once, and the operator's files -> one locations
 * image. */
#ifndef COMPILE_LOCATIONS_BUILD_H
#define COMPILE_LOCATIONS_BUILD_H

#include "conf/config.h"
#include "conf/diag.h"
#include "image/image.h"

/* The image of the last good world, verified. */
struct locations_previous {
	struct image image;
	int fd; /* what it is mapped from; -1: nothing, and it cannot be taken over whole */
};

struct locations_built {
	int fd;                 /* the caller's; -1 when there were mistakes (in diag) */
	uint32_t kept_warnings; /* of files that did not change: not reported again */
};

/* `previous` may be NULL. Where its databases are the same they are not walked again; where the
 * operator's files are, too, it is what is built. -1: it failed for a reason of its own. */
int locations_build(const struct config *config, const struct locations_previous *previous,
		    struct locations_built *out, struct diag *diag, struct err *err);

#endif
