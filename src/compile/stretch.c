#include "compile/stretch.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "base/mem.h"

/* All that 32 bits can name, where there are as many addresses: a limit (RLIMIT_AS) may leave fewer,
 * of which most zones need nearly none. */
#define RESERVED     (sizeof(size_t) > 4 ? (size_t)UINT32_MAX * STRETCH_UNIT : (size_t)1 << 30)
#define RESERVED_MIN ((size_t)64 << 20)
#define HUGE_PAGE    ((size_t)2 << 20)

/* A small zone takes little; from HUGE_PAGE on memory is made usable by as much at once. */
#define FIRST_STEP ((size_t)64 << 10)
#define STEP       (4 * HUGE_PAGE)
#define PIECE      ((size_t)16 << 10)

#ifndef MADV_POPULATE_WRITE
#define MADV_POPULATE_WRITE 23 /* Linux 5.14; else the pages are handed out as they are written */
#endif

/* So much of what will be taken is there before it is, in pieces that take the kernel little time. */
#define AHEAD_MAX   HUGE_PAGE
#define AHEAD_PIECE ((size_t)64 << 10)

static _Noreturn void out_of_memory(void)
{
	(void)fprintf(stderr, "signpost: out of memory for a zone's records\n");
	abort();
}

/* --- a small stretch after another ------------------------------------------------------------ */

/* Those of small zones are used again: to reserve one, make its first octets usable and give all
 * back takes the kernel longer than to compile such a zone. Their memory is zeroed. */
#define SPARES       32U /* two for each thread, about */
#define SPARE_USABLE (4 * FIRST_STEP)

static struct {
	pthread_mutex_t lock;
	unsigned count;
	struct stretch items[SPARES];
} spares = { .lock = PTHREAD_MUTEX_INITIALIZER };

/* false: there is none. */
static bool take_spare(struct stretch *stretch)
{
	bool taken;

	(void)pthread_mutex_lock(&spares.lock);
	taken = spares.count > 0;
	if (taken)
		*stretch = spares.items[--spares.count];
	(void)pthread_mutex_unlock(&spares.lock);
	return taken;
}

/* false: it is too large, or there are enough. */
static bool keep_spare(const struct stretch *stretch)
{
	bool kept;

	if (stretch->usable > SPARE_USABLE)
		return false;
	memset(stretch->base, 0, stretch->used < stretch->usable ? stretch->used : stretch->usable);
	(void)pthread_mutex_lock(&spares.lock);
	kept = spares.count < SPARES;
	if (kept)
		spares.items[spares.count++] = (struct stretch){ .base = stretch->base,
								 .used = STRETCH_UNIT,
								 .usable = stretch->usable,
								 .reserved = stretch->reserved,
								 .room = stretch->room };
	(void)pthread_mutex_unlock(&spares.lock);
	return kept;
}

/* --- one stretch ------------------------------------------------------------------------------ */

static void reserve(struct stretch *stretch)
{
	size_t room = RESERVED, over;
	uint8_t *reserved;

	while ((reserved = mmap(NULL, room + HUGE_PAGE, PROT_NONE,
				MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0)) ==
	       MAP_FAILED) {
		room /= 2;
		if (room < RESERVED_MIN)
			out_of_memory();
	}
	over = (uintptr_t)reserved & (HUGE_PAGE - 1);
	*stretch = (struct stretch){ .base = reserved + (HUGE_PAGE - over),
				     .used = STRETCH_UNIT,
				     .reserved = reserved,
				     .room = room };
}

void stretch_open(struct stretch *stretch)
{
	if (!take_spare(stretch))
		reserve(stretch);
	(void)pthread_mutex_init(&stretch->lock, NULL);
}

void stretch_close(struct stretch *stretch)
{
	if (stretch->reserved == NULL)
		return;
	(void)pthread_mutex_destroy(&stretch->lock);
	if (!keep_spare(stretch))
		(void)munmap(stretch->reserved, stretch->room + HUGE_PAGE);
	*stretch = (struct stretch){ 0 };
}

/* Makes memory usable up to `size` octets from the base. */
static void make_usable(struct stretch *stretch, size_t size)
{
	size_t step = stretch->usable < HUGE_PAGE ? FIRST_STEP : STEP;
	size_t from = stretch->usable, more;

	if (size <= from)
		return;
	more = (size - from + step - 1) / step * step;
	if (more > stretch->room - from ||
	    mprotect(stretch->base + from, more, PROT_READ | PROT_WRITE) != 0)
		out_of_memory();
	if (from >= HUGE_PAGE)
		mem_huge(stretch->base + from, more);
	stretch->usable = from + more;
}

void stretch_refill(struct stretch_part *part, size_t size)
{
	struct stretch *stretch = part->of;
	size_t taken = size < PIECE ? PIECE : stretch_size(size);

	(void)pthread_mutex_lock(&stretch->lock);
	if (part->end != stretch->base + stretch->used) /* somebody else took from it meanwhile */
		part->at = part->end = stretch->base + stretch->used;
	part->end += taken;
	stretch->used += taken;
	make_usable(stretch, stretch->used + STRETCH_ROOM);
	(void)pthread_mutex_unlock(&stretch->lock);
}

bool stretch_fill_ahead(struct stretch *stretch)
{
	size_t from, end;

	(void)pthread_mutex_lock(&stretch->lock);
	from = stretch->ahead > stretch->used ? stretch->ahead : stretch->used;
	from &= ~(AHEAD_PIECE - 1);
	end = from + AHEAD_PIECE;
	if (end > stretch->used + AHEAD_MAX || end > stretch->usable)
		end = 0;
	else
		stretch->ahead = end;
	(void)pthread_mutex_unlock(&stretch->lock);
	return end != 0 && madvise(stretch->base + from, AHEAD_PIECE, MADV_POPULATE_WRITE) == 0;
}
