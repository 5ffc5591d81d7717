/* zone_read.h - a zone file into a draft.
 *
 * A large file is read in a thread of its own, where there is another processor for it, some
 * thousand records ahead of the draft that takes them: to find a million names their places takes
 * as long as to read them. What each has to say is gathered apart and then joined, the reader's
 * first, so that it does not depend on who was faster. */
#ifndef COMPILE_ZONE_READ_H
#define COMPILE_ZONE_READ_H

#include "compile/zone_draft.h"

/* draft_start was called; draft_finish follows here. Mistakes go to the sources' diag. `threads`: may
 * it take another one? */
void zone_read(struct zone_draft *draft, const char *path, bool threads);

#endif
