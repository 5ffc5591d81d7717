#include "base/mem.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "base/clock.h"

#define ARENA_BLOCK ((size_t)64 * 1024)
/* From LARGE_FROM on an arena grows by blocks of huge pages, where the system has some: a large one
 * is filled in less time than the kernel takes to hand out its small pages. */
#define LARGE_FROM  ((size_t)2 << 20)
#define LARGE_BLOCK ((size_t)16 << 20)
#define HUGE_PAGE   ((size_t)2 << 20)
/* What is smaller comes from the heap, which has it at hand. */
#define MAPPED_MIN ((size_t)64 * 1024)

struct arena_block {
	struct arena_block *next;
	size_t mapped; /* octets of a mapping; 0: it is from the heap */
	_Alignas(16) uint8_t data[];
};

static _Noreturn void out_of_memory(size_t size)
{
	(void)fprintf(stderr, "signpost: out of memory (%zu bytes wanted)\n", size);
	abort();
}

void *mem_array(size_t count, size_t size)
{
	void *p = calloc(count ? count : 1, size ? size : 1);

	if (p == NULL)
		out_of_memory(count * size);
	return p;
}

void *mem_alloc(size_t size)
{
	return mem_array(1, size);
}

void *mem_resize(void *old, size_t count, size_t size)
{
	void *p = reallocarray(old, count ? count : 1, size ? size : 1);

	if (p == NULL)
		out_of_memory(count * size);
	return p;
}

char *mem_copy_text(const char *text)
{
	size_t size = strlen(text) + 1;

	return memcpy(mem_alloc(size), text, size);
}

char *mem_format(const char *format, ...)
{
	va_list args;
	char *text = NULL;

	va_start(args, format);
	if (vasprintf(&text, format, args) < 0)
		out_of_memory(0);
	va_end(args);
	return text;
}

void *buf_reserve(struct buf *buf, size_t size)
{
	uint8_t *room;

	if (size > buf->cap - buf->len) {
		size_t cap = buf->cap ? buf->cap * 2 : 256;

		while (cap - buf->len < size)
			cap *= 2;
		buf->data = mem_resize(buf->data, cap, 1);
		buf->cap = cap;
	}
	room = buf->data + buf->len;
	memset(room, 0, size);
	buf->len += size;
	return room;
}

void buf_append(struct buf *buf, const void *data, size_t size)
{
	if (size > 0)
		memcpy(buf_reserve(buf, size), data, size);
}

void buf_align(struct buf *buf, size_t align)
{
	size_t over = buf->len & (align - 1);

	if (over != 0)
		(void)buf_reserve(buf, align - over);
}

void buf_format(struct buf *buf, const char *format, ...)
{
	va_list args;
	char *text = NULL;
	int len;

	va_start(args, format);
	len = vasprintf(&text, format, args);
	va_end(args);
	if (len < 0)
		out_of_memory(0);
	buf_append(buf, text, (size_t)len);
	free(text);
}

void buf_free(struct buf *buf)
{
	free(buf->data);
	*buf = (struct buf){ 0 };
}

void mem_huge(void *at, size_t size)
{
	static bool too_slow; /* one of them was */
	size_t before = -(uintptr_t)at & (HUGE_PAGE - 1);
	uint8_t *first = (uint8_t *)at + before;
	uint64_t start_us;

	if (size < before + HUGE_PAGE || __atomic_load_n(&too_slow, __ATOMIC_RELAXED) ||
	    madvise(at, size, MADV_HUGEPAGE) != 0)
		return;
	start_us = clock_cpu_us();
	__atomic_store_n(first, 0, __ATOMIC_RELAXED);
	if (clock_cpu_us() - start_us < MEM_HUGE_MAX_US)
		return;
	__atomic_store_n(&too_slow, true, __ATOMIC_RELAXED);
	(void)madvise(at, size, MADV_NOHUGEPAGE);
}

void *mem_map(size_t size)
{
	void *mapped;

	if (size < MAPPED_MIN)
		return mem_alloc(size);
	mapped = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (mapped == MAP_FAILED)
		out_of_memory(size);
	mem_huge(mapped, size);
	return mapped;
}

void mem_unmap(void *mapped, size_t size)
{
	if (size < MAPPED_MIN)
		free(mapped);
	else if (mapped != NULL)
		(void)munmap(mapped, size);
}

static struct arena_block *block_new(struct arena *arena, size_t size)
{
	arena->total += size;
	return mem_alloc(sizeof(struct arena_block) + size);
}

static struct arena_block *block_map(struct arena *arena)
{
	struct arena_block *block = mem_map(LARGE_BLOCK);

	block->mapped = LARGE_BLOCK;
	arena->total += LARGE_BLOCK;
	return block;
}

static void block_free(struct arena_block *block)
{
	if (block->mapped != 0)
		mem_unmap(block, block->mapped);
	else
		free(block);
}

static void add_block(struct arena *arena)
{
	bool large = arena->total >= LARGE_FROM;
	struct arena_block *block = large ? block_map(arena) : block_new(arena, ARENA_BLOCK);

	block->next = arena->head;
	arena->head = block;
	arena->used = 0;
	arena->size = large ? LARGE_BLOCK - sizeof(*block) : ARENA_BLOCK;
}

void *arena_alloc(struct arena *arena, size_t size)
{
	void *p;

	size = (size + 15) & ~(size_t)15;
	if (size > ARENA_BLOCK / 4) {
		/* A large piece gets a block of its own, behind the one being filled. */
		struct arena_block *block = block_new(arena, size);

		if (arena->head != NULL) {
			block->next = arena->head->next;
			arena->head->next = block;
		} else {
			arena->head = block;
			arena->used = arena->size = size;
		}
		return block->data;
	}
	if (arena->head == NULL || arena->size - arena->used < size)
		add_block(arena);
	p = arena->head->data + arena->used;
	arena->used += size;
	return p;
}

void *arena_copy(struct arena *arena, const void *data, size_t size)
{
	void *p = arena_alloc(arena, size);

	if (size > 0)
		memcpy(p, data, size);
	return p;
}

char *arena_text(struct arena *arena, const char *text, size_t len)
{
	char *copy = arena_alloc(arena, len + 1);

	if (len > 0)
		memcpy(copy, text, len);
	return copy;
}

void arena_free(struct arena *arena)
{
	struct arena_block *next;

	for (struct arena_block *block = arena->head; block != NULL; block = next) {
		next = block->next;
		block_free(block);
	}
	*arena = (struct arena){ 0 };
}
