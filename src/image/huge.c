#include "image/huge.h"

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/mman.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/tsan.h"

#ifndef MADV_COLLAPSE
#define MADV_COLLAPSE 25 /* Linux 6.1 */
#endif

#define STEP (8 * HUGE_PAGE)

/* CPU time that one may take. A file's small pages take longer than those of other memory. */
#define MAX_US (2 * MEM_HUGE_MAX_US)

/* From this size on room is made for a mapping that moves. The thread sanitizer sees mmap(2), but not
 * mremap(2): without room, what another thread had written at the same addresses before would be
 * taken for a race. */
#ifdef __SANITIZE_THREAD__
#define ROOM_MIN 1
#else
#define ROOM_MIN HUGE_PAGE
#endif

/* Room for `size` octets at a multiple of HUGE_PAGE; NULL: there is none. Whoever maps something
 * into it owns that; nothing else is left of it. */
static void *aligned_room(size_t size)
{
	size_t before, all = size + HUGE_PAGE;
	char *room = mmap(NULL, all, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (room == MAP_FAILED)
		return NULL;
	before = -(uintptr_t)room & (HUGE_PAGE - 1);
	if (before > 0)
		(void)munmap(room, before);
	size = (size + 4095) & ~(size_t)4095;
	if (before + size < all)
		(void)munmap(room + before + size, all - before - size);
	return room + before;
}

/* The errno that told why the room is not used stays. */
static void give_back(void *room, size_t size)
{
	int error = errno;

	(void)munmap(room, size);
	errno = error;
}

void *huge_map(size_t size, int prot, int flags, int fd)
{
	void *room = size < HUGE_PAGE ? NULL : aligned_room(size);
	void *base = mmap(room, size, prot, flags | (room != NULL ? MAP_FIXED : 0), fd, 0);

	if (base == MAP_FAILED && room != NULL)
		give_back(room, size);
	return base;
}

void *huge_remap(void *old, size_t old_size, size_t size)
{
	void *room = size >= ROOM_MIN ? aligned_room(size) : NULL, *base;

	if (room == NULL)
		return mremap(old, old_size, size, MREMAP_MAYMOVE);
	base = mremap(old, old_size, size, MREMAP_MAYMOVE | MREMAP_FIXED, room);
	if (base == MAP_FAILED)
		give_back(room, size);
	return base;
}

/* Whole huge pages. false: there are none to be had, or only so slowly that small ones are better. */
static bool collapse(char *at, size_t size)
{
	uint64_t start_us = clock_cpu_us();

	for (size_t i = 0; i < size; i += HUGE_PAGE)
		(void)__atomic_load_n(at + i, __ATOMIC_RELAXED);
	return madvise(at, size, MADV_COLLAPSE) == 0 &&
	       clock_cpu_us() - start_us < size / HUGE_PAGE * MAX_US;
}

void huge_fill(void *base, size_t *done, size_t until)
{
	size_t step = HUGE_PAGE; /* the first one is taken to see */

	while (*done < until && until - *done >= HUGE_PAGE) {
		if (step > until - *done)
			step = (until - *done) & ~(HUGE_PAGE - 1);
		if (!collapse((char *)base + *done, step)) {
			*done = SIZE_MAX;
			return;
		}
		*done += step;
		step = STEP;
	}
}
