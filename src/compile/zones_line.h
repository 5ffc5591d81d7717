/* zones_line.h - where zones that are compiled in any order come into the image in canonical order.
 *
 * A zone whose turn it is when it is ready to be written is written into the image itself; another
 * one beside it, and copied when all before it are there. What it was written to ends then, so the
 * image is hardly ever in memory twice. Any thread. */
#ifndef COMPILE_ZONES_LINE_H
#define COMPILE_ZONES_LINE_H

#include <pthread.h>

#include "compile/zones_item.h"

struct zones_line {
	const struct zones_task *task;
	struct image_writer *writer; /* whose turn it is has it alone */
	pthread_mutex_t lock;
	size_t next; /* the first zone that is not in the image */
	bool taken;  /* somebody is at the image */
};

void zones_line_open(struct zones_line *line, const struct zones_task *task,
		     struct image_writer *writer);
/* All zones are done. */
void zones_line_close(struct zones_line *line);

/* true: it is the zone's turn, and line->writer is the caller's until zones_line_leave. */
bool zones_line_enter(struct zones_line *line, const struct zones_item *item);
/* The zone is in the image, at item->segment_off, unless there is none. */
void zones_line_leave(struct zones_line *line, struct zones_item *item);
/* A zone that did not enter is done: item->segment is what is to be copied. */
void zones_line_put(struct zones_line *line, struct zones_item *item);

#endif
