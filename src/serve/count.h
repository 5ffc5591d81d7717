/* count.h - how the data plane counts: one writer a struct counters, readers in other processes. */
#ifndef SERVE_COUNT_H
#define SERVE_COUNT_H

#include <stdint.h>
#include <string.h>

#include "image/geo.h"
#include "image/handover.h"

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

/* Counts by class begin anew for another geo image. What was never in use is not touched: it has no
 * memory yet. */
static __attribute__((noinline, unused)) void class_counters_begin(struct class_counters *classes,
								   const struct image *geo)
{
	__atomic_store_n(&classes->geo_id, 0, __ATOMIC_RELEASE);
	memset(classes->steered, 0, classes->class_count * sizeof(classes->steered[0]));
	classes->class_count = image_root(geo, struct geo_root)->class_count;
	__atomic_store_n(&classes->geo_id, image_header(geo)->id, __ATOMIC_RELEASE);
}

static inline void class_counters_add(struct class_counters *classes, const struct image *geo,
				      uint16_t class_id)
{
	uint32_t *counter = &classes->steered[class_id];

	if (__atomic_load_n(&classes->geo_id, __ATOMIC_RELAXED) != image_header(geo)->id)
		class_counters_begin(classes, geo);
	__atomic_store_n(counter, __atomic_load_n(counter, __ATOMIC_RELAXED) + 1, __ATOMIC_RELAXED);
}

#endif
