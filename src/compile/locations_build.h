/* locations_build.h - the databases, each walked once -> one locations image. */
#ifndef COMPILE_LOCATIONS_BUILD_H
#define COMPILE_LOCATIONS_BUILD_H

#include "conf/config.h"
#include "conf/diag.h"
#include "image/image.h"

/* `previous` (verified; may be NULL): with the same key it is copied instead. *fd is the caller's;
 * -1 when there were mistakes (in diag). -1: it failed for a reason of its own. */
int locations_build(const struct config *config, const struct image *previous, int *fd,
		    struct diag *diag, struct err *err);

#endif
