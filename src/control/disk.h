/* disk.h - the last good world on disk, for the next boot: STATE/world/{zones,geo,...}.image.
 *
 * Written in STATE/world.new and exchanged with STATE/world in one rename, the former one kept as
 * STATE/world.previous. Writing is a short-lived thread, so that a slow disk holds up nothing;
 * all functions here are called from control's loop. */
#ifndef CONTROL_DISK_H
#define CONTROL_DISK_H

#include <ev.h>

#include "control/images.h"

/* The folders in STATE, the newer one first. */
#define DISK_WORLD          "world"
#define DISK_WORLD_PREVIOUS "world.previous"

/* 0 with *out NULL: there is none. What is found is checked to the last byte: a damaged world is
 * an error, but for its locations, which are then left out. Steering is not there: it is made anew
 * from the nodes' status. */
int disk_load(const char *state_dir, const char *name, struct images **out, struct err *err);

struct saver;

struct saver *saver_open(struct ev_loop *loop, const char *state_dir);
void saver_close(struct saver *saver); /* waits for what is being written; NULL is fine */

/* From now on this world belongs on the disk: it is written as soon as what is being written is
 * through, unless it is there. Every minute it is looked at again, so that a disk that was full,
 * emptied or replaced has it soon after it is well. The images are duplicated. */
void saver_save(struct saver *saver, const struct images *images);

/* Why the world is not on the disk; "": it is, or it is being written. */
const char *saver_failure(const struct saver *saver);

#endif
