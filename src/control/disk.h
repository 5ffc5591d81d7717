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

/* The same world, but nobody reads it: the stamp says that its files are what was written once, and
 * that was verified (stamp.h). So it costs the same for any size. *out NULL: there is none of which
 * that can be said, or it was opened so before and nobody came to read it since. As long as its
 * descriptors are open, whoever wants to write into a file has to wait (a lease, fcntl(2); for
 * /proc/sys/fs/lease-break-time at the longest): nothing that is mapped is cut short. It has to be
 * read in full and copied into memory soon (proof.h). */
void disk_open(const char *state_dir, const char *name, struct images **out);

struct saver;

struct saver *saver_open(struct ev_loop *loop, const char *state_dir);
void saver_close(struct saver *saver); /* waits for what is being written; NULL is fine */

/* From now on this world belongs on the disk, unless it comes from there and nobody has read it in
 * full yet: it is written as soon as what is being written is through, unless it is there. Every
 * minute it is looked at again, so that a disk that was full, emptied or replaced has it soon after
 * it is well. The images are duplicated. */
void saver_save(struct saver *saver, const struct images *images);

/* Why the world is not on the disk; "": it is, or it is being written. */
const char *saver_failure(const struct saver *saver);

#endif
