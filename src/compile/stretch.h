/* stretch.h - memory that grows and never moves, in which a place has 32 bits: a million records
 * that refer to each other take half of what they would take with pointers.
 *
 * A large range of addresses is reserved, and its memory made usable from its start on as it is
 * needed, zeroed, and in huge pages where the system has some: a large one is filled in less time
 * than the kernel takes to hand out its small pages. Taken from it is by parts, each of one
 * thread; all end together. Small ones that were closed are used again, by any thread. No memory, or
 * no addresses: the process ends, as in base/mem.h. */
#ifndef COMPILE_STRETCH_H
#define COMPILE_STRETCH_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define STRETCH_UNIT 4U  /* octets: what a place counts, and how all that is taken is aligned */
#define STRETCH_ROOM 64U /* octets behind all that is taken that can be read */

struct stretch {
	uint8_t *base;
	size_t used, usable; /* octets from the base */
	size_t ahead;        /* up to where stretch_fill_ahead has come */
	pthread_mutex_t lock;
	void *reserved;
	size_t room; /* octets that are reserved, from the base on */
};

/* What one thread takes from. Zero-initialise, but for `of`. */
struct stretch_part {
	struct stretch *of;
	uint8_t *at, *end;
};

void stretch_open(struct stretch *stretch);
void stretch_close(struct stretch *stretch);

/* At least `size` octets more for the part. */
void stretch_refill(struct stretch_part *part, size_t size);

/* Has some memory handed out by the kernel that is to be taken next: for a thread that would wait for
 * the one that takes it. false: there is enough. Any thread. */
bool stretch_fill_ahead(struct stretch *stretch);

/* So many octets, a multiple of the unit, from part->at on, of which as many as are then used are to
 * be taken. */
static inline uint8_t *stretch_room(struct stretch_part *part, size_t size)
{
	if ((size_t)(part->end - part->at) < size)
		stretch_refill(part, size);
	return part->at;
}

static inline size_t stretch_size(size_t size)
{
	return (size + STRETCH_UNIT - 1) & ~(size_t)(STRETCH_UNIT - 1);
}

static inline void *stretch_take(struct stretch_part *part, size_t size)
{
	uint8_t *taken = stretch_room(part, stretch_size(size));

	part->at += stretch_size(size);
	return taken;
}

/* No place is 0. */
static inline uint32_t stretch_place(const struct stretch *stretch, const void *taken)
{
	return (uint32_t)((size_t)((const uint8_t *)taken - stretch->base) / STRETCH_UNIT);
}

static inline void *stretch_at(const struct stretch *stretch, uint32_t place)
{
	return stretch->base + (size_t)place * STRETCH_UNIT;
}

#endif
