/* zone_compile.h - one zone: taken over from the previous image, or compiled from its file. */
#ifndef COMPILE_ZONE_COMPILE_H
#define COMPILE_ZONE_COMPILE_H

#include "compile/zones_line.h"

/* true: it is what compiling would give, and nothing is to be said of it. Any thread. */
bool zone_keep(const struct zones_task *task, struct zones_item *item);

/* Compiles it and gives it to the line. `aside` is written to when it is not the zone's turn: of
 * the thread, zero-initialised, for image_writer_discard in the end. `threads`: may it take one
 * more? */
void zone_compile(struct zones_line *line, struct zones_item *item, struct image_writer *aside,
		  bool threads);

#endif
