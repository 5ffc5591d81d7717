/* worlds.h - the world that queries are answered from, and how it is replaced while they are.
 *
 * The main thread alone replaces it; threads that answer read it between worlds_online and
 * worlds_offline (RCU, liburcu's QSBR: reading costs a load, and the old world is unmapped when
 * every such thread has been offline, or between two batches, once). */
#ifndef SERVE_WORLDS_H
#define SERVE_WORLDS_H

#include <urcu/urcu-qsbr.h>

#include "base/tsan.h"
#include "image/world.h"

/* The thread sanitizer does not see inside liburcu: that what a thread read before it went
 * offline happened before a grace period's end is told to it here. By an address of its own: a
 * store to one that others released makes it forget them. */
#ifdef __SANITIZE_THREAD__
#include <sanitizer/tsan_interface.h>
extern char worlds_reads;
#define WORLDS_READS_END()    __tsan_release(&worlds_reads)
#define WORLDS_GRACE_PERIOD() __tsan_acquire(&worlds_reads)
#else
#define WORLDS_READS_END()    ((void)0)
#define WORLDS_GRACE_PERIOD() ((void)0)
#endif

extern struct world *worlds_published; /* NULL: none yet. Read it by worlds_current only. */

/* --- threads that answer ---------------------------------------------------------------------- */

/* Once a thread, before the others. It is online then. */
static inline void worlds_thread_start(void)
{
	urcu_qsbr_register_thread();
}

static inline void worlds_thread_end(void)
{
	WORLDS_READS_END();
	urcu_qsbr_unregister_thread();
}

/* Before whatever may block; what worlds_current returned is not to be used any more. */
static inline void worlds_offline(void)
{
	WORLDS_READS_END();
	urcu_qsbr_thread_offline();
}

static inline void worlds_online(void)
{
	urcu_qsbr_thread_online();
}

static inline const struct world *worlds_current(void)
{
	return __atomic_load_n(&worlds_published, __ATOMIC_ACQUIRE);
}

/* --- the main thread -------------------------------------------------------------------------- */

/* Replace the world, or its steering image only, and wait until nobody reads the old one. The
 * descriptors stay the caller's. *id: what is published now (the steering image's). -1: it does
 * not fit, and what was published goes on. */
int worlds_take(int zones_fd, int geo_fd, int steering_fd, uint64_t *id, struct err *err);
int worlds_take_steering(int steering_fd, uint64_t *id, struct err *err);

#endif
