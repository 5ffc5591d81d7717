/* zone_write.h - a checked draft to a segment of the zones image (image/zones.h).
 *
 * The segment holds nothing but what the sources say: no pool numbers, no addresses of this
 * process; the same sources give the same bytes. */
#ifndef COMPILE_ZONE_WRITE_H
#define COMPILE_ZONE_WRITE_H

#include "compile/zone_draft.h"
#include "image/image.h"

/* Appends the segment (of a zone that has an SOA) and tells where it starts. -1: an RRset, a name's
 * list of types or the zone is too large for an image, or too many names collide; that has been
 * reported. */
int zone_write(struct zone_draft *draft, struct image_writer *writer, uint64_t *segment_off);

#endif
