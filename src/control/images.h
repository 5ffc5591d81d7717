/* images.h - the five images of one world as control holds them: descriptor and mapping of each.
 *
 * Owned by one holder at a time; immutable but for the steering image, which is replaced at every
 * verdict. Control's loop only. */
#ifndef CONTROL_IMAGES_H
#define CONTROL_IMAGES_H

#include <stdbool.h>

#include "image/image.h"

struct images {
	int fd[IMAGE_KINDS]; /* -1: none of this kind */
	struct image image[IMAGE_KINDS];
};

struct images *images_new(void);         /* empty; the caller's */
void images_free(struct images *images); /* closes all; NULL is fine */

/* Takes the descriptor over (also on failure), maps it and checks its header. Replaces what was
 * there of this kind only when that went well. */
int images_set(struct images *images, enum image_kind kind, int fd, struct err *err);

/* Descriptors of the same images, without mappings: the caller's. NULL: there are not enough. */
struct images *images_duplicate(const struct images *images, struct err *err);

void images_drop(struct images *images, enum image_kind kind); /* what there is of this kind */

/* true when zones, geo and plan are there: what control needs to serve from. */
bool images_are_complete(const struct images *images);

/* Every image but steering in full: contents that passed are safe for the data plane and for us.
 * What `known` (NULL: nothing) has already, in the same sealed memory, has been verified. */
int images_verify(const struct images *images, const struct images *known, struct err *err);

/* Is the steering image well, and does it fit zones and geo (world_verify), and the plan
 * (world_verify_plan)? */
int images_verify_steering(const struct images *images, struct err *err);

/* Is each but steering in sealed memory? Else they are files of a world on disk, which nobody has
 * read in full since they were written (disk_open). */
bool images_are_sealed(const struct images *images);

/* The same contents but for steering, which follows from status? Files equal no sealed memory. */
bool images_equal(const struct images *a, const struct images *b);

uint64_t images_id(const struct images *images, enum image_kind kind); /* 0: none */

#endif
