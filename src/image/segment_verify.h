/* segment_verify.h - what zones_verify (zones.h) asks of each zone's segment. */
#ifndef IMAGE_SEGMENT_VERIFY_H
#define IMAGE_SEGMENT_VERIFY_H

#include "image/zones.h"

/* All `size` octets can be read, and the segment is aligned to IMAGE_ALIGN. */
int segment_verify(const struct zone_segment *segment, size_t size, struct err *err);

#endif
