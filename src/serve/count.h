/* count.h - how the data plane counts: one writer a struct counters, readers in other processes. */
#ifndef SERVE_COUNT_H
#define SERVE_COUNT_H

#include <stdint.h>

/* The writer's own thread only. Relaxed load and store, not an atomic addition: nobody else
 * writes, and readers need no order between counters. */
static inline void counter_add(uint64_t *counter, uint64_t n)
{
	__atomic_store_n(counter, __atomic_load_n(counter, __ATOMIC_RELAXED) + n, __ATOMIC_RELAXED);
}

/* Of what may become less, too. */
static inline void counter_set(uint64_t *counter, uint64_t value)
{
	__atomic_store_n(counter, value, __ATOMIC_RELAXED);
}

#endif
