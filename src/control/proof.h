/* proof.h - reads a world that was begun with by its stamp, as it lies on the disk: to the last
 * octet, and into memory of its own.
 *
 * A thread, so that probing and steering go on. Control's loop only. */
#ifndef CONTROL_PROOF_H
#define CONTROL_PROOF_H

#include <ev.h>

#include "control/images.h"

/* `proven` is the same world in sealed memory, checked and verified: the callee's. NULL: it is not
 * well, `why` says in what. Called once, from the loop. */
typedef void proof_fn(void *context, struct images *proven, const char *why);

struct proof;

/* The images' descriptors are duplicated. NULL: no thread, or no descriptors. */
struct proof *proof_start(struct ev_loop *loop, const struct images *images, proof_fn *done,
			  void *context, struct err *err);
/* Waits for the thread; unless it was called already, `done` is not called any more. NULL is fine. */
void proof_close(struct proof *proof);

#endif
