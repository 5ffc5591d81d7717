/* beside.h - one piece of work beside another: in a thread of its own, where there can be one.
 *
 * What both do must not depend on who is first, so that the same input gives the same image. */
#ifndef COMPILE_BESIDE_H
#define COMPILE_BESIDE_H

#include <pthread.h>
#include <stdbool.h>

typedef void beside_work(void *context);

struct beside {
	pthread_t thread;
	bool is_apart; /* else it is done when it is waited for */
	beside_work *work;
	void *context;
};

/* Only the work may touch what its context points to until beside_wait. */
void beside_start(struct beside *beside, beside_work *work, void *context);
/* false: there is no thread to be had, and nothing was started. */
bool beside_try(struct beside *beside, beside_work *work, void *context);
void beside_wait(struct beside *beside); /* once: it is done then */

#endif
