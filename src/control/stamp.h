/* stamp.h - which files of a world on disk control wrote from verified images, or has read to the
 * last octet: STATE/world/stamp.
 *
 * A file is told by its inode, length and time of change, so whoever writes into one, or puts
 * another in its place, makes it a stranger. What a disk does to it unasked stays unseen here: a
 * world that is begun with by its stamp is read in full soon after (proof.h). */
#ifndef CONTROL_STAMP_H
#define CONTROL_STAMP_H

#include <stdbool.h>

#include "image/image.h"

#define STAMP_NAME "stamp"

/* For the images that are there, as they are now. `folder` is the world's, open. */
int stamp_write(int folder, struct err *err);

/* Are these the files that the stamp is for? -1: none of this kind. A stamp of another version of
 * this program fits nothing: it may have verified less. */
bool stamp_fits(int folder, const int fds[IMAGE_KINDS]);

/* The same for whoever is to begin with them unread, which is once: the stamp is gone then, until the
 * world has been read. Should what nobody has read end the process, the next one reads it first. */
bool stamp_spend(int folder, const int fds[IMAGE_KINDS]);

#endif
