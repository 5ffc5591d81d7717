/* mem.h - memory that cannot fail, a byte buffer that grows, and an arena for one lifetime.
 *
 * For compile, control and start-up. Out of memory ends the process: each is made to be
 * restarted, and half-done work in it must not be trusted. The path of a query never comes here. */
#ifndef BASE_MEM_H
#define BASE_MEM_H

#include <stddef.h>
#include <stdint.h>

void *mem_alloc(size_t size);                           /* zeroed */
void *mem_array(size_t count, size_t size);             /* zeroed; overflow ends the process */
void *mem_resize(void *old, size_t count, size_t size); /* not zeroed beyond the old size */
char *mem_copy_text(const char *text);
char *mem_format(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Zeroed, in huge pages where the system has some and it is worth it: for what is large, and read
 * here and there. */
void *mem_map(size_t size);
void mem_unmap(void *mapped, size_t size); /* NULL is fine */
/* CPU time that having a huge page may take. It is cleared in a tenth of a millisecond, and the small
 * ones instead of it take two. But a virtual machine that tells its host which memory is free (free
 * page reporting) loses huge pages that are free for some seconds, and having one again takes
 * milliseconds; small ones it keeps. */
#define MEM_HUGE_MAX_US 400U
/* Memory that nobody has written yet is to be in huge pages, as far as they are there sooner than
 * small ones: the first is taken to see, and where one takes too long, no more are asked for. */
void mem_huge(void *at, size_t size);

/* Room for one more element: array_add(items, count, capacity) = value; (all three are lvalues) */
#define array_add(items, count, capacity)                                                       \
	(*((count) < (capacity) ? &(items)[(count)++]                                           \
				: ((capacity) = (capacity) ? (capacity)*2 : 16,                 \
				   (items) = mem_resize((items), (capacity), sizeof(*(items))), \
				   &(items)[(count)++])))

/* Zero-initialise; buf_free when done. */
struct buf {
	uint8_t *data;
	size_t len, cap;
};

void *buf_reserve(struct buf *buf, size_t size); /* zeroed room at the end, len moves */
void buf_append(struct buf *buf, const void *data, size_t size);
void buf_align(struct buf *buf, size_t align); /* pads with zeros; a power of two */
void buf_format(struct buf *buf, const char *format, ...) __attribute__((format(printf, 2, 3)));
void buf_free(struct buf *buf);

/* Blocks that end together. Zero-initialise; single thread. */
struct arena {
	struct arena_block *head;
	size_t used, size;
	size_t total; /* of all blocks */
};

void *arena_alloc(struct arena *arena, size_t size); /* zeroed, aligned to 16 */
void *arena_copy(struct arena *arena, const void *data, size_t size);
char *arena_text(struct arena *arena, const char *text, size_t len); /* adds the NUL */
void arena_free(struct arena *arena);

#endif
