/* zones_parallel.h - zones compiled by as many threads as are worth it. */
#ifndef COMPILE_ZONES_PARALLEL_H
#define COMPILE_ZONES_PARALLEL_H

#include "compile/zones_item.h"

/* How many threads there should be: one for each processor that the process may use, 16 at most. */
unsigned zones_threads(void);

/* All items come into the image, or to their errors. The same image and the same errors come of any
 * number of threads, also where fewer than wanted are to be had. */
void zones_compile_all(const struct zones_task *task, struct image_writer *writer,
		       unsigned threads);

#endif
