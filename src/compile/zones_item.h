/* zones_item.h - a zone on its way from its file into the zones image.
 *
 * Whoever works at a zone has its item for himself, until it is given to the line (zones_line.h). */
#ifndef COMPILE_ZONES_ITEM_H
#define COMPILE_ZONES_ITEM_H

#include "compile/zone_bind.h"
#include "conf/diag.h"
#include "image/image.h"
#include "image/zones.h"

struct zones_item {
	const char *path;
	struct name origin;
	uint64_t text_size;  /* octets of its file, about: how much work it is */
	struct diag *errors; /* and warnings: of this zone alone; NULL: there are none */
	struct zone_bounds bounds;
	uint64_t source_id;
	uint32_t warnings;
	bool is_kept; /* taken over from the previous image */
	bool is_done; /* the line's */

	/* Until it is in the image: where it is. NULL: there is none. */
	const struct zone_segment *segment;
	uint64_t segment_size;
	void *owned;          /* the segment's memory, NULL: it is somebody else's */
	size_t mapped;        /* octets of it, where it was mapped; 0: from malloc */
	uint64_t segment_off; /* in the new image */
};

/* All that zones have in common; nobody changes it while they are compiled. */
struct zones_task {
	const struct config *config;
	const struct image *previous; /* may be NULL */
	struct zones_item *items;     /* in canonical order of their origins */
	size_t count;
};

#endif
