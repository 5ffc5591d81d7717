/* seen.h - what was defined where, to name the first place of a duplicate. */
#ifndef CONF_SEEN_H
#define CONF_SEEN_H

#include <stddef.h>

#include "conf/diag.h"

/* Zero-initialise; names and places are kept by pointer. */
struct seen {
	struct seen_slot *slots; /* open addressing; a power of two */
	size_t count, size;
};

/* The place of the same name before, or NULL: it is new, and now known. */
const struct place *seen_add(struct seen *seen, const char *name, const struct place *place);
const struct place *seen_find(const struct seen *seen, const char *name);
void seen_free(struct seen *seen);

#endif
